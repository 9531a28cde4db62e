use proptest::prelude::*;
use rmcp::model::{ClientJsonRpcMessage, ClientRequest, ListToolsRequest};
use serde_json::json;

use super::*;

/// A wire on which the requests 1 and 2 wait for their answers.
fn waiting() -> Wire {
    let wire = Wire::default();
    for id in [1, 2] {
        let list =
            ListToolsRequest { method: Default::default(), params: None, extensions: Default::default() };
        let request = ClientRequest::ListToolsRequest(list);
        wire.register(&ClientJsonRpcMessage::request(request, RequestId::Number(id)));
    }
    wire
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        Just(json!("notifications/tools/list_changed")),
        Just(json!("sampling/createMessage")),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::hash_map(
                prop_oneof![
                    Just("id".to_owned()),
                    Just("jsonrpc".to_owned()),
                    Just("method".to_owned()),
                    Just("params".to_owned()),
                    Just("result".to_owned()),
                    Just("error".to_owned()),
                    Just("tools".to_owned()),
                    "[a-z]{0,6}",
                ],
                inner,
                0..6
            )
            .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// A message that looks right at first.
fn message() -> impl Strategy<Value = Value> {
    let id = prop_oneof![Just(json!(1)), Just(json!("1")), Just(json!(2)), Just(json!(99)), json_value()];
    (id, proptest::option::of(json_value()), proptest::option::of(json_value()), any::<bool>()).prop_map(
        |(id, result, error, versioned)| {
            let mut message = json!({"id": id});
            if versioned {
                message["jsonrpc"] = json!("2.0");
            }
            for (key, value) in [("result", result), ("error", error)] {
                if let Some(value) = value {
                    message[key] = value;
                }
            }
            message
        },
    )
}

#[test]
fn what_is_told_of_a_useless_message_is_short_and_clean_whatever_its_id_and_method_are() {
    let long = format!("x\u{202e}\u{1b}[2J{}", "y".repeat(100_000));
    let request = json!({"jsonrpc": "2.0", "id": [], "method": long});
    let stray = json!({"jsonrpc": "2.0", "id": long, "result": {}});
    for message in [request, stray] {
        let heard = waiting().hear(&serde_json::to_vec(&message).unwrap(), Arrival::default());
        let [Heard::Ignored(why)] = heard.as_slice() else { panic!("{heard:?}") };
        assert!(why.chars().count() < 400 && why.chars().all(att_core::text::is_visible), "{why}");
    }
}

fn answers(heard: &[Heard]) -> usize {
    let answer = |heard: &&Heard| match heard {
        Heard::Message(message) => {
            matches!(**message, JsonRpcMessage::Response(_) | JsonRpcMessage::Error(_))
        }
        _ => false,
    };
    heard.iter().filter(answer).count()
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_taken_without_a_panic_and_answer_nothing(body in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let heard = waiting().hear(&body, Arrival::default());
        prop_assert_eq!(answers(&heard), 0);
    }

    #[test]
    fn arbitrary_json_answers_each_request_once_at_most(
        bodies in proptest::collection::vec(prop_oneof![json_value(), message(), proptest::collection::vec(message(), 0..8).prop_map(Value::from)], 0..12)
    ) {
        let wire = waiting();
        let mut answered = 0;
        for body in &bodies {
            let heard = wire.hear(&serde_json::to_vec(body).unwrap(), Arrival::default());
            answered += heard.iter().filter(|heard| match heard {
                Heard::Message(message) => match &**message {
                    JsonRpcMessage::Response(response) => [1, 2].map(RequestId::Number).contains(&response.id),
                    JsonRpcMessage::Error(error) => error.id.is_some(),
                    _ => false,
                },
                _ => false,
            }).count();
            for what in &heard {
                if let Heard::Ignored(why) | Heard::Broken(why) = what {
                    prop_assert!(why.chars().count() < 1_000, "{}", why);
                }
            }
        }
        prop_assert!(answered <= 2, "{answered} answers to two requests");
    }
}
