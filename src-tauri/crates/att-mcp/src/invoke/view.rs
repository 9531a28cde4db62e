//! What the router sees of a server: its facets, and the item in its newest snapshot.

use serde_json::Value;

use super::Operation;
use super::candidates::{ItemView, View};
use crate::arguments::Schemas;
use crate::connection::Server;
use crate::model::{ListKind, Snapshot};

/// The view of `server`. The schema is copied only where servers are compared.
pub(super) fn view(server: &Server, operation: &Operation, schemas: &Schemas, with_schema: bool) -> View {
    let item = item(server, operation, schemas, with_schema);
    server.with_state(|state| View {
        server: state.server.clone(),
        group: server.config.group.clone(),
        generation: state.generation,
        admin: state.facets.admin.state,
        connection: state.facets.connection.state,
        health: state.facets.health.state,
        breaker: state.facets.breaker.state,
        status: state.status.as_str(),
        item,
    })
}

/// The item of `operation` as the newest snapshot of `server` shows it.
pub(super) fn item(server: &Server, operation: &Operation, schemas: &Schemas, with_schema: bool) -> ItemView {
    if let Some(why) = server.quarantined(operation.list(), operation.item()) {
        return ItemView::Quarantined(why);
    }
    let Some(snapshot) = server.snapshot() else { return ItemView::Unknown };
    let list = snapshot.lists.get(operation.list());
    let Some(found) = list.items.iter().find(|item| item.key == operation.item()) else {
        return match operation {
            Operation::ReadResource { uri } if of_a_template(&snapshot, uri) => {
                ItemView::Offered { schema: None }
            }
            _ => ItemView::Missing,
        };
    };
    let Operation::CallTool { arguments, .. } = operation else { return ItemView::Offered { schema: None } };
    let wrong = schemas.input_misfits(found, &Value::Object(arguments.clone()));
    match wrong.is_empty() {
        true => ItemView::Offered { schema: found.raw.get("inputSchema").filter(|_| with_schema).cloned() },
        false => ItemView::Misfit(wrong),
    }
}

/// True when `uri` begins as a template of the server does; what follows is for the server to judge.
fn of_a_template(snapshot: &Snapshot, uri: &str) -> bool {
    snapshot.lists.get(ListKind::ResourceTemplates).items.iter().any(|template| {
        let fixed = template.key.split('{').next().unwrap_or_default();
        !fixed.is_empty() && uri.len() > fixed.len() && uri.starts_with(fixed)
    })
}
