//! Questions to the operator. They leave the engine over a channel; who shows them, and where the
//! answers come from, it does not know.

use passline_modbus::value::Value;
use tokio::sync::{mpsc, oneshot};

use super::outside::{Done, Told};
use crate::engine::bounds::Bounds;
use crate::engine::{Running, Simulate};
use crate::plan::PlannedTest;
use crate::record::ErrorClass;
use crate::spec::model::{Ask, Prompt};

/// Where questions go.
pub type Questions = mpsc::UnboundedSender<Question>;

/// A question, and where its answer goes. Where the answer is not wanted any more, the reply is closed.
#[derive(Debug)]
pub struct Question {
    /// The place of the record in the run.
    pub record: usize,
    /// The spec that asks; where there are slots, with the slot.
    pub spec: String,
    /// The serial number of the unit that it is about.
    pub serial: Option<String>,
    /// The test that asks.
    pub test: String,
    /// The name of the step.
    pub name: String,
    /// What is asked.
    pub text: String,
    /// What is asked for.
    pub ask: Ask,
    /// The answer that the spec gives, because everything is simulated.
    pub simulated: Option<String>,
    /// Why the answer before this was none.
    pub refused: Option<String>,
    /// Where the answer goes.
    pub reply: oneshot::Sender<Result<String, NoAnswer>>,
}

/// Why there is no answer, in words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoAnswer(pub String);

/// How often an answer may be none.
const MOST: u32 = 5;

const NOBODY: &str = "nobody can be asked: there is no operator, and the step has no `simulated`";

impl Running<'_> {
    /// Asks until there is an answer that is one, within bounds.
    pub(super) async fn prompt(
        &self,
        test: &PlannedTest<'_>,
        prompt: &Prompt,
        bounds: Bounds,
    ) -> Done {
        let is_simulated = self.options.simulate == Simulate::All;
        let simulated = prompt.simulated.as_ref().filter(|_| is_simulated);
        let Some(questions) = &self.options.questions else {
            let answer = simulated.map(|answer| prompt.ask.understand(answer));
            return match answer {
                Some(Ok(value)) => answered(prompt, value),
                Some(Err(why)) => Done::nothing(ErrorClass::Decode, why),
                None => Done::nothing(ErrorClass::Io, NOBODY),
            };
        };
        let mut refused = None;
        for _ in 0..MOST {
            let (reply, answer) = oneshot::channel();
            let question = Question {
                record: self.record,
                spec: self.plan.spec.label(),
                serial: self.plan.spec.uut.serial.given.clone(),
                test: test.test.name.clone(),
                name: prompt.check.name.clone(),
                text: prompt.text.clone(),
                ask: prompt.ask.clone(),
                simulated: simulated.cloned(),
                refused: refused.take(),
                reply,
            };
            if questions.send(question).is_err() {
                return Done::nothing(ErrorClass::Io, "nobody answers any more");
            }
            let mut given = None;
            self.unless_over(bounds, async { given = Some(answer.await) }).await;
            match given {
                None if self.stop.ends(bounds.phase) => return Done::new(Told::Stopped),
                None => return Done::nothing(ErrorClass::Timeout, "nobody answered in time"),
                Some(Err(_)) => return Done::nothing(ErrorClass::Io, "nobody answers any more"),
                Some(Ok(Err(NoAnswer(why)))) => return Done::nothing(ErrorClass::Io, why),
                Some(Ok(Ok(text))) => match prompt.ask.understand(&text) {
                    Ok(value) => return answered(prompt, value),
                    Err(why) => refused = Some(why),
                },
            }
        }
        let why = refused.unwrap_or_default();
        Done::nothing(ErrorClass::Decode, format!("no answer that fits in {MOST} tries: {why}"))
    }
}

fn answered(prompt: &Prompt, value: Value) -> Done {
    match (&prompt.ask, value) {
        (Ask::Confirm | Ask::PassFail, Value::Bool(false)) => {
            let said = format!("the operator says no: {}", prompt.text);
            Done::new(Told::Refused(said, Some(Value::Bool(false))))
        }
        (_, value) => Done::value(value),
    }
}
