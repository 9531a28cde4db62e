//! One answer from a browser, on a port of this machine that nobody else reaches.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::AuthProblem;

/// Largest request read, in bytes.
const REQUEST_BYTES: usize = 16 * 1024;
/// How long one visitor may take to send it.
const VISIT: Duration = Duration::from_secs(5);
/// Visitors that are no answer (an icon asked for, a stranger), at most.
const STRANGERS: usize = 50;
/// Where the answer comes to.
const PATH: &str = "/callback";

/// The waiting port.
#[derive(Debug)]
pub(super) struct Loopback {
    listener: TcpListener,
    pub redirect_uri: String,
}

impl Loopback {
    /// A port: the one of `earlier` if it is free, so that a registration with it can be used again, else any.
    pub async fn open(earlier: Option<&str>) -> Result<Self, AuthProblem> {
        let failed = |error: std::io::Error| AuthProblem::Loopback(error.to_string());
        let port = earlier.and_then(|uri| reqwest::Url::parse(uri).ok()).and_then(|url| url.port());
        let bound = match port {
            Some(port) => TcpListener::bind(("127.0.0.1", port)).await.ok(),
            None => None,
        };
        let listener = match bound {
            Some(listener) => listener,
            None => TcpListener::bind(("127.0.0.1", 0)).await.map_err(failed)?,
        };
        let port = listener.local_addr().map_err(failed)?.port();
        Ok(Self { listener, redirect_uri: format!("http://127.0.0.1:{port}{PATH}") })
    }

    /// Waits for the answer with `state`; answers its whole address.
    pub async fn answer(self, state: &str) -> Result<String, AuthProblem> {
        for _ in 0..STRANGERS {
            let (mut stream, _) =
                self.listener.accept().await.map_err(|error| AuthProblem::Loopback(error.to_string()))?;
            let target = tokio::time::timeout(VISIT, read_target(&mut stream)).await.ok().flatten();
            let address =
                target.and_then(|target| reqwest::Url::parse(&self.redirect_uri).ok()?.join(&target).ok());
            let ours = address.filter(|url| {
                url.path() == PATH && url.query_pairs().any(|(key, value)| key == "state" && value == state)
            });
            let Some(address) = ours else {
                reply(stream, "404 Not Found", "This is no answer that ATT waits for.").await;
                continue;
            };
            let refused =
                address.query_pairs().find(|(key, _)| key == "error").map(|(_, value)| value.into_owned());
            if let Some(refused) = refused {
                reply(stream, "200 OK", "ATT was not authorized. You can close this page.").await;
                let shown: String = refused.chars().filter(|c| c.is_ascii_graphic()).take(100).collect();
                return Err(AuthProblem::Flow(format!(
                    "the authorization server answered `{shown}`; authorize again"
                )));
            }
            reply(stream, "200 OK", "ATT has the answer. You can close this page.").await;
            return Ok(address.into());
        }
        Err(AuthProblem::Loopback("too many visitors that were no answer".into()))
    }
}

/// The target of a GET, as its first line gives it.
async fn read_target(stream: &mut TcpStream) -> Option<String> {
    let mut read = Vec::new();
    let mut chunk = [0; 2048];
    while !read.windows(4).any(|window| window == b"\r\n\r\n") {
        let count = stream.read(&mut chunk).await.ok().filter(|count| *count > 0)?;
        read.extend_from_slice(&chunk[..count]);
        if read.len() > REQUEST_BYTES {
            return None;
        }
    }
    let line = read.split(|byte| *byte == b'\r').next()?;
    let mut words = std::str::from_utf8(line).ok()?.split(' ');
    match (words.next(), words.next()) {
        (Some("GET"), Some(target)) if target.starts_with('/') => Some(target.to_owned()),
        _ => None,
    }
}

async fn reply(mut stream: TcpStream, status: &str, text: &str) {
    let head = "Content-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nConnection: close";
    let answer = format!("HTTP/1.1 {status}\r\n{head}\r\nContent-Length: {}\r\n\r\n{text}", text.len());
    // The visitor may be gone; the answer was read all the same.
    let _ = tokio::time::timeout(VISIT, async {
        let _ = stream.write_all(answer.as_bytes()).await;
        let _ = stream.shutdown().await;
    })
    .await;
}
