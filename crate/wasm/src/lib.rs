//! The core for the extension.
