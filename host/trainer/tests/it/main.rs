//! The trainer with the reference GPT linked as a crate.

mod gpt;
mod study;
mod u_mup;
