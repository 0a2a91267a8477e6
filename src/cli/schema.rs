//! `passline schema`: the JSON Schema that editors check specs and the files around them with.

use super::arguments::{SchemaArguments, SchemaOf};
use super::exit::Exit;
use super::terminal;
use crate::language::schema;
use crate::spec::{PROFILE, SHARED_STEPS, SIMULATOR, SPEC, STATION};

/// Runs the command.
pub(super) fn schema(arguments: &SchemaArguments) -> Exit {
    let (id, root) = match arguments.of {
        SchemaOf::Spec => ("passline-spec", &SPEC),
        SchemaOf::Profile => ("passline-profile", &PROFILE),
        SchemaOf::Simulator => ("passline-simulator", &SIMULATOR),
        SchemaOf::Station => ("passline-station", &STATION),
        SchemaOf::SharedSteps => ("passline-shared-steps", &SHARED_STEPS),
    };
    terminal::line(&format!("{:#}", schema::schema(id, root)));
    Exit::Pass
}
