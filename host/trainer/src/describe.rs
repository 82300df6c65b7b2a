//! Answers for all candidate sizes at once, so that a sweep can be planned
//! without the parent ever opening a plugin.

use std::collections::BTreeMap;

use flops_fit_plugin::{DataDescription, LIBTORCH_VERSION, Unit};
use flops_fit_trial::{
    ComponentFacts, DatasetFacts, DescribeRequest, Description, Failure, Part, Phase, SizeFacts,
    SizeOutcome, WantedComponent, with_size,
};
use serde_json::Value;
use tch::Device;

use crate::{
    gemm, parent,
    plugin::{Library, ModelKind},
};

/// Looks at model, dataset and loss, and counts every size.
///
/// A size that the model refuses is an answer; anything else that goes wrong is
/// a failure.
pub fn describe(request: &DescribeRequest) -> Result<Description, Failure> {
    let base_dir = request.base_dir.to_string_lossy();
    let (model_library, dataset_library, loss_library) = (
        open(Part::Model, &request.model)?,
        open(Part::Dataset, &request.dataset)?,
        open(Part::Loss, &request.loss)?,
    );
    let model = model_library.model(&request.model.kind)?;
    let dataset =
        dataset_library.dataset(&request.dataset.kind, &request.dataset.config, &base_dir)?;
    let data = dataset.description().clone();
    check_data(dataset_library.name(), &data)?;
    let loss = loss_library.loss(&request.loss.kind, &request.loss.config, &data)?;

    let sizes = request.sizes.iter().map(|&size| {
        let config = with_size(&request.model.config, &request.size_param, size);
        Ok(SizeFacts {
            size,
            outcome: size_facts(&model, model_library.name(), &config, &data)?,
        })
    });
    let sizes = sizes.collect::<Result<Vec<_>, Failure>>()?;
    if let Some((key, message)) = refused_throughout(&sizes, &request.size_param) {
        return Err(Failure::Config {
            plugin: model_library.name().to_owned(),
            what: "model".to_owned(),
            key: Some(key),
            message,
        });
    }
    let description = Description {
        model: facts(&model_library, &request.model.kind, Value::Null),
        dataset: facts(
            &dataset_library,
            &request.dataset.kind,
            dataset.identity().clone(),
        ),
        loss: facts(&loss_library, &request.loss.kind, loss.canonical().clone()),
        data: data_facts(&data, dataset.fingerprint()?),
        sizes,
        libtorch: LIBTORCH_VERSION.to_owned(),
        gemm: request.compute.as_ref().and_then(gemm::rate),
    };
    loss.close()?;
    dataset.close()?;
    Ok(description)
}

fn open(part: Part, wanted: &WantedComponent) -> Result<Library, Failure> {
    parent::enter(part, Phase::Load);
    Library::open(&wanted.library)
}

/// The key, other than the size's own, for which every size is refused: then
/// that key is wrong, not the sizes.
fn refused_throughout(sizes: &[SizeFacts], size_param: &str) -> Option<(String, String)> {
    let mut refusals = sizes.iter().map(|facts| match &facts.outcome {
        SizeOutcome::Refused {
            key: Some(key),
            reason,
        } if key != size_param => Some((key, reason)),
        _ => None,
    });
    let (key, reason) = refusals.next()??;
    refusals
        .all(|other| other.is_some_and(|(other, _)| other == key))
        .then(|| (key.clone(), reason.clone()))
}

fn size_facts(
    model: &ModelKind,
    plugin: &str,
    config: &Value,
    data: &DataDescription,
) -> Result<SizeOutcome, Failure> {
    match count(model, plugin, config, data) {
        Ok(outcome) => Ok(outcome),
        Err(Failure::Config { key, message, .. }) => Ok(SizeOutcome::Refused {
            key,
            reason: message,
        }),
        Err(failure) => Err(failure),
    }
}

/// What the model says to one configuration; a refusal is a failure here.
pub(crate) fn count(
    model: &ModelKind,
    plugin: &str,
    config: &Value,
    data: &DataDescription,
) -> Result<SizeOutcome, Failure> {
    let canonical = model.canonical(config)?;
    let (n, forward, counts) = if let Some(profile) = model.profile(config, data)? {
        (profile.n, profile.forward_flops_per_unit, profile.counts)
    } else {
        let built = model.build(config, data, Device::Cpu, 0)?;
        let n = built.num_params()?;
        built.close()?;
        (n, None, BTreeMap::new())
    };
    let flops_per_unit = match forward {
        Some(forward) if forward.is_finite() && forward > 0.0 => 3.0 * forward,
        Some(forward) => {
            return Err(violation(
                plugin,
                format!(
                    "profile() gives {forward} forward FLOPs per unit; expected a positive number"
                ),
            ));
        }
        None if data.unit == Unit::Tokens => 6.0 * n as f64,
        None => {
            let rule = "the dataset counts images, for which 6N FLOPs per unit would be wrong; \
                        give forward_flops_per_unit in the model's profile()";
            return Err(violation(plugin, rule.to_owned()));
        }
    };
    if n == 0 {
        return Err(violation(plugin, "it counts N = 0 parameters".to_owned()));
    }
    Ok(SizeOutcome::Accepted {
        n,
        counts,
        flops_per_unit,
        flops_from_model: forward.is_some(),
        config: canonical,
    })
}

fn violation(plugin: &str, rule: String) -> Failure {
    Failure::ContractViolation {
        plugin: plugin.to_owned(),
        rule,
    }
}

fn facts(library: &Library, kind: &str, config: Value) -> ComponentFacts {
    ComponentFacts {
        plugin: library.name().to_owned(),
        version: library.version().to_owned(),
        kind: kind.to_owned(),
        config,
    }
}

/// Figures that everything else divides by.
pub(crate) fn check_data(plugin: &str, data: &DataDescription) -> Result<(), Failure> {
    for (what, figure) in [
        ("units_per_example", Some(data.units_per_example)),
        ("train_examples", data.train_examples),
        ("held_out_examples", data.held_out_examples),
        ("unique_units", data.unique_units),
    ] {
        if figure == Some(0) {
            let rule = format!("its dataset's description() gives {what} = 0; expected at least 1");
            return Err(violation(plugin, rule));
        }
    }
    Ok(())
}

fn data_facts(data: &DataDescription, fingerprint: String) -> DatasetFacts {
    DatasetFacts {
        fingerprint,
        unit: match data.unit {
            Unit::Tokens => "tokens".to_owned(),
            Unit::Images => "images".to_owned(),
        },
        units_per_example: data.units_per_example,
        unique_units: data.unique_units,
        train_examples: data.train_examples,
        held_out_examples: data.held_out_examples,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_no_size_gets_past_is_to_blame() {
        let check = |keys: &[Option<&str>], want: Option<&str>| {
            let sizes: Vec<_> = keys
                .iter()
                .map(|key| SizeFacts {
                    size: 8,
                    outcome: SizeOutcome::Refused {
                        key: key.map(str::to_owned),
                        reason: "found 3".to_owned(),
                    },
                })
                .collect();
            let found = refused_throughout(&sizes, "d_model").map(|(key, _)| key);
            assert_eq!(found.as_deref(), want, "{keys:?}");
        };
        check(&[Some("n_layers"), Some("n_layers")], Some("n_layers"));
        check(&[Some("n_layers"), Some("head_size")], None);
        check(&[Some("n_layers"), Some("d_model")], None);
        check(&[Some("d_model"), Some("d_model")], None);
        check(&[None, None], None);
        check(&[], None);
    }
}
