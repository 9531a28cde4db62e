//! A person authorizes ATT with a server, in the process where they are: the token goes to the place of secrets,
//! where whoever watches the fleet finds it.

use crate::config;
use crate::dto::AuthorizePageDto;
use crate::home::Home;
use crate::once::{fleet_report, settle};
use crate::requests::no_such_server;
use att_core::id::OsRandomness;
use att_core::{Code, Report, SystemClock};
use att_mcp::config::Endpoint;
use att_mcp::model::{ConnectionState, ServerState};
use att_mcp::{Fleet, FleetDeps, MemoryFleetStore, ServerConfig};
use std::sync::Arc;

/// Authorizes ATT with `server` over a short connection of its own; `show` is told the page to open. False when the
/// server wanted nothing.
///
/// # Errors
/// When there is no such server, or the authorization failed; the report tells the cure.
pub async fn authorize_once(
    home: &Home,
    server: &str,
    show: impl FnOnce(AuthorizePageDto),
) -> Result<bool, Report> {
    let configuration = config::read(home, &home.mcp_json())?;
    let found = configuration.servers.into_iter().find(|config| config.name == server);
    let config = for_a_person(found.ok_or_else(|| no_such_server(server))?)?;
    home.prepare()?;
    let deps = FleetDeps {
        secrets: crate::secrets::Secrets::of(home),
        lock_dir: Some(home.run()),
        ..FleetDeps::new(Arc::new(MemoryFleetStore::new()), Arc::new(SystemClock), Arc::new(OsRandomness))
    };
    let fleet = Fleet::start(deps, vec![config]).await.map_err(fleet_report)?;
    settle(&fleet).await;
    let outcome = Box::pin(ask(&fleet, server, show)).await;
    fleet.shutdown().await;
    outcome
}

/// The server without the command that serves it: that one is run by whoever watches the fleet.
fn for_a_person(mut config: ServerConfig) -> Result<ServerConfig, Report> {
    config.disabled = false;
    match &mut config.endpoint {
        Endpoint::Http { start, .. } => *start = None,
        Endpoint::Stdio { .. } => {
            return Err(Report::new(
                Code::InvalidInput,
                format!("`{}` is a program that ATT starts; there is nothing to authorize", config.name),
            )
            .cure("give it its credentials in \"env\", as ${keyring:NAME}"));
        }
    }
    Ok(config)
}

async fn ask(fleet: &Fleet, server: &str, show: impl FnOnce(AuthorizePageDto)) -> Result<bool, Report> {
    let state = |fleet: &Fleet| fleet.server(server).ok_or_else(|| no_such_server(server));
    match state(fleet)?.facets.connection.state {
        ConnectionState::Ready => return Ok(false),
        ConnectionState::AuthRequired => {}
        _ => return Err(failed(&state(fleet)?)),
    }
    let mut changed = fleet.subscribe();
    let page = fleet.authorize(server).await.map_err(fleet_report)?;
    show(AuthorizePageDto { server: server.to_owned(), url: page.url, until_ms: page.until_ms });
    let mut waits = false;
    loop {
        changed.borrow_and_update();
        let now = state(fleet)?;
        match now.facets.connection.state {
            ConnectionState::Ready => return Ok(true),
            ConnectionState::Authorizing => waits = true,
            // Before the page is on record, the state is still the one that led to it.
            ConnectionState::AuthRequired if !waits => {}
            ConnectionState::AuthRequired | ConnectionState::Backoff | ConnectionState::Stopped => {
                return Err(failed(&now));
            }
            _ => {}
        }
        if changed.changed().await.is_err() {
            return Err(failed(&now));
        }
    }
}

fn failed(state: &ServerState) -> Report {
    Report::new(Code::ServerFailed, format!("`{}` is not authorized", state.server))
        .cause(state.facets.connection.reason.text.clone())
        .cure("look at the cause; `att doctor` walks the whole way to the server")
}
