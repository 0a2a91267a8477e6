//! What the arguments say beside the files: variables, the station, and which unit is in which slot.

use super::arguments::SpecArguments;
use crate::language::diagnostic::Diagnostic;
use crate::spec::{Given, Unit};

/// What the arguments say beside the files.
pub(super) fn given(arguments: &SpecArguments, problems: &mut Vec<Diagnostic>) -> Given {
    let mut given = Given::new();
    let variables = pairs(&arguments.variables, ("--var", "--var lowest=5"), problems);
    given.variables.extend(variables);
    let units = &arguments.units;
    given.station.clone_from(&units.station);
    given.unit.serial.clone_from(&units.serial);
    given.unit.batch.clone_from(&units.batch);
    given.slots = units.slots.iter().map(|text| slot(text, &given.unit)).collect();
    if let ([(name, unit)], Some(serial)) = (&mut given.slots[..], &units.serial) {
        if unit.serial.get_or_insert_with(|| serial.clone()) != serial {
            let message = format!("--serial {serial}: slot {name} has another serial number");
            problems.push(Diagnostic::error(None, message).remedy("give one of the two"));
        }
    } else if let (Some((name, _)), Some(serial)) = (given.slots.first(), &units.serial) {
        let message = format!("--serial {serial}: which of the slots has it?");
        let remedy = format!("write it behind the slot: --slot {name}={serial}");
        problems.push(Diagnostic::error(None, message).remedy(remedy));
    }
    let example = ("--sub-unit", "--sub-unit supply=4711");
    for (name, serial) in pairs(&units.sub_units, example, problems) {
        match unit_of(&mut given, &name) {
            None => {
                let message = format!("--sub-unit {name}: in which slot?");
                let remedy = format!("write the slot before it: --sub-unit SLOT.{name}={serial}");
                problems.push(Diagnostic::error(None, message).remedy(remedy));
            }
            Some((unit, own)) => {
                if unit.sub_units.insert(own, serial).is_some() {
                    let message = format!("--sub-unit {name} is given twice");
                    let remedy = "give each sub-unit one serial number";
                    problems.push(Diagnostic::error(None, message).remedy(remedy));
                }
            }
        }
    }
    given
}

/// A slot, and the unit in it: `A`, or with its serial number `A=4711`.
fn slot(text: &str, unit: &Unit) -> (String, Unit) {
    let (name, serial) = match text.split_once('=') {
        Some((name, serial)) => (name, Some(serial.to_owned())),
        None => (text, None),
    };
    (name.to_owned(), Unit { serial, ..unit.clone() })
}

/// The unit that has a sub-unit, and what it is called there: `supply`, or with slots `A.supply`.
fn unit_of<'g>(given: &'g mut Given, name: &str) -> Option<(&'g mut Unit, String)> {
    if given.slots.is_empty() {
        return Some((&mut given.unit, name.to_owned()));
    }
    let only = given.slots.len() == 1;
    let (slot, own) = name.split_once('.').unwrap_or(("", name));
    let mut slots = given.slots.iter_mut();
    let (_, unit) = slots.find(|(known, _)| known == slot || only && slot.is_empty())?;
    Some((unit, own.to_owned()))
}

/// The names and values of an option that is given once for each.
fn pairs(
    texts: &[String],
    (option, example): (&str, &str),
    problems: &mut Vec<Diagnostic>,
) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for text in texts {
        if let Some((name, value)) = text.split_once('=') {
            pairs.push((name.to_owned(), value.to_owned()));
        } else {
            let error = Diagnostic::error(None, format!("{option} {text}: write NAME=VALUE"));
            problems.push(error.remedy(format!("as in `{example}`")));
        }
    }
    pairs
}
