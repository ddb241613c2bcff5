//! What the fuzz targets share.

mod mechanism;
pub mod session;
mod steps;

pub use mechanism::Scripted;
pub use steps::Steps;
