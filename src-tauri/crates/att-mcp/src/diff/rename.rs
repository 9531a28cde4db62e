//! Which of the items that went are the same as some that came, under another name.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::model::SnapshotItem;

/// Most pairs of names whose likeness is looked at in one list; beyond it they are joined in their order.
const MAX_COMPARED: usize = 20_000;
/// As much of a name as its likeness is judged by.
const NAME_CHARS: usize = 64;
/// What names an item and is no part of its body.
const NAMES: [&str; 4] = ["name", "title", "uri", "uriTemplate"];

/// Pairs of equal bodies, each item at most once. Where several have the same body, the closest names are joined; equally close
/// ones in the order of their names, so that the same lists always give the same pairs.
pub(super) fn pairs<'i>(
    removed: &[&'i SnapshotItem],
    arrived: &[&'i SnapshotItem],
) -> Vec<(&'i SnapshotItem, &'i SnapshotItem)> {
    let mut groups: BTreeMap<&str, (Vec<&SnapshotItem>, Vec<&SnapshotItem>)> = BTreeMap::new();
    for item in removed.iter().filter(|item| says_something(&item.raw)) {
        groups.entry(&item.hashes.body).or_default().0.push(item);
    }
    for item in arrived.iter().filter(|item| says_something(&item.raw)) {
        groups.entry(&item.hashes.body).or_default().1.push(item);
    }
    let mut compared = 0;
    let mut out = Vec::new();
    for (gone, came) in groups.into_values() {
        let product = gone.len().saturating_mul(came.len());
        compared += product;
        if product <= 1 || compared > MAX_COMPARED {
            out.extend(gone.into_iter().zip(came));
        } else {
            out.extend(closest(&gone, &came));
        }
    }
    out
}

/// A body that is nothing but names says nothing about what it is: two such are strangers.
fn says_something(raw: &Value) -> bool {
    raw.as_object().is_some_and(|fields| fields.keys().any(|name| !NAMES.contains(&name.as_str())))
}

fn closest<'i>(
    gone: &[&'i SnapshotItem],
    came: &[&'i SnapshotItem],
) -> Vec<(&'i SnapshotItem, &'i SnapshotItem)> {
    let clipped = |item: &SnapshotItem| item.key.chars().take(NAME_CHARS).collect::<String>();
    let (old, new): (Vec<_>, Vec<_>) =
        (gone.iter().map(|i| clipped(i)).collect(), came.iter().map(|i| clipped(i)).collect());
    let mut likenesses: Vec<(f64, usize, usize)> = old
        .iter()
        .enumerate()
        .flat_map(|(o, was)| new.iter().enumerate().map(move |(n, is)| (strsim::jaro_winkler(was, is), o, n)))
        .collect();
    likenesses.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
    let (mut used_old, mut used_new) = (BTreeSet::new(), BTreeSet::new());
    let mut out = Vec::new();
    for (_, o, n) in likenesses {
        if !used_old.contains(&o) && !used_new.contains(&n) {
            used_old.insert(o);
            used_new.insert(n);
            out.push((gone[o], came[n]));
        }
    }
    out
}
