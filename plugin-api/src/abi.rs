//! The stable ABI: tables of functions, and the shims that fill them.
//!
//! Everything that crosses the boundary is plain: JSON text for configurations
//! and descriptions (read once, at build), integers, and opaque pointers to
//! C++ tensors, borrowed on the way in and owned on the way out with the
//! function that drops them. Host and plugin share the process's one libtorch.
//!
//! Architecture invariants:
//!
//! - No panic crosses: each shim catches it on the plugin's side, where it can
//!   be caught, and returns it as a [`Fault`] with message, file and line.
//! - Tables grow at their end only; a function that an older plugin lacks reads
//!   as absent.
//! - `abi_stable` is used as a layout checker and for its vector, string and
//!   result types. `docs/adr/0001-abi-stable.md` says why, and how it would be
//!   replaced.

mod export;
mod fault;
mod guard;
mod shim;
mod table;
mod tensor;

pub use export::{HEADER_SYMBOL, RECORD_SYMBOL, header, root_result};
pub use fault::Fault;
pub use shim::{dataset_export, loss_export, model_export};
pub use table::{
    AbiBatch, AbiBuffer, AbiContext, AbiDevice, AbiDraw, AbiLoss, AbiMetric, AbiParameter, Answer,
    DatasetTable, DatasetTableRef, Handle, LossTable, LossTableRef, ModelTable, ModelTableRef,
    NamedDataset, NamedLoss, NamedModel, Root, RootRef,
};
pub use tensor::{BorrowedTensor, OwnedTensor};

#[doc(hidden)]
pub use abi_stable::library::{LibHeader, RootModuleResult};
#[doc(hidden)]
pub use abi_stable::std_types::{RResult, RSlice, RStr, RString, RVec};
