//! `att session ...`.

use clap::Subcommand;

/// `att session ...`. What one server does to its session leaves every other untouched.
#[derive(Debug, Subcommand)]
pub enum SessionCommand {
    /// The session of every server.
    List,
    /// Drop a server's session once its calls ended; its next use makes a new one.
    Invalidate {
        /// The server.
        server: String,
    },
    /// Drop a server's session and make one now.
    Refresh {
        /// The server.
        server: String,
    },
}
