//! How many files the process may have open.

use std::io;

/// Files and sockets that this process may have open at a time.
pub fn descriptors() -> usize {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the call writes into `limit`, which is its own.
    match unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) } {
        0 => usize::try_from(limit.rlim_cur).unwrap_or(usize::MAX),
        _ => usize::MAX,
    }
}

/// Raises the soft limit of [`descriptors`] to the hard one: what it was, and what it is.
pub fn raise_descriptors() -> io::Result<(u64, u64)> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the call writes into `limit`, which is its own.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let (before, most) = (limit.rlim_cur, limit.rlim_max);
    limit.rlim_cur = most;
    // SAFETY: the call reads `limit`.
    if before < most && unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok((before, most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_of_open_files_becomes_the_hard_one() {
        let (_, most) = raise_descriptors().unwrap();
        assert_eq!(raise_descriptors().unwrap(), (most, most));
        assert_eq!(descriptors() as u64, most);
    }
}
