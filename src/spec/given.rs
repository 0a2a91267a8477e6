//! What a load is given beside its files: values for variables, and which units are under test
//! where. Knows nothing of where they come from.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// What a load is given beside its files.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// Values for variables of the specs.
    pub variables: BTreeMap<String, String>,
    /// The unit under test, where no slots are named.
    pub unit: Unit,
    /// The file of the station.
    pub station: Option<PathBuf>,
    /// Slots of the station and the unit in each.
    pub slots: Vec<(String, Unit)>,
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
