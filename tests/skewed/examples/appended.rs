//! A newer minor version: the root table has one field more, at its end.
#![expect(
    clippy::cast_ptr_alignment,
    clippy::expl_impl_clone_on_copy,
    reason = "written by the StableAbi derive for its prefix references"
)]

use abi_stable::{
    StableAbi,
    library::{CheckTypeLayout, RootModule},
    prefix_type::{PrefixRefTrait, PrefixTypeTrait},
    sabi_types::VersionStrings,
    std_types::RResult,
};
use flops_fit_plugin::{
    DataDescription, Loss, LossValue, Mode, Result,
    abi::{LibHeader, NamedDataset, NamedLoss, NamedModel, RVec, RootModuleResult, loss_export},
    tch::{Reduction, Tensor},
};
use serde::{Deserialize, Serialize};

flops_fit_skewed::record!("appended");

/// `flops_fit_plugin::abi::Root` of a later time.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = RootRef)))]
#[sabi(missing_field(option))]
pub struct Root {
    /// As ever.
    pub models: extern "C" fn() -> RVec<NamedModel>,
    /// As ever.
    pub datasets: extern "C" fn() -> RVec<NamedDataset>,
    /// As ever.
    #[sabi(last_prefix_field)]
    pub losses: extern "C" fn() -> RVec<NamedLoss>,
    /// New.
    pub schedules: extern "C" fn() -> RVec<u64>,
}

impl RootModule for RootRef {
    abi_stable::declare_root_module_statics! {RootRef}
    const BASE_NAME: &'static str = "flops_fit_plugin";
    const NAME: &'static str = "flops_fit_plugin";
    const VERSION_STRINGS: VersionStrings = VersionStrings::new("1.1.0");
}

// SAFETY: no other symbol of the library has the name.
#[unsafe(export_name = "flops_fit_plugin_header")]
static HEADER: LibHeader =
    // SAFETY: `root` gives a `RootRef`, erased.
    unsafe { LibHeader::from_constructor::<RootRef>(root, CheckTypeLayout::Yes) };

extern "C" fn root() -> RootModuleResult {
    let root = Root {
        models,
        datasets,
        losses,
        schedules,
    };
    let root: RootRef = root.leak_into_prefix();
    // SAFETY: erasing the prefix type is what the header expects.
    RResult::ROk(unsafe { PrefixRefTrait::to_prefix_ref(root).cast() })
}

extern "C" fn models() -> RVec<NamedModel> {
    RVec::new()
}

extern "C" fn datasets() -> RVec<NamedDataset> {
    RVec::new()
}

extern "C" fn losses() -> RVec<NamedLoss> {
    [loss_export::<CrossEntropy>("skewed")]
        .into_iter()
        .collect()
}

extern "C" fn schedules() -> RVec<u64> {
    RVec::new()
}

#[derive(Serialize, Deserialize)]
struct Nothing {}

struct CrossEntropy;

impl Loss for CrossEntropy {
    type Config = Nothing;

    fn build(_config: &Nothing, _data: &DataDescription) -> Result<Self> {
        Ok(Self)
    }

    fn compute(&self, outputs: &[Tensor], targets: &[Tensor], _mode: Mode) -> Result<LossValue> {
        let (logits, ids) = (outputs[0].f_flatten(0, 1)?, targets[0].f_flatten(0, 1)?);
        Ok(LossValue {
            mean: logits.f_cross_entropy_loss(&ids, None::<&Tensor>, Reduction::Mean, -100, 0.0)?,
            units: ids.numel() as u64,
            metrics: Vec::new(),
        })
    }
}
