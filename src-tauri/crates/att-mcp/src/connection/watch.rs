//! What is watched while a link stands: its end, its process, its changed lists. All tasks end with the link.

use std::sync::Arc;
use std::time::Duration;

use rmcp::model::SubscriptionFilter;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::actor::News;
use crate::child::{Process, StderrRing};
use crate::client::FleetClient;
use crate::dial::exit_fault;
use crate::link::Link;
use crate::model::{Era, ErrorCategory};

/// How long a process may take to be seen ended after its pipe closed, so that the better reason is told.
const EXIT_PATIENCE: Duration = Duration::from_millis(300);

/// Watches `link` of its generation and sends what it sees to `news`.
pub(super) fn watch(
    link: &Arc<Link>,
    client: &FleetClient,
    processes: [Option<&Process>; 2],
    stderr: &StderrRing,
    news: &mpsc::Sender<News>,
) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    let generation = link.generation;
    let has_process = processes.iter().any(Option::is_some);
    for process in processes.into_iter().flatten() {
        let (exited, stderr, news) = (process.exited(), stderr.clone(), news.clone());
        tasks.spawn(async move {
            let exit = exited.await;
            // The last line of stderr may still be on its way.
            tokio::time::sleep(Duration::from_millis(20)).await;
            let _ = news.send(News::Broken { generation, fault: exit_fault(&exit, &stderr) }).await;
        });
    }
    {
        let (link, news) = (Arc::clone(link), news.clone());
        tasks.spawn(async move {
            let fault = link.broken().await;
            // Where the wire knows why, the end of the process is a consequence and says less.
            if has_process && fault.category == ErrorCategory::TransportError {
                tokio::time::sleep(EXIT_PATIENCE).await;
            }
            let _ = news.send(News::Broken { generation, fault }).await;
        });
    }
    {
        let (changed, news) = (Arc::clone(&client.lists_changed), news.clone());
        tasks.spawn(async move {
            loop {
                changed.notified().await;
                if news.send(News::ListsChanged { generation }).await.is_err() {
                    return;
                }
            }
        });
    }
    if link.greeting.era == Era::Modern {
        let (link, news) = (Arc::clone(link), news.clone());
        tasks.spawn(async move { listen(&link, &news).await });
    }
    tasks
}

/// The modern era tells of changed lists only over an open `subscriptions/listen`. Where the server refuses it,
/// the actor reads the lists again with its probes.
async fn listen(link: &Link, news: &mpsc::Sender<News>) {
    let generation = link.generation;
    let wanted = SubscriptionFilter::builder()
        .tools_list_changed()
        .prompts_list_changed()
        .resources_list_changed()
        .build();
    let opened = tokio::time::timeout(Duration::from_secs(10), link.peer().listen(wanted)).await;
    let Ok(Ok(mut subscription)) = opened else { return };
    if news.send(News::Listening { generation, on: true }).await.is_err() {
        return;
    }
    while let Ok(Some(_)) = subscription.next().await {
        if news.send(News::ListsChanged { generation }).await.is_err() {
            return;
        }
    }
    let _ = news.send(News::Listening { generation, on: false }).await;
}
