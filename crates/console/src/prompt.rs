//! The prompt, which says which server answers.

/// The names a prompt may show, safe for a terminal.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Names {
    /// `%s`: what the server calls itself.
    pub switch: String,
    /// `%H`: the machine it runs on.
    pub switch_host: String,
    /// `%h`: this machine.
    pub own_host: String,
    /// `%p`
    pub profile: String,
    /// `%o`
    pub host: String,
    /// `%P`
    pub port: u16,
}

/// `prompt-string` filled in, or `chappe@NAME`. FreeSWITCH fs_cli.c expand_prompt.
pub fn prompt(template: Option<&str>, names: &Names) -> String {
    let Some(template) = template else { return format!("chappe@{}> ", names.switch) };
    let mut text = String::new();
    let mut letters = template.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            text.push(letter);
            continue;
        }
        match letters.next() {
            Some('s') => text += &names.switch,
            Some('H') => text += &names.switch_host,
            Some('h') => text += &names.own_host,
            Some('p') => text += &names.profile,
            Some('o') => text += &names.host,
            Some('P') => text += &names.port.to_string(),
            Some('%') => text.push('%'),
            _ => {}
        }
    }
    text + "> "
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_filled_in() {
        let names = Names {
            switch: "s".into(),
            switch_host: "H".into(),
            own_host: "h".into(),
            profile: "p".into(),
            host: "o".into(),
            port: 8021,
        };
        for (template, expected) in [
            (None, "chappe@s> "),
            (Some("%s %h %H %p %o:%P"), "s h H p o:8021> "),
            (Some("100%% %x%"), "100% > "),
        ] {
            assert_eq!(prompt(template, &names), expected, "{template:?}");
        }
    }
}
