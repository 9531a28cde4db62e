//! TLS: a certificate that nobody vouches for.

use std::sync::Arc;
use std::time::Duration;

use att_mcp::config::ServerConfig;
use att_mcp::model::{ConnectionState, ErrorCategory};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig as TlsConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::bench::{Bench, quick};

/// A port that speaks TLS with a certificate that it signed itself, for `localhost` and 127.0.0.1.
async fn self_signed() -> u16 {
    let certificate = CertificateDer::from_pem_slice(include_bytes!("tls/cert.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("tls/key.pem")).unwrap();
    let config = TlsConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let accepted = acceptor.accept(stream);
            tokio::spawn(async move { drop(accepted.await) });
        }
    });
    port
}

#[tokio::test]
async fn a_self_signed_certificate_is_refused_and_the_cure_is_told() {
    let port = self_signed().await;
    for host in ["localhost", "127.0.0.1"] {
        let config = quick(ServerConfig::http("s", format!("https://{host}:{port}/mcp")));
        let bench = Bench::new(vec![config]).await;
        let state = bench.until("s", Duration::from_secs(10), |state| state.error.is_some()).await;
        let error = state.error.unwrap();
        assert_eq!(error.category, ErrorCategory::TransportError, "{}", error.message);
        for word in ["certificate is not trusted", "trusted roots"] {
            assert!(error.message.contains(word), "{}", error.message);
        }
        assert_ne!(state.facets.connection.state, ConnectionState::Ready);
        bench.fleet.shutdown().await;
    }
}
