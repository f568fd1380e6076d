//! Which configuration runs: a folder, or the sample built in; and what it is given to start with.

use std::path::{Path, PathBuf};

use chappe_config::{Files, Loaded};

use crate::cli::Configured;
use crate::files::{Disk, Embedded};
use crate::presets;

/// Where an installed server keeps its configuration.
const INSTALLED: &str = "/etc/chappe";

/// A configuration that can be read again and again.
pub struct Source {
    root: PathBuf,
    files: Box<dyn Files + Send + Sync>,
    folders: presets::Folders,
    /// What the command line set; it wins over the configuration.
    overrides: Vec<(String, String)>,
    embedded: bool,
}

impl Source {
    /// The folder named, else /etc/chappe, else the sample.
    pub fn choose(configured: Configured) -> Self {
        let Configured { conf, set } = configured;
        let installed =
            || Some(PathBuf::from(INSTALLED)).filter(|path| path.join("freeswitch.xml").is_file());
        match conf.or_else(installed) {
            Some(folder) => Self::folder(&folder, set),
            None => Self::sample(set),
        }
    }

    fn folder(folder: &Path, overrides: Vec<(String, String)>) -> Self {
        let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
        Self {
            root: folder.join("freeswitch.xml"),
            files: Box::new(Disk),
            folders: presets::Folders::of(&folder),
            overrides,
            embedded: false,
        }
    }

    fn sample(overrides: Vec<(String, String)>) -> Self {
        let here = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
        Self {
            root: PathBuf::from(Embedded::ROOT),
            files: Box::new(Embedded),
            folders: presets::Folders::of(&here),
            overrides,
            embedded: true,
        }
    }

    /// Reads all of it. `presets` are the global variables there are before its first line.
    pub fn load(&self, presets: &[(String, String)]) -> Loaded {
        chappe_config::load_with(&self.root, &*self.files, presets, &self.overrides)
    }

    pub fn folders(&self) -> &presets::Folders {
        &self.folders
    }

    pub fn is_embedded(&self) -> bool {
        self.embedded
    }

    /// What to call it in a sentence.
    pub fn title(&self) -> String {
        if self.embedded { "the built-in sample".to_owned() } else { self.root.display().to_string() }
    }
}
