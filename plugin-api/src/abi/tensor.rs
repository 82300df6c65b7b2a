//! Tensors at the boundary.

use std::ffi::c_void;

use abi_stable::StableAbi;
use tch::Tensor;
use torch_sys::C_tensor;

/// A C++ `at::Tensor*` that stays the caller's.
#[repr(transparent)]
#[derive(Clone, Copy, StableAbi)]
pub struct BorrowedTensor(*const c_void);

impl BorrowedTensor {
    /// Lends `tensor` for the length of a call.
    pub fn lend(tensor: &Tensor) -> Self {
        Self(tensor.as_ptr().cast())
    }

    /// Another handle to the same tensor.
    ///
    /// # Safety
    ///
    /// The lender's tensor must still be alive, and of this process's libtorch.
    pub unsafe fn get(self) -> Tensor {
        // SAFETY: the caller's promise; at_shallow_clone only reads the pointer.
        unsafe { Tensor::clone_from_ptr(self.0.cast_mut().cast::<C_tensor>()) }
    }
}

/// A C++ `at::Tensor*` that passes to the receiver, with the function that
/// deletes it.
#[repr(C)]
#[derive(StableAbi)]
pub struct OwnedTensor {
    pointer: *mut c_void,
    delete: unsafe extern "C" fn(*mut c_void),
}

impl OwnedTensor {
    /// Hands `tensor` over.
    pub fn give(tensor: Tensor) -> Self {
        let mut tensor = std::mem::ManuallyDrop::new(tensor);
        Self {
            pointer: tensor.as_mut_ptr().cast(),
            delete,
        }
    }

    /// The tensor, with this side's own handle to it.
    ///
    /// # Safety
    ///
    /// It must come from a side that shares this process's libtorch. The
    /// pointer may be null: that reads as an undefined tensor.
    pub unsafe fn take(self) -> Tensor {
        if self.pointer.is_null() {
            return Tensor::new();
        }
        // SAFETY: the giver made it with `give`, so it is alive until our drop below.
        unsafe { Tensor::clone_from_ptr(self.pointer.cast::<C_tensor>()) }
    }
}

impl Drop for OwnedTensor {
    fn drop(&mut self) {
        if !self.pointer.is_null() {
            // SAFETY: `give` leaked exactly one handle, and its own `delete` came along.
            unsafe { (self.delete)(self.pointer) }
        }
    }
}

// SAFETY: to be called once, with a pointer that `give` has leaked.
unsafe extern "C" fn delete(pointer: *mut c_void) {
    // SAFETY: only ever called by `OwnedTensor::drop` with a pointer of `give`.
    drop(unsafe { Tensor::from_ptr(pointer.cast::<C_tensor>()) });
}
