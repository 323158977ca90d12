//! `bellgate policy week`: a week as a grid, in the terminal or as a picture.

mod picture;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use bellgate_core::policy::Policy;
use bellgate_core::standing::{Mode, OpeningKind, Standing};
use chrono::{Datelike, Days, NaiveDate, Weekday};
use clap::Args;

use super::person::{PersonArgs, Stretch, first_instant, mode_word, shown, stretches};

/// The width of the word for a mode in the grid, in characters.
const MODE: usize = 9;
/// The width of what holds, in characters; what is longer goes on in the next line.
const WORDS: usize = 14;
/// The width of a day's column.
const COLUMN: usize = MODE + 1 + WORDS;

/// What week of whom.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The policy, as JSON.
    file: PathBuf,
    #[command(flatten)]
    person: PersonArgs,
    /// Any date of the week, such as `2026-11-23`.
    #[arg(long, value_name = "DATE")]
    week: NaiveDate,
    /// Prints a picture (SVG) instead.
    #[arg(long)]
    svg: bool,
}

/// A day of the week and what holds on it.
struct DayColumn {
    date: NaiveDate,
    /// What is special about the day, if anything is.
    special: &'static str,
    cells: Vec<Cell>,
}

/// A stretch of a day.
struct Cell {
    start: String,
    end: String,
    mode: &'static str,
    words: String,
}

/// Prints the week.
pub fn run(args: &Arguments) -> anyhow::Result<ExitCode> {
    let policy = super::read_policy(&args.file)?;
    args.person.check(&policy)?;
    let monday = args.week.week(Weekday::Mon).first_day();
    let columns = columns(&policy, args, monday);
    let title = format!(
        "{}, week of {monday}{}",
        args.person.words(&policy),
        policy
            .week_name(monday + Days::new(2))
            .map_or(String::new(), |name| format!(" (week {name})")),
    );
    if args.svg {
        super::put(&picture::svg(&title, &columns))?;
    } else {
        super::put(&grid(&title, &columns))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn columns(policy: &Policy, args: &Arguments, monday: NaiveDate) -> Vec<DayColumn> {
    let context = args.person.context();
    (0..7)
        .map(|day| {
            let date = monday + Days::new(day);
            let from_ms = first_instant(policy, date);
            let until_ms = first_instant(policy, date + Days::new(1));
            let held = stretches(policy, &context, from_ms, until_ms);
            DayColumn {
                date,
                special: policy.day_words(date).unwrap_or_default(),
                cells: cells(policy, &held),
            }
        })
        .filter(|column| {
            let weekend = matches!(column.date.weekday(), Weekday::Sat | Weekday::Sun);
            !weekend || column.cells.len() > 1
        })
        .collect()
}

/// The stretches as cells; neighbours that read the same are one.
fn cells(policy: &Policy, held: &[Stretch]) -> Vec<Cell> {
    let mut cells: Vec<Cell> = Vec::new();
    for cell in held.iter().map(|held| cell(policy, held)) {
        match cells.last_mut() {
            Some(last) if last.mode == cell.mode && last.words == cell.words => last.end = cell.end,
            _ => cells.push(cell),
        }
    }
    cells
}

fn cell(policy: &Policy, held: &Stretch) -> Cell {
    let (_, start) = shown(policy, held.from_ms);
    let (_, end) = shown(policy, held.until_ms);
    Cell {
        start,
        end: if end == "00:00" {
            "24:00".to_owned()
        } else {
            end
        },
        mode: mode_word(&held.standing),
        words: words(&held.standing),
    }
}

/// What holds, in a few words: the period, or else the rule, and what is open besides.
fn words(standing: &Standing) -> String {
    let what = match (&standing.period, standing.mode) {
        (_, Mode::Exam) => standing.rule.clone(),
        (Some(period), _) => period.name.clone(),
        (None, _) => standing.rule.clone(),
    };
    let grants: Vec<&str> = standing
        .openings
        .iter()
        .filter(|opening| opening.kind == OpeningKind::Grant)
        .map(|opening| opening.rule.as_str())
        .collect();
    if grants.is_empty() {
        what
    } else {
        format!("{what} + {}", grants.join(", "))
    }
}

/// The starts of all stretches, in order, but for midnight.
fn rows(columns: &[DayColumn]) -> Vec<String> {
    let starts = columns.iter().flat_map(|column| &column.cells);
    let mut rows: Vec<String> = starts.map(|cell| cell.start.clone()).collect();
    rows.sort();
    rows.dedup();
    rows
}

fn grid(title: &str, columns: &[DayColumn]) -> String {
    let mut text = format!("{title}\n\n");
    line(&mut text, "", columns.iter().map(heading));
    for row in rows(columns) {
        let begun: Vec<Option<&Cell>> = columns
            .iter()
            .map(|column| column.cells.iter().find(|cell| cell.start == row))
            .collect();
        let wrapped: Vec<Vec<String>> = begun
            .iter()
            .map(|cell| cell.map_or_else(Vec::new, |cell| wrap(&cell.words, WORDS)))
            .collect();
        let lines = wrapped.iter().map(Vec::len).max().unwrap_or(1);
        for number in 0..lines {
            let parts = begun.iter().zip(&wrapped).map(|(cell, words)| {
                let words = words.get(number).map_or("", String::as_str);
                match cell {
                    Some(cell) if number == 0 => format!("{:<MODE$} {words}", cell.mode),
                    Some(_) => format!("{:<MODE$} {words}", ""),
                    None => "  |".to_owned(),
                }
            });
            line(&mut text, if number == 0 { &row } else { "" }, parts);
        }
    }
    text
}

/// The date, and what is special about it.
fn heading(column: &DayColumn) -> String {
    format!("{} {}", column.date.format("%a %d %b"), column.special)
}

/// A line of the grid: the time, and a part for each day.
fn line(text: &mut String, time: &str, parts: impl Iterator<Item = String>) {
    let mut line = format!("{time:<6}");
    for part in parts {
        let _ = write!(line, " {part:<COLUMN$}");
    }
    text.push_str(line.trim_end());
    text.push('\n');
}

/// Words in lines of at most so many characters; a word that is longer stays whole.
fn wrap(words: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in words.split_whitespace() {
        let last = lines.len() - 1;
        let line = &mut lines[last];
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}
