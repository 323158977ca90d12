//! `bellgate lists lookup`.

use std::io::{BufRead, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use bellgate_core::canonical::{CanonicalUrl, Scratch};
use bellgate_core::list::{Match, Pack};
use clap::Args;
use serde::Serialize;

use super::pack_file;

/// What is looked up in what.
#[derive(Args)]
pub struct Arguments {
    /// The pack.
    pack: PathBuf,
    /// URLs to look up.
    #[arg(required_unless_present = "batch")]
    urls: Vec<String>,
    /// Read URLs from standard input, one a line, and write a line of JSON for each.
    #[arg(long)]
    batch: bool,
    /// The secret key of a keyed pack.
    #[arg(long)]
    secret_key: Option<PathBuf>,
}

/// The answer for one URL.
#[derive(Serialize)]
struct Answer<'a> {
    url: &'a str,
    /// Every entry that matches, longest first; one for each of its categories.
    matches: Vec<CategoryMatch<'a>>,
    /// Why the URL could not be looked up.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Serialize)]
struct CategoryMatch<'a> {
    category: &'a str,
    entry: &'a str,
    /// Whether the entry is an exception from the category.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    exception: bool,
}

/// Looks the URLs up.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let key = arguments.secret_key.as_deref().map(pack_file::secret_key);
    let pack = pack_file::open(&arguments.pack, key.transpose()?)?;
    let mut out = BufWriter::with_capacity(1 << 16, std::io::stdout().lock());
    let mut scratch = Scratch::new();
    let mut matches = Vec::new();
    for url in &arguments.urls {
        write_answer(&pack, url, &mut scratch, &mut matches, &mut out)?;
    }
    if arguments.batch {
        let mut input = std::io::stdin().lock();
        let mut line = Vec::new();
        while input.read_until(b'\n', &mut line)? > 0 {
            let text = String::from_utf8_lossy(&line);
            let url = text.trim_end_matches(['\r', '\n']);
            if !url.is_empty() {
                write_answer(&pack, url, &mut scratch, &mut matches, &mut out)?;
            }
            line.clear();
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn write_answer(
    pack: &Pack,
    url: &str,
    scratch: &mut Scratch,
    matches: &mut Vec<Match>,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    matches.clear();
    let error = match CanonicalUrl::parse(url, scratch) {
        Ok(parsed) => pack
            .matches(&parsed, matches)
            .err()
            .map(|error| error.to_string()),
        Err(error) => Some(error.to_string()),
    };
    let mut by_category = Vec::new();
    for found in matches.iter() {
        for category in pack.categories() {
            if found.categories >> category.number & 1 == 1 {
                by_category.push(CategoryMatch {
                    category: &category.name,
                    entry: &found.entry,
                    exception: found.exception,
                });
            }
        }
    }
    let answer = Answer {
        url,
        matches: by_category,
        error,
    };
    serde_json::to_writer(&mut *out, &answer)?;
    out.write_all(b"\n")?;
    Ok(())
}
