//! FreeSWITCH's API commands that are not provided, with the reason. Called, they are unknown commands; the page
//! of the API commands tells why.

/// A command of FreeSWITCH's mod_commands, mod_sofia, mod_hash, mod_db or mod_dptools.
pub struct NotProvided {
    pub name: &'static str,
    pub why: &'static str,
}

const CALLS: &str = "there are no calls";
const MEDIA: &str = "there is no media";
const DIAL: &str = "it makes a dial string for calls";
const MEMORY: &str = "it shows the memory of FreeSWITCH's C library";
const TIMER: &str = "there are no media timers";
const NAT: &str = "ports are not mapped; a profile's ext-sip-ip says what address it has outside";
const PRESENCE: &str = "there is no presence yet";

const fn not(name: &'static str, why: &'static str) -> NotProvided {
    NotProvided { name, why }
}

/// Sorted by name.
pub const NOT_PROVIDED: &[NotProvided] = &[
    not("break", MEDIA),
    not("db_cache", "there is no pool of database handles"),
    not("event_channel_broadcast", "there are no event channels"),
    not("group_call", DIAL),
    not("hash_remote", "each server keeps its own table and counts for itself"),
    not("hupall", CALLS),
    not("interface_allowlist_dump", "modules.conf says which features run"),
    not("interface_ip", "acl.conf's and sofia.conf's `auto` find the machine's addresses"),
    not("memory", MEMORY),
    not("nat_map", NAT),
    not("originate", CALLS),
    not("page", CALLS),
    not("pause", MEDIA),
    not("pool_stats", MEMORY),
    not("presence", PRESENCE),
    not("reloadcert", "there are no TLS profiles yet"),
    not("say_string", MEDIA),
    not("sched_broadcast", CALLS),
    not("sched_hangup", CALLS),
    not("sched_transfer", CALLS),
    not("sofia_presence_data", PRESENCE),
    not("sofia_username_of", "a device is registered under its user's name: `sofia_contact` tells it"),
    not("stun", NAT),
    not("time_test", TIMER),
    not("timer_test", TIMER),
    not("tone_detect", MEDIA),
    not("uuid_answer", CALLS),
    not("uuid_audio", CALLS),
    not("uuid_break", CALLS),
    not("uuid_bridge", CALLS),
    not("uuid_broadcast", CALLS),
    not("uuid_buglist", CALLS),
    not("uuid_capture_text", CALLS),
    not("uuid_chat", CALLS),
    not("uuid_codec_debug", CALLS),
    not("uuid_codec_param", CALLS),
    not("uuid_debug_media", CALLS),
    not("uuid_deflect", CALLS),
    not("uuid_displace", CALLS),
    not("uuid_display", CALLS),
    not("uuid_drop_dtmf", CALLS),
    not("uuid_dual_transfer", CALLS),
    not("uuid_dump", CALLS),
    not("uuid_early_ok", CALLS),
    not("uuid_exists", CALLS),
    not("uuid_fileman", CALLS),
    not("uuid_flush_dtmf", CALLS),
    not("uuid_getvar", CALLS),
    not("uuid_hold", CALLS),
    not("uuid_jitterbuffer", CALLS),
    not("uuid_kill", CALLS),
    not("uuid_limit", CALLS),
    not("uuid_limit_release", CALLS),
    not("uuid_loglevel", CALLS),
    not("uuid_media", CALLS),
    not("uuid_media_3p", CALLS),
    not("uuid_media_params", CALLS),
    not("uuid_media_reneg", CALLS),
    not("uuid_outgoing_answer", CALLS),
    not("uuid_park", CALLS),
    not("uuid_pause", CALLS),
    not("uuid_phone_event", CALLS),
    not("uuid_pre_answer", CALLS),
    not("uuid_preprocess", CALLS),
    not("uuid_record", CALLS),
    not("uuid_recovery_refresh", CALLS),
    not("uuid_recv_dtmf", CALLS),
    not("uuid_redirect", CALLS),
    not("uuid_ring_ready", CALLS),
    not("uuid_send_dtmf", CALLS),
    not("uuid_send_info", CALLS),
    not("uuid_send_message", CALLS),
    not("uuid_send_text", CALLS),
    not("uuid_session_heartbeat", CALLS),
    not("uuid_set_media_stats", CALLS),
    not("uuid_setvar", CALLS),
    not("uuid_setvar_multi", CALLS),
    not("uuid_simplify", CALLS),
    not("uuid_transfer", CALLS),
    not("uuid_video_bandwidth", CALLS),
    not("uuid_video_bitrate", CALLS),
    not("uuid_video_refresh", CALLS),
    not("uuid_xfer_zombie", CALLS),
    not("uuid_zombie_exec", CALLS),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Every API command that FreeSWITCH's mod_commands, mod_sofia, mod_hash, mod_db and mod_dptools register.
    const OF_FREESWITCH: &str = "\
        ... acl alias banner bg_spawn bg_system bgapi break chat coalesce complete cond console_complete \
        console_complete_xml create_uuid db db_cache domain_data domain_exists echo escape eval \
        event_channel_broadcast expand file_exists find_user_xml fsctl getcputime getenv gethost global_getvar \
        global_setvar group group_call hash hash_dump hash_remote help host_lookup hostname hupall in_group \
        interface_allowlist_dump interface_ip is_lan_addr json limit_hash_usage limit_interval_reset limit_reset \
        limit_status limit_usage list_users load log md5 memory module_exists msleep nat_map originate page pause \
        pool_stats presence quote_shell_arg reg_url regex reload reloadacl reloadcert reloadxml replace \
        say_string sched_api sched_broadcast sched_del sched_hangup sched_transfer show shutdown sofia \
        sofia_contact sofia_count_reg sofia_dig sofia_gateway_data sofia_presence_data sofia_username_of spawn \
        spawn_stream sql_escape status strepoch strftime strftime_tz strmicroepoch stun switchname system \
        time_test timer_test tolower tone_detect toupper unload unsched_api uptime url_decode url_encode \
        user_data user_exists uuid_answer uuid_audio uuid_break uuid_bridge uuid_broadcast uuid_buglist \
        uuid_capture_text uuid_chat uuid_codec_debug uuid_codec_param uuid_debug_media uuid_deflect uuid_displace \
        uuid_display uuid_drop_dtmf uuid_dual_transfer uuid_dump uuid_early_ok uuid_exists uuid_fileman \
        uuid_flush_dtmf uuid_getvar uuid_hold uuid_jitterbuffer uuid_kill uuid_limit uuid_limit_release \
        uuid_loglevel uuid_media uuid_media_3p uuid_media_params uuid_media_reneg uuid_outgoing_answer uuid_park \
        uuid_pause uuid_phone_event uuid_pre_answer uuid_preprocess uuid_record uuid_recovery_refresh \
        uuid_recv_dtmf uuid_redirect uuid_ring_ready uuid_send_dtmf uuid_send_info uuid_send_message \
        uuid_send_text uuid_session_heartbeat uuid_set_media_stats uuid_setvar uuid_setvar_multi uuid_simplify \
        uuid_transfer uuid_video_bandwidth uuid_video_bitrate uuid_video_refresh uuid_xfer_zombie \
        uuid_zombie_exec version xml_flush_cache xml_locate xml_wrap";

    fn provided() -> BTreeSet<&'static str> {
        crate::reference::api::rows().into_iter().map(|row| row.name).collect()
    }

    #[test]
    fn the_table_is_sorted() {
        assert!(NOT_PROVIDED.is_sorted_by(|one, other| one.name < other.name));
    }

    #[test]
    fn every_command_is_provided_or_has_its_reason() {
        let (provided, not_provided) =
            (provided(), NOT_PROVIDED.iter().map(|one| one.name).collect::<BTreeSet<_>>());
        let missing: Vec<&str> = OF_FREESWITCH
            .split_whitespace()
            .filter(|name| !provided.contains(name) && !not_provided.contains(name))
            .collect();
        assert!(missing.is_empty(), "neither provided nor in the table: {missing:?}");
    }

    #[test]
    fn what_is_provided_needs_no_reason() {
        let provided = provided();
        let both: Vec<&str> =
            NOT_PROVIDED.iter().map(|one| one.name).filter(|name| provided.contains(name)).collect();
        assert!(both.is_empty(), "provided: take them out of the table: {both:?}");
    }

    #[test]
    fn the_table_holds_freeswitchs_names_alone() {
        let known: BTreeSet<&str> = OF_FREESWITCH.split_whitespace().collect();
        let unknown: Vec<&str> =
            NOT_PROVIDED.iter().map(|one| one.name).filter(|name| !known.contains(name)).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}
