//! A machine made of a temporary folder: its own cache, its own PATH with
//! scripts for Python and the compiler, and libraries small enough to build in
//! a moment but real enough for the checks.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{OnceLock, PoisonError, RwLock, RwLockReadGuard};

use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::setup::{Environment, Error, Options, Report, run_in};

/// Held for writing while a script is written, for reading while programs are
/// started: a child that is forked at that moment keeps the script open for
/// writing until it execs, and Linux won't run a file that is ("text file
/// busy").
static SCRIPTS: RwLock<()> = RwLock::new(());

/// No script is written while this is held: for tests that start programs.
pub(crate) fn no_script_is_written() -> RwLockReadGuard<'static, ()> {
    SCRIPTS.read().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) struct Machine {
    folder: TempDir,
    pub(crate) environment: Environment,
}

impl Machine {
    /// With a compiler, and nothing else.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(&path).unwrap();
            path
        };
        let environment = Environment {
            os: "linux".to_owned(),
            arch: "x86_64".to_owned(),
            libtorch: None,
            cache: at("cache"),
            virtual_env: None,
            path: vec![at("bin")],
            cxx: None,
            folder: at("work"),
        };
        let machine = Self {
            folder,
            environment,
        };
        machine.program("c++", "cat > /dev/null");
        machine
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Puts a shell script on the machine's PATH.
    pub(crate) fn program(&self, name: &str, body: &str) {
        let path = self.path("bin").join(name);
        let _alone = SCRIPTS.write().unwrap_or_else(PoisonError::into_inner);
        fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A Python without torch, whose `pip download` runs `body` with `$dest`
    /// set to the folder for the wheels.
    pub(crate) fn python_with_pip(&self, body: &str) {
        self.program(
            "python3",
            &format!(
                r#"[ "$1" = -c ] && exit 1
                [ "$3" = --version ] && exit 0
                echo "$@" > {log}
                while [ "$1" != --dest ]; do shift; done
                dest=$2
                {body}"#,
                log = self.path("pip-arguments").display(),
            ),
        );
    }

    /// A Python that answers the probe for torch with `version` in `site`.
    pub(super) fn python_with_torch(&self, version: &str, site: &Path) {
        let site = site.display();
        self.program(
            "python3",
            &format!(
                r#"[ "$1" = -c ] || exit 1
                echo '{{"version": "{version}", "torch": "{site}/torch", "nvidia": ["{site}/nvidia"]}}'"#
            ),
        );
    }

    /// The wheels that a CPU libtorch is made from, and a library that it
    /// leaves out.
    pub(crate) fn wheels(&self) -> PathBuf {
        let folder = self.path("index");
        fs::create_dir_all(&folder).unwrap();
        let libraries = libraries();
        let read = |name: &str| fs::read(libraries.join(name)).unwrap();
        write_zip(
            &folder.join("torch-2.13.0-cp311-cp311-manylinux_2_28_x86_64.whl"),
            &[
                (
                    "torch/version.py",
                    b"__version__ = '2.13.0+cu130'\n".to_vec(),
                ),
                (
                    "torch/include/torch/csrc/api/include/torch/torch.h",
                    b"#pragma once\n".to_vec(),
                ),
                ("torch/lib/libtorch_cpu.so", read("libtorch_cpu.so")),
                ("torch/lib/libc10.so", read("libc10.so")),
                ("torch/lib/libtorch_cuda.so", b"gigabytes".to_vec()),
            ],
        );
        write_zip(
            &folder.join("nvidia_cuda_runtime-13.0.96-py3-none-manylinux2014_x86_64.whl"),
            &[("nvidia/cu13/lib/libcudart.so.13", read("libcudart.so.13"))],
        );
        folder
    }

    /// What `pip` would have installed from [`Self::wheels`].
    pub(super) fn site_packages(&self) -> PathBuf {
        let site = self.path("site-packages");
        let wheels = self.wheels();
        for entry in fs::read_dir(wheels).unwrap() {
            let file = File::open(entry.unwrap().path()).unwrap();
            zip::ZipArchive::new(file).unwrap().extract(&site).unwrap();
        }
        site
    }

    pub(crate) fn set_up(&self, options: &Options) -> (Result<Report, Error>, String) {
        let mut progress = Vec::new();
        let result = self.starting(|environment| run_in(options, environment, &mut progress));
        (result, String::from_utf8(progress).unwrap())
    }

    /// Runs what may start the machine's programs.
    pub(crate) fn starting<T>(&self, run: impl FnOnce(&Environment) -> T) -> T {
        let _many = no_script_is_written();
        run(&self.environment)
    }
}

/// `libtorch_cpu.so`, which needs `libc10.so` and `libcudart.so.13`.
pub(super) fn libraries() -> &'static Path {
    static BUILT: OnceLock<TempDir> = OnceLock::new();
    let folder = BUILT.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        build(folder.path(), "libc10.so", &[]);
        build(folder.path(), "libcudart.so.13", &[]);
        build(
            folder.path(),
            "libtorch_cpu.so",
            &["-l:libc10.so", "-l:libcudart.so.13"],
        );
        folder
    });
    folder.path()
}

fn build(folder: &Path, name: &str, needs: &[&str]) {
    let _many = no_script_is_written();
    let status = Command::new("c++")
        .current_dir(folder)
        .args(["-shared", "-nostdlib", "-Wl,--no-as-needed", "-o", name])
        .arg(format!("-Wl,-soname,{name}"))
        .args(["-x", "c++", "/dev/null", "-x", "none", "-L."])
        .args(needs)
        .stdin(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "building {name} failed");
}

fn write_zip(path: &Path, files: &[(&str, Vec<u8>)]) {
    let mut zip = ZipWriter::new(File::create(path).unwrap());
    for (name, content) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap();
}
