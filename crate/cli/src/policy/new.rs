//! `bellgate policy new`: a start for a UK secondary school, explained where it stands.

use std::process::ExitCode;

use anyhow::bail;
use bellgate_core::policy::Policy;
use clap::Args;

/// The start; `@NAME@` and `@DOMAIN@` are the school's.
const TEMPLATE: &str = include_str!("template.json");

/// Whose start it is.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The school's name.
    #[arg(long, default_value = "Our School")]
    name: String,
    /// The school's own domain.
    #[arg(long, default_value = "school.example")]
    domain: String,
}

/// Prints a policy to begin with.
pub fn run(args: &Arguments) -> anyhow::Result<ExitCode> {
    super::put(&start(&args.name, &args.domain)?)?;
    Ok(ExitCode::SUCCESS)
}

fn start(name: &str, domain: &str) -> anyhow::Result<String> {
    let quoted = |text: &str| -> anyhow::Result<String> {
        let quoted = serde_json::to_string(text)?;
        Ok(quoted[1..quoted.len() - 1].to_owned())
    };
    let text = TEMPLATE
        .replace("@NAME@", &quoted(name)?)
        .replace("@DOMAIN@", &quoted(domain)?);
    if let Err(faults) = Policy::parse(&text) {
        bail!(
            "no policy can begin with this name and domain; correct `--name` or `--domain`:\n{faults}"
        );
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_is_valid_and_contradicts_itself_nowhere() {
        let text = start("St \"Quote\" School", "quote.example").unwrap();
        let (policy, warnings) = Policy::parse(&text).unwrap();
        assert_eq!(policy.school_name(), "St \"Quote\" School");
        assert_eq!(warnings, []);
        assert_eq!(policy.contradictions(), []);
        assert!(text.matches("$comment").count() >= 10);
    }

    #[test]
    fn a_domain_that_is_none_is_refused() {
        assert!(start("School", "not a domain").is_err());
    }
}
