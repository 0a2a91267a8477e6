//! Whether a changed limit lets more or less pass, as far as its key alone tells.

use std::cmp::Ordering;

use passline_modbus::value::Decimal;

use super::Effect;
use crate::language::yaml::{Node, Plain};

/// How the numbers of a key bound what passes.
#[derive(Clone, Copy)]
enum Bounding {
    /// The greater it is, the less passes.
    Below,
    /// The greater it is, the more passes.
    Above,
}

/// What a changed key does, `None` where it is missing. The step that has it stays.
pub(super) fn of(key: &str, old: Option<Node<'_>>, new: Option<Node<'_>>) -> Option<Effect> {
    if key == "one_of" {
        return among(old?, new?);
    }
    let bounding = match key {
        "min" | "above" | "at_least" => Bounding::Below,
        "max" | "below" => Bounding::Above,
        "tolerance" if old.is_some() && new.is_some() => Bounding::Above,
        "equals" | "matches" | "bits" | "not" | "valid" | "one_of" => {
            return match (old, new) {
                (None, Some(_)) => Some(Effect::Tighter),
                (Some(_), None) => Some(Effect::Wider),
                _ => None,
            };
        }
        _ => return None,
    };
    let (old, new) = match (old, new) {
        (None, _) => return Some(Effect::Tighter),
        (_, None) => return Some(Effect::Wider),
        (Some(old), Some(new)) => (number(old)?, number(new)?),
    };
    if old.1 != new.1 {
        return None;
    }
    match (new.0.cmp(&old.0), bounding) {
        (Ordering::Equal, _) => None,
        (Ordering::Greater, Bounding::Above) | (Ordering::Less, Bounding::Below) => {
            Some(Effect::Wider)
        }
        _ => Some(Effect::Tighter),
    }
}

/// A number, and whether it is a percentage.
fn number(node: Node<'_>) -> Option<(Decimal, bool)> {
    let written = node.scalar()?;
    match written.typed() {
        Ok(Plain::Number(number)) => Some((number, false)),
        Ok(Plain::Text(text)) => {
            let number = text.strip_suffix('%')?.trim().parse().ok()?;
            Some((number, true))
        }
        _ => None,
    }
}

/// Whether one list holds all of the other.
fn among(old: Node<'_>, new: Node<'_>) -> Option<Effect> {
    let texts = |node: Node<'_>| {
        node.items()?.map(|item| Some(item.scalar()?.text.to_owned())).collect::<Option<Vec<_>>>()
    };
    let (old, new) = (texts(old)?, texts(new)?);
    let kept = old.iter().all(|item| new.contains(item));
    let no_more = new.iter().all(|item| old.contains(item));
    match (kept, no_more) {
        (true, false) => Some(Effect::Wider),
        (false, true) => Some(Effect::Tighter),
        _ => None,
    }
}
