use std::time::Duration;

use chappe_chat::Settings;

use crate::world::{World, every, message};

const ALLOWED: Settings = Settings {
    allow_system: true,
    system_timeout: Duration::from_secs(30),
    accept_after: Duration::from_secs(2),
};

/// What is sent for a message whose plan runs `command`, then replies.
fn sent_after(command: &str, settings: Settings) -> Vec<String> {
    let actions = format!(
        "<action application=\"system\" data=\"{command}\"/><action application=\"reply\" data=\"r\"/>"
    );
    let world = World::with(&every(&actions)).with_settings(settings);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let routing = tokio::spawn(world.router.route(message("1009")));
        tokio::task::yield_now().await;
        for work in world.take_spawned() {
            tokio::spawn(work);
        }
        routing.await.expect("it ends");
    });
    world.sip.sent()
}

#[test]
fn it_is_off_unless_allowed() {
    assert!(sent_after("true", Settings::default()).is_empty());
}

#[test]
fn it_runs_a_command_whatever_that_answers() {
    assert_eq!(sent_after("true", ALLOWED), ["1004: r"]);
    assert_eq!(sent_after("exit 3", ALLOWED), ["1004: r"]);
}

#[test]
fn a_command_that_takes_too_long_is_killed_and_ends_the_actions() {
    let hasty = Settings { system_timeout: Duration::from_millis(20), ..ALLOWED };
    assert!(sent_after("sleep 600", hasty).is_empty());
}

#[test]
fn its_data_is_expanded() {
    let file = std::env::temp_dir().join(format!("chappe-system-{}", std::process::id()));
    sent_after(&format!("echo ${{to_user}} > {}", file.display()), ALLOWED);
    let written = std::fs::read_to_string(&file).expect("the command has run");
    std::fs::remove_file(&file).expect("it is ours");
    assert_eq!(written, "1009\n");
}
