//! `ATT_HOME`: the one folder that holds all state (design 4, "Places").

use att_core::{Code, Report};
use std::path::{Path, PathBuf};

/// Marks a home as one that the demo made.
const DEMO_MARK: &str = "demo-home";
/// Marks a home as one of a test.
const TEST_MARK: &str = "test-home";

/// The folder that holds all state, and where each part of it lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    root: PathBuf,
}

impl Home {
    /// The home at `root`, made absolute.
    #[must_use]
    pub fn at(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        Self { root: std::path::absolute(&root).unwrap_or(root) }
    }

    /// `ATT_HOME`, else `$XDG_DATA_HOME/att`, else `~/.local/share/att`.
    ///
    /// # Errors
    /// When none of the three can be told.
    pub fn locate() -> Result<Self, Report> {
        let variable =
            |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        variable("ATT_HOME")
            .or_else(|| variable("XDG_DATA_HOME").map(|data| data.join("att")))
            .or_else(|| variable("HOME").map(|home| home.join(".local/share/att")))
            .map(Self::at)
            .ok_or_else(|| {
                Report::new(Code::InvalidInput, "there is no folder for ATT's state")
                    .cause("neither ATT_HOME nor XDG_DATA_HOME nor HOME is set")
                    .cure("set ATT_HOME to a folder of your own")
            })
    }

    /// Makes the folders, readable by their owner only.
    ///
    /// # Errors
    /// When one cannot be made.
    pub fn prepare(&self) -> Result<(), Report> {
        use std::os::unix::fs::DirBuilderExt as _;
        for dir in [self.root.clone(), self.run(), self.logs(), self.worktrees()] {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&dir).map_err(|error| {
                Report::new(Code::JournalUnavailable, format!("the folder {} cannot be made", dir.display()))
                    .cause(error.to_string())
                    .cure("make it writable for you, or set ATT_HOME to another folder")
            })?;
        }
        Ok(())
    }

    /// The folder itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `mcp.json`.
    #[must_use]
    pub fn mcp_json(&self) -> PathBuf {
        self.root.join("mcp.json")
    }

    /// `settings.toml`.
    #[must_use]
    pub fn settings_toml(&self) -> PathBuf {
        self.root.join("settings.toml")
    }

    /// Folder of locks and operations.
    #[must_use]
    pub fn run(&self) -> PathBuf {
        self.root.join("run")
    }

    /// Folder of kept output.
    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }

    /// Folder of the servers' wire logs.
    #[must_use]
    pub fn wire_logs(&self) -> PathBuf {
        self.logs().join("wire")
    }

    /// Folder of git worktrees.
    #[must_use]
    pub fn worktrees(&self) -> PathBuf {
        self.root.join("worktrees")
    }

    /// The file lock of whoever drives the engine.
    #[must_use]
    pub fn engine_lock(&self) -> PathBuf {
        self.run().join("engine.lock")
    }

    /// True when `att demo init` made it.
    #[must_use]
    pub fn is_demo(&self) -> bool {
        self.root.join(DEMO_MARK).is_file()
    }

    /// True when a test made it.
    #[must_use]
    pub fn is_test(&self) -> bool {
        self.root.join(TEST_MARK).is_file()
    }

    /// Marks it as a demo home.
    ///
    /// # Errors
    /// When the mark cannot be written.
    pub fn mark_demo(&self) -> std::io::Result<()> {
        std::fs::write(self.root.join(DEMO_MARK), "made by `att demo init`; its state may be thrown away\n")
    }

    /// Acting operations are refused while something drives the web view, unless the home is marked as a demo's or
    /// a test's (design 2.6).
    #[must_use]
    pub fn acting_refused(&self) -> bool {
        std::env::var_os("TAURI_WEBVIEW_AUTOMATION").is_some() && !self.is_demo() && !self.is_test()
    }
}
