//! Rounds of input: a server of the modern era answers with what it wants to know, and the call is put again with it
//! (SEP-2322). It is the same call, which the server has not completed: nothing is done twice.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::try_join_all;
use serde_json::{Map, Value};
use tokio::time::{Instant, sleep_until};

use super::exchange::Exchange;
use crate::conversation::{Asking, Caller};
use crate::question::desk::Asker;
use crate::question::{Posed, on_the_wire};

/// Rounds of one call, at most.
pub(super) const MOST_ROUNDS: u32 = 10;
/// Questions of one round, at most.
const MOST_QUESTIONS: usize = 8;
/// Largest state that is sent back, in bytes.
const STATE_BYTES: usize = 1024 * 1024;
/// Wait before a call is put again where nothing was asked but to come back.
const COME_BACK: Duration = Duration::from_millis(250);

/// What a call is put again with.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Round {
    pub responses: Option<BTreeMap<String, Value>>,
    pub state: Option<String>,
}

/// True when this is no result yet.
pub(super) fn wants_input(answer: &Value) -> bool {
    answer.get("resultType").and_then(Value::as_str) == Some("input_required")
}

/// What a server wants before it goes on.
#[derive(Debug, PartialEq)]
struct Wish<'a> {
    asked: Vec<(&'a str, &'a str, Option<&'a Value>)>,
    state: Option<&'a str>,
}

impl<'a> Wish<'a> {
    /// Reads the answer; `Err` says why it cannot be met.
    fn read(answer: &'a Value) -> Result<Self, String> {
        let none = Map::new();
        let state = match answer.get("requestState") {
            None | Some(Value::Null) => None,
            Some(Value::String(state)) if state.len() <= STATE_BYTES => Some(state.as_str()),
            Some(_) => return Err("its state is no text of a bearable size".to_owned()),
        };
        let requests = match answer.get("inputRequests") {
            None | Some(Value::Null) => None,
            Some(Value::Object(requests)) => Some(requests),
            Some(_) => return Err("its wish for input cannot be read".to_owned()),
        };
        if requests.is_none() && state.is_none() {
            return Err("it asks for input and does not say for which".to_owned());
        }
        if requests.unwrap_or(&none).len() > MOST_QUESTIONS {
            return Err(format!("it asks more than {MOST_QUESTIONS} questions at once"));
        }
        let mut asked = Vec::new();
        for (key, request) in requests.into_iter().flatten() {
            let method = request.get("method").and_then(Value::as_str).ok_or("it asks without a method")?;
            asked.push((key.as_str(), method, request.get("params")));
        }
        Ok(Self { asked, state })
    }
}

impl Exchange<'_> {
    /// Asks the operator what the server wants to know. `Err` says why the call ends here.
    pub(super) async fn meet(
        &self,
        answer: &Value,
        caller: &Caller,
        until: Instant,
    ) -> Result<Round, String> {
        let wish = Wish::read(answer)?;
        if wish.asked.is_empty() {
            sleep_until(until.min(Instant::now() + COME_BACK)).await;
        }
        let answers = wish.asked.iter().map(|(key, method, params)| async move {
            let response = self.respond(method, *params, caller, until).await?;
            Ok::<_, String>(((*key).to_owned(), response))
        });
        let responses: BTreeMap<_, _> = try_join_all(answers).await?.into_iter().collect();
        Ok(Round {
            responses: answer.get("inputRequests").is_some_and(Value::is_object).then_some(responses),
            state: wish.state.map(str::to_owned),
        })
    }

    async fn respond(
        &self,
        method: &str,
        params: Option<&Value>,
        caller: &Caller,
        until: Instant,
    ) -> Result<Value, String> {
        let config = &self.server.config;
        if method == "roots/list" {
            return Ok(Asking::roots_of(&config.roots));
        }
        let posed = Posed::read(method, params)?;
        let kind = posed.kind;
        let asker = Asker {
            server: config.name.clone(),
            generation: self.link.generation,
            caller: Some(caller.clone()),
        };
        let answer = self.shared.desk.ask(asker, posed, until).await?;
        on_the_wire(kind, &answer).ok_or_else(|| "the operator refused the sampling request".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_wish_is_read_with_its_state_and_a_hostile_one_is_refused() {
        let wish = json!({"resultType": "input_required", "requestState": "s", "inputRequests": {
            "a": {"method": "elicitation/create", "params": {"message": "m"}}
        }});
        assert!(wants_input(&wish) && !wants_input(&json!({"content": []})));
        let read = Wish::read(&wish).unwrap();
        assert_eq!((read.asked[0].0, read.asked[0].1, read.state), ("a", "elicitation/create", Some("s")));
        assert_eq!(Wish::read(&json!({"requestState": "s"})).unwrap().asked, []);
        let many: Map<String, Value> =
            (0..9).map(|n| (n.to_string(), json!({"method": "roots/list"}))).collect();
        let refused = [
            json!({}),
            json!({"inputRequests": many}),
            json!({"inputRequests": {"a": {}}}),
            json!({"inputRequests": []}),
            json!({"requestState": 5}),
            json!({"requestState": "x".repeat(STATE_BYTES + 1)}),
        ];
        for answer in refused {
            assert!(Wish::read(&answer).is_err());
        }
    }
}
