//! The clients that are known, and where each keeps its file.

use std::path::{Path, PathBuf};

/// A client whose servers can be taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// Claude Desktop: `claude_desktop_config.json`.
    ClaudeDesktop,
    /// Claude Code: `.mcp.json` of a project, `~/.claude.json` with its projects.
    ClaudeCode,
    /// VS Code: `mcp.json` and `settings.json` of the user, `.vscode/mcp.json` of a project.
    VsCode,
    /// Cursor: `mcp.json` of the user and of a project.
    Cursor,
    /// Codex: `config.toml`.
    Codex,
}

/// The folders that the files are looked for in.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// The operator's home.
    pub home: Option<PathBuf>,
    /// `XDG_CONFIG_HOME`, where set.
    pub config: Option<PathBuf>,
    /// `APPDATA`, where set.
    pub app_data: Option<PathBuf>,
    /// `CODEX_HOME`, where set.
    pub codex: Option<PathBuf>,
    /// The folder that the operator is in.
    pub project: Option<PathBuf>,
}

impl Client {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::ClaudeDesktop, Self::ClaudeCode, Self::VsCode, Self::Cursor, Self::Codex];

    /// The client of a word such as `claude-desktop`.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|client| client.word() == word)
    }

    /// The word that names it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::ClaudeDesktop => "claude-desktop",
            Self::ClaudeCode => "claude-code",
            Self::VsCode => "vscode",
            Self::Cursor => "cursor",
            Self::Codex => "codex",
        }
    }

    /// Where it may keep its files on Linux, macOS and Windows, in the order in which they are read.
    #[must_use]
    pub fn files(self, places: &Places) -> Vec<PathBuf> {
        let home = places.home.as_deref();
        let in_home = |path: &str| home.map(|home| home.join(path));
        let in_project = |path: &str| places.project.as_deref().map(|folder| folder.join(path));
        // What each system calls the folder of its programs' settings.
        let settings: Vec<PathBuf> = [
            places.config.clone().or_else(|| in_home(".config")),
            in_home("Library/Application Support"),
            places.app_data.clone(),
        ]
        .into_iter()
        .flatten()
        .collect();
        let in_settings = |paths: &[&str]| -> Vec<Option<PathBuf>> {
            settings.iter().flat_map(|folder| paths.iter().map(|path| Some(folder.join(path)))).collect()
        };
        let found = match self {
            Self::ClaudeDesktop => in_settings(&["Claude/claude_desktop_config.json"]),
            Self::ClaudeCode => vec![in_project(".mcp.json"), in_home(".claude.json")],
            Self::VsCode => {
                let mut files = vec![in_project(".vscode/mcp.json")];
                files.extend(in_settings(&[
                    "Code/User/mcp.json",
                    "Code/User/settings.json",
                    "Code - Insiders/User/mcp.json",
                    "Code - Insiders/User/settings.json",
                ]));
                files
            }
            Self::Cursor => vec![in_project(".cursor/mcp.json"), in_home(".cursor/mcp.json")],
            Self::Codex => vec![
                in_project(".codex/config.toml"),
                places.codex.as_ref().map(|folder| folder.join("config.toml")),
                in_home(".codex/config.toml"),
            ],
        };
        let mut files: Vec<PathBuf> = Vec::new();
        for file in found.into_iter().flatten() {
            if !files.contains(&file) {
                files.push(file);
            }
        }
        files
    }
}

/// The project that a file such as `.vscode/mcp.json` or `.mcp.json` belongs to.
#[must_use]
pub(crate) fn project_of(file: &Path) -> Option<PathBuf> {
    let folder = file.parent()?;
    let is = |name: &str| folder.file_name().is_some_and(|last| last == name);
    if is(".vscode") || is(".cursor") || is(".codex") {
        return folder.parent().map(Path::to_path_buf);
    }
    file.file_name().is_some_and(|name| name == ".mcp.json").then(|| folder.to_path_buf())
}

impl Places {
    /// The project that `file` belongs to; a client's folder in the operator's home is no project.
    #[must_use]
    pub fn project_of(&self, file: &Path) -> Option<PathBuf> {
        project_of(file).filter(|folder| self.home.as_ref() != Some(folder))
    }
}

pub(super) fn is_toml(file: &str) -> bool {
    Path::new(file).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml"))
}
