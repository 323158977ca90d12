//! The lists and URLs that are measured: real ones where they are, made-up ones elsewhere.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Lists and URLs.
pub struct Input {
    /// The categories' names; a host names its category by the place here.
    pub categories: Vec<String>,
    /// Distinct hosts in order, each with the first of its categories.
    pub hosts: Vec<(String, u8)>,
    /// URLs to ask about, none twice as long as the source has enough.
    pub urls: Vec<String>,
    /// Folders that `bellgate lists build --from` reads the same hosts and the paths from.
    pub folders: Vec<PathBuf>,
    /// What was used, in words.
    pub source: String,
}

impl Input {
    /// The lists, path rules and page URLs of a folder laid out as `../shared/data` is.
    pub fn read(data: &Path, urls: usize) -> Result<Self> {
        let lists = data.join("lists");
        let mut files: Vec<PathBuf> = fs::read_dir(&lists)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()?;
        files.sort();
        let mut categories = Vec::new();
        let mut hosts = Vec::new();
        for file in files {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            let Some(name) = name.strip_suffix(".txt.zst") else {
                continue;
            };
            let number = categories.len() as u8;
            categories.push(name.to_owned());
            each_line(&file, |host| hosts.push((host.to_owned(), number)))?;
        }
        hosts.sort_unstable();
        hosts.dedup_by(|one, other| one.0 == other.0);
        let mut all = Vec::new();
        each_line(&data.join("traffic/page-urls.txt.zst"), |url| {
            all.push(url.to_owned());
        })?;
        Ok(Self {
            categories,
            hosts,
            urls: drawn(all, urls),
            folders: vec![lists, data.join("urls")],
            source: "lists/*.txt.zst, urls/host-path-rules.tsv.zst, traffic/page-urls.txt.zst"
                .to_owned(),
        })
    }

    /// 5.4 million hosts in 40 categories, a million paths, and URLs of which one in ten
    /// is listed, as among real ones.
    pub fn made_up(work: &Path, urls: usize) -> Result<Self> {
        const HOSTS: u64 = 5_400_000;
        const PATHS: u64 = 1_000_000;
        const ENDS: [&str; 8] = ["com", "net", "org", "co.uk", "info", "de", "ru", "xyz"];
        const WORDS: [&str; 8] = ["play", "best", "my", "free", "shop", "the", "go", "live"];
        let mut draw = generator();
        let categories: Vec<String> = (0..40).map(|n| format!("category-{n:02}")).collect();
        let name = |number: u64, word: u64, end: u64| {
            let (word, end) = (WORDS[word as usize], ENDS[end as usize]);
            format!("{word}{number:x}.{end}")
        };
        let mut hosts: Vec<(String, u8)> = (0..HOSTS)
            .map(|_| (name(draw(1 << 31), draw(8), draw(8)), draw(40) as u8))
            .collect();
        hosts.sort_unstable();
        hosts.dedup_by(|one, other| one.0 == other.0);
        let folder = work.join("made-up");
        fs::create_dir_all(&folder)?;
        for (number, category) in categories.iter().enumerate() {
            let members = hosts.iter().filter(|host| usize::from(host.1) == number);
            let text: Vec<&str> = members.map(|host| host.0.as_str()).collect();
            fs::write(folder.join(format!("{category}.txt")), text.join("\n"))?;
        }
        let mut paths = std::io::BufWriter::new(File::create(folder.join("paths.tsv"))?);
        for number in 0..PATHS {
            let host = name(draw(1 << 20), draw(8), draw(8));
            writeln!(
                paths,
                "{}\t{host}/p{number}/q",
                categories[number as usize % 40]
            )?;
        }
        paths.flush()?;
        let urls = (0..urls as u64)
            .map(|number| {
                let host = match number % 10 {
                    0 => hosts[draw(hosts.len() as u64) as usize].0.clone(),
                    _ => name(draw(1 << 31), draw(8), draw(8)),
                };
                format!("https://www.{host}/section/{number}/page-with-a-name.html?from=list&number={number}")
            })
            .collect();
        Ok(Self {
            categories,
            hosts,
            urls,
            folders: vec![folder],
            source: "made up: no real lists were found".to_owned(),
        })
    }

    /// So many hosts, evenly out of all.
    pub fn sample(&self, count: usize) -> Vec<&(String, u8)> {
        (0..count.min(self.hosts.len()))
            .map(|at| &self.hosts[at * self.hosts.len() / count])
            .collect()
    }
}

fn each_line(path: &Path, mut each: impl FnMut(&str)) -> Result<()> {
    let file = File::open(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    for line in BufReader::new(zstd::Decoder::new(file)?).split(b'\n') {
        let line = line?;
        let text = String::from_utf8_lossy(&line);
        let text = text.trim();
        if !text.is_empty() {
            each(text);
        }
    }
    Ok(())
}

/// So many lines in an order that is mixed, always in the same way: the file is sorted, and
/// in that order a round would be a handful of hosts, each asked a thousand times in a row.
fn drawn(mut lines: Vec<String>, count: usize) -> Vec<String> {
    let mut draw = generator();
    for at in (1..lines.len()).rev() {
        lines.swap(at, draw(at as u64 + 1) as usize);
    }
    lines.truncate(count);
    lines
}

/// Numbers below a bound, the same in every run.
fn generator() -> impl FnMut(u64) -> u64 {
    let mut state = 1u64;
    move |bound| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    }
}
