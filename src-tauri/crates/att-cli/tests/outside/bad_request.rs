//! Requests, projects and calls that are none.

use crate::outside::{att, config, refused, stdio};
use crate::support::{TestHome, run_to_end};
use att_process::CommandSpec;
use serde_json::json;
use std::path::Path;

async fn git(folder: &Path, arguments: &[&str]) {
    let spec = CommandSpec::new(std::iter::once("git").chain(arguments.iter().copied()))
        .cwd(folder)
        .env("GIT_AUTHOR_NAME", "Test")
        .env("GIT_AUTHOR_EMAIL", "test@example.invalid")
        .env("GIT_COMMITTER_NAME", "Test")
        .env("GIT_COMMITTER_EMAIL", "test@example.invalid");
    let outcome = run_to_end(&spec).await;
    assert!(outcome.success(), "git {arguments:?}: {}", outcome.stderr);
}

#[tokio::test]
async fn a_request_that_is_none_is_refused_with_its_place() {
    let home = TestHome::demo().await;
    let cases = [
        ("{\"existing_branch\": \"x\"", "line 1"),
        ("{\n  \"brnch\": \"x\"\n}", "brnch"),
        ("[]", ""),
        ("", ""),
        ("{\"ci_timeout_seconds\": \"soon\"}", "line 1"),
        ("{\"file_path\": \"../../etc/passwd\", \"content\": \"x\", \"commit_message\": \"m\"}", ""),
    ];
    for (text, says) in cases {
        let file = home.write("request.json", text).display().to_string();
        let error =
            refused(&home, &["release", "run", &file, "--project", "demo-shop"], 2, "invalid_input").await;
        assert!(error.to_string().contains(says), "{text}: {error}");
    }
    let missing = home.path().join("none.json").display().to_string();
    refused(&home, &["release", "run", &missing, "--project", "demo-shop"], 2, "invalid_input").await;
    let list = home.att_json(&["release", "list"]).await;
    assert_eq!(list["cycles"].as_array().unwrap().len(), 0, "no cycle began: {list}");
}

#[tokio::test]
async fn a_folder_without_a_repository_and_an_unknown_project_are_refused() {
    let home = TestHome::empty();
    let request = home.write("request.json", "{\"existing_commit\": \"HEAD\", \"commit_message\": \"m\"}");
    let request = request.display().to_string();
    std::fs::create_dir(home.path().join("plain")).unwrap();
    let folder = home.path().join("plain").display().to_string();
    let outcome = att(&home, &["release", "run", &request, "--project", &folder, "--json"]).await;
    assert!(!outcome.success());
    assert!(outcome.stderr.contains("not a git repository"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("\"cure\": \"put the repository"), "{}", outcome.stderr);
    refused(&home, &["release", "run", &request, "--project", "nobody"], 2, "not_found").await;
    refused(&home, &["release", "show", "nothing"], 2, "not_found").await;
    refused(&home, &["decision", "show", "nothing"], 2, "not_found").await;
}

#[tokio::test]
async fn a_broken_att_toml_at_the_base_is_named_by_line_and_column() {
    let home = TestHome::demo().await;
    let project = home.path().join("demo/project");
    let sound = std::fs::read_to_string(project.join("att.toml")).unwrap();
    let request = home.write(
        "request.json",
        "{\"file_path\": \"a.txt\", \"content\": \"a\", \"commit_message\": \"Add a\"}",
    );
    let request = request.display().to_string();
    let broken = [
        (sound.replacen("base = \"main\"", "base = main", 1), 5, "quoted"),
        (sound.replacen("timeout_ms = 60000", "timeout_ms = \"long\"", 1), 9, "whole number"),
        (sound.replacen("[tests]", "[testz]", 1), 7, "testz"),
    ];
    for (text, line, names) in broken {
        assert_ne!(text, sound, "the demo's att.toml has changed: mend this test");
        std::fs::write(project.join("att.toml"), &text).unwrap();
        git(&project, &["commit", "--quiet", "--all", "--message", "Break att.toml"]).await;
        git(&project, &["push", "--quiet", "origin", "main"]).await;
        let error =
            refused(&home, &["release", "run", &request, "--project", "demo-shop"], 2, "invalid_config")
                .await;
        let all = error.to_string();
        assert!(all.contains("att.toml"), "the file: {all}");
        assert!(
            all.contains(&format!(":{line}:")) || all.contains(&format!("line {line}")),
            "line {line}: {all}"
        );
        assert!(all.contains(names), "{names}: {all}");
    }
    let list = home.att_json(&["release", "list"]).await;
    assert_eq!(list["cycles"].as_array().unwrap().len(), 0, "no cycle began: {list}");
}

#[tokio::test]
async fn calls_with_bad_arguments_or_to_nothing_say_so() {
    let home = TestHome::empty();
    let file = config(&home, "own.json", &json!({"a": stdio(&home, &[]), "b": stdio(&home, &[])}));
    let file = file.to_str().unwrap();
    for arguments in ["{", "[1]", "\"text\"", "7"] {
        let call = ["call", "echo", "--server", "a", "--args", arguments, "--config", file];
        refused(&home, &call, 2, "invalid_input").await;
    }
    refused(&home, &["call", "echo", "--server", "nobody", "--config", file], 2, "not_found").await;
    let failure = |outcome: att_process::RunOutcome| -> serde_json::Value {
        serde_json::from_str(&outcome.stdout)
            .unwrap_or_else(|e| panic!("{e}: {} {}", outcome.stdout, outcome.stderr))
    };
    let both = att(&home, &["call", "echo", "--config", file, "--json"]).await;
    assert_ne!(both.exit.code, Some(0), "two servers have the tool, and none was named");
    let both = failure(both);
    assert!(both["message"].as_str().unwrap().contains("echo"), "{both}");
    let nothing = att(&home, &["call", "nothere", "--server", "a", "--config", file, "--json"]).await;
    assert_eq!(nothing.exit.code, Some(1));
    let people = att(&home, &["call", "nothere", "--server", "a", "--config", file]).await;
    assert!(
        people.stderr.contains("error[application_error]") && people.stderr.contains("cure:"),
        "{}",
        people.stderr
    );
    let nothing = failure(nothing);
    assert_eq!(nothing["attempts"][0]["outcome"], "replied_error", "{nothing}");
    let keys: Vec<&str> = nothing.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["code", "status", "message", "method", "request_id", "attempts"]);
    assert_eq!(att(&home, &["nonsense"]).await.exit.code, Some(2));
    assert_eq!(att(&home, &["events", "--limit", "many"]).await.exit.code, Some(2));
}
