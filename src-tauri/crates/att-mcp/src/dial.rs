//! One connection attempt, from nothing to a greeted link with its lists.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use att_core::Clock;
use att_core::id::Randomness;
use att_core::secret::SecretStore;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};
use tokio_util::task::TaskTracker;

use crate::auth::Authorization;
use crate::child::{Process, StderrRing};
use crate::client::FleetClient;
use crate::config::ServerConfig;
use crate::conversation::{Asking, Conversation};
use crate::era::{Met, Opening, greet, is_worth, openings};
use crate::facets::Greeting;
use crate::link::{Link, millis};
use crate::lists;
use crate::model::{AuthNeed, ErrorCategory, Fault, TransportKind};
use crate::question::desk::Desk;
use crate::snapshot::{ReadList, ReadLists};
use crate::target::{KnownSecrets, Target, TargetError, target};
use crate::wire::http::HttpWire;
use crate::wire::http::legacy::LegacyTransport;
use crate::wire::http::streamable::StreamableTransport;
use crate::wire::line::LineTransport;
use crate::wire::log::WireLog;
use crate::wire::{Wire, WireFault};

/// Shorter than the 5 s after which the servers of Node.js and uvicorn close an idle connection: a call that goes out
/// on one that is just being closed gets no answer, and nobody can tell whether it was run.
const POOL_IDLE: Duration = Duration::from_secs(4);

/// The shared HTTP clients: loopback addresses never go through a proxy.
#[derive(Debug, Clone)]
pub(crate) struct HttpClients {
    direct: reqwest::Client,
    /// Built when it is wanted first: each reads all certificates of the system.
    proxied: Arc<Mutex<Option<reqwest::Client>>>,
}

impl HttpClients {
    pub fn new() -> Result<Self, reqwest::Error> {
        Ok(Self { direct: builder().no_proxy().build()?, proxied: Arc::default() })
    }

    fn for_url(&self, url: &reqwest::Url) -> Result<reqwest::Client, WireFault> {
        if is_local(url) {
            return Ok(self.direct.clone());
        }
        let mut proxied = self.proxied.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = &*proxied {
            return Ok(client.clone());
        }
        let client = builder().build().map_err(|error| {
            let text = format!("the HTTP client could not be built: {error}");
            WireFault::new(ErrorCategory::TransportError, text).unsent()
        })?;
        Ok(proxied.insert(client).clone())
    }
}

/// True for an address of this machine's own, which no proxy can reach.
fn is_local(url: &reqwest::Url) -> bool {
    url.host_str().is_some_and(|host| {
        let host = host.trim_matches(['[', ']']);
        host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
    })
}

/// A client like the shared ones, for somebody who wants to know sooner that `url` cannot be reached.
pub(crate) fn client_for(
    url: &reqwest::Url,
    reach_within: Duration,
) -> Result<reqwest::Client, reqwest::Error> {
    let builder = builder().connect_timeout(reach_within);
    if is_local(url) { builder.no_proxy().build() } else { builder.build() }
}

fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(10))
        .pool_idle_timeout(POOL_IDLE)
        .redirect(reqwest::redirect::Policy::none())
}

/// What an attempt needs.
pub(crate) struct Dial {
    pub config: Arc<ServerConfig>,
    pub generation: u64,
    pub clock: Arc<dyn Clock>,
    /// Where the server's questions go.
    pub desk: Arc<Desk>,
    pub randomness: Arc<dyn Randomness>,
    pub wire_log: Arc<WireLog>,
    pub met: Option<Met>,
    pub http: HttpClients,
    pub secrets: Arc<dyn SecretStore>,
    pub authorization: Option<Arc<Authorization>>,
    /// What the server was given, to be hidden in whatever comes back.
    pub known: KnownSecrets,
    pub children: TaskTracker,
    /// Lines of the child's stderr.
    pub stderr: mpsc::Sender<String>,
    pub stderr_ring: StderrRing,
    /// The process that serves a URL, if it already runs.
    pub started: Option<Process>,
}

/// How far an attempt is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Progress {
    TransportOpen { pid: Option<u32> },
    Greeted(Box<Greeting>),
}

/// A connection with its first lists.
pub(crate) struct Opened {
    pub link: Link,
    pub client: FleetClient,
    /// The stdio server's process.
    pub process: Option<Process>,
    pub lists: ReadLists,
    pub connect_ms: i64,
    pub latency_ms: i64,
}

impl Dial {
    /// Runs the attempt. The process behind a URL comes back in either case, if it still runs.
    pub async fn run(
        mut self,
        progress: impl Fn(Progress) + Send + Sync,
    ) -> (Result<Opened, WireFault>, Option<Process>) {
        let outcome = Box::pin(self.open(&progress)).await.map_err(|mut fault| {
            fault.message = self.known.hide(&fault.message);
            fault
        });
        (outcome, self.started.take().filter(Process::runs))
    }

    async fn open(&mut self, progress: &(impl Fn(Progress) + Send + Sync)) -> Result<Opened, WireFault> {
        let begun = Instant::now();
        let settings = self.config.settings.clone();
        let total = duration(settings.connect_timeout_ms);
        let target =
            target(&self.config, &*self.secrets, &self.known).await.map_err(|error| config_fault(&error))?;
        if let Target::Http { url, start: Some(start), .. } = &target {
            self.ensure_started(url, start, total, progress).await?;
        }
        let mut last = None;
        for opening in openings(self.config.transport(), self.met) {
            let left = total.saturating_sub(begun.elapsed());
            if left.is_zero() || last.as_ref().is_some_and(|fault| !is_worth(*opening, fault)) {
                continue;
            }
            let timeout = match opening {
                Opening::DiscoverFirst => duration(settings.discover_timeout_ms).min(left),
                Opening::InitializeOnly | Opening::OldTransport => left,
            };
            let asking = Asking {
                desk: Arc::clone(&self.desk),
                server: self.config.name.clone(),
                generation: self.generation,
                roots: self.config.roots.clone(),
            };
            let talk = Conversation::new(Arc::clone(&self.clock)).asking(asking);
            let client = FleetClient::new(Arc::new(talk));
            match self.shake_hands(&target, *opening, timeout, client.clone(), progress).await {
                Ok((link, process, handshake_ms)) => {
                    progress(Progress::Greeted(Box::new(link.greeting.clone())));
                    let capabilities = link.greeting.capabilities.clone();
                    let asked = Instant::now();
                    let list_timeout = duration(settings.list_timeout_ms);
                    let lists = Box::pin(lists::read_all(&link, &capabilities, list_timeout)).await;
                    if let Some(fault) = self.unauthorized(&lists).or_else(|| all_failed(&link, &lists)) {
                        return Err(fault);
                    }
                    let latency_ms = match any_read(&lists) {
                        true => millis(asked.elapsed()),
                        false => handshake_ms,
                    };
                    let connect_ms = millis(begun.elapsed());
                    return Ok(Opened { link, client, process, lists, connect_ms, latency_ms });
                }
                // No stream of the old kind either: what the address said first tells more.
                Err(fault) if *opening == Opening::OldTransport && fault.status.is_some() => {
                    last.get_or_insert(fault);
                }
                Err(fault) => last = Some(fault),
            }
        }
        Err(last.unwrap_or_else(|| WireFault::new(ErrorCategory::Unknown, "nothing was tried")))
    }

    async fn shake_hands(
        &mut self,
        target: &Target,
        opening: Opening,
        timeout: Duration,
        client: FleetClient,
        progress: &(impl Fn(Progress) + Send + Sync),
    ) -> Result<(Link, Option<Process>, i64), WireFault> {
        let talk = Arc::clone(&client.conversation);
        let wire = Arc::new(Wire::new(Arc::clone(&self.wire_log), self.generation, talk));
        let begun = Instant::now();
        match target {
            Target::Stdio(spec) => {
                let (process, pipes) = Process::spawn(spec, self.stderr.clone(), &self.children)
                    .map_err(|error| WireFault::new(ErrorCategory::ProcessExit, error.to_string()))?;
                progress(Progress::TransportOpen { pid: Some(process.pid) });
                let transport =
                    LineTransport::new(pipes.stdout, pipes.stdin, Arc::clone(&wire), self.stderr.clone());
                match greet(transport, &wire, client, opening, timeout).await {
                    Ok((service, greeting)) => {
                        let link = Link::new(self.generation, greeting, service, wire);
                        Ok((link, Some(process), millis(begun.elapsed())))
                    }
                    Err(fault) => Err(self.explain(fault, &process).await),
                }
            }
            Target::Http { url, headers, .. } => {
                let parsed = parse(url)?;
                progress(Progress::TransportOpen { pid: self.started.as_ref().map(|p| p.pid) });
                if let Some(authorization) = &self.authorization {
                    authorization.bind(&parsed);
                }
                let http = HttpWire::new(self.http.for_url(&parsed)?, parsed, headers)
                    .authorized(self.authorization.clone());
                let (service, mut greeting) = match opening {
                    Opening::OldTransport => {
                        let (told, noise) = (Arc::clone(&wire), self.stderr.clone());
                        let transport = LegacyTransport::open(&http, told, noise, timeout).await?;
                        let left = timeout.saturating_sub(begun.elapsed());
                        greet(transport, &wire, client, opening, left).await?
                    }
                    Opening::DiscoverFirst | Opening::InitializeOnly => {
                        let (told, noise) = (Arc::clone(&wire), self.stderr.clone());
                        let transport =
                            StreamableTransport::new(http, told, noise, Arc::clone(&self.randomness));
                        greet(transport, &wire, client, opening, timeout).await?
                    }
                };
                greeting.transport = Some(match opening {
                    Opening::OldTransport => TransportKind::Sse,
                    Opening::DiscoverFirst | Opening::InitializeOnly => TransportKind::StreamableHttp,
                });
                let link = Link::new(self.generation, greeting, service, wire);
                Ok((link, None, millis(begun.elapsed())))
            }
        }
    }

    /// Lists that were refused for want of a token: that is no surface but a server that waits for a person.
    fn unauthorized(&self, lists: &ReadLists) -> Option<WireFault> {
        let fault = self.authorization.as_ref()?.standing_refusal()?;
        (fault.status == Some(401) || !any_items(lists)).then_some(fault)
    }

    /// A closed pipe says little; how the process ended and what it said last says more.
    async fn explain(&self, fault: WireFault, process: &Process) -> WireFault {
        if fault.category != ErrorCategory::TransportError {
            return fault;
        }
        match tokio::time::timeout(Duration::from_millis(500), process.exited()).await {
            Ok(exit) => exit_fault(&exit, &self.stderr_ring),
            Err(_) => fault,
        }
    }

    /// Starts the command behind a URL unless it runs, and waits until its port answers.
    async fn ensure_started(
        &mut self,
        url: &str,
        spec: &att_process::CommandSpec,
        timeout: Duration,
        progress: &(impl Fn(Progress) + Send + Sync),
    ) -> Result<(), WireFault> {
        if self.started.as_ref().is_some_and(Process::runs) {
            return Ok(());
        }
        let parsed = parse(url)?;
        let (Some(host), Some(port)) = (parsed.host_str(), parsed.port_or_known_default()) else {
            return Err(WireFault::new(ErrorCategory::TransportError, "the address has no port").unsent());
        };
        let host = host.trim_matches(['[', ']']).to_owned();
        let (process, pipes) = Process::spawn(spec, self.stderr.clone(), &self.children)
            .map_err(|error| WireFault::new(ErrorCategory::ProcessExit, error.to_string()))?;
        // A server that prints to stdout must not stall on a full pipe.
        tokio::spawn(crate::child::read_lines(pipes.stdout, self.stderr.clone()));
        progress(Progress::TransportOpen { pid: Some(process.pid) });
        let answers = async {
            while TcpStream::connect((host.as_str(), port)).await.is_err() {
                sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::select! {
            () = answers => {
                self.started = Some(process);
                Ok(())
            }
            exit = process.exited() => {
                // The last lines of stderr may still be on their way.
                sleep(Duration::from_millis(50)).await;
                Err(exit_fault(&exit, &self.stderr_ring))
            }
            () = sleep(timeout) => {
                let text = format!("the started server did not open port {port} within {} ms", timeout.as_millis());
                Err(WireFault::new(ErrorCategory::NetworkTimeout, text))
            }
        }
    }
}

/// Every list that was asked for failed because the connection broke: that is no surface but a failed attempt.
fn all_failed(link: &Link, lists: &ReadLists) -> Option<WireFault> {
    let read = [&lists.tools, &lists.resources, &lists.resource_templates, &lists.prompts];
    let asked: Vec<_> = read.into_iter().filter(|list| !matches!(list, ReadList::Unsupported)).collect();
    let failed = asked.iter().find_map(|list| match list {
        ReadList::Failed(reason) => Some(reason.clone()),
        ReadList::Items(_) | ReadList::Unsupported => None,
    })?;
    let none_read = asked.iter().all(|list| matches!(list, ReadList::Failed(_)));
    let unknown = || WireFault::new(ErrorCategory::TransportError, failed);
    (none_read && link.is_closed()).then(|| link.cause().unwrap_or_else(unknown))
}

fn any_items(lists: &ReadLists) -> bool {
    [&lists.tools, &lists.resources, &lists.resource_templates, &lists.prompts]
        .into_iter()
        .any(|list| matches!(list, ReadList::Items(_)))
}

fn any_read(lists: &ReadLists) -> bool {
    [&lists.tools, &lists.resources, &lists.resource_templates, &lists.prompts]
        .into_iter()
        .any(|list| !matches!(list, ReadList::Unsupported))
}

fn parse(url: &str) -> Result<reqwest::Url, WireFault> {
    reqwest::Url::parse(url)
        .map_err(|_| WireFault::new(ErrorCategory::TransportError, "the address is not valid").unsent())
}

fn config_fault(error: &TargetError) -> WireFault {
    let category = if error.wants_secret() { ErrorCategory::AuthRequired } else { ErrorCategory::Unknown };
    let mut fault = WireFault::new(category, error.to_string()).unsent();
    fault.need = error.wants_secret().then_some(AuthNeed::Secret);
    fault
}

/// A process's end as a fault, with what it said last.
pub(crate) fn exit_fault(exit: &str, stderr: &StderrRing) -> WireFault {
    let text = match stderr.last() {
        Some(line) => format!("the server's process ended ({exit}); it said last: {line}"),
        None => format!("the server's process ended ({exit}) and said nothing on stderr"),
    };
    WireFault::new(ErrorCategory::ProcessExit, text)
}

/// A wire fault as it is kept and shown.
pub(crate) fn to_fault(fault: &WireFault, now_ms: i64) -> Fault {
    let mut kept = Fault::new(fault.category, &fault.message, now_ms);
    kept.need = fault.need;
    match fault.retry_after_ms {
        Some(after) => kept.retry_at(now_ms + after),
        None => kept,
    }
}

/// A setting in milliseconds as a duration.
pub(crate) fn duration(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}
