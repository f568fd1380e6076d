//! Perl. FreeSWITCH mod_perl.c.

use super::Language;
use crate::{ScriptError, Value};

/// Reads the program from the socket and runs it.
const BOOTSTRAP: &str = r#"package Chappe;
sub take {
    my ($count) = @_;
    my $octets = '';
    while (length($octets) < $count) {
        sysread(WIRE, $octets, $count - length($octets), length($octets)) or exit 1;
    }
    return $octets;
}
sub text { return take(unpack('N', take(4))) }
open(WIRE, '+<&=', 3) or die $!;
binmode(WIRE);
my $program = text();
eval qq{#line 1 "<chappe worker.pl>"\n$program};
die $@ if $@;"#;

pub const PERL: Language = Language {
    name: "perl",
    interpreter: "perl",
    bootstrap: &["-e", BOOTSTRAP],
    library: include_str!("../../workers/freeswitch.pm"),
    program: include_str!("../../workers/worker.pl"),
    path: "PERL5LIB",
    memory: None,
    words,
};

/// Arguments at most, as FreeSWITCH has it.
const MOST: usize = 128;

/// `script arguments`, or code after a `~`. FreeSWITCH mod_perl.c `perl_parse_and_execute`.
pub(super) fn words(line: &str) -> Result<Vec<Value>, ScriptError> {
    if let Some(code) = line.strip_prefix('~') {
        return Ok(vec![Value::Nil, code.into()]);
    }
    let (script, arguments) = line.trim_start_matches(' ').split_once(' ').unwrap_or((line.trim(), ""));
    if script.is_empty() {
        return Err(ScriptError::Nothing);
    }
    let mut words = vec![Value::from(script)];
    let arguments = chappe_api::separate(arguments, ' ', MOST).into_iter();
    words.extend(arguments.filter(|argument| !argument.is_empty()).map(Value::from));
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_script_and_arguments_or_code() {
        let cases: [(&str, Vec<Value>); 4] = [
            ("a.pl", vec!["a.pl".into()]),
            (" a.pl one  'two three' ", vec!["a.pl".into(), "one".into(), "two three".into()]),
            ("~print 'a b'", vec![Value::Nil, "print 'a b'".into()]),
            ("/scripts/a.pl x", vec!["/scripts/a.pl".into(), "x".into()]),
        ];
        for (line, expected) in cases {
            assert_eq!(words(line).unwrap(), expected, "{line}");
        }
        assert_eq!(words("  ").unwrap_err(), ScriptError::Nothing);
    }
}
