//! Manifests that come with flops-fit, to be named in `extends`: budgets, batches and
//! limits for a purpose, without a model.

/// A preset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preset {
    /// What `extends` names it by.
    pub name: &'static str,
    /// Its manifest.
    pub text: &'static str,
}

/// All presets, cheapest first.
pub const PRESETS: [Preset; 5] = [
    Preset {
        name: "quick",
        text: include_str!("../../presets/quick.toml"),
    },
    Preset {
        name: "demo",
        text: include_str!("../../presets/demo.toml"),
    },
    Preset {
        name: "cpu-overnight",
        text: include_str!("../../presets/cpu-overnight.toml"),
    },
    Preset {
        name: "single-gpu",
        text: include_str!("../../presets/single-gpu.toml"),
    },
    Preset {
        name: "node",
        text: include_str!("../../presets/node.toml"),
    },
];

/// Whether a value of `extends` names a preset rather than a file: a file's has a
/// folder or an extension.
pub(super) fn is_name(base: &str) -> bool {
    !base.contains(['/', '.'])
}

/// The preset `name`.
pub(super) fn find(name: &str) -> Option<Preset> {
    PRESETS.into_iter().find(|preset| preset.name == name)
}
