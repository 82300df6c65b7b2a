//! SVG to PNG, with the embedded font and no other.

use std::sync::Arc;

use resvg::tiny_skia::{Color, Pixmap, Transform};
use resvg::usvg::{self, Options, Tree};

use super::font;

/// Pixels in a point: 288 to the inch, sharp in print and on dense screens.
const PIXELS: f32 = 4.0;

/// CSS pixels in a point, by which usvg reads `pt`.
const CSS_PIXELS: f32 = 96.0 / 72.0;

/// Why an SVG could not be rasterised.
#[derive(Debug, thiserror::Error)]
pub enum RasterError {
    /// It is no SVG.
    #[error(transparent)]
    Svg(#[from] usvg::Error),
    /// An image of this size does not fit.
    #[error("no image of {width} × {height} pixels can be made")]
    Size {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
    /// The PNG could not be encoded.
    #[error("encoding: {0}")]
    Png(Box<dyn std::error::Error + Send + Sync>),
}

/// The font, loaded once for several figures.
pub(super) struct Rasteriser(Options<'static>);

impl Rasteriser {
    pub(super) fn new() -> Self {
        let mut options = Options::default();
        let fonts = Arc::make_mut(&mut options.fontdb);
        fonts.load_font_data(font::FILE.to_vec());
        Self(options)
    }

    pub(super) fn png(&self, svg: &str) -> Result<Vec<u8>, RasterError> {
        let tree = Tree::from_str(svg, &self.0)?;
        let scale = PIXELS / CSS_PIXELS;
        let size = tree.size().to_int_size().scale_by(scale);
        let (width, height) = size.map_or((0, 0), |size| (size.width(), size.height()));
        let mut pixmap = Pixmap::new(width, height).ok_or(RasterError::Size { width, height })?;
        pixmap.fill(Color::WHITE);
        resvg::render(
            &tree,
            Transform::from_scale(scale, scale),
            &mut pixmap.as_mut(),
        );
        pixmap
            .encode_png()
            .map_err(|error| RasterError::Png(error.into()))
    }
}
