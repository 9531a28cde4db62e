//! Names that an operator chose and that serve as ids.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A project's name, unique in one `ATT_HOME`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProjectId(String);

/// A target's id: `<project>/<name>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TargetId(String);

impl ProjectId {
    /// The project called `name`.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The text form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TargetId {
    /// The target `name` of `project`.
    #[must_use]
    pub fn new(project: &ProjectId, name: &str) -> Self {
        Self(format!("{}/{name}", project.as_str()))
    }

    /// The target whose whole text form is `text`.
    #[must_use]
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text form, `<project>/<name>`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name within its project, as in `att.toml`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.rsplit_once('/').map_or(self.0.as_str(), |(_, name)| name)
    }
}

impl fmt::Display for ProjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for TargetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
