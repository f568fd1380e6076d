//! A control group of the kernel's that lets threads use a part of a core.
//!
//! Of version 1 (Documentation/admin-guide/cgroup-v1 of Linux; `cpu.cfs_quota_us` in sched-bwc), where a group takes single
//! threads of a process.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Where the groups of the CPU controller are.
const ROOT: &str = "/sys/fs/cgroup/cpu";
/// Beginning of the names of groups.
const NAME: &str = "chappe-bench-";
/// After this time, in microseconds, the threads get what they may use once more.
const PERIOD: u64 = 10_000;

/// A group; removed when dropped, and its threads are back where they were.
pub struct Group {
    folder: PathBuf,
}

impl Group {
    /// Whose threads together may use this part of a core.
    pub fn new(name: &str, part: f64) -> io::Result<Self> {
        Self::new_in(Path::new(ROOT), name, part)
    }

    fn new_in(root: &Path, name: &str, part: f64) -> io::Result<Self> {
        let folder = root.join(format!("{NAME}{}-{name}", std::process::id()));
        fs::create_dir(&folder)?;
        // From here on it is removed whatever fails.
        let group = Self { folder };
        group.write("cpu.cfs_period_us", PERIOD)?;
        group.write("cpu.cfs_quota_us", (PERIOD as f64 * part) as u64)?;
        Ok(group)
    }

    /// Puts a thread into it.
    pub fn take(&self, thread: u32) -> io::Result<()> {
        self.write("tasks", u64::from(thread))
    }

    /// Puts a process into it, with all its threads.
    pub fn take_process(&self, process: u32) -> io::Result<()> {
        self.write("cgroup.procs", u64::from(process))
    }

    fn write(&self, file: &str, value: u64) -> io::Result<()> {
        // Not created: where there is no such file, there is no such control.
        fs::OpenOptions::new().write(true).open(self.folder.join(file)).and_then(|mut file| {
            use io::Write as _;
            file.write_all(value.to_string().as_bytes())
        })
    }
}

impl Drop for Group {
    /// A group with threads can't be removed.
    fn drop(&mut self) {
        let threads = fs::read_to_string(self.folder.join("tasks")).unwrap_or_default();
        if let Some(root) = self.folder.parent() {
            for thread in threads.lines() {
                // One that has ended is in no group.
                let _ = fs::write(root.join("tasks"), thread);
            }
        }
        if let Err(error) = fs::remove_dir(&self.folder) {
            eprintln!("failed to remove {}: {error}", self.folder.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_of_a_group_that_can_not_limit() {
        let root = tempfile::tempdir().unwrap();
        assert!(Group::new_in(root.path(), "one", 0.3).is_err());
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_group_of_the_kernel_is_gone_with_its_value() {
        // Where this machine lets nobody make one there is nothing to see.
        let Ok(group) = Group::new("test", 0.3) else { return };
        let folder = group.folder.clone();
        let read = |file: &str| fs::read_to_string(folder.join(file)).unwrap_or_default();
        assert_eq!((read("cpu.cfs_quota_us").trim(), read("cpu.cfs_period_us").trim()), ("3000", "10000"));
        // SAFETY: the call takes nothing and returns a number.
        let own = || unsafe { libc::gettid() } as u32;
        let ended = std::thread::spawn(own).join().unwrap();
        assert!(group.take(ended).is_err());
        group.take(own()).unwrap();
        assert_eq!(read("tasks").trim(), own().to_string());
        drop(group);
        assert!(!folder.exists());
    }
}
