//! How far the audit chain has come: what a face watches to know that something was decided.

use crate::error::JournalError;
use crate::journal::{Fault, Journal};

impl Journal {
    /// The number of the newest audit entry; 0 for none.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn audit_sequence(&self) -> Result<i64, JournalError> {
        let newest = sqlx::query_scalar("SELECT coalesce(max(seq), 0) FROM audit").fetch_one(self.readers()).await;
        self.settle(newest.map_err(Fault::from))
    }
}
