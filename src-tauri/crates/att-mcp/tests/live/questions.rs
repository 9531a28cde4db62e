//! What servers ask in the middle of a call, in both eras.

use std::time::Duration;

use att_core::{Actor, Face};
use att_mcp::{FailureCode, Fleet, FleetError, Question, QuestionAnswer, QuestionKind};
use serde_json::json;

use crate::bench::{Bench, http, stdio};

const ERAS: [&str; 2] = ["legacy", "modern"];

fn asking(era: &str) -> [&str; 4] {
    ["--profile", "asking", "--era", era]
}

fn ann() -> Actor {
    Actor::person("ann", Face::Desktop, 1)
}

/// The next open question.
async fn asked(fleet: &Fleet) -> Question {
    let mut changed = fleet.watch_questions();
    let asked = async {
        loop {
            if let Some(question) = fleet.questions().pop() {
                return question;
            }
            changed.changed().await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(10), asked).await.expect("nothing is asked")
}

fn text(answer: &att_mcp::InvokeAnswer) -> String {
    answer.result["content"][0]["text"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_form_waits_for_the_operator_is_checked_and_goes_back_with_its_defaults_in_both_eras() {
    for era in ERAS {
        let mut configs = vec![stdio("stdio", &asking(era)), http("http", &asking(era))];
        // The operator may think longer than a call may be silent.
        configs.iter_mut().for_each(|config| config.settings.call_timeout_ms = 1_500);
        let bench = Bench::new(configs).await;
        for name in ["stdio", "http"] {
            bench.ready(name).await;
            let operator = async {
                let question = asked(&bench.fleet).await;
                assert_eq!((question.kind, question.server.as_str()), (QuestionKind::ElicitationForm, name));
                assert_eq!(question.message, "Who are you?");
                // The desk tells the list of calls a moment after it took the question.
                let told = async {
                    let mut calls = bench.fleet.watch_calls();
                    while bench.fleet.calls()[0].open_questions != 1 {
                        calls.changed().await.unwrap();
                    }
                };
                tokio::time::timeout(Duration::from_secs(5), told)
                    .await
                    .expect("the call shows its question");
                assert_eq!(question.request_id, Some(bench.fleet.calls().remove(0).request_id), "{era}");
                let unfit = QuestionAnswer::Accept { content: json!({"age": 0}) };
                let refused = bench.fleet.answer_question(&question.id, unfit, ann());
                assert!(matches!(refused, Err(FleetError::UnfitAnswer(_))), "{refused:?}");
                tokio::time::sleep(Duration::from_millis(2_000)).await;
                let fit = QuestionAnswer::Accept { content: json!({"age": 7}) };
                bench.fleet.answer_question(&question.id, fit.clone(), ann()).unwrap();
                let again = bench.fleet.answer_question(&question.id, fit, ann());
                assert!(matches!(again, Err(FleetError::UnknownQuestion)), "answered once");
            };
            let (answer, ()) = tokio::join!(bench.call(name, "ask_form", json!({})), operator);
            let answer = answer.unwrap_or_else(|failure| panic!("{era} {name}: {failure:?}"));
            let said = text(&answer);
            for part in ["\"accept\"", "\"age\":7", "\"name\":\"Ann\""] {
                assert!(said.contains(part), "{era} {name}: {said}");
            }
            assert_eq!(answer.attempts.len(), 1, "a round of input is no new attempt");
        }
        bench.fleet.shutdown().await;
        let (asked, settled) = bench.store.questions();
        assert_eq!((asked.len(), settled.len()), (2, 2));
        assert_eq!(settled[0].fields, ["age", "name"]);
        assert_eq!((settled[0].action.as_str(), &settled[0].by), ("accept", &Some(ann())));
    }
}

#[tokio::test]
async fn a_page_is_told_and_a_sampling_is_written_or_refused_by_the_operator_and_roots_are_the_operators_setting()
 {
    for era in ERAS {
        let mut config = stdio("s", &asking(era));
        config.roots = vec!["/srv/data".to_owned(), "not/absolute".to_owned()];
        let bench = Bench::new(vec![config]).await;
        bench.ready("s").await;
        let answer = |answer: QuestionAnswer| {
            let fleet = &bench.fleet;
            async move {
                let question = asked(fleet).await;
                fleet.answer_question(&question.id, answer, ann()).unwrap();
                question
            }
        };
        let accept = |content| QuestionAnswer::Accept { content };
        let (page, question) =
            tokio::join!(bench.call("s", "ask_page", json!({})), answer(accept(json!(null))));
        assert_eq!(question.url.as_deref(), Some("https://login.example/start"));
        assert!(text(&page.unwrap()).contains("\"accept\""));
        let (said, question) =
            tokio::join!(bench.call("s", "ask_text", json!({})), answer(accept(json!("hello"))));
        assert_eq!(question.messages[0].text, "Say something.");
        assert!(text(&said.unwrap()).contains("hello"));
        let (refused, _) =
            tokio::join!(bench.call("s", "ask_text", json!({})), answer(QuestionAnswer::Decline));
        let refused = refused.unwrap_err();
        assert_eq!(refused.code, FailureCode::ApplicationError, "{era}: {refused:?}");
        assert!(refused.message.contains("refused"), "{era}: {}", refused.message);
        let roots = text(&bench.call("s", "ask_roots", json!({})).await.unwrap());
        assert!(roots.contains("file:///srv/data") && !roots.contains("absolute"), "{roots}");
        bench.fleet.shutdown().await;
    }
}

#[tokio::test]
async fn a_cancelled_call_takes_its_question_along_and_a_server_is_not_asked_without_end() {
    let bench = Bench::new(vec![stdio("s", &asking("modern"))]).await;
    bench.ready("s").await;
    let cancel = async {
        let question = asked(&bench.fleet).await;
        assert!(bench.fleet.cancel(&question.request_id.unwrap()));
    };
    let (cancelled, ()) = tokio::join!(bench.call("s", "ask_form", json!({})), cancel);
    assert_eq!(cancelled.unwrap_err().code, FailureCode::Cancelled);
    assert_eq!(bench.fleet.questions(), []);

    let patient = async {
        for _ in 0..10 {
            let question = asked(&bench.fleet).await;
            bench
                .fleet
                .answer_question(&question.id, QuestionAnswer::Accept { content: json!({"age": 1}) }, ann())
                .unwrap();
        }
    };
    let (endless, ()) = tokio::join!(bench.call("s", "ask_forever", json!({})), patient);
    let endless = endless.unwrap_err();
    assert!(endless.message.contains("more than 10 times"), "{}", endless.message);
    assert_eq!(endless.attempts.len(), 1);
    bench.fleet.shutdown().await;
    let (_, settled) = bench.store.questions();
    assert_eq!(settled[0].how, "what it was about is over");
}

#[tokio::test]
async fn an_answer_that_breaks_the_tools_own_promise_is_delivered_and_marked() {
    let bench = Bench::new(vec![stdio("s", &asking("legacy"))]).await;
    bench.ready("s").await;
    let answer = bench.call("s", "broken_promise", json!({})).await.unwrap();
    assert_eq!(answer.result["structuredContent"]["sum"], "many");
    assert_eq!(answer.output_problems, ["/sum: must be number"]);
    let kept = bench.call("s", "add", json!({"a": 1, "b": 2})).await.unwrap();
    assert_eq!(kept.output_problems, Vec::<String>::new());
    bench.fleet.shutdown().await;
}
