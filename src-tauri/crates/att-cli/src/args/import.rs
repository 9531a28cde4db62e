//! `att import`, `att consent` and `att doctor`.

use super::ConfigArgument;
use clap::{Args, Subcommand, ValueEnum};

/// `att import`.
#[derive(Debug, Args)]
pub struct ImportArguments {
    /// claude-desktop, claude-code, vscode, cursor, codex, auto (all of them), or the path of a file.
    pub from: String,
    /// The client's file, where it is not in its usual place.
    pub file: Option<String>,
    /// Only show what would be done.
    #[arg(long)]
    pub dry_run: bool,
    /// What happens to a server whose name is taken by another one.
    #[arg(long, value_enum, default_value_t = OnConflict::Keep)]
    pub on_conflict: OnConflict,
    /// Only these servers.
    #[arg(long, value_name = "NAME", num_args = 1..)]
    pub only: Vec<String>,
}

/// What happens to a conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnConflict {
    /// Leave ours as it is.
    Keep,
    /// Put theirs in its place; what stands under "att" stays.
    Replace,
    /// Take theirs under another name.
    Rename,
}

impl OnConflict {
    /// The word for the operation.
    pub fn word(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Replace => "replace",
            Self::Rename => "rename",
        }
    }
}

/// `att consent ...`.
#[derive(Debug, Subcommand)]
pub enum ConsentCommand {
    /// Every server that runs a command, and whether it may.
    List,
    /// The exact command line of a server, and what changed since it was approved.
    Show {
        /// The server.
        server: String,
    },
    /// Approve the command of a server. Shows it and asks on the terminal.
    Approve {
        /// The server.
        server: String,
    },
    /// Take the consent back: the command ends and is asked for again.
    Withdraw {
        /// The server.
        server: String,
    },
}

/// `att doctor`.
#[derive(Debug, Args)]
pub struct DoctorArguments {
    /// The server.
    pub server: String,
    /// Another mcp.json.
    #[command(flatten)]
    pub config: ConfigArgument,
}
