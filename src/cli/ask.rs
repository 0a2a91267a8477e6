//! Who answers what steps ask: a file of answers, else the operator at the terminal, one question at
//! a time. What was typed before a question was shown answers nothing.

use std::collections::HashMap;
use std::io::{self, IsTerminal};
use std::path::Path;

use indicatif::{ProgressBar, ProgressDrawTarget};
use tokio::sync::mpsc;

use super::terminal::{self, printable};
use crate::engine::{NoAnswer, Question, Simulate};
use crate::language::decode::Context;
use crate::language::diagnostic::{Diagnostic, Diagnostics, quoted};
use crate::language::source::Sources;
use crate::language::variables::Variables;
use crate::language::yaml;
use crate::plan::{Act, Plan, Work};
use crate::spec::model::{Ask, Prompt};

/// Where the answers of a run come from.
pub(super) enum Answers {
    /// From a file, by the name of the prompt or `test/name`.
    File(HashMap<String, Given>),
    /// From who sits at the terminal.
    Terminal,
    /// From nobody: none is needed, or only those that stand in the spec.
    Spec,
}

/// What a file answers to one prompt.
pub(super) enum Given {
    /// The same each time.
    Always(String),
    /// One after the other, in each record.
    InTurn(Vec<String>),
}

/// The prompts of these plans, each with its test.
fn prompts<'p>(plans: &'p [Plan<'p>]) -> impl Iterator<Item = (&'p str, &'p Prompt)> {
    let tests = plans.iter().flat_map(|plan| &plan.tests).filter(|test| !test.left_out);
    tests.flat_map(|test| {
        test.stages().filter_map(|stage| match stage.work {
            Work::Act(Act::Prompt(prompt), _) => Some((test.test.name.as_str(), prompt)),
            _ => None,
        })
    })
}

impl Answers {
    /// Where the answers to these plans come from.
    ///
    /// # Errors
    /// There are none, or the file is wrong: what there is to say, in words.
    pub(super) fn of(
        file: Option<&Path>,
        plans: &[Plan<'_>],
        simulate: &Simulate,
    ) -> Result<Self, String> {
        if let Some(file) = file {
            return answers(file, plans).map(Self::File);
        }
        let simulated = |prompt: &Prompt| *simulate == Simulate::All && prompt.simulated.is_some();
        let Some((test, prompt)) = prompts(plans).find(|(_, prompt)| !simulated(prompt)) else {
            return Ok(Self::Spec);
        };
        if io::stdin().is_terminal() && io::stderr().is_terminal() {
            return Ok(Self::Terminal);
        }
        let name = &prompt.check.name;
        Err(format!(
            "test {} asks {}, and there is no terminal to answer at\n  help: run it at a terminal, give \
             the answers with --answers FILE, or, for --simulate, give the prompt a `simulated:` answer",
            quoted(test),
            quoted(name)
        ))
    }
}

/// The answers of a file.
fn answers(file: &Path, plans: &[Plan<'_>]) -> Result<HashMap<String, Given>, String> {
    let (mut sources, diagnostics) = (Sources::new(), Diagnostics::new());
    let mut answers = HashMap::new();
    match sources.read(file) {
        Err(error) => diagnostics.push(error.diagnostic(None)),
        Ok(id) => {
            let source = sources.get(id).cloned();
            let tree = source.and_then(|source| yaml::parse(&source, &diagnostics));
            let variables = Variables::default();
            let context = Context::new(&diagnostics, &variables);
            let entries = tree.as_ref().map(|tree| context.map(tree.root())).unwrap_or_default();
            for entry in entries {
                let known = prompts(plans);
                let known: Vec<String> = known
                    .flat_map(|(test, prompt)| {
                        [prompt.check.name.clone(), format!("{test}/{}", prompt.check.name)]
                    })
                    .collect();
                if !known.contains(&entry.key.value) {
                    let message =
                        format!("no prompt of this run is named {}", quoted(&entry.key.value));
                    let error = Diagnostic::error(entry.key.span, message);
                    let error = error.remedy("name a prompt, or `test/prompt`; or remove the line");
                    context
                        .report(error.suggest(&entry.key.value, known.iter().map(String::as_str)));
                    continue;
                }
                let text = |node| context.variable(node).map(|answer| answer.value.text);
                let given = match entry.value.items() {
                    Some(items) => items.map(text).collect::<Option<_>>().map(Given::InTurn),
                    None => text(entry.value).map(Given::Always),
                };
                answers.extend(given.map(|given| (entry.key.value, given)));
            }
        }
    }
    if diagnostics.has_errors() {
        terminal::problems(&diagnostics, &sources);
        return Err(format!("{}: these answers cannot be used", file.display()));
    }
    Ok(answers)
}

/// Answers questions until there are no more.
pub(super) async fn answer(
    answers: Answers,
    mut questions: mpsc::UnboundedReceiver<Question>,
    bar: Option<ProgressBar>,
) {
    let mut used: HashMap<(usize, String), usize> = HashMap::new();
    let mut operator = None;
    while let Some(mut question) = questions.recv().await {
        let known = match &answers {
            Answers::File(given) => given_for(given, &mut used, &question),
            Answers::Terminal | Answers::Spec => None,
        };
        let known = known.or_else(|| question.simulated.clone().map(Ok));
        let answer = match (known, &question.refused) {
            (Some(_), Some(why)) => Err(NoAnswer(format!("the answer given is none: {why}"))),
            (Some(known), None) => known,
            (None, _) if matches!(answers, Answers::Terminal) => {
                let operator = operator.get_or_insert_with(Operator::new);
                match operator.ask(&mut question, bar.as_ref()).await {
                    Some(answer) => answer,
                    None => continue,
                }
            }
            (None, _) => {
                Err(NoAnswer(format!("no answer was given for {}", quoted(&question.name))))
            }
        };
        // Who does not listen any more needs no answer.
        let _ = question.reply.send(answer);
    }
}

/// What the file answers, if anything.
fn given_for(
    given: &HashMap<String, Given>,
    used: &mut HashMap<(usize, String), usize>,
    question: &Question,
) -> Option<Result<String, NoAnswer>> {
    let full = format!("{}/{}", question.test, question.name);
    let key = if given.contains_key(&full) { full } else { question.name.clone() };
    match given.get(&key)? {
        Given::Always(answer) => Some(Ok(answer.clone())),
        Given::InTurn(answers) => {
            let used = used.entry((question.record, key)).or_default();
            // An answer that is none was used already; it is told so.
            if question.refused.is_none() {
                *used += 1;
            }
            let answer = answers.get(used.saturating_sub(1)).cloned();
            Some(answer.ok_or_else(|| {
                NoAnswer(format!("{} answers were given, and one more is asked for", answers.len()))
            }))
        }
    }
}

/// Who sits at the terminal.
struct Operator {
    lines: mpsc::UnboundedReceiver<String>,
}

impl Operator {
    /// Listens to the terminal from now on. Nothing can end a read of one, so a thread makes it.
    fn new() -> Self {
        forget_typed();
        let (sender, lines) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            while let Ok(1..) = io::stdin().read_line(&mut line) {
                if sender.send(std::mem::take(&mut line)).is_err() {
                    return;
                }
            }
        });
        Self { lines }
    }

    /// Asks, and waits for a line. `None`: nobody wants the answer any more.
    async fn ask(
        &mut self,
        question: &mut Question,
        bar: Option<&ProgressBar>,
    ) -> Option<Result<String, NoAnswer>> {
        while self.lines.try_recv().is_ok() {}
        if let Some(bar) = bar {
            // The bar would be drawn over what is being typed.
            bar.set_draw_target(ProgressDrawTarget::hidden());
            let _ = console::Term::stderr().clear_line();
        }
        shown(question);
        let answer = tokio::select! {
            line = self.lines.recv() => {
                let ended = || NoAnswer("the terminal was closed before there was an answer".to_owned());
                Some(line.ok_or_else(ended))
            }
            () = question.reply.closed() => {
                terminal::aside("(not asked any more)");
                None
            }
        };
        if let Some(bar) = bar {
            bar.set_draw_target(ProgressDrawTarget::stderr());
            bar.tick();
        }
        answer
    }
}

/// Shows a question.
fn shown(question: &Question) {
    if let Some(why) = &question.refused {
        terminal::aside(&format!("no answer: {}", printable(why)));
    }
    let unit = question.serial.as_ref().map(|serial| format!(" [{serial}]")).unwrap_or_default();
    let whose = format!("{}{unit}: {}", question.spec, question.test);
    terminal::aside(&format!("{}\n{}", printable(&whose), printable(&question.text)));
    let how = match &question.ask {
        Ask::Confirm => "press Enter when done, or type no".to_owned(),
        Ask::PassFail => "yes or no".to_owned(),
        Ask::Number => "a number".to_owned(),
        Ask::Text { pattern: Some((pattern, _)) } => format!("a text, /{}/", printable(pattern)),
        Ask::Text { pattern: None } => "a text".to_owned(),
    };
    terminal::question(&format!("  ({how}) > "));
}

/// Forgets what was typed before anything was asked.
fn forget_typed() {
    #[cfg(unix)]
    {
        let _ = rustix::termios::tcflush(io::stdin(), rustix::termios::QueueSelector::IFlush);
    }
}
