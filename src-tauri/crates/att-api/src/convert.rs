//! From the engine's types to the shapes of the boundary. One direction only.

pub mod cycle;
pub mod decision;
pub mod fleet;
pub mod question;
pub mod snapshot;

use serde::Serialize;

/// The JSON word of a closed enum.
pub(crate) fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}

/// JSON as text, with the key order of its source.
pub(crate) fn json_text(value: &serde_json::Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// A count for the boundary; absurdly large ones stop at the top.
pub(crate) fn count(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// `person ann (desktop)`: an actor in a few words.
#[must_use]
pub fn actor_text(actor: &att_core::Actor) -> String {
    format!("{} {} ({})", word(&actor.kind), actor.name, word(&actor.face))
}
