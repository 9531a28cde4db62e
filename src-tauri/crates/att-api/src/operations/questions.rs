//! What servers ask of the operator, and the answers of a person. An answer may be secret: on its way to the process
//! that watches the fleet it lies in a file that only its owner may read, and is gone once it was read.

use crate::convert::question as convert;
use crate::dto::{QuestionAnswerDto, QuestionDto};
use crate::once::fleet_report;
use crate::requests::{Ask, fulfil};
use crate::room::ControlRoom;
use att_core::{Actor, Code, Report};
use att_mcp::{Fleet, Question, QuestionAnswer};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

/// Largest answer, in bytes.
const MAX_BYTES: u64 = 512 * 1024;

impl ControlRoom {
    /// The open questions of all servers, oldest first.
    ///
    /// # Errors
    /// When another process watches the fleet and the journal cannot be read.
    pub async fn questions_list(&self) -> Result<Vec<QuestionDto>, Report> {
        Ok(self.open_questions().await?.iter().map(convert::question).collect())
    }

    /// Answers a question. Only a person's face may.
    ///
    /// # Errors
    /// When it is not open, the answer does not fit, or nobody watches the fleet.
    pub async fn question_answer(&self, given: QuestionAnswerDto) -> Result<(), Report> {
        self.may_act()?;
        let by = self.person();
        if !by.may_approve() {
            return Err(Report::new(Code::Denied, "a server's question is answered by a person")
                .cure("answer it in the desktop or with `att question answer`"));
        }
        let open = self.open_questions().await?;
        let question = open.iter().find(|question| question.id.as_str() == given.id);
        let question = question.ok_or_else(|| fleet_report(att_mcp::FleetError::UnknownQuestion))?;
        let answer = convert::answer(question.kind, &given)?;
        let answer =
            question.fitted(answer).map_err(|wrong| fleet_report(att_mcp::FleetError::UnfitAnswer(wrong)))?;
        if let Some(fleet) = self.driver().await.as_ref().and_then(|driver| driver.fleet()) {
            return fleet.answer_question(&question.id, answer, by).map_err(fleet_report);
        }
        let slip = Slip::write(self, &answer)?;
        let ask = Ask::AnswerQuestion { question: given.id, slip: slip.name.clone(), by };
        fulfil(self, ask).await
    }

    async fn open_questions(&self) -> Result<Vec<Question>, Report> {
        let driver = self.driver().await;
        match driver.as_ref().and_then(|driver| driver.fleet()) {
            Some(fleet) => Ok(fleet.questions()),
            None => Ok(self.journal()?.open_questions().await?),
        }
    }
}

/// Gives the live fleet the answer that another process left for it.
pub(crate) fn deliver(
    room: &ControlRoom,
    fleet: &Fleet,
    question: &str,
    slip: &str,
    by: &Actor,
) -> Result<(), Report> {
    let answer = Slip::take(room, slip)?;
    fleet.answer_question(&question.into(), answer, by.clone()).map_err(fleet_report)
}

/// An answer on its way. Dropped, it is gone.
struct Slip {
    name: String,
    path: PathBuf,
}

impl Slip {
    fn write(room: &ControlRoom, answer: &QuestionAnswer) -> Result<Self, Report> {
        let name = format!("{:032x}", room.0.randomness.bits());
        let path = room.0.home.run().join(format!("answer-{name}.json"));
        let slip = Self { name, path };
        let written = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&slip.path)
            .and_then(|mut file| file.write_all(&serde_json::to_vec(answer).unwrap_or_default()));
        written.map_err(|error| {
            Report::new(Code::Internal, "the answer cannot be handed over").cause(error.to_string())
        })?;
        Ok(slip)
    }

    fn take(room: &ControlRoom, name: &str) -> Result<QuestionAnswer, Report> {
        let lost = |cause: String| Report::new(Code::InvalidInput, "the answer got lost").cause(cause);
        if name.len() != 32 || !name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(lost("its name is none of ours".to_owned()));
        }
        let path = room.0.home.run().join(format!("answer-{name}.json"));
        let slip = Self { name: name.to_owned(), path };
        let mut text = Vec::new();
        let file = std::fs::File::open(&slip.path).map_err(|error| lost(error.to_string()))?;
        file.take(MAX_BYTES).read_to_end(&mut text).map_err(|error| lost(error.to_string()))?;
        serde_json::from_slice(&text).map_err(|error| lost(error.to_string()))
    }
}

impl Drop for Slip {
    fn drop(&mut self) {
        // Whoever comes second finds it gone.
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Drive, Home};
    use att_core::Face;
    use serde_json::json;

    #[tokio::test]
    async fn an_answer_lies_in_a_file_of_its_owner_and_is_gone_once_it_was_read() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path());
        home.prepare().unwrap();
        let room = ControlRoom::open(home, Face::Cli, Drive::Nothing).await;
        let answer = QuestionAnswer::Accept { content: json!({"pin": "1234"}) };
        let slip = Slip::write(&room, &answer).unwrap();
        let mode = std::fs::metadata(&slip.path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(Slip::take(&room, &slip.name).unwrap(), answer);
        assert!(!slip.path.exists());
        assert!(Slip::take(&room, &slip.name).is_err(), "once");
        assert!(Slip::take(&room, "../../../../../etc/passwd").is_err());
        room.close().await;
    }

    #[tokio::test]
    async fn a_question_that_is_not_open_cannot_be_answered() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path());
        home.prepare().unwrap();
        let room = ControlRoom::open(home, Face::Cli, Drive::Nothing).await;
        let given = QuestionAnswerDto { id: "q".into(), action: "decline".into(), content: None };
        let refused = room.question_answer(given).await.unwrap_err();
        assert_eq!(refused.code, Code::NotFound);
        room.close().await;
    }
}
