#!/bin/sh
# What cargo calls in place of rustc (.cargo/config.toml): rustc, which for a release of this workspace's crates gets a PGO profile
# (README.md). A compiler of which there is none does without, as does a build that has a use of its own for profiles.

folder=${0%/*}
is_release() {
    case " $* " in
    *profile-use* | *profile-generate* | *instrument-coverage*) false ;;
    *" opt-level=2 "*) true ;;
    *) false ;;
    esac
}
is_ours() {
    case "$CARGO_MANIFEST_DIR/" in
    "${folder%/*}"/*) true ;;
    *) false ;;
    esac
}
# Host, release and LLVM version: another LLVM may not be able to read the profile.
compiler() {
    "$1" -vV | sed -n 's/^host: //p; s/^release: //p; s/^LLVM version: //p' | paste -s -d -
}

if is_ours && is_release "$@"; then
    profile=$folder/$(compiler "$1").profdata
    if [ -n "$CHAPPE_PGO_GENERATE" ]; then
        set -- "$@" "-Cprofile-generate=$CHAPPE_PGO_GENERATE"
    elif [ -f "$profile" ]; then
        set -- "$@" "-Cprofile-use=$profile"
    fi
fi
exec "$@"
