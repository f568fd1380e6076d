//! A recorded case.

use serde_json::Value;

/// What a chatplan may call that is not in the registry of these tests.
const ELSEWHERE: [&str; 6] =
    ["user_data", "module_exists", "-PRE-PROCESS", "-pre-process", "expr(", "\"lua\""];

/// Where a message goes, or whom it names as its sender, is the SIP endpoint's choice: by address, by URI, by default.
const ADDRESSED_BY_SIP: [&str; 7] = [
    "sendevent no from_full",
    "sendevent to sip uri",
    "sendevent default type",
    "app set to_sip_ip",
    "app set from then reply",
    "app to sip uri",
    "reply from other domain",
];

/// FreeSWITCH's reader stumbles over what is in this one.
const READ_OTHERWISE: &str = "expression cdata";

pub struct Case<'v> {
    value: &'v Value,
}

impl<'v> Case<'v> {
    pub fn of(value: &'v Value) -> Self {
        Self { value }
    }

    pub fn name(&self) -> &str {
        text(self.value, "name")
    }

    pub fn chatplan(&self) -> &str {
        text(self.value, "chatplan")
    }

    pub fn steps(&self) -> impl Iterator<Item = &'v Value> {
        self.value["steps"].as_array().into_iter().flatten()
    }

    pub fn crashed(&self) -> bool {
        self.value["expect"]["crashed"] == true
    }

    /// The lines, deliveries or events that are expected, if they were recorded.
    pub fn expected(&self, part: &str) -> Option<&'v Vec<Value>> {
        if part == "delivered" && ADDRESSED_BY_SIP.contains(&self.name()) {
            return None;
        }
        self.value["expect"][part].as_array()
    }

    /// Whether all of it is the router's doing.
    pub fn is_ours(&self) -> bool {
        let api_of_others = |step: &Value| step["api"].as_str().is_some_and(|line| !line.starts_with("chat"));
        let dropped_before = |step: &Value| text(&step["message"], "content_type").contains("composing");
        let no_user = |step: &Value| text(&step["message"], "to") == "sip:chat.test";
        !self.name().starts_with("lua")
            && self.name() != READ_OTHERWISE
            && self.value["expect"]["reload"] != "broken"
            && self.value.get("scripts").is_none()
            && self.value.get("setup").is_none()
            && !ELSEWHERE.iter().any(|word| self.chatplan().contains(word))
            && !self.steps().any(|step| api_of_others(step) || dropped_before(step) || no_user(step))
    }
}

pub fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}
