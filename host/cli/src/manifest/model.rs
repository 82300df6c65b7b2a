//! `[model]`, `[dataset]`, `[loss]`: which export of which plugin, and its
//! configuration, which only the plugin itself understands.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

use super::{
    mistake::{Mistake, Problem},
    origin::Origin,
    section::{Field, Section},
    trainer::Naming,
};

/// One of model, dataset and loss, as the manifest names it: an export of a plugin,
/// or what another trainer makes of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Component {
    /// Path or library name; absent only where the trainer takes no plugins.
    pub plugin: Option<String>,
    /// The key that names it: `dataset.plugin`, or `model.plugin` where the
    /// section leaves it out.
    pub plugin_key: &'static str,
    /// Which of the plugin's exports; without a plugin the section's name where the
    /// manifest doesn't say.
    pub kind: String,
    /// Its configuration, an object.
    pub config: Json,
}

/// `[model]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// The export.
    pub component: Component,
    /// The key of its configuration that the sweep varies.
    pub size_param: String,
    /// Values of it to choose from; absent only where `sweep.grid` lists sizes.
    pub sizes: Option<Sizes>,
}

/// Candidate sizes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sizes {
    /// Every multiple of `multiple_of` from `min` to `max`.
    Range {
        /// Least size.
        min: i64,
        /// Greatest size.
        max: i64,
        /// Step; at least 1.
        multiple_of: i64,
    },
    /// These, in the order given.
    List(Vec<i64>),
}

/// The size parameter of a simulation without a plugin: N itself.
const SIMULATED_SIZE: &str = "n";

/// The planner asks the model about each size, so their number is bounded.
pub(super) const MOST_SIZES: usize = 4096;

impl Sizes {
    /// The sizes, smallest first.
    pub fn values(&self) -> Vec<i64> {
        match self {
            Self::Range {
                min, multiple_of, ..
            } => {
                let below = multiples_below(*min, *multiple_of);
                (1..=self.count())
                    .map(|i| (below + i) * multiple_of)
                    .collect()
            }
            Self::List(list) => {
                let mut list = list.clone();
                list.sort_unstable();
                list
            }
        }
    }

    /// How many there are.
    fn count(&self) -> i64 {
        match self {
            Self::Range {
                min,
                max,
                multiple_of,
            } => max.div_euclid(*multiple_of) - multiples_below(*min, *multiple_of),
            Self::List(list) => list.len() as i64,
        }
    }

    fn read(field: &Field<'_>) -> Result<Self, Box<Mistake>> {
        const EXPECTED: &str =
            "sizes as a list such as [16, 32, 64], or { min = 16, max = 1024, multiple_of = 16 }";
        if !matches!(field.node.value, super::value::Value::Table(_)) {
            return sizes_listed(field, EXPECTED).map(Self::List);
        }
        let table = field.table(EXPECTED, &["min", "max", "multiple_of"])?;
        let min = table.required("min", "the least size")?.whole(1)?;
        let max_field = table.required("max", "the greatest size")?;
        let max = max_field.whole(1)?;
        let multiple_of = table.or("multiple_of", 1, |f| f.whole(1))?;
        let sizes = Self::Range {
            min,
            max,
            multiple_of,
        };
        if max < min {
            return Err(max_field.unacceptable(format!("at least min = {min}")));
        }
        match sizes.count() {
            0 => Err(field.unacceptable(format!(
                "a range that holds a multiple of {multiple_of}; {min} to {max} holds none"
            ))),
            count if count > MOST_SIZES as i64 => Err(field.unacceptable(format!(
                "at most {MOST_SIZES} sizes (this range holds {count}); raise multiple_of"
            ))),
            _ => Ok(sizes),
        }
    }
}

/// Multiples of `of` from 1 to below `bound`, which is at least 1.
fn multiples_below(bound: i64, of: i64) -> i64 {
    (bound - 1).div_euclid(of)
}

/// A list of distinct sizes.
pub(super) fn sizes_listed(field: &Field<'_>, expected: &str) -> Result<Vec<i64>, Box<Mistake>> {
    let (mut sizes, mut listed) = (Vec::new(), BTreeSet::new());
    for item in field.short_list(expected, MOST_SIZES)? {
        let size = item.whole(1)?;
        if !listed.insert(size) {
            return Err(item.unacceptable("each size once; this one is listed already"));
        }
        sizes.push(size);
    }
    Ok(sizes)
}

impl Component {
    /// Reads the section `name`; `fallback` is the plugin of a section that names none.
    pub(super) fn read(
        section: &Section<'_>,
        (name, plugin_key): (&str, &'static str),
        naming: (Naming, &Origin),
        fallback: Option<&Self>,
        examples: &str,
    ) -> Result<Self, Box<Mistake>> {
        const PLUGIN: &str = "a library's name such as \"flops_fit_gpt\", or its path such as \"target/release/libmine.so\"";
        let plugin = match (section.get("plugin"), naming) {
            (Some(field), (Naming::Excluded, at)) => {
                return Err(field.mistake(Problem::Excludes {
                    other: "trainer".to_owned(),
                    at: at.clone(),
                }));
            }
            (Some(field), _) => Some(field.text(PLUGIN)?),
            (None, _) => None,
        };
        let (plugin, plugin_key) = match (plugin, fallback) {
            (None, Some(fallback)) => (fallback.plugin.clone(), fallback.plugin_key),
            (None, None) if naming.0 == Naming::Required => {
                return Err(section.missing("plugin", PLUGIN));
            }
            (plugin, _) => (plugin, plugin_key),
        };
        let expected = format!("the name of one of the plugin's exports, such as {examples}");
        let kind = match (section.get("kind"), &plugin) {
            (Some(kind), _) => kind.text(&expected)?,
            (None, None) => name.to_owned(),
            (None, Some(_)) => return Err(section.missing("kind", &expected)),
        };
        let config = section.or("config", Json::Object(Map::new()), |field| {
            match field.json()? {
                object @ Json::Object(_) => Ok(object),
                _ => Err(field.unacceptable("a table of the plugin's own settings")),
            }
        })?;
        Ok(Self {
            plugin,
            plugin_key,
            kind,
            config,
        })
    }
}

impl Model {
    pub(super) fn read(
        section: &Section<'_>,
        naming: (Naming, &Origin),
    ) -> Result<Self, Box<Mistake>> {
        let names = ("model", "model.plugin");
        let component = Component::read(section, names, naming, None, "\"gpt\"")?;
        let expected = "the key of [model.config] that the sweep varies, such as \"d_model\"";
        let size_param = match (section.get("size_param"), &component.plugin, naming.0) {
            (Some(field), ..) => field.text(expected)?,
            (None, None, Naming::Optional) => SIMULATED_SIZE.to_owned(),
            _ => return Err(section.missing("size_param", expected)),
        };
        let sizes = section.maybe("sizes", Sizes::read)?;
        if let (Some(field), Json::Object(config)) = (section.get("config"), &component.config)
            && config.contains_key(&size_param)
        {
            return Err(Box::new(Mistake {
                origin: field.node.nearest([size_param.as_str()]).origin.clone(),
                key: format!("model.config.{size_param}"),
                problem: Problem::Excludes {
                    other: "model.size_param".to_owned(),
                    at: section
                        .required("size_param", expected)?
                        .node
                        .origin
                        .clone(),
                },
            }));
        }
        Ok(Self {
            component,
            size_param,
            sizes,
        })
    }
}
