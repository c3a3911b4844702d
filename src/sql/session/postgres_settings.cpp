#include "sql/session/postgres_settings.hpp"

#include <algorithm>
#include <iterator>

namespace northstar::inline v0::sql {

namespace postgres_settings_file {

using setting_form::boolean;
using setting_form::integer;
using setting_form::k_largest;
using setting_form::k_largest_int;
using setting_form::real;
using setting_form::words;

constexpr std::string_view k_levels = "debug5,debug4,debug3,debug2,debug1,info,notice,warning,error,log,fatal,panic";

/// Those of PostgreSQL 15 that a session may set, by name, with the values of a new server; and what dumps of other
/// versions set.
constexpr PostgresSetting k_settings[] = {
    {"allow_in_place_tablespaces", "off", boolean()}, {"allow_system_table_mods", "off", boolean()},
    {"array_nulls", "on", boolean()}, {"backend_flush_after", "0", integer(0, 256, SettingUnit::blocks)},
    {"backslash_quote", "safe_encoding", words("safe_encoding,on,off")}, {"backtrace_functions", ""},
    {"check_function_bodies", "on", boolean()},
    {"client_connection_check_interval", "0", integer(0, k_largest_int, SettingUnit::milliseconds)},
    {"commit_delay", "0", integer(0, 100000)}, {"commit_siblings", "5", integer(0, 1000)},
    {"composite_type_mismatch", "error", words("error,warn,disabled")},
    {"compute_query_id", "auto", words("auto,regress,on,off")},
    {"constraint_exclusion", "partition", words("partition,on,off")},
    {"cpu_index_tuple_cost", "0.005", real(0, k_largest)}, {"cpu_operator_cost", "0.0025", real(0, k_largest)},
    {"cpu_tuple_cost", "0.01", real(0, k_largest)}, {"cursor_tuple_fraction", "0.1", real(0, 1)},
    {"deadlock_timeout", "1s", integer(1, k_largest_int, SettingUnit::milliseconds)},
    {"debug_discard_caches", "0", integer(0, 0)}, {"debug_pretty_print", "on", boolean()},
    {"debug_print_parse", "off", boolean()}, {"debug_print_plan", "off", boolean()},
    {"debug_print_rewritten", "off", boolean()}, {"default_statistics_target", "100", integer(1, 10000)},
    {"default_table_access_method", "heap"}, {"default_tablespace", ""},
    {"default_text_search_config", "pg_catalog.english"}, {"default_toast_compression", "pglz", words("pglz,lz4")},
    {"default_transaction_deferrable", "off", boolean()}, {"default_with_oids", "off", boolean()},
    {"dynamic_library_path", "$libdir"},
    {"effective_cache_size", "4GB", integer(1, k_largest_int, SettingUnit::blocks)},
    {"effective_io_concurrency", "1", integer(0, 1000)}, {"enable_async_append", "on", boolean()},
    {"enable_bitmapscan", "on", boolean()}, {"enable_gathermerge", "on", boolean()},
    {"enable_hashagg", "on", boolean()}, {"enable_hashjoin", "on", boolean()},
    {"enable_incremental_sort", "on", boolean()}, {"enable_indexonlyscan", "on", boolean()},
    {"enable_indexscan", "on", boolean()}, {"enable_material", "on", boolean()}, {"enable_memoize", "on", boolean()},
    {"enable_mergejoin", "on", boolean()}, {"enable_nestloop", "on", boolean()},
    {"enable_parallel_append", "on", boolean()}, {"enable_parallel_hash", "on", boolean()},
    {"enable_partition_pruning", "on", boolean()}, {"enable_partitionwise_aggregate", "off", boolean()},
    {"enable_partitionwise_join", "off", boolean()}, {"enable_seqscan", "on", boolean()},
    {"enable_sort", "on", boolean()}, {"enable_tidscan", "on", boolean()}, {"escape_string_warning", "on", boolean()},
    {"exit_on_error", "off", boolean()}, {"force_parallel_mode", "off", words("off,on,regress")},
    {"from_collapse_limit", "8", integer(1, k_largest_int)}, {"geqo", "on", boolean()},
    {"geqo_effort", "5", integer(1, 10)}, {"geqo_generations", "0", integer(0, k_largest_int)},
    {"geqo_pool_size", "0", integer(0, k_largest_int)}, {"geqo_seed", "0", real(0, 1)},
    {"geqo_selection_bias", "2", real(1.5, 2)}, {"geqo_threshold", "12", integer(2, k_largest_int)},
    {"gin_fuzzy_search_limit", "0", integer(0, k_largest_int)},
    {"gin_pending_list_limit", "4MB", integer(64, k_largest_int, SettingUnit::kilobytes)},
    {"hash_mem_multiplier", "2", real(1, 1000)},
    {"idle_in_transaction_session_timeout", "0", integer(0, k_largest_int, SettingUnit::milliseconds)},
    {"idle_session_timeout", "0", integer(0, k_largest_int, SettingUnit::milliseconds)},
    {"ignore_checksum_failure", "off", boolean()}, {"jit", "on", boolean()},
    {"jit_above_cost", "100000", real(-1, k_largest)}, {"jit_dump_bitcode", "off", boolean()},
    {"jit_expressions", "on", boolean()}, {"jit_inline_above_cost", "500000", real(-1, k_largest)},
    {"jit_optimize_above_cost", "500000", real(-1, k_largest)}, {"jit_tuple_deforming", "on", boolean()},
    {"join_collapse_limit", "8", integer(1, k_largest_int)}, {"lc_messages", "C"}, {"lc_monetary", "C"},
    {"lc_numeric", "C"}, {"lc_time", "C"}, {"lo_compat_privileges", "off", boolean()}, {"local_preload_libraries", ""},
    {"log_duration", "off", boolean()}, {"log_error_verbosity", "default", words("terse,default,verbose")},
    {"log_executor_stats", "off", boolean()}, {"log_lock_waits", "off", boolean()},
    {"log_min_duration_sample", "-1", integer(-1, k_largest_int, SettingUnit::milliseconds)},
    {"log_min_duration_statement", "-1", integer(-1, k_largest_int, SettingUnit::milliseconds)},
    {"log_min_error_statement", "error", words(k_levels)}, {"log_min_messages", "warning", words(k_levels)},
    {"log_parameter_max_length", "-1", integer(-1, 1073741823, SettingUnit::bytes)},
    {"log_parameter_max_length_on_error", "0", integer(-1, 1073741823, SettingUnit::bytes)},
    {"log_parser_stats", "off", boolean()}, {"log_planner_stats", "off", boolean()},
    {"log_replication_commands", "off", boolean()}, {"log_statement", "none", words("none,ddl,mod,all")},
    {"log_statement_sample_rate", "1", real(0, 1)}, {"log_statement_stats", "off", boolean()},
    {"log_temp_files", "-1", integer(-1, k_largest_int, SettingUnit::kilobytes)},
    {"log_transaction_sample_rate", "0", real(0, 1)},
    {"logical_decoding_work_mem", "64MB", integer(64, k_largest_int, SettingUnit::kilobytes)},
    {"maintenance_io_concurrency", "10", integer(0, 1000)},
    {"maintenance_work_mem", "64MB", integer(1024, k_largest_int, SettingUnit::kilobytes)},
    {"max_parallel_maintenance_workers", "2", integer(0, 1024)}, {"max_parallel_workers", "8", integer(0, 1024)},
    {"max_parallel_workers_per_gather", "2", integer(0, 1024)},
    {"max_stack_depth", "2MB", integer(100, k_largest_int, SettingUnit::kilobytes)},
    {"min_parallel_index_scan_size", "512kB", integer(0, 715827882, SettingUnit::blocks)},
    {"min_parallel_table_scan_size", "8MB", integer(0, 715827882, SettingUnit::blocks)},
    {"parallel_leader_participation", "on", boolean()}, {"parallel_setup_cost", "1000", real(0, k_largest)},
    {"parallel_tuple_cost", "0.1", real(0, k_largest)},
    {"password_encryption", "scram-sha-256", words("md5,scram-sha-256")}, {"quote_all_identifiers", "off", boolean()},
    {"random_page_cost", "4", real(0, k_largest)}, {"recursive_worktable_factor", "10", real(0.001, 1e+06)},
    {"restrict_nonsystem_relation_kind", ""}, {"row_security", "on", boolean()},
    {"seq_page_cost", "1", real(0, k_largest)}, {"session_preload_libraries", ""},
    {"session_replication_role", "origin", words("origin,replica,local")},
    {"stats_fetch_consistency", "cache", words("none,cache,snapshot")}, {"synchronize_seqscans", "on", boolean()},
    {"tcp_keepalives_count", "0", integer(0, k_largest_int)},
    {"tcp_keepalives_idle", "0", integer(0, k_largest_int, SettingUnit::seconds)},
    {"tcp_keepalives_interval", "0", integer(0, k_largest_int, SettingUnit::seconds)},
    {"tcp_user_timeout", "0", integer(0, k_largest_int, SettingUnit::milliseconds)},
    {"temp_buffers", "8MB", integer(100, 1073741823, SettingUnit::blocks)},
    {"temp_file_limit", "-1", integer(-1, k_largest_int, SettingUnit::kilobytes)}, {"temp_tablespaces", ""},
    {"timezone_abbreviations", "Default"}, {"trace_notify", "off", boolean()}, {"trace_sort", "off", boolean()},
    {"track_activities", "on", boolean()}, {"track_counts", "on", boolean()},
    {"track_functions", "none", words("none,pl,all")}, {"track_io_timing", "off", boolean()},
    {"track_wal_io_timing", "off", boolean()}, {"transaction_deferrable", "off", boolean()},
    {"transaction_timeout", "0", integer(0, k_largest_int, SettingUnit::milliseconds)},
    {"transform_null_equals", "off", boolean()}, {"update_process_title", "on", boolean()},
    {"vacuum_cost_delay", "0", real(0, 100, SettingUnit::milliseconds)},
    {"vacuum_cost_limit", "200", integer(1, 10000)}, {"vacuum_cost_page_dirty", "20", integer(0, 10000)},
    {"vacuum_cost_page_hit", "1", integer(0, 10000)}, {"vacuum_cost_page_miss", "2", integer(0, 10000)},
    {"vacuum_failsafe_age", "1600000000", integer(0, 2100000000)},
    {"vacuum_freeze_min_age", "50000000", integer(0, 1000000000)},
    {"vacuum_freeze_table_age", "150000000", integer(0, 2000000000)},
    {"vacuum_multixact_failsafe_age", "1600000000", integer(0, 2100000000)},
    {"vacuum_multixact_freeze_min_age", "5000000", integer(0, 1000000000)},
    {"vacuum_multixact_freeze_table_age", "150000000", integer(0, 2000000000)},
    {"wal_compression", "off", words("pglz,lz4,zstd,on,off")}, {"wal_consistency_checking", ""},
    {"wal_init_zero", "on", boolean()}, {"wal_recycle", "on", boolean()},
    {"wal_sender_timeout", "1min", integer(0, k_largest_int, SettingUnit::milliseconds)},
    {"wal_skip_threshold", "2MB", integer(0, k_largest_int, SettingUnit::kilobytes)},
    {"xmlbinary", "base64", words("base64,hex")}, {"xmloption", "content", words("content,document")},
    {"zero_damaged_pages", "off", boolean()},
};

}  // namespace postgres_settings_file

const PostgresSetting* postgres_setting(std::string_view name) {
    using namespace postgres_settings_file;
    const auto* const found = std::lower_bound(std::begin(k_settings), std::end(k_settings), name,
                                               [](const PostgresSetting& setting, std::string_view wanted) {
                                                   return setting.name < wanted;
                                               });
    return found == std::end(k_settings) || found->name != name ? nullptr : found;
}

std::span<const PostgresSetting> postgres_settings() { return postgres_settings_file::k_settings; }

}  // namespace northstar::inline v0::sql
