//! `chappe check`: everything wrong at once, with file:line, and an exit code.

use crate::harness::{Folder, MAIN, chappe, text};

fn check(folder: &Folder) -> (Option<i32>, String) {
    let output = chappe().arg("check").arg("--conf").arg(folder.path()).output().expect("runs");
    (output.status.code(), text(&output))
}

#[test]
fn a_good_folder_passes() {
    let folder = Folder::new();
    let (code, said) = check(&folder);
    assert_eq!(code, Some(0), "{said}");
    let summary = "freeswitch.xml: 0 errors, 0 warnings, 0 hints; 1 profile, 1 domain, 2 users\n";
    assert!(said.ends_with(summary), "{said}");
}

#[test]
fn the_sample_passes() {
    let output = chappe().arg("check").output().expect("runs");
    assert_eq!(
        text(&output),
        "the built-in sample: 0 errors, 0 warnings, 0 hints; 1 profile, 1 domain, 20 users\n"
    );
}

#[test]
fn all_errors_are_told_at_once() {
    let folder = Folder::new();
    let main = MAIN
        .replace(r#"name="sip-port" value="0""#, r#"name="sip-port" value="many""#)
        .replace(r#"name="listen-port" value="0""#, r#"name="listen-port" value="-1""#)
        .replace(r#"name="context" value="default""#, r#"name="contxt" value="default""#);
    folder.write("freeswitch.xml", &main);
    let (code, said) = check(&folder);
    assert_eq!(code, Some(1), "{said}");
    for expected in ["freeswitch.xml:8: error: listen-port", "freeswitch.xml:14: error: sip-port"] {
        assert!(said.contains(expected), "{expected} in:\n{said}");
    }
    assert!(
        said.contains("freeswitch.xml:12: warning: unknown param contxt; write context instead"),
        "{said}"
    );
    assert!(said.contains("2 errors"), "{said}");
}

#[test]
fn a_chatplan_is_looked_at_closely() {
    let folder = Folder::new();
    let main =
        MAIN.replacen("value=\"default\"/></variables></user>", "value=\"defalt\"/></variables></user>", 1);
    folder.write("freeswitch.xml", &main);
    folder.write(
        "chatplan.xml",
        "<include>\n<context name=\"default\"><extension nam=\"x\">\n\
         <condition field=\"to_user\" expression=\"a(b\">\n\
         <action application=\"replay\" data=\"hi\"/></condition></extension></context>\n</include>\n",
    );
    let (code, said) = check(&folder);
    assert_eq!(code, Some(0), "{said}");
    for expected in [
        "chatplan.xml:2: warning: <extension> has no attribute nam; write name instead",
        "chatplan.xml:3: warning: the expression a(b does not compile at character 3",
        "chatplan.xml:4: warning: there is no app replay: its action fails; write reply instead",
        "warning: the chatplan has no context defalt: such messages go past it; write default instead",
    ] {
        assert!(said.contains(expected), "{expected} in:\n{said}");
    }
}

#[test]
fn a_reader_that_has_read_enough_is_no_error() {
    for arguments in [&["check"][..], &["reference", "params"]] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let output = chappe().args(arguments).stdout(writer).output().expect("runs");
        assert_eq!((output.status.code(), text(&output).as_str()), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
fn a_folder_without_a_configuration_fails() {
    let folder = Folder::new();
    std::fs::remove_file(folder.path().join("freeswitch.xml")).expect("removable");
    let (code, said) = check(&folder);
    assert_eq!(code, Some(1), "{said}");
    let output = chappe().arg("serve").arg("--conf").arg(folder.path()).output().expect("runs");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("freeswitch.xml"), "{}", text(&output));
}
