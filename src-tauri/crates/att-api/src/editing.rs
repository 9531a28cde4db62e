//! Writes the files that an operator keeps: `mcp.json` and `settings.toml`.
//!
//! Read, change, look again, replace as a whole: a file that somebody else changed meanwhile is not overwritten,
//! one that is cut off half-way is never seen, and its mode and the link that leads to it stay.

use crate::home::Home;
use att_core::{Code, Report, sha256_hex};
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A larger file is not read.
pub(crate) const MAX_CONFIG_BYTES: u64 = 8 * 1024 * 1024;
/// The longest wait for another process of ours that edits.
const PATIENCE: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(20);

/// The text of `path`; none when it is not there.
///
/// # Errors
/// When it is there and is no readable text of at most 8 MiB.
pub(crate) fn read_text(path: &Path) -> Result<Option<String>, Report> {
    let unreadable = |cause: String| {
        Report::new(Code::InvalidConfig, format!("{} cannot be read", path.display()))
            .cause(cause)
            .cure("make it a readable text file of at most 8 MiB")
    };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error.to_string())),
    };
    let mut bytes = Vec::new();
    file.take(MAX_CONFIG_BYTES + 1).read_to_end(&mut bytes).map_err(|error| unreadable(error.to_string()))?;
    if bytes.len() as u64 > MAX_CONFIG_BYTES {
        return Err(unreadable("it is larger than 8 MiB".into()));
    }
    String::from_utf8(bytes).map(Some).map_err(|_| unreadable("it is not UTF-8 text".into()))
}

/// Replaces the text of `path` by what `change` makes of it. A file that is not there counts as empty and is made,
/// readable by its owner only. Answers what `change` answers beside the text.
///
/// # Errors
/// What `change` says; [`Code::Conflict`] when the file changed meanwhile; when it cannot be read or written.
pub(crate) async fn edit_file<T>(
    home: &Home,
    path: &Path,
    change: impl FnOnce(&str) -> Result<(String, T), Report>,
) -> Result<T, Report> {
    home.prepare()?;
    let _one_at_a_time = lock(home).await?;
    // A link stays a link: what it leads to is replaced.
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let before = read_text(&target)?;
    let (after, answer) = change(before.as_deref().unwrap_or_default())?;
    if before.as_deref() != Some(after.as_str()) {
        replace(&target, before.as_deref(), &after)?;
    }
    Ok(answer)
}

fn replace(target: &Path, before: Option<&str>, after: &str) -> Result<(), Report> {
    let failed = |error: std::io::Error| {
        Report::new(Code::Internal, format!("{} cannot be written; it is as it was", target.display()))
            .cause(error.to_string())
            .cure("make the file and its folder writable for you and see that the disk is not full")
    };
    let folder = target.parent().unwrap_or(Path::new("."));
    let mode = match std::fs::metadata(target) {
        Ok(known) => known.permissions().mode() & 0o7777,
        Err(_) => 0o600,
    };
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let temporary = Temporary(folder.join(format!(".{name}.{}.new", std::process::id())));
    // Left by a process of the same number that was killed.
    let _ = std::fs::remove_file(&temporary.0);
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary.0).map_err(failed)?;
    file.write_all(after.as_bytes()).map_err(failed)?;
    file.set_permissions(std::fs::Permissions::from_mode(mode)).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    let now = read_text(target)?;
    if now.as_deref().map(sha256_hex) != before.map(sha256_hex) {
        return Err(Report::new(
            Code::Conflict,
            format!("{} was changed by somebody else meanwhile", target.display()),
        )
        .cure("look at it again, then repeat the change"));
    }
    std::fs::rename(&temporary.0, target).map_err(failed)?;
    // So that the new name outlives a power cut; a file system without this does not stop the edit.
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
    Ok(())
}

/// Goes away when it was not renamed.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

async fn lock(home: &Home) -> Result<File, Report> {
    let path = home.run().join("edit.lock");
    let failed = |error: std::io::Error| {
        Report::new(Code::Internal, format!("{} cannot be locked", path.display()))
            .cause(error.to_string())
            .cure("make ATT's folder writable for you")
    };
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
    let taken = tokio::time::timeout(PATIENCE, async {
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(()),
                Err(std::fs::TryLockError::WouldBlock) => tokio::time::sleep(LOOK).await,
                Err(std::fs::TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
    });
    match taken.await {
        Ok(taken) => taken.map(|()| file),
        Err(_) => Err(Report::new(Code::Conflict, "another process edits ATT's files and does not end")
            .cure("see which process of yours hangs, end it, then repeat the change")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home() -> (tempfile::TempDir, Home) {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path());
        (dir, home)
    }

    #[tokio::test]
    async fn a_link_stays_a_link_and_the_mode_stays_what_it_was() {
        let (dir, home) = home();
        let real = dir.path().join("dotfiles.json");
        std::fs::write(&real, "old").unwrap();
        std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&real, home.mcp_json()).unwrap();
        edit_file(&home, &home.mcp_json(), |text| Ok((format!("{text}er"), ()))).await.unwrap();
        assert_eq!(std::fs::read_to_string(&real).unwrap(), "older");
        assert!(home.mcp_json().symlink_metadata().unwrap().is_symlink());
        assert_eq!(real.metadata().unwrap().permissions().mode() & 0o777, 0o640);
    }

    #[tokio::test]
    async fn a_file_that_changed_meanwhile_is_left_to_whoever_changed_it() {
        let (dir, home) = home();
        let path = home.mcp_json();
        std::fs::write(&path, "one").unwrap();
        let error = edit_file(&home, &path, |_| {
            std::fs::write(&path, "two").unwrap();
            Ok(("three".into(), ()))
        })
        .await
        .unwrap_err();
        assert_eq!(error.code, Code::Conflict);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "two");
        let left: Vec<_> = std::fs::read_dir(dir.path())
            .unwrap()
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| name.ends_with(".new"))
            .collect();
        assert_eq!(left, Vec::<String>::new());
    }

    #[tokio::test]
    async fn a_file_that_is_not_there_is_made_for_its_owner_only() {
        let (_dir, home) = home();
        edit_file(&home, &home.mcp_json(), |text| Ok((format!("{text}new"), ()))).await.unwrap();
        let made = std::fs::metadata(home.mcp_json()).unwrap();
        assert_eq!(made.permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_to_string(home.mcp_json()).unwrap(), "new");
    }

    #[tokio::test]
    async fn two_that_edit_at_once_lose_nothing_of_each_other() {
        let (_dir, home) = home();
        let add = |letter: &'static str| {
            let home = home.clone();
            tokio::spawn(async move {
                for _ in 0..20 {
                    edit_file(&home, &home.mcp_json(), |text| Ok((format!("{text}{letter}"), ())))
                        .await
                        .unwrap();
                    tokio::task::yield_now().await;
                }
            })
        };
        let (a, b) = (add("a"), add("b"));
        a.await.unwrap();
        b.await.unwrap();
        assert_eq!(std::fs::read_to_string(home.mcp_json()).unwrap().len(), 40);
    }
}
