use super::*;
use proptest::prelude::*;
use serde_json::json;

const FILE: &str = r#"// the fleet
{
  "other": [1, 2], // not ours
  "mcpServers": {
    // files of the team
    "files": {"command": "npx", "args": ["-y", "server"], "att": {"fall": 4}}, // read only
    /* search */ "search": {
      "url": "http://127.0.0.1:9901/mcp", // local
      "att": {
        "group": "search" // both of them
      }
    }
    // the end
  },
}
"#;

fn name(name: &str) -> String {
    name.to_owned()
}

fn set(server: &str, path: &[&str], value: Value) -> ConfigEdit {
    let path = path.iter().map(|key| (*key).to_owned()).collect();
    ConfigEdit::Set { name: name(server), path, value }
}

fn unset(server: &str, path: &[&str]) -> ConfigEdit {
    ConfigEdit::Unset { name: name(server), path: path.iter().map(|key| (*key).to_owned()).collect() }
}

#[test]
fn one_setting_changes_and_not_one_byte_beside_it() {
    let edited = edit(FILE, &set("files", &["att", "fall"], json!(5))).unwrap();
    assert_eq!(edited, FILE.replace("\"fall\": 4", "\"fall\": 5"));
    let edited = edit(FILE, &set("search", &["att", "probe"], json!("none"))).unwrap();
    let expected = FILE.replace(
        "\"group\": \"search\" // both of them\n",
        "\"group\": \"search\", // both of them\n        \"probe\": \"none\"\n",
    );
    assert_eq!(edited, expected);
    let edited = edit(&edited, &unset("search", &["att", "probe"])).unwrap();
    assert_eq!(edited, FILE);
}

#[test]
fn a_server_is_added_behind_the_last_renamed_and_removed_and_the_file_is_what_it_was() {
    let add = ConfigEdit::Add { name: name("new"), entry: json!({"command": "x", "args": ["a", "b"]}) };
    let edited = edit(FILE, &add).unwrap();
    let expected = FILE.replace(
        "\n    }\n    // the end",
        "\n    },\n    \"new\": {\n      \"command\": \"x\",\n      \"args\": [\"a\", \"b\"]\n    }\n    // the end",
    );
    // The indentation of a server that shares its line with a comment is that of its line.
    assert_eq!(edited.replace("}, \"new\"", "},\n    \"new\""), expected);
    let renamed = edit(&edited, &ConfigEdit::Rename { name: name("new"), to: name("newer") }).unwrap();
    assert_eq!(renamed, edited.replace("\"new\"", "\"newer\""));
    let removed = edit(&renamed, &ConfigEdit::Remove { name: name("newer") }).unwrap();
    assert_eq!(parse(&removed, None), parse(FILE, None));
    assert_eq!(comments(&removed), comments(FILE));
}

#[test]
fn a_removed_server_takes_only_what_is_inside_it() {
    let edited = edit(FILE, &ConfigEdit::Remove { name: name("search") }).unwrap();
    assert!(
        edited.contains("// read only") && edited.contains("/* search */") && edited.contains("// the end")
    );
    assert_eq!(parse(&edited, None).servers.len(), 1);
    let edited = edit(&edited, &ConfigEdit::Remove { name: name("files") }).unwrap();
    assert_eq!(parse(&edited, None), crate::config::ParsedConfig::default());
    assert!(edited.contains("\"other\": [1, 2], // not ours"));
}

#[test]
fn a_file_that_is_empty_or_has_no_servers_gets_its_first_one() {
    let add = ConfigEdit::Add { name: name("a"), entry: json!({"url": "http://h/mcp"}) };
    let expected = "{\n  \"mcpServers\": {\n    \"a\": {\n      \"url\": \"http://h/mcp\"\n    }\n  }\n}\n";
    assert_eq!(edit("", &add).unwrap(), expected);
    for text in [
        "{}",
        "{\r\n\t\"x\": 1\r\n}\r\n",
        "{ /* none yet */ }",
        "{\"mcpServers\": {} }",
        "// only words\n{\n}\n",
    ] {
        let edited = edit(text, &add).unwrap();
        assert_eq!(parse(&edited, None).servers.len(), 1, "{edited}");
        assert_eq!(comments(&edited), comments(text));
        assert!(!text.contains('\r') || !edited.replace("\r\n", "").contains('\n'), "{edited:?}");
    }
}

#[test]
fn what_the_reader_would_complain_about_is_refused_in_its_own_words() {
    let refused = |change: &ConfigEdit| match edit(FILE, change) {
        Err(EditError::Refused(problem)) => problem.message,
        other => panic!("{other:?}"),
    };
    assert!(refused(&set("files", &["att", "fall"], json!(0))).contains("att.fall must be a whole number"));
    assert!(refused(&set("files", &["att", "fal"], json!(3))).contains("att.fal is not a setting"));
    assert!(refused(&set("files", &["url"], json!("http://h/"))).contains("not both"));
    assert!(refused(&unset("files", &["command"])).contains("needs \"command\" or \"url\""));
    assert!(refused(&ConfigEdit::Add { name: name(""), entry: json!({"command": "x"}) }).contains("name"));
    assert!(
        refused(&ConfigEdit::Replace { name: name("files"), entry: json!(3) }).contains("must be an object")
    );
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let remove = ConfigEdit::Remove { name: name("a") };
    assert_eq!(edit(FILE, &remove), Err(EditError::UnknownServer(name("a"))));
    assert_eq!(
        edit(FILE, &ConfigEdit::Rename { name: name("files"), to: name("search") }),
        Err(EditError::NameTaken(name("search")))
    );
    let twice = r#"{"mcpServers": {"a": {"command": "x"}, "a": {"command": "y"}}}"#;
    assert_eq!(edit(twice, &remove), Err(EditError::StandsTwice(name("a"))));
    assert!(matches!(edit("{\"mcpServers\": {", &remove), Err(EditError::Broken(_))));
    assert!(matches!(edit("[]", &remove), Err(EditError::Broken(_))));
    assert_eq!(edit("{\"mcpServers\": 3}", &remove), Err(EditError::NotAnObject(name("mcpServers"))));
    assert_eq!(
        edit(FILE, &set("files", &["command", "x"], json!(1))),
        Err(EditError::NotAnObject(name("command")))
    );
}

/// The comments of a text, sorted.
fn comments(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let collect = jsonc_parser::CollectOptions {
        comments: jsonc_parser::CommentCollectionStrategy::AsTokens,
        tokens: true,
    };
    let options = crate::config::parse::options();
    for token in jsonc_parser::parse_to_ast(text, &collect, &options).unwrap().tokens.unwrap() {
        use jsonc_parser::tokens::Token;
        if matches!(token.token, Token::CommentLine(_) | Token::CommentBlock(_)) {
            found.push(text[token.range.start..token.range.end].trim_end().to_owned());
        }
    }
    found.sort();
    found
}

/// A commented file with servers `s0..`, laid out in one of several ways.
fn commented_file() -> impl Strategy<Value = String> {
    let entry = (0u8..4, any::<bool>()).prop_map(|(shape, own_lines)| {
        let newline = if own_lines { "\n      " } else { " " };
        match shape {
            0 => "{\"command\":\"x\"}".to_owned(),
            1 => format!("{{{newline}\"command\": \"x\",{newline}\"args\": [\"1\"],{newline}}}"),
            2 => format!(
                "{{{newline}\"url\": \"http://h/\", /* IN */{newline}\"att\": {{\"fall\": 3}}{newline}}}"
            ),
            _ => "{ \"command\": \"é\", \"env\": {}, \"unknown\": {\"a\": [1, {}]} }".to_owned(),
        }
    });
    let before = prop_oneof![Just(""), Just("/* b */ "), Just("// above\n    "), Just("\n\n    ")];
    let after = prop_oneof![Just(""), Just(" /* a */"), Just(" // behind\n"), Just("\n    // below\n")];
    let server = (before, entry, after, any::<bool>());
    (proptest::collection::vec(server, 0..5), any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        |(servers, own_lines, trailing, crlf)| {
            let mut text = String::from("// head\n{\"first\": null,\n  \"mcpServers\": {");
            let count = servers.len();
            for (number, (before, entry, after, comment_first)) in servers.into_iter().enumerate() {
                text.push_str(if own_lines { "\n    " } else { " " });
                text.push_str(&format!("{before}\"s{number}\": {entry}"));
                let comma = if number + 1 < count || trailing { "," } else { "" };
                text.push_str(&if comment_first {
                    format!("{after}{comma}")
                } else {
                    format!("{comma}{after}")
                });
            }
            text.push_str(if own_lines { "\n  " } else { "" });
            text.push_str("} // tail\n}\n");
            if crlf { text.replace('\n', "\r\n") } else { text }
        },
    )
}

fn any_edit() -> impl Strategy<Value = ConfigEdit> {
    let server = (0u8..5).prop_map(|n| format!("s{n}"));
    (server, 0u8..7, 1i64..9).prop_map(|(name, kind, number)| match kind {
        0 => ConfigEdit::Add { name: format!("new{number}"), entry: json!({"command": "y", "args": ["1"]}) },
        1 => ConfigEdit::Replace { name, entry: json!({"url": "http://new/", "att": {"group": "g"}}) },
        2 => ConfigEdit::Rename { to: format!("{name}-{number}"), name },
        3 => ConfigEdit::Remove { name },
        4 => ConfigEdit::Set { name, path: vec!["att".into(), "rise".into()], value: json!(number) },
        5 => ConfigEdit::Set { name, path: vec!["cwd".into()], value: json!("/tmp") },
        _ => ConfigEdit::Unset { name, path: vec!["att".into()] },
    })
}

/// Each entry's own text, by name.
fn entries(text: &str) -> Vec<(String, String)> {
    let parsed =
        jsonc_parser::parse_to_ast(text, &Default::default(), &crate::config::parse::options()).unwrap();
    let root = parsed.value.unwrap();
    let servers = root.as_object().unwrap().get_object("mcpServers").unwrap();
    use jsonc_parser::common::Ranged as _;
    servers
        .properties
        .iter()
        .map(|prop| {
            let range = prop.value.range();
            (prop.name.as_str().to_owned(), text[range.start..range.end].to_owned())
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_row_of_edits_leaves_every_other_entry_and_every_comment_outside_as_they_were(
        file in commented_file(),
        edits in proptest::collection::vec(any_edit(), 1..8),
    ) {
        let mut text = file;
        for change in edits {
            let after = match edit(&text, &change) {
                Ok(after) => after,
                Err(EditError::UnknownServer(_) | EditError::NameTaken(_)) => continue,
                Err(error) => return Err(TestCaseError::fail(format!("{error:?} for {change:?} in\n{text}"))),
            };
            let untouched = |text: &str, name: &str| {
                entries(text).into_iter().filter(|(other, _)| other != name).collect::<Vec<_>>()
            };
            prop_assert_eq!(untouched(&text, change.server()), untouched(&after, change.server_after()));
            // What stands inside the edited entry may go with it, nothing else.
            let mut kept = comments(&after);
            for comment in comments(&text) {
                match kept.iter().position(|one| *one == comment) {
                    Some(at) => drop(kept.remove(at)),
                    None => prop_assert!(comment.contains("IN"), "{} is gone\n{}\n{}", comment, text, after),
                }
            }
            prop_assert_eq!(kept, Vec::<String>::new());
            text = after;
        }
    }

    #[test]
    fn no_text_makes_an_edit_panic(text in "[{}\\[\\]\":,/* \\n\\r\tamcpServers0-9é\u{feff}]{0,80}") {
        for change in [
            ConfigEdit::Add { name: "a".into(), entry: json!({"command": "x"}) },
            ConfigEdit::Remove { name: "a".into() },
            ConfigEdit::Set { name: "a".into(), path: vec!["att".into(), "fall".into()], value: json!(3) },
        ] {
            let _ = edit(&text, &change);
        }
    }
}
