//! Where the workspace's things are, and cargo as the chores call it.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The clone that this xtask was built from.
#[derive(Debug, Clone)]
pub(crate) struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// The workspace around the running program: cargo tells a program that it
    /// runs where its package is.
    pub(crate) fn of_this_program() -> Self {
        let package = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = package.parent().unwrap_or(&package).to_owned();
        Self { root }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A path from the workspace's root.
    pub(crate) fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.join(relative)
    }

    /// cargo's output folder.
    pub(crate) fn target(&self) -> PathBuf {
        env::var_os("CARGO_TARGET_DIR").map_or_else(|| self.path("target"), |path| self.path(path))
    }

    /// A program of this workspace, once it is built.
    pub(crate) fn built(&self, name: &str) -> PathBuf {
        self.target().join("release").join(name)
    }

    /// cargo, to be run in the root.
    ///
    /// cargo has set `LIBTORCH` for this program from `.cargo/config.toml`.
    /// That is taken out again, and so is what cargo says of the package it runs
    /// (some build scripts watch it), so that a build started from here and one
    /// started by hand see the same variables and share what they compile.
    pub(crate) fn cargo(&self, subcommand: &str) -> Command {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(&self.root).arg(subcommand);
        if env::var_os("LIBTORCH").is_some_and(|path| path == *self.path(".libtorch")) {
            cargo.env_remove("LIBTORCH");
        }
        for (name, _) in env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"CARGO_PKG_")
                || name.as_encoded_bytes().starts_with(b"CARGO_MANIFEST_")
            {
                cargo.env_remove(name);
            }
        }
        cargo
    }

    /// The folder for tools that are built once for all clones of a user.
    pub(crate) fn tools(&self) -> PathBuf {
        let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
        set("FLOPS_FIT_CACHE")
            .map(PathBuf::from)
            .or_else(|| set("XDG_CACHE_HOME").map(|path| Path::new(&path).join("flops-fit")))
            .or_else(|| set("HOME").map(|path| Path::new(&path).join(".cache/flops-fit")))
            .unwrap_or_else(|| self.target())
            .join("tools")
    }
}
