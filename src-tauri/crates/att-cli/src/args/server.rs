//! `att server ...`: what stands in `mcp.json`.

use clap::{Args, Subcommand};

/// `att server ...`. Comments and order of the file stay.
#[derive(Debug, Subcommand)]
pub enum ServerCommand {
    /// Add a server: `att server add NAME --url URL`, or `att server add NAME -- PROGRAM ARGUMENTS...`.
    ///
    /// A command runs only after you approved it (`att consent approve NAME`). Write secrets as ${keyring:NAME} or
    /// ${env:NAME}, never as values.
    Add(AddArguments),
    /// Take a server out of mcp.json.
    Remove {
        /// The server.
        server: String,
    },
    /// Give a server another name; a command is asked for again.
    Rename {
        /// The server.
        server: String,
        /// The new name.
        to: String,
    },
    /// Set one value: a key of the entry (url, args, cwd, env.NAME, headers.NAME) or one of ATT's (group, probe,
    /// fall, ...; `att settings list` names them, there with `fleet.` before).
    Set {
        /// The server.
        server: String,
        /// The key.
        key: String,
        /// The value, JSON or plain text.
        #[arg(allow_hyphen_values = true)]
        value: String,
    },
    /// Take one value out, so that its default holds again.
    Unset {
        /// The server.
        server: String,
        /// The key.
        key: String,
    },
    /// Switch a server on.
    Enable {
        /// The server.
        server: String,
    },
    /// Switch a server off; it stays off until it is switched on.
    Disable {
        /// The server.
        server: String,
    },
}

/// `att settings ...`.
#[derive(Debug, Subcommand)]
pub enum SettingsCommand {
    /// Every setting with its value and its default.
    List,
    /// Set one value in settings.toml; comments stay.
    Set {
        /// The key, such as fleet.probe_interval_ms.
        key: String,
        /// The value.
        #[arg(allow_hyphen_values = true)]
        value: String,
    },
    /// Take one value out, so that its default holds again.
    Unset {
        /// The key.
        key: String,
    },
}

/// `att server add`.
#[derive(Debug, Args)]
pub struct AddArguments {
    /// Its name.
    pub server: String,
    /// Its Streamable HTTP address.
    #[arg(long, conflicts_with = "command")]
    pub url: Option<String>,
    /// A header of every request to the address.
    #[arg(long, value_name = "NAME=VALUE", requires = "url")]
    pub header: Vec<String>,
    /// An environment variable of the command.
    #[arg(long, value_name = "NAME=VALUE")]
    pub env: Vec<String>,
    /// Working folder of the command.
    #[arg(long)]
    pub cwd: Option<String>,
    /// The program and its arguments, after `--`.
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}
