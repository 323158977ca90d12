//! What `bellgate lists build` costs, measured from outside.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::input::Input;

/// Time and memory of one build.
pub struct Cost {
    /// From start to exit.
    pub seconds: f64,
    /// The most memory the process held (its `VmHWM`).
    pub mib: f64,
}

/// Builds the pack of everything with the command, signed with the key.
pub fn build(bellgate: &Path, input: &Input, key: &Path, out: &Path) -> Result<Cost> {
    let mut command = Command::new(bellgate);
    command.args(["lists", "build", "--built-at", "2026-09-07T06:00:00Z"]);
    for folder in &input.folders {
        command.arg("--from").arg(folder);
    }
    command.arg("--sign-key").arg(key).arg("--out").arg(out);
    let started = Instant::now();
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let mut peak_kib = 0;
    loop {
        if let Some(status) = child.try_wait()? {
            if !status.success() {
                bail!("`bellgate lists build` failed");
            }
            break;
        }
        peak_kib = peak_kib.max(high_water_kib(child.id()).unwrap_or(0));
        sleep(Duration::from_millis(5));
    }
    Ok(Cost {
        seconds: started.elapsed().as_secs_f64(),
        mib: peak_kib as f64 / 1024.0,
    })
}

fn high_water_kib(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let row = status.lines().find(|row| row.starts_with("VmHWM:"))?;
    row.split_whitespace().nth(1)?.parse().ok()
}
