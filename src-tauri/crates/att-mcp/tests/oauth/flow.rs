//! The way through the browser, as a person meets it.

use std::sync::Arc;

use att_core::secret::{MemorySecrets, SecretStore, SecretValue};
use att_mcp::config::ServerConfig;
use att_mcp::model::{ConnectionState, ReasonCode, Status, SuggestedAction};
use att_mcp::{AuthConfig, Grant};

use crate::bench::{Bench, SERVER, browse};
use crate::provider::{PLANTED, PLANTED_CODE, Provider};

#[tokio::test]
async fn a_locked_server_waits_for_a_person_and_connects_when_they_agreed() {
    let provider = Provider::start().await;
    let bench = Bench::new(ServerConfig::http(SERVER, provider.mcp())).await;
    let waits = bench.waits_for_a_person().await;
    assert_eq!(waits.status, Status::AuthRequired);
    assert!(waits.summary.contains("files:read"), "{}", waits.summary);
    let page = bench.fleet.authorize(SERVER).await.unwrap();
    let open = bench.connection(ConnectionState::Authorizing).await;
    assert_eq!(open.next_action_at_ms, Some(page.until_ms));
    assert_eq!(browse(&page.url).await, 200);
    let ready = bench.connection(ConnectionState::Ready).await;
    assert_eq!(ready.counts.tools, Some(1));
    bench.call().await.unwrap();
    bench.fleet.shutdown().await;
}

#[tokio::test]
async fn the_next_run_needs_no_person() {
    let provider = Provider::start().await;
    let secrets: Arc<dyn SecretStore> = Arc::new(MemorySecrets::default());
    let config = ServerConfig::http(SERVER, provider.mcp());
    let first = Bench::sharing(config.clone(), Arc::clone(&secrets), None).await;
    first.authorized().await;
    first.fleet.shutdown().await;
    let second = Bench::sharing(config, secrets, None).await;
    second.connection(ConnectionState::Ready).await;
    second.fleet.shutdown().await;
    assert_eq!(provider.inner().codes, 1);
}

#[tokio::test]
async fn no_token_and_no_code_is_in_a_state_an_event_an_attempt_or_the_wire_log() {
    let provider = Provider::start().await;
    let bench = Bench::new(ServerConfig::http(SERVER, provider.mcp())).await;
    bench.authorized().await;
    bench.call().await.unwrap();
    let wire = bench.fleet.wire(SERVER, None, 1_000).unwrap();
    assert!(!wire.is_empty());
    let kept = [
        format!("{:?}", bench.state()),
        format!("{:?}", bench.store.events()),
        format!("{:?}", bench.store.attempts()),
        format!("{wire:?}"),
    ];
    for planted in [PLANTED, PLANTED_CODE] {
        assert!(kept.iter().all(|text| !text.contains(planted)), "{planted} in {kept:#?}");
    }
    // The server did say the token, in its refusal of server/discover.
    assert!(kept[3].contains("unknown, and you are"), "{}", kept[3]);
    bench.fleet.shutdown().await;
}

#[tokio::test]
async fn a_person_who_declines_leaves_the_button_and_the_reason() {
    let provider = Provider::start().await;
    provider.inner().deny = true;
    let bench = Bench::new(ServerConfig::http(SERVER, provider.mcp())).await;
    bench.waits_for_a_person().await;
    let page = bench.fleet.authorize(SERVER).await.unwrap();
    browse(&page.url).await;
    let again = bench.until(|state| state.summary.contains("access_denied")).await;
    assert_eq!(again.suggested_action, SuggestedAction::Authorize);
    provider.inner().deny = false;
    bench.authorized().await;
    bench.fleet.shutdown().await;
}

#[tokio::test]
async fn a_cancelled_page_is_told_and_a_second_one_takes_the_place_of_the_first() {
    let provider = Provider::start().await;
    let bench = Bench::new(ServerConfig::http(SERVER, provider.mcp())).await;
    bench.waits_for_a_person().await;
    bench.fleet.authorize(SERVER).await.unwrap();
    bench.connection(ConnectionState::Authorizing).await;
    assert!(bench.fleet.cancel_authorization(SERVER).unwrap());
    let told = bench.connection(ConnectionState::AuthRequired).await;
    assert!(told.summary.contains("cancelled"), "{}", told.summary);
    let first = bench.fleet.authorize(SERVER).await.unwrap();
    let second = bench.fleet.authorize(SERVER).await.unwrap();
    assert_ne!(first.url, second.url);
    browse(&second.url).await;
    bench.connection(ConnectionState::Ready).await;
    bench.fleet.shutdown().await;
}

#[tokio::test]
async fn a_thrown_away_authorization_closes_what_it_opened() {
    let provider = Provider::start().await;
    let secrets = Arc::new(MemorySecrets::default());
    let place: Arc<dyn SecretStore> = secrets.clone();
    let bench = Bench::sharing(ServerConfig::http(SERVER, provider.mcp()), place, None).await;
    bench.authorized().await;
    assert_eq!(secrets.names().await.unwrap().len(), 1);
    assert!(bench.fleet.forget_authorization(SERVER).await.unwrap());
    bench.waits_for_a_person().await;
    assert!(secrets.names().await.unwrap().is_empty());
    bench.fleet.shutdown().await;
}

#[tokio::test]
async fn client_credentials_need_no_person_but_their_secret() {
    let provider = Provider::start().await;
    let secrets: Arc<dyn SecretStore> = Arc::new(MemorySecrets::default());
    let mut config = ServerConfig::http(SERVER, provider.mcp());
    config.auth = Some(AuthConfig {
        grant: Grant::ClientCredentials,
        client_id: Some("robot".into()),
        client_secret: Some("${keyring:robot}".into()),
        ..AuthConfig::default()
    });
    let bench = Bench::sharing(config, Arc::clone(&secrets), None).await;
    let waits = bench.until(|state| state.suggested_action == SuggestedAction::SetSecret).await;
    assert!(waits.summary.contains("${keyring:robot}"), "{}", waits.summary);
    secrets.put("robot", &SecretValue::new("hunter2")).await.unwrap();
    assert_eq!(bench.fleet.secret_changed("robot").await, [SERVER]);
    bench.connection(ConnectionState::Ready).await;
    provider.revoke();
    bench.call().await.unwrap();
    assert_eq!(provider.inner().client_credentials, 2, "a refused token is fetched anew, and only then");
    assert_eq!(secrets.names().await.unwrap(), ["robot"], "such a token is kept nowhere");
    bench.fleet.shutdown().await;
}

#[tokio::test]
async fn a_refused_header_of_the_configuration_asks_for_its_secret() {
    let provider = Provider::start().await;
    let secrets: Arc<dyn SecretStore> = Arc::new(MemorySecrets::default());
    secrets.put("key", &SecretValue::new("of-yesterday")).await.unwrap();
    let mut config = ServerConfig::http(SERVER, provider.mcp());
    if let att_mcp::config::Endpoint::Http { headers, .. } = &mut config.endpoint {
        headers.insert("Authorization".into(), "Bearer ${keyring:key}".into());
    }
    let bench = Bench::sharing(config, secrets, None).await;
    let waits = bench.until(|state| state.suggested_action == SuggestedAction::SetSecret).await;
    assert_eq!(waits.facets.connection.reason.code, ReasonCode::SecretMissing);
    let refused = bench.fleet.authorize(SERVER).await.unwrap_err();
    assert!(refused.to_string().contains("Authorization header"), "{refused}");
    bench.fleet.shutdown().await;
}
