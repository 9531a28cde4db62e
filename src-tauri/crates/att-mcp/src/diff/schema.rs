//! Whether a changed schema still takes every value that the old one took. Errs on the side of "breaking".
//!
//! The set algebra is `jsonschema`'s; only its proof counts. What is ours: how much is looked at, and what a caller is
//! taken to know (see [`known`]). No reference ever leaves the document.

mod known;

use std::panic::{AssertUnwindSafe, catch_unwind};

use jsonschema::canonical::{CanonicalSchema, CanonicalizationError, Containment, Satisfiability, options};
use jsonschema::{Draft, PatternOptions};
use serde_json::{Map, Value, json};

use crate::weight::{Weight, reach, weigh};

/// Most values in a schema that is compared; a larger one that changed is breaking.
const MAX_VALUES: usize = 2_000;
/// Deepest nesting of a schema that is compared.
const MAX_DEPTH: usize = 48;
/// Most names of definitions, branches and choices together; set algebra grows with their product.
const MAX_BRANCHES: usize = 200;
/// Most subschemas met when every reference is followed.
const MAX_MET: u64 = 20_000;
/// Steps that one match of a pattern may take.
const BACKTRACK_LIMIT: usize = 10_000;
/// Where the document is laid when its root has to be a definition.
const ROOT: &str = "att-root";

/// True when `new` surely accepts every value that a caller who knows `old` may send. An optional property that is
/// added counts as accepted: no caller sends what it does not know.
#[must_use]
pub fn accepts_all_of(new: &Value, old: &Value) -> bool {
    let same_draft = new.get("$schema") == old.get("$schema");
    new == old
        || (same_draft && known::plain(new) == known::plain(old))
        || (small(new) && small(old) && guarded(|| compare(new, old)))
}

fn small(schema: &Value) -> bool {
    let Weight { values, depth, .. } = weigh(schema);
    values <= MAX_VALUES
        && depth <= MAX_DEPTH
        && branches(schema) <= MAX_BRANCHES
        && reach(schema).met <= MAX_MET
}

/// The library is large and what it is given is hostile: a panic in it proves nothing, and must end nothing.
fn guarded(question: impl FnOnce() -> bool) -> bool {
    catch_unwind(AssertUnwindSafe(question)).unwrap_or(false)
}

fn compare(new: &Value, old: &Value) -> bool {
    let (new_draft, old_draft) = (Draft::default().detect(new), Draft::default().detect(old));
    let told = known::to_a_caller(old);
    let Some(old_known) = canonical(&told, old_draft) else { return false };
    // Closing what nobody could satisfy any more would prove everything.
    let old_known = match old_known.satisfiability() {
        Satisfiability::No => match canonical(old, old_draft) {
            Some(open) => open,
            None => return false,
        },
        Satisfiability::Yes | Satisfiability::Unknown => old_known,
    };
    let Some(new_set) = canonical(new, old_draft) else { return false };
    if new_draft != old_draft && !same_in_both(new, &new_set, new_draft) {
        return false;
    }
    match new_set.covers(&old_known) {
        Ok(answer) => answer == Containment::Yes,
        Err(CanonicalizationError::IncompatibleOperands(_)) => {
            let (Some(new), Some(old)) =
                (canonical(&with_named_root(new), old_draft), canonical(&with_named_root(&told), old_draft))
            else {
                return false;
            };
            old.satisfiability() != Satisfiability::No
                && new.covers(&old).is_ok_and(|answer| answer == Containment::Yes)
        }
        Err(_) => false,
    }
}

/// True when a schema that names another draft means the same in it.
fn same_in_both(schema: &Value, in_one: &CanonicalSchema, other: Draft) -> bool {
    let plain = |set: &CanonicalSchema| {
        let mut json = set.to_json_schema();
        if let Some(fields) = json.as_object_mut() {
            fields.remove("$schema");
        }
        json
    };
    canonical(schema, other).is_some_and(|in_other| plain(in_one) == plain(&in_other))
}

fn canonical(schema: &Value, draft: Draft) -> Option<CanonicalSchema> {
    let mut schema = schema.clone();
    if let Some(fields) = schema.as_object_mut() {
        fields.remove("$schema");
    }
    options()
        .offline()
        .with_draft(draft)
        .should_validate_formats(true)
        .with_pattern_options(PatternOptions::fancy_regex().backtrack_limit(BACKTRACK_LIMIT))
        .canonicalize(&schema)
        .ok()
}

/// The same schema as a definition that its root refers to: two documents whose `#` differ cannot be compared.
fn with_named_root(schema: &Value) -> Value {
    let mut moved = schema.clone();
    move_references(&mut moved);
    let mut definitions = Map::new();
    definitions.insert(ROOT.to_owned(), moved);
    json!({"$defs": definitions, "$ref": format!("#/$defs/{ROOT}")})
}

fn move_references(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                match inner {
                    Value::String(target) if name == "$ref" => {
                        if let Some(pointer) = target.strip_prefix('#') {
                            *target = format!("#/$defs/{ROOT}{pointer}");
                        }
                    }
                    inner => move_references(inner),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(move_references),
        _ => {}
    }
}

/// How much a schema branches: members of choices, definitions and references.
fn branches(schema: &Value) -> usize {
    match schema {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, inner)| {
                let own = match (name.as_str(), inner) {
                    ("anyOf" | "oneOf" | "allOf", Value::Array(members)) => members.len(),
                    ("$ref" | "not" | "if" | "contains", _) => 1,
                    _ => 0,
                };
                own + branches(inner)
            })
            .sum(),
        Value::Array(items) => items.iter().map(branches).sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
