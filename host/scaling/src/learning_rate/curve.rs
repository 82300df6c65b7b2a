//! Held-out loss against the learning rate, at one point.

use serde::{Deserialize, Serialize};

/// A rate and what came of it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    /// The peak rate η; > 0.
    pub lr: f64,
    /// Held-out loss; absent where it diverged.
    pub loss: Option<f64>,
}

/// Where a curve is lowest.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// The rate.
    pub lr: f64,
    /// The loss there.
    pub loss: f64,
}

/// The lower or the upper end of the rates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// Towards small rates.
    Low,
    /// Towards large rates.
    High,
}

/// The position of the lowest loss in `tried`; `None` where everything diverged.
pub fn lowest(tried: &[Tried]) -> Option<usize> {
    let losses = tried.iter().enumerate();
    losses
        .filter_map(|(at, tried)| Some((at, tried.loss?)))
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(at, _)| at)
}

/// At which end of `tried`, which ascends in the rate, rates have to be added before
/// there is a minimum between them.
pub fn open_end(tried: &[Tried]) -> Option<End> {
    match lowest(tried) {
        // Where everything diverges, lower rates are the ones to try.
        None | Some(0) => Some(End::Low),
        Some(at) if at + 1 == tried.len() => Some(End::High),
        Some(_) => None,
    }
}

/// The vertex of the parabola in ln η through the lowest loss of `tried`, which ascends
/// in the rate, and its neighbours; the lowest itself where a neighbour diverged. `None`
/// where it has not one on each side.
pub fn best(tried: &[Tried]) -> Option<Best> {
    let at = lowest(tried)?;
    let (left, right) = (tried.get(at.checked_sub(1)?)?, tried.get(at + 1)?);
    let (lr, loss) = (tried[at].lr, tried[at].loss?);
    let lowest = Best { lr, loss };
    let (Some(left_loss), Some(right_loss)) = (left.loss, right.loss) else {
        return Some(lowest);
    };
    // Around the lowest point, x = ln(η/lr): y = loss + a·x + b·x².
    let (u, v) = ((left.lr / lr).ln(), (right.lr / lr).ln());
    let (dl, dr) = (left_loss - loss, right_loss - loss);
    let b = (dl / u - dr / v) / (u - v);
    let a = dl / u - b * u;
    if b <= 0.0 {
        return Some(lowest);
    }
    let x = -a / (2.0 * b);
    Some(Best {
        lr: lr * x.exp(),
        loss: loss - a * a / (4.0 * b),
    })
}
