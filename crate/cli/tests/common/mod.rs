//! A folder that goes away, a web server that does as it is told, and the command.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// A folder of one test.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("bellgate-lists-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a file, with the folders above it.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// Runs `bellgate lists` in the folder.
    pub fn lists(&self, arguments: &[&str]) -> Run {
        let output = Command::new(env!("CARGO_BIN_EXE_bellgate"))
            .arg("lists")
            .args(arguments)
            .current_dir(&self.0)
            .output()
            .unwrap();
        Run::from(output)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What came of a run.
#[derive(Debug)]
pub struct Run {
    pub ok: bool,
    pub out: String,
    pub err: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            ok: output.status.success(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Run {
    pub fn succeeded(self) -> String {
        assert!(self.ok, "{self:?}");
        self.out
    }

    pub fn failed(self) -> String {
        assert!(!self.ok, "{self:?}");
        self.err
    }
}

/// One request: its line, and its headers in lower case.
pub type Request = Vec<String>;

/// A web server on this machine that answers each request with the next of its answers.
pub struct Server {
    pub address: String,
    requests: Arc<Mutex<Vec<Request>>>,
    answers: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Server {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/list.txt", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let answers = Arc::new(Mutex::new(Vec::<Vec<u8>>::new()));
        let (seen, given) = (Arc::clone(&requests), Arc::clone(&answers));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let request: Request = lines
                    .map(|line| line.unwrap().to_lowercase())
                    .take_while(|line| !line.is_empty())
                    .collect();
                seen.lock().unwrap().push(request);
                let mut given = given.lock().unwrap();
                if !given.is_empty() {
                    stream.write_all(&given.remove(0)).unwrap();
                }
            }
        });
        Self {
            address,
            requests,
            answers,
        }
    }

    /// Answers the next request that has no answer yet.
    pub fn answer(&self, status: &str, headers: &[&str], body: &str) {
        self.answer_part(status, headers, body, body.len());
    }

    /// The same, but says that the body has `length` bytes.
    pub fn answer_part(&self, status: &str, headers: &[&str], body: &str, length: usize) {
        let mut text = format!("HTTP/1.1 {status}\r\nConnection: close\r\n");
        if !status.starts_with("304") {
            text.push_str(&format!("Content-Length: {length}\r\n"));
        }
        for header in headers {
            text.push_str(header);
            text.push_str("\r\n");
        }
        text.push_str("\r\n");
        text.push_str(body);
        self.answers.lock().unwrap().push(text.into_bytes());
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

/// A table of `sources.toml`.
pub fn source(id: &str, address: &str, more: &str) -> String {
    let defaults = [
        ("category", "'games'"),
        ("format", "'domains'"),
        ("trust", "'raw'"),
        ("reject_limit", "0.1"),
    ];
    let mut text = format!(
        "[[source]]\nid='{id}'\npublisher='a school'\nhome='https://lists.test/'\n\
         address='{address}'\nlicence='MIT'\nenabled=true\n{more}\n"
    );
    for (key, value) in defaults {
        if !more.contains(&format!("{key}=")) {
            text.push_str(&format!("{key}={value}\n"));
        }
    }
    text
}

/// The lists that every folder of sources has beside it: help, sign-in and allowlist.
pub fn write_own_lists(folder: &Folder) {
    let special = ["help", "help-crisis", "education", "sign-in"];
    let mut categories = String::from(
        "schema=1\n[[category]]\nid='games'\nnumber=3\nkind='block'\ndefault_minimum_entries=2\n\
         [[category]]\nid='adult'\nnumber=1\nkind='block'\ndefault_minimum_entries=1\n",
    );
    for (at, id) in special.iter().enumerate() {
        let number = 124 + at;
        categories.push_str(&format!(
            "[[category]]\nid='{id}'\nnumber={number}\nkind='special'\n"
        ));
    }
    folder.write("lists/categories.toml", &categories);
    folder.write(
        "lists/help.toml",
        "schema = 1\nhelp = [\n  { entry = \"line.help.test\", crisis = true },\n\
         { entry = \"clinic.test/talk\", crisis = false },\n]\n",
    );
    folder.write(
        "lists/sign-in.toml",
        "schema = 1\nsign_in = [\n  { entry = \"login.test\", kind = \"account\", reason = \"r\" },\n]\n",
    );
    folder.write("lists/allow/schools.txt", "# Schools\nsums.test\n");
    folder.write("lists/allow/zones.txt", "vouched.test\n");
    folder.write("lists/curated/games.txt", "# Games\n\nplay.test\n");
}

/// The URL's categories by `lists lookup`.
pub fn categories(folder: &Folder, pack: &str, url: &str) -> Vec<String> {
    let line = folder.lists(&["lookup", pack, url]).succeeded();
    let answer: serde_json::Value = serde_json::from_str(&line).unwrap();
    let matches = answer["matches"].as_array().unwrap();
    matches
        .iter()
        .map(|found| found["category"].as_str().unwrap().to_owned())
        .collect()
}

/// A path as an argument.
pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
