//! What changed between two specs, or two profiles, in meaning: how a file is laid out, how a number is
//! spelled, where a value comes from an anchor changes nothing. Mappings are held against each other
//! key by key, lists of tests and steps by the names of these, points as they are resolved. So every
//! key of the language is seen, and a new one needs nothing here. Knows no files and no terminal.

mod effect;
mod items;
mod points;
mod tree;

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::language::yaml::Tree;
use crate::spec::Spec;

/// One of the two.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// What it came to.
    pub spec: &'a Spec,
    /// The trees of its files, its own as the empty name, others as seen from its folder.
    pub trees: &'a BTreeMap<String, Tree>,
    /// The bytes of other files that it names.
    pub others: &'a BTreeMap<String, String>,
}

/// What happened to something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It is another.
    Changed,
    /// It has another name, and nothing else about it is another.
    Renamed,
    /// It comes before or after others than it did.
    Moved,
}

/// What a changed limit does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Less passes than before.
    Tighter,
    /// More passes than before.
    Wider,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Where, from outside in: ``test `mains voltage` ``, ``step `meter.voltage_l1` ``, `max`.
    pub place: Vec<String>,
    /// What happened there.
    pub what: What,
    /// What it was, where that can be said on a line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// What that does to the limit, where it is plain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<Effect>,
    /// Whether only simulations see it.
    pub simulation_only: bool,
}

/// Everything that changed from one to the other, in the order of the files.
pub fn diff(old: Side<'_>, new: Side<'_>) -> Vec<Change> {
    let mut changes = tree::changes(old, new);
    changes.extend(points::changes(old.spec, new.spec));
    changes
}

impl fmt::Display for Change {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.place.join(", "))?;
        match (self.what, &self.before, &self.after) {
            (What::Changed, Some(before), Some(after)) => write!(out, ": {before} → {after}")?,
            (What::Changed, ..) => out.write_str(": changed")?,
            (What::Renamed, _, after) => {
                write!(out, ": now called `{}`", after.as_deref().unwrap_or_default())?;
            }
            (What::Moved, ..) => out.write_str(": moved")?,
            (What::Added, _, Some(after)) => write!(out, ": added, {after}")?,
            (What::Added, _, None) => out.write_str(": added")?,
            (What::Removed, Some(before), _) => write!(out, ": removed, was {before}")?,
            (What::Removed, None, _) => out.write_str(": removed")?,
        }
        match self.effect {
            Some(Effect::Tighter) => out.write_str(" (tighter)")?,
            Some(Effect::Wider) => out.write_str(" (wider)")?,
            None => {}
        }
        out.write_str(if self.simulation_only { " (simulation only)" } else { "" })
    }
}
