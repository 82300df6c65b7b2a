//! The GPUs that `run.devices = "auto"` finds.

use std::{env, fs, path::Path};

/// Where NVIDIA's driver has a folder for each GPU.
const DRIVER: &str = "/proc/driver/nvidia/gpus";

/// What CUDA shows of them to this process and its workers.
const VISIBLE: &str = "CUDA_VISIBLE_DEVICES";

/// How many CUDA devices workers are going to see.
pub(super) fn visible() -> usize {
    let shown = env::var(VISIBLE).ok();
    count(Path::new(DRIVER), shown.as_deref())
}

/// As many as the driver has, or as the list `shown` has up to the first that is none,
/// as CUDA reads it.
fn count(driver: &Path, shown: Option<&str>) -> usize {
    let there = fs::read_dir(driver).map_or(0, |folders| folders.flatten().count());
    let Some(shown) = shown else {
        return there;
    };
    let is_one = |name: &&str| {
        let number = name.parse::<usize>();
        number.map_or(name.starts_with("GPU-") || name.starts_with("MIG-"), |n| {
            n < there
        })
    };
    let names = shown.split(',').map(str::trim);
    names.take_while(is_one).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_driver_counts_and_the_variable_hides() {
        let folder = tempfile::tempdir().expect("temporary folder");
        assert_eq!(count(&folder.path().join("none"), None), 0);
        for name in ["0000:01:00.0", "0000:02:00.0", "0000:03:00.0"] {
            fs::create_dir(folder.path().join(name)).expect("made");
        }
        let shown = |list| count(folder.path(), list);
        assert_eq!(shown(None), 3);
        assert_eq!(shown(Some("0,2")), 2);
        assert_eq!(shown(Some("")), 0);
        assert_eq!(shown(Some("-1")), 0);
        assert_eq!(shown(Some("1, 7, 2")), 1);
        assert_eq!(shown(Some("GPU-8932f937,1")), 2);
        assert_eq!(count(&folder.path().join("none"), Some("0")), 0);
    }
}
