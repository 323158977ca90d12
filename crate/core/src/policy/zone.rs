//! Between instants and what the clock on the school's wall shows.
//!
//! Rules speak of wall-clock time, and what the clock shows is what holds. In the spring
//! night the skipped hour is not lived, so nothing in it happens; in the autumn night the
//! repeated hour is lived twice, and what holds in it holds twice.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Offset, TimeDelta, TimeZone};
use chrono_tz::Tz;

/// Milliseconds of a day of 24 hours.
pub(super) const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
/// Milliseconds of a minute.
pub(super) const MINUTE_MS: i64 = 60_000;

/// What the clock on the wall shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Wall {
    /// The date.
    pub date: NaiveDate,
    /// Whole minutes since midnight, by the clock.
    pub minute: u16,
}

/// A stretch of time over which the zone's offset is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch {
    pub from_ms: i64,
    pub until_ms: i64,
    pub offset_ms: i64,
}

/// Milliseconds that the zone is ahead of UTC at an instant.
pub(super) fn offset_ms(zone: Tz, at_ms: i64) -> i64 {
    let offset = zone.offset_from_utc_datetime(&utc(at_ms)).fix();
    i64::from(offset.local_minus_utc()) * 1000
}

/// What the clock on the wall shows at an instant.
pub(super) fn wall(zone: Tz, at_ms: i64) -> Wall {
    wall_at_offset(at_ms, offset_ms(zone, at_ms))
}

/// What a clock shows that is this far ahead of UTC.
pub(super) fn wall_at_offset(at_ms: i64, offset_ms: i64) -> Wall {
    let shown_ms = at_ms.saturating_add(offset_ms);
    Wall {
        date: utc(shown_ms).date(),
        minute: (shown_ms.rem_euclid(DAY_MS) / MINUTE_MS) as u16,
    }
}

/// Midnight of a date and some minutes, as if the clock showed UTC.
pub(super) fn naive_ms(date: NaiveDate, minute: u16) -> i64 {
    date.and_time(chrono::NaiveTime::MIN)
        .and_utc()
        .timestamp_millis()
        + i64::from(minute) * MINUTE_MS
}

/// The stretches of one offset each that make up `[from_ms, until_ms)`.
///
/// No zone changes its offset twice within the day or two that callers ask for.
pub(super) fn stretches(zone: Tz, from_ms: i64, until_ms: i64) -> impl Iterator<Item = Stretch> {
    let first = offset_ms(zone, from_ms);
    let last = offset_ms(zone, until_ms - 1);
    let change_ms = if first == last {
        until_ms
    } else {
        change_between(zone, from_ms, until_ms - 1)
    };
    let stretch = |from_ms, until_ms, offset_ms| Stretch {
        from_ms,
        until_ms,
        offset_ms,
    };
    [
        stretch(from_ms, change_ms, first),
        stretch(change_ms, until_ms, last),
    ]
    .into_iter()
    .filter(|stretch| stretch.from_ms < stretch.until_ms)
}

/// The first instant of the later offset, between two instants whose offsets differ.
fn change_between(zone: Tz, mut before_ms: i64, mut after_ms: i64) -> i64 {
    let before = offset_ms(zone, before_ms);
    while after_ms - before_ms > 1 {
        let middle_ms = before_ms + (after_ms - before_ms) / 2;
        if offset_ms(zone, middle_ms) == before {
            before_ms = middle_ms;
        } else {
            after_ms = middle_ms;
        }
    }
    after_ms
}

/// The run of instants around `now_ms` at which the clock shows times in
/// `[start_ms, end_ms)`, both given by [`naive_ms`].
pub(super) fn run_around(zone: Tz, now_ms: i64, start_ms: i64, end_ms: i64) -> (i64, i64) {
    let mut from_ms = now_ms;
    let mut until_ms = now_ms;
    // A clock change moves the wall by a few hours at most.
    for stretch in stretches(zone, now_ms, now_ms + 2 * DAY_MS) {
        if stretch.from_ms > until_ms {
            break;
        }
        let shown_ms = stretch.from_ms + stretch.offset_ms;
        if shown_ms < start_ms || shown_ms >= end_ms {
            break;
        }
        until_ms = stretch.until_ms.min(end_ms - stretch.offset_ms);
    }
    let earlier: Vec<Stretch> = stretches(zone, now_ms - 2 * DAY_MS, now_ms + 1).collect();
    for stretch in earlier.into_iter().rev() {
        if stretch.until_ms < from_ms {
            break;
        }
        let shown_ms = stretch.until_ms - 1 + stretch.offset_ms;
        if shown_ms < start_ms || shown_ms >= end_ms {
            break;
        }
        from_ms = stretch.from_ms.max(start_ms - stretch.offset_ms);
    }
    (from_ms, until_ms)
}

/// An instant as chrono has it; the farthest it knows where it knows none.
fn utc(at_ms: i64) -> NaiveDateTime {
    DateTime::from_timestamp_millis(at_ms)
        .unwrap_or(if at_ms < 0 {
            DateTime::UNIX_EPOCH - TimeDelta::days(100_000)
        } else {
            DateTime::UNIX_EPOCH + TimeDelta::days(100_000)
        })
        .naive_utc()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(text: &str) -> i64 {
        DateTime::parse_from_rfc3339(text)
            .unwrap()
            .timestamp_millis()
    }

    fn shown(text: &str) -> (String, u16) {
        let wall = wall(Tz::Europe__London, ms(text));
        (wall.date.to_string(), wall.minute)
    }

    #[test]
    fn the_wall_shows_summer_time_in_summer() {
        assert_eq!(
            shown("2026-12-01T08:40:59.999Z"),
            ("2026-12-01".into(), 520)
        );
        assert_eq!(shown("2026-09-07T07:40:00Z"), ("2026-09-07".into(), 520));
        assert_eq!(shown("2027-06-30T23:30:00Z"), ("2027-07-01".into(), 30));
    }

    #[test]
    fn both_nights_are_cut_where_the_clock_changes() {
        let cut = |from: &str, until: &str| -> Vec<i64> {
            stretches(Tz::Europe__London, ms(from), ms(until))
                .map(|stretch| stretch.until_ms)
                .collect()
        };
        assert_eq!(
            cut("2027-03-27T12:00:00Z", "2027-03-28T12:00:00Z"),
            [ms("2027-03-28T01:00:00Z"), ms("2027-03-28T12:00:00Z")]
        );
        assert_eq!(
            cut("2026-10-24T12:00:00Z", "2026-10-25T12:00:00Z"),
            [ms("2026-10-25T01:00:00Z"), ms("2026-10-25T12:00:00Z")]
        );
        assert_eq!(cut("2026-10-26T00:00:00Z", "2026-10-27T00:00:00Z").len(), 1);
    }

    fn run(now: &str, date: &str, start: u16, end: u16) -> (i64, i64) {
        let date: NaiveDate = date.parse().unwrap();
        run_around(
            Tz::Europe__London,
            ms(now),
            naive_ms(date, start),
            naive_ms(date, end),
        )
    }

    #[test]
    fn a_period_over_the_repeated_hour_lasts_an_hour_longer() {
        let whole = run("2026-10-25T00:10:00Z", "2026-10-25", 60, 120);
        assert_eq!(
            whole,
            (ms("2026-10-25T00:00:00Z"), ms("2026-10-25T02:00:00Z"))
        );
        // Half of the repeated hour is lived in two runs.
        let first = run("2026-10-25T00:10:00Z", "2026-10-25", 60, 90);
        assert_eq!(
            first,
            (ms("2026-10-25T00:00:00Z"), ms("2026-10-25T00:30:00Z"))
        );
        let second = run("2026-10-25T01:10:00Z", "2026-10-25", 60, 90);
        assert_eq!(
            second,
            (ms("2026-10-25T01:00:00Z"), ms("2026-10-25T01:30:00Z"))
        );
    }

    #[test]
    fn a_period_over_the_skipped_hour_lasts_an_hour_less() {
        let whole = run("2027-03-28T00:30:00Z", "2027-03-28", 0, 180);
        assert_eq!(
            whole,
            (ms("2027-03-28T00:00:00Z"), ms("2027-03-28T02:00:00Z"))
        );
        let cut = run_around(
            Tz::Europe__London,
            ms("2027-03-28T00:30:00Z"),
            naive_ms("2027-03-28".parse().unwrap(), 0),
            naive_ms("2027-03-28".parse().unwrap(), 90),
        );
        assert_eq!(cut.1, ms("2027-03-28T01:00:00Z"));
    }
}
