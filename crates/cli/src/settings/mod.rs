//! What files say of hosts, so that command lines need not: never passwords.

mod file;
mod pins;

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

use self::file::ConfigFile;
pub(crate) use self::file::{HostOptions, Scheme};
use self::pins::PinFile;
pub(crate) use self::pins::line as pin_line;
use crate::args::Connection;
use crate::report::Failure;

/// The folder of our files, below that of all programs' settings.
const FOLDER: &str = "winrm";
const CONFIG: &str = "config.toml";
const PINS: &str = "known_pins";

/// The files that are there.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    config: ConfigFile,
    pins: PinFile,
}

impl Settings {
    /// Reads the files that options name, which must be there, or those in their usual place, which need not.
    pub(crate) fn read(connection: &Connection) -> Result<Self, Failure> {
        let files = &connection.files;
        let config = match &files.config {
            _ if files.no_config => ConfigFile::default(),
            Some(path) => ConfigFile::read(path)?,
            None => if_there(CONFIG, ConfigFile::read)?,
        };
        let pins = match files.pin_file.as_ref().or(config.pin_file()) {
            Some(path) => PinFile::read(path)?,
            None if files.no_config => PinFile::default(),
            None => if_there(PINS, PinFile::read)?,
        };
        Ok(Self { config, pins })
    }

    /// What is said of a host, by name.
    pub(crate) fn host(&self, name: &str) -> HostOptions {
        self.config.host(name)
    }

    /// The pins of a listener.
    pub(crate) fn pins(&self, host: &str, port: u16) -> Vec<winrm::Pin> {
        self.pins.of(host, port)
    }
}

fn if_there<T: Default>(name: &str, read: impl FnOnce(&Path) -> Result<T, Failure>) -> Result<T, Failure> {
    match place(name).filter(|path| path.exists()) {
        Some(path) => read(&path),
        None => Ok(T::default()),
    }
}

/// `~/.config/winrm/NAME`, `$XDG_CONFIG_HOME/winrm/NAME`, or on Windows `%APPDATA%\winrm\NAME`.
fn place(name: &str) -> Option<PathBuf> {
    let base = etcetera::choose_base_strategy().ok()?;
    Some(base.config_dir().join(FOLDER).join(name))
}

fn read_text(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path)
        .map_err(|error| Failure::caused_by(format!("cannot read {}", path.display()), &error))
}
