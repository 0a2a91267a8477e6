//! Steps that reach outside: programs, and questions to the operator.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

#[cfg(unix)]
mod pty;

const BENCH: &str = "
spec: acts
vars: { text: a b }
devices:
  meter:
    points: { voltage: { input: 0, scale: 0.1, unit: V } }
    simulate: { values: { voltage: 230 } }
tests:
  - test: t
    steps:
";

/// A folder with a spec of these steps.
fn folder(steps: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let steps: Vec<String> = steps.lines().map(|line| format!("      {line}")).collect();
    let steps = steps.join("\n") + "\n";
    std::fs::write(folder.path().join("spec.yaml"), format!("{BENCH}{steps}")).unwrap();
    folder
}

/// The arguments of a run of the spec in this folder.
fn arguments(folder: &Path, more: &[&str]) -> Vec<String> {
    let at = |name: &str| folder.join(name).display().to_string();
    let run = ["run", &at("spec.yaml"), "--simulate", "--seed=1", "--json", &at("run.json")];
    let out = ["--out".to_owned(), at("reports")];
    let run = run.into_iter().map(str::to_owned).chain(out);
    run.chain(more.iter().map(ToString::to_string)).collect()
}

fn command(folder: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_passline"));
    command.args(arguments(folder, more)).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The checks in the record of the run in this folder.
fn record(folder: &Path) -> Vec<Value> {
    let run = std::fs::read(folder.join("run.json")).unwrap();
    let run: Value = serde_json::from_slice(&run).unwrap();
    run["records"][0]["tests"][0]["checks"].as_array().unwrap().clone()
}

/// The checks of a run of these steps.
fn checks(steps: &str) -> Vec<Value> {
    let folder = folder(steps);
    let output = command(folder.path(), &[]).output().unwrap();
    assert!(folder.path().join("run.json").exists(), "{}", shown(&output));
    record(folder.path())
}

fn shown(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Verdict, and what is said of it.
fn said(check: &Value) -> String {
    let text = |key: &str| check[key].as_str().unwrap_or_default().to_owned();
    format!("{} {}", text("verdict"), text("message")).trim().to_owned()
}

#[cfg(unix)]
mod run {
    use super::*;

    #[test]
    fn a_program_is_judged_by_its_exit_status() {
        let found = checks(
            "\
- run: [sh, -c, exit 0]
- run: [sh, -c, 'echo no board >&2; exit 3']
- { run: [sh, -c, exit 3], exit: [0, 3] }
- run: [sh, -c, 'kill -9 $$']",
        );
        let found: Vec<String> = found.iter().map(said).collect();
        // What went wrong ends what is done to the bench, but a failure of its own is a refusal, too.
        assert_eq!(found[0], "pass");
        assert_eq!(found[1], "fail exit status 3, not 0: no board");
        assert!(found[2].starts_with("skipped"), "{found:?}");
        let found = checks("- { run: [sh, -c, exit 3], exit: [0, 3] }");
        assert_eq!(said(&found[0]), "pass");
        assert_eq!(found[0]["measurement"]["value"], 3);
        assert_eq!(found[0]["limit"], serde_json::json!({ "one_of": [0, 3] }));
        let found = checks("- run: [sh, -c, 'kill -9 $$']");
        assert!(said(&found[0]).starts_with("error a signal ended it"), "{found:?}");
    }

    #[test]
    fn what_it_writes_is_captured_judged_and_saved() {
        let found = checks(
            "\
- { run: [printf, 'id X7\\nvolts=5.125 V'], capture: 'volts=([0-9.]+)', min: 5, max: 5.2, unit: V, save: volts }
- { run: [printf, X7], capture: '[A-Z][0-9]', type: text, equals: X7 }
- { compute: volts + meter.voltage, equals: 235.125 }
- { run: [printf, '5.3'], capture: '.+', max: = volts }",
        );
        let verdicts: Vec<String> = found.iter().map(said).collect();
        assert_eq!(&verdicts[..3], ["pass", "pass", "pass"], "{found:#?}");
        assert!(verdicts[3].starts_with("fail 5.3 is above max 5.125"), "{verdicts:?}");
        assert_eq!(found[0]["measurement"]["unit"], "V");
        assert_eq!(found[0]["kind"], "run");
        assert_eq!(found[0]["attempts"][0]["output"]["stdout"], "id X7\nvolts=5.125 V");
        for (steps, error) in [
            (
                "printf, nothing], capture: 'volts=(.+)'",
                "error nothing that it wrote matches /volts=(.+)/",
            ),
            ("printf, volts=x], capture: 'volts=(.+)'", "error `x` is no number such as 12.5"),
        ] {
            let found = checks(&format!("- {{ run: [{steps}, max: 5 }}"));
            assert_eq!(said(&found[0]), error);
        }
    }

    #[test]
    fn no_shell_reads_its_arguments_and_a_path_is_relative_to_the_spec() {
        use std::os::unix::fs::PermissionsExt;

        let folder = folder(
            "\
- { run: [printf, '%s', '$HOME; $(text)'], capture: '.+', type: text, equals: '$HOME; a b' }
- { run: [./tool.sh], capture: '.+', type: text, equals: here }
- run: [no_such_program_of_ours]",
        );
        let tool = folder.path().join("tool.sh");
        std::fs::write(&tool, "#!/bin/sh\ntest -f spec.yaml && echo here\n").unwrap();
        std::fs::set_permissions(&tool, std::fs::Permissions::from_mode(0o755)).unwrap();
        command(folder.path(), &[]).output().unwrap();
        let found: Vec<String> = record(folder.path()).iter().map(said).collect();
        assert_eq!(&found[..2], ["pass", "pass"]);
        assert!(
            found[2].starts_with("error `no_such_program_of_ours` cannot be run: "),
            "{found:?}"
        );
    }

    /// Runs until its end a program that ignores SIGTERM, with a child that does so, too.
    const STUBBORN: &str = "- { run: [sh, -c, \"trap '' TERM; sleep 1000 & echo $! > child; echo up; \
                            while :; do sleep 1; done\"], timeout: 300ms }";

    /// Whether the child of the stubborn program is gone.
    fn child_is_gone(folder: &Path) -> bool {
        let child = std::fs::read_to_string(folder.join("child")).unwrap();
        let state = std::fs::read_to_string(format!("/proc/{}/stat", child.trim()));
        // Where nobody collects the dead, they stay as such.
        state.is_ok_and(|state| state.contains(") Z")) || {
            let alive = Command::new("kill").args(["-0", child.trim()]).output();
            !alive.unwrap().status.success()
        }
    }

    fn wait_until(what: impl Fn() -> bool) {
        let begun = Instant::now();
        while !what() {
            assert!(begun.elapsed() < Duration::from_mins(1));
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_program_that_never_ends_is_ended_with_all_of_its_group() {
        let folder = folder(STUBBORN);
        command(folder.path(), &[]).output().unwrap();
        let found = record(folder.path());
        assert!(said(&found[0]).contains("it ignores SIGTERM"), "{found:#?}");
        assert_eq!(found[0]["attempts"][0]["error"]["class"], "timeout");
        assert_eq!(found[0]["attempts"][0]["output"]["stdout"], "up\n");
        wait_until(|| child_is_gone(folder.path()));
    }

    #[test]
    fn a_stop_ends_a_program_and_teardown_runs() {
        let steps = STUBBORN.replace("timeout: 300ms", "timeout: 1h");
        for signals in [1, 2] {
            let folder = folder(&format!("{steps}\nTEARDOWN"));
            let spec = folder.path().join("spec.yaml");
            let text = std::fs::read_to_string(&spec).unwrap();
            let teardown = "\nteardown:\n  - run: [sh, -c, 'echo done > teardown']\n";
            std::fs::write(&spec, text.replace("      TEARDOWN", teardown)).unwrap();
            let mut child = command(folder.path(), &[]).spawn().unwrap();
            let started = folder.path().join("child");
            wait_until(|| std::fs::read_to_string(&started).is_ok_and(|pid| pid.ends_with('\n')));
            for _ in 0..signals {
                let id = child.id().to_string();
                assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
                if signals == 2 {
                    std::thread::sleep(Duration::from_millis(100));
                }
            }
            assert_eq!(child.wait().unwrap().code(), Some(130));
            assert!(said(&record(folder.path())[0]).starts_with("skipped"));
            assert_eq!(folder.path().join("teardown").exists(), signals == 1);
            wait_until(|| child_is_gone(folder.path()));
        }
    }

    #[test]
    fn what_writes_without_end_is_kept_within_bounds() {
        let found = checks(
            "- { run: [sh, -c, 'yes word | head -c 5000000; echo last'], capture: '^word', type: text, equals: word }",
        );
        assert_eq!(said(&found[0]), "pass");
        let kept = found[0]["attempts"][0]["output"]["stdout"].as_str().unwrap();
        assert!(kept.len() < 70_000, "{}", kept.len());
        assert!(kept.ends_with("bytes more, which are not kept"), "{}", &kept[kept.len() - 80..]);
    }

    #[test]
    fn it_is_run_again_only_where_its_retry_says_so() {
        let steps = "\
- run: [sh, -c, 'echo x >> tries; test $$(wc -l < tries) -ge 3']
  RETRY";
        let found = checks(&steps.replace("  RETRY", ""));
        assert!(said(&found[0]).starts_with("fail exit status 1"));
        let found =
            checks(&steps.replace("RETRY", "retry: { attempts: 3, delay: 1ms, errors: [limit] }"));
        assert_eq!(said(&found[0]), "pass");
        assert_eq!(found[0]["flaky"], true);
        assert_eq!(found[0]["attempts"].as_array().unwrap().len(), 3);
    }

    #[test]
    fn where_everything_is_simulated_it_can_be_spared() {
        let found =
            checks("- { run: [no_such_program], capture: 'v=(.+)', max: 3, simulated: v=2.5 }");
        assert_eq!(said(&found[0]), "pass");
    }
}

mod prompt {
    use super::*;

    const STEPS: &str = "\
- prompt: Connect the supply
- { prompt: Is the lamp green?, name: lamp, ask: pass_fail }
- { prompt: Scan the board, name: board, ask: text, pattern: 'B[0-9]{4}', record: true, save: board }
- { prompt: What does it draw?, name: current, ask: number, unit: A, max: 2.5 }
- { read: meter.voltage, max: = 300, if: board == 'B1234' }";

    /// A run with this file of answers.
    fn answered(steps: &str, answers: &str) -> (tempfile::TempDir, Output) {
        let folder = folder(steps);
        let file = folder.path().join("answers.yaml");
        std::fs::write(&file, answers).unwrap();
        let file = file.display().to_string();
        let output = command(folder.path(), &["--answers", &file]).output().unwrap();
        (folder, output)
    }

    fn verdicts(folder: &Path) -> Vec<String> {
        record(folder).iter().map(said).collect()
    }

    #[cfg(unix)]
    #[test]
    fn the_operator_is_asked_at_the_terminal_until_there_is_an_answer() {
        use crate::pty::Terminal;

        let folder = folder(STEPS);
        let arguments = arguments(folder.path(), &[]);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut terminal = Terminal::to_type_at(&arguments);
        terminal.wait_for("Connect the supply");
        terminal.wait_for("(press Enter when done, or type no) > ");
        terminal.types("\n");
        terminal.wait_for("Is the lamp green?");
        terminal.wait_for("(yes or no) > ");
        terminal.types("perhaps\n");
        terminal.wait_for("no answer: answer yes or no");
        terminal.types("yes\n");
        terminal.wait_for("/B[0-9]{4}/) > ");
        terminal.types("B12\u{1b}[2J\n");
        terminal.wait_for("no answer: `B12\\u{1b}[2J` does not match /B[0-9]{4}/");
        terminal.types("B1234\n");
        terminal.wait_for("(a number) > ");
        terminal.types("2.4\n");
        assert_eq!(terminal.ended(), Some(0), "{}", terminal.shown);
        let found = record(folder.path());
        let verdicts: Vec<String> = found.iter().map(said).collect();
        assert_eq!(verdicts, ["recorded", "pass", "recorded", "pass", "pass"]);
        assert_eq!(found[3]["measurement"]["value"], serde_json::json!(2.4));
        assert_eq!(found[2]["measurement"]["value"], "B1234");
        assert_eq!(found[1]["decode"]["prompt"], "Is the lamp green?");
    }

    #[cfg(unix)]
    #[test]
    fn a_terminal_that_closes_and_nonsense_without_end_are_errors_and_no_hang() {
        use crate::pty::Terminal;

        let folder = folder("- { prompt: Is it green?, ask: pass_fail }");
        let arguments = arguments(folder.path(), &[]);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut terminal = Terminal::to_type_at(&arguments);
        terminal.wait_for("(yes or no) > ");
        terminal.types("\u{4}");
        assert_eq!(terminal.ended(), Some(3), "{}", terminal.shown);
        assert!(verdicts(folder.path())[0].contains("the terminal was closed"));
        let mut terminal = Terminal::to_type_at(&arguments);
        for time in 1..=5 {
            terminal.wait_for("(yes or no) > ");
            terminal.shown.clear();
            terminal.types(&format!("nonsense {time}\n"));
        }
        assert_eq!(terminal.ended(), Some(3), "{}", terminal.shown);
        assert!(verdicts(folder.path())[0].contains("no answer that fits in 5 tries"));
    }

    #[cfg(unix)]
    #[test]
    fn a_question_ends_with_its_time_or_with_the_run() {
        use crate::pty::Terminal;

        for (timeout, code, says) in [
            (", timeout: 50ms", Some(3), "error nobody answered in time"),
            ("", Some(130), "skipped"),
        ] {
            let folder = folder(&format!("- {{ prompt: Is it green?, ask: pass_fail{timeout} }}"));
            let arguments = arguments(folder.path(), &[]);
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let mut terminal = Terminal::to_type_at(&arguments);
            terminal.wait_for("(yes or no) > ");
            let ended = if timeout.is_empty() { terminal.end("-INT") } else { terminal.ended() };
            assert_eq!(ended, code, "{}", terminal.shown);
            assert!(verdicts(folder.path())[0].starts_with(says), "{}", verdicts(folder.path())[0]);
        }
    }

    #[test]
    fn a_file_answers_where_nobody_is_there() {
        let good = "Connect the supply: ok\nlamp: yes\nt/board: B1234\ncurrent: 2.4\n";
        let (folder, output) = answered(STEPS, good);
        assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
        assert_eq!(verdicts(folder.path()), ["recorded", "pass", "recorded", "pass", "pass"]);

        let (folder, _) = answered(STEPS, &good.replace("lamp: yes", "lamp: no"));
        let found = verdicts(folder.path());
        assert_eq!(found[1], "fail the operator says no: Is the lamp green?");
        assert!(found[2].starts_with("skipped") && found[3].starts_with("skipped"), "{found:?}");

        let (folder, output) = answered(STEPS, &good.replace("B1234", "B12345"));
        assert_eq!(output.status.code(), Some(3));
        let found = verdicts(folder.path());
        assert!(found[2].contains("`B12345` does not match"), "{found:?}");

        let (folder, _) = answered(STEPS, &good.replace("lamp: yes\n", ""));
        assert_eq!(verdicts(folder.path())[1], "error no answer was given for `lamp`");

        let (_, output) = answered(STEPS, &good.replace("lamp", "lump"));
        assert_eq!(output.status.code(), Some(2));
        assert!(
            shown(&output).contains("no prompt of this run is named `lump`"),
            "{}",
            shown(&output)
        );
        assert!(shown(&output).contains("did you mean `lamp`"), "{}", shown(&output));
    }

    #[test]
    fn a_list_answers_one_time_after_the_other() {
        let steps = "\
- { prompt: Now?, name: now, ask: number, max: 5, retry: { attempts: 3, delay: 1ms, errors: [limit] } }";
        let (folder, _) = answered(steps, "now: [7, 6, 5]\n");
        assert_eq!(verdicts(folder.path()), ["pass"]);
        let (folder, _) = answered(steps, "now: [7, 6]\n");
        let found = verdicts(folder.path());
        assert!(found[0].contains("2 answers were given, and one more is asked for"), "{found:?}");
    }

    #[test]
    fn where_nobody_can_answer_nothing_runs_unless_the_spec_has_an_answer() {
        let folder = folder(STEPS);
        let output = command(folder.path(), &[]).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(shown(&output).contains("there is no terminal to answer at"), "{}", shown(&output));
        assert!(!folder.path().join("reports").exists());
        let found = checks("- { prompt: Is it green?, ask: pass_fail, simulated: yes }");
        assert_eq!(said(&found[0]), "pass");
    }
}
