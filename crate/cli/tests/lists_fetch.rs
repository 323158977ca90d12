//! `bellgate lists fetch` against a server that changes, breaks off and lies.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod common;

use common::{Folder, Server, source};

const CACHE: &str = ".cache/lists/web";

fn with_source(server: &Server, more: &str) -> Folder {
    let folder = Folder::new();
    let text = format!("schema=1\n{}", source("web", &server.address, more));
    folder.write("lists/sources.toml", &text);
    folder
}

#[test]
fn a_second_fetch_asks_whether_the_list_changed() {
    let server = Server::start();
    let folder = with_source(&server, "");
    server.answer("200 OK", &["ETag: \"v1\""], "a.test\n");
    let first = folder.lists(&["fetch"]).succeeded();
    assert!(first.contains("new"), "{first}");
    server.answer("304 Not Modified", &["ETag: \"v1\""], "");
    let second = folder.lists(&["fetch"]).succeeded();
    assert!(second.contains("unchanged"), "{second}");
    assert_eq!(folder.read(CACHE), "a.test\n");
    server.answer("200 OK", &["ETag: \"v2\""], "a.test\nb.test\n");
    let third = folder.lists(&["fetch"]).succeeded();
    assert!(third.contains("changed") && third.contains("+7"), "{third}");
    server.answer("304 Not Modified", &[], "");
    folder.lists(&["fetch"]).succeeded();
    let requests = server.requests();
    let asked = |at: usize, tag: &str| {
        let wanted = format!("if-none-match: \"{tag}\"");
        assert!(requests[at].contains(&wanted), "{:?}", requests[at]);
    };
    asked(1, "v1");
    asked(2, "v1");
    asked(3, "v2");
    assert_eq!(folder.read(CACHE), "a.test\nb.test\n");
}

#[test]
fn a_download_that_broke_off_goes_on_where_it_stopped() {
    let server = Server::start();
    let folder = with_source(&server, "");
    let list = "first.test\nsecond.test\n";
    server.answer_part("200 OK", &["ETag: \"v1\""], &list[..9], list.len());
    let broken = folder.lists(&["fetch"]);
    assert!(
        !broken.ok && broken.out.contains("there is no copy yet"),
        "{broken:?}"
    );
    assert!(!folder.path(CACHE).exists());
    let range = format!("Content-Range: bytes 9-{}/{}", list.len() - 1, list.len());
    server.answer("206 Partial Content", &[&range, "ETag: \"v1\""], &list[9..]);
    folder.lists(&["fetch"]).succeeded();
    assert_eq!(folder.read(CACHE), list);
    let requests = server.requests();
    for wanted in ["range: bytes=9-", "if-range: \"v1\""] {
        assert!(
            requests[1].iter().any(|line| line == wanted),
            "{requests:?}"
        );
    }
}

#[test]
fn a_list_that_changed_while_it_broke_off_is_fetched_whole() {
    let server = Server::start();
    let folder = with_source(&server, "");
    server.answer_part("200 OK", &["ETag: \"v1\""], "old.te", 100);
    folder.lists(&["fetch"]).failed();
    // The range no longer holds, so the server sends all of the new list; the second time
    // it is asked for that alone.
    server.answer("200 OK", &["ETag: \"v2\""], "new.test\n");
    server.answer("200 OK", &["ETag: \"v2\""], "new.test\n");
    folder.lists(&["fetch"]).succeeded();
    assert_eq!(folder.read(CACHE), "new.test\n");
}

#[test]
fn a_server_that_fails_leaves_the_last_good_copy_and_is_told() {
    let server = Server::start();
    let folder = with_source(&server, "");
    server.answer("200 OK", &["ETag: \"v1\""], "a.test\n");
    folder.lists(&["fetch"]).succeeded();
    for status in ["500 Internal Server Error", "404 Not Found"] {
        server.answer(status, &[], "no");
        let kept = folder.lists(&["fetch"]).succeeded();
        assert!(
            kept.contains("kept") && kept.contains(&status[..3]),
            "{kept}"
        );
        assert_eq!(folder.read(CACHE), "a.test\n");
    }
    server.answer("200 OK", &["ETag: \"v3\""], "");
    let kept = folder.lists(&["fetch"]).succeeded();
    assert!(kept.contains("kept") && kept.contains("empty"), "{kept}");
    // What failed was not taken for known: the next question is about the good copy.
    server.answer("304 Not Modified", &[], "");
    folder.lists(&["fetch"]).succeeded();
    let last = server.requests().pop().unwrap();
    assert!(
        last.contains(&"if-none-match: \"v1\"".to_owned()),
        "{last:?}"
    );
}

#[test]
fn a_page_that_is_no_list_leaves_the_last_good_copy() {
    let server = Server::start();
    let folder = with_source(&server, "");
    server.answer("200 OK", &["ETag: \"v1\""], "a.test\n");
    folder.lists(&["fetch"]).succeeded();
    let page = "<html>\n<p>Sign in to use this network\n</html>\n";
    server.answer("200 OK", &["ETag: \"portal\""], page);
    let kept = folder.lists(&["fetch"]).succeeded();
    assert!(
        kept.contains("kept") && kept.contains("no such list"),
        "{kept}"
    );
    assert_eq!(folder.read(CACHE), "a.test\n");
}

#[test]
fn a_list_with_another_sum_leaves_the_last_good_copy() {
    use sha2::{Digest, Sha256};
    let sum: String = Sha256::digest(b"a.test\n")
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let server = Server::start();
    let folder = with_source(&server, &format!("sha256='{sum}'"));
    server.answer("200 OK", &[], "a.test\n");
    folder.lists(&["fetch"]).succeeded();
    server.answer("200 OK", &[], "forged.test\n");
    let kept = folder.lists(&["fetch"]).succeeded();
    assert!(kept.contains("kept") && kept.contains(&sum), "{kept}");
    assert_eq!(folder.read(CACHE), "a.test\n");
}

#[test]
fn an_unknown_id_is_an_error() {
    let server = Server::start();
    let folder = with_source(&server, "");
    let error = folder.lists(&["fetch", "--only", "wbe"]).failed();
    assert!(error.contains("`wbe`"), "{error}");
}
