//! The one module that looks at tensors as slices.
//!
//! libtorch does not notice such a write, so parameters are written only while
//! no graph is alive.

use tch::{Device, Kind, Tensor};

/// Whether [`floats`] works on `tensor`.
pub(crate) fn is_plain(tensor: &Tensor) -> bool {
    tensor.defined()
        && tensor.device() == Device::Cpu
        && tensor.kind() == Kind::Float
        && tensor.is_contiguous()
}

/// The elements of a contiguous fp32 tensor on the CPU.
///
/// # Panics
///
/// If it is not [plain](is_plain).
pub(crate) fn floats(tensor: &Tensor) -> &[f32] {
    assert!(is_plain(tensor), "not a contiguous fp32 tensor on the CPU");
    // SAFETY: contiguous, so `numel` floats follow the pointer; they live as long as
    // the storage that `tensor` holds.
    unsafe { std::slice::from_raw_parts(pointer(tensor), tensor.numel()) }
}

/// The elements of a contiguous fp32 tensor on the CPU, to be written.
///
/// # Panics
///
/// If it is not [plain](is_plain).
pub(crate) fn floats_mut(tensor: &mut Tensor) -> &mut [f32] {
    assert!(is_plain(tensor), "not a contiguous fp32 tensor on the CPU");
    // SAFETY: as in `floats`. The flat buffers that are passed here are written
    // from the training thread alone, between two graphs, and no other slice of
    // theirs is alive.
    unsafe { std::slice::from_raw_parts_mut(pointer(tensor), tensor.numel()) }
}

fn pointer(tensor: &Tensor) -> *mut f32 {
    let pointer = tensor.data_ptr().cast::<f32>();
    // An empty tensor has a null pointer, which no slice may have.
    if pointer.is_null() {
        std::ptr::dangling_mut()
    } else {
        pointer
    }
}
