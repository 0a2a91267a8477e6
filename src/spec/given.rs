//! What a load is given beside its files: values for variables, and which unit is under test. Knows
//! nothing of where they come from.

use std::collections::BTreeMap;

/// What a load is given beside its files.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// Values for variables of the specs.
    pub variables: BTreeMap<String, String>,
    /// The unit under test.
    pub unit: Unit,
}

/// What is known of a unit under test before it is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unit {
    /// Its serial number.
    pub serial: Option<String>,
    /// The lot it was made in, whatever the spec says.
    pub batch: Option<String>,
    /// The serial numbers of its sub-units, by their names.
    pub sub_units: BTreeMap<String, String>,
}

impl Given {
    /// Nothing.
    pub fn new() -> Self {
        Self::default()
    }
}

impl<const N: usize> From<[(String, String); N]> for Given {
    /// Values for variables, and nothing else.
    fn from(variables: [(String, String); N]) -> Self {
        Self { variables: variables.into(), ..Self::default() }
    }
}
