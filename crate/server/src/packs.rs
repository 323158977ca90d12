//! `GET /v1/packs/{name}`: list packs from one folder, whole or in part.
//!
//! Packs are signed, so they are served to whoever asks. A pack is kept in
//! memory once it has been asked for and read again when its file changes; a
//! fleet that updates at the same hour then costs one reading.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;

use crate::app::App;
use crate::config::ConfigError;
use crate::error::Refusal;

/// The largest file that is served, in bytes.
const FILE_MAX_BYTES: u64 = 256 * 1024 * 1024;
/// How many files stay in memory.
const KEPT_MAX: usize = 4;

/// The folder of packs and those lately asked for.
#[derive(Debug)]
pub struct Packs {
    folder: PathBuf,
    kept: Mutex<Vec<Arc<Kept>>>,
}

#[derive(Debug)]
struct Kept {
    name: String,
    modified: SystemTime,
    bytes: Bytes,
    etag: HeaderValue,
}

impl Packs {
    /// Takes a folder that exists.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn open(folder: PathBuf) -> Result<Self, ConfigError> {
        if !folder.is_dir() {
            return Err(ConfigError::Packs(folder));
        }
        Ok(Self {
            folder,
            kept: Mutex::new(Vec::new()),
        })
    }

    async fn read(&self, name: &str) -> Result<Arc<Kept>, Refusal> {
        let path = self.folder.join(name);
        let about = tokio::fs::symlink_metadata(&path)
            .await
            .map_err(|_| no_pack())?;
        if !about.is_file() || about.len() > FILE_MAX_BYTES {
            return Err(no_pack());
        }
        let modified = about.modified().map_err(|_| no_pack())?;
        {
            let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            let known = kept.iter().find(|kept| {
                kept.name == name
                    && kept.modified == modified
                    && kept.bytes.len() as u64 == about.len()
            });
            if let Some(known) = known {
                return Ok(Arc::clone(known));
            }
        }
        let bytes = tokio::fs::read(&path).await.map_err(|_| no_pack())?;
        let digest = ring::digest::digest(&ring::digest::SHA256, &bytes);
        let etag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(&digest.as_ref()[..16]));
        let fresh = Arc::new(Kept {
            name: name.to_owned(),
            modified,
            bytes: Bytes::from(bytes),
            etag: HeaderValue::from_str(&etag).map_err(|_| no_pack())?,
        });
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|other| other.name != name);
        if kept.len() == KEPT_MAX {
            kept.remove(0);
        }
        kept.push(Arc::clone(&fresh));
        Ok(fresh)
    }
}

/// Answers a pack, a part of it, or that the asker has it already.
///
/// # Errors
/// 404 for a name that is no file of the folder, 416 for a range beyond its end.
pub async fn serve_pack(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response<Body>, Refusal> {
    let packs = app.packs.as_ref().ok_or_else(no_pack)?;
    if !is_file_name(&name) {
        return Err(no_pack());
    }
    let kept = packs.read(&name).await?;
    let len = kept.bytes.len();
    let mut response = Response::new(Body::empty());
    let out = response.headers_mut();
    out.insert(header::ETAG, kept.etag.clone());
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    out.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if names_etag(&headers, header::IF_NONE_MATCH, &kept.etag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return Ok(response);
    }
    out.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/octet-stream"),
    );
    let wants_part = !headers.contains_key(header::IF_RANGE)
        || names_etag(&headers, header::IF_RANGE, &kept.etag);
    let range = headers
        .get(header::RANGE)
        .filter(|_| wants_part && method == Method::GET)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| parse_range(value, len));
    let part = match range {
        None => kept.bytes.clone(),
        Some(Some((start, end))) => {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            let place = format!("bytes {start}-{}/{len}", end - 1);
            if let Ok(place) = HeaderValue::from_str(&place) {
                response.headers_mut().insert(header::CONTENT_RANGE, place);
            }
            kept.bytes.slice(start..end)
        }
        Some(None) => {
            return Err(Refusal::new(
                StatusCode::RANGE_NOT_SATISFIABLE,
                "range_not_satisfiable",
                format!("the pack has {len} bytes; ask for a range that starts before its end"),
            ));
        }
    };
    *response.body_mut() = Body::from(part);
    Ok(response)
}

fn no_pack() -> Refusal {
    Refusal::new(
        StatusCode::NOT_FOUND,
        "no_such_pack",
        "there is no such pack; check the managed key `pack_url` and the `--packs` folder",
    )
}

/// A plain file name: no separators, nothing hidden, nothing above the folder.
fn is_file_name(name: &str) -> bool {
    (1..=128).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
}

fn names_etag(headers: &HeaderMap, name: header::HeaderName, etag: &HeaderValue) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

/// Reads a `Range` of one span as half-open `[start, end)`.
///
/// `None` means the header is to be ignored (RFC 9110, 14.2: another unit,
/// several spans, malformed); `Some(None)` that it starts beyond the end.
fn parse_range(value: &str, len: usize) -> Option<Option<(usize, usize)>> {
    let (first, last) = value.strip_prefix("bytes=")?.split_once('-')?;
    if first.is_empty() {
        let suffix: usize = last.parse().ok()?;
        let start = len.saturating_sub(suffix);
        return Some((suffix > 0 && len > 0).then_some((start, len)));
    }
    let start: usize = first.parse().ok()?;
    let end = if last.is_empty() {
        len
    } else {
        let last: usize = last.parse().ok()?;
        if last < start {
            return None;
        }
        last.saturating_add(1).min(len)
    };
    Some((start < len).then_some((start, end)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_one_span_or_ignored() {
        assert_eq!(parse_range("bytes=0-3", 10), Some(Some((0, 4))));
        assert_eq!(parse_range("bytes=4-", 10), Some(Some((4, 10))));
        assert_eq!(parse_range("bytes=-3", 10), Some(Some((7, 10))));
        assert_eq!(parse_range("bytes=-30", 10), Some(Some((0, 10))));
        assert_eq!(parse_range("bytes=8-99", 10), Some(Some((8, 10))));
        assert_eq!(parse_range("bytes=10-", 10), Some(None));
        assert_eq!(parse_range("bytes=-0", 10), Some(None));
        for ignored in [
            "bytes=3-1",
            "bytes=0-1,3-4",
            "lines=0-1",
            "bytes=",
            "bytes=a-b",
        ] {
            assert_eq!(parse_range(ignored, 10), None, "{ignored}");
        }
    }

    #[test]
    fn a_pack_is_a_plain_file_name() {
        assert!(is_file_name("core-2026.09.pack"));
        for bad in ["", ".", "..", ".hidden", "a/b", "a\\b", "a%2fb", "-x"] {
            assert!(!is_file_name(bad), "{bad}");
        }
    }
}
