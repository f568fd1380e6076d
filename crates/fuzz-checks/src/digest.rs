use std::collections::HashSet;

use chappe_sip_proto::digest::{
    Challenge, Credentials, Freshness, NonceCounts, Nonces, Protected, Secret, answer, verify,
};

const NOW: u64 = 1_800_000_000;

/// Any Authorization, any challenge, any order of nonce counts, as the first octet chooses: no panic; nobody gets in
/// without the password; whoever answers a challenge with it does; a count serves once.
pub fn digest(input: &[u8]) {
    let Some((which, value)) = input.split_first() else { return };
    match which % 3 {
        0 => credentials(value),
        1 => challenge(value),
        _ => counts(value),
    }
}

fn credentials(value: &[u8]) {
    let Ok(credentials) = Credentials::parse(value) else { return };
    let nonces = Nonces::new([7; 32]);
    assert!(nonces.read(&credentials).is_none(), "a nonce can't be guessed");
    for secret in [Secret::Password(b"secret"), Secret::Ha1(&[b'a'; 32]), Secret::Ha1(&[b'a'; 64])] {
        assert!(!verify(&credentials, b"MESSAGE", b"", secret), "a proof can't be guessed");
    }
    assert_eq!(credentials.nonce_count.is_some(), credentials.qop.is_some());
    let _ = (credentials.user(), credentials.realm());
}

fn challenge(value: &[u8]) {
    let Ok(read) = Challenge::parse(value) else { return };
    // What can't stand in a quoted string is lost when it is printed, and only then.
    let challenge = Challenge::parse(read.to_string().as_bytes()).expect("what is printed can be read");
    assert_eq!(Challenge::parse(challenge.to_string().as_bytes()), Ok(challenge.clone()));
    let request = Protected { method: "MESSAGE", uri: "sip:b@h", body: b"hello" };
    for user in ["alice", "a \"b\\", "é"] {
        let header = answer(&challenge, user, "secret", request, "cnonce", 0xab);
        assert!(!header.contains(['\r', '\n']), "one line");
        let credentials = Credentials::parse(header.as_bytes()).expect("what is answered can be read");
        assert_eq!((&*credentials.user(), &*credentials.realm()), (user, &*challenge.realm));
        assert!(verify(&credentials, b"MESSAGE", b"hello", Secret::Password(b"secret")));
        for (method, password) in [("REGISTER", "secret"), ("MESSAGE", "Secret")] {
            assert!(!verify(
                &credentials,
                method.as_bytes(),
                b"hello",
                Secret::Password(password.as_bytes())
            ));
        }
    }
}

/// Two octets a use: which of four nonces, and the count.
fn counts(uses: &[u8]) {
    let nonces = Nonces::new([7; 32]);
    let texts: Vec<_> = (0..4).map(|random| nonces.issue(NOW, random)).collect();
    let mut counts = NonceCounts::with_capacity(60, 2);
    let mut used = HashSet::new();
    for [which, count] in uses.as_chunks::<2>().0 {
        let count = u32::from(*count) + 1;
        let text = &texts[usize::from(which % 4)];
        let header = format!(
            "Digest username=a, realm=r, nonce={text}, uri=u, response=0, qop=auth, cnonce=c, nc={count:08x}"
        );
        let credentials = Credentials::parse(header.as_bytes()).expect("it is good");
        let nonce = nonces.read(&credentials).expect("it is ours");
        if counts.spend(nonce, credentials.nonce_count, NOW) == Freshness::Fresh {
            assert!(used.insert((which % 4, count)), "a count serves once");
        }
    }
}
