use super::*;

#[test]
fn the_example_of_the_design_is_read_with_its_defaults() {
    let text = r#"{"mcpServers": {
        "files": {"command": "npx", "args": ["-y", "server", "/srv"], "env": {"TOKEN": "${keyring:files-token}"}, "other": 1},
        // a comment, and a trailing comma
        "search": {"url": "http://127.0.0.1:9901/mcp", "headers": {"Authorization": "Bearer ${env:SEARCH_TOKEN}"},
                   "att": {"group": "search", "probe": "none", "probe_interval_ms": 5000, "drift": "notify", "disabled": true}},
    }}"#;
    let parsed = parse(text, None);
    assert_eq!(parsed.problems, []);
    assert_eq!(parsed.servers.len(), 2);
    assert_eq!(parsed.servers[0].command_line(), ["npx", "-y", "server", "/srv"]);
    assert_eq!(parsed.servers[0].settings, crate::config::Settings::default());
    let search = &parsed.servers[1];
    assert_eq!((search.group.as_deref(), search.disabled), (Some("search"), true));
    assert_eq!((search.settings.probe, search.settings.probe_interval_ms), (Probe::None, 5000));
}

#[test]
fn one_bad_entry_never_hides_its_sound_neighbours() {
    let text = "{\"mcpServers\": {\n  \"a\": {\"command\": \"x\"},\n  \"b\": {\"command\": 7},\n  \"c\": {\"url\": \"ftp://x\"},\n  \"d\": 3,\n  \"e\": {\"url\": \"http://h/mcp\"}\n}}";
    let parsed = parse(text, Some("mcp.json"));
    assert_eq!(parsed.servers.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["a", "e"]);
    let places: Vec<_> =
        parsed.problems.iter().map(|p| (p.server.as_deref().unwrap(), p.line, p.column)).collect();
    assert_eq!(places, [("b", 3, 20), ("c", 4, 16), ("d", 5, 8)]);
    assert!(parsed.problems.iter().all(|p| p.level == ProblemLevel::Error && !p.cure.is_empty()));
}

#[test]
fn a_broken_file_gives_line_and_column() {
    let parsed = parse("{\"mcpServers\": {\n  \"é\": {\"command\": }\n}}", Some("mcp.json"));
    assert!(parsed.servers.is_empty());
    assert_eq!((parsed.problems[0].line, parsed.problems[0].column), (2, 20));
    assert!(parsed.problems[0].to_string().starts_with("mcp.json:2:20: "));
}

#[test]
fn an_unknown_or_out_of_bounds_setting_is_a_warning_and_the_default_stays() {
    let text =
        r#"{"mcpServers": {"a": {"command": "x", "att": {"fall": 0, "slow_afer_ms": 3, "probe": "x"}}}}"#;
    let parsed = parse(text, None);
    assert_eq!(parsed.servers[0].settings, crate::config::Settings::default());
    assert_eq!(parsed.problems.len(), 3);
    assert!(parsed.problems.iter().all(|p| p.level == ProblemLevel::Warning));
}

#[test]
fn the_command_digest_covers_what_the_operator_saw_and_not_the_values_of_variables() {
    let digest = |json: &str| {
        parse(&format!("{{\"mcpServers\": {{\"a\": {json}}}}}"), None).servers[0].command_digest()
    };
    let base = digest(r#"{"command": "x", "args": ["1"], "env": {"A": "1"}}"#);
    assert!(base.is_some());
    assert_eq!(base, digest(r#"{"command": "x", "args": ["1"], "env": {"A": "2"}, "att": {"group": "g"}}"#));
    assert_ne!(base, digest(r#"{"command": "x", "args": ["2"], "env": {"A": "1"}}"#));
    assert_ne!(base, digest(r#"{"command": "x", "args": ["1"], "env": {"B": "1"}}"#));
    assert_eq!(digest(r#"{"url": "http://h/"}"#), None);
    assert!(digest(r#"{"url": "http://h/", "att": {"start": ["serve"]}}"#).is_some());
}

#[test]
fn the_same_name_twice_is_said_and_the_first_is_used() {
    let parsed = parse(r#"{"mcpServers": {"a": {"command": "x"}, "a": {"command": "y"}}}"#, None);
    assert_eq!(parsed.servers.len(), 1);
    assert_eq!(parsed.servers[0].command_line(), ["x"]);
    assert_eq!(parsed.problems.len(), 1);
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,200}") {
        let _ = parse(&text, None);
    }

    #[test]
    fn no_cut_of_a_sound_file_makes_the_reader_panic(cut in 0usize..120) {
        let text = r#"{"mcpServers": {"é": {"command": "x", "args": ["ü"], "att": {"fall": 3, "start": ["a"]}}}}"#;
        let cut = (0..=cut.min(text.len())).rev().find(|n| text.is_char_boundary(*n)).unwrap();
        let _ = parse(&text[..cut], None);
    }
}
