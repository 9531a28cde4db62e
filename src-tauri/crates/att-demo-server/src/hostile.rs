//! Hostile answers: too long, too deep, too many, never asked, without an end, or no answer at all.

use std::sync::atomic::{AtomicU64, Ordering};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// More than any client should take as one message.
const TOO_LONG: usize = 17 * 1024 * 1024;
/// Deeper than any JSON reader should follow.
const TOO_DEEP: usize = 100_000;
/// A name of a megabyte.
const HUGE_NAME: usize = 1024 * 1024;
/// With the three of its own, the most that a client may take.
const MANY_TOOLS: usize = 19_997;
/// Bytes of binary garbage.
const GARBAGE: usize = 64 * 1024;

/// What is done instead of answering, or beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Hostile {
    /// The answer is one message of 17 MiB.
    LongLine,
    /// The answer is a message that never ends.
    EndlessLine,
    /// The answer is nested 100,000 deep.
    DepthBomb,
    /// Answers to requests that nobody made come first.
    Unasked,
    /// The answer comes twice.
    Twice,
    /// Notifications without end come instead.
    Flood,
    /// Random bytes come instead.
    Binary,
    /// Half of the answer comes, and nothing after it.
    Half,
    /// The listed tools have names with control characters and characters that turn text.
    OddNames,
    /// A listed tool has a name of 1 MiB.
    HugeName,
    /// 20,000 tools are listed.
    ManyTools,
    /// The list has one more page, always.
    EndlessPages,
    /// The list has the same page after each page.
    SamePage,
    /// The listed tools have schemas that recurse, explode, refer elsewhere or never stop matching.
    SchemaBombs,
}

/// What goes out in place of an answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Reply {
    /// These messages.
    Messages(Vec<Vec<u8>>),
    /// This message, again and again.
    Flood(Vec<u8>),
    /// These bytes again and again, as one message.
    EndlessLine(Vec<u8>),
    /// These bytes, which are no message.
    Garbage(Vec<u8>),
    /// The begin of a message, and then silence.
    Half(Vec<u8>),
}

/// What `act` makes of `answer`.
pub(crate) fn reply(act: Hostile, answer: &str) -> Reply {
    let mut message: Value = serde_json::from_str(answer).unwrap_or(Value::Null);
    let id = message.get("id").cloned().unwrap_or(Value::Null);
    match act {
        Hostile::LongLine => {
            message["result"]["padding"] = json!("x".repeat(TOO_LONG));
            one(&message)
        }
        Hostile::EndlessLine => Reply::EndlessLine(vec![b'{'; 64 * 1024]),
        Hostile::DepthBomb => {
            let (open, close) = ("[".repeat(TOO_DEEP), "]".repeat(TOO_DEEP));
            Reply::Messages(vec![
                format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{open}{close}}}"#).into_bytes(),
            ])
        }
        Hostile::Unasked => {
            let strangers = [json!(987_654_321), json!("never asked"), json!(-1), json!({"odd": []})];
            let mut all: Vec<_> = strangers
                .iter()
                .map(|id| json!({"jsonrpc": "2.0", "id": id, "result": {"tools": []}}).to_string().into())
                .collect();
            all.push(answer.as_bytes().to_vec());
            Reply::Messages(all)
        }
        Hostile::Twice => Reply::Messages(vec![answer.as_bytes().to_vec(); 2]),
        Hostile::Flood => Reply::Flood(
            json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "x"}})
                .to_string()
                .into_bytes(),
        ),
        Hostile::Binary => Reply::Garbage(garbage()),
        Hostile::Half => {
            let bytes = answer.as_bytes();
            Reply::Half(bytes[..bytes.len() / 2].to_vec())
        }
        Hostile::EndlessPages | Hostile::SamePage => {
            static PAGE: AtomicU64 = AtomicU64::new(0);
            let next = match act {
                Hostile::SamePage => 0,
                _ => PAGE.fetch_add(1, Ordering::Relaxed),
            };
            message["result"]["nextCursor"] = json!(next.to_string());
            one(&message)
        }
        Hostile::OddNames => listed(message, odd_names()),
        Hostile::HugeName => listed(message, vec![tool(&"n".repeat(HUGE_NAME), json!({"type": "object"}))]),
        Hostile::ManyTools => {
            let tools = (0..MANY_TOOLS).map(|n| tool(&format!("tool-{n}"), json!({"type": "object"})));
            listed(message, tools.collect())
        }
        Hostile::SchemaBombs => listed(message, schema_bombs()),
    }
}

fn one(message: &Value) -> Reply {
    Reply::Messages(vec![message.to_string().into_bytes()])
}

/// The answer with `tools` after those that it lists.
fn listed(mut message: Value, mut tools: Vec<Value>) -> Reply {
    if let Some(all) = message.pointer_mut("/result/tools").and_then(Value::as_array_mut) {
        all.append(&mut tools);
    }
    one(&message)
}

fn tool(name: &str, schema: Value) -> Value {
    json!({"name": name, "inputSchema": schema})
}

fn odd_names() -> Vec<Value> {
    ["null\u{0}", "escape\u{1b}[2J", "delete\u{202e}elif", "join\u{200d}er", "tag\u{e0041}", ""]
        .into_iter()
        .map(|name| tool(name, json!({"type": "object"})))
        .collect()
}

fn schema_bombs() -> Vec<Value> {
    let mut exploding = json!({"type": "object", "$defs": {"a0": {"type": "string"}}, "properties": {"x": {"$ref": "#/$defs/a60"}}});
    for n in 1..=60 {
        let before = format!("#/$defs/a{}", n - 1);
        exploding["$defs"][format!("a{n}")] = json!({"anyOf": [{"$ref": before}, {"$ref": before}]});
    }
    let mut deep = json!({"type": "string"});
    for _ in 0..50 {
        deep = json!({"type": "object", "properties": {"x": deep}});
    }
    vec![
        tool("exploding", exploding),
        tool("deep", deep),
        tool("itself", json!({"type": "object", "$ref": "#"})),
        tool(
            "tree",
            json!({"type": "object", "properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}}}),
        ),
        tool(
            "elsewhere",
            json!({"type": "object", "properties": {"x": {"$ref": "http://127.0.0.1:9/schema.json"}}}),
        ),
        tool("file", json!({"type": "object", "properties": {"x": {"$ref": "file:///etc/passwd"}}})),
        tool(
            "pattern",
            json!({"type": "object", "properties": {"x": {"type": "string", "pattern": "^(a+)+$"}}}),
        ),
    ]
}

/// Bytes that look random and are the same each time, line ends among them.
fn garbage() -> Vec<u8> {
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(GARBAGE + 1);
    for _ in 0..GARBAGE {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        bytes.push(seed.to_le_bytes()[3]);
    }
    bytes.push(b'\n');
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = r#"{"jsonrpc":"2.0","id":7,"result":{"tools":[{"name":"a"}]}}"#;

    #[test]
    fn every_act_makes_something_else_of_an_answer() {
        for act in Hostile::value_variants() {
            let plain = Reply::Messages(vec![ANSWER.as_bytes().to_vec()]);
            assert_ne!(reply(*act, ANSWER), plain, "{act:?}");
        }
    }

    #[test]
    fn listed_bombs_stand_behind_the_good_tools_and_keep_the_id() {
        let Reply::Messages(all) = reply(Hostile::SchemaBombs, ANSWER) else { panic!("no message") };
        let message: Value = serde_json::from_slice(&all[0]).unwrap();
        assert_eq!(
            (message["id"].clone(), message["result"]["tools"][0]["name"].clone()),
            (json!(7), json!("a"))
        );
        assert_eq!(message["result"]["tools"].as_array().unwrap().len(), 8);
    }
}
