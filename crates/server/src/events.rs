//! Every kind of event there is.

use chappe_event::{EventName, EventRow};

const OWN: &[EventRow] = &[
    EventRow::fired(
        EventName::Heartbeat,
        "Every `event-heartbeat-interval` of switch.conf, 20 seconds by default. There are no sessions.",
        &[
            "Event-Info",
            "Up-Time",
            "FreeSWITCH-Version",
            "Uptime-msec",
            "Session-Count",
            "Max-Sessions",
            "Session-Per-Sec",
            "Session-Per-Sec-Last",
            "Session-Per-Sec-Max",
            "Session-Per-Sec-FiveMin",
            "Session-Since-Startup",
            "Session-Peak-Max",
            "Session-Peak-FiveMin",
            "Idle-CPU",
        ],
    ),
    EventRow::fired(EventName::ModuleLoad, "A module was loaded.", MODULE),
    EventRow::fired(EventName::ModuleUnload, "A module was unloaded.", MODULE),
    EventRow::fired(EventName::Reloadxml, "The configuration was read again and runs.", &[]),
    EventRow::fired(EventName::Startup, "The server is ready.", &["Event-Info"]),
    EventRow::fired(EventName::Shutdown, "The server ends.", &["Event-Info"]),
    EventRow::fired(EventName::AddSchedule, "`sched_api` scheduled a command.", TASK),
    EventRow::fired(EventName::DelSchedule, "A scheduled command ran, or was taken back.", TASK),
    EventRow::fired(EventName::ReSchedule, "A repeated command is scheduled for its next time.", TASK),
    EventRow::fired(EventName::Trap, "SIGHUP came.", &["Trapped-Signal"]),
];

const MODULE: &[&str] = &["type", "name", "key", "filename"];

const TASK: &[&str] = &["Task-ID", "Task-Desc", "Task-Group", "Task-Runtime"];

/// All of them, by name and subclass.
pub fn rows() -> Vec<EventRow> {
    let parts = [
        OWN,
        chappe_api::EVENTS,
        chappe_chat::EVENTS,
        chappe_event_socket::EVENTS,
        chappe_sip_endpoint::EVENTS,
        chappe_sip_endpoint::GATEWAY_EVENTS,
        chappe_tables::EVENTS,
    ];
    let mut rows: Vec<EventRow> = parts.into_iter().flatten().copied().collect();
    rows.sort_by_key(|row| (row.name.as_str(), row.subclass));
    rows
}
