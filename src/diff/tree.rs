//! Trees held against each other. What a mapping says does not depend on the order of its keys, but for
//! what is sent in that order; a list of tests or steps is held against the other by their names, any
//! other list item by item.

use std::collections::BTreeMap;

use super::items::{numbered, pairs};
use super::{Change, Side, What, effect};
use crate::language::shape::{Object, Shape};
use crate::language::yaml::{Kind, Node, Plain, Written};
use crate::spec::SPEC;

/// Resolved points are held against each other in `points`.
const RESOLVED: [&str; 2] = ["points", "repeat"];

/// Mappings whose values are inserted into texts as they are written.
const AS_WRITTEN: [&str; 2] = ["vars", "for_each"];

/// What changed in the files of both.
pub(super) fn changes(old: Side<'_>, new: Side<'_>) -> Vec<Change> {
    let mut found = Vec::new();
    for (name, tree) in old.trees {
        let Some(other) = new.trees.get(name) else { continue };
        let place = if name.is_empty() { Vec::new() } else { vec![format!("file `{name}`")] };
        let mut walk = Walk { place, ..Walk::default() };
        walk.value("", Some(tree.root()), Some(other.root()));
        found.append(&mut walk.changes);
    }
    for (name, text) in old.others {
        if new.others.get(name).is_some_and(|other| other != text) {
            let mut walk = Walk { place: vec![format!("file `{name}`")], ..Walk::default() };
            walk.tell(What::Changed, None, None);
            found.append(&mut walk.changes);
        }
    }
    found
}

#[derive(Default)]
struct Walk {
    place: Vec<String>,
    in_step: bool,
    in_simulation: bool,
    as_written: bool,
    changes: Vec<Change>,
}

impl Walk {
    fn tell(&mut self, what: What, before: Option<String>, after: Option<String>) {
        self.changes.push(Change {
            place: self.place.clone(),
            what,
            before,
            after,
            effect: None,
            simulation_only: self.in_simulation,
        });
    }

    /// A value of a key, which one of the two may lack.
    fn value(&mut self, key: &str, old: Option<Node<'_>>, new: Option<Node<'_>>) {
        let (Some(before), Some(after)) = (old, new) else {
            let (what, node) =
                if old.is_none() { (What::Added, new) } else { (What::Removed, old) };
            let shown = node.map(shown);
            let (before, after) = if old.is_none() { (None, shown) } else { (shown, None) };
            self.tell(what, before, after);
            return self.judge(key, old, new);
        };
        match (before.kind(), after.kind()) {
            (Kind::Mapping(_), Kind::Mapping(_)) => self.mapping(key, before, after),
            (Kind::Sequence(_), Kind::Sequence(_)) => self.list(key, before, after),
            _ if self.same(before, after) => {}
            _ => {
                self.tell(What::Changed, Some(shown(before)), Some(shown(after)));
                self.judge(key, old, new);
            }
        }
    }

    /// Says of the last change what it does to a limit.
    fn judge(&mut self, key: &str, old: Option<Node<'_>>, new: Option<Node<'_>>) {
        if let Some(change) = self.changes.last_mut().filter(|_| self.in_step) {
            change.effect = effect::of(key, old, new);
        }
    }

    fn mapping(&mut self, key: &str, old: Node<'_>, new: Node<'_>) {
        let (before, after) = (entries(old), entries(new));
        let keys =
            before.iter().chain(after.iter().filter(|(key, _)| find(&before, key).is_none()));
        for (name, _) in keys {
            if RESOLVED.contains(&name.as_str()) && !self.in_step {
                continue;
            }
            let kept = (self.place.len(), self.in_step, self.in_simulation, self.as_written);
            self.place.extend(segment(key, name));
            self.in_simulation |= name == "simulate";
            self.as_written |= AS_WRITTEN.contains(&name.as_str());
            self.value(name, find(&before, name), find(&after, name));
            self.place.truncate(kept.0);
            (self.in_step, self.in_simulation, self.as_written) = (kept.1, kept.2, kept.3);
        }
        // The order of its instances follows from it, or that of what is sent.
        if ["for_each", "write"].contains(&key) {
            let order = |entries: &[(String, Node<'_>)], others: &[(String, Node<'_>)]| {
                let both = entries.iter().filter(|(key, _)| find(others, key).is_some());
                both.map(|(key, _)| key.clone()).collect::<Vec<_>>()
            };
            let (was, is) = (order(&before, &after), order(&after, &before));
            if was != is {
                self.place.push("order".to_owned());
                self.tell(What::Changed, Some(was.join(", ")), Some(is.join(", ")));
                self.place.pop();
            }
        }
    }

    fn list(&mut self, key: &str, old: Node<'_>, new: Node<'_>) {
        let (before, after) = (items(old), items(new));
        if before.iter().chain(&after).all(|item| item.scalar().is_some()) {
            let same = before.len() == after.len()
                && before.iter().zip(&after).all(|(one, other)| self.same(*one, *other));
            if !same {
                self.tell(What::Changed, Some(shown(old)), Some(shown(new)));
                self.judge(key, Some(old), Some(new));
            }
            return;
        }
        let names = |nodes: &[Node<'_>]| numbered(nodes.iter().map(|node| name(*node)).collect());
        let (was, is) = (names(&before), names(&after));
        let renamed = |one: usize, other: usize| {
            let (Some(one), Some(other)) = (before.get(one), after.get(other)) else {
                return false;
            };
            same_but_for_the_name(*one, *other)
        };
        for pair in pairs(&was, &is, renamed) {
            let label = |index: Option<usize>, names: &[String]| {
                index.and_then(|at| names.get(at).cloned())
            };
            let (old_name, new_name) = (label(pair.old, &was), label(pair.new, &is));
            let (one, other) = (pick(&before, pair.old), pick(&after, pair.new));
            let (word, in_step) = one.or(other).map_or(("item", false), word);
            let Some(known) = old_name.as_ref().or(new_name.as_ref()) else { continue };
            self.place.push(format!("{word} `{known}`"));
            if pair.moved {
                self.tell(What::Moved, None, None);
            }
            match (one, other) {
                (Some(one), Some(other)) if old_name == new_name => {
                    let kept = self.in_step;
                    self.in_step |= in_step;
                    self.value("", Some(one), Some(other));
                    self.in_step = kept;
                }
                (Some(_), Some(_)) => self.tell(What::Renamed, old_name.clone(), new_name),
                (None, _) => self.tell(What::Added, None, None),
                (_, None) => self.tell(What::Removed, None, None),
            }
            self.place.pop();
        }
    }

    fn same(&self, old: Node<'_>, new: Node<'_>) -> bool {
        identity(old, self.as_written) == identity(new, self.as_written)
    }
}

fn entries(node: Node<'_>) -> Vec<(String, Node<'_>)> {
    let pairs = node.pairs().into_iter().flatten();
    pairs.map(|(key, value)| (text(key).to_owned(), value)).collect()
}

fn find<'t>(entries: &[(String, Node<'t>)], key: &str) -> Option<Node<'t>> {
    entries.iter().find(|(name, _)| name == key).map(|(_, value)| *value)
}

fn items(node: Node<'_>) -> Vec<Node<'_>> {
    node.items().into_iter().flatten().collect()
}

fn pick<'t>(nodes: &[Node<'t>], index: Option<usize>) -> Option<Node<'t>> {
    nodes.get(index?).copied()
}

fn text(node: Node<'_>) -> &str {
    node.scalar().map_or("", |scalar| scalar.text)
}

fn get<'t>(node: Node<'t>, key: &str) -> Option<Node<'t>> {
    node.pairs()?.find(|(name, _)| text(*name) == key).map(|(_, value)| value)
}

/// How a key is said inside of another.
fn segment(of: &str, key: &str) -> Option<String> {
    match (of, key) {
        ("devices", _) => Some(format!("device `{key}`")),
        ("links", _) => Some(format!("link `{key}`")),
        ("vars", _) => Some(format!("variable `{key}`")),
        ("", "devices" | "links" | "vars" | "tests") | (_, "steps") => None,
        _ => Some(key.to_owned()),
    }
}

/// The keys of actions: the first group of the table of steps.
fn actions() -> impl Iterator<Item = &'static str> {
    let inside = |object: &'static Object, key: &str| match object.field(key)?.shape {
        Shape::List(Shape::Object(object)) => Some(*object),
        _ => None,
    };
    let step = inside(&SPEC, "tests").and_then(|test| inside(test, "steps"));
    let group = step.and_then(|step| step.fields.first().copied()).unwrap_or_default();
    group.iter().map(|field| field.key).filter(|key| *key != "name")
}

fn action(node: Node<'_>) -> Option<Node<'_>> {
    actions().find_map(|key| get(node, key))
}

/// What an item is, and whether limits stand in it.
fn word(node: Node<'_>) -> (&'static str, bool) {
    match (get(node, "test"), action(node)) {
        (Some(_), _) => ("test", false),
        (None, Some(_)) => ("step", true),
        (None, None) => ("item", false),
    }
}

/// What a step does, in short: of a write where, not what; that may change.
fn doing(node: Node<'_>) -> Option<String> {
    let action = action(node)?;
    let Some(written) = get(node, "write").filter(|write| write.pairs().is_some()) else {
        return Some(called(action));
    };
    let mut places = entries(written);
    let is_typed = find(&places, "device").is_some();
    places.retain(|(key, _)| !is_typed || key != "value");
    let place = |(key, value): (String, Node<'_>)| {
        if is_typed { format!("{key}: {}", shown(value)) } else { key }
    };
    Some(format!("write {}", places.into_iter().map(place).collect::<Vec<_>>().join(", ")))
}

/// What an item is called: what it is, where it has no name.
fn name(node: Node<'_>) -> String {
    match get(node, "test").or_else(|| action(node).and(get(node, "name"))) {
        Some(named) => called(named),
        None => doing(node).unwrap_or_else(|| called(node)),
    }
}

fn called(named: Node<'_>) -> String {
    match items(named).as_slice() {
        [one] => shown(*one),
        _ => shown(named),
    }
}

/// Whether two tests, or two steps, say the same under other names.
fn same_but_for_the_name(one: Node<'_>, other: Node<'_>) -> bool {
    let key = if get(one, "test").is_some() { "test" } else { "name" };
    let rest = |node: Node<'_>| {
        let kept = entries(node).into_iter().filter(|(name, _)| name != key);
        kept.map(|(name, value)| (name, identity(value, true))).collect::<BTreeMap<_, _>>()
    };
    get(one, key).is_some() && get(other, key).is_some() && rest(one) == rest(other)
}

/// What a value is, however it is written. One value is a list of it.
fn identity(node: Node<'_>, as_written: bool) -> String {
    match node.kind() {
        Kind::Scalar(scalar) => scalar_identity(scalar, as_written),
        Kind::Sequence(items) => {
            let items: Vec<String> = items.map(|item| identity(item, as_written)).collect();
            match items.as_slice() {
                [one] if !as_written && !one.starts_with('[') => one.clone(),
                _ => format!("[{}]", items.join(",")),
            }
        }
        Kind::Mapping(_) => {
            let mut pairs: Vec<String> = entries(node)
                .into_iter()
                .map(|(key, value)| format!("{key:?}:{}", identity(value, as_written)))
                .collect();
            pairs.sort_unstable();
            format!("{{{}}}", pairs.join(","))
        }
        Kind::Broken => String::new(),
    }
}

fn scalar_identity(scalar: Written<'_>, as_written: bool) -> String {
    match scalar.typed() {
        Ok(Plain::Text(text)) => format!("{text:?}"),
        Ok(Plain::Number(number)) if !as_written => number.to_string(),
        Ok(Plain::Bool(value)) => value.to_string(),
        _ => scalar.text.to_owned(),
    }
}

/// A value on one line, for people.
fn shown(node: Node<'_>) -> String {
    match node.kind() {
        Kind::Scalar(scalar) => scalar.text.split_whitespace().collect::<Vec<_>>().join(" "),
        Kind::Sequence(items) => format!("[{}]", items.map(shown).collect::<Vec<_>>().join(", ")),
        Kind::Mapping(pairs) => {
            let pairs = pairs.map(|(key, value)| format!("{}: {}", text(key), shown(value)));
            format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", "))
        }
        Kind::Broken => String::new(),
    }
}
