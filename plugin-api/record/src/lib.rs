//! What a plugin library says about itself in bytes, and how to read them
//! without running any of its code.
//!
//! Every plugin carries one [`RawRecord`] in an ELF section of its own: fixed
//! size, no pointers, nothing that needs relocation. The planner reads it with
//! [`read`] and refuses a foreign, truncated or incompatible file before a
//! process is started for it; the worker compares it once more before it opens
//! the library. The crate is apart from `flops-fit-plugin` so that the parent,
//! which must never touch libtorch, can use it.
//!
//! Architecture invariant: the record's first 28 bytes (magic, ABI version,
//! length) never change, so that every reader can say what it met.
#![deny(missing_docs)]

mod compare;
mod elf;
mod record;
mod text;

pub use compare::{HostVersions, Incompatible};
pub use elf::{RecordError, parse, read};
pub use record::{Export, RawRecord, Record, What};
pub use text::fixed;

/// Major version of the plugin ABI: plugins of another major are refused.
pub const ABI_MAJOR: u32 = 1;

/// Minor version of the plugin ABI: a plugin with a newer minor loads, since
/// tables only ever grow at their end.
pub const ABI_MINOR: u32 = 0;

/// Name of the ELF section that holds the record.
pub const SECTION: &str = ".flops_fit";
