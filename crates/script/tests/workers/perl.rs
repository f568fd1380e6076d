//! Perl scripts.
