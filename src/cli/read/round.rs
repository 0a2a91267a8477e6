//! All values that a command asks for, once: in as few requests as the protocol allows, one by one
//! where the device refuses them together. Prints nothing.

use passline_modbus::pdu::Response;
use passline_modbus::planner::{self, Read, Rules, TooLong, Wanted};
use passline_modbus::point::{Point, Raw, Reading, Span};

use crate::cli::exchange::{Exchange, Failure};
use crate::cli::terminal;

/// What to read of one unit, and in which requests.
pub(in crate::cli) struct Round {
    unit: u8,
    points: Vec<Point>,
    reads: Vec<Read>,
}

/// What became of one point.
pub(in crate::cli) type Sample = Result<Good, Bad>;

/// A value, as it is shown, and where it came from.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::cli) struct Good {
    pub(in crate::cli) text: String,
    pub(in crate::cli) raw: Raw<'static>,
}

/// Why there is no value.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::cli) struct Bad {
    pub(in crate::cli) text: String,
    pub(in crate::cli) remedy: Option<&'static str>,
}

impl From<Failure> for Bad {
    fn from(failure: Failure) -> Self {
        Self { text: failure.to_string(), remedy: failure.remedy() }
    }
}

impl Round {
    pub(in crate::cli) fn new(unit: u8, points: Vec<Point>) -> Result<Self, TooLong> {
        // A command line names tables only.
        let wanted = |point: &Point| Some(Wanted { span: point.span()?, alone: false });
        let wanted: Vec<Wanted> = points.iter().filter_map(wanted).collect();
        let reads = planner::plan(&wanted, &Rules::default())?;
        Ok(Self { unit, points, reads })
    }

    pub(in crate::cli) fn points(&self) -> &[Point] {
        &self.points
    }

    /// Reads every point, each exactly once. A device that does not answer is not asked for the
    /// rest.
    pub(in crate::cli) async fn read(&self, exchange: &Exchange) -> Vec<Sample> {
        let unasked = || Bad { text: "not asked: the device did not answer".into(), remedy: None };
        let mut samples: Vec<Sample> = self.points.iter().map(|_| Err(unasked())).collect();
        for read in &self.reads {
            let answer = self.one(exchange, read.span).await;
            let dead = matches!(answer, Err(Failure::Link(_)));
            let split = refused(&answer) && read.covers.len() > 1;
            for index in &read.covers {
                let place = self.points.get(*index).and_then(|point| Some((point, point.span()?)));
                let (Some((point, own)), Some(sample)) = (place, samples.get_mut(*index)) else {
                    continue;
                };
                *sample = if split {
                    let answer = self.one(exchange, own).await;
                    decode(point, own, &answer)
                } else {
                    decode(point, read.span, &answer)
                };
            }
            if dead {
                break;
            }
        }
        samples
    }

    async fn one(&self, exchange: &Exchange, span: Span) -> Result<Response, Failure> {
        exchange.ask(self.unit, planner::request(span)).await
    }
}

/// Whether the points of a read may be asked for one by one (V1.1b3, chapter 7: exceptions 2, 3).
fn refused(answer: &Result<Response, Failure>) -> bool {
    matches!(answer, Err(Failure::Exception(code)) if matches!(u8::from(*code), 2 | 3))
}

/// What a point is in the answer to a read of `span`, which covers it.
fn decode(point: &Point, span: Span, answer: &Result<Response, Failure>) -> Sample {
    let plain = |text: String| Bad { text, remedy: None };
    let response = answer.as_ref().map_err(|failure| Bad::from(failure.clone()))?;
    let raw = point.span().and_then(|own| part(own, span, response));
    let raw = raw.ok_or_else(|| plain("the answer holds no such value".to_owned()))?;
    match point.decode(&raw, None).map_err(|error| plain(error.to_string()))? {
        Reading::Value(value) => Ok(Good { text: terminal::printable(&value.to_string()), raw }),
        Reading::Invalid => Err(plain("the device says that it has no value".to_owned())),
    }
}

/// The part of an answer to a read of `whole` that is about `span`.
fn part(span: Span, whole: Span, response: &Response) -> Option<Raw<'static>> {
    let start = usize::from(span.address().checked_sub(whole.address())?);
    let end = start + usize::from(span.count());
    match response {
        Response::ReadCoils(bits) | Response::ReadDiscreteInputs(bits) => {
            bits.get(start).copied().map(Raw::Bit)
        }
        Response::ReadInputRegisters(words) | Response::ReadHoldingRegisters(words) => {
            Some(Raw::Registers(words.get(start..end)?.to_vec().into()))
        }
        _ => None,
    }
}
