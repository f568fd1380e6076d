//! `tls-ciphers`: OpenSSL's list of cipher suites, as far as it names what is offered.

use chappe_config::{Diagnostics, Params};
use rustls::CipherSuite;

/// Every suite that is offered: its names in OpenSSL and in the RFCs. All of them have forward secrecy and authenticated
/// encryption.
const SUITES: &[(&str, &str, CipherSuite)] = &[
    ("TLS_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384", CipherSuite::TLS13_AES_256_GCM_SHA384),
    ("TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256", CipherSuite::TLS13_AES_128_GCM_SHA256),
    (
        "TLS_CHACHA20_POLY1305_SHA256",
        "TLS_CHACHA20_POLY1305_SHA256",
        CipherSuite::TLS13_CHACHA20_POLY1305_SHA256,
    ),
    (
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    ),
    (
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    ),
    (
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    ),
    (
        "ECDHE-RSA-AES256-GCM-SHA384",
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    ),
    (
        "ECDHE-RSA-AES128-GCM-SHA256",
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    ),
    (
        "ECDHE-RSA-CHACHA20-POLY1305",
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    ),
];

/// Words of OpenSSL for groups of suites that all of ours are in.
const EVERYTHING: &[&str] =
    &["ALL", "DEFAULT", "HIGH", "SECURE", "ECDHE", "EECDH", "AEAD", "COMPLEMENTOFDEFAULT", "TLSV1.2"];

fn is_of_tls13(suite: CipherSuite) -> bool {
    SUITES[..3].iter().any(|(_, _, known)| *known == suite)
}

/// The suites in the order they are written. `Some(None)`: nothing is said; `None`: nothing is left.
///
/// As in OpenSSL the list is about TLS 1.2; suites of TLS 1.3 stay unless the list names some of them.
pub fn read(params: &Params<'_>, diagnostics: &mut Diagnostics) -> Option<Option<Vec<CipherSuite>>> {
    let Some(text) = params.get("tls-ciphers").filter(|text| !text.trim().is_empty()) else {
        return Some(None);
    };
    let at = params.at("tls-ciphers").cloned();
    let mut chosen = Vec::new();
    let mut excluded = Vec::new();
    for word in text.split([':', ',', ' ']).filter(|word| !word.is_empty()) {
        if let Some(out) = word.strip_prefix(['!', '-']) {
            // Groups that are excluded are weak ones, none of which is offered.
            excluded.extend(suite(out));
        } else if word.starts_with(['@', '+']) {
            // The order is ours: the strongest first.
        } else if EVERYTHING.iter().any(|all| word.eq_ignore_ascii_case(all)) {
            chosen.extend(SUITES.iter().map(|(_, _, suite)| *suite));
        } else if let Some(suite) = suite(word) {
            chosen.push(suite);
        } else {
            let known: Vec<_> = SUITES.iter().map(|(openssl, ..)| *openssl).collect();
            diagnostics.warning(
                at.clone(),
                format!("tls-ciphers {word} is not offered; ALL and these are: {}", known.join(" ")),
            );
        }
    }
    if !chosen.iter().any(|suite| is_of_tls13(*suite)) {
        chosen.extend(SUITES[..3].iter().map(|(_, _, suite)| *suite));
    }
    let mut kept = Vec::new();
    for suite in chosen {
        if !excluded.contains(&suite) && !kept.contains(&suite) {
            kept.push(suite);
        }
    }
    if kept.is_empty() {
        diagnostics.error(at, format!("tls-ciphers {text} leaves no cipher suite that is offered"));
        return None;
    }
    Some(Some(kept))
}

fn suite(name: &str) -> Option<CipherSuite> {
    let named = |(openssl, rfc, _): &&(&str, &str, CipherSuite)| {
        name.eq_ignore_ascii_case(openssl) || name.eq_ignore_ascii_case(rfc)
    };
    SUITES.iter().find(named).map(|(_, _, suite)| *suite)
}
