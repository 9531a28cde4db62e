//! What reading an `att.toml` promises.

use super::*;
use crate::model::DeploymentContext;

const SMALLEST: &str = r#"
[project]
name = "shop"
base = "main"

[tests]
argv = ["make", "test"]

[ci]
kind = "none"

[targets.web]
deployment_context = "external"
deploy = { argv = ["./deploy"], timeout_ms = 5000 }
observe = { argv = ["./observe"] }
rollback = { argv = ["./rollback"] }
"#;

#[test]
fn the_smallest_form_gets_the_designs_defaults() {
    let config = Config::read(SMALLEST.as_bytes(), "att.toml").unwrap();
    assert_eq!((config.project.as_str(), config.base.as_str(), config.ci), ("shop", "main", Some(Ci::None)));
    assert_eq!(config.sources.order, [SourceKind::Ledger, SourceKind::RuntimeLog, SourceKind::Git]);
    let web = &config.targets["web"];
    assert_eq!(web.policy.deployment_context, DeploymentContext::External);
    assert_eq!(
        (
            web.policy.rollback_on_deploy_failure,
            web.policy.rollback_on_restart_watchdog_failure,
            web.policy.rollback_on_health_failure
        ),
        (false, true, true)
    );
    assert_eq!((web.policy.health_check_retries, web.policy.health_check_interval_ms), (1, 5_000));
    assert_eq!((web.policy.restart_watchdog_retries, web.policy.restart_watchdog_interval_ms), (3, 5_000));
    assert_eq!((web.policy.ci_timeout_ms, web.policy.ci_initial_poll_ms), (600_000, 10_000));
    assert_eq!(web.deploy.as_ref().unwrap().timeout_ms, 5000);
    assert_eq!(config.digest, att_core::sha256_hex(SMALLEST));
}

#[test]
fn every_fault_is_named_by_line_column_and_cure() {
    let with = |from: &str, to: &str| SMALLEST.replace(from, to);
    let cases = [
        (with("deploy =", "depoy ="), 14, 1, "did you mean `deploy`?", "use one of"),
        (with("base = \"main\"\n", ""), 2, 1, "missing field `base`", "add `base`"),
        (with("\"none\"", "\"github\""), 10, 8, "`github` is not yet supported", "`kind = \"command\"`"),
        (with("\"none\"", "\"comand\""), 10, 8, "did you mean `command`?", "use `none` or `command`"),
        (with("\"none\"", "\"command\""), 10, 8, "needs a command", "argv"),
        (with("[\"make\", \"test\"]", "[]"), 7, 8, "the command is empty", "argv"),
        (with("timeout_ms = 5000", "timeout_ms = 0"), 14, 46, "greater than 0", "timeout_ms"),
        (with("observe = { argv = [\"./observe\"] }", ""), 12, 10, "no `observe` command", "observe ="),
        (with("\"external\"", "\"extern\""), 13, 22, "did you mean `external`?", "self_hosted, external"),
        (with("name = \"shop\"", "name = \"a/b\""), 3, 8, "cannot be the name", "letters"),
        (with("[ci]", "[sources]\norder = [\"ledgr\"]\n[ci]"), 10, 10, "did you mean `ledger`?", "ledger"),
        (with("[ci]", "[ci"), 9, 4, "", ""),
    ];
    for (text, line, column, message, cure) in cases {
        let error = Config::read(text.as_bytes(), "att.toml").unwrap_err();
        assert_eq!((error.line, error.column), (line, column), "{error}");
        assert!(error.message.contains(message), "{error}");
        assert!(error.cure.contains(cure), "{error} / {}", error.cure);
    }
}

#[test]
fn a_fraction_of_a_second_is_kept_in_milliseconds() {
    let text = SMALLEST.replace("[targets.web]", "[targets.web]\nrestart_watchdog_interval_seconds = 0.02");
    let config = Config::read(text.as_bytes(), "att.toml").unwrap();
    assert_eq!(config.targets["web"].policy.restart_watchdog_interval_ms, 20);
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_reading_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        let _ = Config::read(&bytes, "att.toml");
    }

    #[test]
    fn a_cut_off_file_is_an_error_or_a_config_but_never_a_panic(cut in 0..SMALLEST.len()) {
        let _ = Config::read(&SMALLEST.as_bytes()[..cut], "att.toml");
    }
}
