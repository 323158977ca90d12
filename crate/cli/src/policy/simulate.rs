//! `bellgate policy simulate`: a batch of who, when, where and URL, and how each is decided.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use bellgate_core::policy::Policy;
use clap::Args;

use crate::decide::{Simulator, line_error};

/// What to ask, and of which policy.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The policy, as JSON.
    file: PathBuf,
    /// Questions, a JSON object a line with the keys `cohort`, `user`, `network`, `at`,
    /// `url`, `type`, `initiator`; standard input when left out.
    #[arg(long, value_name = "FILE")]
    questions: Option<PathBuf>,
    /// A list pack, as `bellgate lists build` makes it.
    #[arg(long, value_name = "PACK")]
    lists: Option<PathBuf>,
    /// Prints decisions as JSON lines instead of a table.
    #[arg(long)]
    json: bool,
}

/// Answers every question; the exit code is 1 when one cannot be answered.
pub fn run(args: &Arguments) -> anyhow::Result<ExitCode> {
    let input: Box<dyn Read> = match &args.questions {
        Some(path) => Box::new(
            std::fs::File::open(path)
                .with_context(|| format!("cannot read the questions `{}`", path.display()))?,
        ),
        None => Box::new(std::io::stdin()),
    };
    let policy = super::read_policy(&args.file)?;
    let mut simulator = Simulator::new(&args.file, args.lists.as_deref())?;
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut failed = 0;
    for (number, line) in BufReader::new(input).lines().enumerate() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let answer = simulator
            .answer(&line)
            .map_err(|error| line_error(number + 1, &error));
        if let Some(remark) = stranger(&policy, &line) {
            super::say(&format!("line {}: {remark}", number + 1));
        }
        failed += usize::from(answer.is_err());
        let told = match answer {
            Ok(decision) if args.json => serde_json::to_string(&decision)?,
            Err(error) if args.json => error.to_string(),
            Ok(decision) => {
                let action = serde_json::to_value(decision.action)?;
                let action = action.as_str().unwrap_or_default().to_owned();
                let code = decision.reason.code.as_str();
                *counts.entry(format!("{action} {code}")).or_default() += 1;
                format!(
                    "{:<25} {action:<6} {code:<21} {:<44} {}",
                    decision.at,
                    decision.url,
                    decision.reason.rule.as_deref().unwrap_or("-")
                )
            }
            Err(error) => format!(
                "line {}: {}",
                number + 1,
                error["error"]["message"].as_str().unwrap_or_default()
            ),
        };
        super::put(&format!("{told}\n"))?;
    }
    for (what, count) in &counts {
        super::put(&format!("{count:>6} {what}\n"))?;
    }
    if failed > 0 && !args.json {
        super::put(&format!("{failed:>6} not answered\n"))?;
    }
    Ok(ExitCode::from(u8::from(failed > 0)))
}

/// What to say of a question about a cohort that the policy has not: it is answered as a
/// device would, which is more often a slip of the pen than what was meant.
fn stranger(policy: &Policy, line: &str) -> Option<String> {
    let question: serde_json::Value = serde_json::from_str(line).ok()?;
    let error = super::known_cohort(policy, question["cohort"].as_str()).err()?;
    Some(format!(
        "{error} a device whose pupil is in doubt holds lesson rules, and that is the answer here"
    ))
}
