//! Plugins that misbehave: each fault ends its own trial with its own sentence,
//! every other trial completes, and the exit code says that some failed.

mod ends;
mod model;
mod parts;
