//! `answers: true|false`: whether the device answers at all, whatever it says.

use super::exception;
use super::judgement::{Judgement, Observed};
use crate::language::shape::{Field, Shape};
use crate::record::ErrorClass;

pub(super) const FIELD: Field = Field::optional(
    "answers",
    Shape::Bool,
    "`true`: any answer passes, an exception too. `false`: silence passes, and any answer fails.",
);

/// With `false` only silence passes: a line that broke, or another's answer, shows nothing.
pub(super) fn judge(wanted: bool, observed: &Observed) -> Judgement {
    let answer = match observed {
        Observed::NoAnswer { class: ErrorClass::Timeout, .. } if !wanted => return Judgement::PASS,
        Observed::NoAnswer { class, text } => {
            return Judgement::Error { class: *class, message: text.clone() };
        }
        _ if wanted => return Judgement::PASS,
        Observed::Exception(code) => exception::named(*code),
        Observed::Reading(_) | Observed::Undecodable(_) => "a value".to_owned(),
        Observed::Acknowledged => "an acknowledgement".to_owned(),
    };
    Judgement::fail(format!("the device answered with {answer} instead of silence"))
}

#[cfg(test)]
mod tests {
    use passline_modbus::pdu::ExceptionCode;
    use passline_modbus::point::{Reading, Undecodable};

    use super::*;
    use crate::judge::testing::{demand_of_answer, limits, number, observed, plain, refusal};
    use crate::record::Verdict;

    fn answers() -> Vec<Observed> {
        vec![
            observed(number("2")),
            Observed::Reading(Reading::Invalid),
            Observed::Acknowledged,
            Observed::Exception(ExceptionCode::IllegalFunction),
            Observed::Undecodable(Undecodable::Utf8),
        ]
    }

    fn no_answer(class: ErrorClass) -> Observed {
        Observed::NoAnswer { class, text: "why".into() }
    }

    #[test]
    fn any_answer_passes_or_fails_and_silence_is_the_opposite() {
        let wanted = limits("answers: true", &plain("u16"));
        let unwanted = limits("answers: false", &plain("u16"));
        for answer in answers() {
            assert_eq!(wanted.judge(&answer, None), Judgement::PASS, "{answer:?}");
            assert_eq!(unwanted.judge(&answer, None).verdict(), Verdict::Fail, "{answer:?}");
        }
        let silence = no_answer(ErrorClass::Timeout);
        assert_eq!(wanted.judge(&silence, None).error_class(), Some(ErrorClass::Timeout));
        assert_eq!(unwanted.judge(&silence, None), Judgement::PASS);
    }

    #[test]
    fn a_broken_line_shows_neither() {
        for class in ErrorClass::NAMED.into_iter().filter(|class| *class != ErrorClass::Timeout) {
            for wanted in [true, false] {
                let limits = limits(&format!("answers: {wanted}"), &plain("u16"));
                assert_eq!(limits.judge(&no_answer(class), None).error_class(), Some(class));
            }
        }
    }

    #[test]
    fn nothing_stands_beside_it() {
        assert!(refusal("answers: true, max: 4", &plain("u16")).contains("contradict"));
        assert!(
            demand_of_answer("answers: true, exception: 2").unwrap_err().contains("contradict")
        );
        assert!(demand_of_answer("answers: maybe").is_err());
    }
}
