//! The names of events.

/// Declares [`EventName`] from one row a name, so that the enum, its texts and its length can't differ.
macro_rules! event_names {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)*) => {
        /// What kind of event this is: FreeSWITCH's list, in FreeSWITCH's order (`switch_event.c EVENT_NAMES`).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum EventName { $($(#[$doc])* $variant,)* }

        impl EventName {
            /// Every name, in order.
            pub const LIST: &'static [EventName] = &[$(EventName::$variant,)*];

            /// The name as it stands in the `Event-Name` header.
            pub const fn as_str(self) -> &'static str {
                match self { $(EventName::$variant => $text,)* }
            }
        }
    };
}

event_names! {
    /// `CUSTOM`: named further by its `Event-Subclass`.
    Custom = "CUSTOM",
    /// `CLONE`: a copy that has no name of its own.
    Clone = "CLONE",
    /// FreeSWITCH's `CHANNEL_CREATE`.
    ChannelCreate = "CHANNEL_CREATE",
    /// FreeSWITCH's `CHANNEL_DESTROY`.
    ChannelDestroy = "CHANNEL_DESTROY",
    /// FreeSWITCH's `CHANNEL_STATE`.
    ChannelState = "CHANNEL_STATE",
    /// FreeSWITCH's `CHANNEL_CALLSTATE`.
    ChannelCallstate = "CHANNEL_CALLSTATE",
    /// FreeSWITCH's `CHANNEL_ANSWER`.
    ChannelAnswer = "CHANNEL_ANSWER",
    /// FreeSWITCH's `CHANNEL_HANGUP`.
    ChannelHangup = "CHANNEL_HANGUP",
    /// FreeSWITCH's `CHANNEL_HANGUP_COMPLETE`.
    ChannelHangupComplete = "CHANNEL_HANGUP_COMPLETE",
    /// FreeSWITCH's `CHANNEL_EXECUTE`.
    ChannelExecute = "CHANNEL_EXECUTE",
    /// FreeSWITCH's `CHANNEL_EXECUTE_COMPLETE`.
    ChannelExecuteComplete = "CHANNEL_EXECUTE_COMPLETE",
    /// FreeSWITCH's `CHANNEL_HOLD`.
    ChannelHold = "CHANNEL_HOLD",
    /// FreeSWITCH's `CHANNEL_UNHOLD`.
    ChannelUnhold = "CHANNEL_UNHOLD",
    /// FreeSWITCH's `CHANNEL_BRIDGE`.
    ChannelBridge = "CHANNEL_BRIDGE",
    /// FreeSWITCH's `CHANNEL_UNBRIDGE`.
    ChannelUnbridge = "CHANNEL_UNBRIDGE",
    /// FreeSWITCH's `CHANNEL_PROGRESS`.
    ChannelProgress = "CHANNEL_PROGRESS",
    /// FreeSWITCH's `CHANNEL_PROGRESS_MEDIA`.
    ChannelProgressMedia = "CHANNEL_PROGRESS_MEDIA",
    /// FreeSWITCH's `CHANNEL_OUTGOING`.
    ChannelOutgoing = "CHANNEL_OUTGOING",
    /// FreeSWITCH's `CHANNEL_PARK`.
    ChannelPark = "CHANNEL_PARK",
    /// FreeSWITCH's `CHANNEL_UNPARK`.
    ChannelUnpark = "CHANNEL_UNPARK",
    /// FreeSWITCH's `CHANNEL_APPLICATION`.
    ChannelApplication = "CHANNEL_APPLICATION",
    /// FreeSWITCH's `CHANNEL_ORIGINATE`.
    ChannelOriginate = "CHANNEL_ORIGINATE",
    /// FreeSWITCH's `CHANNEL_UUID`.
    ChannelUuid = "CHANNEL_UUID",
    /// `API`: an API command was run.
    Api = "API",
    /// `LOG`: a log line.
    Log = "LOG",
    /// FreeSWITCH's `INBOUND_CHAN`.
    InboundChan = "INBOUND_CHAN",
    /// FreeSWITCH's `OUTBOUND_CHAN`.
    OutboundChan = "OUTBOUND_CHAN",
    /// `STARTUP`: the server has started.
    Startup = "STARTUP",
    /// `SHUTDOWN`: the server ends.
    Shutdown = "SHUTDOWN",
    /// FreeSWITCH's `PUBLISH`.
    Publish = "PUBLISH",
    /// FreeSWITCH's `UNPUBLISH`.
    Unpublish = "UNPUBLISH",
    /// FreeSWITCH's `TALK`.
    Talk = "TALK",
    /// FreeSWITCH's `NOTALK`.
    Notalk = "NOTALK",
    /// FreeSWITCH's `SESSION_CRASH`.
    SessionCrash = "SESSION_CRASH",
    /// `MODULE_LOAD`: a module was loaded.
    ModuleLoad = "MODULE_LOAD",
    /// `MODULE_UNLOAD`: a module was unloaded.
    ModuleUnload = "MODULE_UNLOAD",
    /// FreeSWITCH's `DTMF`.
    Dtmf = "DTMF",
    /// `MESSAGE`: a text message, fired after its delivery was tried.
    Message = "MESSAGE",
    /// FreeSWITCH's `PRESENCE_IN`.
    PresenceIn = "PRESENCE_IN",
    /// FreeSWITCH's `NOTIFY_IN`.
    NotifyIn = "NOTIFY_IN",
    /// FreeSWITCH's `PRESENCE_OUT`.
    PresenceOut = "PRESENCE_OUT",
    /// FreeSWITCH's `PRESENCE_PROBE`.
    PresenceProbe = "PRESENCE_PROBE",
    /// FreeSWITCH's `MESSAGE_WAITING`.
    MessageWaiting = "MESSAGE_WAITING",
    /// FreeSWITCH's `MESSAGE_QUERY`.
    MessageQuery = "MESSAGE_QUERY",
    /// FreeSWITCH's `ROSTER`.
    Roster = "ROSTER",
    /// FreeSWITCH's `CODEC`.
    Codec = "CODEC",
    /// `BACKGROUND_JOB`: a `bgapi` command has ended.
    BackgroundJob = "BACKGROUND_JOB",
    /// FreeSWITCH's `DETECTED_SPEECH`.
    DetectedSpeech = "DETECTED_SPEECH",
    /// FreeSWITCH's `DETECTED_TONE`.
    DetectedTone = "DETECTED_TONE",
    /// FreeSWITCH's `PRIVATE_COMMAND`.
    PrivateCommand = "PRIVATE_COMMAND",
    /// `HEARTBEAT`: sent at a steady interval with figures about the server.
    Heartbeat = "HEARTBEAT",
    /// `TRAP`: a network address or the host name changed.
    Trap = "TRAP",
    /// FreeSWITCH's `ADD_SCHEDULE`.
    AddSchedule = "ADD_SCHEDULE",
    /// FreeSWITCH's `DEL_SCHEDULE`.
    DelSchedule = "DEL_SCHEDULE",
    /// FreeSWITCH's `EXE_SCHEDULE`.
    ExeSchedule = "EXE_SCHEDULE",
    /// FreeSWITCH's `RE_SCHEDULE`.
    ReSchedule = "RE_SCHEDULE",
    /// `RELOADXML`: the configuration was read again.
    Reloadxml = "RELOADXML",
    /// FreeSWITCH's `NOTIFY`.
    Notify = "NOTIFY",
    /// FreeSWITCH's `PHONE_FEATURE`.
    PhoneFeature = "PHONE_FEATURE",
    /// FreeSWITCH's `PHONE_FEATURE_SUBSCRIBE`.
    PhoneFeatureSubscribe = "PHONE_FEATURE_SUBSCRIBE",
    /// `SEND_MESSAGE`: a text message to be sent.
    SendMessage = "SEND_MESSAGE",
    /// `RECV_MESSAGE`: a text message as it came in.
    RecvMessage = "RECV_MESSAGE",
    /// FreeSWITCH's `REQUEST_PARAMS`.
    RequestParams = "REQUEST_PARAMS",
    /// FreeSWITCH's `CHANNEL_DATA`.
    ChannelData = "CHANNEL_DATA",
    /// FreeSWITCH's `GENERAL`.
    General = "GENERAL",
    /// FreeSWITCH's `COMMAND`.
    Command = "COMMAND",
    /// FreeSWITCH's `SESSION_HEARTBEAT`.
    SessionHeartbeat = "SESSION_HEARTBEAT",
    /// FreeSWITCH's `CLIENT_DISCONNECTED`.
    ClientDisconnected = "CLIENT_DISCONNECTED",
    /// FreeSWITCH's `SERVER_DISCONNECTED`.
    ServerDisconnected = "SERVER_DISCONNECTED",
    /// FreeSWITCH's `SEND_INFO`.
    SendInfo = "SEND_INFO",
    /// FreeSWITCH's `RECV_INFO`.
    RecvInfo = "RECV_INFO",
    /// FreeSWITCH's `RECV_RTCP_MESSAGE`.
    RecvRtcpMessage = "RECV_RTCP_MESSAGE",
    /// FreeSWITCH's `SEND_RTCP_MESSAGE`.
    SendRtcpMessage = "SEND_RTCP_MESSAGE",
    /// FreeSWITCH's `CALL_SECURE`.
    CallSecure = "CALL_SECURE",
    /// FreeSWITCH's `NAT`.
    Nat = "NAT",
    /// FreeSWITCH's `RECORD_START`.
    RecordStart = "RECORD_START",
    /// FreeSWITCH's `RECORD_STOP`.
    RecordStop = "RECORD_STOP",
    /// FreeSWITCH's `PLAYBACK_START`.
    PlaybackStart = "PLAYBACK_START",
    /// FreeSWITCH's `PLAYBACK_STOP`.
    PlaybackStop = "PLAYBACK_STOP",
    /// FreeSWITCH's `CALL_UPDATE`.
    CallUpdate = "CALL_UPDATE",
    /// FreeSWITCH's `FAILURE`.
    Failure = "FAILURE",
    /// FreeSWITCH's `SOCKET_DATA`.
    SocketData = "SOCKET_DATA",
    /// FreeSWITCH's `MEDIA_BUG_START`.
    MediaBugStart = "MEDIA_BUG_START",
    /// FreeSWITCH's `MEDIA_BUG_STOP`.
    MediaBugStop = "MEDIA_BUG_STOP",
    /// FreeSWITCH's `CONFERENCE_DATA_QUERY`.
    ConferenceDataQuery = "CONFERENCE_DATA_QUERY",
    /// FreeSWITCH's `CONFERENCE_DATA`.
    ConferenceData = "CONFERENCE_DATA",
    /// FreeSWITCH's `CALL_SETUP_REQ`.
    CallSetupReq = "CALL_SETUP_REQ",
    /// FreeSWITCH's `CALL_SETUP_RESULT`.
    CallSetupResult = "CALL_SETUP_RESULT",
    /// FreeSWITCH's `CALL_DETAIL`.
    CallDetail = "CALL_DETAIL",
    /// FreeSWITCH's `DEVICE_STATE`.
    DeviceState = "DEVICE_STATE",
    /// FreeSWITCH's `TEXT`.
    Text = "TEXT",
    /// FreeSWITCH's `SHUTDOWN_REQUESTED`.
    ShutdownRequested = "SHUTDOWN_REQUESTED",
    /// FreeSWITCH's `CERT_RELOAD`.
    CertReload = "CERT_RELOAD",
    /// `ALL`: in subscriptions: every event.
    All = "ALL",
}

impl EventName {
    /// The event called `name`, in any case, with or without the prefix `SWITCH_EVENT_`.
    ///
    /// FreeSWITCH switch_event.c switch_name_event. Deviation: it takes any thirteen octets for the prefix.
    pub fn parse(name: &str) -> Option<Self> {
        const PREFIX: &str = "SWITCH_EVENT_";
        let bare = match name.get(..PREFIX.len()) {
            Some(prefix) if prefix.eq_ignore_ascii_case(PREFIX) => &name[PREFIX.len()..],
            _ => name,
        };
        Self::LIST.iter().copied().find(|known| known.as_str().eq_ignore_ascii_case(bare))
    }

    /// Whether events of this name hold each header once, adding one replacing the other of its name.
    ///
    /// FreeSWITCH switch_event.c switch_event_create_subclass_detailed, EF_UNIQ_HEADERS.
    pub(crate) fn has_unique_headers(self) -> bool {
        matches!(self, Self::RequestParams | Self::ChannelData | Self::Message)
    }
}

impl std::fmt::Display for EventName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_by_its_text() {
        for &name in EventName::LIST {
            assert_eq!(EventName::parse(name.as_str()), Some(name));
            assert_eq!(EventName::parse(&name.as_str().to_lowercase()), Some(name));
            assert_eq!(EventName::parse(&format!("switch_event_{name}")), Some(name));
        }
    }

    #[test]
    fn the_order_is_freeswitchs() {
        assert_eq!(EventName::Custom as u8, 0);
        assert_eq!(EventName::Message as u8, 37);
        assert_eq!(EventName::All as usize, EventName::LIST.len() - 1);
        assert_eq!(EventName::LIST.len(), 94);
    }

    #[test]
    fn other_texts_name_no_event() {
        for text in ["", "MESSAGES", "SWITCH_EVENT_", "SMS::SEND_MESSAGE", "événement_message"] {
            assert_eq!(EventName::parse(text), None, "{text}");
        }
    }
}
