//! JSON over several lines, as FreeSWITCH's cJSON_Print lays it out: tabs, a member a line, arrays in one line.

use serde_json::Value;

pub(super) fn pretty(value: &Value) -> String {
    let mut text = String::new();
    print(value, 0, &mut text);
    text
}

fn print(value: &Value, depth: usize, text: &mut String) {
    match value {
        Value::Object(members) => {
            text.push_str("{\n");
            for (at, (name, member)) in members.iter().enumerate() {
                text.push_str(&"\t".repeat(depth + 1));
                text.push_str(&Value::from(name.as_str()).to_string());
                text.push_str(":\t");
                print(member, depth + 1, text);
                text.push_str(if at + 1 < members.len() { ",\n" } else { "\n" });
            }
            text.push_str(&"\t".repeat(depth));
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                text.push_str(if at > 0 { ", " } else { "" });
                print(item, depth + 1, text);
            }
            text.push(']');
        }
        plain => text.push_str(&plain.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_member_a_line() {
        let value = json!({ "a": 1, "b": { "c": "x\"" }, "d": [1, null] });
        assert_eq!(
            pretty(&value),
            "{\n\t\"a\":\t1,\n\t\"b\":\t{\n\t\t\"c\":\t\"x\\\"\"\n\t},\n\t\"d\":\t[1, null]\n}"
        );
    }
}
