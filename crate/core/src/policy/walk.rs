//! Walking through a policy's JSON: every value with its place, every fault noted.

use chrono::{Datelike, NaiveDate, Weekday};

use super::fault::{FaultCode, Findings, suggestion};
use super::node::Node;

/// Minutes of a day.
pub(super) const DAY_MINUTES: u16 = 24 * 60;

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(super) struct At<'a> {
    pub node: &'a Node,
    pub path: String,
}

impl<'a> At<'a> {
    pub fn new(node: &'a Node, path: impl Into<String>) -> Self {
        Self {
            node,
            path: path.into(),
        }
    }

    /// The text, if it is some; a fault otherwise.
    pub fn text(&self, findings: &mut Findings) -> Option<&'a str> {
        match self.node {
            Node::Text(text) if text.trim().is_empty() => {
                findings.fault(
                    &self.path,
                    FaultCode::InvalidValue,
                    "this is empty; write something or leave the key out",
                );
                None
            }
            Node::Text(text) => Some(text.trim()),
            _ => self.wrong_type("text in quotation marks", findings),
        }
    }

    pub fn flag(&self, findings: &mut Findings) -> Option<bool> {
        match self.node {
            Node::Flag(flag) => Some(*flag),
            _ => self.wrong_type("true or false, without quotation marks", findings),
        }
    }

    /// A whole number within bounds, both included.
    pub fn whole(&self, least: u32, most: u32, findings: &mut Findings) -> Option<u32> {
        match self.node {
            Node::Number(number)
                if number.fract() == 0.0
                    && *number >= f64::from(least)
                    && *number <= f64::from(most) =>
            {
                Some(*number as u32)
            }
            Node::Number(number) => {
                findings.fault(
                    &self.path,
                    FaultCode::InvalidValue,
                    format!(
                        "`{number}` is out of range; write a whole number from {least} to {most}"
                    ),
                );
                None
            }
            _ => self.wrong_type("a number, without quotation marks", findings),
        }
    }

    /// Every item of a list, with its place.
    pub fn list(&self, findings: &mut Findings) -> Option<Vec<At<'a>>> {
        match self.node {
            Node::List(items) => Some(
                items
                    .iter()
                    .enumerate()
                    .map(|(number, item)| At::new(item, format!("{}/{number}", self.path)))
                    .collect(),
            ),
            _ => self.wrong_type("a list in square brackets", findings),
        }
    }

    /// A list with something in it.
    pub fn some_list(&self, findings: &mut Findings) -> Option<Vec<At<'a>>> {
        let items = self.list(findings)?;
        if items.is_empty() {
            findings.fault(
                &self.path,
                FaultCode::InvalidValue,
                "the list is empty; name at least one, or leave the key out",
            );
            return None;
        }
        Some(items)
    }

    /// An object of which the keys are fixed.
    pub fn object(
        &self,
        keys: &'static [&'static str],
        findings: &mut Findings,
    ) -> Option<Fields<'a>> {
        let fields = self.named(findings)?;
        for field in &fields {
            if !keys.contains(&field.0) {
                findings.fault(
                    &field.1.path,
                    FaultCode::UnknownKey,
                    format!(
                        "unknown key `{}`; {}",
                        field.0,
                        suggestion(field.0, keys.iter().copied())
                    ),
                );
            }
        }
        Some(Fields {
            path: self.path.clone(),
            fields,
        })
    }

    /// An object of which the keys are names that the school chose; `$comment` left out.
    pub fn named(&self, findings: &mut Findings) -> Option<Vec<(&'a str, At<'a>)>> {
        let Node::Object(object) = self.node else {
            return self.wrong_type("an object in curly brackets", findings);
        };
        let mut fields: Vec<(&str, At)> = Vec::with_capacity(object.len());
        for (name, node) in object {
            let at = At::new(node, format!("{}/{}", self.path, escaped(name)));
            if fields.iter().any(|(earlier, _)| earlier == name) {
                findings.fault(
                    &at.path,
                    FaultCode::DuplicateKey,
                    format!("the key `{name}` stands twice in one object; keep one of the two"),
                );
                continue;
            }
            if name != "$comment" {
                fields.push((name, at));
            }
        }
        Some(fields)
    }

    /// One of a few words.
    pub fn choice<T: Copy>(
        &self,
        choices: &[(&'static str, T)],
        findings: &mut Findings,
    ) -> Option<T> {
        let text = self.text(findings)?;
        let found = choices.iter().find(|(word, _)| *word == text);
        if found.is_none() {
            let words = choices.iter().map(|(word, _)| *word);
            findings.fault(
                &self.path,
                FaultCode::InvalidValue,
                format!("`{text}` is not possible here; {}", suggestion(text, words)),
            );
        }
        found.map(|(_, value)| *value)
    }

    /// A date such as `2026-09-03`.
    pub fn date(&self, findings: &mut Findings) -> Option<NaiveDate> {
        let text = self.text(findings)?;
        let date = parse_date(text);
        if date.is_none() {
            findings.fault(
                &self.path,
                FaultCode::InvalidValue,
                format!("`{text}` is not a date; write year, month and day like `2026-09-03`"),
            );
        }
        date
    }

    /// A time of day in minutes, `24:00` included.
    pub fn time(&self, findings: &mut Findings) -> Option<u16> {
        let text = self.text(findings)?;
        let minute = parse_time(text);
        if minute.is_none() {
            findings.fault(
                &self.path,
                FaultCode::InvalidValue,
                format!("`{text}` is not a time of day; write hours and minutes like `08:40`"),
            );
        }
        minute
    }

    /// A set of days of the week, Monday the lowest bit.
    pub fn weekdays(&self, findings: &mut Findings) -> Option<u8> {
        const DAYS: [(&str, Weekday); 7] = [
            ("mon", Weekday::Mon),
            ("tue", Weekday::Tue),
            ("wed", Weekday::Wed),
            ("thu", Weekday::Thu),
            ("fri", Weekday::Fri),
            ("sat", Weekday::Sat),
            ("sun", Weekday::Sun),
        ];
        let mut set = 0;
        for item in self.some_list(findings)? {
            if let Some(day) = item.choice(&DAYS, findings) {
                set |= 1 << day.num_days_from_monday();
            }
        }
        Some(set)
    }

    fn wrong_type<T>(&self, wanted: &str, findings: &mut Findings) -> Option<T> {
        findings.fault(
            &self.path,
            FaultCode::WrongType,
            format!("this is {}; write {wanted}", self.node.kind()),
        );
        None
    }
}

/// The fields of an object of which the keys are fixed.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    pub path: String,
    fields: Vec<(&'a str, At<'a>)>,
}

impl<'a> Fields<'a> {
    pub fn get(&self, key: &str) -> Option<At<'a>> {
        let (_, at) = self.fields.iter().find(|(name, _)| *name == key)?;
        Some(at.clone())
    }

    /// A field that must be there; `example` is a value that would do.
    pub fn need(&self, key: &str, example: &str, findings: &mut Findings) -> Option<At<'a>> {
        let found = self.get(key);
        if found.is_none() {
            findings.fault(
                &self.path,
                FaultCode::MissingKey,
                format!("`{key}` is missing; add it, like `\"{key}\": {example}`"),
            );
        }
        found
    }

    pub fn has(&self, key: &str) -> bool {
        self.fields.iter().any(|(name, _)| *name == key)
    }
}

/// A key as it stands in a JSON pointer (RFC 6901).
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// A date between the years 2000 and 2199.
pub(super) fn parse_date(text: &str) -> Option<NaiveDate> {
    let (year, rest) = text.split_once('-')?;
    let (month, day) = rest.split_once('-')?;
    let date =
        NaiveDate::from_ymd_opt(digits(year, 4)? as i32, digits(month, 2)?, digits(day, 2)?)?;
    (2000..2200).contains(&date.year()).then_some(date)
}

/// A time of day in minutes, `24:00` included.
pub(super) fn parse_time(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let (hour, minute) = (digits(hour, 2)?, digits(minute, 2)?);
    let total = hour * 60 + minute;
    (minute < 60 && total <= u32::from(DAY_MINUTES)).then_some(total as u16)
}

fn digits(text: &str, count: usize) -> Option<u32> {
    let all_digits = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_are_read_strictly() {
        assert_eq!(
            parse_date("2028-02-29"),
            NaiveDate::from_ymd_opt(2028, 2, 29)
        );
        for wrong in [
            "2027-02-29",
            "2026-9-3",
            "26-09-03",
            "2026-09-03T",
            "1999-01-01",
            "",
        ] {
            assert_eq!(parse_date(wrong), None, "{wrong}");
        }
        assert_eq!(parse_time("08:40"), Some(520));
        assert_eq!(parse_time("24:00"), Some(1440));
        for wrong in ["8:40", "24:01", "12:60", "12", "+1:00", "08:40:00"] {
            assert_eq!(parse_time(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn places_are_json_pointers() {
        let node: Node = serde_json::from_str(r#"{"a/b":[0,{"c~":1}]}"#).unwrap();
        let mut findings = Findings::default();
        let outer = At::new(&node, "").named(&mut findings).unwrap();
        let items = outer[0].1.list(&mut findings).unwrap();
        let inner = items[1].named(&mut findings).unwrap();
        assert_eq!(inner[0].1.path, "/a~1b/1/c~0");
        assert!(findings.faults.is_empty());
    }
}
