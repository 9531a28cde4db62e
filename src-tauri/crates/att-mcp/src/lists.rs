//! Reads the four lists of a connection, page by page, raw and bounded.

use std::collections::BTreeSet;
use std::time::Duration;

use rmcp::model::{
    ClientRequest, ErrorCode, ListPromptsRequest, ListResourceTemplatesRequest, ListResourcesRequest,
    ListToolsRequest, PaginatedRequestParams,
};
use serde_json::Value;
use tokio::time::Instant;

use crate::link::{Link, RequestError};
use crate::model::ListKind;
use crate::snapshot::{ReadList, ReadLists};
use crate::weight::weigh;

/// Most pages read of one list.
const MAX_PAGES: usize = 200;
/// Most items kept of one list.
const MAX_ITEMS: usize = 20_000;
/// Most bytes of all pages of one list.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// Reads all four lists at once. A list that the server does not announce is not asked for.
pub(crate) async fn read_all(link: &Link, capabilities: &Value, timeout: Duration) -> ReadLists {
    let offered = |name: &str| capabilities.get(name).is_some_and(|c| !c.is_null());
    let read = |kind: ListKind, offered: bool| async move {
        match offered {
            true => read_list(link, kind, timeout).await,
            false => ReadList::Unsupported,
        }
    };
    let (tools, resources, resource_templates, prompts) = tokio::join!(
        read(ListKind::Tools, offered("tools")),
        read(ListKind::Resources, offered("resources")),
        read(ListKind::ResourceTemplates, offered("resources")),
        read(ListKind::Prompts, offered("prompts")),
    );
    ReadLists { tools, resources, resource_templates, prompts }
}

async fn read_list(link: &Link, kind: ListKind, timeout: Duration) -> ReadList {
    let mut items = Vec::new();
    let mut cursors = BTreeSet::new();
    let mut cursor: Option<String> = None;
    let mut bytes = 0_usize;
    let begun = Instant::now();
    for _ in 0..MAX_PAGES {
        // The time is that of the whole list: slow pages must not add up.
        let left = timeout.saturating_sub(begun.elapsed());
        let answer = match link.request(request(kind, cursor.clone()), left, None).await {
            Ok(answer) => answer.value,
            Err(RequestError::Refused { code, .. }) if code == i64::from(ErrorCode::METHOD_NOT_FOUND.0) => {
                return ReadList::Unsupported;
            }
            Err(_) if cursor.is_some() && begun.elapsed() >= timeout => {
                return ReadList::Failed(format!("its pages took more than {} ms", timeout.as_millis()));
            }
            Err(error) => return ReadList::Failed(error.to_string()),
        };
        let Some(page) = answer.get(field(kind)).and_then(Value::as_array) else {
            return ReadList::Failed(format!("the answer holds no list called \"{}\"", field(kind)));
        };
        bytes += page.iter().map(|item| weigh(item).bytes).sum::<usize>();
        if bytes > MAX_BYTES {
            return ReadList::Failed(format!("the list has more than {MAX_BYTES} bytes"));
        }
        items.extend(page.iter().cloned());
        if items.len() > MAX_ITEMS {
            return ReadList::Failed(format!("the list has more than {MAX_ITEMS} items"));
        }
        match answer.get("nextCursor").and_then(Value::as_str) {
            None => return ReadList::Items(items),
            Some(next) if cursors.insert(next.to_owned()) => cursor = Some(next.to_owned()),
            Some(_) => return ReadList::Failed("the server repeats a page".to_owned()),
        }
    }
    ReadList::Failed(format!("the list has more than {MAX_PAGES} pages"))
}

fn field(kind: ListKind) -> &'static str {
    match kind {
        ListKind::Tools => "tools",
        ListKind::Resources => "resources",
        ListKind::ResourceTemplates => "resourceTemplates",
        ListKind::Prompts => "prompts",
    }
}

fn request(kind: ListKind, cursor: Option<String>) -> ClientRequest {
    let params = cursor.map(|cursor| PaginatedRequestParams::default().with_cursor(Some(cursor)));
    macro_rules! list {
        ($request:ident) => {
            ClientRequest::$request($request {
                method: Default::default(),
                params,
                extensions: Default::default(),
            })
        };
    }
    match kind {
        ListKind::Tools => list!(ListToolsRequest),
        ListKind::Resources => list!(ListResourcesRequest),
        ListKind::ResourceTemplates => list!(ListResourceTemplatesRequest),
        ListKind::Prompts => list!(ListPromptsRequest),
    }
}
