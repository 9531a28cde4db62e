//! Transports against a scripted server: each connection gets the bytes that the test wrote for its request.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use att_core::id::SeededRandomness;
use rmcp::RoleClient;
use rmcp::model::{ClientJsonRpcMessage, ClientRequest, JsonRpcMessage, PingRequest, RequestId};
use rmcp::transport::Transport;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::legacy::LegacyTransport;
use super::streamable::StreamableTransport;
use super::*;

/// A server that answers its `n`th request with what `script` says for it; an answer without a length ends with its
/// connection.
struct Scripted {
    url: Url,
    asked: Arc<AtomicUsize>,
    seen: Arc<std::sync::Mutex<Vec<String>>>,
}

async fn scripted(script: impl Fn(usize, &str) -> Vec<u8> + Send + Sync + 'static) -> Scripted {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/mcp", listener.local_addr().unwrap())).unwrap();
    let (asked, seen) = (Arc::<AtomicUsize>::default(), Arc::<std::sync::Mutex<Vec<String>>>::default());
    let (script, counter, list) = (Arc::new(script), Arc::clone(&asked), Arc::clone(&seen));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (script, counter, list) = (Arc::clone(&script), Arc::clone(&counter), Arc::clone(&list));
            tokio::spawn(async move {
                let mut request = Vec::new();
                while !is_whole(&request) {
                    match stream.read_buf(&mut request).await {
                        Ok(0) | Err(_) => return,
                        Ok(_) => {}
                    }
                }
                let text = String::from_utf8_lossy(&request).into_owned();
                let answer = script(counter.fetch_add(1, Ordering::SeqCst), &text);
                list.lock().unwrap().push(text);
                let held = answer.ends_with(b"HOLD");
                let bytes = answer.strip_suffix(b"HOLD").unwrap_or(&answer);
                let _ = stream.write_all(bytes).await;
                let _ = stream.flush().await;
                if held {
                    std::future::pending::<()>().await;
                }
            });
        }
    });
    Scripted { url, asked, seen }
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head
        .lines()
        .find_map(|line| {
            line.to_ascii_lowercase().strip_prefix("content-length:").map(|n| n.trim().to_owned())
        })
        .and_then(|n| n.parse::<usize>().ok())
        .unwrap_or(0);
    body.len() >= length
}

fn answer(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n{headers}\r\n{body}", body.len())
        .into_bytes()
}

fn stream(events: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n{events}")
        .into_bytes()
}

fn ping(id: i64) -> ClientJsonRpcMessage {
    let ping = PingRequest { method: Default::default(), extensions: Default::default() };
    ClientJsonRpcMessage::request(ClientRequest::PingRequest(ping), RequestId::Number(id))
}

fn http(url: &Url) -> HttpWire {
    let client =
        reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let own = HashMap::from([(
        HeaderName::from_static("authorization"),
        HeaderValue::from_static("Bearer planted-token"),
    )]);
    HttpWire::new(client, url.clone(), &own)
}

struct Bench<T> {
    transport: T,
    wire: Arc<Wire>,
    noise: mpsc::Receiver<String>,
}

fn streamable(server: &Scripted) -> Bench<StreamableTransport> {
    let wire = Arc::new(Wire::default());
    let (tell, noise) = mpsc::channel(64);
    let randomness = Arc::new(SeededRandomness::new(1));
    let transport = StreamableTransport::new(http(&server.url), Arc::clone(&wire), tell, randomness);
    Bench { transport, wire, noise }
}

async fn legacy(server: &Scripted, patience: Duration) -> Result<Bench<LegacyTransport>, WireFault> {
    let wire = Arc::new(Wire::default());
    let (tell, noise) = mpsc::channel(64);
    let transport = LegacyTransport::open(&http(&server.url), Arc::clone(&wire), tell, patience).await?;
    Ok(Bench { transport, wire, noise })
}

/// Sends a ping and tells what became of it: its answer, or its fault.
async fn asked<T: Transport<RoleClient>>(bench: &mut Bench<T>, id: i64) -> Result<String, WireFault> {
    let sent = bench.transport.send(ping(id));
    let sent = tokio::spawn(async move {
        let _ = sent.await;
    });
    let outcome = async {
        let key = id.to_string();
        tokio::select! {
            message = bench.transport.receive() => match message {
                Some(JsonRpcMessage::Response(response)) => Ok(response.id.to_string()),
                None | Some(JsonRpcMessage::Error(_)) => Err(bench.wire.failed(Some(&key)).await),
                other => panic!("{other:?}"),
            },
            fault = bench.wire.failed(Some(&key)) => Err(fault),
        }
    };
    let outcome = tokio::time::timeout(Duration::from_secs(20), outcome).await.unwrap();
    sent.await.unwrap();
    outcome
}

const PONG: &str = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
const JSON: &str = "Content-Type: application/json\r\n";

#[tokio::test]
async fn what_a_server_answers_instead_of_a_message_is_told_at_once_and_by_its_kind() {
    let deep =
        format!(r#"{{"jsonrpc":"2.0","id":1,"result":{}1{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    let other = r#"{"jsonrpc":"2.0","id":99,"result":{}}"#;
    for (reply, category, says) in [
        (answer("200 OK", "Content-Type: text/html\r\n", "<p>"), ErrorCategory::InvalidPayload, "text/html"),
        (answer("202 Accepted", "", ""), ErrorCategory::InvalidPayload, "gave no answer"),
        (answer("200 OK", JSON, "{\"id\":"), ErrorCategory::InvalidPayload, "broken JSON"),
        (answer("200 OK", JSON, &deep), ErrorCategory::InvalidPayload, "nested more than 128 deep"),
        (answer("200 OK", JSON, other), ErrorCategory::InvalidPayload, "something else"),
        (answer("200 OK", JSON, "[]"), ErrorCategory::InvalidPayload, "something else"),
        (answer("406 Not Acceptable", "", ""), ErrorCategory::HttpStatus, "neither application/json"),
        (answer("421 Misdirected Request", "", ""), ErrorCategory::HttpStatus, "host name"),
        (answer("500 Oh", "", "a\u{202e}b"), ErrorCategory::HttpStatus, "a b"),
        (answer("429 Wait", "Retry-After: 7\r\n", ""), ErrorCategory::Throttled, "wait"),
        (stream("data: {\"jsonrpc\"\n\n"), ErrorCategory::InvalidPayload, "broken JSON"),
        (stream(": nothing\n\n"), ErrorCategory::TransportError, "before the answer"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n".to_vec(),
            ErrorCategory::InvalidPayload,
            "more than 16777216 bytes",
        ),
    ] {
        let server = scripted(move |_, _| reply.clone()).await;
        let fault = asked(&mut streamable(&server), 1).await.unwrap_err();
        assert_eq!(fault.category, category, "{}", fault.message);
        assert!(fault.message.contains(says), "{says}: {}", fault.message);
        assert!(fault.sent);
        assert_eq!(server.asked.load(Ordering::SeqCst), 1, "{says}: asked once");
    }
}

#[tokio::test]
async fn a_challenge_stays_with_the_fault() {
    let reply = answer("401 No", "WWW-Authenticate: Bearer scope=\"a\"\r\n", "");
    let server = scripted(move |_, _| reply.clone()).await;
    let fault = asked(&mut streamable(&server), 1).await.unwrap_err();
    assert_eq!((fault.category, fault.status), (ErrorCategory::AuthRequired, Some(401)));
    assert_eq!(fault.challenge.as_deref(), Some("Bearer scope=\"a\""));
}

#[tokio::test]
async fn a_redirect_is_followed_within_the_origin_only_and_no_header_goes_elsewhere() {
    let elsewhere = scripted(|_, _| answer("200 OK", JSON, PONG)).await;
    for (status, target, followed) in [
        ("307 Temporary Redirect", "/other".to_owned(), true),
        ("308 Permanent Redirect", "/other".to_owned(), true),
        ("302 Found", "/other".to_owned(), false),
        ("307 Temporary Redirect", elsewhere.url.to_string(), false),
    ] {
        let location = format!("Location: {target}\r\n");
        let server = scripted(move |_, request| match request.starts_with("POST /other ") {
            true => answer("200 OK", JSON, PONG),
            false => answer(status, &location, ""),
        })
        .await;
        let outcome = asked(&mut streamable(&server), 1).await;
        assert_eq!(outcome.is_ok(), followed, "{status} {target}");
        if let Err(fault) = outcome {
            assert!(fault.message.contains(&target), "the place is named: {}", fault.message);
        }
    }
    assert_eq!(elsewhere.asked.load(Ordering::SeqCst), 0);
    let endless = scripted(|_, _| answer("307 Again", "Location: /mcp\r\n", "")).await;
    let fault = asked(&mut streamable(&endless), 1).await.unwrap_err();
    assert_eq!((fault.category, endless.asked.load(Ordering::SeqCst)), (ErrorCategory::HttpStatus, 6));
}

#[tokio::test]
async fn a_broken_answer_stream_is_taken_up_where_it_broke_without_asking_again() {
    let server = scripted(|n, _| match n {
        0 => stream("id: e1\nretry: 20\ndata: \n\n"),
        1 => answer("503 Busy", "", ""),
        _ => stream(&format!("id: e2\ndata: {PONG}\n\n")),
    })
    .await;
    assert_eq!(asked(&mut streamable(&server), 1).await, Ok("1".to_owned()));
    let seen = server.seen.lock().unwrap().clone();
    let posts = seen.iter().filter(|request| request.starts_with("POST ")).count();
    assert_eq!((posts, seen.len()), (1, 3));
    assert!(seen[2].starts_with("GET ") && seen[2].to_ascii_lowercase().contains("last-event-id: e1"));
}

#[tokio::test]
async fn an_answer_that_comes_twice_or_was_never_asked_for_is_heard_once_or_not_at_all() {
    let stray = r#"{"jsonrpc":"2.0","id":77,"result":{}}"#;
    let server =
        scripted(move |_, _| stream(&format!("data: {stray}\n\ndata: {PONG}\n\ndata: {PONG}\n\n"))).await;
    let mut bench = streamable(&server);
    assert_eq!(asked(&mut bench, 1).await, Ok("1".to_owned()));
    let told = bench.noise.recv().await.unwrap();
    assert!(told.contains("77") && told.contains("not asked"), "{told}");
    let more = tokio::time::timeout(Duration::from_millis(100), bench.transport.receive()).await;
    assert!(more.is_err(), "{more:?}");
}

#[tokio::test]
async fn a_flood_of_notifications_ends_the_connection_with_its_reason() {
    let one = "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}\n\n";
    let server = scripted(move |_, _| stream(&one.repeat(30_000))).await;
    let mut bench = streamable(&server);
    tokio::spawn(bench.transport.send(ping(1)));
    let drained = async { while bench.transport.receive().await.is_some() {} };
    let fault = tokio::select! {
        fault = bench.wire.failed(Some("")) => fault,
        () = drained => panic!("the transport ended"),
        () = tokio::time::sleep(Duration::from_secs(20)) => panic!("nothing was told"),
    };
    assert_eq!(fault.category, ErrorCategory::InvalidPayload);
    assert!(fault.message.contains("floods"), "{}", fault.message);
}

#[tokio::test]
async fn the_old_transport_asks_and_hears_over_its_two_ways() {
    let server = scripted(|_, request| match request.starts_with("GET ") {
        true => {
            [stream(&format!("event: endpoint\ndata: /messages?s=1\n\ndata: {PONG}\n\n")), b"HOLD".to_vec()]
                .concat()
        }
        false => answer("202 Accepted", "", ""),
    })
    .await;
    let mut bench = legacy(&server, Duration::from_secs(5)).await.unwrap();
    // The scripted answer is there at once: what was not asked for yet is not taken for an answer.
    let told = bench.noise.recv().await.unwrap();
    assert!(told.contains("not asked"), "{told}");
    bench.transport.send(ping(1)).await.unwrap();
    let seen = server.seen.lock().unwrap().clone();
    assert!(seen.iter().any(|request| request.starts_with("POST /messages?s=1 ")), "{seen:?}");
    assert!(seen.iter().all(|request| request.contains("planted-token")), "the own headers go both ways");
}

#[tokio::test]
async fn the_old_transport_refuses_a_foreign_endless_or_missing_address_and_tells_of_its_end() {
    let huge = format!("event: endpoint\ndata: /{}\n\n", "a".repeat(10_000));
    for (events, category, says) in [
        ("event: endpoint\ndata: http://127.0.0.1:1/x\n\n", ErrorCategory::InvalidPayload, "another origin"),
        ("event: endpoint\ndata: //evil.test/x\n\n", ErrorCategory::InvalidPayload, "another origin"),
        (huge.as_str(), ErrorCategory::InvalidPayload, "endless"),
        (": hello\n\n", ErrorCategory::InvalidPayload, "told no address"),
        (": hello\n\nHOLD", ErrorCategory::NetworkTimeout, "within 300 ms"),
    ] {
        let events = events.to_owned();
        let server = scripted(move |_, _| stream(&events)).await;
        let fault = legacy(&server, Duration::from_millis(300)).await.err().unwrap();
        assert_eq!(fault.category, category, "{}", fault.message);
        assert!(fault.message.contains(says), "{}", fault.message);
    }
    let server = scripted(|_, request| match request.starts_with("GET ") {
        true => stream("event: endpoint\ndata: /messages\n\n"),
        false => answer("202 Accepted", "", ""),
    })
    .await;
    let mut bench = legacy(&server, Duration::from_secs(5)).await.unwrap();
    let fault = asked(&mut bench, 1).await.unwrap_err();
    assert_eq!(fault.category, ErrorCategory::TransportError);
    let posts = server.seen.lock().unwrap().iter().filter(|request| request.starts_with("POST ")).count();
    assert!(posts <= 1, "never sent twice");
}

#[tokio::test]
async fn a_session_that_the_server_forgot_ends_the_connection_and_nothing_is_sent_again() {
    let gone =
        r#"{"jsonrpc":"2.0","error":{"code":-32000,"message":"No valid session ID provided"},"id":null}"#;
    let own = r#"{"jsonrpc":"2.0","error":{"code":-32602,"message":"session_id is missing"},"id":1}"#;
    for (reply, forgotten) in [
        (answer("404 Not Found", "", ""), true),
        (answer("400 Bad Request", JSON, gone), true),
        (answer("400 Bad Request", JSON, own), false),
    ] {
        let welcome = r#"{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-11-25","capabilities":{},
            "serverInfo":{"name":"s","version":"1"}}}"#;
        let headers = format!("{JSON}Mcp-Session-Id: abc-1\r\n");
        let server = scripted(move |n, _| match n {
            0 => answer("200 OK", &headers, welcome),
            _ => reply.clone(),
        })
        .await;
        let mut bench = streamable(&server);
        let hello = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
            "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "att", "version": "1"}
        }});
        bench.transport.send(serde_json::from_value(hello).unwrap()).await.unwrap();
        assert!(matches!(bench.transport.receive().await, Some(JsonRpcMessage::Response(_))));
        bench.wire.finish("0");
        let _ = bench.transport.send(ping(1)).await;
        let seen = server.seen.lock().unwrap().clone();
        let second = seen[1].to_ascii_lowercase();
        assert!(
            second.contains("mcp-session-id: abc-1") && second.contains("mcp-protocol-version: 2025-11-25")
        );
        assert_eq!(bench.wire.is_over(), forgotten);
        assert_eq!(bench.wire.finish("1").fault.is_some(), forgotten);
        assert_eq!(server.asked.load(Ordering::SeqCst), 2, "asked once more, and not again");
    }
}
