//! Users are found by domain and id or number-alias, with what their group and domain give them.

use chappe_config::{Diagnostics, parse_fragment};
use chappe_directory::{Directory, Secret};
use expect_test::expect;

fn directory(domains: &str) -> (Directory, Diagnostics) {
    let text = format!("<document><section name=\"directory\">\n{domains}\n</section></document>");
    let (document, mut d) = parse_fragment(&text, "d.xml");
    let directory = Directory::compile(&document, &mut d);
    (directory, d)
}

const CHAT_TEST: &str = r#"<domain name="Chat.Test">
  <params><param name="dial-string" value="domain"/><param name="password" value="of-the-domain"/></params>
  <variables><variable name="user_context" value="of-the-domain"/><variable name="area" value="domain"/></variables>
  <groups>
    <group name="sales">
      <params><param name="password" value="of-the-group"/></params>
      <variables><variable name="AREA" value="group"/></variables>
      <users>
        <user id="1000" number-alias="7000" cidr="203.0.113.5/32">
          <params><param name="Password" value="first"/><param name="password" value="s3cret"/></params>
          <variables><variable name="user_context" value="own"/></variables>
        </user>
        <user id="alice"/>
      </users>
    </group>
    <group name="support"><users><user id="1000" type="pointer"/><user id="carol" type="pointer"/></users></group>
  </groups>
  <users><user id="bob"><params><param name="a1-hash" value="0123456789ABCDEF0123456789abcdef"/></params></user></users>
  <user id="carol"/>
</domain>"#;

#[test]
fn lookups() {
    let (directory, d) = directory(CHAT_TEST);
    assert!(d.is_empty(), "{d}");
    let cases = [
        ("chat.test", "1000", Some("1000")),
        ("CHAT.TEST", "7000", Some("1000")),
        ("chat.test", "ALICE", Some("alice")),
        ("chat.test", "bob", Some("bob")),
        ("chat.test", "carol", Some("carol")),
        ("chat.test", "dave", None),
        ("other.test", "1000", None),
    ];
    for (domain, name, expected) in cases {
        assert_eq!(directory.user(domain, name).map(|user| user.id.as_str()), expected, "{name}@{domain}");
        assert_eq!(directory.id(domain, name), expected, "{name}@{domain}");
    }
    let ids: Vec<&str> = directory.users().map(|user| user.id.as_str()).collect();
    assert_eq!(ids, ["1000", "alice", "bob", "carol"]);
}

#[test]
fn without_aliases_an_id_is_what_is_written() {
    let (directory, _) = directory(r#"<domain name="a"><user id="Alice"/></domain>"#);
    assert_eq!(directory.id("A", "aLICE"), Some("Alice"));
    assert_eq!(directory.id("a", "bob"), None);
}

#[test]
fn what_is_nearest_to_the_user_counts() {
    let (directory, _) = directory(CHAT_TEST);
    let get = |id| directory.user("chat.test", id).unwrap();
    let cases = [
        ("1000", Secret::Plain("s3cret".into()), "own", "group"),
        ("alice", Secret::Plain("of-the-group".into()), "of-the-domain", "group"),
        ("bob", Secret::A1Hash("0123456789abcdef0123456789abcdef".into()), "of-the-domain", "domain"),
        ("carol", Secret::Plain("of-the-domain".into()), "of-the-domain", "domain"),
    ];
    for (id, password, context, area) in cases {
        let user = get(id);
        assert_eq!((user.context(), user.variable("area")), (Some(context), Some(area)), "{id}");
        assert!(user.password == password, "{id}");
        assert_eq!(user.param("dial-string"), Some("domain"), "{id}");
    }
    assert_eq!(get("1000").domain, "Chat.Test");
}

#[test]
fn groups_and_networks() {
    let (directory, _) = directory(CHAT_TEST);
    let domain = directory.domain("chat.test").unwrap();
    assert_eq!(domain.user("1000").unwrap().groups, ["sales", "support"]);
    assert_eq!(domain.user("carol").unwrap().groups, ["support"]);
    assert_eq!(domain.group("Support").unwrap().members, ["1000", "carol"]);
    let cidrs = directory.cidrs("chat.test").unwrap();
    assert_eq!(
        (cidrs[0].user.as_str(), cidrs[0].cidr.as_str(), cidrs.len()),
        ("1000@Chat.Test", "203.0.113.5/32", 1)
    );
    assert!(directory.cidrs("other.test").is_none());
}

#[test]
fn secrets_are_not_shown() {
    let (directory, _) = directory(CHAT_TEST);
    let shown = format!("{directory:?} {:?}", directory.user("chat.test", "1000"));
    for secret in ["s3cret", "of-the-group", "first", "0123456789"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(shown.contains("Plain(..)") && shown.contains("password=.."), "{shown}");
}

#[test]
fn everything_wrong_is_said() {
    let (directory, d) = directory(
        r#"<domain/>
<domain name="a"><users>
<user/>
<user id="1"/>
<user id="1"/>
<user id="2" number-alias="1"><params><param name="password" value="2"/></params></user>
<user id="3"><params><param name="password" value="1234"/></params></user>
<user id="4"><params><param name="password" value="1234"/></params></user>
<user id="5"><params><param name="a1-hash" value="xyz"/></params></user>
<user id="6"><params><param value="xyz"/></params></user></users>
<groups><group name="g"><users><user id="nobody" type="pointer"/></users></group></groups></domain>
<domain name="A"/>"#,
    );
    assert_eq!(directory.domain("a").unwrap().users().count(), 6);
    expect![[r#"
        d.xml:2: error: a domain without a name; write <domain name="example.com"> instead
        d.xml:4: error: a user without an id; write <user id="1000"> instead
        d.xml:6: warning: user 1 is not read: it is there already at d.xml:5
        d.xml:10: error: a1-hash is not 32 hexadecimal digits; write the MD5 of user:domain:password instead
        d.xml:11: warning: a param without a name is not read
        d.xml:12: warning: group g points to user nobody, which does not exist
        d.xml:7: warning: user 2 is not found as 1: 1@a is user 1 at d.xml:5
        d.xml:5: hint: no password, so no way to register: user 1 and 2 others of a
        d.xml:8: hint: the password is the one that FreeSWITCH ships with: user 3 and another one of a
        d.xml:7: hint: the password is the user's id: user 2 of a
        d.xml:13: warning: domain A is not read: it is there already at d.xml:3
    "#]]
    .assert_eq(&d.to_string());
}

#[test]
fn no_directory_is_an_empty_one() {
    let (document, mut d) = parse_fragment("<document/>", "d.xml");
    let directory = Directory::compile(&document, &mut d);
    assert_eq!(directory.domains().count(), 0);
    assert!(d.is_empty());
}
