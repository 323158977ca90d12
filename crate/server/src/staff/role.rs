//! What each role of a school may see.

/// A role, each person one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The headteacher: everything, and staff's nameless stream (T22).
    Headteacher,
    /// Leadership, who consent to changes: events without names, figures.
    Leadership,
    /// The designated safeguarding lead: pupils' events by name (T13).
    Dsl,
    /// The safeguarding lead of Years 12 and 13: theirs alone (T18).
    DslSixthForm,
    /// IT staff: events without names, figures, devices.
    It,
    /// Governors: figures only, none under five.
    Governor,
    /// Teachers: nothing here but their own exceptions.
    Teacher,
}

/// What one person sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sight {
    /// Whether single events are seen at all.
    pub events: bool,
    /// Whether pupils are seen by name.
    pub names: bool,
    /// The only cohorts seen, if not all.
    pub cohorts: Option<&'static [&'static str]>,
    /// Whether the staff's stream is seen, always without names.
    pub staff_stream: bool,
    /// Whether figures are seen.
    pub figures: bool,
    /// The smallest figure that is shown as it is.
    pub figure_min: i64,
    /// Whether the audit log is seen.
    pub audit: bool,
}

impl Role {
    /// Every role.
    pub const ALL: [Role; 7] = [
        Role::Headteacher,
        Role::Leadership,
        Role::Dsl,
        Role::DslSixthForm,
        Role::It,
        Role::Governor,
        Role::Teacher,
    ];

    /// The role's name on the command line and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Headteacher => "headteacher",
            Role::Leadership => "leadership",
            Role::Dsl => "dsl",
            Role::DslSixthForm => "dsl-sixth-form",
            Role::It => "it",
            Role::Governor => "governor",
            Role::Teacher => "teacher",
        }
    }

    /// The role of a name, if it is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }

    /// What this role sees.
    #[must_use]
    pub fn sight(self) -> Sight {
        let nothing = Sight {
            events: false,
            names: false,
            cohorts: None,
            staff_stream: false,
            figures: false,
            figure_min: 0,
            audit: false,
        };
        let nameless = Sight {
            events: true,
            figures: true,
            ..nothing
        };
        match self {
            Role::Headteacher => Sight {
                names: true,
                staff_stream: true,
                audit: true,
                ..nameless
            },
            Role::Leadership => Sight {
                audit: true,
                ..nameless
            },
            Role::Dsl => Sight {
                names: true,
                ..nameless
            },
            Role::DslSixthForm => Sight {
                names: true,
                cohorts: Some(&["year-12", "year-13"]),
                figures: false,
                ..nameless
            },
            Role::It => nameless,
            Role::Governor => Sight {
                figures: true,
                figure_min: 5,
                ..nothing
            },
            Role::Teacher => nothing,
        }
    }
}
