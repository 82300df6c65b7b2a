//! Finds a libtorch that is there already: named by `LIBTORCH`, behind the
//! workspace's link, or set up in the cache.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::environment::Environment;
use super::error::Error;
use super::link;
use super::release::Variant;
use super::slot::Slot;
use super::verify;

/// A libtorch that passed verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) home: PathBuf,
    pub(crate) variant: Variant,
    pub(crate) origin: Origin,
}

/// How libtorch was come by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
#[non_exhaustive]
pub enum Origin {
    /// The `LIBTORCH` variable named it.
    Variable,
    /// The workspace's `.libtorch` link led to it.
    Linked,
    /// An earlier set-up had put it into the cache.
    Cache,
    /// Linked together from a Python that has torch.
    Python { python: PathBuf },
    /// Unpacked from wheels that pip downloaded.
    Pip { python: PathBuf },
}

/// The libtorch to use without making one; `None` if one has to be made.
///
/// `roots` are the workspaces whose own link does not count as a `LIBTORCH`
/// set by the user. Candidates that are there but unusable are named on
/// `progress`; only one that the user asked for by `LIBTORCH` is an error.
pub(crate) fn existing(
    environment: &Environment,
    roots: &[PathBuf],
    wanted: Variant,
    progress: &mut dyn Write,
) -> Result<Option<Found>, Error> {
    if let Some(path) = by_variable(environment, roots) {
        return match verify::check(path, wanted) {
            Ok(variant) => Ok(Some(Found {
                home: path.to_owned(),
                variant,
                origin: Origin::Variable,
            })),
            Err(flaw) => Err(Error::LibtorchVariable {
                path: path.to_owned(),
                flaw,
            }),
        };
    }
    let linked = roots.iter().filter_map(|root| {
        let home = root.join(link::LINK).canonicalize().ok()?;
        Some((home, Origin::Linked))
    });
    let cached = [Variant::Cpu, Variant::Cuda]
        .into_iter()
        .map(|variant| Slot::of(&environment.cache, variant))
        .filter(Slot::is_complete)
        .map(|slot| (slot.home(), Origin::Cache));
    for (home, origin) in linked.chain(cached) {
        match verify::check(&home, wanted) {
            Ok(variant) => {
                return Ok(Some(Found {
                    home,
                    variant,
                    origin,
                }));
            }
            // A CPU libtorch is no fault where the GPU's is wanted.
            Err(verify::Flaw::NoCuda) => {}
            Err(flaw) => {
                let _ = writeln!(progress, "not using {}: {flaw}", home.display());
            }
        }
    }
    Ok(None)
}

fn by_variable<'a>(environment: &'a Environment, roots: &[PathBuf]) -> Option<&'a Path> {
    let path = environment.libtorch.as_deref()?;
    (!roots.iter().any(|root| link::is_link_of(path, root))).then_some(path)
}
