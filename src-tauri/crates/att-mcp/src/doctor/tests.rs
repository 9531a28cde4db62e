use super::*;
use att_core::SystemClock;
use att_core::id::OsRandomness;
use att_core::secret::MemorySecrets;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::any;
use tokio::net::TcpListener;

/// The step that failed, after which all others were skipped, and what was said about it.
async fn failing(config: ServerConfig, consented: bool) -> (String, DoctorStep) {
    let instruments = Instruments {
        clock: Arc::new(SystemClock),
        randomness: Arc::new(OsRandomness),
        secrets: Arc::new(MemorySecrets::default()),
    };
    let mut told = Vec::new();
    let steps =
        examine(config, consented, instruments, &mut |step: &DoctorStep| told.push(step.clone())).await;
    assert_eq!(told, steps, "each step is told as it ends");
    let failed: Vec<&DoctorStep> = steps.iter().filter(|step| step.outcome == StepOutcome::Failed).collect();
    assert_eq!(failed.len(), 1, "{steps:#?}");
    assert!(failed[0].cure.is_some());
    let at = steps.iter().position(|step| step == failed[0]).unwrap();
    assert!(steps[at + 1..].iter().all(|step| step.outcome == StepOutcome::Skipped), "{steps:#?}");
    (failed[0].step.clone(), failed[0].clone())
}

async fn serving(status: StatusCode, body: &'static str, kind: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().fallback(any(move || async move { (status, [("content-type", kind)], body) }));
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("127.0.0.1:{}/mcp", address.port())
}

async fn at_url(url: String) -> (String, DoctorStep) {
    failing(ServerConfig::http("s", url), true).await
}

#[tokio::test]
async fn a_name_without_an_address_fails_at_dns() {
    assert_eq!(at_url("http://no-such-host.invalid/mcp".into()).await.0, "dns");
}

#[tokio::test]
async fn a_closed_port_fails_at_tcp() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    assert_eq!(at_url(format!("http://127.0.0.1:{port}/mcp")).await.0, "tcp");
}

#[tokio::test]
async fn a_server_that_says_nothing_fails_at_http_or_behind_tls_at_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            kept.push(stream);
        }
    });
    let (step, found) = at_url(format!("http://{address}/mcp")).await;
    assert_eq!(step, "http");
    assert!(found.seen.contains("said nothing"), "{found:?}");
    assert!(found.took_ms < 5_000);
    assert_eq!(at_url(format!("https://{address}/mcp")).await.0, "tls");
}

#[tokio::test]
async fn a_server_without_tls_fails_at_tls_when_the_address_says_https() {
    let address = serving(StatusCode::OK, "{}", "application/json").await;
    let (step, found) = at_url(format!("https://{address}")).await;
    assert_eq!(step, "tls");
    assert!(found.cure.unwrap().contains("http://"), "{}", found.seen);
}

#[tokio::test]
async fn a_wrong_path_and_a_web_page_and_a_broken_server_fail_at_http() {
    for (status, kind, hint) in [
        (StatusCode::NOT_FOUND, "text/plain", "path"),
        (StatusCode::OK, "text/html; charset=utf-8", "web page"),
        (StatusCode::BAD_GATEWAY, "text/plain", "broken"),
    ] {
        let address = serving(status, "x", kind).await;
        let (step, found) = at_url(format!("http://{address}")).await;
        assert_eq!(step, "http");
        assert!(found.cure.unwrap().contains(hint), "{status}");
    }
}

#[tokio::test]
async fn a_server_that_wants_a_token_fails_at_auth() {
    let address = serving(StatusCode::UNAUTHORIZED, "", "text/plain").await;
    let (step, found) = at_url(format!("http://{address}")).await;
    assert_eq!(step, "auth");
    assert!(found.cure.unwrap().contains("att authorize s"));
}

#[tokio::test]
async fn a_server_that_speaks_no_mcp_fails_at_era() {
    let address = serving(StatusCode::OK, "{\"hello\": 1}", "application/json").await;
    assert_eq!(at_url(format!("http://{address}")).await.0, "era");
}

#[tokio::test]
async fn a_command_fails_at_its_program_its_consent_or_its_start() {
    let stdio = |program: &str, args: &[&str]| ServerConfig::stdio("s", program, args.iter().copied());
    assert_eq!(failing(stdio("no-such-program-here", &[]), true).await.0, "program");
    assert_eq!(failing(stdio("/dev/null", &[]), true).await.0, "program");
    let (step, found) = failing(stdio("sh", &["-c", "exit 3"]), false).await;
    assert_eq!(step, "consent");
    assert!(found.cure.unwrap().contains("att consent approve s"));
    assert_eq!(failing(stdio("sh", &["-c", "exit 3"]), true).await.0, "spawn");
}

#[tokio::test]
async fn a_secret_that_is_not_set_fails_first_and_one_that_is_set_is_never_shown() {
    let mut config = ServerConfig::http("s", "http://127.0.0.1:9/${keyring:gone}");
    let (step, found) = failing(config.clone(), true).await;
    assert_eq!(step, "secrets");
    assert!(found.seen.contains("keyring:gone"), "{found:?}");
    config.endpoint = Endpoint::Http {
        url: "http://no-such-host.invalid/tango-77?token=tango-77-secret".into(),
        headers: Default::default(),
        start: None,
    };
    let (_, found) = failing(config, true).await;
    assert!(!format!("{found:?}").contains("tango-77-secret"));
}
