//! From files and `--set` arguments to one tree: read, extend, override.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use toml::de::{DeTable, DeValue};

use super::{
    mistake::{ManifestError, Mistake, Problem, nearest},
    origin::{Origin, Text},
    preset::{self, PRESETS},
    value::{Entry, Node, OutOfRange, Table, Value},
};

/// Largest manifest, in bytes: a thousand times the usual.
const LARGEST: u64 = 256 << 10;

/// Most files that extend one another.
const LONGEST_CHAIN: usize = 16;

/// Gives a file's identity and text.
pub(super) type Files<'f> = &'f dyn Fn(&Path) -> io::Result<(PathBuf, String)>;

/// Files as they lie on the disk.
pub(super) fn on_disk(path: &Path) -> io::Result<(PathBuf, String)> {
    let identity = path.canonicalize()?;
    let mut bytes = Vec::new();
    // One byte more than is allowed tells whether there is more.
    File::open(path)?
        .take(LARGEST + 1)
        .read_to_end(&mut bytes)?;
    check_size(bytes.len())?;
    let invalid = |error| io::Error::new(io::ErrorKind::InvalidData, error);
    let text = String::from_utf8(bytes).map_err(|error| invalid(error.utf8_error().to_string()))?;
    Ok((identity, text))
}

fn check_size(bytes: usize) -> io::Result<()> {
    if bytes as u64 <= LARGEST {
        return Ok(());
    }
    let why = format!("it has more than {LARGEST} bytes, which no manifest has");
    Err(io::Error::new(io::ErrorKind::FileTooLarge, why))
}

/// Reads `path` and what it extends, then lays each of `sets` on top.
pub(super) fn read(path: &Path, sets: &[String], files: Files<'_>) -> Result<Node, ManifestError> {
    let (mut table, layer) = read_file(path, None, files, &mut Vec::new())?;
    for argument in sets {
        table.merge(parse_set(argument)?);
    }
    Ok(Node {
        origin: Origin::File {
            path: Arc::from(path),
            line: 1,
            column: 1,
            layer,
        },
        value: Value::Table(table),
    })
}

/// The tree of `sets` alone.
pub(super) fn of_sets(sets: &[String]) -> Result<Node, ManifestError> {
    let mut table = Table::default();
    for argument in sets {
        table.merge(parse_set(argument)?);
    }
    Ok(Node {
        origin: Origin::Set {
            argument: Arc::from(""),
        },
        value: Value::Table(table),
    })
}

/// The merged table, and how many files it came through.
fn read_file(
    path: &Path,
    wanted_by: Option<&Origin>,
    files: Files<'_>,
    open: &mut Vec<PathBuf>,
) -> Result<(Table, usize), ManifestError> {
    let unreadable = |source| ManifestError::Unreadable {
        path: path.to_owned(),
        wanted_by: wanted_by.cloned(),
        source,
    };
    let (identity, source) = files(path).map_err(unreadable)?;
    check_size(source.len()).map_err(unreadable)?;
    let too_long = open.len() == LONGEST_CHAIN;
    if let (true, Some(origin)) = (too_long || open.contains(&identity), wanted_by) {
        let mut files = open.clone();
        files.push(identity);
        return Err(ManifestError::Cycle {
            origin: origin.clone(),
            path: path.to_owned(),
            files,
        });
    }
    open.push(identity);
    // The layer is known only when everything below has been read, so the file
    // is looked at once for `extends` and once for the rest.
    let (base, layer) = match extends(&parse_file(path, &source, 0)?)? {
        Some((origin, base)) if preset::is_name(&base) => (Some(read_preset(&base, origin)?), 1),
        Some((origin, base)) => {
            let base = path.parent().unwrap_or(Path::new("")).join(base);
            let (table, layer) = read_file(&base, Some(&origin), files, open)?;
            (Some(table), layer + 1)
        }
        None => (None, 0),
    };
    let mut own = parse_file(path, &source, layer)?;
    own.entries.remove("extends");
    open.pop();
    Ok(match base {
        Some(mut base) => {
            base.merge(own);
            (base, layer)
        }
        None => (own, layer),
    })
}

fn read_preset(name: &str, wanted_by: Origin) -> Result<Table, ManifestError> {
    match preset::find(name) {
        Some(preset) => parse_file(Path::new(&format!("preset {name}")), preset.text, 0),
        None => Err(Box::new(Mistake {
            origin: wanted_by,
            key: "extends".to_owned(),
            problem: Problem::UnknownWord {
                found: name.to_owned(),
                accepted: PRESETS.map(|preset| preset.name.to_owned()).to_vec(),
                nearest: nearest(name, PRESETS.map(|preset| preset.name)),
            },
        })
        .into()),
    }
}

fn extends(table: &Table) -> Result<Option<(Origin, String)>, ManifestError> {
    match table.entries.get("extends") {
        None => Ok(None),
        Some(Entry { node, .. }) => match &node.value {
            Value::Text(base) => Ok(Some((node.origin.clone(), base.clone()))),
            other => Err(Box::new(Mistake {
                origin: node.origin.clone(),
                key: "extends".to_owned(),
                problem: Problem::Unacceptable {
                    found: other.to_string(),
                    expected: "the path of another manifest, such as \"base.toml\", or a preset such as \"quick\"".to_owned(),
                },
            })
            .into()),
        },
    }
}

fn parse_file(path: &Path, source: &str, layer: usize) -> Result<Table, ManifestError> {
    let text = Text::file(path, source, layer);
    let document = DeTable::parse(source).map_err(|error| ManifestError::Syntax {
        origin: text.at(error.span().map_or(0, |span| span.start)),
        message: error.message().to_owned(),
    })?;
    let inline = |offset: usize| source[offset..].starts_with('{');
    Table::from_toml(document.get_ref(), &text, inline).map_err(number_out_of_range)
}

/// `train.lr=0.5` as the table `{ train = { lr = 0.5 } }`.
fn parse_set(argument: &str) -> Result<Table, ManifestError> {
    let malformed = |detail: Option<String>| ManifestError::Set {
        argument: argument.to_owned(),
        detail,
    };
    let (key, value) = argument.split_once('=').ok_or_else(|| malformed(None))?;
    let value = value.trim();
    let text = Text::Set {
        argument: Arc::from(argument),
    };
    let origin = text.at(0);
    let node = match DeValue::parse(value) {
        Ok(parsed) => Node::from_toml(&parsed, &text, |_| true).map_err(number_out_of_range)?,
        // A shell has taken the quotes of `--set model.kind="gpt"` away.
        Err(_) if is_bare(value) => Node {
            origin: origin.clone(),
            value: Value::Text(value.to_owned()),
        },
        Err(error) => return Err(malformed(Some(error.message().to_owned()))),
    };
    // TOML itself knows best how dotted and quoted keys are written.
    let keys = format!("{} = 0", key.trim());
    let keys = DeTable::parse(&keys).map_err(|e| malformed(Some(e.message().to_owned())))?;
    let mut path = Vec::new();
    let mut level = keys.get_ref();
    while let Some((key, below)) = level.iter().next() {
        path.push(key.get_ref().to_string());
        match below.get_ref() {
            DeValue::Table(table) => level = table,
            _ => break,
        }
    }
    let innermost = path.pop().ok_or_else(|| malformed(None))?;
    let wrap = |key: String, node: Node| {
        let mut table = Table::default();
        let key_origin = origin.clone();
        table.entries.insert(
            key,
            Entry {
                key: key_origin,
                node,
            },
        );
        table
    };
    Ok(path
        .into_iter()
        .rev()
        .fold(wrap(innermost, node), |table, key| {
            let node = Node {
                origin: origin.clone(),
                value: Value::Table(table),
            };
            wrap(key, node)
        }))
}

/// A value that can only have been meant as a string.
fn is_bare(value: &str) -> bool {
    !value.is_empty() && !value.starts_with(['[', '{', '"', '\'']) && !value.contains('\n')
}

fn number_out_of_range(OutOfRange { origin, literal }: OutOfRange) -> ManifestError {
    Box::new(Mistake {
        origin,
        key: "number".to_owned(),
        problem: Problem::Unacceptable {
            found: literal,
            expected: "a number that fits in 64 bits".to_owned(),
        },
    })
    .into()
}
