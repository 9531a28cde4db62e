use proptest::prelude::*;
use rmcp::model::{ClientRequest, JsonRpcMessage, ListToolsRequest, PingRequest, RequestId, ServerResult};
use serde_json::json;
use tokio::io::{AsyncReadExt, DuplexStream, duplex};

use super::*;

struct Bench {
    transport: LineTransport<tokio::io::ReadHalf<DuplexStream>>,
    server: DuplexStream,
    wire: Arc<Wire>,
    noise: mpsc::Receiver<String>,
}

fn bench() -> Bench {
    let (ours, server) = duplex(64 * 1024);
    let (reader, writer) = tokio::io::split(ours);
    let wire = Arc::new(Wire::default());
    let (tell, noise) = mpsc::channel(8);
    Bench { transport: LineTransport::new(reader, writer, Arc::clone(&wire), tell), server, wire, noise }
}

impl Bench {
    async fn say(&mut self, text: &str) {
        self.server.write_all(text.as_bytes()).await.unwrap();
    }

    async fn ask(&mut self, request: ClientRequest, id: i64) {
        let message = ClientJsonRpcMessage::request(request, RequestId::Number(id));
        self.transport.send(message).await.unwrap();
    }
}

fn tools_list() -> ClientRequest {
    ClientRequest::ListToolsRequest(ListToolsRequest {
        method: Default::default(),
        params: None,
        extensions: Default::default(),
    })
}

#[tokio::test]
async fn one_malformed_tool_does_not_lose_the_list_and_unknown_fields_stay() {
    let mut bench = bench();
    bench.ask(tools_list(), 7).await;
    let result =
        json!({"tools": [{"name": "good", "x-new": 1, "inputSchema": {"type": "object"}}, {"name": 42}]});
    bench.say(&format!("{}\n", json!({"jsonrpc": "2.0", "id": 7, "result": result}))).await;
    let Some(JsonRpcMessage::Response(response)) = bench.transport.receive().await else {
        panic!("no response")
    };
    let ServerResult::CustomResult(raw) = response.result else { panic!("not raw") };
    assert_eq!(raw.0, result);
    assert!(bench.wire.finish("7").sent);
}

#[tokio::test(start_paused = true)]
async fn a_line_that_comes_in_pieces_survives_a_cancelled_receive() {
    let mut bench = bench();
    bench.ask(tools_list(), 1).await;
    let line = format!("{}\n", json!({"jsonrpc": "2.0", "id": 1, "result": {"tools": []}}));
    let (head, tail) = line.split_at(20);
    bench.say(head).await;
    let early = tokio::time::timeout(std::time::Duration::from_secs(1), bench.transport.receive()).await;
    assert!(early.is_err(), "half a line is no message");
    bench.say(tail).await;
    assert!(matches!(bench.transport.receive().await, Some(JsonRpcMessage::Response(_))));
}

#[tokio::test]
async fn a_batch_is_taken_apart_and_chatter_on_stdout_is_kept_out_of_the_way() {
    let mut bench = bench();
    for id in [1, 2] {
        let ping = PingRequest { method: Default::default(), extensions: Default::default() };
        bench.ask(ClientRequest::PingRequest(ping), id).await;
    }
    bench.say("Server is starting...\n\n").await;
    let answer = |id: i64| json!({"jsonrpc": "2.0", "id": id, "result": {}});
    bench.say(&format!("{}\n", json!([answer(1), answer(2)]))).await;
    for _ in 0..2 {
        assert!(matches!(bench.transport.receive().await, Some(JsonRpcMessage::Response(_))));
    }
    assert_eq!(bench.noise.try_recv().unwrap(), "stdout: Server is starting...");
}

#[tokio::test]
async fn a_broken_message_ends_the_connection_with_its_reason() {
    let mut bench = bench();
    bench.say("{\"jsonrpc\": \"2.0\", \"id\": 1, \"resu\n").await;
    assert!(bench.transport.receive().await.is_none());
    let cause = bench.wire.cause().unwrap();
    assert_eq!(cause.category, ErrorCategory::InvalidPayload);
    assert!(cause.message.contains("broken JSON"));
}

#[tokio::test]
async fn an_endless_line_is_cut_off_instead_of_eating_the_memory() {
    let Bench { mut transport, mut server, wire, noise: _noise } = bench();
    let flood = tokio::spawn(async move {
        let chunk = vec![b'x'; 64 * 1024];
        while server.write_all(&chunk).await.is_ok() {}
    });
    assert!(transport.receive().await.is_none());
    assert_eq!(wire.cause().unwrap().category, ErrorCategory::InvalidPayload);
    drop(transport);
    flood.await.unwrap();
}

#[tokio::test]
async fn dropping_the_transport_closes_the_servers_input() {
    let Bench { transport, mut server, wire, noise: _noise } = bench();
    drop(transport);
    let mut rest = Vec::new();
    server.read_to_end(&mut rest).await.unwrap();
    assert!(rest.is_empty() && wire.is_over());
    assert_eq!(wire.failed(Some("")).await.category, ErrorCategory::TransportError);
}

#[tokio::test]
async fn an_answer_that_comes_twice_over_stdio_is_heard_once() {
    let mut bench = bench();
    bench.ask(tools_list(), 1).await;
    let answer = |name: &str| json!({"jsonrpc": "2.0", "id": 1, "result": {"tools": [{"name": name}]}});
    bench.say(&format!("{}\n{}\n", answer("first"), answer("second"))).await;
    let Some(JsonRpcMessage::Response(response)) = bench.transport.receive().await else {
        panic!("no response")
    };
    let ServerResult::CustomResult(raw) = response.result else { panic!("not raw") };
    assert_eq!(raw.0["tools"][0]["name"], "first");
    drop(bench.server);
    assert!(bench.transport.receive().await.is_none(), "the second one goes nowhere");
    let told = bench.noise.recv().await.unwrap();
    assert!(told.contains("a second answer to the request 1"), "{told}");
}

fn hostile_line() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        Just("{\"jsonrpc\":\"2.0\"".to_owned()),
        Just(",\"id\":1".to_owned()),
        Just(",\"id\":[1]".to_owned()),
        Just(",\"method\":\"notifications/progress\"".to_owned()),
        Just(",\"params\":{\"progressToken\":1,\"progress\":1e400}".to_owned()),
        Just(",\"result\":{}".to_owned()),
        Just(",\"error\":{\"code\":99999999999}".to_owned()),
        Just("}".to_owned()),
        Just("[".repeat(200)),
        Just("\u{202e}\u{0}\u{1b}[2J".to_owned()),
        "\\PC{0,20}",
    ];
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..300),
        proptest::collection::vec(word, 0..8).prop_map(|words| words.concat().into_bytes()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever lines come, in whatever pieces: the reader ends with them or with a reason, and says nothing that
    /// misleads the eye.
    #[test]
    fn arbitrary_lines_are_read_to_their_end_or_to_a_reason(
        lines in proptest::collection::vec(hostile_line(), 0..20),
        piece in 1_usize..500,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let Bench { mut transport, mut server, wire, mut noise } = bench();
            let sent = transport.send(ClientJsonRpcMessage::request(tools_list(), RequestId::Number(1)));
            sent.await.unwrap();
            let bytes = lines.join(&b'\n');
            tokio::spawn(async move {
                for part in bytes.chunks(piece) {
                    if server.write_all(part).await.is_err() {
                        return;
                    }
                }
            });
            let (mut answers, mut said) = (0, Vec::new());
            let read = async {
                while let Some(message) = transport.receive().await {
                    answers += usize::from(matches!(message, JsonRpcMessage::Response(_)));
                    while let Ok(line) = noise.try_recv() {
                        said.push(line);
                    }
                }
            };
            tokio::time::timeout(std::time::Duration::from_secs(20), read).await.expect("it does not end");
            assert!(wire.is_over() && answers <= 1);
            let misleads = |line: &String| line.chars().any(|c| !att_core::text::is_visible(c));
            assert!(!said.iter().any(misleads), "{said:?}");
        });
    }
}
