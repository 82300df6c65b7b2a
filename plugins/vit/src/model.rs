//! The Vision Transformer (Dosovitskiy et al. 2021): what it is (config), how
//! many parameters and FLOPs it has (count), and the network itself, around
//! blocks of [`flops_fit_transformer`].

mod config;
mod count;
mod network;

pub use config::{Pool, VitConfig};
pub use flops_fit_transformer::{Activation, Parametrization};
pub use network::Vit;
