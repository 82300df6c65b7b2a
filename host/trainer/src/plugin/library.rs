//! Opens a plugin library, in the order that runs the least of its code before
//! it is known to fit.

use std::{
    mem::ManuallyDrop,
    path::{Path, PathBuf},
};

use abi_stable::library::AbiHeaderRef;
use flops_fit_plugin::{
    LIBTORCH_VERSION, TCH_VERSION,
    abi::{HEADER_SYMBOL, RootRef},
};
use flops_fit_record::{HostVersions, Record, RecordError, What};
use flops_fit_trial::Failure;
use libloading::os::unix::{Library as Handle, RTLD_LOCAL, RTLD_NOW};

/// What to do about a plugin of another layout.
const REBUILD: &str =
    "rebuild it against this version's flops-fit-plugin with `cargo build --release --lib`";

/// An open plugin library.
pub struct Library {
    pub(super) record: Record,
    pub(super) root: RootRef,
    // Never closed; kept so that nobody else's close is the last one.
    _handle: ManuallyDrop<Handle>,
}

impl Library {
    /// Reads the record, compares it, then opens the file and checks the layout
    /// of its tables before the first of its functions is called.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let record = flops_fit_record::read(path).map_err(unfit)?;
        record
            .check(HostVersions {
                tch: TCH_VERSION,
                libtorch: LIBTORCH_VERSION,
            })
            .map_err(|error| incompatible(path, error))?;
        let load_failed = |error: libloading::Error| {
            let detail = linkers_words(&error);
            Failure::LoadFailed {
                path: path.to_owned(),
                symbol: undefined_symbol(&detail),
                detail,
            }
        };
        // SAFETY: opening runs the library's static constructors. That is the user's
        // own code, in a process that exists for it.
        let handle =
            unsafe { Handle::open(Some(path), RTLD_NOW | RTLD_LOCAL) }.map_err(load_failed)?;
        // SAFETY: the record says that `export_plugin!` of a matching ABI made this
        // library, so the symbol is a static abi_stable header.
        let header =
            unsafe { handle.get::<AbiHeaderRef>(HEADER_SYMBOL.as_bytes()) }.map_err(load_failed)?;
        let refuse = |built: &str, layouts| Failure::Incompatible {
            path: path.to_owned(),
            built: built.to_owned(),
            host: format!("flops-fit-plugin {}", flops_fit_plugin::PLUGIN_API_VERSION),
            fix: REBUILD.to_owned(),
            layouts,
        };
        let header = (*header)
            .upgrade()
            .map_err(|_| refuse("another version of abi_stable", None))?;
        if header.layout().is_none() {
            return Err(refuse("the layout check switched off", None));
        }
        let root = header.init_root_module::<RootRef>().map_err(|error| {
            refuse(
                "another layout of the plugin tables",
                Some(error.to_string()),
            )
        })?;
        Ok(Self {
            record,
            root,
            _handle: ManuallyDrop::new(handle),
        })
    }

    /// The plugin's declared name.
    pub fn name(&self) -> &str {
        &self.record.name
    }

    /// The plugin's declared version.
    pub fn version(&self) -> &str {
        &self.record.version
    }

    pub(super) fn unknown_kind(&self, what: What, wanted: &str) -> Failure {
        Failure::UnknownKind {
            plugin: self.record.name.clone(),
            what: what.to_string(),
            wanted: wanted.to_owned(),
            available: self
                .record
                .kinds(what)
                .into_iter()
                .map(str::to_owned)
                .collect(),
        }
    }
}

/// libloading says which call failed; the cause below it says why.
pub(crate) fn linkers_words(error: &libloading::Error) -> String {
    let cause = std::error::Error::source(error);
    cause.map_or_else(|| error.to_string(), ToString::to_string)
}

/// The symbol in `…: undefined symbol: name, version …`.
fn undefined_symbol(words: &str) -> Option<String> {
    let (_, name) = words.split_once("undefined symbol: ")?;
    let end = name.find([',', ' ', '\n']).unwrap_or(name.len());
    Some(name[..end].to_owned())
}

fn unfit(error: RecordError) -> Failure {
    match error {
        RecordError::NotAPlugin { path, why } => Failure::NotAPlugin { path, why },
        RecordError::Unreadable { path, source } => Failure::NotAPlugin {
            path,
            why: source.to_string(),
        },
        RecordError::Truncated {
            path,
            promised,
            found,
        } => Failure::Truncated {
            path,
            promised,
            found,
        },
        RecordError::WrongArchitecture {
            path,
            found,
            expected,
        } => Failure::WrongArchitecture {
            path,
            found,
            expected: expected.to_owned(),
        },
    }
}

fn incompatible(path: &Path, error: flops_fit_record::Incompatible) -> Failure {
    Failure::Incompatible {
        path: PathBuf::from(path),
        built: error.built,
        host: error.host,
        fix: error.fix,
        layouts: None,
    }
}
