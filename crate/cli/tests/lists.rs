//! `bellgate lists` from sources to a pack, and what it says of packs.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod common;

use common::{Folder, categories, source, text, write_own_lists};
use serde_json::Value;

/// A folder with own lists and the sources `curated` and `raw`, the latter with these lines.
fn with_raw(lines: &str, more: &str) -> Folder {
    let folder = Folder::new();
    write_own_lists(&folder);
    folder.write("raw.txt", lines);
    let sources = format!(
        "schema=1\n{}{}",
        source(
            "curated",
            "file:lists/curated/games.txt",
            "format='bellgate'\ntrust='curated'\nreject_limit=0.0"
        ),
        source("raw", "file:raw.txt", more)
    );
    folder.write("lists/sources.toml", &sources);
    folder
}

const BUILD: [&str; 6] = [
    "build",
    "--sources",
    "lists/sources.toml",
    "--out",
    "all.pack",
    "--report",
];

fn build(folder: &Folder) -> common::Run {
    folder.lists(&[&BUILD[..], &["report.json"]].concat())
}

fn report(folder: &Folder) -> Value {
    serde_json::from_str(&folder.read("report.json")).unwrap()
}

#[test]
fn sources_are_transformed_and_every_loss_is_reported() {
    let folder = with_raw(
        "www.arcade.test\nx.arcade.test\nmistake.test\nbad host\nsums.test\nline.help.test\n\
         any.vouched.test\nmore.test\nuk\nco.uk\nfine.test\n",
        "reject_limit=0.4\ntransformations=['strip_www','drop_public_suffix','drop_covered']\n\
         exclude=['lists/exclude/raw.txt']",
    );
    folder.write("lists/exclude/raw.txt", "# Not a game\nmistake.test\n");
    let out = build(&folder).succeeded();
    assert!(
        out.contains("warning: category `adult` has 0 entries, fewer than 1"),
        "{out}"
    );
    let report = report(&folder);
    let raw = &report["sources"][1];
    assert_eq!(raw["id"], "raw");
    assert_eq!(raw["entries"], 3);
    assert_eq!(raw["excluded"], 1);
    assert_eq!(raw["covered"], 1);
    let lost: Vec<&str> = raw["contradicting"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry.as_str().unwrap())
        .collect();
    assert_eq!(lost, ["sums.test", "line.help.test", "any.vouched.test"]);
    let rejected: Vec<&str> = raw["rejected"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["place"].as_str().unwrap())
        .collect();
    assert_eq!(rejected, ["raw.txt:4", "raw.txt:9", "raw.txt:10"]);
    for (url, expected) in [
        ("https://arcade.test/", vec!["games"]),
        ("https://x.arcade.test/", vec!["games"]),
        ("https://play.test/", vec!["games"]),
        ("https://mistake.test/", vec![]),
        ("https://sums.test/", vec!["education"]),
        ("https://line.help.test/", vec!["help-crisis"]),
        ("https://clinic.test/talk/now", vec!["help"]),
        ("https://login.test/", vec!["sign-in"]),
    ] {
        assert_eq!(categories(&folder, "all.pack", url), expected, "{url}");
    }
}

#[test]
fn a_build_fails_for_every_source_that_is_not_as_it_should_be() {
    let folder = with_raw("bad host\nalso bad\nfine.test\n", "reject_limit=0.5");
    folder.write("lists/curated/games.txt", "play.test\nsums.test\n");
    let error = build(&folder).failed();
    for part in [
        "source `curated`: it contradicts",
        "sums.test",
        "source `raw`: 2 of 3 lines are rejected",
        "raw.txt:1: `bad host`",
    ] {
        assert!(error.contains(part), "{part} in {error}");
    }
    assert!(!folder.path("all.pack").exists());
}

#[test]
fn a_source_without_a_copy_says_what_to_do() {
    let folder = with_raw("fine.test\n", "");
    let sources = format!("schema=1\n{}", source("web", "https://lists.test/x", ""));
    folder.write("lists/sources.toml", &sources);
    let error = build(&folder).failed();
    assert!(
        error.contains("source `web`") && error.contains("lists fetch"),
        "{error}"
    );
    folder
        .lists(&[&BUILD[..], &["report.json", "--without", "web"]].concat())
        .succeeded();
}

#[test]
fn the_same_sources_make_the_same_bytes() {
    let folder = with_raw("fine.test\n", "");
    build(&folder).succeeded();
    let first = std::fs::read(folder.path("all.pack")).unwrap();
    build(&folder).succeeded();
    assert_eq!(first, std::fs::read(folder.path("all.pack")).unwrap());
}

#[test]
fn check_finds_what_a_new_source_closes() {
    let folder = with_raw("fine.test\nlesson.example/games\n", "format='bellgate'");
    build(&folder).succeeded();
    let out = folder.lists(&["check", "all.pack"]).succeeded();
    assert!(out.contains("5 entries of help"), "{out}");

    let urls = folder.write(
        "school-urls.txt",
        "https://lesson.example/sums\nhttps://www.fine.test/page\nhttps://sums.test/\n",
    );
    let probe = ["check", "all.pack", "--school-urls", text(&urls)];
    let run = folder.lists(&probe);
    assert!(
        run.out
            .contains("games blocks hosts of schools' URLs: www.fine.test"),
        "{run:?}"
    );
    run.failed();

    let accepted =
        "schema = 1\n[[accepted]]\nhost = \"www.fine.test\"\ncategory = \"games\"\nreason = \"";
    folder.write(
        "lists/accepted-blocks.toml",
        &format!("{accepted}a games portal\"\n"),
    );
    let out = folder.lists(&probe).succeeded();
    assert!(out.contains("1 accepted blocks"), "{out}");
    folder.write("lists/accepted-blocks.toml", &format!("{accepted} \"\n"));
    assert!(folder.lists(&probe).failed().contains("gives no reason"));
}

#[test]
fn check_finds_education_and_help_that_a_pack_closes() {
    let folder = with_raw("fine.test\n", "");
    // Built without the school's own lists, as from a folder of raw ones.
    folder.write("from/games.txt", "x.sums.test/deep\nclinic.test\n");
    folder.write("from/education.txt", "sums.test\n");
    let kinds = ["help", "help-crisis", "sign-in"];
    for kind in kinds {
        folder.write(&format!("from/{kind}.txt"), "other.test\n");
    }
    folder
        .lists(&["build", "--from", "from", "--out", "raw.pack"])
        .succeeded();
    let error = folder.lists(&["check", "raw.pack"]).failed();
    for part in [
        "`clinic.test/talk` (help) is blocked as games",
        "`line.help.test` is not in the pack as help-crisis",
        "`vouched.test` is not in the pack as education",
    ] {
        assert!(error.contains(part), "{part} in {error}");
    }
    assert!(!error.contains("`sums.test`"), "{error}");
}

#[test]
fn explain_names_file_and_line_of_every_list() {
    let folder = with_raw(
        "other.test\nwww.arcade.test\nsums.test\nmistake.test\n",
        "transformations=['strip_www']\nexclude=['lists/exclude/raw.txt']",
    );
    folder.write("lists/exclude/raw.txt", "mistake.test\n");
    build(&folder).succeeded();
    let explain = |url: &str| {
        let arguments = [
            "explain",
            url,
            "--pack",
            "all.pack",
            "--sources",
            "lists/sources.toml",
        ];
        folder.lists(&arguments).succeeded()
    };
    for (url, parts) in [
        (
            "https://www.play.test/x",
            &[
                "  www.play.test/x",
                "all.pack: `play.test` in games",
                "lists/curated/games.txt:3: `play.test` in games, source curated",
            ][..],
        ),
        (
            "https://arcade.test/",
            &["raw.txt:2: `arcade.test` in games, source raw"],
        ),
        (
            "https://sums.test/",
            &[
                "lists/allow/schools.txt:2: `sums.test` in education",
                "raw.txt:3: `sums.test` in games, source raw, but dropped",
            ],
        ),
        (
            "https://mistake.test/",
            &["raw.txt:4: `mistake.test` in games, source raw, but an exclude file takes it out"],
        ),
        (
            "https://a.line.help.test/",
            &["lists/help.toml:3: `line.help.test` in help-crisis"],
        ),
        (
            "https://login.test/",
            &["lists/sign-in.toml:3: `login.test` in sign-in"],
        ),
    ] {
        let out = explain(url);
        for part in parts {
            assert!(out.contains(part), "{part} in {out}");
        }
    }
    folder.write("from/games.txt", "# x\nwww.only.test\nonly.test/path\n");
    folder.write("from/rules.tsv", "adult\tonly.test/path\n");
    let from = |url: &str| {
        folder
            .lists(&["explain", url, "--from", "from"])
            .succeeded()
    };
    let out = from("https://only.test/path/x");
    for part in [
        "from/games.txt:3: `only.test/path` in games",
        "from/rules.tsv:1: `only.test/path` in adult",
    ] {
        assert!(out.contains(part), "{part} in {out}");
    }
    // Folders are taken as they are: `www.` stays.
    assert!(!out.contains("games.txt:2"), "{out}");
}

#[test]
fn diff_shows_what_changed_and_which_popular_domains_that_touches() {
    let folder = Folder::new();
    folder.write("one/games.txt", "a.test\nb.test\nc.test\nd.test/x\n");
    folder.write("one/adult.txt", "z.test\n");
    folder.write("two/games.txt", "a.test\nb.test\nd.test/x\ne.test\n");
    folder.write("two/adult.txt", "z.test\nb.test\n");
    folder
        .lists(&["build", "--from", "one", "--out", "one.pack"])
        .succeeded();
    folder
        .lists(&[
            "build", "--from", "two", "--out", "two.pack", "--like", "one.pack",
        ])
        .succeeded();
    folder.write("popular.txt", "e.test\nunlisted.test\nb.test\na.test\n");
    let more = ["--popular", "popular.txt"];
    let out = folder
        .lists(&[&["diff", "one.pack", "two.pack"][..], &more].concat())
        .succeeded();
    for part in [
        "1 entries added, 1 removed, 1 in other categories",
        "e.test: [] -> [games]",
        "b.test: [games] -> [adult, games]",
    ] {
        assert!(out.contains(part), "{part} in {out}");
    }
    assert!(!out.contains("a.test:"), "{out}");
    let json = folder
        .lists(&[&["diff", "one.pack", "two.pack", "--json"][..], &more].concat())
        .succeeded();
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["entries"]["added"], 1);
    assert_eq!(json["categories"][0]["name"], "adult");
    assert_eq!(json["categories"][0]["after"], 2);
    assert_eq!(json["popular"][0]["host"], "e.test");
}
