//! Assembles the extension.
fn main() {}
