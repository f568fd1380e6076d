//! FreeSWITCH's configuration folder, read as leniently as FreeSWITCH does.
