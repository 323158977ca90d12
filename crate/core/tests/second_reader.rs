//! A reader written from docs/format.md alone, in another language, reads the same.

#![cfg(feature = "build")]
#![expect(clippy::print_stderr, reason = "what was skipped has to be seen")]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use bellgate_core::canonical::{CanonicalUrl, Scratch};
use bellgate_core::expression::Entry;
use bellgate_core::list::Pack;
use bellgate_core::list::build::{PackBuilder, PackOptions};

fn has_xxhash() -> bool {
    let status = Command::new("python3")
        .args(["-c", "import xxhash"])
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

#[test]
fn the_format_document_suffices_for_a_second_reader() {
    if !has_xxhash() {
        eprintln!("skipped: python3 with the package xxhash is not here");
        return;
    }
    let mut builder = PackBuilder::new(PackOptions::default());
    for number in 0..40 {
        builder
            .add_category(number * 3, &format!("category-{number}"))
            .unwrap();
    }
    let mut urls = Vec::new();
    for number in 0..6_000u32 {
        let host = format!("h{}.example{}.org", number % 2_100, number % 11);
        let path = match number % 5 {
            0 => format!("/p{}/%7e", number % 13),
            1 => format!("/q?a={}&b", number % 3),
            _ => String::new(),
        };
        let entry = Entry::parse(&format!("{host}{path}")).unwrap();
        builder.add(&entry, (number % 40) as u8 * 3);
        if number % 6 == 0 {
            builder.add_exception(&entry, (number % 17) as u8 * 3);
        }
        if number % 9 == 0 {
            builder.add(&entry, 117);
        }
        urls.push(format!("https://www.{host}{path}/more?x#y"));
        urls.push(format!("https://{host}:8443//p{}/~/%2f", number % 13));
        urls.push(format!("http://absent{number}.org/"));
    }
    builder.add(&Entry::parse("10.0.0.1/x").unwrap(), 0);
    urls.push("http://10.0.0.1/x#".to_owned());
    let bytes = builder.build().unwrap().bytes;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let file = folder.join("second-reader.pack");
    std::fs::write(&file, &bytes).unwrap();
    let input = folder.join("second-reader.urls");
    std::fs::File::create(&input)
        .unwrap()
        .write_all((urls.join("\n") + "\n").as_bytes())
        .unwrap();

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/python/read_pack.py");
    let output = Command::new("python3")
        .arg(script)
        .arg(&file)
        .stdin(std::fs::File::open(&input).unwrap())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let answers = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<&str> = answers.lines().collect();
    assert_eq!(answers.len(), urls.len());

    let pack = Pack::open(bytes).unwrap();
    let mut listed = 0;
    for (url, answer) in urls.iter().zip(answers) {
        let mut scratch = Scratch::new();
        let mut matches = Vec::new();
        let parsed = CanonicalUrl::parse(url, &mut scratch).unwrap();
        pack.matches(&parsed, &mut matches).unwrap();
        let mut rows = Vec::new();
        for found in &matches {
            for category in pack.categories() {
                if found.categories >> category.number & 1 == 1 {
                    let mut row =
                        serde_json::json!({"category": category.name, "entry": found.entry});
                    if found.exception {
                        row["exception"] = true.into();
                    }
                    rows.push(row);
                }
            }
        }
        listed += usize::from(!rows.is_empty());
        let expected = serde_json::json!({"url": url, "matches": rows});
        let given: serde_json::Value = serde_json::from_str(answer).unwrap();
        assert_eq!(given, expected);
    }
    assert!(listed > 6_000, "{listed}");
}
