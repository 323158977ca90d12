//! `bellgate lists inspect`.

use std::path::PathBuf;
use std::process::ExitCode;

use bellgate_core::list::{HashKind, Pack, PublicKey};
use chrono::{DateTime, SecondsFormat, Utc};
use clap::Args;
use serde_json::{Value, json};

use super::pack_file;

/// What is shown of which pack.
#[derive(Args)]
pub struct Arguments {
    /// The pack.
    pack: PathBuf,
    /// One JSON object instead of a table.
    #[arg(long)]
    json: bool,
    /// A public key that may have signed the pack, in base64; may be given repeatedly.
    #[arg(long)]
    key: Vec<String>,
    /// The secret key of a keyed pack.
    #[arg(long)]
    secret_key: Option<PathBuf>,
}

/// Shows the pack; fails when it is damaged.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let key = arguments.secret_key.as_deref().map(pack_file::secret_key);
    let pack = pack_file::open(&arguments.pack, key.transpose()?)?;
    let keys: Vec<PublicKey> = arguments
        .key
        .iter()
        .map(|text| PublicKey::from_base64(text))
        .collect::<Result<_, _>>()?;
    pack.check_all()?;
    let facts = facts(&pack, &keys)?;
    if arguments.json {
        println!("{facts}");
    } else {
        print_table(&facts);
    }
    Ok(ExitCode::SUCCESS)
}

fn facts(pack: &Pack, keys: &[PublicKey]) -> anyhow::Result<Value> {
    let summary = pack.summary();
    let built_at = DateTime::from_timestamp_millis(summary.built_at_ms).unwrap_or_default();
    let (signed, signature) = pack_file::signature_words(pack, keys);
    let counts = pack.count_by_category()?;
    let categories: Vec<Value> = pack
        .categories()
        .iter()
        .map(|category| {
            let (entries, exceptions) = counts[category.number as usize];
            json!({
                "number": category.number,
                "name": category.name,
                "special": category.special.is_some(),
                "entries": entries,
                "exceptions": exceptions,
            })
        })
        .collect();
    let total = summary.layout.total_bytes();
    Ok(json!({
        "format": 1,
        "sequence": summary.sequence,
        "built_at": built_at.to_rfc3339_opts(SecondsFormat::Millis, true),
        "age_days": (Utc::now() - built_at).num_days(),
        "signed": signed,
        "signature": signature,
        "hash": match summary.hash {
            HashKind::Open => "xxh3-128",
            HashKind::Keyed => "siphash-2-4-128, keyed",
        },
        "hash_seed": format!("{:016x}", summary.hash_seed),
        "entries": summary.entries,
        "path_entries": summary.path_entries,
        "bytes": total,
        "bytes_per_entry": total as f64 / summary.entries.max(1) as f64,
        "header_bytes": summary.layout.header_bytes,
        "bloom_bytes": summary.layout.bloom_bytes,
        "blocks_bytes": summary.layout.blocks_bytes,
        "bloom_items": summary.bloom_items,
        "bloom_bits": summary.bloom_bits,
        "bloom_hashes": summary.bloom_hashes,
        "buckets": summary.buckets,
        "code_bits": summary.code_bits,
        "category_sets": summary.category_sets,
        "deepest_host_labels": summary.deepest_host_labels,
        "longest_entry_bytes": summary.longest_entry_bytes,
        "false_match_log2": pack.false_positive_log2(),
        "categories": categories,
    }))
}

fn print_table(facts: &Value) {
    let Some(rows) = facts.as_object() else {
        return;
    };
    let (tables, plain): (Vec<_>, Vec<_>) = rows.iter().partition(|(_, value)| value.is_array());
    for (name, value) in plain.into_iter().chain(tables) {
        if let Value::Array(categories) = value {
            println!(
                "\n{:>3}  {:<24} {:>10} {:>10}",
                "no.", "category", "entries", "exceptions"
            );
            for category in categories {
                println!(
                    "{:>3}  {:<24} {:>10} {:>10}",
                    category["number"],
                    category["name"].as_str().unwrap_or_default(),
                    category["entries"],
                    category["exceptions"],
                );
            }
            continue;
        }
        let shown = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) if number.is_f64() => {
                format!("{:.3}", number.as_f64().unwrap_or_default())
            }
            other => other.to_string(),
        };
        println!("{name:<20} {shown}");
    }
    println!(
        "\nAn expression that is not in the pack is taken for listed with a chance of at most 2^{:.2}.",
        facts["false_match_log2"].as_f64().unwrap_or_default()
    );
}
