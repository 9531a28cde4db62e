//! Renewing tokens: once, whoever asks, and never with a refresh token that was used.

use std::sync::Arc;

use att_core::secret::{MemorySecrets, SecretStore};
use att_mcp::config::ServerConfig;
use att_mcp::model::ConnectionState;

use crate::bench::{Bench, SERVER};
use crate::provider::Provider;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_calls_of_two_fleets_renew_a_rotating_token_once() {
    let provider = Provider::start().await;
    let secrets: Arc<dyn SecretStore> = Arc::new(MemorySecrets::default());
    let locks = tempfile::tempdir().unwrap();
    let config = ServerConfig::http(SERVER, provider.mcp());
    let one = Bench::sharing(config.clone(), Arc::clone(&secrets), Some(locks.path())).await;
    one.authorized().await;
    // As another process would be: it shares the place of secrets and the folder of locks, and nothing else.
    let two = Bench::sharing(config, secrets, Some(locks.path())).await;
    two.connection(ConnectionState::Ready).await;
    for round in 1..=3 {
        provider.revoke();
        let calls = (0..10).flat_map(|_| [one.call(), two.call()]);
        for answer in futures::future::join_all(calls).await {
            answer.unwrap();
        }
        let inner = provider.inner();
        assert_eq!((inner.refreshes, inner.reused), (round, 0), "round {round}");
    }
    one.fleet.shutdown().await;
    two.fleet.shutdown().await;
}

#[tokio::test]
async fn a_rejected_refresh_token_brings_the_button_back() {
    let provider = Provider::start().await;
    let bench = Bench::new(ServerConfig::http(SERVER, provider.mcp())).await;
    bench.authorized().await;
    provider.revoke();
    provider.inner().reject_refresh = true;
    bench.call().await.unwrap_err();
    let told = bench.waits_for_a_person().await;
    assert!(told.summary.contains("authorize ATT again"), "{}", told.summary);
    provider.inner().reject_refresh = false;
    bench.authorized().await;
    bench.call().await.unwrap();
    bench.fleet.shutdown().await;
}

#[tokio::test]
async fn a_refresh_token_is_not_sent_to_another_issuer() {
    let provider = Provider::start().await;
    let other = Provider::start().await;
    let bench = Bench::new(ServerConfig::http(SERVER, provider.mcp())).await;
    bench.authorized().await;
    // The server now names another authorization server, as one that was taken over would.
    provider.revoke();
    provider.inner().elsewhere = Some(other.origin());
    bench.call().await.unwrap_err();
    bench.waits_for_a_person().await;
    assert_eq!((provider.inner().refreshes, other.inner().refreshes), (0, 0));
    assert_eq!(other.inner().registrations, 0);
    bench.fleet.authorize(SERVER).await.unwrap();
    assert_eq!(other.inner().registrations, 1, "there ATT is another client");
    bench.fleet.shutdown().await;
}
