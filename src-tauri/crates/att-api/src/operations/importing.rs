//! Servers taken over from other clients: shown first, then done.

use super::configuring::edit_report;
use super::secrets::secret_report;
use crate::dto::{ImportDoneDto, ImportPlanDto, ImportServerDto};
use crate::editing::read_text;
use crate::requests::{Ask, no_such_server, tell};
use crate::room::ControlRoom;
use att_core::{Code, Report, canonical_json, sha256_hex};
use att_mcp::config::{ConfigEdit, Endpoint, edit};
use att_mcp::import::{
    Client, FoundSecret, ImportPlan, OnConflict, Places, Planned, Standing, choose, plan, read,
};
use std::path::{Path, PathBuf};

impl ControlRoom {
    /// What an import would do. `from` is a client (`claude-desktop` `claude-code` `vscode` `cursor` `codex`), `auto`
    /// for all of them, or the path of a file; `file` takes the place of the client's own files. `folder` is the
    /// project whose files count as well.
    ///
    /// # Errors
    /// [`Code::NotFound`] when there is no file to read.
    pub async fn import_plan(
        &self,
        from: String,
        file: Option<String>,
        folder: Option<String>,
    ) -> Result<ImportPlanDto, Report> {
        Ok(self.planned(&from, file, folder)?.1)
    }

    /// Carries an import out: `mcp.json` is edited, its secrets are kept in the place of secrets. Commands still wait
    /// for consent. `on_conflict` is `keep`, `replace` or `rename`; `only` names servers, none for all.
    ///
    /// # Errors
    /// As [`ControlRoom::import_plan`]; [`Code::Conflict`] when `digest` is not that of the plan as it is now.
    pub async fn import_apply(
        &self,
        from: String,
        file: Option<String>,
        folder: Option<String>,
        digest: Option<String>,
        on_conflict: String,
        only: Vec<String>,
    ) -> Result<ImportDoneDto, Report> {
        self.may_act()?;
        let (planned, seen) = self.planned(&from, file, folder)?;
        if digest.is_some_and(|digest| digest != seen.digest) {
            return Err(Report::new(
                Code::Conflict,
                "the files are not what they were when the import was shown",
            )
            .cure("look at the import again"));
        }
        let on_conflict = on_conflict_of(&on_conflict)?;
        if let Some(unknown) =
            only.iter().find(|name| !planned.servers.iter().any(|server| &server.candidate.name == *name))
        {
            return Err(no_such_server(unknown).cure("see the names with `--dry-run`"));
        }
        let wanted =
            planned.servers.iter().filter(|server| only.is_empty() || only.contains(&server.candidate.name));
        let mut done = ImportDoneDto::default();
        let mut text = read_text(&self.0.home.mcp_json())?.unwrap_or_default();
        let (mut edits, mut secrets) = (Vec::new(), Vec::new());
        for server in wanted {
            let name = &server.candidate.name;
            if let Some(why) = &server.candidate.unusable {
                done.problems.push(format!("{name}: {why}"));
                continue;
            }
            let Some((change, found)) = choose(server, on_conflict, &text) else {
                if server.standing == Standing::Conflict {
                    done.kept.push(name.clone());
                }
                continue;
            };
            // Each alone: what our own reader refuses of one does not hold up the others.
            match edit(&text, &change) {
                Ok(edited) => text = edited,
                Err(error) => {
                    let report = edit_report(error);
                    if report.code == Code::InvalidConfig {
                        return Err(report);
                    }
                    done.problems.push(format!("{name}: {}", report.message));
                    continue;
                }
            }
            let replaces = matches!(change, ConfigEdit::Replace { .. });
            match &change {
                ConfigEdit::Add { name, .. } => done.added.push(name.clone()),
                _ => done.replaced.push(name.clone()),
            }
            edits.push(change);
            secrets.extend(found.into_iter().map(|secret| (secret, replaces)));
        }
        for (secret, replaces) in secrets {
            self.keep_secret(secret, replaces, &mut done).await?;
        }
        if !edits.is_empty() {
            self.edit_servers(&edits).await?;
        }
        for name in &done.secrets {
            tell(self, Ask::SecretChanged { name: name.clone() }).await;
        }
        Ok(done)
    }

    /// A secret that is kept already stays what it is, unless its server is replaced.
    async fn keep_secret(
        &self,
        secret: FoundSecret,
        replaces: bool,
        done: &mut ImportDoneDto,
    ) -> Result<(), Report> {
        let kept = self.0.secrets.get(&secret.name).await.map_err(|error| secret_report(&error))?;
        match kept {
            Some(kept) if kept == secret.value => {}
            Some(_) if !replaces => done.problems.push(format!(
                "the secret `{0}` is kept already and stays as it is; `att secret set {0}` changes it",
                secret.name
            )),
            _ => {
                self.0
                    .secrets
                    .put(&secret.name, &secret.value)
                    .await
                    .map_err(|error| secret_report(&error))?;
                done.secrets.push(secret.name);
            }
        }
        Ok(())
    }

    fn planned(
        &self,
        from: &str,
        file: Option<String>,
        folder: Option<String>,
    ) -> Result<(ImportPlan, ImportPlanDto), Report> {
        let places = places(folder.map(PathBuf::from));
        let files = files(from, file.map(PathBuf::from), &places)?;
        let home = places.home.as_ref().map(|home| home.display().to_string());
        let (mut candidates, mut problems, mut names) = (Vec::new(), Vec::new(), Vec::new());
        for path in files {
            let name = path.display().to_string();
            let Some(text) = read_text(&path)? else { continue };
            let project = places.project_of(&path).map(|folder| folder.display().to_string());
            let found = read(&text, &name, project.as_deref(), home.as_deref());
            candidates.extend(found.servers);
            problems.extend(found.problems);
            names.push(name);
        }
        let ours = read_text(&self.0.home.mcp_json())?.unwrap_or_default();
        let planned = plan(candidates, &ours);
        let mut shown = ImportPlanDto {
            digest: String::new(),
            files: names,
            servers: planned.servers.iter().map(server).collect(),
            problems,
        };
        let value = serde_json::to_value(&shown).unwrap_or_default();
        shown.digest = sha256_hex(canonical_json(&value).unwrap_or_else(|_| value.to_string()));
        Ok((planned, shown))
    }
}

fn server(planned: &Planned) -> ImportServerDto {
    let candidate = &planned.candidate;
    let config = planned.config.as_ref();
    ImportServerDto {
        name: candidate.name.clone(),
        source: candidate.source.clone(),
        standing: match planned.standing {
            Standing::New => "new",
            Standing::Identical => "identical",
            Standing::Conflict => "conflict",
            Standing::Unusable => "unusable",
        }
        .to_owned(),
        transport: config.map(|config| crate::convert::word(&config.transport())),
        argv: config.map(att_mcp::ServerConfig::command_line).unwrap_or_default(),
        url: config.and_then(|config| match &config.endpoint {
            Endpoint::Http { url, .. } => Some(att_core::redact(url)),
            Endpoint::Stdio { .. } => None,
        }),
        env_names: config.map(|config| config.env.keys().cloned().collect()).unwrap_or_default(),
        secrets: candidate.secrets.iter().map(|secret| secret.name.clone()).collect(),
        notes: candidate.notes.clone(),
        unusable: candidate.unusable.clone(),
    }
}

fn on_conflict_of(word: &str) -> Result<OnConflict, Report> {
    match word {
        "keep" => Ok(OnConflict::Keep),
        "replace" => Ok(OnConflict::Replace),
        "rename" => Ok(OnConflict::Rename),
        _ => Err(Report::new(Code::InvalidInput, "a conflict is solved by keep, replace or rename")),
    }
}

fn places(project: Option<PathBuf>) -> Places {
    let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    Places {
        home: folder("HOME").or_else(|| folder("USERPROFILE")),
        config: folder("XDG_CONFIG_HOME"),
        app_data: folder("APPDATA"),
        codex: folder("CODEX_HOME"),
        project,
    }
}

/// The files to read; each is there.
fn files(from: &str, file: Option<PathBuf>, places: &Places) -> Result<Vec<PathBuf>, Report> {
    let clients = match (from, Client::named(from)) {
        ("auto", _) => Client::ALL.to_vec(),
        (_, Some(client)) => vec![client],
        // Not the name of a client, so the path of a file.
        _ if file.is_none() && Path::new(from).is_file() => return Ok(vec![absolute(Path::new(from))]),
        _ => {
            let words: Vec<&str> = Client::ALL.iter().map(|client| client.word()).collect();
            return Err(Report::new(Code::NotFound, "that is neither a known client nor a file")
                .cure(format!("write auto, {} or the path of a file", words.join(", "))));
        }
    };
    if let Some(file) = file {
        if !file.is_file() {
            return Err(Report::new(Code::NotFound, format!("there is no file {}", file.display()))
                .cure("give the path of the client's configuration"));
        }
        return Ok(vec![absolute(&file)]);
    }
    let looked: Vec<PathBuf> = clients.iter().flat_map(|client| client.files(places)).collect();
    let found: Vec<PathBuf> = looked.iter().filter(|path| path.is_file()).cloned().collect();
    if found.is_empty() {
        let tried: Vec<String> = looked.iter().map(|path| path.display().to_string()).collect();
        return Err(Report::new(Code::NotFound, "no configuration of that client was found")
            .cause(format!("looked for {}", tried.join(", ")))
            .cure("give the path of its file: att import FROM FILE"));
    }
    Ok(found)
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Drive, Home};
    use att_core::Face;

    #[tokio::test]
    async fn an_import_is_shown_then_done_and_done_again_it_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path().join("home"));
        let theirs = dir.path().join("theirs.json");
        let write = |command: &str| {
            let text = serde_json::json!({"mcpServers": {"a": {"command": command}, "b": {"type": "ws", "url": "ws://h"}}});
            std::fs::write(&theirs, text.to_string()).unwrap();
        };
        write("one");
        let room = ControlRoom::open(home.clone(), Face::Cli, Drive::Nothing).await;
        let from = || theirs.display().to_string();
        let seen = room.import_plan(from(), None, None).await.unwrap();
        let standing: Vec<&str> = seen.servers.iter().map(|server| server.standing.as_str()).collect();
        assert_eq!(standing, ["new", "unusable"]);
        assert!(!home.mcp_json().exists(), "a plan writes nothing");
        write("two");
        let apply = |digest: Option<String>, how: &str| {
            room.import_apply(from(), None, None, digest, how.to_owned(), Vec::new())
        };
        let error = apply(Some(seen.digest), "keep").await.unwrap_err();
        assert_eq!(error.code, Code::Conflict, "what was not shown is not done");
        let done = apply(None, "keep").await.unwrap();
        assert_eq!((done.added.as_slice(), done.problems.len()), (&["a".to_owned()][..], 1));
        let text = std::fs::read_to_string(home.mcp_json()).unwrap();
        assert!(apply(None, "replace").await.unwrap().replaced.is_empty(), "the same is left alone");
        assert_eq!(std::fs::read_to_string(home.mcp_json()).unwrap(), text);
        write("three");
        assert_eq!(apply(None, "keep").await.unwrap().kept, ["a"]);
        assert_eq!(apply(None, "rename").await.unwrap().added, ["a-2"]);
        assert_eq!(apply(None, "replace").await.unwrap().replaced, ["a"]);
        let commands: Vec<String> =
            room.configuration().servers.iter().map(|server| server.command_line().join(" ")).collect();
        assert_eq!(commands, ["three", "three"]);
        room.close().await;
    }
}
