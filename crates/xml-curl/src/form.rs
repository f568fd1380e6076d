//! FreeSWITCH's fields, `application/x-www-form-urlencoded`.

use std::fmt::Write;

use chappe_config::XmlQuery;
use chappe_event::url_encode_into;

/// The fields in FreeSWITCH's order: what is asked for, then the params, or those that are `picked`.
/// FreeSWITCH mod_xml_curl.c xml_url_fetch.
pub(crate) fn form(query: &XmlQuery, hostname: &str, picked: &[String]) -> String {
    let mut text = String::with_capacity(1024);
    for (name, value) in fields(query, hostname) {
        push(&mut text, name, value);
    }
    let is_picked =
        |name: &str| picked.is_empty() || picked.iter().any(|known| known.eq_ignore_ascii_case(name));
    for (name, value) in query.params.iter().filter(|(name, _)| is_picked(name)) {
        push(&mut text, name, value);
    }
    text
}

/// The URL with each `${name}` replaced by the field or param of that name, an unknown one by nothing.
///
/// Deviation: FreeSWITCH puts values in as they are; here they are percent-encoded, so that nobody who writes a header
/// chooses another server or path.
pub(crate) fn filled(url: &str, query: &XmlQuery, hostname: &str) -> String {
    let (mut text, mut rest) = (String::with_capacity(url.len()), url);
    while let Some((before, after)) = rest.split_once("${") {
        text.push_str(before);
        let Some((name, behind)) = after.split_once('}') else {
            rest = &rest[before.len()..];
            break;
        };
        let value = value(query, hostname, name);
        push_segment(&mut text, value);
        rest = behind;
    }
    text.push_str(rest);
    text
}

fn value<'q>(query: &'q XmlQuery, hostname: &'q str, wanted: &str) -> &'q str {
    let params = query.params.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let mut all = fields(query, hostname).into_iter().chain(params);
    all.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map_or("", |(_, value)| value)
}

fn fields<'q>(query: &'q XmlQuery, hostname: &'q str) -> [(&'static str, &'q str); 5] {
    [
        ("hostname", hostname),
        ("section", query.section.as_str()),
        ("tag_name", &query.tag_name),
        ("key_name", &query.key_name),
        ("key_value", &query.key_value),
    ]
}

/// Appends what stays within one segment of a path, or one value of a query. Dots alone would be a way up.
fn push_segment(text: &mut String, value: &str) {
    if value.bytes().all(|octet| octet == b'.') {
        return;
    }
    for octet in value.bytes() {
        if octet.is_ascii_alphanumeric() || b"-_.~".contains(&octet) {
            text.push(char::from(octet));
        } else {
            // Writing to a String does not fail.
            let _ = write!(text, "%{octet:02X}");
        }
    }
}

fn push(text: &mut String, name: &str, value: &str) {
    if !text.is_empty() {
        text.push('&');
    }
    url_encode_into(name, text);
    text.push('=');
    url_encode_into(value, text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use chappe_config::Section;

    fn query() -> XmlQuery {
        let param = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        XmlQuery {
            section: Section::Directory,
            tag_name: "domain".to_owned(),
            key_name: "name".to_owned(),
            key_value: "example.org".to_owned(),
            params: [("Event-Name", "REQUEST_PARAMS"), ("user", "a&b=c d"), ("sip_auth_realm", "../x/?y#")]
                .map(param)
                .to_vec(),
        }
    }

    fn hostile() -> XmlQuery {
        let more = [("dots", ".."), ("escaped", "%2E%2e")];
        let more = more.map(|(name, value)| (name.to_owned(), value.to_owned()));
        XmlQuery { params: query().params.into_iter().chain(more).collect(), ..query() }
    }

    #[test]
    fn the_fields_come_first() {
        let all = "hostname=node&section=directory&tag_name=domain&key_name=name&key_value=example.org\
                   &Event-Name=REQUEST_PARAMS&user=a%26b%3Dc%20d&sip_auth_realm=../x/%3Fy%23";
        assert_eq!(form(&query(), "node", &[]), all);
        let picked = "hostname=node&section=directory&tag_name=domain&key_name=name&key_value=example.org\
                      &user=a%26b%3Dc%20d";
        assert_eq!(form(&query(), "node", &["USER".to_owned()]), picked);
    }

    #[test]
    fn a_url_is_filled_in() {
        for (url, expected) in [
            ("http://a/${section}/x", "http://a/directory/x"),
            ("http://a/${user}?h=${hostname}", "http://a/a%26b%3Dc%20d?h=node"),
            ("http://a/${sip_auth_realm}", "http://a/..%2Fx%2F%3Fy%23"),
            ("http://a/${dots}/x", "http://a//x"),
            ("http://a/${escaped}/x", "http://a/%252E%252e/x"),
            ("http://a/${nobody}/${open", "http://a//${open"),
            ("http://a/$x", "http://a/$x"),
        ] {
            assert_eq!(filled(url, &hostile(), "node"), expected);
        }
    }
}
