#include "sql/session/postgres_settings.hpp"

#include <algorithm>
#include <iterator>

namespace northstar::inline v0::sql {

namespace postgres_settings_file {

struct Setting {
    std::string_view name;
    std::string_view value;
};
/// Those of PostgreSQL 15 that a session may set, by name, with the values of a new server; and what dumps of other
/// versions set.
constexpr Setting k_settings[] = {
    {"allow_in_place_tablespaces", "off"}, {"allow_system_table_mods", "off"}, {"array_nulls", "on"},
    {"backend_flush_after", "0"}, {"backslash_quote", "safe_encoding"}, {"backtrace_functions", ""},
    {"check_function_bodies", "on"}, {"client_connection_check_interval", "0"}, {"commit_delay", "0"},
    {"commit_siblings", "5"}, {"composite_type_mismatch", "error"}, {"compute_query_id", "auto"},
    {"constraint_exclusion", "partition"}, {"cpu_index_tuple_cost", "0.005"}, {"cpu_operator_cost", "0.0025"},
    {"cpu_tuple_cost", "0.01"}, {"cursor_tuple_fraction", "0.1"}, {"deadlock_timeout", "1s"},
    {"debug_discard_caches", "0"}, {"debug_pretty_print", "on"}, {"debug_print_parse", "off"},
    {"debug_print_plan", "off"}, {"debug_print_rewritten", "off"}, {"default_statistics_target", "100"},
    {"default_table_access_method", "heap"}, {"default_tablespace", ""},
    {"default_text_search_config", "pg_catalog.english"}, {"default_toast_compression", "pglz"},
    {"default_transaction_deferrable", "off"}, {"default_with_oids", "off"}, {"dynamic_library_path", "$libdir"},
    {"effective_cache_size", "4GB"}, {"effective_io_concurrency", "1"}, {"enable_async_append", "on"},
    {"enable_bitmapscan", "on"}, {"enable_gathermerge", "on"}, {"enable_hashagg", "on"}, {"enable_hashjoin", "on"},
    {"enable_incremental_sort", "on"}, {"enable_indexonlyscan", "on"}, {"enable_indexscan", "on"},
    {"enable_material", "on"}, {"enable_memoize", "on"}, {"enable_mergejoin", "on"}, {"enable_nestloop", "on"},
    {"enable_parallel_append", "on"}, {"enable_parallel_hash", "on"}, {"enable_partition_pruning", "on"},
    {"enable_partitionwise_aggregate", "off"}, {"enable_partitionwise_join", "off"}, {"enable_seqscan", "on"},
    {"enable_sort", "on"}, {"enable_tidscan", "on"}, {"escape_string_warning", "on"}, {"exit_on_error", "off"},
    {"force_parallel_mode", "off"}, {"from_collapse_limit", "8"}, {"geqo", "on"}, {"geqo_effort", "5"},
    {"geqo_generations", "0"}, {"geqo_pool_size", "0"}, {"geqo_seed", "0"}, {"geqo_selection_bias", "2"},
    {"geqo_threshold", "12"}, {"gin_fuzzy_search_limit", "0"}, {"gin_pending_list_limit", "4MB"},
    {"hash_mem_multiplier", "2"}, {"idle_in_transaction_session_timeout", "0"}, {"idle_session_timeout", "0"},
    {"ignore_checksum_failure", "off"}, {"jit", "on"}, {"jit_above_cost", "100000"}, {"jit_dump_bitcode", "off"},
    {"jit_expressions", "on"}, {"jit_inline_above_cost", "500000"}, {"jit_optimize_above_cost", "500000"},
    {"jit_tuple_deforming", "on"}, {"join_collapse_limit", "8"}, {"lc_messages", "C"}, {"lc_monetary", "C"},
    {"lc_numeric", "C"}, {"lc_time", "C"}, {"lo_compat_privileges", "off"}, {"local_preload_libraries", ""},
    {"log_duration", "off"}, {"log_error_verbosity", "default"}, {"log_executor_stats", "off"},
    {"log_lock_waits", "off"}, {"log_min_duration_sample", "-1"}, {"log_min_duration_statement", "-1"},
    {"log_min_error_statement", "error"}, {"log_min_messages", "warning"}, {"log_parameter_max_length", "-1"},
    {"log_parameter_max_length_on_error", "0"}, {"log_parser_stats", "off"}, {"log_planner_stats", "off"},
    {"log_replication_commands", "off"}, {"log_statement", "none"}, {"log_statement_sample_rate", "1"},
    {"log_statement_stats", "off"}, {"log_temp_files", "-1"}, {"log_transaction_sample_rate", "0"},
    {"logical_decoding_work_mem", "64MB"}, {"maintenance_io_concurrency", "10"}, {"maintenance_work_mem", "64MB"},
    {"max_parallel_maintenance_workers", "2"}, {"max_parallel_workers", "8"},
    {"max_parallel_workers_per_gather", "2"}, {"max_stack_depth", "2MB"}, {"min_parallel_index_scan_size", "512kB"},
    {"min_parallel_table_scan_size", "8MB"}, {"parallel_leader_participation", "on"}, {"parallel_setup_cost", "1000"},
    {"parallel_tuple_cost", "0.1"}, {"password_encryption", "scram-sha-256"}, {"quote_all_identifiers", "off"},
    {"random_page_cost", "4"}, {"recursive_worktable_factor", "10"}, {"restrict_nonsystem_relation_kind", ""},
    {"row_security", "on"}, {"seq_page_cost", "1"}, {"session_preload_libraries", ""},
    {"session_replication_role", "origin"}, {"stats_fetch_consistency", "cache"}, {"synchronize_seqscans", "on"},
    {"tcp_keepalives_count", "0"}, {"tcp_keepalives_idle", "0"}, {"tcp_keepalives_interval", "0"},
    {"tcp_user_timeout", "0"}, {"temp_buffers", "8MB"}, {"temp_file_limit", "-1"}, {"temp_tablespaces", ""},
    {"timezone_abbreviations", "Default"}, {"trace_notify", "off"}, {"trace_sort", "off"}, {"track_activities", "on"},
    {"track_counts", "on"}, {"track_functions", "none"}, {"track_io_timing", "off"}, {"track_wal_io_timing", "off"},
    {"transaction_deferrable", "off"}, {"transaction_timeout", "0"}, {"transform_null_equals", "off"},
    {"update_process_title", "on"}, {"vacuum_cost_delay", "0"}, {"vacuum_cost_limit", "200"},
    {"vacuum_cost_page_dirty", "20"}, {"vacuum_cost_page_hit", "1"}, {"vacuum_cost_page_miss", "2"},
    {"vacuum_failsafe_age", "1600000000"}, {"vacuum_freeze_min_age", "50000000"},
    {"vacuum_freeze_table_age", "150000000"}, {"vacuum_multixact_failsafe_age", "1600000000"},
    {"vacuum_multixact_freeze_min_age", "5000000"}, {"vacuum_multixact_freeze_table_age", "150000000"},
    {"wal_compression", "off"}, {"wal_consistency_checking", ""}, {"wal_init_zero", "on"}, {"wal_recycle", "on"},
    {"wal_sender_timeout", "1min"}, {"wal_skip_threshold", "2MB"}, {"xmlbinary", "base64"}, {"xmloption", "content"},
    {"zero_damaged_pages", "off"},
};

}  // namespace postgres_settings_file

std::optional<std::string_view> postgres_setting(std::string_view name) {
    using namespace postgres_settings_file;
    const auto* const found = std::lower_bound(std::begin(k_settings), std::end(k_settings), name,
                                               [](const Setting& setting, std::string_view wanted) {
                                                   return setting.name < wanted;
                                               });
    if (found == std::end(k_settings) || found->name != name) return std::nullopt;
    return found->value;
}

}  // namespace northstar::inline v0::sql
