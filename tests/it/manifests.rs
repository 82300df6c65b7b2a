//! What the manifests of several tests begin with. Macros, so that the whole stays a
//! constant.

/// A small GPT on the invented stories, by its width.
macro_rules! gpt {
    () => {
        r#"
name = "small"

[model]
plugin = "flops_fit_gpt"
kind = "gpt"
size_param = "d_model"

[model.config]
n_layers = 2
head_size = 4

[dataset]
kind = "stories"
config = { seq_len = 32 }

[loss]
kind = "cross_entropy"
"#
    };
}

/// The model that misbehaves as its configuration says, by its rank.
macro_rules! hostile {
    () => {
        r#"
name = "hostile"

[model]
plugin = "flops_fit_hostile"
kind = "hostile"
size_param = "rank"
"#
    };
}

/// Sound data and a sound loss for it.
macro_rules! on_stories {
    () => {
        r#"
[dataset]
plugin = "flops_fit_gpt"
kind = "stories"
config = { seq_len = 32 }

[loss]
plugin = "flops_fit_gpt"
kind = "cross_entropy"
"#
    };
}
