//! What can be asked of `cargo xtask bench`.

use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;

/// One benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bench {
    /// Time of one training step against eager PyTorch.
    Step,
    /// Wall time of a whole sweep against eager PyTorch.
    Sweep,
    /// Time of one step in the host against the same model in a bare loop.
    Overhead,
    /// Rate at which the invented language is written.
    Stories,
    /// Time that `flops-fit --help` takes.
    Help,
    /// Time that fits, intervals and the whole analysis take.
    Analysis,
    /// How often intervals hold the truth in simulated sweeps.
    Coverage,
    /// What following the recommendation costs in simulated sweeps.
    Selection,
    /// Rate of two ranks, and of two trials, against one.
    Ranks,
    /// FLOPs and optima of sweeps with trunks against those without.
    Trunks,
    /// FLOPs of a sweep that finds its sizes against one that was told them.
    Adaptive,
    /// Memory and CPU that the parent of a sweep takes.
    Parent,
}

impl Bench {
    /// Whether it is about scaling laws alone, so that neither libtorch nor any other
    /// crate of the workspace has to be there.
    pub(crate) fn is_pure(self) -> bool {
        matches!(self, Self::Analysis | Self::Coverage | Self::Selection)
    }
}

/// A shape of model that step times are measured on; both sides know them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    A,
    B,
    C,
}

impl Case {
    pub(crate) const ALL: [Self; 3] = [Self::A, Self::B, Self::C];
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::A => "a",
            Self::B => "b",
            Self::C => "c",
        })
    }
}

/// A word that is none of those expected.
#[derive(Debug, thiserror::Error)]
#[error("is none of {accepted}")]
pub(crate) struct NotOneOf {
    accepted: &'static str,
}

impl FromStr for Bench {
    type Err = NotOneOf;

    fn from_str(word: &str) -> Result<Self, NotOneOf> {
        match word {
            "step" => Ok(Self::Step),
            "sweep" => Ok(Self::Sweep),
            "overhead" => Ok(Self::Overhead),
            "stories" => Ok(Self::Stories),
            "help" => Ok(Self::Help),
            "analysis" => Ok(Self::Analysis),
            "coverage" => Ok(Self::Coverage),
            "selection" => Ok(Self::Selection),
            "ranks" => Ok(Self::Ranks),
            "trunks" => Ok(Self::Trunks),
            "adaptive" => Ok(Self::Adaptive),
            "parent" => Ok(Self::Parent),
            _ => Err(NotOneOf {
                accepted: "step, sweep, overhead, stories, help, analysis, coverage, selection, ranks, trunks, adaptive, parent",
            }),
        }
    }
}

impl FromStr for Case {
    type Err = NotOneOf;

    fn from_str(word: &str) -> Result<Self, NotOneOf> {
        Self::ALL
            .into_iter()
            .find(|case| case.to_string() == word)
            .ok_or(NotOneOf {
                accepted: "a, b, c",
            })
    }
}

/// The flags; what is `None` has a default that depends on the benchmark.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) bench: Option<Bench>,
    pub(crate) case: Option<Case>,
    pub(crate) pairs: Option<NonZeroUsize>,
    pub(crate) python: Option<PathBuf>,
    pub(crate) baseline: Option<PathBuf>,
    pub(crate) text: Option<PathBuf>,
    /// Whether PyTorch compiles its model first.
    pub(crate) compile: bool,
}

impl Options {
    pub(crate) fn pairs(&self, default: usize) -> usize {
        self.pairs.map_or(default, NonZeroUsize::get)
    }
}
