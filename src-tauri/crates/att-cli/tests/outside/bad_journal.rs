//! A home that cannot be used: unwritable, or with a journal that is foreign, newer or corrupt.

use crate::outside::{att, refused, refused_by};
use crate::support::{TestHome, run_to_end};
use att_process::CommandSpec;
use std::os::unix::fs::PermissionsExt as _;

/// Where SQLite's header keeps `user_version` and `application_id`, big-endian.
const USER_VERSION: usize = 60;
const APPLICATION_ID: usize = 68;

/// A home whose journal is a real one, with `patch` applied to the file's bytes.
async fn home_with_journal(patch: impl FnOnce(&mut Vec<u8>)) -> TestHome {
    let home = TestHome::empty();
    assert!(att(&home, &["servers"]).await.success());
    let path = home.path().join("journal.db");
    let mut bytes = std::fs::read(&path).unwrap();
    assert_eq!(&bytes[APPLICATION_ID..APPLICATION_ID + 4], b"ATTJ", "the marks lie elsewhere");
    patch(&mut bytes);
    std::fs::write(&path, bytes).unwrap();
    home
}

#[tokio::test]
async fn a_text_file_in_the_journals_place_is_refused_and_left_as_it_is() {
    let home = TestHome::empty();
    let text = "my shopping list: milk, bread, and whatever else fits into a file of some length\n".repeat(5);
    let path = home.write("journal.db", &text);
    for command in
        [&["servers"][..], &["events"], &["journal", "verify"], &["decision", "list"], &["release", "list"]]
    {
        let error = refused(&home, command, 1, "journal_unavailable").await;
        assert!(error["cause"].as_str().unwrap().contains("no SQLite database"), "{error}");
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), text);
}

#[tokio::test]
async fn another_programs_database_is_refused_and_left_as_it_is() {
    let home =
        home_with_journal(|bytes| bytes[APPLICATION_ID..APPLICATION_ID + 4].copy_from_slice(b"MAIL")).await;
    let before = std::fs::read(home.path().join("journal.db")).unwrap();
    let error = refused(&home, &["servers"], 1, "journal_unavailable").await;
    assert!(error["cause"].as_str().unwrap().contains("another program"), "{error}");
    assert_eq!(std::fs::read(home.path().join("journal.db")).unwrap(), before);
}

#[tokio::test]
async fn a_newer_journal_is_read_and_said_to_be_newer_and_never_written() {
    let home = home_with_journal(|bytes| bytes[USER_VERSION + 3] = 99).await;
    let before = std::fs::read(home.path().join("journal.db")).unwrap();
    let outcome = att(&home, &["servers"]).await;
    assert!(outcome.success(), "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("journal_too_new") && outcome.stderr.contains("newer ATT"),
        "{}",
        outcome.stderr
    );
    assert!(att(&home, &["journal", "verify"]).await.success());
    home.write("request.json", "{\"existing_commit\": \"HEAD\", \"commit_message\": \"m\"}");
    let request = home.path().join("request.json").display().to_string();
    let folder = home.path().display().to_string();
    let run = att(&home, &["release", "run", &request, "--project", &folder]).await;
    assert!(!run.success(), "{}", run.stdout);
    assert_eq!(std::fs::read(home.path().join("journal.db")).unwrap(), before);
}

#[tokio::test]
async fn a_corrupt_journal_ends_with_code_four() {
    let home = home_with_journal(|bytes| {
        for (at, byte) in bytes.iter_mut().enumerate().skip(4096) {
            *byte = u8::try_from(at * 7 % 251).unwrap();
        }
    })
    .await;
    for command in [&["servers"][..], &["journal", "verify"], &["decision", "list"]] {
        let error = refused(&home, command, 4, "journal_damaged").await;
        assert!(error["cause"].as_str().unwrap().contains("corrupt"), "{error}");
    }
}

#[tokio::test]
async fn a_truncated_journal_ends_with_code_four() {
    let home = home_with_journal(|bytes| bytes.truncate(6000)).await;
    refused(&home, &["journal", "verify"], 4, "journal_damaged").await;
}

/// `att` in `home` as the user nobody, through a copy that nobody may run.
fn as_nobody(home: &TestHome, arguments: &[&str]) -> CommandSpec {
    let mut spec = home.command("att", arguments);
    let nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--"];
    spec.argv = nobody.iter().map(ToString::to_string).chain(spec.argv).collect();
    spec
}

#[tokio::test]
async fn a_home_that_cannot_be_written_is_told_with_its_cure() {
    let home = TestHome::empty();
    // Root passes every permission, so the unwritable home is tried as somebody else.
    std::fs::set_permissions(home.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    for command in [&["servers", "--json"][..], &["demo", "init", "--json"], &["journal", "verify", "--json"]]
    {
        let error = refused_by(&as_nobody(&home, command), 1, "journal_unavailable").await;
        assert!(error["cause"].as_str().unwrap().contains("Permission denied"), "{error}");
        assert!(error["cure"].as_str().unwrap().contains("ATT_HOME"), "{error}");
    }
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 1, "nothing was made beside the test's mark");
}

#[tokio::test]
async fn without_any_place_for_state_the_cure_names_att_home() {
    let home = TestHome::empty();
    let att = crate::support::program("att").display().to_string();
    let spec = CommandSpec::new([
        "env",
        "-u",
        "HOME",
        "-u",
        "XDG_DATA_HOME",
        "-u",
        "ATT_HOME",
        &att,
        "servers",
        "--json",
    ])
    .cwd(home.path());
    let error = refused_by(&spec, 2, "invalid_input").await;
    assert!(error["cure"].as_str().unwrap().contains("ATT_HOME"), "{error}");
    let file = home.write("a-file", "x").display().to_string();
    let outcome = run_to_end(&CommandSpec::new([att.as_str(), "servers"]).env("ATT_HOME", file)).await;
    assert_eq!(outcome.exit.code, Some(1), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("cure:") && !outcome.stderr.contains("panicked"), "{}", outcome.stderr);
}

#[tokio::test]
async fn the_demo_is_laid_where_nobody_did_anything_yet_and_nowhere_else() {
    let looked_at = TestHome::empty();
    assert!(looked_at.att(&["servers"]).await.success());
    assert!(looked_at.path().join("journal.db").exists());
    let made = looked_at.att(&["demo", "init"]).await;
    assert!(made.success(), "{}", made.stderr);

    let own = TestHome::empty();
    own.write("mcp.json", "{\"mcpServers\": {}}\n");
    let refused = own.att(&["demo", "init"]).await;
    assert_eq!(refused.exit.code, Some(2), "{}", refused.stderr);
    assert!(!own.path().join("demo-home").exists());

    // A journal with entries, and no mcp.json any more.
    std::fs::remove_file(looked_at.path().join("mcp.json")).unwrap();
    std::fs::remove_file(looked_at.path().join("demo-home")).unwrap();
    let refused = looked_at.att(&["demo", "init"]).await;
    assert_eq!(refused.exit.code, Some(2), "{}", refused.stderr);
}
