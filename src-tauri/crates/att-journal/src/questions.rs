//! Questions of servers: what waits, who answered, and their place in the inbox.

use crate::audit::AuditDraft;
use crate::cycle_rows::put_interruption;
use crate::error::JournalError;
use crate::fleet_rows::readable_bodies;
use crate::journal::{Fault, Journal, Writing};
use att_core::id::InterruptionId;
use att_core::interruption::{Interruption, InterruptionClosure, InterruptionKind};
use att_core::{Actor, visible};
use att_mcp::Question;
use att_mcp::model::QuestionClosure;
use serde_json::json;
use sqlx::Row;

/// Closed questions that are kept.
const KEPT: i64 = 1_000;
/// Longest detail in the inbox, in characters.
const DETAIL_CHARS: usize = 500;

impl Journal {
    /// Keeps questions that were asked, then how questions ended: each with its entry in the inbox and the audit chain.
    pub(crate) async fn write_questions(
        &self,
        asked: Vec<Question>,
        settled: Vec<QuestionClosure>,
    ) -> Result<(), JournalError> {
        self.write(move |writing| {
            Box::pin(async move {
                for question in &asked {
                    ask(writing, question).await?;
                }
                for closure in &settled {
                    settle(writing, closure).await?;
                }
                sqlx::query(
                    "DELETE FROM question WHERE open = 0 AND id NOT IN
                       (SELECT id FROM question WHERE open = 0 ORDER BY asked_at_ms DESC, id DESC LIMIT ?)",
                )
                .bind(KEPT)
                .execute(&mut writing.conn)
                .await?;
                Ok(())
            })
        })
        .await
    }

    /// The open questions, oldest first.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn open_questions(&self) -> Result<Vec<Question>, JournalError> {
        let open = "SELECT body FROM question WHERE open = 1 ORDER BY asked_at_ms, id";
        let rows = sqlx::query(open).fetch_all(self.readers()).await;
        self.settle(rows.map_err(Fault::from).and_then(|rows| readable_bodies(&rows)))
    }

    /// Closes every question that an earlier process left open: nobody waits for its answer any more. Returns how many.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub async fn close_left_questions(&self, by: Actor, at_ms: i64) -> Result<usize, JournalError> {
        let left = self.open_questions().await?;
        let count = left.len();
        let closures = left
            .into_iter()
            .map(|question| QuestionClosure {
                id: question.id,
                at_ms,
                action: "cancel".to_owned(),
                how: "ATT ended before it was answered".to_owned(),
                fields: Vec::new(),
                by: Some(by.clone()),
            })
            .collect::<Vec<_>>();
        if count > 0 {
            self.write_questions(Vec::new(), closures).await?;
        }
        Ok(count)
    }
}

async fn ask(writing: &mut Writing, question: &Question) -> Result<(), Fault> {
    let fresh = sqlx::query(
        "INSERT INTO question (id, server, asked_at_ms, open, body) VALUES (?, ?, ?, 1, ?) ON CONFLICT DO NOTHING",
    )
    .bind(question.id.as_str())
    .bind(&question.server)
    .bind(question.asked_at_ms)
    .bind(serde_json::to_string(question)?)
    .execute(&mut writing.conn)
    .await?
    .rows_affected();
    if fresh == 0 {
        return Ok(());
    }
    let row = Interruption {
        id: question.id.clone(),
        kind: InterruptionKind::ServerQuestion,
        target: None,
        server: Some(question.server.clone()),
        cycle_id: None,
        decision_id: None,
        title: format!("{} asks you something", question.server),
        detail: visible(&question.message).chars().take(DETAIL_CHARS).collect(),
        opened_at_ms: question.asked_at_ms,
        expires_at_ms: Some(question.expires_at_ms),
        closed: None,
    };
    put_interruption(&mut writing.conn, &row).await
}

async fn settle(writing: &mut Writing, closure: &QuestionClosure) -> Result<(), Fault> {
    let id = closure.id.as_str();
    let closed =
        sqlx::query("UPDATE question SET open = 0, closure = ? WHERE id = ? AND open = 1 RETURNING server")
            .bind(serde_json::to_string(closure)?)
            .bind(id)
            .fetch_optional(&mut writing.conn)
            .await?;
    let Some(server) = closed.map(|row| row.try_get::<String, _>(0)).transpose()? else { return Ok(()) };
    let actor = closure.by.clone().unwrap_or_else(|| Actor::engine(std::process::id()));
    close_inbox(writing, &closure.id, closure, &actor).await?;
    writing
        .append(AuditDraft {
            id: None,
            at_ms: closure.at_ms,
            actor,
            kind: "ServerQuestionSettled".into(),
            subject: id.to_owned(),
            body: json!({
                "server": server, "action": closure.action, "how": closure.how, "fields": closure.fields,
            }),
        })
        .await?;
    Ok(())
}

async fn close_inbox(
    writing: &mut Writing,
    id: &InterruptionId,
    closure: &QuestionClosure,
    actor: &Actor,
) -> Result<(), Fault> {
    let found = sqlx::query("SELECT body FROM interruption WHERE id = ?")
        .bind(id.as_str())
        .fetch_optional(&mut writing.conn)
        .await?;
    let Some(found) = found else { return Ok(()) };
    let row: Interruption = serde_json::from_str(&found.try_get::<String, _>(0)?)?;
    let how = format!("{}: {}", closure.action, closure.how);
    let closed = Some(InterruptionClosure { at_ms: closure.at_ms, actor: actor.clone(), how });
    put_interruption(&mut writing.conn, &Interruption { closed, ..row }).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OpenOptions;
    use att_bootstrap::store::CycleStore as _;
    use att_core::Face;
    use att_mcp::{FleetStore as _, QuestionKind};

    fn question(id: &str) -> Question {
        Question {
            id: id.into(),
            server: "s".into(),
            generation: 1,
            request_id: Some("r".into()),
            correlation_id: None,
            kind: QuestionKind::ElicitationForm,
            message: "who are you?".into(),
            schema: Some(json!({"type": "object", "properties": {"pin": {"type": "string"}}})),
            url: None,
            messages: Vec::new(),
            asked_at_ms: 10,
            expires_at_ms: 20,
        }
    }

    #[tokio::test]
    async fn a_question_waits_in_the_inbox_until_it_is_settled_and_its_answer_is_kept_by_field_names_only() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::open(dir.path(), OpenOptions::default()).await.unwrap();
        journal.keep_questions(vec![question("q1"), question("q2")], Vec::new()).await.unwrap();
        assert_eq!(journal.open_questions().await.unwrap(), [question("q1"), question("q2")]);
        let inbox = journal.open_interruptions().await.unwrap();
        assert_eq!(
            (inbox[0].kind, inbox[0].server.as_deref()),
            (InterruptionKind::ServerQuestion, Some("s"))
        );

        let closure = QuestionClosure {
            id: "q1".into(),
            at_ms: 15,
            action: "accept".into(),
            how: "answered".into(),
            fields: vec!["pin".into()],
            by: Some(Actor::person("ann", Face::Cli, 7)),
        };
        journal.keep_questions(Vec::new(), vec![closure.clone(), closure]).await.unwrap();
        assert_eq!(journal.open_questions().await.unwrap(), [question("q2")]);
        let engine = Actor::engine(1);
        assert_eq!(journal.close_left_questions(engine.clone(), 30).await.unwrap(), 1);
        assert_eq!(journal.close_left_questions(engine, 31).await.unwrap(), 0);
        assert_eq!(journal.open_interruptions().await.unwrap(), []);
        let first = journal.interruption(&"q1".into()).await.unwrap().unwrap().closed.unwrap();
        assert_eq!((first.actor.name.as_str(), first.how.as_str()), ("ann", "accept: answered"));
        let settled: i64 =
            sqlx::query_scalar("SELECT count(*) FROM audit WHERE kind = 'ServerQuestionSettled'")
                .fetch_one(journal.readers())
                .await
                .unwrap();
        assert_eq!(settled, 2, "a question is settled once");
        journal.close().await;
    }
}
