//! What a drift from the baseline does to a server (design 1.4).

use super::Step;
use crate::model::{AdminState, Drift, ReasonCode};

impl Step<'_> {
    /// Drift policy switches off only what is on, and lets go only of what it switched off itself.
    pub(super) fn judged(
        &mut self,
        baseline_id: Option<String>,
        drift: Option<Box<Drift>>,
        quarantine: bool,
        consented: bool,
    ) {
        self.state.baseline_id = baseline_id;
        self.state.drift = drift.map(|drift| *drift);
        match (quarantine, self.state.facets.admin.state) {
            (true, AdminState::Enabled) => {
                let drift = self.state.drift.as_ref();
                let what = drift.map_or_else(String::new, |drift| format!(": {}", drift.summary));
                let text = format!("Its surface left the baseline{what}.");
                self.admin(AdminState::Quarantined, ReasonCode::DriftFound, &text);
                self.stop(ReasonCode::DriftFound, &text);
            }
            (false, AdminState::Quarantined) => {
                let text = "Its surface is accepted.";
                self.admin(AdminState::Enabled, ReasonCode::OperatorRequest, text);
                self.admit(consented);
            }
            _ => {}
        }
    }
}
