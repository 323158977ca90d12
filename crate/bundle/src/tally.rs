//! Adds up what the stages of a test run counted.

use std::path::Path;

use anyhow::{Context, Result, bail};

/// What ran a stage, and so how its log tells its counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Runner {
    /// `cargo test`: a `test result:` line for each binary.
    Cargo,
    /// Node's runner with `--test-reporter=tap`: `# pass 3` and the like.
    Node,
    /// Python's `unittest`: its last lines, `Ran 3 tests` and `OK` or `FAILED (failures=1)`.
    Unittest,
    /// Any other command: one check, passed when it exited with 0.
    Check,
}

/// How many tests passed, failed and were skipped.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Counts {
    passed: u64,
    failed: u64,
    skipped: u64,
}

/// Counts one stage from its log and exit status.
///
/// A runner that exits with 0 but ran nothing has failed: tests that vanished
/// must not pass. One that counts no failure but exits with another status has
/// failed as well.
pub fn count(runner: Runner, log: &str, status: i32) -> Counts {
    let mut counts = match runner {
        Runner::Cargo => log
            .lines()
            .filter_map(|line| line.trim().strip_prefix("test result: "))
            .fold(Counts::default(), |sum, line| {
                sum + labelled(line, "passed", "failed", "ignored")
            }),
        Runner::Node => Counts {
            passed: tap(log, "pass"),
            failed: tap(log, "fail") + tap(log, "cancelled"),
            skipped: tap(log, "skipped") + tap(log, "todo"),
        },
        Runner::Unittest => {
            let failed = named(log, "failures") + named(log, "errors");
            let skipped = named(log, "skipped");
            let ran = log.lines().rev().find(|line| line.starts_with("Ran "));
            let ran = ran.map_or(0, |line| number(line.split(' ').nth(1)));
            Counts {
                passed: ran.saturating_sub(failed + skipped),
                failed,
                skipped,
            }
        }
        Runner::Check => Counts {
            passed: u64::from(status == 0),
            ..Counts::default()
        },
    };
    if counts.failed == 0 && (status != 0 || counts.passed == 0) {
        counts.failed = 1;
    }
    counts
}

impl std::ops::Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            skipped: self.skipped + other.skipped,
        }
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        match self.skipped {
            0 => Ok(()),
            skipped => write!(f, ", {skipped} skipped"),
        }
    }
}

/// Prints the sum of a run, last line alone; fails if anything failed.
///
/// `results` holds a line `NAME RUNNER STATUS` for each stage, whose log is
/// `NAME.log` beside it. `RUNNER` may also be `skip`: a stage left out for a
/// reason that was shown.
pub fn tally(results: &Path) -> Result<()> {
    let text = std::fs::read_to_string(results)
        .with_context(|| format!("cannot read `{}`", results.display()))?;
    let mut sum = Counts::default();
    for line in text.lines() {
        sum = sum + stage(line, results)?;
    }
    println!("{sum}");
    if sum.failed > 0 || sum.passed == 0 {
        bail!(
            "not everything passed; the logs are beside `{}`",
            results.display()
        );
    }
    Ok(())
}

fn stage(line: &str, results: &Path) -> Result<Counts> {
    let fields: Vec<_> = line.split(' ').collect();
    let [name, runner, status] = fields[..] else {
        bail!("`{line}` is not `NAME RUNNER STATUS`");
    };
    if runner == "skip" {
        return Ok(Counts {
            skipped: 1,
            ..Counts::default()
        });
    }
    let runner = <Runner as clap::ValueEnum>::from_str(runner, false)
        .map_err(|_| anyhow::anyhow!("unknown runner `{runner}`"))?;
    let log = std::fs::read(results.with_file_name(format!("{name}.log")))?;
    Ok(count(
        runner,
        &String::from_utf8_lossy(&log),
        status.parse()?,
    ))
}

fn labelled(line: &str, passed: &str, failed: &str, skipped: &str) -> Counts {
    Counts {
        passed: before(line, passed),
        failed: before(line, failed),
        skipped: before(line, skipped),
    }
}

/// The number before a word that starts with `label`; 0 if there is none.
fn before(line: &str, label: &str) -> u64 {
    let words: Vec<_> = line.split_whitespace().collect();
    words
        .windows(2)
        .find(|pair| pair[1].starts_with(label))
        .and_then(|pair| pair[0].parse().ok())
        .unwrap_or(0)
}

/// The number after `name=` in the last line of a `unittest` log that ends a run.
fn named(log: &str, name: &str) -> u64 {
    let last = log
        .lines()
        .rev()
        .find(|line| line.starts_with("OK") || line.starts_with("FAILED"))
        .unwrap_or_default();
    number(
        last.split(['(', ',', ')'])
            .find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('=')),
    )
}

fn number(text: Option<&str>) -> u64 {
    text.and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// The number in the closing lines of TAP, `# label 3`; the last such line counts.
fn tap(log: &str, label: &str) -> u64 {
    let start = format!("# {label} ");
    log.lines()
        .rev()
        .find_map(|line| line.strip_prefix(&start)?.trim().parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(passed: u64, failed: u64, skipped: u64) -> Counts {
        Counts {
            passed,
            failed,
            skipped,
        }
    }

    #[test]
    fn cargo_binaries_are_added_up() {
        let log = "test result: ok. 21 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out\n\
                   test result: FAILED. 2 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out";
        assert_eq!(count(Runner::Cargo, log, 101), counts(23, 3, 1));
    }

    #[test]
    fn node_counts_are_read_from_its_last_lines() {
        let log =
            "# pass 99\nok 1\n# tests 6\n# pass 4\n# fail 1\n# cancelled 1\n# skipped 2\n# todo 0";
        assert_eq!(count(Runner::Node, log, 1), counts(4, 2, 2));
    }

    #[test]
    fn unittest_counts_are_read_from_its_last_lines() {
        let log = "FAIL: a\nRan 12 tests in 0.1s\n\nFAILED (failures=1, errors=2, skipped=3)\n";
        assert_eq!(count(Runner::Unittest, log, 1), counts(6, 3, 3));
        let log = "Ran 12 tests in 0.1s\n\nOK (skipped=1)\n";
        assert_eq!(count(Runner::Unittest, log, 0), counts(11, 0, 1));
    }

    #[test]
    fn runner_that_ran_nothing_has_failed() {
        for runner in [Runner::Cargo, Runner::Node, Runner::Unittest] {
            assert_eq!(count(runner, "", 0), counts(0, 1, 0), "{runner:?}");
        }
        let log = "test result: ok. 0 passed; 0 failed; 0 ignored";
        assert_eq!(count(Runner::Cargo, log, 0), counts(0, 1, 0));
    }

    #[test]
    fn crash_without_a_counted_failure_has_failed() {
        let log = "test result: ok. 3 passed; 0 failed; 0 ignored";
        assert_eq!(count(Runner::Cargo, log, 101), counts(3, 1, 0));
        assert_eq!(count(Runner::Check, "", 1), counts(0, 1, 0));
        assert_eq!(count(Runner::Check, "", 0), counts(1, 0, 0));
    }

    #[test]
    fn run_with_a_failed_stage_fails() {
        let folder = tempfile::tempdir().unwrap();
        let results = folder.path().join("results");
        std::fs::write(folder.path().join("fmt.log"), "").unwrap();
        std::fs::write(&results, "fmt check 0\nadvisories skip 0\n").unwrap();
        tally(&results).unwrap();
        std::fs::write(&results, "fmt check 1\n").unwrap();
        assert!(tally(&results).is_err());
        std::fs::write(&results, "").unwrap();
        assert!(tally(&results).is_err());
        assert_eq!(counts(3, 0, 1).to_string(), "3 passed, 0 failed, 1 skipped");
    }
}
