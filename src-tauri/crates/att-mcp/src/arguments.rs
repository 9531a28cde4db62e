//! Whether arguments fit a tool's input schema, before a server is bothered, and whether an answer fits its output
//! schema.
//!
//! A schema comes from a server and is hostile: one that is too large, that explodes, that refers out of its document or
//! that is no schema is not checked against. Such an item is marked, and stays callable: the server has the last word.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jsonschema::error::ValidationErrorKind;
use jsonschema::{PatternOptions, ValidationError, Validator};
use serde_json::Value;

use crate::model::SnapshotItem;
use crate::weight::{reach, weigh};
use crate::wire::http::headers::annotations;

/// Largest schema that is compiled, in bytes of its text.
const MAX_BYTES: usize = 128 * 1024;
/// Deepest schema that is compiled.
const MAX_DEPTH: usize = 64;
/// Most subschemas met when every reference is followed.
const MAX_MET: u64 = 100_000;
/// Most steps that a recursive schema may take through one value.
const MAX_STEPS: u64 = 10_000_000;
/// Steps that one match of a pattern may take.
const BACKTRACK_LIMIT: usize = 100_000;
/// Most problems told.
const MAX_PROBLEMS: usize = 20;
/// Longest text of one problem.
const MAX_TEXT: usize = 300;
/// Compiled schemas kept.
const KEPT: usize = 1_024;

/// Compiled schemas by their hash; the oldest go first. Equal tools of many servers share one.
#[derive(Debug, Default)]
pub struct Schemas(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    by_hash: HashMap<String, Arc<Compiled>>,
    order: VecDeque<String>,
}

impl Kept {
    fn keep(&mut self, hash: &str, compiled: &Arc<Compiled>) {
        if self.by_hash.insert(hash.to_owned(), Arc::clone(compiled)).is_none() {
            self.order.push_back(hash.to_owned());
        }
        if self.order.len() > KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_hash.remove(&oldest);
        }
    }
}

#[derive(Debug)]
enum Compiled {
    /// Ready, with the subschemas met and the references that return.
    Ready { validator: Box<Validator>, met: u64, returns: u32 },
    /// Not to be used, and why.
    Unusable(String),
}

impl Schemas {
    /// Every misfit of `arguments` as `JSON-pointer: what is wrong`. Empty when they fit, or when the schema cannot be used.
    #[must_use]
    pub fn input_misfits(&self, tool: &SnapshotItem, arguments: &Value) -> Vec<String> {
        match tool.raw.get("inputSchema") {
            Some(schema) => match annotations(schema) {
                Ok(_) => self.compiled(&tool.hashes.input_schema, schema).misfits(arguments),
                // SEP-2243: such a tool is not called at all.
                Err(why) => vec![format!("/: the tool's definition cannot be used: {why}")],
            },
            None => Vec::new(),
        }
    }

    /// Every misfit of an answer's `structuredContent` with the tool's output schema, likewise.
    #[must_use]
    pub fn output_misfits(&self, tool: &SnapshotItem, structured: &Value) -> Vec<String> {
        match tool.raw.get("outputSchema") {
            Some(schema) if !schema.is_null() => {
                self.compiled(&tool.hashes.output_schema, schema).misfits(structured)
            }
            _ => Vec::new(),
        }
    }

    /// Why one of a tool's schemas cannot be used; none when both can.
    #[must_use]
    pub fn problem(&self, tool: &SnapshotItem) -> Option<String> {
        let hashes = &tool.hashes;
        [("inputSchema", &hashes.input_schema), ("outputSchema", &hashes.output_schema)].into_iter().find_map(
            |(field, hash)| match tool.raw.get(field).filter(|schema| schema.is_object()) {
                Some(schema) => match &*self.compiled(hash, schema) {
                    Compiled::Unusable(why) => Some(format!("\"{field}\" {why}; it is not checked against")),
                    Compiled::Ready { .. } => None,
                },
                None => None,
            },
        )
    }

    fn compiled(&self, hash: &str, schema: &Value) -> Arc<Compiled> {
        if let Some(known) = self.kept().by_hash.get(hash) {
            return Arc::clone(known);
        }
        let compiled = Arc::new(Compiled::of(schema));
        self.kept().keep(hash, &compiled);
        compiled
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Every misfit of `value` with a schema that is used once.
pub(crate) fn misfits(schema: &Value, value: &Value) -> Vec<String> {
    Compiled::of(schema).misfits(value)
}

impl Compiled {
    fn of(schema: &Value) -> Self {
        let weight = weigh(schema);
        if weight.bytes > MAX_BYTES {
            return Self::Unusable(format!("has {} bytes, more than {MAX_BYTES}", weight.bytes));
        }
        if weight.depth > MAX_DEPTH {
            return Self::Unusable(format!("is nested more than {MAX_DEPTH} levels deep"));
        }
        let reach = reach(schema);
        if reach.met > MAX_MET {
            return Self::Unusable("explodes when its references are followed".to_owned());
        }
        // What is compiled here is a stranger's: a panic in the compiler must not be ours.
        let built = catch_unwind(AssertUnwindSafe(|| {
            jsonschema::options()
                .offline()
                .should_validate_formats(false)
                .with_pattern_options(PatternOptions::fancy_regex().backtrack_limit(BACKTRACK_LIMIT))
                .build(schema)
                .map_err(|error| clipped(&error.masked().to_string()))
        }));
        match built {
            Ok(Ok(validator)) => {
                Self::Ready { validator: Box::new(validator), met: reach.met, returns: reach.returns }
            }
            Ok(Err(why)) => Self::Unusable(format!("is no schema that can be used: {why}")),
            Err(_) => Self::Unusable("is no schema that can be used".to_owned()),
        }
    }

    fn misfits(&self, value: &Value) -> Vec<String> {
        let Self::Ready { validator, met, returns } = self else { return Vec::new() };
        let depth = u32::try_from(weigh(value).depth).unwrap_or(u32::MAX);
        let steps = u64::from((*returns).max(1)).saturating_pow(depth).saturating_mul(*met);
        if steps > MAX_STEPS {
            return Vec::new();
        }
        let told = catch_unwind(AssertUnwindSafe(|| {
            let mut out = Vec::new();
            for error in validator.iter_errors(value) {
                tell(&error, &mut out);
                if out.len() >= MAX_PROBLEMS {
                    break;
                }
            }
            out.truncate(MAX_PROBLEMS);
            out
        }));
        told.unwrap_or_default()
    }
}

/// One error in our words. It never repeats the value: arguments may hold what must not be written down.
fn tell(error: &ValidationError<'_>, out: &mut Vec<String>) {
    let at = error.instance_path().as_str();
    let place = if at.is_empty() { "/" } else { at };
    let mut say = |text: String| out.push(clipped(&format!("{place}: {text}")));
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().map_or_else(|| property.to_string(), str::to_owned);
            out.push(clipped(&format!("{}: is required", pointer(at, &name))));
        }
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            for name in unexpected.iter().take(MAX_PROBLEMS) {
                out.push(clipped(&format!("{}: is not an argument", pointer(at, name))));
            }
        }
        ValidationErrorKind::Type { kind } => say(format!("must be {}", types(kind))),
        ValidationErrorKind::Enum { options } => {
            let options: Vec<_> =
                options.as_array().into_iter().flatten().take(20).map(ToString::to_string).collect();
            say(format!("must be one of {}", options.join(", ")));
        }
        ValidationErrorKind::Constant { expected_value } => say(format!("must be {expected_value}")),
        ValidationErrorKind::Minimum { limit } => say(format!("must be at least {limit}")),
        ValidationErrorKind::Maximum { limit } => say(format!("must be at most {limit}")),
        ValidationErrorKind::MinLength { limit } => say(format!("must have at least {limit} characters")),
        ValidationErrorKind::MaxLength { limit } => say(format!("must have at most {limit} characters")),
        ValidationErrorKind::AnyOf { .. } | ValidationErrorKind::OneOfNotValid { .. } => {
            say("fits none of the forms that are allowed".to_owned());
        }
        ValidationErrorKind::OneOfMultipleValid { .. } => {
            say("fits more than one of the forms of which it may have one".to_owned());
        }
        ValidationErrorKind::BacktrackLimitExceeded { .. }
        | ValidationErrorKind::RegexEngineFailure { .. } => {}
        _ => say(error.masked().to_string()),
    }
}

fn types(kind: &jsonschema::error::TypeKind) -> String {
    use jsonschema::error::TypeKind;
    match kind {
        TypeKind::Single(one) => one.to_string(),
        TypeKind::Multiple(many) => many.iter().map(|one| one.to_string()).collect::<Vec<_>>().join(" or "),
    }
}

fn clipped(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// RFC 6901.
fn pointer(at: &str, name: &str) -> String {
    format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ListKind;
    use crate::snapshot::item;
    use serde_json::json;

    fn tool(schema: Value) -> SnapshotItem {
        item(ListKind::Tools, json!({"name": "t", "inputSchema": schema}))
    }

    fn misfits(schema: Value, arguments: Value) -> Vec<String> {
        let mut told = Schemas::default().input_misfits(&tool(schema), &arguments);
        told.sort();
        told
    }

    #[test]
    fn every_misfit_is_told_with_its_json_pointer() {
        let schema = json!({"type": "object", "required": ["a"], "additionalProperties": false, "properties": {
            "a": {"type": "integer", "minimum": 1},
            "list": {"type": "array", "items": {"enum": ["x"]}},
        }});
        assert_eq!(misfits(schema.clone(), json!({"a": 1, "list": ["x"]})), Vec::<String>::new());
        assert_eq!(
            misfits(schema.clone(), json!({"a": 0.5, "list": ["x", "y"], "b/c": 1}))
                .into_iter()
                .filter(|told| !told.contains("at least"))
                .collect::<Vec<_>>(),
            ["/a: must be integer", "/b~1c: is not an argument", "/list/1: must be one of \"x\""]
        );
        assert_eq!(misfits(schema.clone(), json!({})), ["/a: is required"]);
        assert_eq!(misfits(schema, json!([])), ["/: must be object"]);
    }

    #[test]
    fn what_the_schema_says_in_references_and_choices_is_checked() {
        let schema = json!({"type": "object", "$defs": {"Id": {"type": "string", "pattern": "^[a-z]+$"}}, "properties": {
            "id": {"$ref": "#/$defs/Id"}, "either": {"oneOf": [{"type": "string"}, {"type": "null"}]}
        }});
        assert_eq!(misfits(schema.clone(), json!({"id": "ok", "either": null})), Vec::<String>::new());
        let told = misfits(schema, json!({"id": "S3CRET", "either": 1}));
        assert_eq!(told.len(), 2);
        assert_eq!(told[0], "/either: fits none of the forms that are allowed");
        assert!(told[1].starts_with("/id: ") && !told[1].contains("S3CRET"), "{told:?}");
    }

    #[test]
    fn a_schema_that_cannot_be_used_is_told_and_lets_every_call_pass() {
        let mut laughs = json!({"type": "object", "$defs": {"a0": {"type": "string"}}});
        for n in 1..60 {
            let before = format!("#/$defs/a{}", n - 1);
            laughs["$defs"][format!("a{n}")] = json!({"anyOf": [{"$ref": before}, {"$ref": before}]});
        }
        laughs["properties"] = json!({"x": {"$ref": "#/$defs/a59"}});
        let mut deep = json!({"type": "string"});
        for _ in 0..100 {
            deep = json!({"type": "object", "properties": {"x": deep}});
        }
        for (schema, why) in [
            (laughs, "explodes"),
            (deep, "levels deep"),
            (json!({"type": "object", "properties": {"x": {"type": "strin"}}}), "no schema"),
            (json!({"type": "object", "properties": {"x": {"pattern": "("}}}), "no schema"),
            (
                json!({"type": "object", "properties": {"x": {"$ref": "http://127.0.0.1:9/x.json"}}}),
                "no schema",
            ),
            (json!({"type": "object", "properties": {"x": {"$ref": "file:///etc/passwd"}}}), "no schema"),
            (json!({"type": "object", "description": "x".repeat(MAX_BYTES)}), "bytes"),
        ] {
            let schemas = Schemas::default();
            let tool = tool(schema);
            let told = schemas.problem(&tool).unwrap_or_else(|| panic!("{:.200}", tool.raw));
            assert!(told.contains(why) && told.len() < 500, "{told}");
            assert_eq!(schemas.input_misfits(&tool, &json!({"x": 1})), Vec::<String>::new());
        }
        assert_eq!(Schemas::default().problem(&tool(json!({"type": "object"}))), None);
    }

    #[test]
    fn a_recursive_schema_with_deep_arguments_ends() {
        let schema = json!({"type": "object", "anyOf": [
            {"properties": {"a": {"$ref": "#"}}, "required": ["b"]},
            {"properties": {"a": {"$ref": "#"}}, "required": ["c"]},
        ]});
        let mut arguments = json!({});
        for _ in 0..60 {
            arguments = json!({"a": arguments});
        }
        let begun = std::time::Instant::now();
        let _ = misfits(schema.clone(), arguments);
        assert!(begun.elapsed() < std::time::Duration::from_secs(5), "{:?}", begun.elapsed());
        assert!(!misfits(schema, json!({"a": {}})).is_empty());
    }

    #[test]
    fn a_pattern_that_backtracks_without_end_is_given_up() {
        let schema = json!({"type": "object", "properties": {"x": {"pattern": "^(a+)+\\1$"}}});
        let begun = std::time::Instant::now();
        let _ = misfits(schema, json!({"x": format!("{}b", "a".repeat(60))}));
        assert!(begun.elapsed() < std::time::Duration::from_secs(5), "{:?}", begun.elapsed());
    }

    #[test]
    fn an_answer_is_held_against_the_output_schema() {
        let schema = json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]});
        let tool = item(
            ListKind::Tools,
            json!({"name": "t", "inputSchema": {"type": "object"}, "outputSchema": schema}),
        );
        let schemas = Schemas::default();
        assert_eq!(schemas.output_misfits(&tool, &json!({"n": 1})), Vec::<String>::new());
        assert_eq!(schemas.output_misfits(&tool, &json!({"n": "1"})), ["/n: must be integer"]);
    }

    #[test]
    fn only_so_many_compiled_schemas_are_kept() {
        let schemas = Schemas::default();
        let nothing = Arc::new(Compiled::Unusable(String::new()));
        for n in 0..KEPT + 10 {
            schemas.kept().keep(&n.to_string(), &nothing);
        }
        let kept = schemas.kept();
        assert_eq!((kept.by_hash.len(), kept.order.len()), (KEPT, KEPT));
    }
}
