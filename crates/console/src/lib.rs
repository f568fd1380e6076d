//! The console: what fs_cli is to FreeSWITCH.
