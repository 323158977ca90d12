//! Timetables: the periods of a day, for whom and on which days.

use chrono::{Days, NaiveDate};

use super::calendar::{Calendar, DateRange, Day, DayKind, EVERY_DAY_KIND, ranges};
use super::fault::{FaultCode, Findings};
use super::names::Names;
use super::walk::{At, DAY_MINUTES};

/// The keys of a timetable.
pub(super) const TIMETABLE_KEYS: &[&str] = &[
    "name",
    "days",
    "cycle",
    "cohorts",
    "dates",
    "day_kinds",
    "periods",
];
/// The keys of a period.
pub(super) const PERIOD_KEYS: &[&str] = &["name", "kind", "start", "end"];

/// The kind of minutes of the school day that no period covers.
pub(super) const BETWEEN: &str = "between";

/// On which days something holds.
#[derive(Debug, Clone)]
pub(super) struct DaySet {
    /// Days of the week, Monday the lowest bit.
    pub weekdays: u8,
    /// A set of kinds of day.
    pub day_kinds: u8,
    /// A set of weeks of the cycle; all when absent.
    pub cycle: Option<u32>,
    /// These dates alone; all when absent.
    pub dates: Option<Vec<DateRange>>,
}

impl DaySet {
    pub fn holds(&self, day: &Day) -> bool {
        self.weekdays & day.weekday_bit() != 0
            && self.day_kinds & day.kind.bit() != 0
            && self
                .cycle
                .is_none_or(|cycle| day.cycle.is_some_and(|week| cycle >> week & 1 == 1))
            && self
                .dates
                .as_ref()
                .is_none_or(|dates| dates.iter().any(|range| range.contains(day.date)))
    }

    /// Reads `days`, `day_kinds`, `cycle` and `dates`.
    ///
    /// With dates and without kinds, any kind of day will do; else `usual_kinds` hold.
    pub fn read(
        fields: &super::walk::Fields,
        usual_kinds: u8,
        names: &Names,
        findings: &mut Findings,
    ) -> Self {
        let dates = fields.get("dates").and_then(|at| {
            let dates = ranges(&at, true, findings)?;
            Some(dates.into_iter().map(|(range, _)| range).collect())
        });
        let day_kinds = fields.get("day_kinds").and_then(|at| {
            let mut set = 0;
            for item in at.some_list(findings)? {
                set |= item
                    .choice(&DayKind::WORDS, findings)
                    .map_or(0, DayKind::bit);
            }
            Some(set)
        });
        let cycle = fields.get("cycle").and_then(|at| {
            let mut set = 0;
            for item in at.some_list(findings)? {
                set |= names
                    .cycle_number(&item, findings)
                    .map_or(0, |number| 1 << number);
            }
            Some(set)
        });
        let usual_kinds = if dates.is_some() {
            EVERY_DAY_KIND
        } else {
            usual_kinds
        };
        Self {
            weekdays: fields
                .get("days")
                .and_then(|at| at.weekdays(findings))
                .unwrap_or(0b111_1111),
            day_kinds: day_kinds.unwrap_or(usual_kinds),
            cycle,
            dates,
        }
    }
}

/// The periods of a day, for some cohorts on some days.
#[derive(Debug, Clone)]
pub(super) struct Timetable {
    pub name: String,
    pub days: DaySet,
    /// A set of cohorts.
    pub cohorts: u128,
    /// In order of time, none overlapping another.
    pub periods: Vec<PeriodSpec>,
    pub path: String,
}

/// A period as a timetable has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PeriodSpec {
    /// Its name, by number.
    pub name: u16,
    /// Its kind, by number.
    pub kind: u8,
    /// First minute, `0..1440`.
    pub start: u16,
    /// The minute after the last; beyond 1440 when it goes on past midnight.
    pub end: u16,
}

impl Timetable {
    /// The first minute of the first period, and the minute after the last one.
    pub fn hours(&self) -> (u16, u16) {
        let start = self.periods.first().map_or(0, |period| period.start);
        let end = self.periods.last().map_or(0, |period| period.end);
        (start, end)
    }
}

/// The timetable of a cohort on a day: the first that fits.
pub(super) fn of_day<'a>(
    timetables: &'a [Timetable],
    day: &Day,
    cohort: usize,
) -> Option<&'a Timetable> {
    timetables
        .iter()
        .find(|timetable| timetable.cohorts >> cohort & 1 == 1 && timetable.days.holds(day))
}

/// A minute of the school day, found in a timetable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct InTimetable {
    /// The day on which the period began.
    pub day: Day,
    /// The period's name and kind by number; none between two periods.
    pub period: Option<(u16, u8)>,
    /// The stretch, in minutes of that day.
    pub start: u16,
    pub end: u16,
}

/// The school hours of a cohort on a day, early finish included, in minutes.
pub(super) fn school_hours(
    timetables: &[Timetable],
    calendar: &Calendar,
    day: &Day,
    cohort: usize,
) -> Option<(u16, u16)> {
    let (start, end) = of_day(timetables, day, cohort)?.hours();
    let end = end.min(calendar.early_finish(day.date, cohort).unwrap_or(u16::MAX));
    (start < end).then_some((start, end))
}

/// What the timetables say of a minute of a date.
pub(super) fn at_minute(
    timetables: &[Timetable],
    calendar: &Calendar,
    date: NaiveDate,
    minute: u16,
    cohort: usize,
) -> Option<InTimetable> {
    let on = |date: NaiveDate, minute: u16| -> Option<InTimetable> {
        let day = calendar.day(date);
        let timetable = of_day(timetables, &day, cohort)?;
        let (first, last) = school_hours(timetables, calendar, &day, cohort)?;
        if !(first..last).contains(&minute) {
            return None;
        }
        let mut start = first;
        for period in &timetable.periods {
            if minute < period.start {
                let end = period.start.min(last);
                return Some(InTimetable {
                    day,
                    period: None,
                    start,
                    end,
                });
            }
            if minute < period.end {
                return Some(InTimetable {
                    day,
                    period: Some((period.name, period.kind)),
                    start: period.start,
                    end: period.end.min(last),
                });
            }
            start = period.end;
        }
        None
    };
    on(date, minute).or_else(|| on(date.checked_sub_days(Days::new(1))?, minute + DAY_MINUTES))
}

/// Reads `timetables`; learns the names and kinds of periods.
pub(super) fn read(at: &At, names: &mut Names, findings: &mut Findings) -> Vec<Timetable> {
    let items = at.some_list(findings).unwrap_or_default();
    let mut timetables = Vec::new();
    for item in items {
        let Some(fields) = item.object(TIMETABLE_KEYS, findings) else {
            continue;
        };
        let name = fields
            .need("name", r#""Monday to Friday""#, findings)
            .and_then(|at| at.text(findings))
            .map(str::to_owned);
        let usual = DayKind::School.bit() | DayKind::Remote.bit();
        let days = DaySet::read(&fields, usual, names, findings);
        let cohorts = match fields.get("cohorts") {
            Some(at) => names.cohort_set(&at, findings),
            None => Some(u128::MAX),
        };
        let periods = fields
            .need(
                "periods",
                r#"[{"name": "Period 1", "kind": "lesson", "start": "08:55", "end": "09:55"}]"#,
                findings,
            )
            .and_then(|at| read_periods(&at, names, findings));
        if let (Some(name), Some(cohorts), Some(periods)) = (name, cohorts, periods) {
            timetables.push(Timetable {
                name,
                days,
                cohorts,
                periods,
                path: item.path,
            });
        }
    }
    timetables
}

fn read_periods(at: &At, names: &mut Names, findings: &mut Findings) -> Option<Vec<PeriodSpec>> {
    let mut periods: Vec<(PeriodSpec, String)> = Vec::new();
    for item in at.some_list(findings)? {
        let Some(fields) = item.object(PERIOD_KEYS, findings) else {
            continue;
        };
        let name = fields.need("name", r#""Period 1""#, findings);
        let kind = fields.need("kind", r#""lesson""#, findings);
        let span = read_span(&fields, findings);
        let (Some(name), Some(kind)) = (name, kind) else {
            continue;
        };
        let (Some(name), Some(kind)) = (name.text(findings), names.learn_kind(&kind, findings))
        else {
            continue;
        };
        if let Some((start, end)) = span {
            let name = names.learn_period(name);
            let period = PeriodSpec {
                name,
                kind,
                start,
                end,
            };
            periods.push((period, item.path));
        }
    }
    periods.sort_by_key(|(period, _)| period.start);
    for pair in periods.windows(2) {
        let (earlier, later) = (&pair[0].0, &pair[1].0);
        if later.start < earlier.end {
            findings.fault(
                &pair[1].1,
                FaultCode::Contradiction,
                format!(
                    "`{}` begins at {} before `{}` ends at {}; let no period overlap another",
                    names.period_names[usize::from(later.name)],
                    time_text(later.start),
                    names.period_names[usize::from(earlier.name)],
                    time_text(earlier.end),
                ),
            );
        } else if later.start > earlier.end {
            findings.warn(
                &pair[1].1,
                FaultCode::Gap,
                format!(
                    "no period covers {} to {}; until then the rules for the kind `{BETWEEN}` hold",
                    time_text(earlier.end),
                    time_text(later.start),
                ),
            );
        }
    }
    let last_end = periods.last().map_or(0, |(period, _)| period.end);
    let first_start = periods.first().map_or(0, |(period, _)| period.start);
    if last_end > first_start + DAY_MINUTES {
        findings.fault(
            &at.path,
            FaultCode::Contradiction,
            "the last period goes on until the first one of the next day; let a day have 24 hours at most",
        );
    }
    Some(periods.into_iter().map(|(period, _)| period).collect())
}

/// Reads `start` and `end`; an end at or before the start is on the next day.
pub(super) fn read_span(
    fields: &super::walk::Fields,
    findings: &mut Findings,
) -> Option<(u16, u16)> {
    let start = fields.need("start", r#""08:55""#, findings);
    let end = fields.need("end", r#""09:55""#, findings);
    let (start_at, end_at) = (start?, end?);
    let (start, end) = (start_at.time(findings), end_at.time(findings));
    let (start, end) = (start?, end?);
    if start == DAY_MINUTES {
        findings.fault(
            &start_at.path,
            FaultCode::InvalidValue,
            "nothing begins at `24:00`; write `00:00` and choose the next day",
        );
        return None;
    }
    if start == end {
        findings.fault(
            &end_at.path,
            FaultCode::InvalidValue,
            format!(
                "it ends at {} when it begins; correct one of the two",
                time_text(end)
            ),
        );
        return None;
    }
    Some((start, if end < start { end + DAY_MINUTES } else { end }))
}

/// A time of day as people write it, such as `08:40`.
pub(super) fn time_text(minute: u16) -> String {
    let minute = if minute > DAY_MINUTES {
        minute - DAY_MINUTES
    } else {
        minute
    };
    format!("{:02}:{:02}", minute / 60, minute % 60)
}
