//! The record itself: its bytes, and what they mean.

use std::fmt;

use crate::{
    ABI_MAJOR, ABI_MINOR,
    text::{fixed, unpad},
};

/// The bytes in the plugin's section. Numbers are little-endian, text is UTF-8
/// padded with zeros. Alignment 1, so there is no padding between fields.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RawRecord {
    magic: [u8; 16],
    abi_major: [u8; 4],
    abi_minor: [u8; 4],
    length: [u8; 4],
    tch: [u8; 16],
    libtorch: [u8; 32],
    rustc: [u8; 64],
    panic: [u8; 8],
    plugin_api: [u8; 16],
    name: [u8; 64],
    version: [u8; 32],
    exports: [u8; 1024],
}

impl RawRecord {
    pub(crate) const MAGIC: [u8; 16] = *b"flops-fit plugin";
    /// Bytes of the part that never changes.
    pub(crate) const HEAD: usize = 28;
    pub(crate) const SIZE: usize = size_of::<Self>();

    /// The record of a plugin, for `export_plugin!`. `exports` is one line an
    /// export: `model gpt`.
    pub const fn new(
        [tch, libtorch, rustc, plugin_api]: [&str; 4],
        name: &str,
        version: &str,
        exports: &str,
    ) -> Self {
        Self {
            magic: Self::MAGIC,
            abi_major: ABI_MAJOR.to_le_bytes(),
            abi_minor: ABI_MINOR.to_le_bytes(),
            length: (Self::SIZE as u32).to_le_bytes(),
            tch: fixed(tch),
            libtorch: fixed(libtorch),
            rustc: fixed(rustc),
            panic: fixed("unwind"),
            plugin_api: fixed(plugin_api),
            name: fixed(name),
            version: fixed(version),
            exports: fixed(exports),
        }
    }

    /// What the bytes say.
    pub fn decode(&self) -> Record {
        Record {
            abi: (
                u32::from_le_bytes(self.abi_major),
                u32::from_le_bytes(self.abi_minor),
            ),
            tch: unpad(&self.tch),
            libtorch: unpad(&self.libtorch),
            rustc: unpad(&self.rustc),
            panic: unpad(&self.panic),
            plugin_api: unpad(&self.plugin_api),
            name: unpad(&self.name),
            version: unpad(&self.version),
            exports: unpad(&self.exports)
                .lines()
                .filter_map(Export::parse)
                .collect(),
        }
    }

    /// Takes the record out of a section's bytes; `None` if they are too few.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        Some(Self {
            magic: take(&mut rest)?,
            abi_major: take(&mut rest)?,
            abi_minor: take(&mut rest)?,
            length: take(&mut rest)?,
            tch: take(&mut rest)?,
            libtorch: take(&mut rest)?,
            rustc: take(&mut rest)?,
            panic: take(&mut rest)?,
            plugin_api: take(&mut rest)?,
            name: take(&mut rest)?,
            version: take(&mut rest)?,
            exports: take(&mut rest)?,
        })
    }
}

fn take<const LEN: usize>(rest: &mut &[u8]) -> Option<[u8; LEN]> {
    let (head, tail) = rest.split_first_chunk()?;
    *rest = tail;
    Some(*head)
}

/// What a plugin library says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Major and minor version of the plugin ABI.
    pub abi: (u32, u32),
    /// Version of tch.
    pub tch: String,
    /// Version of libtorch.
    pub libtorch: String,
    /// The compiler, for information.
    pub rustc: String,
    /// Panic strategy: `unwind`.
    pub panic: String,
    /// Version of flops-fit-plugin.
    pub plugin_api: String,
    /// The plugin's package name.
    pub name: String,
    /// The plugin's package version.
    pub version: String,
    /// What it exports.
    pub exports: Vec<Export>,
}

impl Record {
    /// The kinds of one sort that it exports, in the author's order.
    pub fn kinds(&self, what: What) -> Vec<&str> {
        self.exports
            .iter()
            .filter(|e| e.what == what)
            .map(|e| e.kind.as_str())
            .collect()
    }
}

/// One export of a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// Model, dataset or loss.
    pub what: What,
    /// Its name in manifests.
    pub kind: String,
}

impl Export {
    fn parse(line: &str) -> Option<Self> {
        let (what, kind) = line.split_once(' ')?;
        let what = [What::Model, What::Dataset, What::Loss]
            .into_iter()
            .find(|w| w.as_str() == what)?;
        Some(Self {
            what,
            kind: kind.to_owned(),
        })
    }
}

/// The three things that a plugin can export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum What {
    /// A model.
    Model,
    /// A dataset.
    Dataset,
    /// A loss.
    Loss,
}

impl What {
    /// `model`, `dataset` or `loss`: also the manifest's section.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Dataset => "dataset",
            Self::Loss => "loss",
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
