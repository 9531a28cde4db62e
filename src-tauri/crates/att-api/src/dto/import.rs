//! Imports from other clients, and consents.

use serde::{Deserialize, Serialize};
use specta::Type;

/// What an import would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct ImportPlanDto {
    /// Digest of all that follows; `import_apply` may name it, so that only what was seen is done.
    pub digest: String,
    /// The files that were read.
    pub files: Vec<String>,
    /// The servers found, in the order of the files.
    pub servers: Vec<ImportServerDto>,
    /// What of the files was not understood.
    pub problems: Vec<String>,
}

/// One server of another client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct ImportServerDto {
    /// Its name.
    pub name: String,
    /// The file, and the place in it.
    pub source: String,
    /// `new` `identical` `conflict` `unusable`.
    pub standing: String,
    /// `stdio` `streamable_http` `sse`; null when it cannot be used.
    pub transport: Option<String>,
    /// The exact command line; empty for an address. It runs only after consent.
    pub argv: Vec<String>,
    /// The address.
    pub url: Option<String>,
    /// Names of the environment variables set for it.
    pub env_names: Vec<String>,
    /// Names under which its secrets will be kept; their values are never shown.
    pub secrets: Vec<String>,
    /// What was left out or turned into something else.
    pub notes: Vec<String>,
    /// Why it cannot be used.
    pub unusable: Option<String>,
}

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, Type)]
pub struct ImportDoneDto {
    /// New servers, by the name that they have now.
    pub added: Vec<String>,
    /// Servers whose entry was replaced.
    pub replaced: Vec<String>,
    /// Conflicts that were left as they are.
    pub kept: Vec<String>,
    /// Names of the secrets that are kept now.
    pub secrets: Vec<String>,
    /// What could not be done, and why.
    pub problems: Vec<String>,
}

/// A command as a person sees it before saying yes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct CommandDto {
    /// The argument list.
    pub argv: Vec<String>,
    /// Names of the environment variables set for it.
    pub env_names: Vec<String>,
    /// The working folder.
    pub cwd: Option<String>,
}

/// How a server's command stands with the operator's consent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Type)]
pub struct ConsentStateDto {
    /// The server.
    pub server: String,
    /// Digest that an approval names.
    pub digest: String,
    /// The command as it stands in `mcp.json`.
    pub command: CommandDto,
    /// True when exactly this command was approved.
    pub approved: bool,
    /// When, Unix ms.
    #[specta(type = Option<u32>)]
    pub approved_at_ms: Option<i64>,
    /// By whom.
    pub approved_by: Option<String>,
    /// Another command of this server that was approved last, where this one is not: what changed.
    pub before: Option<CommandDto>,
}
