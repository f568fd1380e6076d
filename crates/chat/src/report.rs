//! The events that tell what became of a message.

use chappe_event::{Event, EventName, EventRow, Value, header};

use crate::flow::Ended;
use crate::queue::{QUEUE_EVENT, STORE_EVENT};
use crate::{Quirks, Router, Verdict};

/// The subclass of delivery reports.
pub(crate) const DELIVERY_REPORT: &str = "SMS::DELIVERY_REPORT";

/// The events about messages.
pub const EVENTS: &[EventRow] = &[
    EventRow::fired(
        EventName::Message,
        "A message has gone its way; blocking ones say how it ended in Delivery-Failure.",
        &["proto", "from", "to", "type", "dest_proto"],
    ),
    EventRow::custom(
        DELIVERY_REPORT,
        "What became of a message: its Status is Success, Accepted or Failure, Delivery-Device the device that took it. \
         The other headers are the message's.",
        &["Status", "Delivery-Result-Code", "Delivery-Result-Reason", "Message-ID", "from", "to"],
    ),
    EventRow::custom(
        QUEUE_EVENT,
        "A message that was kept: its Action is stored, delivered, refused, expired or cancelled, Queue-Waiting says how \
         many still wait for its recipient.",
        &["Action", "Queue-Recipient", "Queue-Waiting", "Message-ID", "from", "to"],
    ),
    EventRow::custom(
        STORE_EVENT,
        "The store for messages is in trouble, for the Reason it gives, or is ok again.",
        &["Status"],
    ),
    EventRow::heeded(
        "SMS::SEND_MESSAGE",
        "Sends the message past the chatplan. With `blocking: true` it is seen again with the outcome.",
        &["dest_proto", "from", "to"],
    ),
    EventRow::heeded(
        "SMS::ORIGINATE_MESSAGE",
        "Takes the message through the chatplan (context: `context`, else default), as one that a device sent.",
        &["from", "to"],
    ),
];

/// The device that answered, in a report: its contact.
const DELIVERY_DEVICE: &str = "Delivery-Device";
/// The reason phrase that goes with the code.
const DELIVERY_RESULT_REASON: &str = "Delivery-Result-Reason";
/// How often a message that was kept has been tried.
const DELIVERY_ATTEMPTS: &str = "Delivery-Attempts";

/// Fires the report and the message itself with its outcome, when somebody listens.
pub(crate) fn tell(router: &Router, quirks: Quirks, mut message: Event, ended: &Ended) {
    if !quirks.reports && !ended.copied {
        send(router, &message, ended);
    }
    let subclass = message.subclass();
    if !router.bus().wanted(message.name(), subclass) {
        return;
    }
    if message.is_true(header::BLOCKING) {
        let delivery = ended.delivery.as_ref().filter(|_| !ended.copied);
        if let Some(code) = delivery.and_then(|delivery| delivery.result_code()) {
            message.add_display(header::DELIVERY_RESULT_CODE, code);
        }
        message.add(header::DELIVERY_FAILURE, if ended.succeeded { "false" } else { "true" });
    } else {
        message.add(header::NONBLOCKING_DELIVERY, "true");
    }
    router.bus().fire(message);
}

/// Fires the truthful report: what the sender was told, by which device.
pub(crate) fn send(router: &Router, message: &Event, ended: &Ended) {
    if !wanted(router) {
        return;
    }
    let status = match ended.verdict.code {
        202 => "Accepted",
        200..=299 => "Success",
        _ => "Failure",
    };
    let device = ended.delivery.as_ref().and_then(|delivery| delivery.device());
    fire(router, message, &ended.verdict, device, status, None);
}

/// Fires the last report on a message that was kept.
pub(crate) fn of_kept(
    router: &Router,
    message: &Event,
    verdict: &Verdict,
    device: Option<&str>,
    attempts: u32,
) {
    if wanted(router) {
        let status = if verdict.code < 300 { "Success" } else { "Failure" };
        fire(router, message, verdict, device, status, Some(attempts));
    }
}

fn fire(
    router: &Router,
    message: &Event,
    verdict: &Verdict,
    device: Option<&str>,
    status: &str,
    attempts: Option<u32>,
) {
    let mut report = begin(status);
    report.add_display(header::DELIVERY_RESULT_CODE, verdict.code);
    report.add(DELIVERY_RESULT_REASON, &verdict.reason);
    report.add(DELIVERY_DEVICE, device.unwrap_or_default());
    if let Some(attempts) = attempts {
        report.add_display(DELIVERY_ATTEMPTS, attempts);
    }
    copy(message, &mut report, &[header::DELIVERY_RESULT_CODE]);
    router.bus().fire(report);
}

/// Fires FreeSWITCH's report on a message that came back with its outcome. FreeSWITCH mod_sms.c `send_report`.
pub(crate) fn send_of_outcome(router: &Router, message: &Event, status: &str) {
    if wanted(router) {
        let mut report = begin(status);
        copy(message, &mut report, &[]);
        router.bus().fire(report);
    }
}

fn wanted(router: &Router) -> bool {
    router.bus().wanted(EventName::Custom, Some(DELIVERY_REPORT))
}

fn begin(status: &str) -> Event {
    let mut report = Event::custom(DELIVERY_REPORT);
    report.add(header::STATUS, status);
    report
}

/// Copies the message's headers, but not its body and not what each event has of its own.
pub(crate) fn copy(message: &Event, report: &mut Event, without: &[&str]) {
    const OWN: [&str; 13] = [
        header::EVENT_NAME,
        header::EVENT_SUBCLASS,
        header::CORE_UUID,
        header::FREESWITCH_HOSTNAME,
        header::FREESWITCH_SWITCHNAME,
        header::FREESWITCH_IPV4,
        header::FREESWITCH_IPV6,
        header::EVENT_DATE_LOCAL,
        header::EVENT_DATE_GMT,
        header::EVENT_DATE_TIMESTAMP,
        header::EVENT_CALLING_FILE,
        header::EVENT_CALLING_FUNCTION,
        header::EVENT_CALLING_LINE_NUMBER,
    ];
    for (name, value) in message.headers() {
        if OWN.contains(&name) || name == header::EVENT_SEQUENCE || without.contains(&name) {
            continue;
        }
        match value {
            Value::Text(text) => report.add(chappe_event::Name::copied(name), text),
            Value::Array(array) => {
                array.iter().for_each(|element| report.push(chappe_event::Name::copied(name), element));
            }
        }
    }
}
