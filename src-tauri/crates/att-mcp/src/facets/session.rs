//! Sessions that a person drops, calls that may finish first, and a machine that woke up.

use super::{Effect, Step, health};
use crate::model::{AdminState, ConnectionState, ReasonCode};

impl Step<'_> {
    /// Calls under way may finish until `until_ms`; nothing new goes out.
    pub(super) fn drain(&mut self, until_ms: i64) {
        let text = "Calls under way may finish; nothing new is asked.";
        self.move_to(ConnectionState::Draining, ReasonCode::OperatorRequest, text, Some(until_ms));
    }

    /// Drops whatever stands. Nothing is known of the server until its next use makes a new session: an old green light
    /// would be a guess.
    pub(super) fn invalidate(&mut self, code: ReasonCode) {
        let live = super::is_live(self.connection());
        if !live && !matches!(self.connection(), ConnectionState::Draining | ConnectionState::Backoff) {
            return;
        }
        self.effects.push(Effect::Close);
        self.state.pid = None;
        self.state.attempts = 0;
        let text = match code {
            ReasonCode::SessionStale => "Its session was not heard of for too long; a new one is made.",
            _ => "Its session was dropped; the next use makes a new one.",
        };
        self.move_to(ConnectionState::Idle, code, text, None);
        health::reset(self, code, text);
    }

    /// The machine slept, or its network changed: what stands is asked, what waits is tried. A server that asked for
    /// time, or waits for a person, is left alone.
    pub(super) fn woken(&mut self) {
        let enabled = self.state.facets.admin.state == AdminState::Enabled;
        let throttled = self.state.facets.connection.reason.code == ReasonCode::Throttled;
        match self.connection() {
            ConnectionState::Ready if !throttled => self.effects.push(Effect::ProbeNow),
            ConnectionState::Backoff if enabled && !throttled => self.begin_attempt(),
            _ => {}
        }
    }
}
