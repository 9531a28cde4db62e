//! The calls under way in this process.

use crate::dto::{CallProgressDto, CallUnderWayDto};
use crate::room::ControlRoom;
use att_core::Report;
use att_mcp::CallUnderWay;

/// Most calls that are told of.
const MOST: usize = 100;

impl ControlRoom {
    /// The calls under way, oldest first, at most 100; none where another process watches the fleet.
    ///
    /// # Errors
    /// Never; the signature is that of every operation.
    pub async fn calls_under_way(&self) -> Result<Vec<CallUnderWayDto>, Report> {
        let driver = self.driver().await;
        let calls = driver.as_ref().and_then(|driver| driver.fleet()).map(|fleet| fleet.calls());
        Ok(calls.unwrap_or_default().into_iter().take(MOST).map(convert).collect())
    }
}

fn convert(call: CallUnderWay) -> CallUnderWayDto {
    CallUnderWayDto {
        request_id: call.request_id.to_string(),
        correlation_id: call.correlation_id.to_string(),
        client: call.client,
        server: call.server,
        method: call.method,
        item: call.item,
        since_ms: call.since_ms,
        deadline_ms: call.deadline_ms,
        progress: call.progress.map(|told| CallProgressDto {
            progress: told.progress,
            total: told.total,
            message: told.message,
            at_ms: told.at_ms,
        }),
        open_questions: call.open_questions,
    }
}
