//! How heavy a JSON value is, and how heavy a schema becomes when its references are followed.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

/// Deepest chain of nesting and references that is followed.
const MAX_CHAIN: u32 = 200;

/// Size and shape of a value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Weight {
    /// About as many bytes as its JSON text has.
    pub bytes: usize,
    /// Values in it, itself included.
    pub values: usize,
    /// Nesting; 1 for a plain value.
    pub depth: usize,
}

/// The weight of `value`. Its nesting is bounded by what read it (128 levels).
#[must_use]
pub fn weigh(value: &Value) -> Weight {
    match value {
        Value::Null | Value::Bool(_) => Weight { bytes: 5, values: 1, depth: 1 },
        Value::Number(_) => Weight { bytes: 8, values: 1, depth: 1 },
        Value::String(text) => Weight { bytes: text.len() + 2, values: 1, depth: 1 },
        Value::Array(items) => {
            items.iter().fold(Weight { bytes: 2, values: 1, depth: 1 }, |sum, item| sum.with(0, weigh(item)))
        }
        Value::Object(fields) => {
            fields.iter().fold(Weight { bytes: 2, values: 1, depth: 1 }, |sum, (name, item)| {
                sum.with(name.len() + 3, weigh(item))
            })
        }
    }
}

impl Weight {
    fn with(self, name: usize, inner: Self) -> Self {
        Self {
            bytes: self.bytes + name + inner.bytes + 1,
            values: self.values + inner.values,
            depth: self.depth.max(inner.depth + 1),
        }
    }
}

/// What following a schema's references leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reach {
    /// Subschemas met, each as often as it is met; `u64::MAX` when the chain is too long.
    pub met: u64,
    /// References that lead back to where they come from.
    pub returns: u32,
}

/// Follows every local reference of `schema` without writing it out.
pub(crate) fn reach(schema: &Value) -> Reach {
    let mut walk = Walk { root: schema, met: HashMap::new(), above: HashSet::new(), returns: 0 };
    Reach { met: walk.follow(schema, 0), returns: walk.returns }
}

struct Walk<'s> {
    root: &'s Value,
    met: HashMap<*const Value, u64>,
    above: HashSet<*const Value>,
    returns: u32,
}

impl<'s> Walk<'s> {
    fn follow(&mut self, value: &'s Value, chain: u32) -> u64 {
        let place: *const Value = value;
        if self.above.contains(&place) {
            self.returns = self.returns.saturating_add(1);
            return 1;
        }
        if let Some(met) = self.met.get(&place) {
            return *met;
        }
        if chain > MAX_CHAIN {
            return u64::MAX;
        }
        self.above.insert(place);
        let mut met = 1_u64;
        match value {
            Value::Object(fields) => {
                for (name, inner) in fields {
                    let target = match inner {
                        Value::String(to) if name == "$ref" => {
                            to.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer))
                        }
                        inner => Some(inner),
                    };
                    if let Some(target) = target {
                        met = met.saturating_add(self.follow(target, chain + 1));
                    }
                }
            }
            Value::Array(items) => {
                for inner in items {
                    met = met.saturating_add(self.follow(inner, chain + 1));
                }
            }
            _ => {}
        }
        self.above.remove(&place);
        self.met.insert(place, met);
        met
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_value_weighs_about_what_its_text_does() {
        let value = json!({"a": [1, 2, {"b": "text"}], "c": null});
        let weight = weigh(&value);
        assert_eq!((weight.values, weight.depth), (7, 4));
        let text = value.to_string().len();
        assert!(weight.bytes >= text && weight.bytes < text * 2, "{} for {text}", weight.bytes);
    }

    #[test]
    fn what_references_multiply_is_told_without_multiplying_it() {
        let mut schema = json!({"$defs": {"a0": {"type": "string"}}});
        for n in 1..100 {
            let before = format!("#/$defs/a{}", n - 1);
            schema["$defs"][format!("a{n}")] = json!({"anyOf": [{"$ref": before}, {"$ref": before}]});
        }
        assert!(reach(&schema).met > 1 << 40);
        let tree = json!({"properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}}});
        assert_eq!(reach(&tree).returns, 2);
    }
}
