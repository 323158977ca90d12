//! `bellgate policy week`: a week as a grid, in the terminal or as a picture.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use bellgate_core::policy::Policy;
use bellgate_core::standing::{Mode, OpeningKind, Standing};
use chrono::{Datelike, Days, NaiveDate, Weekday};
use clap::Args;

use super::person::{PersonArgs, Stretch, first_instant, mode_word, shown, stretches};

/// The width of a day's column, in characters.
const COLUMN: usize = 22;

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
        print!("{}", svg(&title, &columns));
    } else {
        print!("{}", grid(&title, &columns));
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
                cells: held.iter().map(|held| cell(policy, held)).collect(),
            }
        })
        .filter(|column| {
            let weekend = matches!(column.date.weekday(), Weekday::Sat | Weekday::Sun);
            !weekend || column.cells.len() > 1
        })
        .collect()
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
    let mut text = format!("{title}\n\n      ");
    for column in columns {
        let _ = write!(
            text,
            " {:<COLUMN$}",
            column.date.format("%a %d %b").to_string()
        );
    }
    text.push('\n');
    for row in rows(columns) {
        let _ = write!(text, "{row} ");
        for column in columns {
            let begun = column.cells.iter().find(|cell| cell.start == row);
            let holds = begun.map_or("  |".to_owned(), |cell| {
                format!("{:<9} {}", cell.mode, cell.words)
            });
            let holds: String = holds.chars().take(COLUMN).collect();
            let _ = write!(text, " {holds:<COLUMN$}");
        }
        let trimmed = text.trim_end().len();
        text.truncate(trimmed);
        text.push('\n');
    }
    text
}

/// The fill of each mode, and the words beside it; none relies on colour alone.
const COLOURS: [(&str, &str); 6] = [
    ("open", "#e8f3e8"),
    ("filtered", "#dbe9f6"),
    ("notice", "#fdf0c4"),
    ("allowlist", "#fbd9b0"),
    ("exam", "#e3d4ef"),
    ("closed", "#f3c6c3"),
];

fn svg(title: &str, columns: &[DayColumn]) -> String {
    const DAY_WIDTH: usize = 190;
    const LEFT: usize = 60;
    const TOP: usize = 70;
    // School hours get a line's height for each half hour; empty nights are cut off.
    let busy = columns
        .iter()
        .flat_map(|column| &column.cells)
        .filter(|cell| cell.start != "00:00");
    let first = busy
        .clone()
        .map(|cell| minutes(&cell.start))
        .min()
        .unwrap_or(480);
    let last = busy.map(|cell| minutes(&cell.start)).max().unwrap_or(1020);
    let (first, last) = (first.saturating_sub(30), (last + 60).min(1440));
    let y = |minute: usize| TOP + minute.clamp(first, last).saturating_sub(first) * 6 / 5;
    let width = LEFT + columns.len() * DAY_WIDTH + 10;
    let height = y(last) + 40;
    let mut picture = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"12\" role=\"img\">\n\
         <title>{title}</title>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"10\" y=\"24\" font-size=\"16\" font-weight=\"bold\">{title}</text>\n",
        title = escaped(title),
    );
    for (number, column) in columns.iter().enumerate() {
        let x = LEFT + number * DAY_WIDTH;
        let _ = writeln!(
            picture,
            "<text x=\"{}\" y=\"{}\" font-weight=\"bold\">{}</text>",
            x + 6,
            TOP - 10,
            column.date.format("%a %d %b")
        );
        for cell in &column.cells {
            let (from, until) = (y(minutes(&cell.start)), y(minutes(&cell.end)));
            if until <= from {
                continue;
            }
            let fill = COLOURS.iter().find(|(mode, _)| *mode == cell.mode);
            let fill = fill.map_or("white", |(_, fill)| fill);
            let _ = writeln!(
                picture,
                "<rect x=\"{x}\" y=\"{from}\" width=\"{}\" height=\"{}\" fill=\"{fill}\" stroke=\"#555\"/>",
                DAY_WIDTH - 4,
                until - from
            );
            if until - from >= 14 {
                let label: String = format!("{} {}: {}", cell.start, cell.mode, cell.words)
                    .chars()
                    .take(30)
                    .collect();
                let _ = writeln!(
                    picture,
                    "<text x=\"{}\" y=\"{}\">{}</text>",
                    x + 6,
                    from + 12,
                    escaped(&label)
                );
            }
        }
    }
    for row in rows(columns) {
        let at = y(minutes(&row));
        if at > TOP {
            let _ = writeln!(
                picture,
                "<text x=\"10\" y=\"{}\" fill=\"#333\">{row}</text>",
                at + 5
            );
        }
    }
    picture.push_str("</svg>\n");
    picture
}

fn minutes(time: &str) -> usize {
    let number = |part: Option<&str>| part.and_then(|part| part.parse().ok()).unwrap_or(0_usize);
    number(time.get(..2)) * 60 + number(time.get(3..))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
