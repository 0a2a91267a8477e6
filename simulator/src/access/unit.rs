//! The unit ids that a device answers for.

use std::collections::BTreeMap;

/// The unit ids that a device answers for beside its own, as long as no other device of its line
/// has them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum UnitIds {
    /// None.
    #[default]
    Own,
    /// These.
    Also(Box<[u8]>),
    /// All of them.
    Any,
}

impl UnitIds {
    /// Whether this one is among them.
    pub fn include(&self, unit_id: u8) -> bool {
        match self {
            Self::Own => false,
            Self::Also(ids) => ids.contains(&unit_id),
            Self::Any => true,
        }
    }

    /// What two devices of a line cannot both answer for, in words.
    pub fn shared(&self, other: &Self) -> Option<String> {
        match (self, other) {
            (Self::Any, Self::Any) => Some("any unit".to_owned()),
            (Self::Also(ids), Self::Also(_)) => {
                let id = ids.iter().find(|id| other.include(**id))?;
                Some(format!("unit {id}"))
            }
            _ => None,
        }
    }
}

/// The unit ids of a line that no device has and one answers for, and the unit id of that one. Who
/// names them comes before who takes any. `devices`: the unit id of each, and what it answers for.
pub fn strangers<'d>(devices: impl Iterator<Item = (u8, &'d UnitIds)> + Clone) -> BTreeMap<u8, u8> {
    let mut strangers = BTreeMap::new();
    let (named, any) = (devices.clone(), devices.clone());
    let named = named.filter(|(_, ids)| matches!(ids, UnitIds::Also(_)));
    let any = any.filter(|(_, ids)| **ids == UnitIds::Any);
    for (own, ids) in named.chain(any) {
        for unit_id in (0..=u8::MAX).filter(|unit_id| ids.include(*unit_id)) {
            strangers.entry(unit_id).or_insert(own);
        }
    }
    for (own, _) in devices {
        strangers.remove(&own);
    }
    strangers
}
