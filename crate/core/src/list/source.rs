//! Reading the formats in which others publish lists.

use serde_json::Value;

use crate::expression::Entry;

/// A format of published lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceFormat {
    /// `0.0.0.0 name` or `127.0.0.1 name`.
    Hosts,
    /// One host a line, `#` for comments.
    Domains,
    /// One URL without its scheme a line, as in UT1's `urls` files.
    Urls,
    /// `||host^` and `||host/path^`, with `@@` in front of exceptions.
    Adblock,
    /// A response policy zone: `name CNAME .`; `CNAME rpz-passthru.` is an exception.
    Rpz,
    /// A column of comma-separated values.
    Csv(Column),
    /// Canonical entries, one a line, `#` for comments; anything else is rejected.
    Bellgate,
    /// Chrome's declarativeNetRequest rules: block rules with a condition that is only
    /// `||host^`, `||host/path^`, or domains.
    Dnr,
    /// A JSON array of hosts, at a JSON pointer.
    Json(String),
}

/// A column of comma-separated values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Column {
    /// By its name in the first line.
    Named(String),
    /// By its number, from 1, where the first line is a row as any other.
    Numbered(usize),
}

/// What one line or rule of a source says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// An entry.
    Entry(Entry),
    /// An entry that is an exception from the source's category.
    Exception(Entry),
}

/// Reads a document; `each` gets the line (or the number of the rule, from 1) and what it
/// says, or why it is rejected. Comments and empty lines are passed over.
pub fn read_source(
    format: &SourceFormat,
    text: &str,
    mut each: impl FnMut(usize, Result<Item, String>),
) {
    match format {
        SourceFormat::Dnr => read_dnr(text, each),
        SourceFormat::Json(pointer) => read_json(pointer, text, each),
        SourceFormat::Csv(column) => read_csv(column, text, each),
        _ => {
            for (at, line) in text.lines().enumerate() {
                let line = line.trim();
                if line.is_empty() {
                    continue;
                }
                let mut give = |item| each(at + 1, item);
                match format {
                    SourceFormat::Hosts => read_hosts_line(line, &mut give),
                    SourceFormat::Adblock => {
                        if let Some(item) = read_adblock_line(line).transpose() {
                            give(item);
                        }
                    }
                    SourceFormat::Rpz => {
                        if let Some(item) = read_rpz_line(line).transpose() {
                            give(item);
                        }
                    }
                    _ if line.starts_with('#') => {}
                    SourceFormat::Domains => give(read_domain(line)),
                    SourceFormat::Bellgate => give(read_strict(line)),
                    _ => give(entry(line)),
                }
            }
        }
    }
}

fn entry(text: &str) -> Result<Item, String> {
    Entry::parse(text)
        .map(Item::Entry)
        .map_err(|error| error.to_string())
}

fn read_domain(line: &str) -> Result<Item, String> {
    let name = line.split_once(" #").map_or(line, |(name, _)| name.trim());
    match entry(name)? {
        Item::Entry(entry) if entry.has_path() => Err(format!(
            "`{name}` has a path; give the source the format `urls`"
        )),
        item => Ok(item),
    }
}

fn read_strict(line: &str) -> Result<Item, String> {
    match entry(line)? {
        Item::Entry(entry) if entry.as_str() != line => {
            Err(format!("`{line}` is not canonical; write `{entry}`"))
        }
        item => Ok(item),
    }
}

fn read_hosts_line(line: &str, give: &mut impl FnMut(Result<Item, String>)) {
    /// Names of the machine itself, which every hosts file begins with.
    const OWN_NAMES: [&str; 5] = [
        "localhost",
        "localhost.localdomain",
        "local",
        "broadcasthost",
        "0.0.0.0",
    ];
    let line = line.split('#').next().unwrap_or_default();
    let mut words = line.split_whitespace();
    let Some(address) = words.next() else { return };
    if !matches!(address, "0.0.0.0" | "127.0.0.1" | "::" | "::1") {
        if address.contains(':') || address.starts_with("255.") {
            return;
        }
        give(Err(format!(
            "`{address}` is no address that blocks; a line is `0.0.0.0 name`"
        )));
        return;
    }
    for name in words {
        if !OWN_NAMES.contains(&name) && !name.starts_with("ip6-") {
            give(read_domain(name));
        }
    }
}

fn read_adblock_line(line: &str) -> Result<Option<Item>, String> {
    if line.starts_with('!') || line.starts_with('[') || line.starts_with("# ") {
        return Ok(None);
    }
    let (rule, exception) = match line.strip_prefix("@@") {
        Some(rule) => (rule, true),
        None => (line, false),
    };
    let rule = match rule.split_once('$') {
        Some((rule, options)) if options.split(',').all(whole_page_option) => rule,
        Some((_, options)) => {
            return Err(format!(
                "`${options}` narrows the rule; only rules for everything are read"
            ));
        }
        None => rule,
    };
    let text = rule
        .strip_prefix("||")
        .and_then(|rule| rule.strip_suffix('^'))
        .filter(|text| !text.contains(['*', '^', '|']))
        .ok_or_else(|| format!("`{line}` is neither `||host^` nor `||host/path^`"))?;
    let Item::Entry(entry) = entry(text)? else {
        return Ok(None);
    };
    Ok(Some(if exception {
        Item::Exception(entry)
    } else {
        Item::Entry(entry)
    }))
}

/// Options that leave a rule as wide as it is.
fn whole_page_option(option: &str) -> bool {
    matches!(option, "all" | "important" | "document" | "doc" | "popup")
}

fn read_rpz_line(line: &str) -> Result<Option<Item>, String> {
    let line = line.split(';').next().unwrap_or_default().trim();
    if line.is_empty() || line.starts_with('$') || line.starts_with('@') {
        return Ok(None);
    }
    let words: Vec<&str> = line
        .split_whitespace()
        .filter(|word| {
            !word.eq_ignore_ascii_case("IN") && !word.bytes().all(|byte| byte.is_ascii_digit())
        })
        .collect();
    match words[..] {
        [_, kind, ..] if ["SOA", "NS"].contains(&kind.to_ascii_uppercase().as_str()) => Ok(None),
        [name, kind, target] if kind.eq_ignore_ascii_case("CNAME") => {
            let Item::Entry(entry) = entry(name)? else {
                return Ok(None);
            };
            match target {
                "." | "*." | "rpz-drop." => Ok(Some(Item::Entry(entry))),
                "rpz-passthru." => Ok(Some(Item::Exception(entry))),
                _ => Err(format!(
                    "`{target}` is no policy that blocks; a line is `name CNAME .`"
                )),
            }
        }
        _ => Err(format!(
            "`{line}` is no rule by name; a line is `name CNAME .`"
        )),
    }
}

fn read_csv(column: &Column, text: &str, mut each: impl FnMut(usize, Result<Item, String>)) {
    let mut number = match column {
        Column::Numbered(number) => Some(number.saturating_sub(1)),
        Column::Named(_) => None,
    };
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let cells = csv_cells(line);
        match (number, column) {
            (Some(number), _) => match cells.get(number) {
                Some(cell) => each(at + 1, entry(cell)),
                None => each(
                    at + 1,
                    Err(format!("the line has {} columns only", cells.len())),
                ),
            },
            (None, Column::Named(name)) => {
                number = cells.iter().position(|cell| cell == name);
                if number.is_none() {
                    each(at + 1, Err(format!("no column `{name}` in the first line")));
                    return;
                }
            }
            (None, Column::Numbered(_)) => {}
        }
    }
}

/// The cells of a line, RFC 4180 but for line breaks in a cell.
fn csv_cells(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                if let Some(cell) = cells.last_mut() {
                    cell.push('"');
                }
            }
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            _ => {
                if let Some(cell) = cells.last_mut() {
                    cell.push(letter);
                }
            }
        }
    }
    for cell in &mut cells {
        *cell = cell.trim().to_owned();
    }
    cells
}

fn read_json(pointer: &str, text: &str, mut each: impl FnMut(usize, Result<Item, String>)) {
    let document: Value = match serde_json::from_str(text) {
        Ok(document) => document,
        Err(error) => return each(error.line(), Err(format!("no JSON: {error}"))),
    };
    let Some(Value::Array(hosts)) = document.pointer(pointer) else {
        return each(1, Err(format!("no array is at `{pointer}`")));
    };
    for (at, host) in hosts.iter().enumerate() {
        each(
            at + 1,
            match host.as_str() {
                Some(text) => entry(text.trim_start_matches('.')),
                None => Err("not a string".to_owned()),
            },
        );
    }
}

fn read_dnr(text: &str, mut each: impl FnMut(usize, Result<Item, String>)) {
    let rules: Vec<Value> = match serde_json::from_str(text) {
        Ok(rules) => rules,
        Err(error) => return each(error.line(), Err(format!("no array of rules: {error}"))),
    };
    for (at, rule) in rules.iter().enumerate() {
        read_dnr_rule(rule, &mut |item| each(at + 1, item));
    }
}

fn read_dnr_rule(rule: &Value, give: &mut impl FnMut(Result<Item, String>)) {
    if rule["action"]["type"] != "block" {
        return give(Err("the rule does not block".to_owned()));
    }
    let Some(condition) = rule["condition"].as_object() else {
        return give(Err("the rule has no condition".to_owned()));
    };
    let narrow = condition.iter().find(|(key, value)| match key.as_str() {
        "urlFilter" | "requestDomains" | "isUrlFilterCaseSensitive" => false,
        // A list of types that holds pages covers what the filter decides.
        "resourceTypes" => !value
            .as_array()
            .is_some_and(|types| types.iter().any(|kind| kind == "main_frame")),
        _ => true,
    });
    if let Some((key, _)) = narrow {
        return give(Err(format!(
            "the condition `{key}` narrows the rule; only rules for everything are read"
        )));
    }
    match (condition.get("urlFilter"), condition.get("requestDomains")) {
        (Some(Value::String(filter)), None) => give(match read_adblock_line(filter) {
            Ok(Some(item)) => Ok(item),
            Ok(None) => Err(format!("`{filter}` is no rule")),
            Err(why) => Err(why),
        }),
        (None, Some(Value::Array(domains))) => {
            for domain in domains {
                give(
                    domain
                        .as_str()
                        .map_or_else(|| Err("not a string".to_owned()), entry),
                );
            }
        }
        _ => give(Err(
            "the condition is neither `urlFilter` nor `requestDomains` alone".to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(format: &SourceFormat, text: &str) -> (Vec<String>, Vec<usize>) {
        let mut entries = Vec::new();
        let mut rejected = Vec::new();
        read_source(format, text, |line, item| match item {
            Ok(Item::Entry(entry)) => entries.push(entry.to_string()),
            Ok(Item::Exception(entry)) => entries.push(format!("!{entry}")),
            Err(_) => rejected.push(line),
        });
        (entries, rejected)
    }

    #[test]
    fn hosts_files() {
        let text = "# x\n127.0.0.1 localhost\n::1 ip6-loopback\n0.0.0.0 A.example b.example # y\n1.2.3.4 c.example\n0.0.0.0 bad^host";
        assert_eq!(
            read(&SourceFormat::Hosts, text),
            (vec!["a.example".into(), "b.example".into()], vec![5, 6])
        );
    }

    #[test]
    fn domains_and_urls() {
        let text = "#x\n\n.a.example\nb.example/x\nc d\n";
        assert_eq!(
            read(&SourceFormat::Domains, text),
            (vec!["a.example".into()], vec![4, 5])
        );
        assert_eq!(
            read(&SourceFormat::Urls, text),
            (vec!["a.example".into(), "b.example/x".into()], vec![5])
        );
        assert_eq!(
            read(&SourceFormat::Bellgate, text),
            (vec!["b.example/x".into()], vec![3, 5])
        );
    }

    #[test]
    fn adblock_rules() {
        let text = "[Adblock Plus]\n! x\n||a.example^\n@@||b.example/x^$document\n||c.example^$script\n##.ad\n||d.*^\n/e/\n||f.example/y^";
        assert_eq!(
            read(&SourceFormat::Adblock, text),
            (
                vec![
                    "a.example".into(),
                    "!b.example/x".into(),
                    "f.example/y".into()
                ],
                vec![5, 6, 7, 8]
            )
        );
    }

    #[test]
    fn response_policy_zones() {
        let text = "$TTL 60\n@ SOA a. b. 1 2 3 4 5\n@ NS x.\n; c\na.example CNAME .\n*.a.example 60 IN CNAME .\nb.example CNAME rpz-passthru.\n32.1.2.3.4.rpz-ip CNAME .\nc.example A 1.2.3.4";
        let (entries, rejected) = read(&SourceFormat::Rpz, text);
        assert_eq!(entries[..3], ["a.example", "a.example", "!b.example"]);
        assert_eq!(rejected, [9]);
    }

    #[test]
    fn comma_separated_values() {
        let text = "# x\nid,host\n1,\"a.example\"\n2,\n3,http://b.example/x\n";
        assert_eq!(
            read(&SourceFormat::Csv(Column::Named("host".into())), text),
            (vec!["a.example".into(), "b.example/x".into()], vec![4])
        );
        let urlhaus = "\"1\",\"2026\",\"http://c.example:81/y,z\",\"online\"";
        assert_eq!(
            read(&SourceFormat::Csv(Column::Numbered(3)), urlhaus).0,
            ["c.example/y,z"]
        );
        assert_eq!(
            read(&SourceFormat::Csv(Column::Named("no".into())), text).1,
            [2]
        );
    }

    #[test]
    fn json_and_rules_of_chrome() {
        let json = SourceFormat::Json("/list".into());
        assert_eq!(
            read(&json, r#"{"list":[".a.example",3,"b.example"]}"#),
            (vec!["a.example".into(), "b.example".into()], vec![2])
        );
        assert_eq!(read(&json, "{}").1, [1]);
        let rules = r#"[
            {"action":{"type":"block"},"condition":{"urlFilter":"||a.example^"}},
            {"action":{"type":"allow"},"condition":{"urlFilter":"||b.example^"}},
            {"action":{"type":"block"},"condition":{"urlFilter":"||c.example^","domainType":"thirdParty"}},
            {"action":{"type":"block"},"condition":{"requestDomains":["d.example","e.example"],"resourceTypes":["main_frame"]}},
            {"action":{"type":"block"},"condition":{"regexFilter":"x"}}]"#;
        assert_eq!(
            read(&SourceFormat::Dnr, rules),
            (
                vec!["a.example".into(), "d.example".into(), "e.example".into()],
                vec![2, 3, 5]
            )
        );
    }
}
