//! What is to be run: a script and its arguments, or code. FreeSWITCH mod_lua.cpp `lua_parse_and_execute`.

/// What a chatplan's data, or a command's arguments, ask for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Line<'l> {
    /// `~code`
    Code(&'l str),
    /// A file and its arguments.
    File { name: &'l str, args: Vec<String> },
}

/// The arguments one script may have.
const MAX_ARGS: usize = 127;

impl<'l> Line<'l> {
    /// `None`: nothing is named.
    pub fn parse(text: &'l str) -> Option<Self> {
        let text = text.trim_start_matches([' ', '\n', '\r']);
        if let Some(code) = text.strip_prefix('~') {
            return Some(Self::Code(code));
        }
        if let Some(start) = text.get(..6).filter(|start| start.eq_ignore_ascii_case("#!/lua")) {
            return Some(Self::Code(&text[start.len()..]));
        }
        let (name, args) = text.split_once(' ').unwrap_or((text, ""));
        (!name.is_empty()).then(|| Self::File { name, args: arguments(args) })
    }
}

/// Words between blanks; quotes hold together, a backslash takes the next blank, quote or backslash as it is.
/// FreeSWITCH switch_utils.c `switch_separate_string`.
fn arguments(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text.trim_matches(' ');
    while !rest.is_empty() && words.len() < MAX_ARGS {
        let (word, after) = word(rest);
        words.push(word);
        rest = after.trim_start_matches(' ');
    }
    words
}

fn word(text: &str) -> (String, &str) {
    let mut word = String::new();
    let mut quoted = false;
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        let rest = &text[at + character.len_utf8()..];
        match character {
            '\\' => match rest.chars().next().filter(|next| " '\"\\".contains(*next)) {
                Some(next) => {
                    characters.next();
                    word.push(next);
                }
                None => word.push('\\'),
            },
            '\'' if quoted || rest.contains('\'') => quoted = !quoted,
            ' ' if !quoted => return (word, rest),
            _ => word.push(character),
        }
    }
    (word, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let file = |name, args: &[&str]| {
            Some(Line::File { name, args: args.iter().map(|&arg| arg.to_owned()).collect() })
        };
        for (text, expected) in [
            ("a.lua", file("a.lua", &[])),
            (" a.lua one two", file("a.lua", &["one", "two"])),
            ("a.lua  'one two'  three ", file("a.lua", &["one two", "three"])),
            (r"a.lua it\'s one\ two \d", file("a.lua", &["it's", "one two", r"\d"])),
            ("a.lua it's", file("a.lua", &["it's"])),
            ("~x = 1", Some(Line::Code("x = 1"))),
            ("#!/LUA\nx = 1", Some(Line::Code("\nx = 1"))),
            ("", None),
            ("  ", None),
        ] {
            assert_eq!(Line::parse(text), expected, "{text}");
        }
    }
}
