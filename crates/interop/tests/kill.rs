//! A 2xx is a promise: whoever was told one has sent a message that arrives, though the server is killed hundreds of times
//! between any two of its instructions. Real sockets, the real binary, one configuration folder, store and ports throughout.

mod storm;

use std::time::{Duration, Instant};

use chappe_interop::{EventSocket, Folder, Server};
use storm::{Device, Ledger, Manner, Random, Sender};

/// Other kills, other messages: `CHAPPE_KILL_SEED`.
const SEED: u64 = 1794;

const SENDERS: [&str; 4] = ["1000", "1001", "1002", "1003"];
/// Who answers how. One user has three devices, and one has none to begin with.
const DEVICES: [(&str, Manner); 9] = [
    ("1010", Manner::Prompt),
    ("1010", Manner::Slow),
    ("1010", Manner::Deaf),
    ("1011", Manner::Slow),
    ("1012", Manner::Twice),
    ("1013", Manner::Busy),
    ("1014", Manner::Deaf),
    ("1015", Manner::ComesAndGoes),
    ("1016", Manner::ComesAtTheEnd),
];

/// A storm of messages and kills, and what came of it.
struct Storm {
    server: Option<Server>,
    ledger: Ledger,
    random: Random,
    devices: Vec<Device>,
    senders: Vec<Sender>,
    kills: u32,
}

impl Storm {
    fn begin(store: Option<&str>) -> Storm {
        let seed = std::env::var("CHAPPE_KILL_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(SEED);
        println!("seed {seed}");
        let mut random = Random::new(seed);
        let folder = Folder::new();
        // Credentials would make each repetition after a restart another request: the nonce is another.
        folder.trust_all();
        folder.profile(&[("max-recv-requests-per-second", "0")]);
        folder.replace("value=\"debug\"", "value=\"warning\"");
        let ledger = Ledger::default();
        let server = folder.sip_port;
        let recipients: Vec<&str> = DEVICES.iter().map(|(user, _)| *user).collect();
        let devices =
            DEVICES.iter().map(|(user, manner)| Device::start(server, user, *manner, &ledger, random.fork()));
        let devices = devices.collect();
        let senders =
            SENDERS.iter().map(|user| Sender::start(server, user, &recipients, &ledger, random.fork()));
        let senders = senders.collect();
        let mut storm = Storm { server: None, ledger, random, devices, senders, kills: 0 };
        storm.start(folder, store, true);
        storm
    }

    /// Half of the time the server takes a message over as soon as a device does not answer at once, half of the time it
    /// waits for longer than it lives.
    fn start(&mut self, folder: Folder, store: Option<&str>, until_ready: bool) {
        let accept_after = if self.random.one_in(2) { "0" } else { "2" };
        let mut params = vec![("accept-after", accept_after), ("retry-intervals", "1")];
        params.extend(store.map(|store| ("store", store)));
        folder.sms(&params);
        let process = Server::launch(folder.path());
        if until_ready {
            process.expect("ready\n");
        }
        self.server = Some(Server { folder, process });
    }

    /// Kills the server, mostly a while after it answers again, sometimes while it starts.
    fn kill(&mut self, store: Option<&str>) {
        std::thread::sleep(Duration::from_millis(self.random.between(20, 150)));
        let server = self.server.take().expect("one is running");
        let printed = server.process.printed();
        assert!(!printed.contains("panicked"), "{printed}");
        let folder = server.kill();
        self.kills += 1;
        let until_ready = !self.random.one_in(8);
        self.start(folder, store, until_ready);
    }

    /// Nobody sends anything new, everybody is there and takes everything; ends once all that was promised has arrived and
    /// each sender knows what became of its messages, or when `patience` is over.
    fn calm_down(&mut self, patience: Duration) {
        self.server.as_ref().expect("one is running").process.expect("ready\n");
        self.senders.iter().for_each(Sender::end);
        self.devices.iter().for_each(Device::be_there_for_all);
        let end = Instant::now() + patience;
        while Instant::now() < end && !(self.senders.iter().all(Sender::is_done) && self.ledger.lost() == 0) {
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Messages that the server says it still has to deliver.
    fn waiting(&self) -> String {
        let server = self.server.as_ref().expect("one is running");
        EventSocket::connect(server.folder.event_port).api("message status")
    }
}

#[test]
fn what_was_promised_arrives_though_the_server_is_killed_two_hundred_times() {
    let begun = Instant::now();
    let mut storm = Storm::begin(None);
    for _ in 0..200 {
        storm.kill(None);
    }
    storm.calm_down(Duration::from_secs(40));
    let ledger = &storm.ledger;
    let counts = ledger.counts();
    println!("{} kills in {:.0?}, {counts}, still stored: {}", storm.kills, begun.elapsed(), storm.waiting());
    assert_eq!(ledger.wrong(), Vec::<String>::new());
    // A server that starts takes nothing before it can route it.
    assert_eq!(ledger.counts().refused.get(&500), None);
    assert_eq!(ledger.lost(), 0, "messages that got a 2xx and did not arrive: {:?}", ledger.examples());
    // A storm in which little happened shows nothing.
    assert!(counts.delivered_at_once > 100 && counts.taken_over > 100, "{counts}");
    assert!(counts.duplicates > 0, "no message was on its way in any of the kills: {counts}");
}

/// The test above can fail: what is kept in memory alone is lost, and it sees that.
#[test]
fn what_is_promised_from_memory_is_lost() {
    let mut storm = Storm::begin(Some("memory"));
    for _ in 0..10 {
        storm.kill(Some("memory"));
    }
    storm.calm_down(Duration::from_secs(5));
    println!("{} kills, {}", storm.kills, storm.ledger.counts());
    assert!(storm.ledger.lost() > 0, "a store in memory kept its promises: {}", storm.ledger.counts());
}
