//! `bellgate policy diff`: for whom and when two policies behave differently.

mod behaviour;
mod settings;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use bellgate_core::context::{Context, Place};
use bellgate_core::policy::Policy;
use bellgate_core::standing::Standing;
use chrono::{Datelike, Days, NaiveDate, Weekday};
use clap::Args;
use serde::{Serialize, Serializer};
use serde_json::Value;

use self::behaviour::{Behaviour, Difference};
pub use self::settings::bare;
use super::person::{first_instant, natural, shown, stretches};

/// Which two.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The policy in force.
    before: PathBuf,
    /// The policy to come.
    after: PathBuf,
    /// Prints one JSON object a line instead.
    #[arg(long)]
    json: bool,
}

/// Someone whose day is compared.
struct Subject {
    name: String,
    /// The subjects whose changes need not be told again for this one.
    like: Vec<String>,
    context: Context,
}

/// A difference on one date in one place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Moment {
    start: String,
    end: String,
    difference: Difference,
    place: String,
    date: NaiveDate,
}

/// A difference, with everybody, everywhere and every date it is for.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Change {
    who: Vec<String>,
    places: Vec<String>,
    start: String,
    end: String,
    #[serde(flatten)]
    difference: Difference,
    #[serde(serialize_with = "as_text")]
    dates: Vec<NaiveDate>,
}

fn as_text<S: Serializer>(dates: &[NaiveDate], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(dates.iter().map(NaiveDate::to_string))
}

/// Prints every change of behaviour; the exit code is 1 when there is a difference.
pub fn run(args: &Arguments) -> anyhow::Result<ExitCode> {
    let (before, after) = (
        super::read_policy(&args.before)?,
        super::read_policy(&args.after)?,
    );
    let raw = |file| -> anyhow::Result<Value> {
        Ok(serde_json::from_str(&super::read_text(file, "policy")?)?)
    };
    let raws = [raw(&args.before)?, raw(&args.after)?];
    let places = places(&before, &after);
    let changes = compare(&before, &after, &places, &settings::named(&raws));
    let settings = settings::differing(&raws);
    let mut text = String::new();
    if args.json {
        for change in &changes {
            text.push_str(&serde_json::to_string(change)?);
            text.push('\n');
        }
        if !settings.is_empty() {
            let settings = serde_json::json!({ "settings": settings });
            text.push_str(&format!("{settings}\n"));
        }
    } else {
        for change in &changes {
            text.push_str(&in_words(change, places.len()));
        }
        if changes.is_empty() {
            text.push_str("no hour changes for anybody\n");
        }
        if !settings.is_empty() {
            text.push_str(&format!(
                "these settings differ besides, or only in what hours do not show: {}\n",
                settings.join(", ")
            ));
        }
    }
    super::put(&text)?;
    let same = changes.is_empty() && settings.is_empty();
    Ok(ExitCode::from(u8::from(!same)))
}

/// One place of each sort, of both policies.
fn places(before: &Policy, after: &Policy) -> Vec<(String, Place)> {
    let mut places = before.example_places();
    for (name, place) in after.example_places() {
        if !places.iter().any(|(_, known)| *known == place) {
            places.push((name, place));
        }
    }
    places
}

fn compare(
    before: &Policy,
    after: &Policy,
    places: &[(String, Place)],
    named: &[String],
) -> Vec<Change> {
    let mut told: BTreeMap<String, BTreeSet<Moment>> = BTreeMap::new();
    let mut known = Known::new();
    for subject in subjects(before, after, named) {
        let mut moments = BTreeSet::new();
        for (name, place) in places {
            let context = Context {
                place: *place,
                ..subject.context.clone()
            };
            moments.extend(year(before, after, &context, name, &mut known));
        }
        for other in &subject.like {
            if let Some(theirs) = told.get(other) {
                moments.retain(|moment| !theirs.contains(moment));
            }
        }
        told.insert(subject.name, moments);
    }
    // The same difference on several dates, then in several places, then for several people.
    let mut by_date: BTreeMap<_, Vec<NaiveDate>> = BTreeMap::new();
    for (who, moments) in told {
        for Moment {
            start,
            end,
            difference,
            place,
            date,
        } in moments
        {
            by_date
                .entry((start, end, difference, who.clone(), place))
                .or_default()
                .push(date);
        }
    }
    let mut by_place: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for ((start, end, difference, who, place), dates) in by_date {
        by_place
            .entry((start, end, difference, dates, who))
            .or_default()
            .push(place);
    }
    let mut by_person: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for ((start, end, difference, dates, who), places) in by_place {
        by_person
            .entry((start, end, difference, dates, places))
            .or_default()
            .push(who);
    }
    let mut changes: Vec<Change> = by_person
        .into_iter()
        .map(|((start, end, difference, dates, places), mut who)| {
            who.sort_by_key(|name| natural(name));
            Change {
                who,
                places,
                start,
                end,
                difference,
                dates,
            }
        })
        .collect();
    changes.sort_by_key(|change| (natural(&change.who[0]), change.start.clone()));
    changes
}

/// Someone of each cohort, of each cohort and group, and everybody named.
fn subjects(before: &Policy, after: &Policy, named: &[String]) -> Vec<Subject> {
    let cohorts: BTreeSet<&str> = names(before.cohorts(), after.cohorts());
    let groups: BTreeSet<&str> = names(before.groups(), after.groups());
    let of_cohort = |cohort: &str| Context {
        cohort: Some(cohort.to_owned()),
        ..Context::default()
    };
    let mut subjects: Vec<Subject> = cohorts
        .iter()
        .map(|cohort| Subject {
            name: (*cohort).to_owned(),
            like: Vec::new(),
            context: of_cohort(cohort),
        })
        .collect();
    for cohort in &cohorts {
        subjects.extend(groups.iter().map(|group| Subject {
            name: format!("{cohort} in {group}"),
            like: vec![(*cohort).to_owned()],
            context: Context {
                groups: vec![(*group).to_owned()],
                ..of_cohort(cohort)
            },
        }));
    }
    subjects.extend(named.iter().map(|address| {
        let context = Context {
            user: Some(address.clone()),
            ..Context::default()
        };
        let begins_ms = first_instant(before, before.terms().0);
        let cohort = after.cohort(&context, begins_ms).map(str::to_owned);
        let of_groups = after.groups_of_address(address).into_iter();
        let of_groups: Vec<String> = of_groups
            .zip(cohort.iter().cycle())
            .map(|(group, cohort)| format!("{cohort} in {group}"))
            .collect();
        Subject {
            name: address.clone(),
            like: cohort.into_iter().chain(of_groups).collect(),
            context,
        }
    }));
    subjects
}

fn names<'a>(
    these: impl Iterator<Item = (&'a str, &'a str)>,
    those: impl Iterator<Item = (&'a str, &'a str)>,
) -> BTreeSet<&'a str> {
    these.chain(those).map(|(name, _)| name).collect()
}

/// Every difference for someone over the terms of both policies.
fn year(
    before: &Policy,
    after: &Policy,
    context: &Context,
    place: &str,
    known: &mut Known,
) -> Vec<Moment> {
    let (one, other) = (before.terms(), after.terms());
    let (first, last) = (one.0.min(other.0), one.1.max(other.1));
    let mut found = Vec::new();
    for date in first.iter_days().take_while(|date| *date <= last) {
        let days = [before, after].map(|policy| Day::of(policy, context, date));
        let key = days.each_ref().map(|day| day.key.clone());
        let differences = known.entry(key).or_insert_with(|| {
            let [old, new] = &days;
            old.against(before, new, after)
        });
        found.extend(differences.iter().map(|(start, end, difference)| Moment {
            start: start.clone(),
            end: end.clone(),
            difference: difference.clone(),
            place: place.to_owned(),
            date,
        }));
    }
    found
}

/// The differences between two days that were compared already: start, end, which.
type Known = HashMap<[String; 2], Vec<(String, String, Difference)>>;

/// What holds for someone on a date under one policy.
struct Day {
    /// What each stretch begins with: the time on the wall, and what holds.
    stretches: Vec<(String, Standing)>,
    /// Days of the same policy with the same key are the same but for the date.
    key: String,
}

impl Day {
    fn of(policy: &Policy, context: &Context, date: NaiveDate) -> Self {
        let from_ms = first_instant(policy, date);
        let until_ms = first_instant(policy, date + Days::new(1));
        let held = stretches(policy, context, from_ms, until_ms);
        let stretches: Vec<(String, Standing)> = held
            .into_iter()
            .map(|held| (shown(policy, held.from_ms).1, held.standing))
            .collect();
        let mut key = String::new();
        for (start, standing) in &stretches {
            let openings = standing.openings.iter().map(|opening| &opening.rule);
            let _ = write!(
                key,
                "{start} {:?} {} {:p} {:?} {:?} {:?};",
                standing.mode,
                standing.rule,
                standing.filter,
                standing.recording,
                openings.collect::<Vec<_>>(),
                standing.acceptance.is_some(),
            );
        }
        Self { stretches, key }
    }

    /// The stretches over which this day under `before` differs from `new` under `after`.
    fn against(
        &self,
        before: &Policy,
        new: &Self,
        after: &Policy,
    ) -> Vec<(String, String, Difference)> {
        let all = self.stretches.iter().chain(&new.stretches);
        let starts: BTreeSet<&str> = all.map(|(start, _)| start.as_str()).collect();
        let starts: Vec<&str> = starts.into_iter().collect();
        let mut found: Vec<(String, String, Difference)> = Vec::new();
        for (number, start) in starts.iter().enumerate() {
            let end = starts.get(number + 1).copied().unwrap_or("24:00");
            let (Some(old), Some(new)) = (self.at(start), new.at(start)) else {
                continue;
            };
            let (old, new) = (Behaviour::of(before, old), Behaviour::of(after, new));
            let Some(difference) = old.against(&new) else {
                continue;
            };
            match found.last_mut() {
                Some(last) if last.1 == *start && last.2 == difference => {
                    end.clone_into(&mut last.1);
                }
                _ => found.push(((*start).to_owned(), end.to_owned(), difference)),
            }
        }
        found
    }

    /// What holds when the clock shows this; times of equal length are ordered as text.
    fn at(&self, time: &str) -> Option<&Standing> {
        let begun = self.stretches.iter().rev();
        begun
            .into_iter()
            .find(|(start, _)| start.as_str() <= time)
            .map(|(_, standing)| standing)
    }
}

fn in_words(change: &Change, places: usize) -> String {
    let place = if change.places.len() == places {
        "anywhere".to_owned()
    } else {
        let named = change.places.iter().map(|place| match place.as_str() {
            "unknown" => "place unknown",
            "elsewhere" => "off every named network",
            named => named,
        });
        named.collect::<Vec<&str>>().join(" or ")
    };
    format!(
        "{}, {place}\n    {}, {}-{}: {}\n",
        change.who.join(", "),
        days(&change.dates),
        change.start,
        change.end,
        change.difference.words()
    )
}

/// Dates in words: days of the week and how many, or the one date.
fn days(dates: &[NaiveDate]) -> String {
    match dates {
        [] => "never".to_owned(),
        [only] => format!("{only} ({})", only.format("%a")),
        [first, .., last] => {
            let weekdays: BTreeSet<u32> = dates
                .iter()
                .map(|date| date.weekday().num_days_from_monday())
                .collect();
            let names: Vec<String> = weekdays
                .into_iter()
                .filter_map(|day| Weekday::try_from(day as u8).ok())
                .map(|day| day.to_string())
                .collect();
            format!(
                "{} days ({}) from {first} to {last}",
                dates.len(),
                names.join(" ")
            )
        }
    }
}
