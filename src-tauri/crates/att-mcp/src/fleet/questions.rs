//! What servers ask of the operator.

use att_core::Actor;
use att_core::id::InterruptionId;
use tokio::sync::watch;

use super::{Fleet, FleetError};
use crate::question::desk::Untaken;
use crate::question::{Question, QuestionAnswer};

impl Fleet {
    /// Every open question, oldest first.
    #[must_use]
    pub fn questions(&self) -> Vec<Question> {
        self.0.shared.desk.list()
    }

    /// A number that grows when a question is put or settled.
    #[must_use]
    pub fn watch_questions(&self) -> watch::Receiver<u64> {
        self.0.shared.desk.subscribe()
    }

    /// The operator's answer to an open question.
    ///
    /// # Errors
    /// [`FleetError::UnknownQuestion`], [`FleetError::UnfitAnswer`].
    pub fn answer_question(
        &self,
        id: &InterruptionId,
        answer: QuestionAnswer,
        by: Actor,
    ) -> Result<(), FleetError> {
        self.0.shared.desk.answer(id, answer, by).map_err(|untaken| match untaken {
            Untaken::Unknown => FleetError::UnknownQuestion,
            Untaken::Unfit(wrong) => FleetError::UnfitAnswer(wrong),
        })
    }
}
