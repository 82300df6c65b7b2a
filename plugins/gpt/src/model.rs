//! The u-μP GPT: what it is (config), how each matrix is scaled (scales), how
//! many parameters and FLOPs it has (count), and the network itself.

mod config;
mod count;
mod network;
mod rope;
mod scales;

pub use config::{Activation, GptConfig, Parametrization};
pub use network::Gpt;
pub use scales::{MatrixScale, Scales};
