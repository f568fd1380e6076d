use chappe_store::{KeptBinding, Micros, Store};

crate::contract! {
    a_binding_comes_back_as_it_was,
    the_last_refresh_counts,
    a_binding_that_was_removed_is_gone,
    the_flows_of_a_device_may_have_one_contact,
    bindings_that_are_over_are_forgotten,
    a_flush_waits_for_everything,
    many_bindings_come_in_pieces_that_part_no_user,
}

const FLOW: &str = "1;<urn:uuid:0>";

fn binding(profile: &str, contact: &str, expires: Micros) -> KeptBinding {
    KeptBinding {
        profile: profile.into(),
        aor: "bob@example.org".into(),
        contact: contact.into(),
        q: 700,
        expires,
        since: -5,
        call_id: "call".into(),
        cseq: u32::MAX,
        path: vec!["<sip:edge;lr>".into(), "<sip:core;lr>".into()],
        received: "[2001:db8::1]:5060".parse().unwrap(),
        transport: "TLS".into(),
        user_agent: "Grüße/1.0".into(),
        flow: FLOW.into(),
        is_nat: false,
    }
}

async fn a_binding_comes_back_as_it_was(store: &dyn Store) {
    let one = binding("internal", "sip:a", 100);
    let other = KeptBinding {
        path: Vec::new(),
        received: ([192, 0, 2, 1], 1).into(),
        flow: "".into(),
        ..binding("internal", "sip:b", 100)
    };
    let behind = |flow: &str, contact| KeptBinding {
        is_nat: true,
        flow: flow.into(),
        ..binding("internal", contact, 100)
    };
    let all = vec![one, other, behind("", "sip:c"), behind(FLOW, "sip:d")];
    all.iter().for_each(|binding| store.bind(binding.clone()));
    store.bind(binding("external", "sip:a", 100));
    assert_eq!(store.bindings("internal", 50).await, Ok(all));
    assert_eq!(store.bindings("nobody", 50).await, Ok(Vec::new()));
}

async fn the_last_refresh_counts(store: &dyn Store) {
    for cseq in 1..=1000 {
        store.bind(KeptBinding { cseq, ..binding("internal", "sip:a", 100) });
    }
    let live = store.bindings("internal", 50).await.unwrap();
    assert_eq!(live.iter().map(|binding| binding.cseq).collect::<Vec<_>>(), [1000]);
    store.bind(binding("internal", "sip:a", 200));
    assert_eq!(store.bindings("internal", 150).await.unwrap().len(), 1);
}

async fn a_binding_that_was_removed_is_gone(store: &dyn Store) {
    store.bind(binding("internal", "sip:a", 100));
    store.bind(binding("internal", "sip:b", 100));
    store.unbind("internal", "bob@example.org", "sip:a", FLOW);
    store.unbind("internal", "bob@example.org", "sip:c", FLOW);
    store.unbind("internal", "bob@example.org", "sip:b", "");
    assert_eq!(store.bindings("internal", 50).await, Ok(vec![binding("internal", "sip:b", 100)]));
    store.unbind("internal", "bob@example.org", "sip:b", FLOW);
    assert_eq!(store.bindings("internal", 50).await, Ok(Vec::new()));
}

async fn the_flows_of_a_device_may_have_one_contact(store: &dyn Store) {
    let flows = ["", FLOW, "2;<urn:uuid:0>"];
    let all = flows.map(|flow| KeptBinding { flow: flow.into(), ..binding("internal", "sip:a", 100) });
    all.iter().for_each(|binding| store.bind(binding.clone()));
    assert_eq!(store.bindings("internal", 50).await, Ok(all.to_vec()));
    store.unbind("internal", "bob@example.org", "sip:a", FLOW);
    let [first, _, last] = all;
    assert_eq!(store.bindings("internal", 50).await, Ok(vec![first, last]));
}

async fn bindings_that_are_over_are_forgotten(store: &dyn Store) {
    store.bind(binding("internal", "sip:a", 100));
    store.bind(binding("internal", "sip:b", 101));
    store.bind(binding("external", "sip:a", 100));
    assert_eq!(store.bindings("internal", 100).await.unwrap().len(), 1);
    assert_eq!(store.bindings("internal", 0).await.unwrap().len(), 1, "it does not come back");
    assert_eq!(store.bindings("external", 0).await.unwrap().len(), 1, "others are another profile's");
}

async fn a_flush_waits_for_everything(store: &dyn Store) {
    store.bind(binding("internal", "sip:a", 100));
    assert_eq!(store.flush().await, Ok(()));
    assert_eq!(store.bindings("internal", 50).await.unwrap().len(), 1);
}

async fn many_bindings_come_in_pieces_that_part_no_user(store: &dyn Store) {
    const USERS: usize = 1500;
    for user in 0..USERS {
        for contact in ["sip:a", "sip:b"] {
            let aor = format!("{user}@example.org").into();
            store.bind(KeptBinding { aor, ..binding("internal", contact, 100) });
        }
    }
    let (told, pieces) = std::sync::mpsc::channel();
    let tell = move |piece: Vec<KeptBinding>| told.send(piece).is_ok();
    store.each_binding("internal", 50, Box::new(tell)).await.unwrap();
    let pieces: Vec<_> = pieces.iter().collect();
    assert_eq!(pieces.iter().map(Vec::len).sum::<usize>(), 2 * USERS);
    let ends = pieces.windows(2).map(|two| (two[0].last(), two[1].first()));
    assert!(ends.flat_map(|(last, first)| last.zip(first)).all(|(last, first)| last.aor != first.aor));
    let mut calls = 0;
    let enough = move |_: Vec<KeptBinding>| {
        calls += 1;
        assert_eq!(calls, 1, "whoever wants no more is left alone");
        false
    };
    store.each_binding("internal", 50, Box::new(enough)).await.unwrap();
}
