//! Downloaded wheels as a source of libtorch: of the gigabytes in them only
//! what is asked for is unpacked.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Component, Path, PathBuf};

use zip::ZipArchive;
use zip::result::ZipError;

use super::error::Error;
use super::layout::Source;

const HEADERS: &str = "torch/include/";

/// All wheels of one folder, opened.
pub(super) struct Wheels {
    folder: PathBuf,
    archives: Vec<Archive>,
    /// Library file name → number of its archive, path inside it.
    libraries: BTreeMap<String, (usize, String)>,
}

struct Archive {
    path: PathBuf,
    zip: ZipArchive<BufReader<File>>,
}

impl Wheels {
    /// Opens every `*.whl` in `folder`.
    pub(super) fn open(folder: &Path) -> Result<Self, Error> {
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder).map_err(Error::io("list", folder))? {
            let path = entry.map_err(Error::io("list", folder))?.path();
            if path.extension().is_some_and(|extension| extension == "whl") {
                paths.push(path);
            }
        }
        paths.sort();
        let mut wheels = Self {
            folder: folder.to_owned(),
            archives: Vec::new(),
            libraries: BTreeMap::new(),
        };
        for path in paths {
            wheels.add(path)?;
        }
        Ok(wheels)
    }

    fn add(&mut self, path: PathBuf) -> Result<(), Error> {
        let file = File::open(&path).map_err(Error::io("open", &path))?;
        let zip = ZipArchive::new(BufReader::new(file)).map_err(unreadable(&path))?;
        let archive = Archive { path, zip };
        let number = self.archives.len();
        for inner in archive.names()? {
            if let Some(name) = library_name(&inner) {
                let name = name.to_owned();
                self.libraries.entry(name).or_insert((number, inner));
            }
        }
        self.archives.push(archive);
        Ok(())
    }
}

impl Source for Wheels {
    fn libraries(&self) -> BTreeSet<String> {
        self.libraries.keys().cloned().collect()
    }

    fn place_library(&mut self, name: &str, to: &Path) -> Result<bool, Error> {
        let Some((number, inner)) = self.libraries.get(name) else {
            return Ok(false);
        };
        self.archives[*number].unpack(inner, to)?;
        Ok(true)
    }

    fn place_headers(&mut self, to: &Path) -> Result<bool, Error> {
        let mut any = false;
        for archive in &mut self.archives {
            for inner in archive.names()? {
                if let Some(relative) = header_path(&inner) {
                    archive.unpack(&inner, &to.join(relative))?;
                    any = true;
                }
            }
        }
        Ok(any)
    }

    fn place_version(&mut self, to: &Path) -> Result<bool, Error> {
        let name = "torch/version.py";
        for archive in &mut self.archives {
            if archive.zip.index_for_name(name).is_some() {
                archive.unpack(name, to)?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Archive {
    fn names(&self) -> Result<Vec<String>, Error> {
        self.zip
            .file_names()
            .map(|name| name.map(Cow::into_owned))
            .collect::<Result<_, _>>()
            .map_err(unreadable(&self.path))
    }

    /// Writes one file of the archive out; its checksum is compared as it is read.
    fn unpack(&mut self, inner: &str, to: &Path) -> Result<(), Error> {
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
        }
        let mut from = self.zip.by_name(inner).map_err(unreadable(&self.path))?;
        let file = File::create(to).map_err(Error::io("create", to))?;
        let mut writer = BufWriter::with_capacity(1 << 20, file);
        io::copy(&mut from, &mut writer)
            .and_then(|_| writer.flush())
            .map_err(Error::io("unpack", to))
    }
}

fn unreadable(path: &Path) -> impl FnOnce(ZipError) -> Error {
    let path = path.to_owned();
    move |source| Error::Wheel { path, source }
}

/// The file name of a shared library that a wheel installs for the loader:
/// `torch/lib/*.so*`, or `nvidia/<package>/lib/*.so*`.
fn library_name(inner: &str) -> Option<&str> {
    let (folder, name) = inner.rsplit_once('/')?;
    let of_torch = folder == "torch/lib";
    let of_nvidia = folder.starts_with("nvidia/") && folder.ends_with("/lib");
    ((of_torch || of_nvidia) && name.contains(".so")).then_some(name)
}

/// Where a header belongs in the header folder. A path that climbs out of its
/// folder is none that a sound wheel has.
fn header_path(inner: &str) -> Option<&Path> {
    let relative = Path::new(inner.strip_prefix(HEADERS)?);
    let inside = relative
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    (inside && !inner.ends_with('/')).then_some(relative)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_libraries_for_the_loader_count() {
        assert_eq!(library_name("torch/lib/libc10.so"), Some("libc10.so"));
        assert_eq!(
            library_name("nvidia/cu13/lib/libcudart.so.13"),
            Some("libcudart.so.13")
        );
        for other in [
            "torch/_C.cpython-311-x86_64-linux-gnu.so",
            "torch/lib/libtorch.a",
            "nvidia/cu13/include/cuda.h",
            "libc10.so",
        ] {
            assert_eq!(library_name(other), None, "{other}");
        }
    }

    #[test]
    fn headers_stay_inside_their_folder() {
        let header = "torch/include/ATen/ATen.h";
        assert_eq!(header_path(header), Some(Path::new("ATen/ATen.h")));
        for other in [
            "torch/include/ATen/",
            "torch/include/../../../etc/passwd",
            "torch/include//etc/passwd",
            "torch/lib/libc10.so",
        ] {
            assert_eq!(header_path(other), None, "{other}");
        }
    }
}
