//! A server, and a stranger on this machine, who want what they must not get.

use att_mcp::config::ServerConfig;
use att_mcp::model::{ConnectionState, SuggestedAction};

use crate::bench::{Bench, SERVER, browse};
use crate::provider::Provider;

#[tokio::test]
async fn no_credential_goes_to_an_address_in_the_clear() {
    let provider = Provider::start().await;
    provider.inner().token_endpoint = Some("http://tokens.example/token".into());
    let bench = Bench::new(ServerConfig::http(SERVER, provider.mcp())).await;
    bench.waits_for_a_person().await;
    let refused = bench.fleet.authorize(SERVER).await.unwrap_err();
    assert!(refused.to_string().contains("token endpoint `http://tokens.example/token`"), "{refused}");
    assert_eq!(provider.inner().registrations, 0);
    bench.fleet.shutdown().await;
}

#[tokio::test]
async fn metadata_of_another_issuer_is_refused() {
    let provider = Provider::start().await;
    provider.inner().issuer = Some("https://issuer.example".into());
    let bench = Bench::new(ServerConfig::http(SERVER, provider.mcp())).await;
    bench.waits_for_a_person().await;
    bench.fleet.authorize(SERVER).await.unwrap_err();
    assert_eq!(provider.inner().registrations, 0);
    bench.fleet.shutdown().await;
}

#[tokio::test]
async fn a_challenge_cannot_send_att_to_the_metadata_service_of_a_cloud() {
    let provider = Provider::start().await;
    provider.inner().resource_metadata = Some("http://169.254.169.254/latest/meta-data".into());
    let bench = Bench::new(ServerConfig::http(SERVER, provider.mcp())).await;
    bench.waits_for_a_person().await;
    // It is left aside; the server's own well-known place is asked instead.
    let page = bench.fleet.authorize(SERVER).await.unwrap();
    assert!(page.url.starts_with(&provider.origin()), "{}", page.url);
    bench.fleet.shutdown().await;
}

#[tokio::test]
async fn a_stranger_on_the_loopback_port_changes_nothing() {
    let provider = Provider::start().await;
    let bench = Bench::new(ServerConfig::http(SERVER, provider.mcp())).await;
    bench.waits_for_a_person().await;
    let page = bench.fleet.authorize(SERVER).await.unwrap();
    let url = reqwest::Url::parse(&page.url).unwrap();
    let port = url.query_pairs().find(|(key, _)| key == "redirect_uri").unwrap().1.into_owned();
    assert!(port.starts_with("http://127.0.0.1:"), "{port}");
    for strange in ["?code=x&state=guessed", "?error=access_denied&state=guessed", "?code=x", ""] {
        assert_eq!(browse(&format!("{port}{strange}")).await, 404, "{strange}");
    }
    assert_eq!(browse(&port.replace("/callback", "/favicon.ico")).await, 404);
    assert_eq!(bench.state().facets.connection.state, ConnectionState::Authorizing);
    browse(&page.url).await;
    bench.connection(ConnectionState::Ready).await;
    bench.fleet.shutdown().await;
}

#[tokio::test]
async fn a_stdio_server_has_no_page() {
    let bench = Bench::new(ServerConfig::stdio(SERVER, "true", Vec::<String>::new())).await;
    let refused = bench.fleet.authorize(SERVER).await.unwrap_err();
    assert!(refused.to_string().contains("a program that ATT starts"), "{refused}");
    assert_ne!(bench.state().suggested_action, SuggestedAction::Authorize);
    bench.fleet.shutdown().await;
}
