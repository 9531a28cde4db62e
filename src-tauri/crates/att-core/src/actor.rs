//! Who did something: `{kind, name, face, pid}` (design 4).

use serde::{Deserialize, Serialize};

/// What sort of being acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    /// A human being at a desktop window or a terminal.
    Person,
    /// A program that asks on behalf of a model. It never approves.
    Agent,
    /// ATT's own engine: timers, recovery, policy.
    Engine,
    /// The set-up of the demo home.
    Demo,
}

/// Through which face the actor reached ATT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Face {
    /// The desktop window.
    Desktop,
    /// The `att` command.
    Cli,
    /// ATT's own MCP server.
    Mcp,
    /// No face: the engine itself.
    Engine,
}

/// Who acted, through which face, from which process.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Actor {
    /// What sort of being.
    pub kind: ActorKind,
    /// A name an operator recognises, such as the login name; never a secret.
    pub name: String,
    /// The face used.
    pub face: Face,
    /// The process id of the face.
    pub pid: u32,
}

impl Actor {
    /// The engine itself, in the process `pid`.
    #[must_use]
    pub fn engine(pid: u32) -> Self {
        Self { kind: ActorKind::Engine, name: "att".into(), face: Face::Engine, pid }
    }

    /// A person called `name` at `face`.
    #[must_use]
    pub fn person(name: impl Into<String>, face: Face, pid: u32) -> Self {
        Self { kind: ActorKind::Person, name: name.into(), face, pid }
    }

    /// True for a person: the only kind that may approve (design 2.6).
    #[must_use]
    pub fn may_approve(&self) -> bool {
        self.kind == ActorKind::Person && matches!(self.face, Face::Desktop | Face::Cli)
    }
}
