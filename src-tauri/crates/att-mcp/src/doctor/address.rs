//! From the name of a host to its first answer over HTTP.

use super::{Finding, STEP, StepOutcome, Walk};
use crate::dial::client_for;
use http::{HeaderName, HeaderValue, StatusCode};
use reqwest::Url;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Instant;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

type Headers = HashMap<HeaderName, HeaderValue>;

const BOTH: &str = "application/json, text/event-stream";

/// The steps `dns` `tcp` `tls` `http`; true when all of them were well.
pub(super) async fn walk(walk: &mut Walk<'_>, url: &str, headers: &Headers, sse: bool) -> bool {
    let started = Instant::now();
    let Ok(parsed) = Url::parse(url) else {
        let finding =
            Err(("\"url\" is no address once its references have values".into(), "correct it".into()));
        return walk.found("dns", started, &finding);
    };
    let (host, port) =
        (parsed.host_str().unwrap_or_default().to_owned(), parsed.port_or_known_default().unwrap_or(80));
    // An IPv6 address stands in brackets in an address only.
    let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    if through_proxy(&bare) {
        walk.skip(&["dns", "tcp"], "a proxy is set in the environment; it looks the host up");
    } else {
        let found = timeout(STEP, lookup_host((bare.as_str(), port))).await;
        let finding = resolved(found.map(|found| found.map(|all| all.collect())), &bare);
        let said = finding.as_ref().map(|(seen, _)| seen.clone()).map_err(Clone::clone);
        walk.found("dns", started, &said);
        let Ok((_, addresses)) = finding else { return false };
        let started = Instant::now();
        if !walk.found("tcp", started, &reached(&addresses).await) {
            return false;
        }
    }
    answer(walk, &parsed, headers, sse).await
}

fn through_proxy(host: &str) -> bool {
    let local = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !local
        && ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"]
            .iter()
            .any(|n| set(n))
}

type Lookup = Result<Result<Vec<SocketAddr>, std::io::Error>, tokio::time::error::Elapsed>;

fn resolved(found: Lookup, host: &str) -> Result<(String, Vec<SocketAddr>), (String, String)> {
    let cure = "correct the host in \"url\", or see whether this machine can look names up";
    match found {
        Err(_) => {
            Err((format!("the name server did not answer for {host} in {} s", STEP.as_secs()), cure.into()))
        }
        Ok(Err(error)) => Err((format!("{host} has no address: {error}"), cure.into())),
        Ok(Ok(addresses)) if addresses.is_empty() => Err((format!("{host} has no address"), cure.into())),
        Ok(Ok(addresses)) => {
            let mut shown: Vec<String> = addresses.iter().map(|address| address.ip().to_string()).collect();
            shown.dedup();
            shown.truncate(4);
            Ok((shown.join(", "), addresses))
        }
    }
}

async fn reached(addresses: &[SocketAddr]) -> Finding {
    match timeout(STEP, TcpStream::connect(addresses)).await {
        Ok(Ok(stream)) => {
            Ok(stream.peer_addr().map_or_else(|_| "connected".into(), |peer| format!("connected to {peer}")))
        }
        Ok(Err(error)) => Err((
            error.to_string(),
            "start the server, or correct the port in \"url\"; a firewall may stand between".into(),
        )),
        Err(_) => Err((
            format!("nobody answered in {} s", STEP.as_secs()),
            "see whether the machine is up and no firewall drops the packets".into(),
        )),
    }
}

/// The first answer over HTTP; what fails before it is TLS.
async fn answer(walk: &mut Walk<'_>, url: &Url, headers: &Headers, sse: bool) -> bool {
    let started = Instant::now();
    let client = match client_for(url, STEP) {
        Ok(client) => client,
        Err(error) => {
            return walk.found("tls", started, &Err((chain(&error), "see the system's certificates".into())));
        }
    };
    let tls = url.scheme() == "https";
    if !tls {
        walk.note("tls", started, StepOutcome::Skipped, "the address is http://", None);
    }
    let first = ask(&client, url, headers, sse).await;
    let response = match first {
        Ok(response) => response,
        Err(error) if tls && error.is_connect() => {
            let seen = chain(&error);
            let cure = tls_cure(&seen, error.is_timeout());
            return walk.found("tls", started, &Err((seen, cure)));
        }
        Err(error) => {
            if tls {
                walk.found("tls", started, &Ok("the certificate is trusted".into()));
            }
            let finding = if error.is_timeout() {
                (
                    format!("the server took the connection and said nothing for {} s", STEP.as_secs() * 2),
                    "see whether the server hangs, and whether the port speaks HTTP".to_owned(),
                )
            } else {
                (chain(&error), "see whether the port speaks HTTP, or https:// instead of http://".to_owned())
            };
            return walk.found("http", started, &Err(finding));
        }
    };
    if tls {
        walk.found("tls", started, &Ok("the certificate is trusted".into()));
    }
    let missing = matches!(response.status(), StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED);
    let finding = if missing && !sse {
        // A server of the old transport knows no POST here.
        match ask(&client, url, headers, true).await {
            Ok(stream) if stream.status().is_success() => judged(stream.status(), kind(&stream)),
            _ => judged(response.status(), kind(&response)),
        }
    } else {
        judged(response.status(), kind(&response))
    };
    walk.found("http", started, &finding)
}

async fn ask(
    client: &reqwest::Client,
    url: &Url,
    headers: &Headers,
    get: bool,
) -> Result<reqwest::Response, reqwest::Error> {
    let request = match get {
        true => client.get(url.clone()).header("accept", "text/event-stream"),
        false => client
            .post(url.clone())
            .header("accept", BOTH)
            .json(&serde_json::json!({"jsonrpc": "2.0", "id": 0, "method": "ping"})),
    };
    let headers = headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    // Longer than the connection may take, so that the two are told apart.
    request.headers(headers).timeout(STEP * 2).send().await
}

fn kind(response: &reqwest::Response) -> String {
    let kind = response.headers().get("content-type").and_then(|kind| kind.to_str().ok());
    kind.unwrap_or_default().to_owned()
}

fn judged(status: StatusCode, kind: String) -> Finding {
    let seen = match kind.as_str() {
        "" => format!("HTTP {status}"),
        kind => format!("HTTP {status}, {kind}"),
    };
    match status.as_u16() {
        404 | 410 => Err((seen, "correct the path in \"url\"; many servers answer at /mcp".into())),
        421 => Err((
            seen,
            "the server wants another host name in \"url\", such as localhost or its public name".into(),
        )),
        500..=599 => Err((seen, "the server is broken or is being started: see its own log".into())),
        200..=299 if kind.starts_with("text/html") => {
            Err((seen, "this is a web page and no MCP server: correct the address".into()))
        }
        _ => Ok(seen),
    }
}

fn tls_cure(seen: &str, timed_out: bool) -> String {
    let lower = seen.to_ascii_lowercase();
    let cure = if timed_out {
        "the port takes connections and does not speak TLS: see whether the server hangs or the port is another's"
    } else if ["invalidcontenttype", "corrupt message", "wrong version"]
        .iter()
        .any(|word| lower.contains(word))
    {
        "the port does not speak TLS: write http:// instead of https://"
    } else if lower.contains("expired") {
        "renew the server's certificate, and see whether this machine's clock is right"
    } else if lower.contains("name") {
        "write the host name that the certificate is for"
    } else {
        "have the server use a certificate that this system trusts, or add its issuer to the system's roots"
    };
    cure.to_owned()
}

/// The error with its causes; the outermost one names no cause.
fn chain(error: &dyn std::error::Error) -> String {
    let (mut text, mut at) = (error.to_string(), error.source());
    while let Some(cause) = at {
        let said = cause.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        at = cause.source();
    }
    text
}
