//! What a model's parameters must be to be moved into one buffer.

use std::collections::{HashMap, HashSet};

use flops_fit_trial::Failure;
use tch::Kind;

use crate::plugin::ModelParameter;

/// Whether `parameters` are distinct, trainable, contiguous fp32 leaves on one device,
/// with names of their own and multipliers that mean something.
pub(super) fn check(plugin: &str, parameters: &[ModelParameter]) -> Result<(), Failure> {
    let bad = |name: &str, expected: &str, got: String| Failure::BadTensor {
        plugin: plugin.to_owned(),
        what: format!("parameter `{name}`"),
        expected: expected.to_owned(),
        got,
    };
    let broken = |rule: String| Failure::ContractViolation {
        plugin: plugin.to_owned(),
        rule,
    };
    let Some(first) = parameters.first() else {
        let rule = "parameters() is empty; return every trainable tensor";
        return Err(broken(rule.to_owned()));
    };
    let mut names = HashSet::new();
    let mut places = HashMap::new();
    for p in parameters {
        let t = &p.tensor;
        if !t.defined() {
            let got = "an undefined one".to_owned();
            return Err(bad(&p.name, "a defined tensor", got));
        }
        if t.kind() != Kind::Float || !t.is_contiguous() {
            let layout = if t.is_contiguous() {
                "contiguous"
            } else {
                "strided"
            };
            let got = format!("{:?}, {layout}", t.kind());
            return Err(bad(&p.name, "contiguous fp32", got));
        }
        if !t.requires_grad() || !t.is_leaf() {
            let got = "one that does not".to_owned();
            return Err(bad(&p.name, "a leaf that requires a gradient", got));
        }
        let scales = [p.lr_scale, p.decay_scale];
        if !scales
            .iter()
            .all(|scale| scale.is_finite() && *scale >= 0.0)
        {
            let got = format!("{} and {}", p.lr_scale, p.decay_scale);
            return Err(bad(
                &p.name,
                "given lr_scale and decay_scale of at least 0",
                got,
            ));
        }
        if t.device() != first.tensor.device() {
            let expected = format!("on {:?}, as the first", first.tensor.device());
            return Err(bad(&p.name, &expected, format!("on {:?}", t.device())));
        }
        if let Some(other) = places.insert(t.data_ptr(), &p.name) {
            return Err(broken(format!(
                "parameters `{other}` and `{}` share their storage; return a tied tensor once",
                p.name
            )));
        }
        if !names.insert(&p.name) {
            return Err(broken(format!(
                "two parameters are named `{}`; give each a name of its own",
                p.name
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use tch::{Device, Tensor};

    use super::*;

    fn leaf() -> Tensor {
        Tensor::ones([2, 3], (Kind::Float, Device::Cpu)).set_requires_grad(true)
    }

    fn named(name: &str, tensor: Tensor) -> ModelParameter {
        ModelParameter {
            name: name.to_owned(),
            tensor,
            lr_scale: 1.0,
            decay_scale: 1.0,
        }
    }

    /// What is said of a sound parameter and this one.
    fn said(other: ModelParameter) -> String {
        let all = [named("first", leaf()), other];
        check("mine", &all).expect_err("refused").to_string()
    }

    #[track_caller]
    fn refused(tensor: Tensor, expected: &str, got: &str) {
        let words = format!("plugin mine: parameter `w` should be {expected}, got {got}; ");
        let said = said(named("w", tensor));
        assert!(said.starts_with(&words), "{said}");
    }

    #[test]
    fn sound_ones_are_accepted() {
        let mut frozen = named("b", leaf());
        (frozen.lr_scale, frozen.decay_scale) = (0.0, 0.0);
        assert_eq!(check("mine", &[named("a", leaf()), frozen]), Ok(()));
    }

    #[test]
    fn a_tensor_that_the_buffer_cannot_hold_is_refused() {
        let plain = || Tensor::ones([2, 3], (Kind::Float, Device::Cpu));
        refused(Tensor::new(), "a defined tensor", "an undefined one");
        let double = plain().to_kind(Kind::Double).set_requires_grad(true);
        refused(double, "contiguous fp32", "Double, contiguous");
        let turned = plain().transpose(0, 1).set_requires_grad(true);
        refused(turned, "contiguous fp32", "Float, strided");
        let leaf_wanted = "a leaf that requires a gradient";
        refused(plain(), leaf_wanted, "one that does not");
        refused(leaf() * 2.0, leaf_wanted, "one that does not");
    }

    #[test]
    fn a_multiplier_is_a_number_of_at_least_zero() {
        let with = |lr_scale, decay_scale| {
            said(ModelParameter {
                lr_scale,
                decay_scale,
                ..named("w", leaf())
            })
        };
        for (lr_scale, decay_scale, got) in [
            (-1.0, 1.0, "-1 and 1"),
            (1.0, -0.5, "1 and -0.5"),
            (f64::NAN, 1.0, "NaN and 1"),
            (1.0, f64::INFINITY, "1 and inf"),
        ] {
            let words = format!(
                "parameter `w` should be given lr_scale and decay_scale of at least 0, got {got}; "
            );
            let said = with(lr_scale, decay_scale);
            assert!(said.contains(&words), "{said}");
        }
    }

    #[test]
    fn each_parameter_is_another_tensor_of_another_name() {
        let tied = leaf();
        let both = [named("a", tied.shallow_clone()), named("b", tied)];
        let said_of = |all: &[ModelParameter]| check("mine", all).expect_err("refused").to_string();
        let rule = "plugin mine breaks the plugin contract: parameters `a` and `b` share their storage; return a tied tensor once";
        assert_eq!(said_of(&both), rule);
        let rule = "plugin mine breaks the plugin contract: two parameters are named `first`; give each a name of its own";
        assert_eq!(said(named("first", leaf())), rule);
        let rule = "plugin mine breaks the plugin contract: parameters() is empty; return every trainable tensor";
        assert_eq!(said_of(&[]), rule);
    }
}
