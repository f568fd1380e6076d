use std::sync::Arc;
use std::time::Duration;

use chappe_chat::{App, AppRow, Delivery, Outcome, Ran, Routed, Router};
use chappe_chatplan::Plan;
use chappe_event::Event;
use chappe_store::Store;

use crate::world::{World, message, pass, settle};

/// An app that takes a minute, then does what its data says.
struct Slow;

impl App for Slow {
    fn row(&self) -> &AppRow {
        &AppRow { name: "slow", syntax: "", doc: "Take a minute.", takes: false, module: "mod_test" }
    }

    fn is_slow(&self) -> bool {
        true
    }

    fn run<'a>(&'a self, message: &'a mut Event, data: Option<&'a str>, _: &'a Arc<Router>) -> Ran<'a> {
        Ran::Later(Box::pin(async move {
            tokio::time::sleep(Duration::from_secs(60)).await;
            message.add("subject", "changed");
            match data {
                Some("take") => Outcome::Dealt,
                Some("fail") => Outcome::Failed(Delivery::Failed("it broke".into())),
                _ => Outcome::Continue,
            }
        }))
    }
}

fn plan(data: &str, more: &str) -> Arc<Plan> {
    let text = format!(
        "<document><section name=\"chatplan\"><context name=\"default\"><extension name=\"e\" continue=\"true\">\
         <condition field=\"to\" expression=\".*\"><action application=\"slow\" data=\"{data}\"/>{more}</condition>\
         </extension></context></section></document>"
    );
    let (plan, diagnostics) = Plan::parse(&text, "chatplan.xml");
    assert!(!diagnostics.has_errors(), "{diagnostics}");
    Arc::new(plan.unwrap())
}

async fn ask(world: &World, data: &str, more: &str) -> u16 {
    world.router.add_app(Arc::new(Slow));
    world.router.set_plan(Some(plan(data, more)));
    match world.router.route_for_sender(message("1009", "hello")).await {
        Routed::Done(verdict) => verdict.code,
        Routed::TakenOver(verdict, rest) => {
            tokio::spawn(rest);
            settle().await;
            verdict.code
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_sender_does_not_wait_for_a_slow_app() {
    let cases = [("", "delivered"), ("take", "done"), ("fail", "refused")];
    for (data, state) in cases {
        let world = World::new().await;
        world.sip.set("1009", "a", &[200]);
        assert_eq!(ask(&world, data, "").await, 202, "{data}");
        assert_eq!(world.states().await, ["accepted"], "{data}");
        pass(61).await;
        assert_eq!(world.states().await, [state], "{data}");
        assert_eq!(world.sent().len(), usize::from(state == "delivered"), "{data}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_slow_app_leaves_for_nobody_waits_as_it_is_by_then() {
    let world = World::new().await;
    assert_eq!(ask(&world, "", "").await, 202);
    pass(61).await;
    assert_eq!(world.states().await, ["waiting"]);
    let summary = &world.stored().await[0];
    let record = world.store.get(&summary.id).await.unwrap().unwrap();
    assert_eq!(record.message.unwrap().get("subject"), Some("changed"));
    world.register("1009", "a", &[200]).await;
    assert_eq!(world.sent(), ["a: hello"]);
    assert_eq!(world.states().await, ["delivered"]);
}

#[tokio::test(start_paused = true)]
async fn a_restart_takes_it_through_the_chatplan_again() {
    let before = World::new().await;
    assert_eq!(ask(&before, "", "").await, 202);
    let after = World::on(before.store.clone());
    after.router.add_app(Arc::new(Slow));
    after.router.set_plan(Some(plan("", "")));
    after.sip.set("1009", "a", &[200]);
    drop(before);
    after.open().await;
    pass(62).await;
    assert_eq!(after.states().await, ["delivered"]);
    assert_eq!(after.sent(), ["a: hello"]);
}

#[tokio::test(start_paused = true)]
async fn copies_to_several_who_are_not_there_are_all_kept() {
    let world = World::new().await;
    let send = |to: &str| {
        format!("<action application=\"set\" data=\"to={to}@chat.test\"/><action application=\"send\"/>")
    };
    assert_eq!(ask(&world, "", &(send("1009") + &send("1010") + &send("1011"))).await, 202);
    pass(61).await;
    assert_eq!(world.states().await, ["waiting", "waiting", "waiting"]);
    for user in ["1009", "1010", "1011"] {
        world.register(user, user, &[200]).await;
        assert_eq!(world.sent(), [format!("{user}: hello")]);
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_runs_out_in_a_slow_app_takes_nobodys_place() {
    let world = World::new().await;
    world.send("1009", "waits").await;
    world.router.add_app(Arc::new(Slow));
    world.router.set_plan(Some(plan("take", "")));
    let mut brief = message("1009", "brief");
    brief.add("expires", "10");
    let Routed::TakenOver(_, rest) = world.router.route_for_sender(brief).await else {
        panic!("the app is slow")
    };
    tokio::spawn(rest);
    pass(20).await;
    assert_eq!(world.states().await, ["waiting", "expired"]);
    assert_eq!(world.router.queue().waiting("1009@chat.test"), 1);
    world.register("1009", "a", &[200]).await;
    assert_eq!(world.sent(), ["a: waits"]);
}
