//! What the binary does, one behaviour a file.

mod api_commands_speak_freeswitch;
mod architecture;
mod check_reports_everything;
mod commands_look_into_the_server;
mod documents;
mod events_are_as_the_table_says;
mod harness;
mod kept_messages_are_looked_after;
mod modules_come_and_go;
mod reference_pages;
mod reload_is_all_or_nothing;
mod tables_and_limits;
mod the_sample_runs;
