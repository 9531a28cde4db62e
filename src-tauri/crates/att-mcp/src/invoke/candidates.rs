//! Which servers may be asked, and in which order (design 1.5). Pure: views and a wish in, an order out.

use std::time::Duration;

use serde_json::Value;

use super::FailureCode;
use crate::diff::accepts_all_of;
use crate::model::{AdminState, BreakerState, ConnectionState, HealthState};

/// What the caller named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Whom {
    /// Nothing: allowed only if exactly one server has the item.
    OnlyOne,
    /// One server.
    Server(String),
    /// An equivalence group of the operator.
    Group(String),
    /// These, in this order.
    Prefer(Vec<String>),
}

impl Whom {
    /// What a request names; more than one way of naming is refused.
    pub fn of(server: Option<&str>, group: Option<&str>, prefer: &[String]) -> Result<Self, String> {
        match (server, group, prefer) {
            (None, None, []) => Ok(Self::OnlyOne),
            (Some(server), None, []) => Ok(Self::Server(server.to_owned())),
            (None, Some(group), []) => Ok(Self::Group(group.to_owned())),
            (None, None, prefer) => {
                let mut order: Vec<String> = Vec::new();
                for name in prefer {
                    if !order.contains(name) {
                        order.push(name.clone());
                    }
                }
                Ok(Self::Prefer(order))
            }
            _ => Err("name a server, a group or an order of servers, not more than one of these".to_owned()),
        }
    }

    /// True for a server that may be meant; nobody else need be looked at.
    pub fn concerns(&self, server: &str, group: Option<&str>) -> bool {
        match self {
            Self::OnlyOne => true,
            Self::Server(name) => name == server,
            Self::Group(name) => group == Some(name),
            Self::Prefer(order) => order.iter().any(|name| name == server),
        }
    }
}

/// What is known of the item at one server.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ItemView {
    /// The server was never heard: its lists are not known.
    Unknown,
    /// Its lists do not hold it.
    Missing,
    /// Drift policy forbids it.
    Quarantined(String),
    /// The arguments do not fit its schema.
    Misfit(Vec<String>),
    /// It is offered and the arguments fit.
    Offered {
        /// Its input schema, where there is one.
        schema: Option<Value>,
    },
}

/// One server as the router sees it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct View {
    pub server: String,
    pub group: Option<String>,
    pub generation: u64,
    pub admin: AdminState,
    pub connection: ConnectionState,
    pub health: HealthState,
    pub breaker: BreakerState,
    /// The server's status as a word.
    pub status: &'static str,
    pub item: ItemView,
}

/// A server that is not asked, and why.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Excluded {
    pub server: String,
    pub generation: u64,
    pub breaker: BreakerState,
    pub reason: String,
    code: FailureCode,
}

/// The outcome: whom to ask in which order, or why nobody.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ranking {
    /// Names, the first is asked first.
    pub order: Vec<String>,
    pub excluded: Vec<Excluded>,
    /// Set where `order` is empty.
    pub refusal: Option<(FailureCode, String)>,
}

/// Ranks `views`, which come sorted by name, for `whom`. `item` is what is asked for, for the sentence.
pub(crate) fn rank(views: &[View], whom: &Whom, item: &str) -> Ranking {
    match whom {
        Whom::OnlyOne => only_one(views, item),
        Whom::Server(name) => {
            let views: Vec<&View> = views.iter().filter(|v| v.server == *name).collect();
            if views.is_empty() {
                return nobody(vec![unknown(name)], format!("no server is called {name}"));
            }
            settle(views, true, format!("{name} cannot be asked"))
        }
        Whom::Group(group) => {
            let mut views: Vec<&View> = views.iter().filter(|v| v.group.as_ref() == Some(group)).collect();
            if views.is_empty() {
                return nobody(Vec::new(), format!("no server is in the group {group}"));
            }
            views.sort_by_key(|view| rank_of(view.health));
            let mut ranking =
                settle(views.clone(), false, format!("no server of the group {group} can be asked"));
            leave_out_strangers(&mut ranking, &views);
            ranking
        }
        Whom::Prefer(order) => {
            let (mut known, mut missing) = (Vec::new(), Vec::new());
            for name in order {
                match views.iter().find(|v| v.server == *name) {
                    Some(view) => known.push(view),
                    None => missing.push(unknown(name)),
                }
            }
            // In the order given; one that is down is still asked last.
            known.sort_by_key(|view| view.health == HealthState::Unreachable);
            let mut ranking = settle(known, false, format!("none of {} can be asked", order.join(", ")));
            ranking.excluded.extend(missing);
            ranking
        }
    }
}

/// The time of the next attempt: its setting, or its share of what is left if that is less.
pub(crate) fn share(setting: Duration, left: Duration, candidates_left: usize) -> Duration {
    let parts = u32::try_from(candidates_left.max(1)).unwrap_or(u32::MAX);
    setting.min(left / parts)
}

fn rank_of(health: HealthState) -> u8 {
    match health {
        HealthState::Healthy => 0,
        HealthState::Degraded => 1,
        HealthState::Unknown => 2,
        HealthState::Unreachable => 3,
    }
}

fn only_one(views: &[View], item: &str) -> Ranking {
    let has = |view: &&View| {
        view.admin == AdminState::Enabled && !matches!(view.item, ItemView::Missing | ItemView::Unknown)
    };
    let offering: Vec<&View> = views.iter().filter(has).collect();
    match offering.as_slice() {
        [one] => settle(vec![one], true, format!("{} cannot be asked", one.server)),
        [] => {
            let excluded = views.iter().map(|view| {
                exclusion(view, false)
                    .unwrap_or_else(|| excluded(view, "it does not offer it", FailureCode::NoServerAvailable))
            });
            nobody(excluded.collect(), format!("no server offers {item}"))
        }
        many => {
            let names: Vec<_> = many.iter().map(|view| view.server.as_str()).collect();
            let text = format!("{item} is offered by {}; name one of them", names.join(", "));
            Ranking {
                order: Vec::new(),
                excluded: Vec::new(),
                refusal: Some((FailureCode::InvalidRequest, text)),
            }
        }
    }
}

/// Splits `views`, in their order, into candidates and others.
fn settle(views: Vec<&View>, named: bool, nobody: String) -> Ranking {
    let mut ranking = Ranking { order: Vec::new(), excluded: Vec::new(), refusal: None };
    for view in views {
        match exclusion(view, named) {
            Some(excluded) => ranking.excluded.push(excluded),
            None => ranking.order.push(view.server.clone()),
        }
    }
    if ranking.order.is_empty() {
        // The caller's own mistake and a forbidden item are told before what is merely down.
        let telling =
            [FailureCode::InvalidRequest, FailureCode::ItemQuarantined, FailureCode::NoServerAvailable];
        let code = telling.into_iter().find(|code| ranking.excluded.iter().any(|e| e.code == *code));
        let reasons: Vec<_> = ranking
            .excluded
            .iter()
            .filter(|e| Some(e.code) == code)
            .take(3)
            .map(|e| if named { e.reason.clone() } else { format!("{}: {}", e.server, e.reason) })
            .collect();
        // None of the names is a server at all: the attempts say so.
        let text = if reasons.is_empty() { nobody } else { format!("{nobody}: {}", reasons.join("; ")) };
        ranking.refusal = Some((code.unwrap_or(FailureCode::NoServerAvailable), text));
    }
    ranking
}

/// A server of a group whose schema is another one is no equivalent, whatever the operator wrote. The first
/// candidate is the measure.
fn leave_out_strangers(ranking: &mut Ranking, views: &[&View]) {
    let schema = |name: &String| {
        views.iter().find(|v| v.server == *name).and_then(|v| match &v.item {
            ItemView::Offered { schema } => schema.as_ref(),
            _ => None,
        })
    };
    let Some((first, measure)) = ranking.order.iter().find_map(|name| Some((name.clone(), schema(name)?)))
    else {
        return;
    };
    let is_strange = |name: &String| {
        schema(name).is_some_and(|other| !accepts_all_of(other, measure) && !accepts_all_of(measure, other))
    };
    let strangers: Vec<String> = ranking.order.iter().filter(|name| is_strange(name)).cloned().collect();
    ranking.order.retain(|name| !strangers.contains(name));
    for view in views.iter().filter(|view| strangers.contains(&view.server)) {
        let text = format!("its input schema does not go together with that of {first}");
        ranking.excluded.push(excluded(view, &text, FailureCode::NoServerAvailable));
    }
}

/// Why `view` is no candidate. A server that was `named` is asked for what its lists do not hold: it has the last word.
fn exclusion(view: &View, named: bool) -> Option<Excluded> {
    let down = FailureCode::NoServerAvailable;
    if view.admin != AdminState::Enabled {
        return Some(excluded(view, view.status, down));
    }
    match view.breaker {
        BreakerState::Closed => {}
        BreakerState::Open => return Some(excluded(view, "its breaker is open", down)),
        BreakerState::HalfOpen => return Some(excluded(view, "its breaker lets only a probe through", down)),
    }
    match view.connection {
        ConnectionState::AuthRequired | ConnectionState::Authorizing => {
            return Some(excluded(view, "auth_required", down));
        }
        ConnectionState::Draining => return Some(excluded(view, "draining", down)),
        ConnectionState::Stopped => return Some(excluded(view, "stopped", down)),
        _ => {}
    }
    match &view.item {
        ItemView::Missing if !named => Some(excluded(view, "it does not offer it", down)),
        ItemView::Quarantined(reason) => Some(excluded(view, reason, FailureCode::ItemQuarantined)),
        ItemView::Misfit(wrong) => {
            let text = format!("the arguments do not fit: {}", wrong.join("; "));
            Some(excluded(view, &text, FailureCode::InvalidRequest))
        }
        ItemView::Missing | ItemView::Unknown | ItemView::Offered { .. } => None,
    }
}

fn excluded(view: &View, reason: &str, code: FailureCode) -> Excluded {
    Excluded {
        server: view.server.clone(),
        generation: view.generation,
        breaker: view.breaker,
        reason: reason.to_owned(),
        code,
    }
}

fn unknown(name: &str) -> Excluded {
    Excluded {
        server: name.to_owned(),
        generation: 0,
        breaker: BreakerState::Closed,
        reason: "there is no server of that name".to_owned(),
        code: FailureCode::NoServerAvailable,
    }
}

fn nobody(excluded: Vec<Excluded>, text: String) -> Ranking {
    Ranking { order: Vec::new(), excluded, refusal: Some((FailureCode::NoServerAvailable, text)) }
}

#[cfg(test)]
mod tests;
