//! The configuration while it is used: edited, imported, changed by hand, broken, taken away.

use crate::outside::{Watch, att, config, refused, row_of, stdio};
use crate::support::{TestHome, eventually};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(15);

async fn problems(home: &TestHome) -> String {
    att(home, &["servers"]).await.stderr
}

#[tokio::test]
async fn a_change_of_the_file_is_followed_and_touches_only_what_changed() {
    let home = TestHome::empty();
    let both = json!({"a": stdio(&home, &[]), "b": stdio(&home, &[])});
    config(&home, "mcp.json", &both);
    let watch = Watch::start(&home, &[]).await;
    for server in ["a", "b"] {
        crate::outside::approve(&home, server).await;
    }
    let a = watch.reaches("a", "healthy", SOON).await;
    watch.reaches("b", "healthy", SOON).await;

    let mut more = both.clone();
    more["c"] = json!({"url": "http://127.0.0.1:9/mcp", "att": {"disabled": true}});
    more["b"]["att"] = json!({"disabled": true});
    config(&home, "mcp.json", &more);
    watch.reaches("c", "disabled", SOON).await;
    watch.reaches("b", "disabled", SOON).await;
    let still = watch.reaches("a", "healthy", SOON).await;
    assert_eq!(still["since_ms"], a["since_ms"], "a server that did not change was touched");

    home.write("mcp.json", "{\"mcpServers\": {");
    eventually("the broken file is told", SOON, async || {
        problems(&home).await.contains("not valid JSON").then_some(())
    })
    .await;
    let answer = home.att_json(&["servers"]).await;
    assert_eq!(row_of(&answer, "a").unwrap()["since_ms"], a["since_ms"], "a broken file ended a server");

    std::fs::remove_file(home.path().join("mcp.json")).unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let answer = home.att_json(&["servers"]).await;
    assert_eq!(
        row_of(&answer, "a").unwrap()["since_ms"],
        a["since_ms"],
        "a file that is gone ended a server"
    );

    config(&home, "mcp.json", &json!({"a": both["a"]}));
    eventually("the removed ones are gone", SOON, async || {
        let answer = home.att_json(&["servers"]).await;
        (row_of(&answer, "b").is_none() && row_of(&answer, "c").is_none()).then_some(())
    })
    .await;
    assert_eq!(watch.reaches("a", "healthy", SOON).await["since_ms"], a["since_ms"]);

    let set = att(&home, &["settings", "set", "fleet.probe", "none"]).await;
    assert!(set.success(), "{}", set.stderr);
    let listed = home.att_json(&["settings", "list"]).await;
    let probe =
        listed.as_array().unwrap().iter().find(|setting| setting["key"] == "fleet.probe").cloned().unwrap();
    assert_eq!((&probe["value"], &probe["set"]), (&json!("\"none\""), &json!(true)), "{probe}");
    refused(&home, &["settings", "set", "fleet.fall", "0"], 2, "invalid_input").await;

    let withdrawn = att(&home, &["consent", "withdraw", "a"]).await;
    assert!(withdrawn.success(), "{}", withdrawn.stderr);
    watch.reaches("a", "consent_required", SOON).await;
    let listed = home.att_json(&["consent", "list"]).await;
    assert_eq!((&listed[0]["server"], &listed[0]["approved"]), (&json!("a"), &json!(false)), "{listed}");
    refused(&home, &["consent", "approve", "a"], 3, "waits_for_person").await;
    watch.signal(Signal::TERM);
    watch.ended(SOON).await;
}

#[tokio::test]
async fn the_doctor_names_the_step_that_fails_and_is_well_with_a_sound_server() {
    let home = TestHome::empty();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let file = config(
        &home,
        "mcp.json",
        &json!({"sound": stdio(&home, &[]), "shut": {"url": format!("http://127.0.0.1:{port}/mcp")}}),
    );
    let failing = async |server: &str, step: &str| {
        let outcome = att(&home, &["doctor", server, "--json"]).await;
        assert_eq!(outcome.exit.code, Some(1), "{}", outcome.stderr);
        let found: Value = serde_json::from_str(&outcome.stdout).unwrap();
        let failed =
            found["steps"].as_array().unwrap().iter().find(|step| step["outcome"] == "failed").cloned();
        assert_eq!(failed.unwrap()["step"], step, "{found}");
    };
    failing("shut", "tcp").await;
    failing("sound", "consent").await;
    let well = att(&home, &["doctor", "sound", "--config", file.to_str().unwrap()]).await;
    assert!(well.success() && well.stdout.contains("lists    ok"), "{}{}", well.stdout, well.stderr);
    refused(&home, &["doctor", "none"], 2, "not_found").await;
}

#[tokio::test]
async fn servers_are_edited_from_the_command_line_while_comments_stay() {
    let home = TestHome::empty();
    home.write("mcp.json", "{\n  // mine\n  \"mcpServers\": {\n    \"old\": {\"url\": \"http://127.0.0.1:9/mcp\"} // why\n  }\n}\n");
    for arguments in [
        &["server", "add", "new", "--env", "TOKEN=${env:T}", "--", "prog", "--flag", "x"][..],
        &["server", "set", "new", "group", "g"],
        &["server", "set", "old", "probe_interval_ms", "5000"],
        &["server", "disable", "old"],
        &["server", "rename", "new", "newer"],
    ] {
        let done = att(&home, arguments).await;
        assert!(done.success(), "{arguments:?}: {}", done.stderr);
    }
    let text = std::fs::read_to_string(home.path().join("mcp.json")).unwrap();
    assert!(text.contains("// mine") && text.contains("// why"), "{text}");
    let json: Value = serde_json::from_str(&text.replace("// mine", "").replace("// why", "")).unwrap();
    assert_eq!(
        json["mcpServers"],
        json!({
            "old": {"url": "http://127.0.0.1:9/mcp", "att": {"probe_interval_ms": 5000, "disabled": true}},
            "newer": {"command": "prog", "args": ["--flag", "x"], "env": {"TOKEN": "${env:T}"}, "att": {"group": "g"}},
        })
    );
    let error = refused(&home, &["server", "set", "old", "fall", "0"], 2, "invalid_input").await;
    assert!(error["message"].as_str().unwrap().contains("att.fall"), "{error}");
    refused(&home, &["server", "remove", "none"], 2, "not_found").await;
    assert_eq!(std::fs::read_to_string(home.path().join("mcp.json")).unwrap(), text);
}

#[tokio::test]
async fn an_import_keeps_its_secret_out_of_every_file_but_the_place_of_secrets() {
    let home = TestHome::empty();
    let outside = tempfile::tempdir().unwrap();
    let theirs = outside.path().join("claude_desktop_config.json");
    let secret = "tango-7193-unlisted-value";
    let text = json!({"mcpServers": {"gh": {"command": "gh-mcp", "env": {"GITHUB_TOKEN": secret}}}});
    std::fs::write(&theirs, text.to_string()).unwrap();
    let file = theirs.to_str().unwrap();
    let environment = [("ATT_SECRETS_PASSPHRASE", "a long passphrase of the test")];
    let run = async |arguments: &[&str]| {
        let spec = environment
            .iter()
            .fold(home.command("att", arguments), |spec, (name, value)| spec.env(*name, *value));
        crate::support::run_to_end(&spec).await
    };
    let shown = run(&["import", "claude-desktop", file, "--dry-run"]).await;
    assert!(
        shown.stdout.contains("gh [new]") && shown.stdout.contains("gh-github_token"),
        "{}",
        shown.stdout
    );
    assert!(!home.path().join("mcp.json").exists());
    let done = run(&["import", "claude-desktop", file, "--json"]).await;
    assert_eq!(done.exit.code, Some(0), "{}", done.stderr);
    let answer: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(
        (&answer["done"]["added"], &answer["done"]["secrets"]),
        (&json!(["gh"]), &json!(["gh-github_token"]))
    );
    for output in [&shown.stdout, &shown.stderr, &done.stdout, &done.stderr] {
        assert!(!output.contains(secret), "{output}");
    }
    let written = std::fs::read_to_string(home.path().join("mcp.json")).unwrap();
    assert!(written.contains("${keyring:gh-github_token}") && !written.contains(secret), "{written}");
    let again = run(&["import", file, "--json"]).await;
    let answer: Value = serde_json::from_str(&again.stdout).unwrap();
    assert_eq!(answer["plan"]["servers"][0]["standing"], "identical");
    assert_eq!(answer["done"]["added"], json!([]));
    refused(&home, &["import", "nobody"], 2, "not_found").await;
}
