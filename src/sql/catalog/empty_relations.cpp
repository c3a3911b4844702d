// Relations of PostgreSQL's catalog about what there is none of here: foreign data, replication, text search
// configurations, large objects, labels, progress of what does not run in the background. Clients find no rows there.
#include "sql/catalog/system_relations.hpp"

namespace northstar::inline v0::sql {

namespace empty_relations {

constexpr SystemRelation k_relations[] = {
    {2602, "pg_catalog", "pg_amop",
     "oid:oid amopfamily:oid amoplefttype:oid amoprighttype:oid amopstrategy:int2 amoppurpose:char "
     "amopopr:oid amopmethod:oid amopsortfamily:oid"},
    {2603, "pg_catalog", "pg_amproc",
     "oid:oid amprocfamily:oid amproclefttype:oid amprocrighttype:oid amprocnum:int2 amproc:regproc"},
    {0, "pg_catalog", "pg_available_extension_versions",
     "name:name version:text installed:bool superuser:bool trusted:bool relocatable:bool schema:name "
     "requires:_name comment:text"},
    {0, "pg_catalog", "pg_backend_memory_contexts",
     "name:text ident:text parent:text level:int4 total_bytes:int8 total_nblocks:int8 free_bytes:int8 "
     "free_chunks:int8 used_bytes:int8"},
    {0, "pg_catalog", "pg_config",
     "name:text setting:text"},
    {2607, "pg_catalog", "pg_conversion",
     "oid:oid conname:name connamespace:oid conowner:oid conforencoding:int4 contoencoding:int4 "
     "conproc:regproc condefault:bool"},
    {2964, "pg_catalog", "pg_db_role_setting",
     "setdatabase:oid setrole:oid setconfig:_text"},
    {826, "pg_catalog", "pg_default_acl",
     "oid:oid defaclrole:oid defaclnamespace:oid defaclobjtype:char defaclacl:_aclitem"},
    {0, "pg_catalog", "pg_file_settings",
     "sourcefile:text sourceline:int4 seqno:int4 name:text setting:text applied:bool error:text"},
    {2328, "pg_catalog", "pg_foreign_data_wrapper",
     "oid:oid fdwname:name fdwowner:oid fdwhandler:oid fdwvalidator:oid fdwacl:_aclitem fdwoptions:_text"},
    {0, "pg_catalog", "pg_hba_file_rules",
     "line_number:int4 type:text database:_text user_name:_text address:text netmask:text auth_method:text "
     "options:_text error:text"},
    {0, "pg_catalog", "pg_ident_file_mappings",
     "line_number:int4 map_name:text sys_name:text pg_username:text error:text"},
    {3394, "pg_catalog", "pg_init_privs",
     "objoid:oid classoid:oid objsubid:int4 privtype:char initprivs:_aclitem"},
    {2613, "pg_catalog", "pg_largeobject",
     "loid:oid pageno:int4 data:bytea"},
    {2995, "pg_catalog", "pg_largeobject_metadata",
     "oid:oid lomowner:oid lomacl:_aclitem"},
    {2753, "pg_catalog", "pg_opfamily",
     "oid:oid opfmethod:oid opfname:name opfnamespace:oid opfowner:oid"},
    {6243, "pg_catalog", "pg_parameter_acl",
     "oid:oid parname:text paracl:_aclitem"},
    {0, "pg_catalog", "pg_prepared_xacts",
     "transaction:xid gid:text prepared:timestamptz owner:name database:name"},
    {0, "pg_catalog", "pg_publication_tables",
     "pubname:name schemaname:name tablename:name attnames:_name rowfilter:text"},
    {6000, "pg_catalog", "pg_replication_origin",
     "roident:oid roname:text"},
    {0, "pg_catalog", "pg_replication_origin_status",
     "local_id:oid external_id:text remote_lsn:text local_lsn:text"},
    {0, "pg_catalog", "pg_replication_slots",
     "slot_name:name plugin:name slot_type:text datoid:oid database:name temporary:bool active:bool "
     "active_pid:int4 xmin:xid catalog_xmin:xid restart_lsn:text confirmed_flush_lsn:text wal_status:text "
     "safe_wal_size:int8 two_phase:bool"},
    {0, "pg_catalog", "pg_rules",
     "schemaname:name tablename:name rulename:name definition:text"},
    {3596, "pg_catalog", "pg_seclabel",
     "objoid:oid classoid:oid objsubid:int4 provider:text label:text"},
    {0, "pg_catalog", "pg_seclabels",
     "objoid:oid classoid:oid objsubid:int4 objtype:text objnamespace:oid objname:text provider:text "
     "label:text"},
    {1214, "pg_catalog", "pg_shdepend",
     "dbid:oid classid:oid objid:oid objsubid:int4 refclassid:oid refobjid:oid deptype:char"},
    {0, "pg_catalog", "pg_shmem_allocations",
     "name:text off:int8 size:int8 allocated_size:int8"},
    {3592, "pg_catalog", "pg_shseclabel",
     "objoid:oid classoid:oid provider:text label:text"},
    {0, "pg_catalog", "pg_stat_database_conflicts",
     "datid:oid datname:name confl_tablespace:int8 confl_lock:int8 confl_snapshot:int8 confl_bufferpin:int8 "
     "confl_deadlock:int8"},
    {0, "pg_catalog", "pg_stat_gssapi",
     "pid:int4 gss_authenticated:bool principal:text encrypted:bool"},
    {0, "pg_catalog", "pg_stat_progress_analyze",
     "pid:int4 datid:oid datname:name relid:oid phase:text sample_blks_total:int8 sample_blks_scanned:int8 "
     "ext_stats_total:int8 ext_stats_computed:int8 child_tables_total:int8 child_tables_done:int8 "
     "current_child_table_relid:oid"},
    {0, "pg_catalog", "pg_stat_progress_basebackup",
     "pid:int4 phase:text backup_total:int8 backup_streamed:int8 tablespaces_total:int8 "
     "tablespaces_streamed:int8"},
    {0, "pg_catalog", "pg_stat_progress_cluster",
     "pid:int4 datid:oid datname:name relid:oid command:text phase:text cluster_index_relid:oid "
     "heap_tuples_scanned:int8 heap_tuples_written:int8 heap_blks_total:int8 heap_blks_scanned:int8 "
     "index_rebuild_count:int8"},
    {0, "pg_catalog", "pg_stat_progress_copy",
     "pid:int4 datid:oid datname:name relid:oid command:text type:text bytes_processed:int8 bytes_total:int8 "
     "tuples_processed:int8 tuples_excluded:int8"},
    {0, "pg_catalog", "pg_stat_progress_create_index",
     "pid:int4 datid:oid datname:name relid:oid index_relid:oid command:text phase:text lockers_total:int8 "
     "lockers_done:int8 current_locker_pid:int8 blocks_total:int8 blocks_done:int8 tuples_total:int8 "
     "tuples_done:int8 partitions_total:int8 partitions_done:int8"},
    {0, "pg_catalog", "pg_stat_progress_vacuum",
     "pid:int4 datid:oid datname:name relid:oid phase:text heap_blks_total:int8 heap_blks_scanned:int8 "
     "heap_blks_vacuumed:int8 index_vacuum_count:int8 max_dead_tuples:int8 num_dead_tuples:int8"},
    {0, "pg_catalog", "pg_stat_recovery_prefetch",
     "stats_reset:timestamptz prefetch:int8 hit:int8 skip_init:int8 skip_new:int8 skip_fpw:int8 skip_rep:int8 "
     "wal_distance:int4 block_distance:int4 io_depth:int4"},
    {0, "pg_catalog", "pg_stat_replication",
     "pid:int4 usesysid:oid usename:name application_name:text client_addr:inet client_hostname:text "
     "client_port:int4 backend_start:timestamptz backend_xmin:xid state:text sent_lsn:text write_lsn:text "
     "flush_lsn:text replay_lsn:text write_lag:interval flush_lag:interval replay_lag:interval "
     "sync_priority:int4 sync_state:text reply_time:timestamptz"},
    {0, "pg_catalog", "pg_stat_replication_slots",
     "slot_name:text spill_txns:int8 spill_count:int8 spill_bytes:int8 stream_txns:int8 stream_count:int8 "
     "stream_bytes:int8 total_txns:int8 total_bytes:int8 stats_reset:timestamptz"},
    {0, "pg_catalog", "pg_stat_slru",
     "name:text blks_zeroed:int8 blks_hit:int8 blks_read:int8 blks_written:int8 blks_exists:int8 flushes:int8 "
     "truncates:int8 stats_reset:timestamptz"},
    {0, "pg_catalog", "pg_stat_ssl",
     "pid:int4 ssl:bool version:text cipher:text bits:int4 client_dn:text client_serial:numeric "
     "issuer_dn:text"},
    {0, "pg_catalog", "pg_stat_subscription",
     "subid:oid subname:name pid:int4 relid:oid received_lsn:text last_msg_send_time:timestamptz "
     "last_msg_receipt_time:timestamptz latest_end_lsn:text latest_end_time:timestamptz"},
    {0, "pg_catalog", "pg_stat_subscription_stats",
     "subid:oid subname:name apply_error_count:int8 sync_error_count:int8 stats_reset:timestamptz"},
    {0, "pg_catalog", "pg_stat_sys_indexes",
     "relid:oid indexrelid:oid schemaname:name relname:name indexrelname:name idx_scan:int8 idx_tup_read:int8 "
     "idx_tup_fetch:int8"},
    {0, "pg_catalog", "pg_stat_sys_tables",
     "relid:oid schemaname:name relname:name seq_scan:int8 seq_tup_read:int8 idx_scan:int8 idx_tup_fetch:int8 "
     "n_tup_ins:int8 n_tup_upd:int8 n_tup_del:int8 n_tup_hot_upd:int8 n_live_tup:int8 n_dead_tup:int8 "
     "n_mod_since_analyze:int8 n_ins_since_vacuum:int8 last_vacuum:timestamptz last_autovacuum:timestamptz "
     "last_analyze:timestamptz last_autoanalyze:timestamptz vacuum_count:int8 autovacuum_count:int8 "
     "analyze_count:int8 autoanalyze_count:int8"},
    {0, "pg_catalog", "pg_stat_user_functions",
     "funcid:oid schemaname:name funcname:name calls:int8 total_time:float8 self_time:float8"},
    {0, "pg_catalog", "pg_stat_wal_receiver",
     "pid:int4 status:text receive_start_lsn:text receive_start_tli:int4 written_lsn:text flushed_lsn:text "
     "received_tli:int4 last_msg_send_time:timestamptz last_msg_receipt_time:timestamptz latest_end_lsn:text "
     "latest_end_time:timestamptz slot_name:text sender_host:text sender_port:int4 conninfo:text"},
    {0, "pg_catalog", "pg_stat_xact_sys_tables",
     "relid:oid schemaname:name relname:name seq_scan:int8 seq_tup_read:int8 idx_scan:int8 idx_tup_fetch:int8 "
     "n_tup_ins:int8 n_tup_upd:int8 n_tup_del:int8 n_tup_hot_upd:int8"},
    {0, "pg_catalog", "pg_stat_xact_user_functions",
     "funcid:oid schemaname:name funcname:name calls:int8 total_time:float8 self_time:float8"},
    {0, "pg_catalog", "pg_statio_sys_indexes",
     "relid:oid indexrelid:oid schemaname:name relname:name indexrelname:name idx_blks_read:int8 "
     "idx_blks_hit:int8"},
    {0, "pg_catalog", "pg_statio_sys_sequences",
     "relid:oid schemaname:name relname:name blks_read:int8 blks_hit:int8"},
    {0, "pg_catalog", "pg_statio_sys_tables",
     "relid:oid schemaname:name relname:name heap_blks_read:int8 heap_blks_hit:int8 idx_blks_read:int8 "
     "idx_blks_hit:int8 toast_blks_read:int8 toast_blks_hit:int8 tidx_blks_read:int8 tidx_blks_hit:int8"},
    {3429, "pg_catalog", "pg_statistic_ext_data",
     "stxoid:oid stxdinherit:bool stxdndistinct:text stxddependencies:text stxdmcv:text stxdexpr:_text"},
    {0, "pg_catalog", "pg_stats_ext",
     "schemaname:name tablename:name statistics_schemaname:name statistics_name:name statistics_owner:name "
     "attnames:_name exprs:_text kinds:_char inherited:bool n_distinct:text dependencies:text "
     "most_common_vals:_text most_common_val_nulls:_bool most_common_freqs:_float8 "
     "most_common_base_freqs:_float8"},
    {0, "pg_catalog", "pg_stats_ext_exprs",
     "schemaname:name tablename:name statistics_schemaname:name statistics_name:name statistics_owner:name "
     "expr:text inherited:bool null_frac:float4 avg_width:int4 n_distinct:float4 most_common_vals:_text "
     "most_common_freqs:_float4 histogram_bounds:_text correlation:float4 most_common_elems:_text "
     "most_common_elem_freqs:_float4 elem_count_histogram:_float4"},
    {6100, "pg_catalog", "pg_subscription",
     "oid:oid subdbid:oid subskiplsn:text subname:name subowner:oid subenabled:bool subbinary:bool "
     "substream:bool subtwophasestate:char subdisableonerr:bool subconninfo:text subslotname:name "
     "subsynccommit:text subpublications:_text"},
    {6102, "pg_catalog", "pg_subscription_rel",
     "srsubid:oid srrelid:oid srsubstate:char srsublsn:text"},
    {3576, "pg_catalog", "pg_transform",
     "oid:oid trftype:oid trflang:oid trffromsql:regproc trftosql:regproc"},
    {3602, "pg_catalog", "pg_ts_config",
     "oid:oid cfgname:name cfgnamespace:oid cfgowner:oid cfgparser:oid"},
    {3603, "pg_catalog", "pg_ts_config_map",
     "mapcfg:oid maptokentype:int4 mapseqno:int4 mapdict:oid"},
    {3600, "pg_catalog", "pg_ts_dict",
     "oid:oid dictname:name dictnamespace:oid dictowner:oid dicttemplate:oid dictinitoption:text"},
    {3601, "pg_catalog", "pg_ts_parser",
     "oid:oid prsname:name prsnamespace:oid prsstart:regproc prstoken:regproc prsend:regproc "
     "prsheadline:regproc prslextype:regproc"},
    {3764, "pg_catalog", "pg_ts_template",
     "oid:oid tmplname:name tmplnamespace:oid tmplinit:regproc tmpllexize:regproc"},
    {1418, "pg_catalog", "pg_user_mapping",
     "oid:oid umuser:oid umserver:oid umoptions:_text"},
    {0, "pg_catalog", "pg_user_mappings",
     "umid:oid srvid:oid srvname:name umuser:oid usename:name umoptions:_text"},
    {2619, "pg_catalog", "pg_statistic",
     "starelid:oid staattnum:int2 stainherit:bool stanullfrac:float4 stawidth:int4 stadistinct:float4 "
     "stakind1:int2 stakind2:int2 stakind3:int2 stakind4:int2 stakind5:int2 staop1:oid staop2:oid staop3:oid "
     "staop4:oid staop5:oid stacoll1:oid stacoll2:oid stacoll3:oid stacoll4:oid stacoll5:oid "
     "stanumbers1:_float4 stanumbers2:_float4 stanumbers3:_float4 stanumbers4:_float4 stanumbers5:_float4 "
     "stavalues1:_text stavalues2:_text stavalues3:_text stavalues4:_text stavalues5:_text"},
    {0, "information_schema", "check_constraint_routine_usage",
     "constraint_catalog:text constraint_schema:text constraint_name:text specific_catalog:text "
     "specific_schema:text specific_name:text"},
    {0, "information_schema", "column_column_usage",
     "table_catalog:text table_schema:text table_name:text column_name:text dependent_column:text"},
    {0, "information_schema", "column_options",
     "table_catalog:text table_schema:text table_name:text column_name:text option_name:text "
     "option_value:text"},
    {0, "information_schema", "foreign_data_wrapper_options",
     "foreign_data_wrapper_catalog:text foreign_data_wrapper_name:text option_name:text option_value:text"},
    {0, "information_schema", "foreign_data_wrappers",
     "foreign_data_wrapper_catalog:text foreign_data_wrapper_name:text authorization_identifier:text "
     "library_name:text foreign_data_wrapper_language:text"},
    {0, "information_schema", "foreign_server_options",
     "foreign_server_catalog:text foreign_server_name:text option_name:text option_value:text"},
    {0, "information_schema", "foreign_servers",
     "foreign_server_catalog:text foreign_server_name:text foreign_data_wrapper_catalog:text "
     "foreign_data_wrapper_name:text foreign_server_type:text foreign_server_version:text "
     "authorization_identifier:text"},
    {0, "information_schema", "foreign_table_options",
     "foreign_table_catalog:text foreign_table_schema:text foreign_table_name:text option_name:text "
     "option_value:text"},
    {0, "information_schema", "foreign_tables",
     "foreign_table_catalog:text foreign_table_schema:text foreign_table_name:text "
     "foreign_server_catalog:text foreign_server_name:text"},
    {0, "information_schema", "role_routine_grants",
     "grantor:text grantee:text specific_catalog:text specific_schema:text specific_name:text "
     "routine_catalog:text routine_schema:text routine_name:text privilege_type:text is_grantable:text"},
    {0, "information_schema", "routine_column_usage",
     "specific_catalog:text specific_schema:text specific_name:text routine_catalog:text routine_schema:text "
     "routine_name:text table_catalog:text table_schema:text table_name:text column_name:text"},
    {0, "information_schema", "routine_routine_usage",
     "specific_catalog:text specific_schema:text specific_name:text routine_catalog:text routine_schema:text "
     "routine_name:text"},
    {0, "information_schema", "routine_sequence_usage",
     "specific_catalog:text specific_schema:text specific_name:text routine_catalog:text routine_schema:text "
     "routine_name:text sequence_catalog:text sequence_schema:text sequence_name:text"},
    {0, "information_schema", "routine_table_usage",
     "specific_catalog:text specific_schema:text specific_name:text routine_catalog:text routine_schema:text "
     "routine_name:text table_catalog:text table_schema:text table_name:text"},
    {0, "information_schema", "transforms",
     "udt_catalog:text udt_schema:text udt_name:text specific_catalog:text specific_schema:text "
     "specific_name:text group_name:text transform_type:text"},
    {0, "information_schema", "triggered_update_columns",
     "trigger_catalog:text trigger_schema:text trigger_name:text event_object_catalog:text "
     "event_object_schema:text event_object_table:text event_object_column:text"},
    {0, "information_schema", "user_mapping_options",
     "authorization_identifier:text foreign_server_catalog:text foreign_server_name:text option_name:text "
     "option_value:text"},
    {0, "information_schema", "user_mappings",
     "authorization_identifier:text foreign_server_catalog:text foreign_server_name:text"},
    {0, "information_schema", "view_routine_usage",
     "table_catalog:text table_schema:text table_name:text specific_catalog:text specific_schema:text "
     "specific_name:text"},
};

}  // namespace empty_relations

std::span<const SystemRelation> empty_relations_of_postgres() { return empty_relations::k_relations; }

}  // namespace northstar::inline v0::sql
