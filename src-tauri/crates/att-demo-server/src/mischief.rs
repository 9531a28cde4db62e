//! What is done to a request or an answer at the edge. On plain JSON, so that it looks like a broken server.

use std::time::Duration;

use serde_json::{Value, json};

use crate::Era;
use crate::control::{Faults, Moment};

/// Time for bytes to leave before the process ends.
const ON_ITS_WAY: Duration = Duration::from_millis(50);

/// What becomes of an incoming message.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Act {
    /// It is served.
    Pass,
    /// It is served late.
    Delay(Duration),
    /// It is never answered.
    Hang,
    /// The process ends.
    Exit,
    /// It is refused with an HTTP status and perhaps a `Retry-After` in seconds (over stdio: an internal error).
    Status(u16, Option<u32>),
    /// It is refused with a JSON-RPC error.
    Refuse(i64, &'static str),
}

/// Decides over a request.
pub(crate) fn on_request(faults: &Faults, era: Era, message: &Value) -> Act {
    let Some(method) = message.get("method").and_then(Value::as_str) else { return Act::Pass };
    if message.get("id").is_none() {
        return Act::Pass;
    }
    let on = |fault: Option<bool>| fault == Some(true);
    let connects = matches!(method, "initialize" | "server/discover");
    if on(faults.http_500) {
        return Act::Status(500, None);
    }
    if let Some(status) = faults.http_status {
        return Act::Status(status, faults.retry_after_s);
    }
    if method == "server/discover" && on(faults.exit_on_discover) {
        return Act::Exit;
    }
    if method == "tools/call" && faults.die_at == Some(Moment::Request) {
        return Act::Exit;
    }
    if method == "tools/call" && faults.freeze_at == Some(Moment::Request) {
        return Act::Hang;
    }
    if connects && on(faults.hang_on_connect) || method == "tools/call" && on(faults.hang_on_call) {
        return Act::Hang;
    }
    // `count` dies by itself, after it has counted.
    let counts = message.pointer("/params/name").and_then(Value::as_str) == Some("count");
    if method == "tools/call" && on(faults.die_on_call) && !counts {
        return Act::Exit;
    }
    match (era, method) {
        (Era::Legacy, "server/discover") => return Act::Refuse(-32601, "Method not found"),
        (Era::Modern, "initialize") => return Act::Refuse(-32601, "Method not found"),
        _ => {}
    }
    if method == "prompts/list" && on(faults.fail_prompts) {
        return Act::Refuse(-32603, "the prompts are out of order");
    }
    match faults.slow_ms {
        Some(ms) if ms > 0 => Act::Delay(Duration::from_millis(ms)),
        _ => Act::Pass,
    }
}

/// What follows the first half of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The end of the process.
    Die,
    /// Nothing, ever.
    Freeze,
}

impl Cut {
    /// What becomes of the answer to `method`, if it is cut.
    pub fn of(faults: &Faults, method: &str) -> Option<Self> {
        match (faults.die_at, faults.freeze_at) {
            _ if method != "tools/call" => None,
            (Some(Moment::Answer), _) => Some(Self::Die),
            (_, Some(Moment::Answer)) => Some(Self::Freeze),
            _ => None,
        }
    }

    /// Does it, once the half is on its way.
    pub async fn follow(self) {
        match self {
            Self::Die => {
                tokio::time::sleep(ON_ITS_WAY).await;
                std::process::exit(9);
            }
            Self::Freeze => std::future::pending().await,
        }
    }
}

/// The first half of `text`.
pub(crate) fn half(text: &str) -> &str {
    let mut cut = text.len() / 2;
    while !text.is_char_boundary(cut) {
        cut -= 1;
    }
    &text[..cut]
}

/// True when the answer to `method` has to be looked at by [`on_answer`].
pub(crate) fn touches_answer(faults: &Faults, method: &str) -> bool {
    let broken = faults.malformed_json.as_ref().is_some_and(|which| which == "all" || which == method);
    broken
        || told_changes(faults, method) > 0
        || (method == "tools/list" && faults.malformed_tool == Some(true))
}

/// How often it is told that the tools changed before `method` is answered.
pub(crate) fn told_changes(faults: &Faults, method: &str) -> u32 {
    if method == "tools/call" { faults.changes_told.unwrap_or(0) } else { 0 }
}

/// What tells that the tools changed.
pub(crate) const TOOLS_CHANGED: &str = r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#;

/// The answer's text as it goes out.
pub(crate) fn on_answer(faults: &Faults, method: &str, answer: &str) -> String {
    let mut text = answer.to_owned();
    if method == "tools/list"
        && faults.malformed_tool == Some(true)
        && let Ok(mut message) = serde_json::from_str::<Value>(answer)
        && let Some(tools) = message.pointer_mut("/result/tools").and_then(Value::as_array_mut)
    {
        tools.insert(1.min(tools.len()), json!({"name": 42, "description": ["not", "a", "text"]}));
        text = message.to_string();
    }
    if faults.malformed_json.as_ref().is_some_and(|which| which == "all" || which == method) {
        text.truncate(half(&text).len());
    }
    text
}

/// A JSON-RPC error as the answer to `request`.
pub(crate) fn refusal(request: &Value, code: i64, message: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": request.get("id"), "error": {"code": code, "message": message}})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_hit_only_the_requests_they_name() {
        let hang = Faults { hang_on_call: Some(true), ..Faults::default() };
        let on_request = |faults: &Faults, message: &Value| on_request(faults, Era::Both, message);
        let request = |method: &str| json!({"id": 1, "method": method, "params": {"name": "echo"}});
        assert_eq!(on_request(&hang, &request("tools/call")), Act::Hang);
        assert_eq!(on_request(&hang, &request("tools/list")), Act::Pass);
        assert_eq!(on_request(&hang, &json!({"method": "notifications/initialized"})), Act::Pass);
    }

    #[test]
    fn a_malformed_tool_stands_among_good_ones() {
        let faults = Faults { malformed_tool: Some(true), ..Faults::default() };
        let answer = r#"{"id":1,"result":{"tools":[{"name":"a"},{"name":"b"}]}}"#;
        let out: Value = serde_json::from_str(&on_answer(&faults, "tools/list", answer)).unwrap();
        let names: Vec<_> =
            out["result"]["tools"].as_array().unwrap().iter().map(|t| t["name"].clone()).collect();
        assert_eq!(names, [json!("a"), json!(42), json!("b")]);
    }

    #[test]
    fn broken_json_is_really_broken() {
        let faults = Faults { malformed_json: Some("all".into()), ..Faults::default() };
        let out = on_answer(&faults, "tools/call", r#"{"id":1,"result":{"é":"é"}}"#);
        assert!(serde_json::from_str::<Value>(&out).is_err());
    }
}
