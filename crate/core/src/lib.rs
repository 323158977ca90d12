//! Decides whether a school allows a request.
