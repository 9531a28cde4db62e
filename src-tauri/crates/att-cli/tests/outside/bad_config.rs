//! A broken `mcp.json`: file, line, column, what is wrong and what would be right; what is sound is used.

use crate::outside::{att, config, demo_server, refused, row, stdio};
use crate::support::TestHome;
use serde_json::{Value, json};

/// The problems of `att check --json`, as `(line, column, message, warning)`.
fn problems(answer: &Value) -> Vec<(u64, u64, String, bool)> {
    let read = |p: &Value| {
        assert!(p["file"].as_str().unwrap().ends_with("broken.json"), "{p}");
        assert!(!p["cure"].as_str().unwrap().is_empty(), "{p}");
        let number = |key: &str| p[key].as_u64().unwrap();
        let message = p["message"].as_str().unwrap().to_owned();
        (number("line"), number("column"), message, p["warning"] == true)
    };
    answer["problems"].as_array().unwrap().iter().map(read).collect()
}

async fn check(home: &TestHome, text: &str) -> (Option<i32>, Value, String) {
    let file = home.write("broken.json", text);
    let outcome = att(home, &["check", "--config", file.to_str().unwrap(), "--json"]).await;
    let answer = serde_json::from_str(&outcome.stdout).unwrap_or_else(|e| panic!("{e}: {}", outcome.stdout));
    (outcome.exit.code, answer, outcome.stderr)
}

#[tokio::test]
async fn a_syntax_error_is_named_by_file_line_and_column_with_its_cure() {
    let home = TestHome::empty();
    let text = "{\n  \"mcpServers\": {\n    \"a\": {\"command\": \"x\"}\n    \"b\": {}\n  }\n}\n";
    let (code, answer, stderr) = check(&home, text).await;
    assert_eq!(code, Some(2));
    let found = problems(&answer);
    assert_eq!(found.len(), 1, "{answer}");
    assert_eq!((found[0].0, found[0].3), (3, false), "{answer}");
    assert!(found[0].2.contains("not valid JSON"), "{answer}");
    assert!(stderr.contains(&format!("broken.json:3:{}", found[0].1)), "people see the same: {stderr}");
}

#[tokio::test]
async fn wrong_types_and_unknown_keys_are_named_each_at_its_place_while_sound_servers_run() {
    let home = TestHome::empty();
    let server = demo_server();
    let text = [
        "{\"mcpServers\": {".to_owned(),
        format!("  \"sound\": {{\"command\": \"{server}\"}},"),
        "  \"number\": {\"command\": 5},".into(),
        "  \"args\": {\"command\": \"x\", \"args\": \"y\"},".into(),
        format!("  \"typo\": {{\"command\": \"{server}\", \"att\": {{\"proeb\": \"ping\"}}}},"),
        "  \"nourl\": {\"url\": \"not a url\"},".into(),
        "  \"both\": {\"url\": \"http://127.0.0.1:1/\", \"command\": \"x\"},".into(),
        "  \"neither\": {},".into(),
        "  \"shell\": {\"command\": \"x\", \"env\": {\"T\": \"${shell:rm}\"}},".into(),
        "  \"list\": []".into(),
        "}}".into(),
    ]
    .join("\n");
    let (code, answer, _) = check(&home, &text).await;
    assert_eq!(code, Some(2), "{answer}");
    let found = problems(&answer);
    let expected = [
        (3, "\"command\" must be a text", false),
        (4, "\"args\" must be a list of texts", false),
        (5, "att.proeb is not a setting", true),
        (6, "\"url\" is no http:// or https:// address", false),
        (7, "not both", false),
        (8, "needs \"command\" or \"url\"", false),
        (9, "is not a secret reference", false),
        (10, "a server must be an object", false),
    ];
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for ((line, column, message, warning), (at, says, warns)) in found.iter().zip(expected) {
        assert_eq!((*line, *warning), (at, warns), "{message}");
        assert!(message.contains(says) && *column > 1, "{message} at column {column}");
    }
    let results = answer["results"].as_array().unwrap();
    let ready: Vec<&str> = results.iter().map(|row| row["server"].as_str().unwrap()).collect();
    assert_eq!(ready, ["sound", "typo"], "a warning does not take a server out of use");
    assert_eq!(row(&answer, "sound")["status"], "healthy");
}

#[tokio::test]
async fn files_that_hold_no_configuration_are_refused_or_named() {
    let home = TestHome::empty();
    let missing = home.path().join("missing.json").display().to_string();
    let error = refused(&home, &["check", "--config", &missing], 2, "invalid_input").await;
    assert!(error["message"].as_str().unwrap().contains("missing.json"), "{error}");
    refused(&home, &["check", "--config", home.path().to_str().unwrap()], 2, "invalid_input").await;

    let huge = home.write("huge.json", &" ".repeat(9 * 1024 * 1024)).display().to_string();
    let error = refused(&home, &["check", "--config", &huge], 2, "invalid_config").await;
    assert!(error["cause"].as_str().unwrap().contains("8 MiB"), "{error}");

    let bytes = home.path().join("latin.json");
    std::fs::write(&bytes, b"{\"mcpServers\": {\"\xff\xfe\": {}}}").unwrap();
    let error = refused(&home, &["check", "--config", bytes.to_str().unwrap()], 2, "invalid_config").await;
    assert!(error["cause"].as_str().unwrap().contains("UTF-8"), "{error}");

    let (code, answer, _) = check(&home, "[1, 2]").await;
    assert_eq!(code, Some(2));
    assert!(problems(&answer)[0].2.contains("one object"), "{answer}");
    let (code, answer, _) = check(&home, "{\"servers\": {}}").await;
    assert_eq!(code, Some(2));
    assert!(problems(&answer)[0].2.contains("mcpServers"), "{answer}");
    let deep = "[".repeat(200_000);
    let file = home.write("broken.json", &deep);
    let outcome = att(&home, &["check", "--config", file.to_str().unwrap(), "--json"]).await;
    assert_eq!(
        outcome.exit.code,
        Some(2),
        "deep nesting ends as bad input: {} {}",
        outcome.exit,
        outcome.stderr
    );
}

#[tokio::test]
async fn a_missing_program_a_refused_port_and_a_silent_server_each_say_what_to_do() {
    let home = TestHome::empty();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let file = config(
        &home,
        "mcp.json.bad",
        &json!({
            "sound": stdio(&home, &[]),
            "gone": {"command": "/nonexistent/program"},
            "refused": {"url": format!("http://127.0.0.1:{port}/mcp")},
            "dies": {"command": "sh", "args": ["-c", "echo no database here >&2; exit 3"]},
            "chatter": {
                "command": "sh",
                "args": ["-c", "while read l; do echo hello; done"],
                "att": {"connect_timeout_ms": 1500, "discover_timeout_ms": 500},
            },
        }),
    );
    let outcome = att(&home, &["check", "--config", file.to_str().unwrap(), "--json"]).await;
    assert_eq!(outcome.exit.code, Some(1), "{}", outcome.stderr);
    let answer: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(answer["status"], "partial");
    assert_eq!(row(&answer, "sound")["status"], "healthy");
    let says = |server: &str, text: &str, outcome: &str| {
        let row = row(&answer, server);
        assert!(row["error"].as_str().is_some_and(|error| error.contains(text)), "{server}: {row}");
        assert!(row["error_code"].as_str().is_some_and(|code| code.starts_with("ATT-MCP-")), "{row}");
        assert!(row["error_cure"].as_str().is_some_and(|cure| cure.len() > 10), "{row}");
        let attempt = &row["attempts"][0];
        assert_eq!(
            (&attempt["stage"], &attempt["outcome"]),
            (&json!("initialize"), &json!(outcome)),
            "{row}"
        );
    };
    says("gone", "/nonexistent/program", "not_sent");
    says("refused", "refused", "not_sent");
    let dies = row(&answer, "dies");
    assert!(dies["error"].as_str().unwrap().contains("no database here"), "its last words: {dies}");
    says("chatter", "no answer", "sent_no_reply");
    let people = att(&home, &["check", "--config", file.to_str().unwrap()]).await;
    assert!(people.stdout.contains("/nonexistent/program"), "{}", people.stdout);
    assert!(!people.stderr.contains('\u{1b}'), "no colour where there is no terminal: {}", people.stderr);
}

#[tokio::test]
async fn hostile_names_cannot_move_the_cursor_of_a_table() {
    let home = TestHome::empty();
    let file = config(
        &home,
        "mcp.json.bad",
        &json!({
            "clear\u{1b}[2J": stdio(&home, &[]),
            "turned\u{202e}gnp": stdio(&home, &[]),
            "dies": {"command": "sh", "args": ["-c", "printf '\\033[2Jgone' >&2; exit 3"]},
        }),
    );
    let outcome = att(&home, &["check", "--config", file.to_str().unwrap()]).await;
    assert_eq!(outcome.exit.code, Some(2), "a control character is no part of a name");
    for text in [&outcome.stdout, &outcome.stderr] {
        assert!(!text.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{text:?}");
    }
    assert!(outcome.stdout.contains("turnedgnp"), "{}", outcome.stdout);
}

#[tokio::test]
async fn the_control_room_starts_with_what_is_sound_and_tells_the_rest() {
    let home = TestHome::empty();
    let sound = stdio(&home, &[]);
    home.write(
        "mcp.json",
        &format!("{{\"mcpServers\": {{\n\"a\": {sound},\n\"b\": {{\"command\": 7}}\n}}}}"),
    );
    let watch = crate::outside::Watch::start(&home, &[]).await;
    watch.reaches("a", "consent_required", std::time::Duration::from_secs(10)).await;
    let servers = att(&home, &["servers"]).await;
    assert!(servers.success() && servers.stderr.contains("mcp.json:3:"), "{}", servers.stderr);
    watch.signal(rustix::process::Signal::TERM);
    let said = watch.ended(std::time::Duration::from_secs(15)).await;
    assert!(said.contains("mcp.json:3:") && said.contains("\"command\" must be a text"), "{said}");
    assert!(!said.contains("panicked"), "{said}");
}
