//! The headers of the modern era (SEP-2243): a copy of method, name and chosen arguments, for whoever routes without
//! reading bodies.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use ::http::{HeaderMap, HeaderName, HeaderValue};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

pub(super) const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
pub(super) const PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
pub(super) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const NAME: HeaderName = HeaderName::from_static("mcp-name");
const PARAM_PREFIX: &str = "mcp-param-";
/// The first version that has these headers.
pub(super) const SINCE: &str = "2026-07-28";
/// Deepest property that is looked at.
const MAX_DEPTH: usize = 16;
/// Most headers of one tool.
const MAX_PARAMS: usize = 64;

/// One argument that goes into a header: where it stands, and the header's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ParamHeader {
    path: Vec<String>,
    header: HeaderName,
}

/// What the tools of a server want in headers, by tool.
pub(super) type ToolHeaders = HashMap<String, Arc<[ParamHeader]>>;

/// Reads the tools of a raw `tools/list` result into `known`. A tool whose annotations are wrong gets none.
pub(super) fn learn(result: &Value, known: &mut ToolHeaders) {
    for tool in result.get("tools").and_then(Value::as_array).into_iter().flatten() {
        let (Some(name), Some(schema)) = (tool.get("name").and_then(Value::as_str), tool.get("inputSchema"))
        else {
            continue;
        };
        match annotations(schema) {
            Ok(found) if !found.is_empty() => {
                known.insert(name.to_owned(), found.into());
            }
            Ok(_) | Err(_) => {
                known.remove(name);
            }
        }
    }
}

/// The `x-mcp-header` annotations of an input schema; why they are wrong, if they are.
pub(crate) fn annotations(schema: &Value) -> Result<Vec<ParamHeader>, String> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    if schema.get("x-mcp-header").is_some() {
        return Err("x-mcp-header must annotate a property, not the schema itself".to_owned());
    }
    collect(schema, &mut Vec::new(), &mut found, &mut seen)?;
    if count(schema, 0) > found.len() {
        return Err(
            "x-mcp-header must stand at a property that is reached through properties alone".to_owned()
        );
    }
    Ok(found)
}

fn collect(
    schema: &Value,
    path: &mut Vec<String>,
    found: &mut Vec<ParamHeader>,
    seen: &mut BTreeSet<String>,
) -> Result<(), String> {
    let Some(Value::Object(properties)) = schema.get("properties") else { return Ok(()) };
    if path.len() >= MAX_DEPTH {
        return Ok(());
    }
    for (name, property) in properties {
        path.push(name.clone());
        if let Some(header) = property.get("x-mcp-header") {
            let at = path.join(".");
            let text = header.as_str().ok_or_else(|| format!("{at}: x-mcp-header must be a text"))?;
            let valid = HeaderName::from_bytes(format!("{PARAM_PREFIX}{text}").as_bytes());
            let header = match valid {
                Ok(header) if !text.is_empty() => header,
                _ => return Err(format!("{at}: x-mcp-header is no header name")),
            };
            if !seen.insert(text.to_ascii_lowercase()) {
                return Err(format!("{at}: x-mcp-header stands there a second time"));
            }
            if !matches!(property.get("type").and_then(Value::as_str), Some("string" | "integer" | "boolean"))
            {
                return Err(format!("{at}: x-mcp-header needs a text, a whole number or a boolean"));
            }
            if found.len() >= MAX_PARAMS {
                return Err(format!("there are more than {MAX_PARAMS} x-mcp-header"));
            }
            found.push(ParamHeader { path: path.clone(), header });
        }
        collect(property, path, found, seen)?;
        path.pop();
    }
    Ok(())
}

/// Every annotation anywhere in the schema; values and names of properties are no annotations.
fn count(schema: &Value, depth: usize) -> usize {
    if depth > 2 * MAX_DEPTH {
        return 0;
    }
    let Value::Object(schema) = schema else {
        let items = schema.as_array().into_iter().flatten();
        return items.map(|item| count(item, depth + 1)).sum();
    };
    let keyed =
        |value: &Value| value.as_object().map_or(0, |map| map.values().map(|v| count(v, depth + 1)).sum());
    schema
        .iter()
        .map(|(key, value)| match key.as_str() {
            "x-mcp-header" => 1,
            "properties" | "$defs" | "definitions" | "dependencies" | "dependentSchemas"
            | "patternProperties" => keyed(value),
            "default" | "const" | "enum" | "examples" | "dependentRequired" => 0,
            _ => count(value, depth + 1),
        })
        .sum()
}

/// The headers of a modern request, given as JSON.
pub(super) fn of_request(request: &Value, tools: &ToolHeaders) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let Some(method) = request.get("method").and_then(Value::as_str) else { return headers };
    if let Ok(value) = HeaderValue::from_str(method) {
        headers.insert(METHOD, value);
    }
    let params = request.get("params");
    let key = match method {
        "tools/call" | "prompts/get" => Some("name"),
        "resources/read" | "resources/subscribe" | "resources/unsubscribe" => Some("uri"),
        "tasks/get" | "tasks/update" | "tasks/cancel" => Some("taskId"),
        _ => None,
    };
    let name = key.and_then(|key| params?.get(key)?.as_str());
    if let Some(value) = name.and_then(encoded) {
        headers.insert(NAME, value);
    }
    let wanted = name.filter(|_| method == "tools/call").and_then(|name| tools.get(name));
    if let (Some(wanted), Some(arguments)) = (wanted, params.and_then(|params| params.get("arguments"))) {
        for param in wanted.iter() {
            let at = param.path.iter().try_fold(arguments, |value, key| value.get(key));
            let text = match at {
                Some(Value::String(text)) => text.clone(),
                Some(Value::Bool(flag)) => flag.to_string(),
                Some(Value::Number(number)) => number.to_string(),
                _ => continue,
            };
            if let Some(value) = encoded(&text) {
                headers.insert(param.header.clone(), value);
            }
        }
    }
    headers
}

/// `text` as a header's value, wrapped in Base64 where it could not travel as it is.
fn encoded(text: &str) -> Option<HeaderValue> {
    let edge = |c: Option<char>| matches!(c, Some(' ' | '\t'));
    let blank_at_an_end = edge(text.chars().next()) || edge(text.chars().last());
    let looks_wrapped = text.starts_with("=?base64?") && text.ends_with("?=");
    let travels = text.chars().all(|c| (' '..='~').contains(&c));
    if travels && !blank_at_an_end && !looks_wrapped {
        return HeaderValue::from_str(text).ok();
    }
    HeaderValue::from_str(&format!("=?base64?{}?=", BASE64_STANDARD.encode(text))).ok()
}

#[cfg(test)]
mod tests;
