//! Edits the text of an `mcp.json`. Only the edited place changes; comments, order and spacing of the rest stay.
//!
//! The places come from the parser; what is written is judged by the same reader that reads the file, so an edit
//! that it would complain about is refused with its own words.

mod sheet;

use serde_json::Value;

use super::parse::parse;
use super::{ConfigProblem, ProblemLevel};
use sheet::{Place, Sheet};

/// One change of the file.
#[derive(Debug, Clone, PartialEq)]
pub enum ConfigEdit {
    /// A new server behind the last one.
    Add {
        /// Its name.
        name: String,
        /// Its entry, as in the file.
        entry: Value,
    },
    /// Another entry for a server, at its place.
    Replace {
        /// Its name.
        name: String,
        /// Its entry, as in the file.
        entry: Value,
    },
    /// Another name.
    Rename {
        /// Its name.
        name: String,
        /// The new one.
        to: String,
    },
    /// The server goes.
    Remove {
        /// Its name.
        name: String,
    },
    /// One value inside a server's entry. Objects on the way are made.
    Set {
        /// Its name.
        name: String,
        /// The keys from the entry inwards, such as `["att", "group"]`.
        path: Vec<String>,
        /// The value.
        value: Value,
    },
    /// One value inside a server's entry goes; that there is none is no error.
    Unset {
        /// Its name.
        name: String,
        /// The keys from the entry inwards.
        path: Vec<String>,
    },
}

impl ConfigEdit {
    fn server(&self) -> &str {
        match self {
            Self::Add { name, .. }
            | Self::Replace { name, .. }
            | Self::Rename { name, .. }
            | Self::Remove { name }
            | Self::Set { name, .. }
            | Self::Unset { name, .. } => name,
        }
    }

    /// The name after the edit.
    fn server_after(&self) -> &str {
        if let Self::Rename { to, .. } = self { to } else { self.server() }
    }
}

/// Why the text was not edited.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EditError {
    /// The text cannot be read, so it is not touched.
    #[error("{0}")]
    Broken(Box<ConfigProblem>),
    /// There is no such server.
    #[error("there is no server `{0}`")]
    UnknownServer(String),
    /// There is one already.
    #[error("there is a server `{0}` already")]
    NameTaken(String),
    /// Nobody can tell which of the two is meant.
    #[error("`{0}` stands there twice")]
    StandsTwice(String),
    /// Something on the way to the value is no object.
    #[error("\"{0}\" is not an object")]
    NotAnObject(String),
    /// The reader of the file would complain about the result.
    #[error("{}", .0.message)]
    Refused(Box<ConfigProblem>),
    /// The result did not read back as meant; a fault of ours, and nothing is written.
    #[error("the edited text does not read back as meant")]
    Unfaithful,
}

/// `text` after `edit`. An empty text is taken for a file without servers.
///
/// # Errors
/// See [`EditError`]; the file is to be left as it is then.
pub fn edit(text: &str, edit: &ConfigEdit) -> Result<String, EditError> {
    const EMPTY: &str = "{\n  \"mcpServers\": {}\n}\n";
    let text = if text.trim().is_empty() { EMPTY } else { text };
    let edited = change(text, edit)?;
    judge(text, &edited, edit)?;
    Ok(edited)
}

fn change(text: &str, edit: &ConfigEdit) -> Result<String, EditError> {
    let sheet = Sheet::read(text).map_err(|()| broken(text))?;
    let Some(servers) = sheet.object(&["mcpServers"])? else {
        return match edit {
            ConfigEdit::Add { name, entry } => {
                let servers = serde_json::json!({ name: entry });
                Ok(sheet.insert(&sheet.root().ok_or_else(|| broken(text))?, "mcpServers", &servers))
            }
            _ => Err(EditError::UnknownServer(edit.server().to_owned())),
        };
    };
    let name = edit.server();
    let entry = sheet.property(&servers, name)?;
    let known = || entry.clone().ok_or_else(|| EditError::UnknownServer(name.to_owned()));
    match edit {
        ConfigEdit::Add { entry: value, .. } if entry.is_none() => Ok(sheet.insert(&servers, name, value)),
        ConfigEdit::Add { .. } => Err(EditError::NameTaken(name.to_owned())),
        ConfigEdit::Replace { entry: value, .. } => Ok(sheet.replace(&known()?, value)),
        ConfigEdit::Remove { .. } => Ok(sheet.remove(&known()?)),
        ConfigEdit::Rename { to, .. } => {
            let entry = known()?;
            if to != name && sheet.property(&servers, to)?.is_some() {
                return Err(EditError::NameTaken(to.clone()));
            }
            Ok(sheet.rename(&entry, to))
        }
        ConfigEdit::Set { path, value, .. } => set(&sheet, &known()?, path, value),
        ConfigEdit::Unset { path, .. } => unset(&sheet, &known()?, path),
    }
}

/// Goes down `path` as far as it exists, then writes the rest as one value.
fn set(sheet: &Sheet<'_>, entry: &Place, path: &[String], value: &Value) -> Result<String, EditError> {
    let mut at = entry.clone();
    for (depth, key) in path.iter().enumerate() {
        let object = at.object.clone().ok_or_else(|| EditError::NotAnObject(at.name.clone()))?;
        match sheet.property(&object, key)? {
            Some(next) => at = next,
            None => {
                let rest = path[depth + 1..]
                    .iter()
                    .rev()
                    .fold(value.clone(), |inner, key| serde_json::json!({ key: inner }));
                return Ok(sheet.insert(&object, key, &rest));
            }
        }
    }
    Ok(sheet.replace(&at, value))
}

fn unset(sheet: &Sheet<'_>, entry: &Place, path: &[String]) -> Result<String, EditError> {
    let mut at = entry.clone();
    for key in path {
        let object = at.object.clone().ok_or_else(|| EditError::NotAnObject(at.name.clone()))?;
        match sheet.property(&object, key)? {
            Some(next) => at = next,
            None => return Ok(sheet.text().to_owned()),
        }
    }
    Ok(if path.is_empty() { sheet.text().to_owned() } else { sheet.remove(&at) })
}

/// Refuses what the reader newly complains about, and whatever changed another server.
fn judge(before: &str, after: &str, edit: &ConfigEdit) -> Result<(), EditError> {
    let (old, new) = (parse(before, None), parse(after, None));
    let was_there = |problem: &ConfigProblem| {
        old.problems.iter().any(|known| {
            known.message == problem.message
                && (known.server == problem.server || known.server.as_deref() == Some(edit.server()))
        })
    };
    let complaint = new.problems.iter().find(|problem| {
        problem.server.as_deref().is_none_or(|server| server == edit.server_after()) && !was_there(problem)
    });
    if let Some(problem) = complaint {
        return Err(EditError::Refused(Box::new(problem.clone())));
    }
    let others = |config: &super::ParsedConfig, edited: &str| {
        config.servers.iter().filter(|server| server.name != edited).cloned().collect::<Vec<_>>()
    };
    if others(&old, edit.server()) != others(&new, edit.server_after()) {
        return Err(EditError::Unfaithful);
    }
    Ok(())
}

fn broken(text: &str) -> EditError {
    let problem = parse(text, None).problems.into_iter().next().unwrap_or_else(|| ConfigProblem {
        file: None,
        server: None,
        line: 1,
        column: 1,
        level: ProblemLevel::Error,
        message: "the file must hold one object".into(),
        cure: "Write {\"mcpServers\": { ... }}.".into(),
    });
    EditError::Broken(Box::new(problem))
}

#[cfg(test)]
mod tests;
