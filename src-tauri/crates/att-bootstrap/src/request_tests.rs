//! What a request may and may not ask for.

use super::*;
use crate::config::Config;

fn target(context: &str) -> ResolvedPolicy {
    let text = format!(
        "[project]\nname='shop'\nbase='main'\n[targets.web]\ndeployment_context='{context}'\n\
         health_check_target='http://web/'\ndeploy={{argv=['x']}}\nobserve={{argv=['x']}}\n"
    );
    Config::read(text.as_bytes(), "att.toml").unwrap().targets["web"].policy.clone()
}

fn word(request: &CycleRequest, policy: &ResolvedPolicy) -> &'static str {
    request.resolve(policy).map_or_else(|refusal| refusal.word(), |_| "accepted")
}

#[test]
fn a_request_may_be_stricter_than_its_target_but_a_laxer_one_is_refused() {
    let own = target("self_hosted");
    let theirs = target("external");
    let none = CycleRequest::default;
    let cases = [
        (CycleRequest { deployment_context: Some(DeploymentContext::External), ..none() }, &own, "accepted"),
        (
            CycleRequest { deployment_context: Some(DeploymentContext::SelfHosted), ..none() },
            &theirs,
            "deployment_context_mismatch",
        ),
        (CycleRequest { rollback_on_health_failure: Some(false), ..none() }, &own, "accepted"),
        (CycleRequest { rollback_on_deploy_failure: Some(true), ..none() }, &own, "policy_laxer_than_target"),
        (CycleRequest { health_check_retries: Some(0), ..none() }, &own, "accepted"),
        (CycleRequest { health_check_retries: Some(9), ..none() }, &own, "policy_laxer_than_target"),
        (CycleRequest { restart_watchdog_retries: Some(4), ..none() }, &own, "policy_laxer_than_target"),
        (CycleRequest { restart_watchdog_interval_seconds: Some(6), ..none() }, &own, "accepted"),
        (
            CycleRequest { restart_watchdog_interval_seconds: Some(0), ..none() },
            &own,
            "policy_laxer_than_target",
        ),
        (CycleRequest { auto_merge_on_ci_success: Some(false), ..none() }, &own, "accepted"),
        (
            CycleRequest { health_check_target: Some("http://mine/".into()), ..none() },
            &own,
            "policy_laxer_than_target",
        ),
    ];
    for (request, policy, want) in cases {
        assert_eq!(word(&request, policy), want, "{request:?}");
    }
}

#[test]
fn who_asks_cannot_point_the_health_gate_at_a_server_of_their_own() {
    let none = ResolvedPolicy { health_check_target: None, ..target("self_hosted") };
    let asked = CycleRequest { health_check_target: Some("http://mine/".into()), ..CycleRequest::default() };
    assert_eq!(word(&asked, &none), "policy_laxer_than_target");
}

#[test]
fn an_absent_field_means_the_targets_value() {
    let policy = target("external");
    assert_eq!(CycleRequest::default().resolve(&policy).unwrap(), policy);
}

#[test]
fn a_request_is_about_exactly_one_change_inside_the_repository() {
    let base = CycleRequest { commit_message: Some("m".into()), ..CycleRequest::default() };
    let file =
        |path: &str| CycleRequest { file_path: Some(path.into()), content: Some("x".into()), ..base.clone() };
    assert!(file("src/a.txt").check().is_ok());
    for path in ["../a", "/etc/passwd", "a/../../b", ".git/hooks/pre-push", "a//b", ""] {
        assert!(file(path).check().is_err(), "{path}");
    }
    assert!(base.check().is_err());
    let two = CycleRequest { patch: Some("p".into()), ..file("a") };
    assert!(two.check().is_err());
    let silent = CycleRequest { commit_message: None, ..file("a") };
    assert!(silent.check().unwrap_err().to_string().contains("commit_message"));
    let branch = |name: &str| CycleRequest { existing_branch: Some(name.into()), ..CycleRequest::default() };
    assert!(branch("feature/x").check().is_ok());
    for name in ["-x", "a..b", "a b", ""] {
        assert!(branch(name).check().is_err(), "{name}");
    }
    let commit = |id: &str| CycleRequest { existing_commit: Some(id.into()), ..CycleRequest::default() };
    assert!(commit("--upload-pack=x").check().is_err());
}

#[test]
fn an_unknown_field_of_a_request_is_refused() {
    let error = serde_json::from_str::<CycleRequest>(r#"{"project": "p", "polcy": {}}"#).unwrap_err();
    assert!(error.to_string().contains("unknown field `polcy`"));
}

#[test]
fn a_new_release_id_cannot_lead_the_operators_commands_astray() {
    let asks = |id: &str| CycleRequest {
        existing_branch: Some("b".into()),
        requested_release_id: Some(id.into()),
        ..CycleRequest::default()
    };
    for id in ["v3", "shop-v3", "1.2.0-rc.1+build", "app:v2", "sha256:ab", ""] {
        assert!(asks(id).check().is_ok(), "{id}");
    }
    for id in [
        "../../victim",
        "shop-v1/app",
        "/etc",
        ".",
        "..",
        ".hidden",
        "-rf",
        "a b",
        "a\nb",
        "$(reboot)",
        "a;b",
        "a\"b",
        "shop-\u{202e}2v",
        "sh\u{43e}p-v2",
        "shop-v2\u{200b}",
    ] {
        assert!(asks(id).check().is_err(), "{id:?}");
    }
}

#[test]
fn a_request_cannot_hold_its_target_for_ages() {
    let asks = |seconds| CycleRequest {
        existing_branch: Some("b".into()),
        health_check_interval_seconds: Some(seconds),
        ..CycleRequest::default()
    };
    assert!(asks(86_400).check().is_ok());
    assert!(asks(u32::MAX).check().unwrap_err().to_string().contains("health_check_interval_seconds"));
}
