//! What the fuzz targets share.

mod mechanism;
mod steps;

pub use mechanism::Scripted;
pub use steps::Steps;
