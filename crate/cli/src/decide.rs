//! `bellgate decide`: what a given person gets for a URL at a given time.

use std::io::{BufRead, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use bellgate_core::context::{Acknowledgement, Clock, Context, Exception, Place, PlaceProof};
use bellgate_core::decide::Action;
use bellgate_core::engine::{Decision, Engine, Question};
use bellgate_core::list::Pack;
use bellgate_core::lists::LockedSlot;
use bellgate_core::request::ResourceType;
use chrono::DateTime;
use clap::Args;
use serde::Deserialize;

use crate::lists::pack_file;

/// Decide one URL, or a batch of questions, as the extension would.
#[derive(Debug, Default, Args)]
pub struct Arguments {
    /// The policy, as JSON; without one the built-in lesson rules hold.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// A list pack, as `bellgate lists build` makes it.
    #[arg(long, value_name = "PACK")]
    lists: Option<PathBuf>,
    /// Another built-in pack than the one this command was built with.
    #[arg(long, value_name = "PACK")]
    built_in: Option<PathBuf>,
    /// The keyed pack of the locked layer's IWF slot.
    #[arg(long, value_name = "PACK", requires = "iwf_key")]
    iwf: Option<PathBuf>,
    /// Its secret key.
    #[arg(long, value_name = "FILE", requires = "iwf")]
    iwf_key: Option<PathBuf>,
    /// The keyed pack of the locked layer's CTIRU slot.
    #[arg(long, value_name = "PACK", requires = "ctiru_key")]
    ctiru: Option<PathBuf>,
    /// Its secret key.
    #[arg(long, value_name = "FILE", requires = "ctiru")]
    ctiru_key: Option<PathBuf>,
    #[command(flatten)]
    question: QuestionArgs,
    /// Read questions from standard input as JSON lines, and write a decision a line.
    #[arg(long, conflicts_with_all = ["url", "at"])]
    batch: bool,
    /// Print the decision as JSON.
    #[arg(long)]
    json: bool,
}

/// One question; as a JSON line its keys are these flags' names.
#[derive(Debug, Default, Args, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QuestionArgs {
    /// The cohort, such as `year-9`.
    #[arg(long, value_name = "ID")]
    cohort: Option<String>,
    /// The signed-in address.
    #[arg(long, value_name = "EMAIL")]
    user: Option<String>,
    /// The device's address on the network; without it the place is unknown.
    #[arg(long, value_name = "IP")]
    network: Option<IpAddr>,
    /// A group that the user belongs to; may be repeated.
    #[arg(long = "group", value_name = "ID")]
    groups: Vec<String>,
    /// The instant, such as `2026-11-23T11:00:00Z`.
    #[arg(long, value_name = "RFC3339")]
    at: Option<String>,
    /// The URL asked for.
    #[arg(long)]
    url: Option<String>,
    /// What the request is for, with Chrome's name for it.
    #[arg(long = "type", value_name = "TYPE")]
    #[serde(rename = "type")]
    kind: Option<String>,
    /// The page that started the request, or its origin.
    #[arg(long, value_name = "URL")]
    initiator: Option<String>,
    /// The version of the acceptable use policy that was accepted.
    #[arg(long, value_name = "VERSION")]
    accepted_version: Option<String>,
    /// An examination the device was put into.
    #[arg(long, value_name = "NAME")]
    exam: Option<String>,
    #[arg(skip)]
    place: Option<Place>,
    #[arg(skip)]
    clock: Option<Clock>,
    #[arg(skip)]
    acknowledgements: Vec<Acknowledgement>,
    #[arg(skip)]
    exceptions: Vec<Exception>,
}

/// Runs `bellgate decide`.
///
/// # Errors
/// When a file cannot be read, the policy is faulty or the question is incomplete.
pub fn run(args: Arguments) -> Result<ExitCode> {
    let mut engine = engine(&args)?;
    let mut out = std::io::stdout().lock();
    if args.batch {
        batch(&mut engine, &args.question, &mut out)?;
        return Ok(ExitCode::SUCCESS);
    }
    let decision = answer(&mut engine, args.question)?;
    if args.json {
        writeln!(out, "{}", serde_json::to_string(&decision)?)?;
    } else {
        write!(out, "{}", in_words(&decision))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn engine(args: &Arguments) -> Result<Engine> {
    let mut engine = Engine::new();
    if let Some(path) = &args.policy {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the policy `{}`", path.display()))?;
        if let Err(faults) = engine.set_policy(&text) {
            bail!("the policy `{}` is faulty:\n{faults}", path.display());
        }
    }
    engine.set_built_in_pack(match &args.built_in {
        Some(path) => open_pack(path)?,
        None => crate::built_in::pack()?,
    });
    if let Some(path) = &args.lists {
        engine.set_school_pack(Some(open_pack(path)?));
    }
    for (slot, pack, key) in [
        (LockedSlot::Iwf, &args.iwf, &args.iwf_key),
        (LockedSlot::Ctiru, &args.ctiru, &args.ctiru_key),
    ] {
        if let (Some(pack), Some(key)) = (pack, key) {
            let key = pack_file::secret_key(key)?;
            engine
                .lock(slot, pack_file::open(pack, Some(key))?)
                .with_context(|| format!("`{}` cannot be locked", pack.display()))?;
        }
    }
    Ok(engine)
}

fn open_pack(path: &PathBuf) -> Result<Pack> {
    let bytes = std::fs::read(path)
        .with_context(|| format!("cannot read the list pack `{}`", path.display()))?;
    Pack::open(bytes).with_context(|| format!("`{}` is not a usable list pack", path.display()))
}

/// Answers a JSON line for each JSON line; a faulty line gets an error and the rest go on.
fn batch(engine: &mut Engine, defaults: &QuestionArgs, out: &mut impl Write) -> Result<()> {
    for (index, line) in std::io::stdin().lock().lines().enumerate() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let answered = question(&line).and_then(|one| answer(engine, one.or(defaults)));
        match answered {
            Ok(decision) => serde_json::to_writer(&mut *out, &decision)?,
            Err(error) => serde_json::to_writer(&mut *out, &line_error(index + 1, &error))?,
        }
        writeln!(out)?;
    }
    Ok(())
}

/// Reads a question that is a JSON line.
fn question(line: &str) -> Result<QuestionArgs> {
    if !line.trim_start().starts_with('{') {
        bail!(
            "this is not a JSON object; write a question like `{{\"cohort\": \"year-9\", \"at\": \"2026-11-23T11:00:00Z\", \"url\": \"https://www.bbc.co.uk/\"}}`"
        );
    }
    serde_json::from_str(line).context("this is not a question")
}

/// What a line gets that cannot be answered.
pub fn line_error(line: usize, error: &anyhow::Error) -> serde_json::Value {
    serde_json::json!({"error": {
        "code": "bad_question",
        "message": format!("{error:#}"),
        "path": format!("line {line}"),
    }})
}

/// Answers questions that are JSON lines, as `--batch` does.
pub struct Simulator(Engine);

impl Simulator {
    /// One for a policy and, if there is one, the school's list pack.
    ///
    /// # Errors
    /// When a file cannot be read or the policy is faulty.
    pub fn new(policy: &Path, lists: Option<&Path>) -> Result<Self> {
        let args = Arguments {
            policy: Some(policy.to_owned()),
            lists: lists.map(Path::to_owned),
            batch: true,
            json: true,
            ..Arguments::default()
        };
        engine(&args).map(Self)
    }

    /// Answers one line.
    ///
    /// # Errors
    /// When the line is no question, or lacks its URL or time.
    pub fn answer(&mut self, line: &str) -> Result<Decision> {
        answer(&mut self.0, question(line)?)
    }
}

fn answer(engine: &mut Engine, question: QuestionArgs) -> Result<Decision> {
    let url = question
        .url
        .clone()
        .context("no URL; give one with `--url` (in a batch: `url`)")?;
    let at = question.at.clone().context(
        "no time; give one with `--at` (in a batch: `at`), such as `2026-11-23T11:00:00Z`",
    )?;
    let now_ms = DateTime::parse_from_rfc3339(&at)
        .with_context(|| {
            format!("`{at}` is not a time; write it as RFC 3339, such as `2026-11-23T11:00:00Z`")
        })?
        .timestamp_millis();
    let kind = match question.kind.as_deref() {
        Some(name) => ResourceType::from_name(name)?,
        None => ResourceType::MainFrame,
    };
    let initiator = question.initiator.clone();
    engine.set_context(question.into_context());
    let mut decision = engine.decide(Question {
        url: &url,
        kind,
        initiator: initiator.as_deref(),
        now_ms,
    });
    decision.at = at;
    Ok(decision)
}

impl QuestionArgs {
    fn into_context(self) -> Context {
        let stated = self.network.map(|address| Place::Address {
            address,
            proof: PlaceProof::Stated,
        });
        Context {
            cohort: self.cohort,
            user: self.user,
            groups: self.groups,
            place: self.place.or(stated).unwrap_or_default(),
            clock: self.clock.unwrap_or_default(),
            acknowledgements: self.acknowledgements,
            accepted_version: self.accepted_version,
            exceptions: self.exceptions,
            exam: self.exam,
        }
    }

    /// What the line leaves open comes from the command's own flags.
    fn or(mut self, defaults: &Self) -> Self {
        self.cohort = self.cohort.or_else(|| defaults.cohort.clone());
        self.user = self.user.or_else(|| defaults.user.clone());
        self.network = self.network.or(defaults.network);
        self.kind = self.kind.or_else(|| defaults.kind.clone());
        self.initiator = self.initiator.or_else(|| defaults.initiator.clone());
        self.exam = self.exam.or_else(|| defaults.exam.clone());
        self.accepted_version = self
            .accepted_version
            .or_else(|| defaults.accepted_version.clone());
        if self.groups.is_empty() {
            self.groups.clone_from(&defaults.groups);
        }
        self
    }
}

/// A decision for people.
fn in_words(decision: &Decision) -> String {
    let action = match decision.action {
        Action::Allow => "allowed",
        Action::Block => "blocked",
        Action::Notice => "allowed after a notice",
    };
    let mut text = format!("{action}: {}\n", decision.url);
    let mut line = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            text.push_str(&format!("  {name:<12} {value}\n"));
        }
    };
    line("reason", Some(decision.reason.code.as_str()));
    line("rule", decision.reason.rule.as_deref());
    line("category", decision.reason.category.as_deref());
    line("entry", decision.reason.entry.as_deref());
    if let Some(period) = &decision.period {
        line(
            "period",
            Some(&format!(
                "{} ({}), until {}",
                period.name, period.kind, period.ends_at
            )),
        );
    }
    line("next change", decision.next_change_at.as_deref());
    text
}
