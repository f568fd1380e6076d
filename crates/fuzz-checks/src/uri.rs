use chappe_sip_msg::{Uri, escape_user};

/// Any URI: no panic, equal to itself, and its user part survives being written again.
pub fn uri(text: &[u8]) {
    let Ok(uri) = Uri::parse(text) else { return };
    assert_eq!(uri.text(), text);
    assert!(uri.equivalent(&uri) || uri.params.iter().count() > 1);
    let _ = (uri.aor(), uri.ip(), uri.header_fields().count());
    let Some(user) = uri.user_unescaped() else { return };
    let Ok(user) = std::str::from_utf8(&user) else { return };
    let mut again = String::from("sip:");
    escape_user(user, &mut again);
    again.push_str("@host");
    let again = Uri::parse(again.as_bytes()).expect("an escaped user can be read");
    assert_eq!(again.user_unescaped().as_deref(), Some(user.as_bytes()));
}
