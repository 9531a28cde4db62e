//! Named points at which a test may have this process die as if by SIGKILL.

/// Kills this process with SIGKILL when `ATT_CRASH_AT` equals `name` and `ATT_HOME` is marked as a test home
/// (it holds a file `test-home`). Anywhere else it does nothing.
pub fn crash_point(name: &str) {
    let Some(wanted) = std::env::var_os("ATT_CRASH_AT") else { return };
    if wanted != name {
        return;
    }
    let marked = std::env::var_os("ATT_HOME")
        .is_some_and(|home| std::path::Path::new(&home).join("test-home").is_file());
    if marked {
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
}
