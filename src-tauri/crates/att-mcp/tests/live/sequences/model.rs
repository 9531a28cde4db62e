//! The reference: what design 1.1 and 1.5 say, in as few words as they allow.

use att_mcp::FailureCode;
use att_mcp::model::{
    AdminState, AttemptStage, BreakerState, ConnectionState, HealthState, InvocationPhase, InvokeOutcome,
};

use super::name;
use super::peer::Mode;

/// Calls in a row that fail and open the breaker.
pub const ROW: u32 = 3;
/// Calls that must have been seen before their share counts, and how many are looked at.
pub const ENOUGH: u32 = 4;
pub const WINDOW: u32 = 6;
/// The defaults of `fall` and `rise`.
const FALL: u32 = 3;
const RISE: u32 = 2;

#[derive(Debug, Clone)]
pub enum Whom {
    Server(usize),
    Group,
    Prefer(Vec<usize>),
}

/// What is compared after every step.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    pub admin: AdminState,
    pub connection: ConnectionState,
    pub health: HealthState,
    pub breaker: BreakerState,
    /// Connects and probes that came to an end.
    pub measured: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tried {
    LeftOut(String, String),
    Asked(String, AttemptStage, InvokeOutcome),
}

/// How a call has to end.
#[derive(Debug, Clone, Default)]
pub struct Called {
    /// None when it is answered.
    pub code: Option<FailureCode>,
    pub tried: Vec<Tried>,
    pub phases: Vec<(String, InvocationPhase)>,
    /// How many calls reach each peer.
    pub reached: Vec<u32>,
    /// Servers whose connection was renewed for it.
    pub renewed: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Breaker {
    Closed,
    Open,
    HalfOpen,
}

/// One server.
#[derive(Debug, Clone)]
pub struct Server {
    enabled: bool,
    connected: bool,
    heard: bool,
    bad: u32,
    good: u32,
    fell: bool,
    partial: bool,
    measured: usize,
    breaker: Breaker,
    row: u32,
    calls: Vec<bool>,
}

impl Server {
    pub fn seen(&self) -> Seen {
        let (admin, connection) = match (self.enabled, self.connected) {
            (false, _) => (AdminState::Disabled, ConnectionState::Stopped),
            (true, true) => (AdminState::Enabled, ConnectionState::Ready),
            (true, false) => (AdminState::Enabled, ConnectionState::Backoff),
        };
        let breaker = match self.breaker {
            Breaker::Closed => BreakerState::Closed,
            Breaker::Open => BreakerState::Open,
            Breaker::HalfOpen => BreakerState::HalfOpen,
        };
        Seen { admin, connection, health: self.health(), breaker, measured: self.measured }
    }

    fn fresh(measured: usize, enabled: bool) -> Self {
        Self {
            enabled,
            connected: false,
            heard: false,
            bad: 0,
            good: 0,
            fell: false,
            partial: false,
            measured,
            breaker: Breaker::Closed,
            row: 0,
            calls: Vec::new(),
        }
    }

    fn health(&self) -> HealthState {
        match (self.heard, self.bad > 0) {
            (false, _) => HealthState::Unknown,
            (true, true) if self.fell => HealthState::Unreachable,
            (true, true) => HealthState::Degraded,
            (true, false) if self.fell || self.partial => HealthState::Degraded,
            (true, false) => HealthState::Healthy,
        }
    }

    fn went_well(&mut self) {
        (self.heard, self.bad, self.good) = (true, 0, self.good + 1);
        self.fell &= self.good < RISE;
    }

    fn went_badly(&mut self) {
        (self.heard, self.good, self.bad) = (true, 0, self.bad + 1);
        self.fell |= self.bad >= FALL;
    }

    fn connect(&mut self, mode: Mode) -> bool {
        self.connected = !matches!(mode, Mode::Down | Mode::HangsOnInitialize);
        if self.connected {
            self.measured += 1;
            self.partial = mode == Mode::Partial;
            self.went_well();
            self.trial(true);
        } else {
            self.went_badly();
            self.trial(false);
        }
        self.connected
    }

    fn probe(&mut self, mode: Mode) {
        self.measured += 1;
        let alive = mode != Mode::Down;
        self.trial(alive);
        if alive {
            self.went_well();
            self.row = 0;
        } else {
            self.went_badly();
            self.connected &= !self.fell;
        }
    }

    fn trial(&mut self, alive: bool) {
        if self.breaker == Breaker::HalfOpen {
            self.breaker = if alive { Breaker::Closed } else { Breaker::Open };
        }
    }

    fn count(&mut self, well: bool) {
        if self.breaker != Breaker::Closed {
            return;
        }
        self.calls.push(well);
        self.row = if well { 0 } else { self.row + 1 };
        let last: Vec<bool> = self.calls.iter().rev().take(WINDOW as usize).copied().collect();
        let bad = last.iter().filter(|well| !**well).count();
        if !well && (self.row >= ROW || (last.len() >= ENOUGH as usize && bad * 2 >= last.len())) {
            self.breaker = Breaker::Open;
            (self.row, self.calls) = (0, Vec::new());
        }
    }
}

pub struct Model {
    pub modes: Vec<Mode>,
    pub servers: Vec<Server>,
}

impl Model {
    pub fn new(modes: Vec<Mode>) -> Self {
        let mut servers = vec![Server::fresh(0, true); modes.len()];
        for (server, mode) in servers.iter_mut().zip(&modes) {
            server.connect(*mode);
        }
        Self { modes, servers }
    }

    pub fn retry_now(&mut self, index: usize) {
        let (server, mode) = (&mut self.servers[index], self.modes[index]);
        if !server.enabled {
            return;
        }
        if server.breaker == Breaker::Open {
            server.breaker = Breaker::HalfOpen;
        }
        if server.connected {
            server.probe(mode);
        } else {
            server.connect(mode);
        }
    }

    pub fn set_enabled(&mut self, index: usize, on: bool) {
        let (server, mode) = (&mut self.servers[index], self.modes[index]);
        if server.enabled == on {
            return;
        }
        *server = Server::fresh(server.measured, on);
        if on {
            server.connect(mode);
        }
    }

    pub fn call(&mut self, whom: &Whom, marked: bool) -> Called {
        let mut called = Called { reached: vec![0; self.servers.len()], ..Called::default() };
        let mut order: Vec<usize> = match whom {
            Whom::Server(index) => vec![*index],
            Whom::Group => (0..self.servers.len()).collect(),
            Whom::Prefer(order) => order.clone(),
        };
        order.sort_by_key(|index| match (whom, self.servers[*index].health()) {
            (_, HealthState::Unreachable) => 9,
            (Whom::Group, HealthState::Degraded) => 1,
            (Whom::Group, HealthState::Unknown) => 2,
            _ => 0,
        });
        order.retain(|index| {
            let server = &self.servers[*index];
            let reason = match (server.enabled, server.breaker) {
                (false, _) => "disabled",
                (true, Breaker::Closed) => return true,
                (true, _) => "its breaker is open",
            };
            called.tried.push(Tried::LeftOut(name(*index), reason.to_owned()));
            false
        });
        called.tried.sort_by_key(|tried| format!("{tried:?}"));
        called.code = Some(match order.len() {
            0 => FailureCode::NoServerAvailable,
            _ => FailureCode::AllAttemptsFailed,
        });
        for index in order {
            if let Some(end) = self.ask(index, marked, &mut called) {
                called.code = end;
                break;
            }
        }
        called
    }

    /// Asks one; tells how the call ends with it, if it does.
    fn ask(&mut self, index: usize, marked: bool, called: &mut Called) -> Option<Option<FailureCode>> {
        use InvocationPhase as P;
        let (server, mode) = (&mut self.servers[index], self.modes[index]);
        if !server.connected {
            called.renewed.push(name(index));
            called.phases.push((name(index), P::InitializeStart));
            if !server.connect(mode) {
                server.count(false);
                called.phases.push((name(index), P::InitializeFailure));
                called.tried.push(Tried::Asked(
                    name(index),
                    AttemptStage::Initialize,
                    InvokeOutcome::NotSent,
                ));
                return None;
            }
            called.phases.push((name(index), P::InitializeSuccess));
        }
        called.phases.push((name(index), P::InvokeStart));
        called.reached[index] += 1;
        let (outcome, end) = match mode {
            Mode::Good | Mode::Partial | Mode::HangsOnInitialize => (InvokeOutcome::RepliedOk, Some(None)),
            Mode::RefusesCalls => (InvokeOutcome::RepliedError, Some(Some(FailureCode::ApplicationError))),
            Mode::Down | Mode::FailsCalls | Mode::HangsOnCalls => {
                let end = (!marked).then_some(Some(FailureCode::NotReissued));
                (InvokeOutcome::SentNoReply, end)
            }
        };
        server.count(outcome != InvokeOutcome::SentNoReply);
        match (outcome, mode) {
            (InvokeOutcome::SentNoReply, Mode::HangsOnCalls) => {
                if server.health() == HealthState::Healthy {
                    server.went_badly();
                }
                server.probe(mode);
            }
            (InvokeOutcome::SentNoReply, _) => {
                server.went_badly();
                if server.fell {
                    server.connected = false;
                } else {
                    server.probe(mode);
                }
            }
            _ => server.went_well(),
        }
        let well = outcome == InvokeOutcome::RepliedOk;
        called.phases.push((name(index), if well { P::InvokeSuccess } else { P::InvokeFailure }));
        called.tried.push(Tried::Asked(name(index), AttemptStage::Invoke, outcome));
        end
    }
}
