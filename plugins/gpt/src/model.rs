//! The u-μP GPT: what it is (config), how many parameters and FLOPs it has
//! (count), and the network itself, around blocks of [`flops_fit_transformer`].

mod config;
mod count;
mod network;

pub use config::GptConfig;
pub use flops_fit_transformer::{Activation, Parametrization};
pub use network::Gpt;
