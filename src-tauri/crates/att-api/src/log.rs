//! The program's own log: to stderr, never a payload or a secret at `info` or above.

use tracing_subscriber::EnvFilter;

/// Logs to stderr. `ATT_LOG` takes a `tracing` filter; without it warnings only. rmcp logs payloads, so it is kept
/// to warnings whatever the filter says of everything else.
pub fn log_to_stderr() {
    let filter = std::env::var("ATT_LOG").unwrap_or_else(|_| "warn".into());
    let filter = EnvFilter::try_new(format!("{filter},rmcp=warn")).unwrap_or_else(|_| EnvFilter::new("warn"));
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}
