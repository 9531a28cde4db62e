use jsonschema::Validator;
use proptest::prelude::*;

use super::*;

fn fits(old: Value, new: Value) -> bool {
    accepts_all_of(&new, &old)
}

#[test]
fn schemas_that_take_less_are_breaking_and_those_that_take_more_are_not() {
    let text = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    let text_and = |more: Value| {
        let mut schema = text.clone();
        for (name, value) in more.as_object().unwrap() {
            schema[name] = value.clone();
        }
        schema
    };
    for (old, new, expected) in [
        // types
        (json!({"type": "integer"}), json!({"type": "number"}), true),
        (json!({"type": "number"}), json!({"type": "integer"}), false),
        (json!({"type": "string"}), json!({"type": ["string", "null"]}), true),
        (json!({"type": ["string", "null"]}), json!({"anyOf": [{"type": "string"}, {"type": "null"}]}), true),
        (json!({"anyOf": [{"type": "string"}, {"type": "null"}]}), json!({"type": ["string", "null"]}), true),
        (json!({"anyOf": [{"type": "string"}, {"type": "null"}]}), json!({"type": "string"}), false),
        // choices
        (json!({"enum": ["a"]}), json!({"enum": ["a", "b"]}), true),
        (json!({"enum": ["a", "b"]}), json!({"enum": ["a"]}), false),
        (json!({"enum": ["a", "b"]}), json!({"const": "a"}), false),
        (json!({"const": "a"}), json!({"enum": ["b", "a"]}), true),
        (json!({"enum": ["a", "b"]}), json!({"type": "string"}), true),
        (json!({"type": "string"}), json!({"enum": ["a", "b"]}), false),
        (json!({"enum": ["a", "b"]}), json!({"oneOf": [{"const": "a"}, {"const": "b", "title": "B"}]}), true),
        // bounds
        (json!({}), json!({"maxLength": 3}), false),
        (json!({"maxLength": 3}), json!({"maxLength": 4}), true),
        (json!({"minimum": 3}), json!({"minimum": 4}), false),
        (json!({"exclusiveMinimum": 3}), json!({"minimum": 3}), true),
        (json!({"minimum": 3}), json!({"exclusiveMinimum": 3}), false),
        (json!({"type": "integer", "multipleOf": 4}), json!({"type": "integer", "multipleOf": 2}), true),
        (json!({"type": "array", "maxItems": 2}), json!({"type": "array", "maxItems": 1}), false),
        (json!({"type": "array"}), json!({"type": "array", "uniqueItems": true}), false),
        // text
        (json!({"type": "string", "pattern": "^a"}), json!({"type": "string", "pattern": "^b"}), false),
        (json!({"type": "string", "pattern": "^a"}), json!({"type": "string"}), true),
        (json!({"type": "string"}), json!({"type": "string", "format": "uri"}), false),
        (json!({"type": "string", "format": "date"}), json!({"type": "string", "format": "uri"}), false),
        (json!({"type": "string", "format": "uri"}), json!({"type": "string"}), true),
        // properties
        (text.clone(), text_and(json!({"required": ["a"]})), false),
        (text_and(json!({"required": ["a"]})), text.clone(), true),
        (text.clone(), text_and(json!({"additionalProperties": false})), false),
        (text_and(json!({"additionalProperties": false})), text.clone(), true),
        (
            text.clone(),
            text_and(json!({"properties": {"a": {"type": "string"}, "b": {"type": "integer"}}})),
            true,
        ),
        (
            text_and(json!({"additionalProperties": true})),
            text_and(json!({"properties": {"a": {"type": "string"}, "b": {"type": "integer"}}})),
            false,
        ),
        (text.clone(), text_and(json!({"properties": {}})), true),
        (text.clone(), text_and(json!({"properties": {}, "additionalProperties": false})), false),
        (text.clone(), text_and(json!({"properties": {"a": {"type": "integer"}}})), false),
        (
            json!({"type": "object"}),
            json!({"type": "object", "properties": {"n": {"type": "integer"}}}),
            true,
        ),
        // lists
        (json!({"items": {"type": "string"}}), json!({"items": {"type": "integer"}}), false),
        (
            json!({"type": "array", "items": {"enum": [1]}}),
            json!({"type": "array", "items": {"type": "integer"}}),
            true,
        ),
        (
            json!({"type": "array", "prefixItems": [{"type": "string"}]}),
            json!({"type": "array", "prefixItems": [{"type": "string"}, {"type": "string"}]}),
            false,
        ),
        // combinations
        (json!({"anyOf": [{"type": "string"}]}), json!({"anyOf": [{"type": "integer"}]}), false),
        (
            json!({"oneOf": [{"type": "string"}, {"type": "null"}]}),
            json!({"oneOf": [{"type": "string"}, {"type": "null"}, {"type": "boolean"}]}),
            true,
        ),
        (json!({"not": {"type": "string"}}), json!({"not": {"type": ["string", "null"]}}), false),
        (
            json!({"allOf": [{"type": "string"}]}),
            json!({"allOf": [{"type": "string"}, {"minLength": 1}]}),
            false,
        ),
        // what only describes
        (
            json!({"type": "string", "title": "x"}),
            json!({"type": "string", "default": "y", "deprecated": true}),
            true,
        ),
        // what nobody knows
        (json!({"type": "array"}), json!({"type": "array", "unevaluatedItems": false}), false),
    ] {
        assert_eq!(fits(old.clone(), new.clone()), expected, "{old} -> {new}");
    }
}

#[test]
fn references_into_the_document_are_followed_and_recursion_ends() {
    let tree = |value: Value| {
        json!({"$defs": {"Node": {"type": "object", "properties": {
            "value": value, "children": {"type": "array", "items": {"$ref": "#/$defs/Node"}}
        }}}, "$ref": "#/$defs/Node"})
    };
    let (whole, any) = (tree(json!({"type": "integer"})), tree(json!({"type": "number"})));
    assert!(!fits(any.clone(), whole.clone()));
    // True, but the proof would have to assume itself: what cannot be proved is breaking.
    assert!(!fits(whole.clone(), any));
    let mut retold = whole.clone();
    retold["$defs"]["Node"]["properties"]["value"]["description"] = json!("told");
    retold["$defs"]["Node"]["title"] = json!("A node");
    assert!(fits(whole, retold));
    let by_root =
        |value: Value| json!({"type": "object", "properties": {"value": value, "next": {"$ref": "#"}}});
    let (whole, any) = (by_root(json!({"type": "integer"})), by_root(json!({"type": "number"})));
    assert!(!fits(any, whole.clone()));
    assert!(fits(whole, by_root(json!({"type": "integer", "description": "told"}))));
}

#[test]
fn a_property_that_is_added_to_one_member_of_a_conjunction_is_judged_with_the_others_known() {
    let both = |first: Value| json!({"allOf": [{"properties": {"a": first}}, {"properties": {"b": {"type": "string"}}}]});
    assert!(!fits(both(json!({"type": "string"})), both(json!({"type": "integer"}))));
    assert!(fits(both(json!({"type": "string"})), both(json!({"type": ["string", "null"]}))));
}

#[test]
fn a_document_of_another_draft_that_means_the_same_is_no_break() {
    let with = |draft: &str, kind: &str| json!({"$schema": draft, "type": "object", "properties": {"a": {"type": kind}}});
    let (seven, twenty) =
        ("http://json-schema.org/draft-07/schema#", "https://json-schema.org/draft/2020-12/schema");
    assert!(fits(with(seven, "string"), with(twenty, "string")));
    assert!(!fits(with(seven, "number"), with(twenty, "integer")));
    // Beside a reference draft 7 ignores everything, later drafts do not.
    let beside = |draft: &str| json!({"$schema": draft, "$defs": {"T": {"type": "string"}}, "$ref": "#/$defs/T", "maxLength": 1});
    assert!(!fits(beside(seven), beside(twenty)));
}

#[test]
fn a_reference_out_of_the_document_is_never_followed_and_never_proved() {
    let to = |kind: &str| json!({"$ref": "http://127.0.0.1:9/schema.json", "type": kind});
    assert!(!fits(to("integer"), to("number")));
    assert!(fits(to("integer"), to("integer")));
}

#[test]
fn schemas_that_explode_are_answered_in_bounded_time() {
    let mut laughs = json!({"type": "object", "$defs": {"a0": {"type": "string"}}});
    for n in 1..60 {
        let before = format!("#/$defs/a{}", n - 1);
        laughs["$defs"][format!("a{n}")] =
            json!({"anyOf": [{"$ref": before}, {"type": "array", "items": {"$ref": before}}]});
    }
    laughs["properties"] = json!({"x": {"$ref": "#/$defs/a59"}});
    let products: Vec<Value> = (0..12)
        .map(|n| json!({"oneOf": (0..12).map(|m| json!({"properties": {format!("p{n}"): {"const": m}}})).collect::<Vec<_>>()}))
        .collect();
    let products = json!({"type": "object", "allOf": products});
    let begun = std::time::Instant::now();
    for old in [laughs, products] {
        let mut new = old.clone();
        new["properties"]["y"] = json!({"type": "integer"});
        let _ = fits(old.clone(), new.clone());
        let _ = fits(new, old);
    }
    assert!(begun.elapsed() < std::time::Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[test]
fn what_is_too_large_to_be_compared_is_breaking_unless_it_is_the_same() {
    let large = |last: &str| {
        let mut schema = json!({"type": "object", "properties": {}});
        for n in 0..MAX_VALUES {
            schema["properties"][format!("p{n}")] = json!({});
        }
        schema["properties"]["last"] = json!({"type": last});
        schema
    };
    assert!(!fits(large("integer"), large("number")));
    assert!(fits(large("integer"), large("integer")));
}

/// A schema over a small world, so that two of them often have to do with each other.
fn schema() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!({})),
        prop::sample::subsequence(
            vec!["string", "integer", "number", "null", "boolean", "array", "object"],
            1..3
        )
        .prop_map(|types| json!({"type": types})),
        (0..4i64, 0..4i64)
            .prop_map(|(min, more)| json!({"type": "integer", "minimum": min, "maximum": min + more})),
        (0..4i64).prop_map(|min| json!({"exclusiveMinimum": min})),
        (1..4i64).prop_map(|by| json!({"type": "number", "multipleOf": by})),
        (0..3u32, 0..3u32)
            .prop_map(|(min, more)| json!({"type": "string", "minLength": min, "maxLength": min + more})),
        prop::sample::select(vec!["^a", "b$", "^[ab]*$"])
            .prop_map(|p| json!({"type": "string", "pattern": p})),
        prop::collection::vec(
            prop_oneof![Just(json!("a")), Just(json!(1)), Just(json!(null)), Just(json!(2.5))],
            1..4
        )
        .prop_map(|choices| json!({"enum": choices})),
        Just(json!({"const": {"p": 1}})),
        Just(json!({"$ref": "#/$defs/D"})),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let name = prop::sample::select(vec!["p", "q", "r"]);
        prop_oneof![
            (
                prop::collection::btree_map(name.clone(), inner.clone(), 0..3),
                prop::collection::btree_set(name.clone(), 0..2),
                prop::option::of(prop_oneof![Just(json!(false)), Just(json!(true)), inner.clone()]),
            )
                .prop_map(|(properties, required, rest)| {
                    let mut schema =
                        json!({"type": "object", "properties": properties, "required": required});
                    if let Some(rest) = rest {
                        schema["additionalProperties"] = rest;
                    }
                    schema
                }),
            (inner.clone(), prop::option::of(0..3u32), any::<bool>()).prop_map(|(items, max, unique)| {
                let mut schema = json!({"type": "array", "items": items, "uniqueItems": unique});
                if let Some(max) = max {
                    schema["maxItems"] = json!(max);
                }
                schema
            }),
            prop::collection::vec(inner.clone(), 1..3).prop_map(|first| json!({"prefixItems": first})),
            (
                prop::sample::select(vec!["anyOf", "oneOf", "allOf"]),
                prop::collection::vec(inner.clone(), 1..4)
            )
                .prop_map(|(how, of)| json!({how: of})),
            inner.clone().prop_map(|not| json!({"not": not})),
            (prop::collection::btree_map(name, inner.clone(), 1..3), inner).prop_map(|(properties, any)| {
                json!({"properties": properties, "anyOf": [any, {"required": ["p"]}]})
            }),
        ]
    })
}

fn document() -> impl Strategy<Value = Value> {
    (schema(), schema()).prop_map(|(root, definition)| {
        let mut root = if root.get("$ref").is_some() { json!({"allOf": [root]}) } else { root };
        root["$defs"] = json!({"D": definition});
        root
    })
}

fn instance() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        (-1..6i64).prop_map(Value::from),
        prop::sample::select(vec![0.5, 2.5, 2.0]).prop_map(Value::from),
        "[ab]{0,4}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(prop::sample::select(vec!["p", "q", "r", "s"]), inner, 0..4)
                .prop_map(|fields| json!(fields)),
        ]
    })
}

/// One small edit somewhere, so that most pairs are neither equal nor strangers.
fn edited(schema: &Value, seed: usize, graft: &Value) -> Value {
    fn places(value: &Value, at: String, out: &mut Vec<String>) {
        out.push(at.clone());
        match value {
            Value::Object(fields) => {
                fields.iter().for_each(|(name, v)| places(v, format!("{at}/{name}"), out))
            }
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(n, v)| places(v, format!("{at}/{n}"), out))
            }
            _ => {}
        }
    }
    let mut all = Vec::new();
    places(schema, String::new(), &mut all);
    let mut out = schema.clone();
    let at = &all[seed % all.len()];
    let Some(place) = out.pointer_mut(at) else { return out };
    match place {
        Value::Number(n) => {
            let step = if seed.is_multiple_of(2) { 1 } else { -1 };
            *place = json!((n.as_i64().unwrap_or(0) + step).max(0));
        }
        Value::Array(items) if seed.is_multiple_of(3) => {
            items.pop();
        }
        Value::Array(items) => items.push(items.first().cloned().unwrap_or_else(|| json!("p"))),
        Value::Object(fields) if seed.is_multiple_of(3) => {
            let name = fields.keys().nth(seed % fields.len().max(1)).cloned().unwrap_or_default();
            fields.shift_remove(&name);
        }
        Value::Object(_) if seed % 3 == 1 => *place = graft.clone(),
        Value::Object(fields) => {
            fields.insert("anyOf".to_owned(), json!([graft, {"type": "null"}]));
        }
        _ => {}
    }
    if out.get("$defs").is_none_or(|d| d.get("D").is_none()) {
        out["$defs"] = json!({"D": graft});
    }
    out
}

fn validator(schema: &Value) -> Option<Validator> {
    jsonschema::options().offline().should_validate_formats(true).build(schema).ok()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// The oracle is the validator itself, which shares nothing with the set algebra but the parser of its pointers.
    #[test]
    fn a_change_that_is_called_compatible_refuses_nothing_that_a_caller_could_send(
        old in document(), graft in schema(), seed in 0..10_000usize, instances in prop::collection::vec(instance(), 24),
    ) {
        let new = if seed.is_multiple_of(7) { graft.clone() } else { edited(&old, seed / 7, &graft) };
        let (Some(known), Some(old_takes)) = (validator(&known::to_a_caller(&old)), validator(&old)) else { return Ok(()) };
        if !accepts_all_of(&new, &old) {
            return Ok(());
        }
        let Some(new_takes) = validator(&new) else {
            return Err(TestCaseError::fail(format!("{new} is no schema, and was called compatible")));
        };
        for instance in instances {
            if old_takes.is_valid(&instance) && known.is_valid(&instance) {
                prop_assert!(new_takes.is_valid(&instance), "{instance} fitted {old} and does not fit {new}");
            }
        }
    }

    #[test]
    fn a_schema_accepts_what_it_accepted(schema in document()) {
        prop_assert!(accepts_all_of(&schema, &schema));
    }
}
