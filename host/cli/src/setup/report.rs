//! What a finished set-up tells: as sentences for a person, as an object for a
//! program.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use super::locate::Origin;
use super::release::Variant;

/// The outcome of a set-up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The libtorch folder.
    pub libtorch: PathBuf,
    /// Its version, local part left out.
    pub version: String,
    /// Whether it has GPU libraries.
    pub variant: Variant,
    /// How it was come by.
    pub origin: Origin,
    /// The link that leads to it, if one was asked for or is usual here.
    pub link: Option<PathBuf>,
    /// Whether the link led to another variant before: torch-sys notices such
    /// a change only when it is built anew.
    pub rebuild_torch_sys: bool,
    /// The C++ compiler that builds will use.
    pub compiler: PathBuf,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let home = self.libtorch.display();
        write!(
            f,
            "libtorch {} ({}) is in {home}",
            self.version, self.variant
        )?;
        match &self.origin {
            Origin::Variable => writeln!(f, ", as LIBTORCH says")?,
            Origin::Linked => writeln!(f, ", where the link led already")?,
            Origin::Cache => writeln!(f, ", set up earlier")?,
            Origin::Python { python } => {
                writeln!(f, ", linked to the torch of {}", python.display())?;
            }
            Origin::Pip { python } => {
                writeln!(f, ", downloaded by the pip of {}", python.display())?;
            }
        }
        match &self.link {
            Some(link) => writeln!(f, "cargo finds it by the link {}", link.display())?,
            None if self.origin == Origin::Variable => {}
            None => write!(
                f,
                "Before you build a plugin, tell cargo where it is, in your shell:\n\n    \
                 export LIBTORCH={home}\n\n\
                 or, once for all, in .cargo/config.toml beside your Cargo.toml:\n\n    \
                 [env]\n    LIBTORCH = \"{home}\"\n"
            )?,
        }
        if self.rebuild_torch_sys {
            writeln!(
                f,
                "The link led to another libtorch before: run `cargo clean --release -p torch-sys` \
                 so that the next build links this one."
            )?;
        }
        Ok(())
    }
}
