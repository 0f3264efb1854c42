//! The C interface, from C: what its headers say is tried by programs that gcc builds against the library that ships.
#![allow(unsafe_code, reason = "tests fork and listen as other users")]

mod abi;
mod arguments;
mod compile;
mod inside;
mod life;
mod options;
mod owner;
mod peers;
mod pkg_config;
mod probe;
mod program;
mod smoke;
mod threads;

use rocker_testing::{Case, run_cases};
use std::process::ExitCode;

/// Names that are the functions' own.
macro_rules! cases {
    ($($module:ident: $($name:ident)+;)+) => {
        &[$($((concat!(stringify!($module), "::", stringify!($name)), $module::$name)),+),+]
    };
}

const CASES: &[Case] = cases! {
    abi: headers_have_the_frozen_layout headers_have_the_frozen_layout_in_32_bits probe_fails_where_a_number_differs
        each_header_compiles_alone lib_h_needs_err_no_h_alone;
    smoke: c_program_with_the_archive c_program_with_the_archive_and_a_static_libc c_program_with_the_shared_library
        cxx_program_with_the_archive cxx_program_with_the_shared_library c_program_with_the_archive_and_musl
        request_new_is_empty host_that_loads_and_unloads_it_loses_nothing;
    arguments: null_request null_app null_path_arguments_or_descriptors_of_a_program descriptor_to_keep_is_not_open
        socket_path_too_long socket_path_of_the_largest_length_is_tried socket_path_is_empty no_descriptor_for_the_socket
        any_limit_of_descriptors_fails_cleanly_or_suffices request_too_large_for_a_packet ids_out_of_range
        paths_relative_or_missing overlay_is_refused_by_its_index package_is_not_there package_is_something_else;
    owner: app_is_a_child_like_any_other many_launches_leave_the_host_as_it_was program_is_launched_as_by_root
        threads_may_launch app_of_musl_can_raise_a_signal;
    peers: no_master nobody_listens_any_more listener_is_not_root request_cannot_be_sent master_vanishes backlog_is_full_and_signals_come
        answer_is_not_a_reply answer_is_too_long answer_promises_what_it_does_not_bring
        answer_names_a_stage_of_the_future socket_is_closed_to_other_users master_refuses_other_users
        stopped_master_is_waited_for_no_longer_than_the_deadline;
    inside: pid_namespace_cannot_be_entered other_namespaces_cannot_be_entered
        one_of_the_other_namespaces_cannot_be_entered guard_cannot_be_told groups_cannot_be_left
        identity_cannot_be_taken root_directory_cannot_be_entered process_dies_on_its_way_in
        no_process_can_be_made program_is_not_there program_cannot_be_executed no_socket_pair_for_the_child_s_word
        signals_cannot_be_blocked way_back_fails failures_leave_nothing_behind;
    life: result_of_the_callback_is_the_exit_status death_by_a_signal_is_told_as_such
        app_master_that_ignores_its_children_can_launch signals_every_100_us_change_nothing
        buffers_and_exit_handlers_stay_the_host_s many_launches_leave_the_host_as_it_was
        guard_name_is_read_back_until_the_guard_ends any_name_of_a_process_is_read_whole nobody_has_no_name
        environment_of_a_set_uid_program_is_not_looked_at;
    threads: apps_of_threads_have_no_descriptor_of_the_library both_doors_may_be_used_at_once;
    program: program_is_the_app_s_user_in_its_sandbox environment_is_what_was_given descriptors_are_kept_as_named
        signals_are_the_defaults_and_the_mask_the_caller_s pidfds_can_be_polled_and_waited_for
        dumpable_flag_stays_as_it_was cost_does_not_grow_with_the_host;
    options: no_options_are_the_defaults no_overlays_are_mounted_on_demand later_fields_that_are_zero_are_passed_over
        sizes_and_modes_that_make_no_sense_are_refused changes_live_where_the_mode_says;
    pkg_config: shared_program_builds_with_its_flags static_program_builds_with_its_flags version_is_the_workspace_s;
};

fn main() -> ExitCode {
    run_cases(CASES)
}
