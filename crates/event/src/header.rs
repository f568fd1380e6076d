//! The names of event headers, in their wire spelling.

// Core headers

/// The kind of event, see [`EventName`](crate::EventName).
pub const EVENT_NAME: &str = "Event-Name";
/// What kind of CUSTOM event, `SMS::SEND_MESSAGE` for instance.
pub const EVENT_SUBCLASS: &str = "Event-Subclass";
/// The server's id, new at every start.
pub const CORE_UUID: &str = "Core-UUID";
/// The name of the machine.
pub const FREESWITCH_HOSTNAME: &str = "FreeSWITCH-Hostname";
/// The name the operator gave the server.
pub const FREESWITCH_SWITCHNAME: &str = "FreeSWITCH-Switchname";
/// The server's IPv4 address.
pub const FREESWITCH_IPV4: &str = "FreeSWITCH-IPv4";
/// The server's IPv6 address.
pub const FREESWITCH_IPV6: &str = "FreeSWITCH-IPv6";
/// When the event was made, `2026-11-22 22:00:00` in the server's zone.
pub const EVENT_DATE_LOCAL: &str = "Event-Date-Local";
/// When the event was made, `Sun, 22 Nov 2026 22:00:00 GMT`.
pub const EVENT_DATE_GMT: &str = "Event-Date-GMT";
/// When the event was made, in microseconds since 1970.
pub const EVENT_DATE_TIMESTAMP: &str = "Event-Date-Timestamp";
/// The source file that made the event.
pub const EVENT_CALLING_FILE: &str = "Event-Calling-File";
/// The function that made the event.
pub const EVENT_CALLING_FUNCTION: &str = "Event-Calling-Function";
/// The line that made the event.
pub const EVENT_CALLING_LINE_NUMBER: &str = "Event-Calling-Line-Number";
/// The number of the event, from 1, one up with each.
pub const EVENT_SEQUENCE: &str = "Event-Sequence";
/// The id that `sendevent` answers with.
pub const EVENT_UUID: &str = "Event-UUID";
/// What a HEARTBEAT, STARTUP or SHUTDOWN has to say.
pub const EVENT_INFO: &str = "Event-Info";
/// The priority of the event: NORMAL, LOW or HIGH.
pub const PRIORITY: &str = "priority";
/// The id of the session an event belongs to.
pub const UNIQUE_ID: &str = "Unique-ID";

// A message

/// The name a message has from its arrival to its last report: 32 hexadecimal digits.
pub const MESSAGE_ID: &str = "Message-ID";
/// When the message was written, RFC 3428 §9, as in RFC 3261 §20.17.
pub const DATE: &str = "date";
/// Not to be delivered before: seconds from now, seconds since 1970, or a date.
pub const DEFERRED_DELIVERY: &str = "Deferred-Delivery";
/// The same, as a chatplan sets it.
pub const DELIVER_AT: &str = "deliver_at";
/// The body, when read as if it were a header.
pub const BODY: &str = "_body";
/// Who took the message in: `sip:mod_sofia@IP:PORT`.
pub const LOGIN: &str = "login";
/// The chat interface the message came from: `sip`, `GLOBAL_SMS`, `global`.
pub const PROTO: &str = "proto";
/// In a reply, the `to_proto` of what it replies to.
pub const FROM_PROTO: &str = "from_proto";
/// The chat interface the To user names with `proto+user`, else `sip`.
pub const TO_PROTO: &str = "to_proto";
/// The chat interface that delivers the message.
pub const DEST_PROTO: &str = "dest_proto";
/// The chat interface a presence event came from.
pub const ORIG_PROTO: &str = "orig_proto";
/// The sender, `user@host`.
pub const FROM: &str = "from";
/// The user part of the sender.
pub const FROM_USER: &str = "from_user";
/// The host part of the sender.
pub const FROM_HOST: &str = "from_host";
/// The From header as the sender wrote it.
pub const FROM_FULL: &str = "from_full";
/// The address the message came from.
pub const FROM_SIP_IP: &str = "from_sip_ip";
/// The port the message came from.
pub const FROM_SIP_PORT: &str = "from_sip_port";
/// The transport the message came by where that is not UDP: `tcp`. FreeSWITCH does not tell.
pub const FROM_SIP_TRANSPORT: &str = "from_sip_transport";
/// The recipient, `user@host`.
pub const TO: &str = "to";
/// The user part of the recipient.
pub const TO_USER: &str = "to_user";
/// The host part of the recipient.
pub const TO_HOST: &str = "to_host";
/// In a reply, the From header of what it replies to.
pub const TO_FULL: &str = "to_full";
/// Where to send the message to, instead of the recipient's bindings: the address.
pub const TO_SIP_IP: &str = "to_sip_ip";
/// Where to send the message to, instead of the recipient's bindings: the port.
pub const TO_SIP_PORT: &str = "to_sip_port";
/// Where to send the message to, instead of the recipient's bindings: the transport, UDP without it.
pub const TO_SIP_TRANSPORT: &str = "to_sip_transport";
/// The subject; `SIMPLE MESSAGE` when the sender gave none.
pub const SUBJECT: &str = "subject";
/// The context of the chatplan.
pub const CONTEXT: &str = "context";
/// The Content-Type of the body.
pub const TYPE: &str = "type";
/// A hint of the sender's for the chat interface.
pub const HINT: &str = "hint";
/// The sofia profile the message came in on, or goes out by.
pub const SIP_PROFILE: &str = "sip_profile";
/// `true` when the sender has proved who he is.
pub const SIP_AUTHORIZED: &str = "sip_authorized";
/// The Call-Info header.
pub const SIP_CALL_INFO: &str = "sip_call_info";
/// The Geolocation header.
pub const SIP_GEOLOCATION: &str = "sip_geolocation";
/// The Geolocation-Error header.
pub const SIP_GEOLOCATION_ERROR: &str = "sip_geolocation_error";
/// The History-Info header.
pub const SIP_HISTORY_INFO: &str = "sip_history_info";
/// What stands before the name of a SIP header that is handed through: `sip_h_X-Color`.
pub const SIP_HEADER_PREFIX: &str = "sip_h_";
/// How many more times the chatplan may pass the message on.
pub const MAX_FORWARDS: &str = "max_forwards";
/// The captures of the last condition that matched.
pub const DP_MATCH: &str = "DP_MATCH";
/// `true` in a reply: the chatplan isn't run for it.
pub const REPLYING: &str = "replying";
/// In a reply, the body of what it replies to.
pub const ORIG_BODY: &str = "orig_body";
/// `true`: the chatplan isn't run for this message.
pub const SKIP_GLOBAL_PROCESS: &str = "skip_global_process";
/// `true`: the message was dealt with and isn't delivered as well.
pub const FINAL_DELIVERY: &str = "final_delivery";
/// `true`: whoever sends waits for the outcome.
pub const BLOCKING: &str = "blocking";
/// The profile a presence event belongs to.
pub const PROFILE: &str = "profile";

// The outcome of a message

/// `true`: nobody waited for the outcome.
pub const NONBLOCKING_DELIVERY: &str = "Nonblocking-Delivery";
/// Whether the delivery failed, `true` or `false`.
pub const DELIVERY_FAILURE: &str = "Delivery-Failure";
/// The SIP status that the recipient's device answered.
pub const DELIVERY_RESULT_CODE: &str = "Delivery-Result-Code";
/// In a delivery report: Success, Failure or Accepted.
pub const STATUS: &str = "Status";

// Logs, API commands, the event socket

/// The text of a log line.
pub const LOG_DATA: &str = "Log-Data";
/// The source file of a log line.
pub const LOG_FILE: &str = "Log-File";
/// The function of a log line, in a LOG event.
pub const LOG_FUNCTION: &str = "Log-Function";
/// The function of a log line, in a `log/data` frame.
pub const LOG_FUNC: &str = "Log-Func";
/// The source line of a log line.
pub const LOG_LINE: &str = "Log-Line";
/// The number of the level of a log line.
pub const LOG_LEVEL: &str = "Log-Level";
/// The number of the channel a log line was written to.
pub const TEXT_CHANNEL: &str = "Text-Channel";
/// What a log line belongs to.
pub const USER_DATA: &str = "User-Data";
/// The API command that was run.
pub const API_COMMAND: &str = "API-Command";
/// What the API command was given.
pub const API_COMMAND_ARGUMENT: &str = "API-Command-Argument";
/// The id of a background job.
pub const JOB_UUID: &str = "Job-UUID";
/// The command of a background job.
pub const JOB_COMMAND: &str = "Job-Command";
/// What the command of a background job was given.
pub const JOB_COMMAND_ARG: &str = "Job-Command-Arg";
/// The event socket command that an event came with.
pub const COMMAND: &str = "Command";
/// The type of a frame's body.
pub const CONTENT_TYPE: &str = "Content-Type";
/// The octets of the body.
pub const CONTENT_LENGTH: &str = "Content-Length";
/// The answer to an event socket command.
pub const REPLY_TEXT: &str = "Reply-Text";
/// `true`: the API command was typed at a console.
pub const CONSOLE_EXECUTE: &str = "console_execute";

// Modules, heartbeat, registrations

/// The key of a MODULE_LOAD or MODULE_UNLOAD event.
pub const KEY: &str = "key";
/// The name in a MODULE_LOAD or MODULE_UNLOAD event.
pub const NAME: &str = "name";
/// The file name in a MODULE_LOAD or MODULE_UNLOAD event.
pub const FILENAME: &str = "filename";
/// How long the server has been up, in words.
pub const UP_TIME: &str = "Up-Time";
/// How long the server has been up, in milliseconds.
pub const UPTIME_MSEC: &str = "Uptime-msec";
/// The version of the server.
pub const FREESWITCH_VERSION: &str = "FreeSWITCH-Version";
/// How many sessions there are.
pub const SESSION_COUNT: &str = "Session-Count";
/// How idle the machine is, in percent.
pub const IDLE_CPU: &str = "Idle-CPU";
/// How often a HEARTBEAT is sent, in seconds.
pub const HEARTBEAT_INTERVAL: &str = "Heartbeat-Interval";
/// The profile of a `sofia::register` event.
pub const PROFILE_NAME: &str = "profile-name";
/// The user of a `sofia::register` event.
pub const FROM_USER_DASHED: &str = "from-user";
/// The host of a `sofia::register` event.
pub const FROM_HOST_DASHED: &str = "from-host";
/// The contact of a `sofia::register` event.
pub const CONTACT: &str = "contact";
/// The Call-ID of a `sofia::register` event.
pub const CALL_ID: &str = "call-id";
/// The presence note of a `sofia::register` event.
pub const RPID: &str = "rpid";
/// How long the binding of a `sofia::register` event holds, in seconds; how long a message is of use, RFC 3428 §9.
pub const EXPIRES: &str = "expires";
/// The To user of a `sofia::register` event.
pub const TO_USER_DASHED: &str = "to-user";
/// The To host of a `sofia::register` event.
pub const TO_HOST_DASHED: &str = "to-host";
/// The address a `sofia::register` event's request came from.
pub const NETWORK_IP: &str = "network-ip";
/// The port a `sofia::register` event's request came from.
pub const NETWORK_PORT: &str = "network-port";
/// The user name in the credentials of a `sofia::register` event.
pub const USERNAME: &str = "username";
/// The realm in the credentials of a `sofia::register` event.
pub const REALM: &str = "realm";
/// The User-Agent of a `sofia::register` event.
pub const USER_AGENT: &str = "user-agent";
/// The kind of REGISTER in a `sofia::register_attempt` event.
pub const REGISTRATION_TYPE: &str = "registration-type";
/// The outcome of a `sofia::register_attempt` event.
pub const AUTH_RESULT: &str = "auth-result";
