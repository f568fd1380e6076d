#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| chappe_fuzz_checks::uri(input));
