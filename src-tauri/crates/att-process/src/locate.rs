//! Finds the `att-guard` binary: `ATT_GUARD`, beside our own binary, or one folder up (test binaries).

use crate::ProcessError;
use std::path::PathBuf;

/// The guard's path.
pub(crate) fn guard_binary() -> Result<PathBuf, ProcessError> {
    if let Some(path) = std::env::var_os("ATT_GUARD").map(PathBuf::from)
        && path.is_file()
    {
        return Ok(path);
    }
    let own = std::env::current_exe().map_err(ProcessError::io("finding our own program"))?;
    let folder = own.parent().map(PathBuf::from).unwrap_or_default();
    let beside = folder.join("att-guard");
    let above = folder.parent().map(|up| up.join("att-guard")).unwrap_or_default();
    [beside, above].into_iter().find(|path| path.is_file()).ok_or(ProcessError::GuardMissing { near: own })
}
