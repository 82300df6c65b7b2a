//! Installed Pythons: which have torch, and their packages as a source of
//! libtorch. Python is asked without importing torch, which takes seconds and
//! may fail for reasons that don't concern its libraries.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use super::error::Error;
use super::layout::Source;

/// Prints what is asked for as one JSON object. The current folder, which `-c`
/// puts first, may hold a folder called torch that is no package.
const PROBE: &str = r#"
import sys
sys.path = [p for p in sys.path if p]
import importlib.metadata, importlib.util, json
spec = importlib.util.find_spec("torch")
nvidia = importlib.util.find_spec("nvidia")
print(json.dumps({
    "version": importlib.metadata.version("torch"),
    "torch": list(spec.submodule_search_locations)[0],
    "nvidia": list(nvidia.submodule_search_locations) if nvidia else [],
}))
"#;

/// A torch package that is installed in some Python.
#[derive(Debug, Deserialize)]
pub(super) struct InstalledTorch {
    /// Version of the package, local part included.
    pub(super) version: String,
    torch: PathBuf,
    nvidia: Vec<PathBuf>,
}

/// The torch that `python` would import; `None` if it has none or is too old
/// to be asked.
pub(super) fn torch_of(python: &Path) -> Option<InstalledTorch> {
    let output = Command::new(python)
        .args(["-c", PROBE])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| serde_json::from_slice(&output.stdout).ok())?
}

/// The files of an installed torch; they are linked to, not copied.
pub(super) struct SitePackages {
    torch: PathBuf,
    libraries: BTreeMap<String, PathBuf>,
}

impl SitePackages {
    pub(super) fn of(installed: &InstalledTorch) -> Self {
        let mut folders = vec![installed.torch.join("lib")];
        for nvidia in &installed.nvidia {
            folders.extend(entries(nvidia).map(|package| package.join("lib")));
        }
        let mut libraries = BTreeMap::new();
        for path in folders.iter().flat_map(|folder| entries(folder)) {
            let name = path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .filter(|name| name.contains(".so"));
            if let Some(name) = name {
                libraries.entry(name).or_insert(path);
            }
        }
        Self {
            torch: installed.torch.clone(),
            libraries,
        }
    }

    fn link(&self, inner: &str, to: &Path) -> Result<bool, Error> {
        link(&self.torch.join(inner), to)
    }
}

impl Source for SitePackages {
    fn libraries(&self) -> BTreeSet<String> {
        self.libraries.keys().cloned().collect()
    }

    fn place_library(&mut self, name: &str, to: &Path) -> Result<bool, Error> {
        match self.libraries.get(name) {
            Some(path) => link(path, to),
            None => Ok(false),
        }
    }

    fn place_headers(&mut self, to: &Path) -> Result<bool, Error> {
        self.link("include", to)
    }

    fn place_version(&mut self, to: &Path) -> Result<bool, Error> {
        self.link("version.py", to)
    }

    fn folder(&self) -> &Path {
        &self.torch
    }
}

fn link(from: &Path, to: &Path) -> Result<bool, Error> {
    if !from.exists() {
        return Ok(false);
    }
    symlink(from, to).map_err(Error::io("link", to))?;
    Ok(true)
}

/// What is in `folder`, in a fixed order; nothing if it can't be listed.
fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    paths.sort();
    paths.into_iter()
}
