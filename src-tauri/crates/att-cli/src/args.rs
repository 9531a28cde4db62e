//! The command line of `att`.

mod import;
mod server;
mod session;

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

pub use import::{ConsentCommand, DoctorArguments, ImportArguments};
pub use server::{AddArguments, ServerCommand, SettingsCommand};
pub use session::SessionCommand;

/// ATT's headless face: watch MCP servers and oversee release cycles from a terminal.
///
/// Exit codes: 0 done; 1 it ran and something is not well; 2 bad input; 3 waits for or was denied approval;
/// 4 the journal is damaged. ATT_HOME moves all state.
#[derive(Debug, Parser)]
#[command(name = "att", version, propagate_version = true)]
pub struct Arguments {
    /// Print JSON for programs.
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Connect to every configured server once; print what came out and what each offers.
    Check(ConfigArgument),
    /// Print the last known state of every server.
    Servers,
    /// Connect servers now, without waiting for their next attempts: the named ones, or all.
    ///
    /// Asks the process that watches the fleet. Exit code 1 when some failed.
    Retry {
        /// The servers; all enabled ones when left out.
        servers: Vec<String>,
    },
    /// Read the lists of servers again: the named ones, or all.
    ///
    /// Asks the process that watches the fleet. Exit code 1 when some failed.
    Refresh {
        /// The servers; all enabled ones when left out.
        servers: Vec<String>,
    },
    /// Sessions: how fresh they are, dropped, made anew.
    Session {
        /// What to do.
        #[command(subcommand)]
        command: SessionCommand,
    },
    /// Edit the servers of mcp.json; comments and order stay.
    Server {
        /// What to do.
        #[command(subcommand)]
        command: ServerCommand,
    },
    /// Take servers over from another client: shows what it would do, then edits mcp.json. Secrets become references.
    Import(ImportArguments),
    /// Which commands may run: each only after you saw and approved exactly it.
    Consent {
        /// What to do.
        #[command(subcommand)]
        command: ConsentCommand,
    },
    /// Examine one server step by step (DNS, TCP, TLS, HTTP or its program; then era, auth, lists): names the step that
    /// fails and its cure.
    Doctor(DoctorArguments),
    /// Settings of the whole home (settings.toml); a server's own in mcp.json win over them.
    Settings {
        /// What to do.
        #[command(subcommand)]
        command: SettingsCommand,
    },
    /// Call a tool.
    Call(CallArguments),
    /// Read a resource.
    Read(ReadArguments),
    /// Capability snapshots.
    Snapshot {
        /// What to do.
        #[command(subcommand)]
        command: SnapshotCommand,
    },
    /// Authorize ATT with a server that wants it: prints a page to open and waits until you agreed there.
    Authorize(AuthorizeArguments),
    /// Secrets that mcp.json refers to as ${keyring:NAME}.
    Secret {
        /// What to do.
        #[command(subcommand)]
        command: SecretCommand,
    },
    /// Print what happened in the fleet, newest first.
    Events(EventsArguments),
    /// Print what goes over the wire to and from one server, as its watcher writes it.
    Wire(WireArguments),
    /// Release cycles.
    Release {
        /// What to do.
        #[command(subcommand)]
        command: ReleaseCommand,
    },
    /// What servers ask of you in the middle of a call.
    Question {
        /// What to do.
        #[command(subcommand)]
        command: QuestionCommand,
    },
    /// Rollback decisions.
    Decision {
        /// What to do.
        #[command(subcommand)]
        command: DecisionCommand,
    },
    /// Deployment targets.
    Target {
        /// What to do.
        #[command(subcommand)]
        command: TargetCommand,
    },
    /// The journal.
    Journal {
        /// What to do.
        #[command(subcommand)]
        command: JournalCommand,
    },
    /// Run the control room without a window until stopped.
    Watch,
    /// The demo home.
    Demo {
        /// What to do.
        #[command(subcommand)]
        command: DemoCommand,
    },
}

/// Another `mcp.json` for this run.
#[derive(Debug, Args)]
pub struct ConfigArgument {
    /// An mcp.json to use instead of the one in ATT_HOME. Typing it is consent, for this run only, to start its commands.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Whom a call goes to, in one of three ways.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub struct WhomArguments {
    /// The server to ask.
    #[arg(long, value_name = "NAME")]
    pub server: Option<String>,
    /// A group of equal servers (`att.group` in mcp.json); the fittest is asked first.
    #[arg(long, value_name = "NAME")]
    pub group: Option<String>,
    /// Only these servers, in this order.
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub prefer: Vec<String>,
}

/// `att call`.
#[derive(Debug, Args)]
pub struct CallArguments {
    /// The tool.
    pub tool: String,
    /// Whom to ask; may be left out when exactly one server has the tool.
    #[command(flatten)]
    pub whom: WhomArguments,
    /// The arguments, a JSON object.
    #[arg(long, value_name = "JSON")]
    pub args: Option<String>,
    /// Longest time in all, in milliseconds.
    #[arg(long, value_name = "MS")]
    pub timeout_ms: Option<u32>,
    /// Another mcp.json.
    #[command(flatten)]
    pub config: ConfigArgument,
}

/// `att read`.
#[derive(Debug, Args)]
pub struct ReadArguments {
    /// The resource's URI.
    pub uri: String,
    /// Whom to ask; may be left out when exactly one server has the resource.
    #[command(flatten)]
    pub whom: WhomArguments,
    /// Longest time in all, in milliseconds.
    #[arg(long, value_name = "MS")]
    pub timeout_ms: Option<u32>,
    /// Another mcp.json.
    #[command(flatten)]
    pub config: ConfigArgument,
}

/// `att snapshot ...`.
#[derive(Debug, Subcommand)]
pub enum SnapshotCommand {
    /// The snapshots of a server, newest first, with the baseline and how grave each change was.
    List {
        /// The server.
        server: String,
        /// Only those older than this one.
        #[arg(long, value_name = "ID")]
        before: Option<String>,
    },
    /// One snapshot in full.
    Show {
        /// The server.
        server: String,
        /// The snapshot's id, or its first characters; the newest when left out.
        id: Option<String>,
    },
    /// The difference between two snapshots.
    Diff {
        /// The server.
        server: String,
        /// The older one, by its id, its first characters or `baseline`; the first of the list when left out.
        from: Option<String>,
        /// The newer one, likewise; the newest when left out.
        to: Option<String>,
    },
    /// Accept a snapshot as what the server should offer. Shows the difference and asks on the terminal.
    Accept {
        /// The server.
        server: String,
        /// The snapshot's id, or its first characters.
        id: String,
    },
    /// Take the baseline of a server back: changes are told, and nothing is forbidden. Asks on the terminal.
    Clear {
        /// The server.
        server: String,
    },
}

/// `att authorize`.
#[derive(Debug, Args)]
pub struct AuthorizeArguments {
    /// The server.
    pub server: String,
    /// Throw its token and registration away instead.
    #[arg(long)]
    pub forget: bool,
}

/// `att secret ...`.
#[derive(Debug, Subcommand)]
pub enum SecretCommand {
    /// Keep a secret. Its value is asked for without echo, or read from a pipe; it is never an argument.
    Set {
        /// The name, as in ${keyring:NAME}.
        name: String,
    },
    /// The names of the kept secrets, and where they are kept. Values are never shown.
    List,
    /// Remove a secret.
    Delete {
        /// The name.
        name: String,
    },
}

/// `att events`.
#[derive(Debug, Args)]
pub struct EventsArguments {
    /// Of this server.
    #[arg(long)]
    pub server: Option<String>,
    /// Of this kind, such as HealthChanged.
    #[arg(long)]
    pub kind: Option<String>,
    /// With this correlation id.
    #[arg(long)]
    pub correlation: Option<String>,
    /// About this method, such as tools/call.
    #[arg(long)]
    pub method: Option<String>,
    /// Of this invocation.
    #[arg(long, value_name = "ID")]
    pub request: Option<String>,
    /// Of this phase, such as invoke_failure.
    #[arg(long)]
    pub phase: Option<String>,
    /// Not before this time, Unix ms.
    #[arg(long, value_name = "MS")]
    pub since_ms: Option<i64>,
    /// At most so many.
    #[arg(long, default_value_t = 50)]
    pub limit: u32,
}

/// `att wire`.
#[derive(Debug, Args)]
pub struct WireArguments {
    /// The server; its log is written where mcp.json says `"att": {"wire_log": true}`.
    pub server: String,
    /// Go on with what comes, until Ctrl-C.
    #[arg(long)]
    pub follow: bool,
    /// At most so many of the newest messages, 200 at most.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub limit: u32,
}

/// `att release ...`.
#[derive(Debug, Subcommand)]
pub enum ReleaseCommand {
    /// Start a cycle and follow it to its end; Ctrl-C only detaches while another process drives.
    Run {
        /// The request, a JSON file with the keys of the design (`-` reads standard input).
        request: PathBuf,
        /// The project, by name or by the path of its repository; left out: the folder you are in.
        #[arg(long)]
        project: Option<String>,
    },
    /// Ask for a rollback (or a redeploy) of a release of the chain; always with approval.
    Rollback {
        /// The target, `<project>/<name>`.
        target: String,
        /// The release to bring back.
        release: String,
    },
    /// Targets with their chains, and cycles.
    List,
    /// One cycle.
    Show {
        /// The cycle's id.
        id: String,
    },
}

/// `att decision ...`.
#[derive(Debug, Subcommand)]
pub enum DecisionCommand {
    /// What waits for a person, and the decisions so far.
    List,
    /// One decision: rule, facts, guardrails, plan.
    Show {
        /// The decision's id.
        id: String,
    },
    /// Approve a rollback. Asks on the terminal; there is no flag that answers for you.
    Approve {
        /// The decision's id.
        id: String,
    },
    /// Reject a rollback. Asks on the terminal.
    Reject {
        /// The decision's id.
        id: String,
    },
}

/// `att question ...`.
#[derive(Debug, Subcommand)]
pub enum QuestionCommand {
    /// The questions that wait.
    List,
    /// One question in full.
    Show {
        /// Its id, or its first characters.
        id: String,
    },
    /// Answer a question. Asks on the terminal; there is no flag that answers for you.
    Answer {
        /// Its id, or its first characters.
        id: String,
    },
    /// Decline a question, on the terminal.
    Decline {
        /// Its id, or its first characters.
        id: String,
    },
}

/// `att target ...`.
#[derive(Debug, Subcommand)]
pub enum TargetCommand {
    /// Say that you have seen a denied, rejected or failed rollback; new cycles may start then. Asks on the terminal.
    Ack {
        /// The target, `<project>/<name>`.
        target: String,
    },
}

/// `att journal ...`.
#[derive(Debug, Subcommand)]
pub enum JournalCommand {
    /// Check the audit chain from its first entry to the kept head.
    Verify,
    /// Write the audit chain as JSON lines to standard output.
    Export,
}

/// `att demo ...`.
#[derive(Debug, Subcommand)]
pub enum DemoCommand {
    /// Make the demo fleet and the demo project in ATT_HOME; safe to repeat.
    Init,
}
