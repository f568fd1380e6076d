//! The examples of the RFCs, and both sides of the digest against each other.

use chappe_sip_proto::digest::{
    Algorithm, Challenge, Credentials, Freshness, NonceCounts, Nonces, Protected, Qop, Secret, a1_hash,
    answer, strongest, verify,
};
use proptest::prelude::*;

/// RFC 7616 §3.9.1, MD5 and SHA-256, and RFC 2617 §3.5.
const EXAMPLES: [(&str, &str, &str); 3] = [
    (
        "Circle of Life",
        "GET",
        r#"Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", algorithm=MD5,
         nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001,
         cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth,
         response="8ca523f5e9506fed4657c9700eebdbec", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS""#,
    ),
    (
        "Circle of Life",
        "GET",
        r#"Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", algorithm=SHA-256,
         nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001,
         cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth,
         response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
         opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS""#,
    ),
    (
        "Circle Of Life",
        "GET",
        r#"Digest username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093",
         uri="/dir/index.html", qop=auth, nc=00000001, cnonce="0a4f113b",
         response="6629fae49393a05397450978507c4ef1", opaque="5ccc069c403ebaf9f0171e9517f40e41""#,
    ),
];

#[test]
fn the_examples_are_right_and_nothing_near_them_is() {
    for (password, method, value) in EXAMPLES {
        let credentials = Credentials::parse(value.as_bytes()).unwrap();
        let check = |credentials: &Credentials<'_>, method: &str, password: &str| {
            verify(credentials, method.as_bytes(), b"", Secret::Password(password.as_bytes()))
        };
        assert!(check(&credentials, method, password), "{value}");
        assert!(!check(&credentials, "PUT", password));
        assert!(!check(&credentials, method, "circle of life"));
        for (from, to) in
            [("Mufasa", "Scar"), ("index", "indey"), ("nc=00000001", "nc=00000002"), ("=auth,", "=auth-int,")]
        {
            let other = value.replace(from, to);
            assert_ne!(other, value);
            assert!(!check(&Credentials::parse(other.as_bytes()).unwrap(), method, password), "{other}");
        }
    }
}

#[test]
fn an_a1_hash_serves_its_algorithm() {
    for (password, method, value) in EXAMPLES {
        let credentials = Credentials::parse(value.as_bytes()).unwrap();
        for algorithm in [Algorithm::Md5, Algorithm::Sha256] {
            let ha1 = a1_hash(algorithm, &credentials.username, &credentials.realm, password.as_bytes());
            for ha1 in [ha1.to_uppercase(), ha1] {
                let right = verify(&credentials, method.as_bytes(), b"", Secret::Ha1(ha1.as_bytes()));
                assert_eq!(right, algorithm == credentials.algorithm, "{value}");
            }
        }
        assert!(!verify(&credentials, method.as_bytes(), b"", Secret::Ha1(b"")));
    }
}

#[test]
fn without_qop_as_rfc_2069() {
    let value = r#"Digest username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093",
        uri="/dir/index.html", response="1949323746fe6a43ef61f9606e7febea""#;
    let credentials = Credentials::parse(value.as_bytes()).unwrap();
    assert_eq!(credentials.nonce_count, None);
    // RFC 2069 §2.4 as corrected by its erratum 749, with the password of that example.
    assert!(verify(&credentials, b"GET", b"", Secret::Password(b"CircleOfLife")));
}

#[test]
fn secrets_are_not_printed() {
    assert_eq!(
        format!("{:?} {:?}", Secret::Password(b"hidden"), Secret::Ha1(b"hidden")),
        "Secret::Password Secret::Ha1"
    );
}

#[test]
fn the_strongest_challenge_is_answered() {
    let offer = |algorithm| Challenge::new("r", algorithm_name(algorithm), algorithm);
    let offers = [Algorithm::Md5, Algorithm::Sha256, Algorithm::Sha256, Algorithm::Md5Sess].map(offer);
    assert_eq!(strongest(offers).map(|challenge| challenge.algorithm), Some(Algorithm::Sha256));
    assert_eq!(strongest([]), None);
}

fn algorithm_name(algorithm: Algorithm) -> String {
    algorithm.to_string()
}

#[test]
fn a_stolen_answer_serves_nobody_twice() {
    let (nonces, mut counts) = (Nonces::new([1; 32]), NonceCounts::new(60));
    let challenge = Challenge::new("r", nonces.issue(1000, 1), Algorithm::Sha256);
    let protected = Protected { method: "MESSAGE", uri: "sip:b@h", body: b"" };
    let secret = Secret::Password(b"pw");
    for count in 1..20 {
        let value = answer(&challenge, "a", "pw", protected, "cn", count);
        let credentials = Credentials::parse(value.as_bytes()).unwrap();
        assert_eq!(credentials.nonce_count, Some(count));
        for want in [Freshness::Fresh, Freshness::Stale] {
            let nonce = nonces.read(&credentials).unwrap();
            assert_eq!(counts.check(nonce, Some(count), 1001), want);
            assert!(verify(&credentials, b"MESSAGE", b"", secret));
            assert_eq!(counts.spend(nonce, Some(count), 1001), want);
        }
    }
}

proptest! {
    #[test]
    fn what_one_side_answers_the_other_accepts(
        user in "\\PC{1,20}", password in "\\PC{0,20}", realm in "\\PC{0,20}", body in ".{0,50}",
        algorithm in prop::sample::select(&Algorithm::ALL[..]), count in 1..=u32::MAX,
        qop in prop::sample::select(vec![vec![], vec![Qop::Auth], vec![Qop::AuthInt], vec![Qop::AuthInt, Qop::Auth]]),
    ) {
        let challenge = Challenge { qop, ..Challenge::new(realm, "n", algorithm) };
        let challenge = Challenge::parse(challenge.to_string().as_bytes()).unwrap();
        let protected = Protected { method: "MESSAGE", uri: "sip:b@h", body: body.as_bytes() };
        let value = answer(&challenge, &user, &password, protected, "c\"n", count);
        let credentials = Credentials::parse(value.as_bytes()).unwrap();
        prop_assert!(verify(&credentials, b"MESSAGE", body.as_bytes(), Secret::Password(password.as_bytes())));
        let other = format!("{password}x");
        prop_assert!(!verify(&credentials, b"MESSAGE", body.as_bytes(), Secret::Password(other.as_bytes())));
        if credentials.qop == Some(Qop::AuthInt) {
            prop_assert!(!verify(&credentials, b"MESSAGE", b"\0", Secret::Password(password.as_bytes())));
        }
    }

    #[test]
    fn nothing_makes_the_parsers_panic(value in prop::collection::vec(any::<u8>(), 0..200), tail in "\\PC{0,80}") {
        for value in [value, format!("Digest {tail}").into_bytes()] {
            let _ = Challenge::parse(&value);
            if let Ok(credentials) = Credentials::parse(&value) {
                let _ = verify(&credentials, b"MESSAGE", b"", Secret::Password(b""));
                let _ = Nonces::new([0; 32]).read(&credentials);
            }
        }
    }
}
