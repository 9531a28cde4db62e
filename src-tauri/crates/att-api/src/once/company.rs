//! Who is with a short call: told how far it is, asked what its server asks, and able to stop it.

use crate::convert::question as convert;
use crate::dto::{QuestionAnswerDto, QuestionDto};
use async_trait::async_trait;
use att_mcp::{Answerer, CallUnderWay, Fleet, Question, QuestionAnswer};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// Hears how far a call is: progress, total, message.
pub(crate) type Told = Box<dyn Fn(f64, Option<f64>, Option<&str>) + Send + Sync>;

/// Asks a person; none declines. It may block.
pub type AskPerson = dyn Fn(QuestionDto) -> Option<QuestionAnswerDto> + Send + Sync;

/// Who is with a short call. By default nobody: questions are declined.
#[derive(Default)]
pub struct Company {
    /// The person.
    pub ask: Option<Arc<AskPerson>>,
    /// Told of progress: done, of how much, and what the server says.
    pub told: Option<Told>,
    /// Ends when the call is to be cancelled.
    pub stop: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

/// Asks the person of a company.
pub(super) struct Person(pub(super) Option<Arc<AskPerson>>);

#[async_trait]
impl Answerer for Person {
    async fn answer(&self, question: &Question) -> Option<QuestionAnswer> {
        let (kind, shown) = (question.kind, convert::question(question));
        let given = match self.0.clone() {
            Some(ask) => tokio::task::spawn_blocking(move || ask(shown)).await.ok().flatten(),
            None => None,
        };
        let answer = given.and_then(|given| convert::answer(kind, &given).ok());
        Some(answer.unwrap_or(QuestionAnswer::Decline))
    }
}

/// Waits for `call`, telling and obeying the company.
pub(super) async fn accompanied<T>(
    fleet: &Fleet,
    told: Option<Told>,
    stop: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    call: impl Future<Output = T>,
) -> T {
    let mut changed = fleet.watch_calls();
    let mut stop = stop.unwrap_or_else(|| Box::pin(std::future::pending()));
    let (mut stopped, mut last) = (false, None);
    tokio::pin!(call);
    loop {
        tokio::select! {
            biased;
            answer = &mut call => return answer,
            () = &mut stop, if !stopped => {
                stopped = true;
                for call in fleet.calls() {
                    let _ = fleet.cancel(&call.request_id);
                }
            }
            Ok(()) = changed.changed() => {
                let now = fleet.calls().into_iter().find_map(|call: CallUnderWay| call.progress);
                if let (Some(progress), Some(told)) = (&now, &told)
                    && now != last
                {
                    told(progress.progress, progress.total, progress.message.as_deref());
                }
                last = now;
            }
        }
    }
}
