use super::*;
use crate::config::{Endpoint, ServerConfig, edit};
use proptest::prelude::*;
use serde_json::json;

fn found(text: &str, file: &str) -> Vec<Candidate> {
    let read = read(text, file, Some("/work/shop"), Some("/home/ann"));
    assert_eq!(read.problems, Vec::<String>::new());
    read.servers
}

fn one(candidates: &[Candidate], name: &str) -> Candidate {
    candidates.iter().find(|candidate| candidate.name == name).unwrap().clone()
}

fn config(candidate: &Candidate) -> ServerConfig {
    assert_eq!(candidate.unusable, None);
    plan(vec![candidate.clone()], "").servers[0].config.clone().unwrap()
}

#[test]
fn claude_desktop_is_read_and_its_literal_token_becomes_a_reference() {
    let servers = found(include_str!("fixtures/claude_desktop_config.json"), "claude_desktop_config.json");
    assert_eq!(servers.len(), 2);
    let github = one(&servers, "github");
    assert_eq!(
        github.entry["env"]["GITHUB_PERSONAL_ACCESS_TOKEN"],
        "${keyring:github-github_personal_access_token}"
    );
    assert_eq!(github.entry["args"][4], "GITHUB_PERSONAL_ACCESS_TOKEN", "a name is no secret");
    assert_eq!(github.secrets[0].value.expose(), "ghp_0123456789abcdefghij");
    assert!(!format!("{github:?}").contains("ghp_"), "a value shows up in the debug form");
    assert_eq!(one(&servers, "filesystem").entry["args"][2], "/home/ann/Desktop");
}

#[test]
fn claude_code_is_read_with_its_projects_and_the_password_of_an_address_is_hidden() {
    let servers = found(include_str!("fixtures/claude.json"), ".claude.json");
    assert_eq!(servers.len(), 3);
    let db = one(&servers, "db");
    assert_eq!(db.entry["args"][3], "postgresql://ro:${keyring:db-password}@db.shop:5432/shop");
    assert_eq!(db.secrets[0].value.expose(), "open-sesame");
    assert!(db.source.contains("project /home/ann/shop"), "{}", db.source);
    let planned = plan(servers, "");
    let names: Vec<&str> = planned.servers.iter().map(|p| p.candidate.name.as_str()).collect();
    assert_eq!(names, ["sentry", "db", "sentry-2"], "two places may use one name for two servers");
    assert!(planned.servers[2].config.as_ref().unwrap().sse);
}

#[test]
fn variables_of_a_project_file_become_ours_and_a_transport_that_we_lack_is_said() {
    let servers = found(include_str!("fixtures/project.mcp.json"), ".mcp.json");
    let api = one(&servers, "api");
    assert_eq!(api.entry["headers"]["Authorization"], "Bearer ${env:API_KEY}");
    assert!(api.notes.iter().any(|note| note.contains("default of ${API_BASE_URL}")), "{:?}", api.notes);
    assert!(api.notes.iter().any(|note| note.contains("timeout")), "{:?}", api.notes);
    assert!(one(&servers, "live").unusable.unwrap().contains("ws"));
}

#[test]
fn vs_code_is_read_with_comments_inputs_and_the_folder_of_its_project() {
    let servers = found(include_str!("fixtures/vscode.mcp.json"), ".vscode/mcp.json");
    let perplexity = one(&servers, "perplexity");
    assert_eq!(perplexity.entry["env"]["PERPLEXITY_API_KEY"], "${keyring:perplexity-key}");
    assert!(perplexity.notes.iter().any(|note| note.contains("att secret set perplexity-key")));
    assert!(perplexity.notes.iter().any(|note| note.contains("envFile")));
    assert_eq!(one(&servers, "local").entry["args"][0], "/work/shop/server.js");
    let elsewhere = read(include_str!("fixtures/vscode.mcp.json"), "mcp.json", None, None);
    assert!(one(&elsewhere.servers, "local").unusable.unwrap().contains("workspaceFolder"));
    let settings = found(include_str!("fixtures/vscode.settings.json"), "settings.json");
    assert_eq!(config(&one(&settings, "time")).command_line(), ["uvx", "mcp-server-time"]);
}

#[test]
fn cursor_is_read_and_a_secret_among_the_arguments_is_hidden() {
    let servers = found(include_str!("fixtures/cursor.mcp.json"), "mcp.json");
    assert_eq!(one(&servers, "userjot").entry["headers"]["Authorization"], "Bearer ${env:USERJOT_API_TOKEN}");
    let notes = one(&servers, "notes");
    assert_eq!(notes.entry["args"], json!(["/home/ann/notes.py", "--api-key=${keyring:notes-api-key}"]));
    assert!(config(&notes).disabled);
}

#[test]
fn codex_is_read_from_its_toml() {
    let servers = found(include_str!("fixtures/config.toml"), "config.toml");
    let context7 = one(&servers, "context7");
    assert_eq!(
        context7.entry["env"],
        json!({"MY_ENV_VAR": "MY_ENV_VALUE", "LOCAL_TOKEN": "${env:LOCAL_TOKEN}"})
    );
    let ours = config(&context7);
    assert_eq!((ours.settings.connect_timeout_ms, ours.settings.call_timeout_ms), (20_000, 45_000));
    assert!(context7.notes.iter().any(|note| note.contains("enabled_tools")));
    let figma = config(&one(&servers, "figma"));
    assert!(figma.disabled);
    let Endpoint::Http { headers, .. } = &figma.endpoint else { panic!("{figma:?}") };
    assert_eq!(headers["Authorization"], "Bearer ${env:FIGMA_OAUTH_TOKEN}");
    assert_eq!(
        (headers["X-Team"].as_str(), headers["X-Figma-Region"].as_str()),
        ("${env:FIGMA_TEAM}", "us-east-1")
    );
}

#[test]
fn a_conflict_is_kept_replaced_or_renamed_and_a_second_import_changes_nothing() {
    let ours = "{\n  // mine\n  \"mcpServers\": {\n    \"a\": {\"command\": \"old\", \"att\": {\"fall\": 5}} // a\n  }\n}\n";
    let theirs = r#"{"mcpServers": {"a": {"command": "new", "env": {"API_TOKEN": "tango-77-secret"}}}}"#;
    let planned = plan(found(theirs, "x.json"), ours);
    assert_eq!(planned.servers[0].standing, Standing::Conflict);
    assert_eq!(choose(&planned.servers[0], OnConflict::Keep, ours), None);

    let (replace, secrets) = choose(&planned.servers[0], OnConflict::Replace, ours).unwrap();
    let text = edit(ours, &replace).unwrap();
    let parsed = crate::parse(&text, None);
    assert_eq!(
        (parsed.servers[0].command_line().join(" "), parsed.servers[0].settings.fall),
        ("new".into(), 5)
    );
    assert!(text.contains("// mine") && text.contains("// a") && !text.contains("tango"), "{text}");
    assert_eq!(secrets[0].name, "a-api_token");
    let again = plan(found(theirs, "x.json"), &text);
    assert_eq!(again.servers[0].standing, Standing::Identical);

    let (rename, secrets) = choose(&planned.servers[0], OnConflict::Rename, ours).unwrap();
    let text = edit(ours, &rename).unwrap();
    assert_eq!(secrets[0].name, "a-2-api_token", "two servers do not share a secret");
    assert!(text.contains("${keyring:a-2-api_token}") && text.contains("\"old\""), "{text}");
}

#[test]
fn a_placeholder_is_no_secret_to_keep() {
    let text = r#"{"mcpServers": {"a": {"command": "x", "env": {"BRAVE_API_KEY": "YOUR_API_KEY_HERE"}}}}"#;
    let servers = found(text, "x.json");
    assert_eq!(servers[0].entry["env"]["BRAVE_API_KEY"], "${keyring:a-brave_api_key}");
    assert!(servers[0].secrets.is_empty());
    assert!(servers[0].notes[0].contains("att secret set a-brave_api_key"));
}

#[test]
fn a_file_that_cannot_be_read_is_a_problem_without_its_content() {
    for (text, file) in
        [("{\"mcpServers\": {", "a.json"), ("[a", "a.toml"), ("[]", "a.json"), ("x = 1", "a.toml")]
    {
        let read = read(text, file, None, None);
        assert!(read.servers.is_empty() && read.problems.len() == 1, "{text}: {read:?}");
    }
    let deep = format!("{{\"mcpServers\": {}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(read(&deep, "a.json", None, None).problems.len(), 1);
}

#[test]
fn the_files_of_each_client_are_looked_for_where_it_keeps_them() {
    let places = Places {
        home: Some("/h".into()),
        project: Some("/p".into()),
        app_data: Some("/appdata".into()),
        ..Places::default()
    };
    let has = |client: Client, file: &str| client.files(&places).iter().any(|path| path.ends_with(file));
    assert!(has(Client::ClaudeDesktop, "h/.config/Claude/claude_desktop_config.json"));
    assert!(has(Client::ClaudeDesktop, "h/Library/Application Support/Claude/claude_desktop_config.json"));
    assert!(has(Client::VsCode, "appdata/Code/User/mcp.json") && has(Client::VsCode, "p/.vscode/mcp.json"));
    assert!(has(Client::ClaudeCode, "p/.mcp.json") && has(Client::ClaudeCode, "h/.claude.json"));
    assert!(has(Client::Cursor, "h/.cursor/mcp.json") && has(Client::Codex, "h/.codex/config.toml"));
    let project = |file: &str| places.project_of(std::path::Path::new(file));
    assert_eq!(project("/p/.vscode/mcp.json"), Some("/p".into()));
    assert_eq!(project("/h/.cursor/mcp.json"), None, "the home is no project");
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|flag| json!(flag)),
        any::<i64>().prop_map(|number| json!(number)),
        "[a-z$:{}@/?=& -]{0,24}".prop_map(|text| json!(text)),
    ];
    let key = prop_oneof![
        Just("command".to_owned()),
        Just("args".to_owned()),
        Just("env".to_owned()),
        Just("url".to_owned()),
        Just("headers".to_owned()),
        Just("type".to_owned()),
        Just("att".to_owned()),
        "[a-zA-Z_-]{0,8}",
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(|list| json!(list)),
            proptest::collection::vec((key.clone(), inner), 0..6)
                .prop_map(|pairs| serde_json::Value::Object(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in ".{0,300}", toml in any::<bool>()) {
        let _ = read(&text, if toml { "a.toml" } else { "a.json" }, Some("/p"), None);
    }

    #[test]
    fn whatever_the_entries_are_what_is_planned_can_be_written_and_read_back(entry in any_json(), toml in any::<bool>()) {
        let (text, file) = match toml {
            true => (toml::to_string(&json!({"mcp_servers": {"a": entry}})).unwrap_or_default(), "a.toml"),
            false => (json!({"mcpServers": {"a": entry}}).to_string(), "a.json"),
        };
        for planned in plan(read(&text, file, Some("/p"), Some("/h")).servers, "").servers {
            if let Some((change, _)) = choose(&planned, OnConflict::Keep, "") {
                match edit("", &change) {
                    Ok(written) => prop_assert_eq!(crate::parse(&written, None).servers.len(), 1),
                    // A setting of ours that stood under their `att` may be refused, in words.
                    Err(error) => prop_assert!(matches!(error, crate::config::EditError::Refused(_)), "{}", error),
                }
            }
        }
    }

    #[test]
    fn a_secret_never_stays_in_an_entry(value in "[a-zA-Z0-9]{12,40}", key in "(API_TOKEN|MY_SECRET|DB_PASSWORD|X_API_KEY)") {
        prop_assume!(!value.to_ascii_lowercase().contains("your") && !value.to_ascii_lowercase().contains("xxxx"));
        let text = json!({"mcpServers": {"s": {
            "command": "x",
            "args": [format!("--{key}={value}"), format!("--{key}"), value, format!("https://h/?{key}={value}")],
            "env": {key.clone(): value},
        }}}).to_string();
        let servers = read(&text, "a.json", None, None).servers;
        prop_assert!(!servers[0].entry.to_string().contains(&value), "{}", servers[0].entry);
        prop_assert!(!servers[0].notes.join(" ").contains(&value));
    }
}
