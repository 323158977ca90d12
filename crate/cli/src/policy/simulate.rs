//! `bellgate policy simulate`: a batch of who, when, where and URL, and how each is decided.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
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
    let mut simulator = Simulator::new(&args.file, args.lists.as_deref())?;
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut failed = false;
    for (number, line) in BufReader::new(input).lines().enumerate() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        match simulator.answer(&line) {
            Ok(decision) if args.json => println!("{}", serde_json::to_string(&decision)?),
            Ok(decision) => {
                let action = serde_json::to_value(decision.action)?;
                let action = action.as_str().unwrap_or_default().to_owned();
                let code = decision.reason.code.as_str();
                *counts.entry(format!("{action} {code}")).or_default() += 1;
                println!(
                    "{:<25} {action:<6} {code:<21} {:<44} {}",
                    decision.at,
                    decision.url,
                    decision.reason.rule.as_deref().unwrap_or("-")
                );
            }
            Err(error) => {
                failed = true;
                println!("{}", line_error(number + 1, &error));
            }
        }
    }
    for (what, count) in &counts {
        println!("{count:>6} {what}");
    }
    Ok(ExitCode::from(u8::from(failed)))
}
