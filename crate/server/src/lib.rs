//! The school endpoint.
