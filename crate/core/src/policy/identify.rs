//! Who someone is: the one cohort, and the groups.

use chrono::{Datelike, NaiveDate};

use super::Policy;
use super::person::{Address, Pattern, Person, Years};
use crate::context::Context;

impl Policy {
    /// The year in which the school year of a date began.
    pub(super) fn school_year(&self, date: NaiveDate) -> i32 {
        let (month, day) = self.school.year_starts;
        if (date.month(), date.day()) < (month, day) {
            date.year() - 1
        } else {
            date.year()
        }
    }

    /// Who someone is, in the school year that began in `school_year`.
    ///
    /// The cohort that the context states wins over one found by address. By address an
    /// explicit member wins over patterns; whoever fits two cohorts is in none.
    pub(super) fn person(&self, context: &Context, school_year: i32) -> Person {
        let address = context
            .user
            .as_deref()
            .map(|user| Address::new(user, self.school.salt.as_deref()));
        let cohort = match (&context.cohort, &address) {
            (Some(name), _) => self.cohorts.iter().position(|cohort| cohort.name == *name),
            (None, Some(address)) => match self.cohorts_of(address, school_year).as_slice() {
                [one] => Some(*one),
                _ => None,
            },
            (None, None) => None,
        };
        let groups = self
            .groups
            .iter()
            .enumerate()
            .filter(|(_, group)| {
                context.groups.contains(&group.name)
                    || address.as_ref().is_some_and(|address| {
                        group.members.contains(address)
                            || group
                                .patterns
                                .iter()
                                .any(|one| one.matches(&address.text, None))
                    })
            })
            .map(|(number, _)| number as u16)
            .collect();
        Person {
            cohort,
            groups,
            address,
        }
    }

    /// The cohorts that an address is found in: those that name it, or else by pattern.
    pub(super) fn cohorts_of(&self, address: &Address, school_year: i32) -> Vec<usize> {
        let numbered = || self.cohorts.iter().enumerate();
        let named: Vec<usize> = numbered()
            .filter(|(_, cohort)| cohort.members.contains(address))
            .map(|(number, _)| number)
            .collect();
        if !named.is_empty() {
            return named;
        }
        numbered()
            .filter(|(_, cohort)| {
                let years = cohort.year.map(|year| Years::of(year, school_year));
                let fits = |patterns: &[Pattern]| {
                    patterns.iter().any(|one| one.matches(&address.text, years))
                };
                fits(&cohort.patterns) && !fits(&cohort.except)
            })
            .map(|(number, _)| number)
            .collect()
    }
}
