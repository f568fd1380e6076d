use crate::world::{World, every, message};

#[test]
fn is_composing_goes_past_the_chatplan() {
    for content_type in ["application/im-iscomposing+xml", "Application/IM-isComposing+XML; charset=utf-8"] {
        let world = World::with(&every("<action application=\"reply\" data=\"r\"/>"));
        let mut composing = message("1009");
        composing.add("type", content_type);
        assert_eq!(world.route(composing).code, 200);
        assert_eq!(world.sip.sent(), ["1009: hello"], "{content_type}");
    }
}
