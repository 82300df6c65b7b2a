//! Methods without a law, told together where the reason is the same.

use std::fmt;

use flops_fit_scaling::{Analysis, Method, Recommendation, Unfit};
use serde::{Deserialize, Serialize};

/// Methods that have no law for the same reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NoLaw {
    /// The methods.
    pub methods: Vec<Method>,
    /// Why.
    pub unfit: Unfit,
}

impl NoLaw {
    /// The methods without a law, but for those that are only made for certain runs.
    pub(in crate::report) fn all(fits: &Analysis) -> Vec<Self> {
        let mut groups: Vec<Self> = Vec::new();
        for (&method, result) in &fits.methods {
            let Some(unfit) = result.unfit() else {
                continue;
            };
            if matches!(
                unfit,
                Unfit::NoHonestCurves | Unfit::NothingRepeats | Unfit::SameAs { .. }
            ) {
                continue;
            }
            match groups.iter_mut().find(|group| group.unfit == *unfit) {
                Some(group) => group.methods.push(method),
                None => groups.push(Self {
                    methods: vec![method],
                    unfit: unfit.clone(),
                }),
            }
        }
        groups
    }
}

impl fmt::Display for NoLaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.methods.iter().map(|method| method.name()).collect();
        write!(f, "{}: {}", names.join(", "), self.unfit)
    }
}

/// Runs of which no method makes a law.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("no method has a law: {}", told(methods))]
pub struct NoLaws {
    /// Every method that could have one of other runs, with the reason.
    pub methods: Vec<NoLaw>,
}

/// What to follow.
///
/// # Errors
/// When no method has a law.
pub fn recommended(fits: &Analysis) -> Result<&Recommendation, NoLaws> {
    fits.recommended.as_ref().ok_or_else(|| NoLaws {
        methods: NoLaw::all(fits),
    })
}

fn told(groups: &[NoLaw]) -> String {
    let told: Vec<String> = groups.iter().map(ToString::to_string).collect();
    told.join("; ")
}
