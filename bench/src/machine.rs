//! Cores and CPU time.

use std::fs::File;
use std::io;
use std::mem;
use std::os::fd::AsRawFd as _;
use std::sync::OnceLock;
use std::time::Duration;

use crate::error::BenchError;

/// Keeps the calling thread, and what it starts, on one core.
pub fn pin(core: usize) -> io::Result<()> {
    pin_to(&[core])
}

/// The same on several.
pub fn pin_to(cores: &[usize]) -> io::Result<()> {
    keep(0, cores)
}

/// Keeps another thread on one core.
pub fn pin_thread(thread: u32, core: usize) -> io::Result<()> {
    keep(thread as libc::pid_t, &[core])
}

/// 0: the calling thread.
fn keep(thread: libc::pid_t, cores: &[usize]) -> io::Result<()> {
    if cores.iter().any(|core| *core >= libc::CPU_SETSIZE as usize) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // SAFETY: a cpu_set_t is a plain array of bits, for which zero is a value.
    let mut set: libc::cpu_set_t = unsafe { mem::zeroed() };
    for core in cores {
        // SAFETY: `core` is below CPU_SETSIZE, and `set` is ours.
        unsafe { libc::CPU_SET(*core, &mut set) };
    }
    // SAFETY: `set` lives through the call and its size is given.
    match unsafe { libc::sched_setaffinity(thread, mem::size_of_val(&set), &set) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Ends the calling process, by this signal, when its parent ends, however that happens.
pub fn end_with_parent(signal: libc::c_int) -> io::Result<()> {
    // SAFETY: the call takes a signal's number and changes nothing but this process's setting.
    match unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, signal) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Both cores must exist and differ, or the figures would measure the load generator.
pub fn check_cores(server: usize, load: usize) -> Result<(), BenchError> {
    let usable = usable_cores()?;
    match server != load && usable.contains(&server) && usable.contains(&load) {
        true => Ok(()),
        false => Err(BenchError::Cores { usable: usable.len() }),
    }
}

/// Those that this process was given when it first asked: once the load is pinned, the system knows of one alone.
fn usable_cores() -> Result<&'static [usize], BenchError> {
    static AT_FIRST: OnceLock<Vec<usize>> = OnceLock::new();
    if let Some(usable) = AT_FIRST.get() {
        return Ok(usable);
    }
    // SAFETY: as in `pin`.
    let mut set: libc::cpu_set_t = unsafe { mem::zeroed() };
    // SAFETY: `set` lives through the call and its size is given.
    if unsafe { libc::sched_getaffinity(0, mem::size_of_val(&set), &mut set) } != 0 {
        return Err(BenchError::system("ask for the usable cores")(io::Error::last_os_error()));
    }
    // SAFETY: every core is below CPU_SETSIZE, and `set` is ours.
    let usable = (0..libc::CPU_SETSIZE as usize).filter(|&core| unsafe { libc::CPU_ISSET(core, &set) });
    Ok(AT_FIRST.get_or_init(|| usable.collect()))
}

/// How many cores there are.
pub fn cores() -> usize {
    // SAFETY: the call reads a number of the system's.
    usize::try_from(unsafe { libc::sysconf(libc::_SC_NPROCESSORS_ONLN) }).unwrap_or(1)
}

/// The processes that a process has started and that live.
pub fn children(process: u32) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter(|id| parent(*id) == Some(process)).collect()
}

/// proc_pid_stat(5): the name is in brackets and may hold anything; state and parent follow.
fn parent(process: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

/// Octets of memory that a process has at the moment (proc_pid_status(5), VmRSS).
pub fn resident(process: u32) -> Result<u64, BenchError> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))
        .map_err(BenchError::system("read the server's memory"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) * 1024)
}

/// Octets of memory that a process has at the moment, its part of what it shares (proc_pid_smaps_rollup(5), Pss).
pub fn proportional(process: u32) -> Result<u64, BenchError> {
    let status = std::fs::read_to_string(format!("/proc/{process}/smaps_rollup"))
        .map_err(BenchError::system("read the server's memory"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("Pss:")).unwrap_or_default();
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) * 1024)
}

/// Sockets that a process has open (proc_pid_fd(5)).
pub fn sockets(process: u32) -> usize {
    let files = std::fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten();
    let targets = files.filter_map(|entry| std::fs::read_link(entry.path()).ok());
    targets.filter(|target| target.to_string_lossy().starts_with("socket:")).count()
}

/// CPU time of each of a process's threads, by their ids (`/proc/PID/task/TID/schedstat`: nanoseconds on a core first).
/// Empty where the kernel does not count it.
pub fn threads(process: u32) -> Vec<(u32, Duration)> {
    let tasks = std::fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let time = |entry: std::fs::DirEntry| {
        let text = std::fs::read_to_string(entry.path().join("schedstat")).ok()?;
        let nanos = text.split_whitespace().next()?.parse().ok()?;
        Some((entry.file_name().to_str()?.parse().ok()?, Duration::from_nanos(nanos)))
    };
    tasks.filter_map(time).collect()
}

/// The threads of a process with the names that it gave them (proc_pid_comm(5): 15 octets at most).
pub fn named_threads(process: u32) -> Vec<(u32, String)> {
    let tasks = std::fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let name = |entry: std::fs::DirEntry| {
        let name = std::fs::read_to_string(entry.path().join("comm")).ok()?;
        Some((entry.file_name().to_str()?.parse().ok()?, name.trim_end().to_owned()))
    };
    tasks.filter_map(name).collect()
}

/// CPU time that this process has used, all its threads together.
pub fn own_cpu_time() -> Result<Duration, BenchError> {
    clock(libc::CLOCK_PROCESS_CPUTIME_ID, "read the load's CPU time")
}

/// Lets this process, and those that it starts, have this many files open, or as many as the system allows; how many
/// that are.
pub fn raise_file_limit(wanted: u64) -> Result<u64, BenchError> {
    let failed = || BenchError::system("raise the limit of open files")(io::Error::last_os_error());
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` lives through the call.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) } != 0 {
        return Err(failed());
    }
    if limit.rlim_cur >= wanted {
        return Ok(limit.rlim_cur);
    }
    let set = |soft: u64, hard: u64| {
        let limit = libc::rlimit { rlim_cur: soft, rlim_max: hard };
        // SAFETY: `limit` lives through the call.
        unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) == 0 }
    };
    // Above the hard limit only root gets, and not in every container.
    let given = wanted.min(limit.rlim_max);
    match set(wanted, wanted.max(limit.rlim_max)) {
        true => Ok(wanted),
        false if set(given, limit.rlim_max) => Ok(given),
        false => Err(failed()),
    }
}

/// CPU time that a process has used, all its threads together, those that ended included.
pub fn cpu_time(pid: u32) -> Result<Duration, BenchError> {
    let failed = |code| BenchError::system("read the server's CPU time")(io::Error::from_raw_os_error(code));
    let mut clock = 0;
    // SAFETY: `clock` lives through the call.
    match unsafe { libc::clock_getcpuclockid(pid as libc::pid_t, &mut clock) } {
        0 => {}
        code => return Err(failed(code)),
    }
    self::clock(clock, "read the server's CPU time")
}

fn clock(clock: libc::clockid_t, doing: &'static str) -> Result<Duration, BenchError> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` lives through the call.
    if unsafe { libc::clock_gettime(clock, &mut time) } != 0 {
        return Err(BenchError::system(doing)(io::Error::last_os_error()));
    }
    Ok(Duration::new(time.tv_sec as u64, time.tv_nsec as u32))
}

/// Has the system drop the pages of a file that it keeps in memory.
pub fn forget_pages(file: &File) -> io::Result<()> {
    // SAFETY: the descriptor is open as long as `file` is borrowed; the call touches no memory of ours.
    match unsafe { libc::posix_fadvise(file.as_raw_fd(), 0, 0, libc::POSIX_FADV_DONTNEED) } {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cores_are_those_that_were_there_before_one_was_taken() {
        let cores = usable_cores().unwrap().to_vec();
        let [first, .., last] = cores[..] else { return };
        check_cores(first, last).unwrap();
        pin(last).unwrap();
        check_cores(first, last).unwrap();
        assert!(check_cores(first, first).is_err());
        pin_to(&cores).unwrap();
    }
}
