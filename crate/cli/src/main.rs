//! The `bellgate` command.
fn main() {}
