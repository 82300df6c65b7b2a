//! The text datasets of this plugin.
//!
//! [`stories`] makes its text up; [`text`] and [`tinystories`] read files, which
//! [`tokens`] turns into token ids once and keeps in the cache. All of them
//! answer the same question, *the window at this index*, as a pure function, and
//! [`datasets`] puts that behind the host's trait. Nothing else here knows tch.

pub mod corpus;
pub mod datasets;
mod error;
pub mod stories;
pub mod text;
pub mod tinystories;
pub mod tokens;

pub use error::DataError;
