//! What a sweep is of, whatever its budgets, sizes and seeds are.

use std::fmt::Debug;

use flops_fit_trial::{Description, hex};
use sha2::{Digest, Sha256};

use super::Surveyed;
use crate::manifest::Manifest;

/// Hash of model, data, loss and who trains, with `settings`.
pub(super) fn identity(manifest: &Manifest, survey: &Surveyed, settings: &impl Debug) -> String {
    let Description {
        model,
        dataset,
        loss,
        data,
        ..
    } = &survey.description;
    let parts = (
        (model, dataset, loss, data),
        (&manifest.model.component.config, &manifest.trainer),
        settings,
    );
    hex(&Sha256::digest(format!("{parts:?}")))
}
