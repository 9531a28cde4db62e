//! Servers out of other clients' configuration files (design 1.7). What is found becomes a plan that a person sees
//! first; secrets in it become references, and their values leave this room only towards the place of secrets.

mod client;
mod codex;
mod entry;
mod json;
mod plan;
mod words;

use att_core::secret::SecretValue;
use serde_json::Value;

pub use client::{Client, Places};
pub use plan::{ImportPlan, OnConflict, Planned, Standing, choose, plan};

/// More servers in one file are not read.
const MAX_SERVERS: usize = 1_000;

/// One server of another client, in the form of our `mcp.json`.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Its name there.
    pub name: String,
    /// The file, and the place in it where the file has several.
    pub source: String,
    /// Its entry; secrets are references.
    pub entry: Value,
    /// What was left out or turned into something else, for the person who decides.
    pub notes: Vec<String>,
    /// Secrets that stood in the file as values.
    pub secrets: Vec<FoundSecret>,
    /// Why it cannot be taken over.
    pub unusable: Option<String>,
}

/// A secret that stood in the file as a value.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundSecret {
    /// The name that its reference has: `${keyring:NAME}`.
    pub name: String,
    /// The value, for the place of secrets and for nothing else.
    pub value: SecretValue,
}

/// What one file holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Read {
    /// The servers in the file's order.
    pub servers: Vec<Candidate>,
    /// Why the file, or a part of it, was not understood.
    pub problems: Vec<String>,
}

/// Reads the text of another client's file. `file` names it, `folder` is the project it belongs to, `home` the
/// operator's home: the file's own variables for the two are filled in.
#[must_use]
pub fn read(text: &str, file: &str, folder: Option<&str>, home: Option<&str>) -> Read {
    let place = entry::Place { folder, home };
    let mut read =
        if client::is_toml(file) { codex::read(text, file, place) } else { json::read(text, file, place) };
    if read.servers.len() > MAX_SERVERS {
        read.servers.truncate(MAX_SERVERS);
        read.problems.push(format!("{file} holds more than {MAX_SERVERS} servers; the rest is not read"));
    }
    read
}

#[cfg(test)]
mod tests;
