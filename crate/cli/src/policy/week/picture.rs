//! The week as a picture (SVG): a column a day, a box for each stretch, to scale.

use std::fmt::Write as _;

use super::{Cell, DayColumn, heading, rows, wrap};

/// The fill of each mode; the word stands in every box, so that none relies on colour.
const FILLS: [(&str, &str); 6] = [
    ("open", "#e8f3e8"),
    ("filtered", "#dbe9f6"),
    ("notice", "#fdf0c4"),
    ("allowlist", "#fbd9b0"),
    ("exam", "#e3d4ef"),
    ("closed", "#f3c6c3"),
];
const DAY_WIDTH: usize = 200;
const LEFT: usize = 60;
const TOP: usize = 74;
/// The height of a line of text.
const LINE: usize = 14;
/// Characters that fit beside each other in a box.
const LINE_CHARACTERS: usize = 31;

/// Draws the week.
pub fn svg(title: &str, columns: &[DayColumn]) -> String {
    let scale = Scale::of(columns);
    let width = LEFT + columns.len() * DAY_WIDTH + 10;
    let height = scale.y(scale.last) + 40;
    let mut picture = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"12\" role=\"img\">\n\
         <title>{title}</title>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"10\" y=\"26\" font-size=\"16\" font-weight=\"bold\">{title}</text>\n",
        title = escaped(title),
    );
    times(&mut picture, columns, &scale);
    for (number, column) in columns.iter().enumerate() {
        let x = LEFT + number * DAY_WIDTH;
        let _ = writeln!(
            picture,
            "<text x=\"{}\" y=\"{}\" font-weight=\"bold\">{}</text>",
            x + 6,
            TOP - 10,
            escaped(heading(column).trim_end())
        );
        for cell in &column.cells {
            draw(&mut picture, x, cell, &scale);
        }
    }
    legend(&mut picture, scale.y(scale.last) + 12);
    picture.push_str("</svg>\n");
    picture
}

/// Which minutes are shown, and how high: empty nights are cut off.
struct Scale {
    first: usize,
    last: usize,
}

impl Scale {
    fn of(columns: &[DayColumn]) -> Self {
        let starts: Vec<usize> = columns
            .iter()
            .flat_map(|column| &column.cells)
            .filter(|cell| cell.start != "00:00")
            .map(|cell| minutes(&cell.start))
            .collect();
        let first = starts.iter().min().copied().unwrap_or(480);
        let last = starts.iter().max().copied().unwrap_or(960);
        Self {
            first: first.saturating_sub(30),
            last: (last + 60).min(1440),
        }
    }

    fn y(&self, minute: usize) -> usize {
        TOP + (minute.clamp(self.first, self.last) - self.first) * 3 / 2
    }
}

/// The times at which something begins, as far as they do not cover each other.
fn times(picture: &mut String, columns: &[DayColumn], scale: &Scale) {
    let mut free = TOP + 1;
    for row in rows(columns) {
        let y = scale.y(minutes(&row));
        if y >= free {
            let _ = writeln!(picture, "<text x=\"14\" y=\"{}\">{row}</text>", y + 4);
            free = y + LINE - 2;
        }
    }
}

fn draw(picture: &mut String, x: usize, cell: &Cell, scale: &Scale) {
    let (from, until) = (scale.y(minutes(&cell.start)), scale.y(minutes(&cell.end)));
    if until <= from {
        return;
    }
    let fill = FILLS.iter().find(|(mode, _)| *mode == cell.mode);
    let fill = fill.map_or("white", |(_, fill)| fill);
    let whole = format!("{}-{} {}: {}", cell.start, cell.end, cell.mode, cell.words);
    let _ = writeln!(
        picture,
        "<rect x=\"{x}\" y=\"{from}\" width=\"{}\" height=\"{}\" fill=\"{fill}\" \
         stroke=\"#555\"><title>{}</title></rect>",
        DAY_WIDTH - 4,
        until - from,
        escaped(&whole)
    );
    let label = format!("{} {} {}", cell.start, cell.mode, cell.words);
    let fitting = (until - from) / LINE;
    let lines = wrap(&label, LINE_CHARACTERS);
    for (number, line) in lines.iter().take(fitting).enumerate() {
        let cut = number + 1 == fitting && number + 1 < lines.len();
        let _ = writeln!(
            picture,
            "<text x=\"{}\" y=\"{}\">{}{}</text>",
            x + 6,
            from + 12 + number * LINE,
            escaped(line),
            if cut { "…" } else { "" }
        );
    }
}

fn legend(picture: &mut String, y: usize) {
    for (number, (mode, fill)) in FILLS.iter().enumerate() {
        let x = LEFT + number * 120;
        let _ = writeln!(
            picture,
            "<rect x=\"{x}\" y=\"{y}\" width=\"14\" height=\"14\" fill=\"{fill}\" \
             stroke=\"#555\"/><text x=\"{}\" y=\"{}\">{mode}</text>",
            x + 20,
            y + 12
        );
    }
}

/// The minute of the day of `hh:mm`.
fn minutes(time: &str) -> usize {
    let number = |part: Option<&str>| part.and_then(|part| part.parse().ok()).unwrap_or(0_usize);
    number(time.get(..2)) * 60 + number(time.get(3..))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
