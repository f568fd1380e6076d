//! Access control lists say what FreeSWITCH's say.

use chappe_config::acl::{AclLists, LocalNet, UserCidr};
use chappe_config::{Diagnostics, Location, parse_fragment};
use expect_test::expect;

fn lists(content: &str) -> (AclLists, Diagnostics) {
    let text = format!(
        "<document><section name=\"configuration\"><configuration name=\"acl.conf\"><network-lists>\n{content}\n\
         </network-lists></configuration></section></document>"
    );
    let (document, mut d) = parse_fragment(&text, "acl.conf.xml");
    let local = LocalNet { address: [192, 168, 7, 20].into(), bits: 24 };
    let users = |domain: &str| {
        let user = |user: &str, cidr: &str| UserCidr {
            user: user.into(),
            cidr: cidr.into(),
            at: Location::new("directory.xml", 3, 1),
        };
        (domain == "chat.test").then(|| {
            vec![
                user("1000@chat.test", "203.0.113.5/32,2001:db8::5/128"),
                user("1001@chat.test", "203.0.113.6"),
            ]
        })
    };
    let lists = AclLists::compile(&document, Some(local), &users, &mut d);
    (lists, d)
}

#[test]
fn built_in_lists() {
    let (lists, d) = lists("");
    let cases = [
        ("rfc1918.auto", "10.1.2.3", true),
        ("rfc1918.auto", "::ffff:10.1.2.3", true),
        ("rfc1918.auto", "8.8.8.8", false),
        ("rfc1918.auto", "fe80::1", true),
        ("rfc6598.auto", "100.64.1.1", true),
        ("loopback.auto", "127.0.0.1", true),
        ("loopback.auto", "::1", true),
        ("loopback.auto", "10.0.0.1", false),
        ("localnet.auto", "192.168.7.99", true),
        ("localnet.auto", "192.168.8.99", false),
        ("nat.auto", "192.168.7.99", false),
        ("nat.auto", "192.168.8.99", true),
        ("nat.auto", "8.8.8.8", false),
        ("wan.auto", "8.8.8.8", true),
        ("wan.auto", "192.168.1.1", false),
        ("wan.auto", "2001:db8::1", true),
        ("wan_v4.auto", "2001:db8::1", false),
        ("wan_v6.auto", "8.8.8.8", false),
        ("wan_v6.auto", "2001:db8::1", true),
        ("any_v4.auto", "192.168.1.1", true),
        ("any_v4.auto", "::1", false),
        ("any_v6.auto", "::1", true),
        ("any_v6.auto", "1.2.3.4", false),
        ("none", "127.0.0.1", false),
        ("all", "8.8.8.8", true),
        ("192.0.2.0/24", "192.0.2.9", true),
        ("10.0.0.0/8, 192.0.2.0/24", "192.0.2.9", true),
        ("10.0.0.0/8", "192.0.2.9", false),
        ("2001:db8::/32", "2001:db8::9", true),
        ("no such list", "127.0.0.1", false),
    ];
    for (list, address, expected) in cases {
        assert_eq!(lists.allows(list, address.parse().unwrap()), expected, "{list} {address}");
    }
    assert!(lists.contains("nat.auto") && lists.contains("10.0.0.0/8,::1/128") && !lists.contains("nat"));
    assert!(d.is_empty(), "{d}");
}

#[test]
fn the_longest_prefix_decides_and_of_equals_the_first() {
    let (lists, d) = lists(
        r#"<list name="lan" default="allow">
             <node type="deny" cidr="192.168.42.0/24"/><node type="allow" cidr="192.168.42.42/32"/>
             <node type="allow" cidr="192.168.42.0/24"/>
           </list>
           <list name="masks" default="deny">
             <node type="allow" host="10.1.0.0" mask="255.255.0.0"/>
             <node type="allow" cidr="172.16.0.0/12, 2001:db8::/32"/>
             <node type="allow" cidr="10.9.0.0/16" port-min="5000" port-max="5099"/>
           </list>
           <list name="no default"><node type="deny" cidr="10.0.0.0/8"/></list>"#,
    );
    let cases = [
        ("lan", "192.168.42.1", false),
        ("lan", "192.168.42.42", true),
        ("lan", "8.8.8.8", true),
        ("masks", "10.1.255.1", true),
        ("masks", "10.2.0.1", false),
        ("masks", "172.20.0.1", true),
        ("masks", "2001:db8::1", true),
        ("no default", "10.1.1.1", false),
        ("no default", "11.1.1.1", true),
    ];
    for (list, address, expected) in cases {
        assert_eq!(lists.allows(list, address.parse().unwrap()), expected, "{list} {address}");
    }
    let from = |port| lists.verdict("masks", "10.9.0.1".parse().unwrap(), port).allowed;
    assert!(from(0) && from(5000) && from(5099) && !from(5100));
    assert!(d.is_empty(), "{d}");
}

#[test]
fn a_domain_stands_for_the_networks_of_its_users() {
    let (lists, d) =
        lists("<list name=\"domains\" default=\"deny\">\n<node type=\"allow\" domain=\"chat.test\"/></list>");
    for address in ["203.0.113.5", "2001:db8::5"] {
        let verdict = lists.verdict("domains", address.parse().unwrap(), 0);
        assert_eq!((verdict.allowed, verdict.user), (true, Some("1000@chat.test")), "{address}");
    }
    assert!(!lists.allows("domains", "203.0.113.6".parse().unwrap()));
    expect![[r#"
        directory.xml:3: error: `203.0.113.6` is no network; write 203.0.113.6/32 instead
    "#]]
    .assert_eq(&d.to_string());
}

#[test]
fn everything_wrong_is_said() {
    let (_, d) = lists(
        "<list default=\"deny\"/>\n<list name=\"a\" default=\"perhaps\">\n<node type=\"allow\" cidr=\"10.0.0.0/40\"/>\n\
         <node type=\"allow\"/>\n<node type=\"allow\" domain=\"nowhere\"/>\n\
         <node type=\"allow\" host=\"1.2.3.4\" mask=\"24\"/>\n<node type=\"allow\" cidr=\"::/0\" port=\"x\"/>\n</list>",
    );
    expect![[r#"
        acl.conf.xml:2: warning: a list without a name is not read
        acl.conf.xml:3: warning: `perhaps` counts as deny; write allow or deny instead
        acl.conf.xml:4: error: `10.0.0.0/40` is no network; write a network such as 192.0.2.0/24 or 2001:db8::/32 instead
        acl.conf.xml:5: error: a node of list a names no network; write cidr="192.0.2.0/24" instead
        acl.conf.xml:6: warning: the directory has no domain nowhere
        acl.conf.xml:7: error: `1.2.3.4, mask 24` is no network; write a network such as 192.0.2.0/24 or 2001:db8::/32 instead
        acl.conf.xml:8: error: `x` is no port; write a number from 1 to 65535 instead
    "#]]
    .assert_eq(&d.to_string());
}
