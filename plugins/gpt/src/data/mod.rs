//! The text datasets of this plugin.

pub mod stories;
