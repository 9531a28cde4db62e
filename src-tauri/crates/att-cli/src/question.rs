//! `att question ...`, and the questions of servers on the terminal. Nothing is answered without a person.

use crate::args::QuestionCommand;
use crate::{ask, print};
use att_api::dto::{QuestionAnswerDto, QuestionDto};
use att_api::{Code, ControlRoom, Report};
use serde_json::{Map, Value};
use std::process::ExitCode;

/// Runs one of the commands.
pub async fn run(room: &ControlRoom, command: QuestionCommand, json: bool) -> Result<ExitCode, Report> {
    match command {
        QuestionCommand::List => {
            let questions = room.questions_list().await?;
            if json {
                print::json(&questions);
                return Ok(ExitCode::SUCCESS);
            }
            let rows = questions.iter().map(|question| {
                vec![
                    question.id.clone(),
                    question.server.clone(),
                    question.kind.clone(),
                    print::time(question.expires_at_ms),
                    question.message.clone(),
                ]
            });
            let headers = ["question", "server", "kind", "lapses", "asks"];
            print::table(&headers, rows.collect(), "No server asks anything.");
        }
        QuestionCommand::Show { id } => {
            let question = find(room, &id).await?;
            if json {
                print::json(&question);
            } else {
                for line in lines(&question) {
                    print::line(&print::plain(&line));
                }
            }
        }
        QuestionCommand::Answer { id } => {
            ask::need_terminal("answering a server's question")?;
            let answer = on_terminal(&find(room, &id).await?)?;
            return answered(room, answer, json).await;
        }
        QuestionCommand::Decline { id } => {
            ask::need_terminal("declining a server's question")?;
            let question = find(room, &id).await?;
            let answer = QuestionAnswerDto { id: question.id, action: "decline".into(), content: None };
            return answered(room, answer, json).await;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn answered(room: &ControlRoom, answer: QuestionAnswerDto, json: bool) -> Result<ExitCode, Report> {
    let action = answer.action.clone();
    room.question_answer(answer).await?;
    if json {
        print::json(&serde_json::json!({"action": action}));
    } else {
        print::line(&format!("The server was told: {action}."));
    }
    Ok(ExitCode::SUCCESS)
}

async fn find(room: &ControlRoom, id: &str) -> Result<QuestionDto, Report> {
    let mut fitting: Vec<_> =
        room.questions_list().await?.into_iter().filter(|question| question.id.starts_with(id)).collect();
    match (fitting.pop(), fitting.is_empty()) {
        (Some(question), true) => Ok(question),
        (Some(_), false) => Err(print::bad_input(format!("more than one question begins with {id}"))),
        (None, _) => Err(Report::new(Code::NotFound, format!("no open question is called {id}"))
            .cure("see `att question list` for those that wait")),
    }
}

/// What a question says, line by line.
fn lines(question: &QuestionDto) -> Vec<String> {
    let what = match question.kind.as_str() {
        "elicitation_url" => "asks you to visit a page",
        "sampling" => "asks for the next message of a talk, as a model would write it",
        _ => "asks you to fill in a form",
    };
    let mut lines =
        vec![format!("{} {what} (until {})", question.server, print::time(question.expires_at_ms))];
    lines.extend(Some(format!("  it says: {}", question.message)).filter(|_| !question.message.is_empty()));
    lines.extend(question.messages.iter().map(|message| format!("  {}: {}", message.role, message.text)));
    lines.extend(question.url.iter().map(|url| format!("  page (open it yourself, if you trust it): {url}")));
    lines.extend(fields(question).iter().map(|(name, field)| format!("  {name}: {}", hint(field))));
    lines
}

fn fields(question: &QuestionDto) -> Vec<(String, Value)> {
    let schema: Value =
        question.schema.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let properties = schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    properties.into_iter().collect()
}

fn hint(field: &Value) -> String {
    let text = |key: &str| field.get(key).and_then(Value::as_str).map(str::to_owned);
    let mut parts = vec![text("type").unwrap_or_else(|| "one of a list".into())];
    parts.extend(text("description").or_else(|| text("title")));
    parts.extend(field.get("enum").map(|options| format!("one of {options}")));
    parts.extend(field.get("default").map(|default| format!("default {default}")));
    parts.join(", ")
}

/// Shows a question on stderr and asks for its answer.
///
/// # Errors
/// When the terminal is closed.
pub fn on_terminal(question: &QuestionDto) -> Result<QuestionAnswerDto, Report> {
    for line in lines(question) {
        print::remark(&print::plain(&line));
    }
    let answer =
        |action: &str, content| QuestionAnswerDto { id: question.id.clone(), action: action.into(), content };
    if question.kind == "sampling" {
        let text = ask::line("Your message, or Enter to decline: ")?;
        return Ok(if text.is_empty() { answer("decline", None) } else { answer("accept", Some(text)) });
    }
    if !matches!(ask::line("Answer it? Type yes, or Enter to decline: ")?.as_str(), "y" | "yes") {
        return Ok(answer("decline", None));
    }
    let mut given = Map::new();
    for (name, field) in fields(question) {
        let said = ask::line(&print::plain(&format!("{name} ({}): ", hint(&field))))?;
        if !said.is_empty() {
            given.insert(name, typed(&field, said));
        }
    }
    Ok(answer("accept", Some(Value::Object(given).to_string())))
}

/// What was typed, as the field wants it; what is no such value stays a text and is refused by the check.
fn typed(field: &Value, said: String) -> Value {
    match field.get("type").and_then(Value::as_str) {
        Some("string") | None => Value::String(said),
        Some(_) => serde_json::from_str(&said).unwrap_or(Value::String(said)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_typed_becomes_what_the_field_wants() {
        assert_eq!(typed(&json!({"type": "string"}), "5".into()), json!("5"));
        assert_eq!(typed(&json!({"type": "integer"}), "5".into()), json!(5));
        assert_eq!(typed(&json!({"type": "boolean"}), "maybe".into()), json!("maybe"));
    }

    #[test]
    fn a_question_is_shown_with_its_fields_and_its_page() {
        let question = QuestionDto {
            id: "q".into(),
            server: "s".into(),
            kind: "elicitation_form".into(),
            message: "who?".into(),
            schema: Some(json!({"properties": {"n": {"type": "integer", "default": 3}}}).to_string()),
            url: Some("https://a.example/".into()),
            messages: Vec::new(),
            request_id: None,
            correlation_id: None,
            asked_at_ms: 1,
            expires_at_ms: 2,
        };
        let text = lines(&question).join("\n");
        for part in ["s asks you", "it says: who?", "n: integer, default 3", "https://a.example/"] {
            assert!(text.contains(part), "{text}");
        }
    }
}
