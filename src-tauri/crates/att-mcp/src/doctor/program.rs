//! Whether there is a program to run.

use super::Finding;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Looks for the first word of `argv` as the system would.
pub(super) fn find(argv: &[String], path: Option<&str>) -> Finding {
    let program = argv.first().map(String::as_str).unwrap_or_default();
    let cure = "install it, or write its full path as \"command\" in mcp.json";
    if program.contains('/') {
        return match runnable(Path::new(program)) {
            Ok(()) => Ok(format!("{program} is there")),
            Err(why) => Err((format!("{program} {why}"), cure.into())),
        };
    }
    let path = path.map_or_else(|| std::env::var("PATH").unwrap_or_default(), str::to_owned);
    let mut found: Vec<PathBuf> = std::env::split_paths(&path).map(|folder| folder.join(program)).collect();
    found.retain(|candidate| runnable(candidate).is_ok());
    match found.first() {
        Some(candidate) => Ok(format!("{}", candidate.display())),
        None => Err((format!("there is no program `{program}` in PATH"), cure.into())),
    }
}

fn runnable(path: &Path) -> Result<(), &'static str> {
    let Ok(known) = path.metadata() else { return Err("is not there") };
    if !known.is_file() {
        return Err("is no file");
    }
    if known.permissions().mode() & 0o111 == 0 { Err("is not executable") } else { Ok(()) }
}
