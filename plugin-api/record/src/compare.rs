//! Whether a plugin fits this host.

use crate::{ABI_MAJOR, ABI_MINOR, Record};

/// Versions of the host that must be those of the plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostVersions<'a> {
    /// Version of tch.
    pub tch: &'a str,
    /// Version of libtorch, without a local part such as `+cu130`.
    pub libtorch: &'a str,
}

/// One sentence for each way not to fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("plugin {plugin} was built with {built}, this flops-fit has {host}; {fix}")]
pub struct Incompatible {
    /// The plugin's name and version.
    pub plugin: String,
    /// What it was built with.
    pub built: String,
    /// What the host has.
    pub host: String,
    /// How to rebuild.
    pub fix: String,
}

impl Record {
    /// Compares the ABI alone: all that the parent, which has no libtorch, can
    /// know.
    pub fn check_abi(&self) -> Result<(), Incompatible> {
        if self.abi.0 == ABI_MAJOR {
            return Ok(());
        }
        let fix = if self.abi.0 < ABI_MAJOR {
            "set the plugin's flops-fit-plugin dependency to this flops-fit's version and run `cargo build --release --lib`"
        } else {
            "upgrade flops-fit, or build the plugin against this version's flops-fit-plugin"
        };
        Err(self.refuse(
            format!(
                "plugin ABI {}.{} (flops-fit-plugin {})",
                self.abi.0, self.abi.1, self.plugin_api
            ),
            format!("plugin ABI {ABI_MAJOR}.{ABI_MINOR}"),
            fix.to_owned(),
        ))
    }

    /// Compares ABI, tch and libtorch. Tensors cross the boundary as C++
    /// objects, so the last two must be equal, not merely close.
    pub fn check(&self, host: HostVersions<'_>) -> Result<(), Incompatible> {
        self.check_abi()?;
        if self.panic != "unwind" {
            return Err(self.refuse(
                format!("panic = \"{}\"", self.panic),
                "panic = \"unwind\"".to_owned(),
                "remove `panic` from the plugin's [profile.release]".to_owned(),
            ));
        }
        for (what, built, has) in [
            ("tch", self.tch.as_str(), host.tch),
            ("libtorch", self.libtorch.as_str(), host.libtorch),
        ] {
            if built != has {
                return Err(self.refuse(
                    format!("{what} {built}"),
                    format!("{what} {has}"),
                    "run `flops-fit setup` in the plugin's folder, then `cargo build --release --lib`".to_owned(),
                ));
            }
        }
        Ok(())
    }

    fn refuse(&self, built: String, host: String, fix: String) -> Incompatible {
        Incompatible {
            plugin: format!("{} {}", self.name, self.version),
            built,
            host,
            fix,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RawRecord;

    #[test]
    fn equal_or_refused_with_the_fix() {
        let record = RawRecord::new(
            ["0.26.0", "2.13.0", "rustc", "0.1.0"],
            "mine",
            "1.2.3",
            "model a\nloss b",
        )
        .decode();
        let host = HostVersions {
            tch: "0.26.0",
            libtorch: "2.13.0",
        };
        assert_eq!(record.check(host), Ok(()));

        let check = |record: &Record, want: &str| {
            let error = record.check(host).expect_err("refused").to_string();
            assert!(
                error.contains(want) && error.contains("mine 1.2.3"),
                "{error}"
            );
        };
        check(
            &Record {
                libtorch: "2.12.0".into(),
                ..record.clone()
            },
            "libtorch 2.12.0",
        );
        check(
            &Record {
                tch: "0.25.0".into(),
                ..record.clone()
            },
            "tch 0.25.0",
        );
        check(
            &Record {
                abi: (ABI_MAJOR - 1, 7),
                ..record.clone()
            },
            "cargo build --release --lib",
        );
        check(
            &Record {
                abi: (ABI_MAJOR + 1, 0),
                ..record.clone()
            },
            "upgrade flops-fit",
        );
        check(
            &Record {
                panic: "abort".into(),
                ..record.clone()
            },
            "panic = \"abort\"",
        );
        assert_eq!(
            Record {
                abi: (ABI_MAJOR, ABI_MINOR + 1),
                ..record
            }
            .check(host),
            Ok(())
        );
    }
}
