//! What a machine must be and have before libtorch is of any use: Linux on
//! x86-64, and a C++ compiler that torch-sys can be built with.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::environment::Environment;
use super::error::Error;

/// Includes a header that came with C++17, so that a compiler without its
/// standard library's headers fails here and not minutes into a build.
const PROBE: &[u8] = b"#include <optional>\nint main() { return std::optional<int>(0).value(); }\n";

/// Refuses platforms that no libtorch is set up for.
pub(super) fn check(environment: &Environment) -> Result<(), Error> {
    if environment.os == "linux" && environment.arch == "x86_64" {
        Ok(())
    } else {
        Err(Error::Platform {
            os: environment.os.clone(),
            arch: environment.arch.clone(),
        })
    }
}

/// The C++ compiler that cargo builds will use, tried on a tiny program.
///
/// The order is that of the `cc` crate, by which torch-sys is compiled: `CXX`
/// (which may carry arguments or a wrapper such as ccache), then `c++`.
pub(crate) fn compiler(environment: &Environment) -> Result<PathBuf, Error> {
    let words: Vec<OsString> = match &environment.cxx {
        Some(cxx) => cxx
            .to_string_lossy()
            .split_whitespace()
            .map(OsString::from)
            .collect(),
        None => vec!["c++".into()],
    };
    let Some((program, arguments)) = words.split_first() else {
        return Err(Error::NoCompiler {
            tried: vec!["CXX, which is blank".to_owned()],
        });
    };
    let Some(compiler) = environment.find(program) else {
        return Err(missing(environment, program));
    };
    try_out(&compiler, arguments)?;
    Ok(compiler)
}

fn missing(environment: &Environment, program: &OsString) -> Error {
    let others = ["g++", "clang++"];
    if environment.cxx.is_some() {
        return Error::NoCompiler {
            tried: vec![format!("{} from CXX", program.display())],
        };
    }
    match others.iter().find_map(|name| environment.find(name)) {
        Some(found) => Error::CompilerNotDefault { found },
        None => Error::NoCompiler {
            tried: ["c++"]
                .iter()
                .chain(&others)
                .map(ToString::to_string)
                .collect(),
        },
    }
}

fn try_out(compiler: &PathBuf, arguments: &[OsString]) -> Result<(), Error> {
    let unusable = |detail: String| Error::CompilerUnusable {
        compiler: compiler.clone(),
        detail,
    };
    let mut child = Command::new(compiler)
        .args(arguments)
        .args(["-std=c++17", "-fsyntax-only", "-x", "c++", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| unusable(error.to_string()))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A compiler that ends without reading is judged by its status below.
        let _ = stdin.write_all(PROBE);
    }
    let output = child
        .wait_with_output()
        .map_err(|error| unusable(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    let line = stderr
        .lines()
        .find(|line| line.contains("error"))
        .or_else(|| stderr.lines().next())
        .map_or_else(|| output.status.to_string(), |line| line.trim().to_owned());
    Err(unusable(line))
}
