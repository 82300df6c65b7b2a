//! What a tensor is, apart from its numbers.

use tch::{Device, Kind, Tensor};

/// A tensor's type, shape and device.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Form {
    pub(super) kind: Kind,
    pub(super) shape: Vec<i64>,
    pub(super) device: Device,
}

impl Form {
    /// What a defined tensor is.
    pub(super) fn of(tensor: &Tensor) -> Self {
        Self {
            kind: tensor.kind(),
            shape: tensor.size(),
            device: tensor.device(),
        }
    }

    /// What several are, for a message.
    pub(super) fn list(tensors: &[Tensor]) -> String {
        let forms = tensors.iter().map(|tensor| Self::of(tensor).to_string());
        forms.collect::<Vec<_>>().join(" and ")
    }
}

impl std::fmt::Display for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} {:?} on {:?}", self.kind, self.shape, self.device)
    }
}
