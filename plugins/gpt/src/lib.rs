//! Skeleton.

pub mod data;
