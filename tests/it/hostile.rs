//! Plugins that misbehave: each fault ends its own trial with its own sentence,
//! every other trial completes, and the exit code says that some failed.

pub(crate) mod ends;
mod fit;
mod model;
mod parts;
