//! The unit ids that a device answers for.

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
}
