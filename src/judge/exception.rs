//! `exception`: the exception that the device must answer with.

use passline_modbus::pdu::ExceptionCode;
use serde_json::Value as Json;

use super::judgement::{Judgement, Observed};
use crate::language::decode::Context;
use crate::language::diagnostic::{Diagnostic, quoted};
use crate::language::shape::{Field, Shape};
use crate::language::source::Span;
use crate::language::variables::Scalar;
use crate::language::yaml::Node;

/// Every name of an exception code (V1.1b3, chapter 7) and its code. The first name of a code is
/// the one that is shown.
pub const NAMES: [(&str, u8); 11] = [
    ("illegal_function", 0x01),
    ("illegal_data_address", 0x02),
    ("illegal_data_value", 0x03),
    ("server_device_failure", 0x04),
    ("acknowledge", 0x05),
    ("busy", 0x06),
    ("server_device_busy", 0x06),
    ("memory_parity_error", 0x08),
    ("gateway_path_unavailable", 0x0A),
    ("gateway_target_failed", 0x0B),
    ("gateway_target_device_failed_to_respond", 0x0B),
];

const WORDS: &[&str] = &words();

const fn words() -> [&'static str; NAMES.len()] {
    let mut words = [""; NAMES.len()];
    let mut index = 0;
    while index < NAMES.len() {
        words[index] = NAMES[index].0;
        index += 1;
    }
    words
}

/// What may stand where an exception code is named: a name, or a number within 1..=255.
pub const SHAPE: Shape =
    Shape::AnyOf(&[Shape::Choice(WORDS), Shape::Integer { min: 1, max: u8::MAX as i128 }]);

pub(super) const FIELD: Field = Field::optional(
    "exception",
    SHAPE,
    "The exception that the device must answer with: a name, or a code. A value or another \
     exception fails.",
);

/// Reads a name or a number of an exception. `None`: already reported.
pub fn read(context: &Context<'_>, node: Node<'_>) -> Option<ExceptionCode> {
    let scalar = context.scalar(node)?;
    let code = match &scalar.value {
        Scalar::Number(_) => {
            context.integer::<u8>(node, (1, u8::MAX.into())).map(|code| code.value)?
        }
        Scalar::Text(name) => {
            let known = NAMES.iter().find(|(known, _)| known == name);
            known.map(|(_, code)| *code).or_else(|| unknown(context, name, scalar.span))?
        }
        Scalar::Bool(_) | Scalar::NotFinite(_) => {
            context.unexpected(node, &SHAPE);
            return None;
        }
    };
    Some(ExceptionCode::new(code))
}

fn unknown(context: &Context<'_>, name: &str, span: Span) -> Option<u8> {
    let error = Diagnostic::error(span, format!("{} is no name of an exception", quoted(name)));
    let error = error.remedy(format!("write a code, or one of {}", WORDS.join(", ")));
    context.report(error.suggest(name, WORDS.iter().copied()));
    None
}

/// The exception with its name, if it has one, and its code.
pub fn named(code: ExceptionCode) -> String {
    let code = u8::from(code);
    match NAMES.iter().find(|(_, known)| *known == code) {
        Some((name, _)) => format!("exception {name} ({code:02X})"),
        None => format!("exception {code:02X}"),
    }
}

/// A value or another exception is out of limits; anything else is no answer.
pub(super) fn judge(wanted: ExceptionCode, observed: &Observed) -> Judgement {
    let wanted_text = || named(wanted);
    match observed {
        Observed::Exception(code) if u8::from(*code) == u8::from(wanted) => Judgement::PASS,
        Observed::Exception(code) => {
            Judgement::fail(format!("{} instead of {}", named(*code), wanted_text()))
        }
        Observed::Reading(_) | Observed::Acknowledged | Observed::Undecodable(_) => {
            Judgement::fail(format!("the device accepted the request instead of {}", wanted_text()))
        }
        Observed::NoAnswer { class, text } => {
            Judgement::Error { class: *class, message: text.clone() }
        }
    }
}

/// The code.
pub(super) fn to_json(code: ExceptionCode) -> Json {
    Json::from(u8::from(code))
}

pub(super) fn from_json(json: &Json) -> Option<ExceptionCode> {
    let code = u8::try_from(json.as_u64()?).ok()?;
    (code != 0).then(|| ExceptionCode::new(code))
}

#[cfg(test)]
mod tests {
    use passline_modbus::point::{Reading, Undecodable};

    use super::*;
    use crate::judge::testing::{demand_of_answer, limits, number, observed, plain, refusal};
    use crate::record::{ErrorClass, Verdict};

    #[test]
    fn only_the_wanted_exception_passes() {
        let limits = limits("exception: illegal_data_address", &plain("u16"));
        let judge = |observed| limits.judge(&observed, None);
        assert_eq!(judge(Observed::Exception(ExceptionCode::IllegalDataAddress)), Judgement::PASS);
        assert_eq!(judge(Observed::Exception(ExceptionCode::Custom(2))), Judgement::PASS);
        for answer in [
            Observed::Exception(ExceptionCode::IllegalFunction),
            Observed::Exception(ExceptionCode::ServerDeviceBusy),
            observed(number("2")),
            Observed::Reading(Reading::Invalid),
            Observed::Acknowledged,
            Observed::Undecodable(Undecodable::Utf8),
        ] {
            assert_eq!(judge(answer.clone()).verdict(), Verdict::Fail, "{answer:?}");
        }
        let class = ErrorClass::Timeout;
        let silence = judge(Observed::NoAnswer { class, text: "no answer".into() });
        assert_eq!(silence, Judgement::Error { class, message: "no answer".into() });
    }

    #[test]
    fn every_name_and_every_number_reads() {
        for (name, code) in NAMES {
            let named = limits(&format!("exception: {name}"), &plain("u16"));
            assert_eq!(named, limits(&format!("exception: {code}"), &plain("u16")), "{name}");
            assert_eq!(named.to_json(), serde_json::json!({ "exception": code }));
        }
        let write = demand_of_answer("exception: 0x80").unwrap();
        assert_eq!(write.describe(None), "exception 80");
    }

    #[test]
    fn other_names_and_numbers_are_refused() {
        let refusal = |yaml: &str| refusal(yaml, &plain("u16"));
        assert!(refusal("exception: ilegal_function").contains("did you mean `illegal_function`?"));
        assert!(refusal("exception: 0").contains("1..=255"));
        assert!(refusal("exception: 256").contains("1..=255"));
        assert!(refusal("exception: true").contains("illegal_function"));
        assert!(refusal("exception: busy, min: 3").contains("contradict"));
    }
}
