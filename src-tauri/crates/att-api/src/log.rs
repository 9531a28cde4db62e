//! The program's own log: to stderr, never a payload or a secret at `info` or above.

use std::io::IsTerminal as _;
use tracing_subscriber::EnvFilter;

/// Without `ATT_LOG`: warnings, and of rmcp nothing, because every fault of a connection is told by the fleet.
const DEFAULT: &str = "warn,rmcp=off";

/// Logs to stderr, in colour on a terminal only. `ATT_LOG` takes a `tracing` filter. rmcp logs payloads, so it is
/// kept to warnings whatever the filter says of everything else.
pub fn log_to_stderr() {
    // Its authorization logs codes and scopes under a name of its own.
    let filter = std::env::var("ATT_LOG").map_or_else(
        |_| DEFAULT.to_owned(),
        |own| format!("{own},rmcp=warn,rmcp::transport=warn,rmcp::transport::auth=warn,oauth2=warn"),
    );
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new(DEFAULT));
    let colour =
        std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty());
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(colour)
        .with_writer(std::io::stderr)
        .try_init();
}
