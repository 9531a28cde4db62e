//! The MCP conformance suite over the example `conformance-client`, strictly: one scenario a run, its exit code
//! counts, nothing failed, and at least one check passed (the suite's own score counts a client that does nothing).

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "tests may")]

use std::path::PathBuf;
use std::time::Duration;

use att_process::{CommandSpec, RunLimits, RunOutcome, run};
use futures::StreamExt as _;

/// Scenarios side by side; each is a Node.js, a server and a client.
const AT_ONCE: usize = 3;
const LIMITS: RunLimits = RunLimits { timeout: Duration::from_secs(90), max_output_bytes: 200_000 };

/// What the specification of 2025-11-25 requires of a client.
const LEGACY: [&str; 18] = [
    "elicitation-sep1034-client-defaults",
    "initialize",
    "tools_call",
    "sse-retry",
    "auth/metadata-default",
    "auth/metadata-var1",
    "auth/metadata-var2",
    "auth/metadata-var3",
    "auth/basic-cimd",
    "auth/scope-from-www-authenticate",
    "auth/scope-from-scopes-supported",
    "auth/scope-omitted-when-undefined",
    "auth/scope-step-up",
    "auth/scope-retry-limit",
    "auth/token-endpoint-auth-basic",
    "auth/token-endpoint-auth-post",
    "auth/token-endpoint-auth-none",
    "auth/pre-registration",
];

/// What the specification of 2026-07-28 requires of a client.
const MODERN: [&str; 32] = [
    "sep-2322-client-request-state",
    "tools_call",
    "request-metadata",
    "auth/metadata-default",
    "auth/metadata-var1",
    "auth/metadata-var2",
    "auth/metadata-var3",
    "auth/basic-cimd",
    "auth/scope-from-www-authenticate",
    "auth/scope-from-scopes-supported",
    "auth/scope-omitted-when-undefined",
    "auth/scope-step-up",
    "auth/scope-retry-limit",
    "auth/token-endpoint-auth-basic",
    "auth/token-endpoint-auth-post",
    "auth/token-endpoint-auth-none",
    "auth/pre-registration",
    "auth/resource-mismatch",
    "auth/offline-access-scope",
    "auth/offline-access-not-supported",
    "auth/authorization-server-migration",
    "auth/iss-supported",
    "auth/iss-not-advertised",
    "auth/iss-supported-missing",
    "auth/iss-wrong-issuer",
    "auth/iss-unexpected",
    "auth/iss-normalized",
    "auth/metadata-issuer-mismatch",
    "http-standard-headers",
    "http-custom-headers",
    "http-invalid-tool-headers",
    "json-schema-ref-no-deref",
];

/// The authorization of 2025-03-26, which servers in the wild still have.
const OLD: [&str; 2] =
    ["auth/2025-03-26-oauth-metadata-backcompat", "auth/2025-03-26-oauth-endpoint-fallback"];

/// What is not required and is passed all the same; extensions run at no version.
const BEYOND: [(&str, Option<&str>); 5] = [
    ("json-schema-2020-12-preservation", Some("2025-11-25")),
    ("json-schema-2020-12-preservation", Some("2026-07-28")),
    ("auth/client-credentials-jwt", None),
    ("auth/client-credentials-basic", None),
    ("auth/enterprise-managed-authorization", None),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_scenario_of_the_peer_suite_passes_strictly() {
    let at = |version: &'static str| move |name: &&'static str| (*name, Some(version));
    let scenarios: Vec<(&str, Option<&str>)> = LEGACY
        .iter()
        .map(at("2025-11-25"))
        .chain(MODERN.iter().map(at("2026-07-28")))
        .chain(OLD.iter().map(at("2025-03-26")))
        .chain(BEYOND)
        .collect();
    let dir = tempfile::tempdir().unwrap();
    let total = scenarios.len();
    let failed: Vec<String> = futures::stream::iter(scenarios)
        .map(|(name, version)| {
            let spec = suite(name, version).cwd(dir.path());
            async move {
                let outcome = run(&spec, &LIMITS).await.expect("the suite starts");
                verdict(&outcome).err().map(|why| {
                    let said = format!("{}\n{}", outcome.stdout, outcome.stderr);
                    format!("=== {name} {}: {why}\n{said}", version.unwrap_or("extension"))
                })
            }
        })
        .buffer_unordered(AT_ONCE)
        .filter_map(async |failure| failure)
        .collect()
        .await;
    assert!(failed.is_empty(), "{} of {total} scenarios fail:\n{}", failed.len(), failed.join("\n\n"));
}

#[tokio::test]
async fn a_client_that_does_nothing_passes_no_scenario_of_the_peer_suite() {
    let mut spec = suite("tools_call", Some("2025-11-25"));
    let command = spec.argv.iter().position(|word| word == "--command").unwrap() + 1;
    spec.argv[command] = "true".to_owned();
    let outcome = run(&spec, &LIMITS).await.unwrap();
    assert!(verdict(&outcome).is_err(), "{}", outcome.stdout);
}

/// One run of the suite.
fn suite(scenario: &str, version: Option<&str>) -> CommandSpec {
    let peer = |variable: &str| {
        std::env::var(variable)
            .unwrap_or_else(|_| panic!("{variable} is not set: ./test installs the peer and sets it"))
    };
    let client = client().display().to_string();
    assert!(!client.contains(' '), "the suite splits its command at blanks: {client}");
    let mut argv = vec![peer("ATT_PEER_NODE"), peer("ATT_PEER_CONFORMANCE")];
    argv.extend(["client", "--command", &client, "--scenario", scenario].map(str::to_owned));
    if let Some(version) = version {
        argv.extend(["--spec-version".to_owned(), version.to_owned()]);
    }
    CommandSpec::new(argv)
}

/// The example, which cargo builds beside this test.
fn client() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let client = test.ancestors().nth(2).unwrap().join("examples/conformance-client");
    assert!(client.is_file(), "{} is not built", client.display());
    client
}

/// Strict: ended by itself with 0, nothing failed, something passed.
fn verdict(outcome: &RunOutcome) -> Result<(), String> {
    if !outcome.success() {
        return Err(format!("exit {:?}, timed out: {}", outcome.exit.code, outcome.timed_out));
    }
    let mut lines = outcome.stdout.lines().chain(outcome.stderr.lines());
    let line = lines.find_map(|line| line.trim().strip_prefix("Passed: "));
    let (passed, rest) = line.and_then(|line| line.split_once('/')).ok_or("it tells no score")?;
    match passed.parse::<u32>() {
        Ok(passed) if passed > 0 && rest.contains(" 0 failed") => Ok(()),
        _ => Err(format!("it tells {passed}/{rest}")),
    }
}
