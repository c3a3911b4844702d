// The list of system relations. Tables that are always empty here are views without rows.
#include "sql/catalog/system_relations.hpp"

#include <string>

namespace northstar::inline v0::sql {

namespace system_relations_file {

constexpr SystemRelation k_relations[] = {
    // ---- sys ----
    {0, "sys", "commits",
     "txn:int8 committed_at:timestamptz author:text reason:text statement:text operations:int8"},
    {0, "sys", "retention", "table_schema:text table_name:text history_retention:text"},
    {0, "sys", "schema", "key:text document:json"},
    {0, "pg_catalog", "pg_stats",
     "schemaname:name tablename:name attname:name inherited:bool null_frac:float4 avg_width:int4 n_distinct:float4 "
     "most_common_vals:_text most_common_freqs:_float4 histogram_bounds:_text correlation:float4 "
     "most_common_elems:_text most_common_elem_freqs:_float4 elem_count_histogram:_float4"},
    {0, "sys", "tags", "tag:text txn:int8 committed_at:timestamptz"},

    // ---- pg_catalog, computed ----
    {3079, "pg_catalog", "pg_extension",
     "oid:oid extname:name extowner:oid extnamespace:oid extrelocatable:bool extversion:text extconfig:_oid "
     "extcondition:_text"},
    {2615, "pg_catalog", "pg_namespace", "oid:oid nspname:name nspowner:oid nspacl:_aclitem"},
    {1259, "pg_catalog", "pg_class",
     "oid:oid relname:name relnamespace:oid reltype:oid reloftype:oid relowner:oid relam:oid relfilenode:oid "
     "reltablespace:oid relpages:int4 reltuples:float4 relallvisible:int4 reltoastrelid:oid relhasindex:bool "
     "relisshared:bool relpersistence:char relkind:char relnatts:int2 relchecks:int2 relhasrules:bool "
     "relhastriggers:bool relhassubclass:bool relrowsecurity:bool relforcerowsecurity:bool relispopulated:bool "
     "relreplident:char relispartition:bool relrewrite:oid relfrozenxid:xid relminmxid:xid relacl:_aclitem "
     "reloptions:_text relpartbound:pg_node_tree"},
    {1249, "pg_catalog", "pg_attribute",
     "attrelid:oid attname:name atttypid:oid attstattarget:int4 attlen:int2 attnum:int2 attndims:int4 "
     "attcacheoff:int4 atttypmod:int4 attbyval:bool attalign:char attstorage:char attcompression:char "
     "attnotnull:bool atthasdef:bool atthasmissing:bool attidentity:char attgenerated:char attisdropped:bool "
     "attislocal:bool attinhcount:int4 attcollation:oid attacl:_aclitem attoptions:_text attfdwoptions:_text "
     "attmissingval:_text"},
    {0, "pg_catalog", "pg_prepared_statements",
     "name:text statement:text prepare_time:timestamptz parameter_types:_regtype from_sql:bool generic_plans:int8 "
     "custom_plans:int8"},
    {0, "pg_catalog", "pg_cursors",
     "name:text statement:text is_holdable:bool is_binary:bool is_scrollable:bool creation_time:timestamptz"},
    {2604, "pg_catalog", "pg_attrdef", "oid:oid adrelid:oid adnum:int2 adbin:pg_node_tree"},
    {1247, "pg_catalog", "pg_type",
     "oid:oid typname:name typnamespace:oid typowner:oid typlen:int2 typbyval:bool typtype:char typcategory:char "
     "typispreferred:bool typisdefined:bool typdelim:char typrelid:oid typsubscript:regproc typelem:oid typarray:oid "
     "typinput:regproc typoutput:regproc typreceive:regproc typsend:regproc typmodin:regproc typmodout:regproc "
     "typanalyze:regproc typalign:char typstorage:char typnotnull:bool typbasetype:oid typtypmod:int4 typndims:int4 "
     "typcollation:oid typdefaultbin:pg_node_tree typdefault:text typacl:_aclitem"},
    {2610, "pg_catalog", "pg_index",
     "indexrelid:oid indrelid:oid indnatts:int2 indnkeyatts:int2 indisunique:bool indnullsnotdistinct:bool "
     "indisprimary:bool indisexclusion:bool indimmediate:bool indisclustered:bool indisvalid:bool indcheckxmin:bool "
     "indisready:bool indislive:bool indisreplident:bool indkey:int2vector indcollation:oidvector indclass:oidvector "
     "indoption:int2vector indexprs:pg_node_tree indpred:pg_node_tree"},
    {2606, "pg_catalog", "pg_constraint",
     "oid:oid conname:name connamespace:oid contype:char condeferrable:bool condeferred:bool convalidated:bool "
     "conrelid:oid contypid:oid conindid:oid conparentid:oid confrelid:oid confupdtype:char confdeltype:char "
     "confmatchtype:char conislocal:bool coninhcount:int4 connoinherit:bool conkey:_int2 confkey:_int2 conpfeqop:_oid "
     "conppeqop:_oid conffeqop:_oid confdelsetcols:_int2 conexclop:_oid conbin:pg_node_tree"},
    {1255, "pg_catalog", "pg_proc",
     "oid:oid proname:name pronamespace:oid proowner:oid prolang:oid procost:float4 prorows:float4 provariadic:oid "
     "prosupport:regproc prokind:char prosecdef:bool proleakproof:bool proisstrict:bool proretset:bool "
     "provolatile:char proparallel:char pronargs:int2 pronargdefaults:int2 prorettype:oid proargtypes:oidvector "
     "proallargtypes:_oid proargmodes:_char proargnames:_text proargdefaults:pg_node_tree protrftypes:_oid "
     "prosrc:text probin:text prosqlbody:pg_node_tree proconfig:_text proacl:_aclitem"},
    {2617, "pg_catalog", "pg_operator",
     "oid:oid oprname:name oprnamespace:oid oprowner:oid oprkind:char oprcanmerge:bool oprcanhash:bool oprleft:oid "
     "oprright:oid oprresult:oid oprcom:oid oprnegate:oid oprcode:regproc oprrest:regproc oprjoin:regproc"},
    {3501, "pg_catalog", "pg_enum", "oid:oid enumtypid:oid enumsortorder:float4 enumlabel:name"},
    {2224, "pg_catalog", "pg_sequence",
     "seqrelid:oid seqtypid:oid seqstart:int8 seqincrement:int8 seqmax:int8 seqmin:int8 seqcache:int8 seqcycle:bool"},
    {2609, "pg_catalog", "pg_description", "objoid:oid classoid:oid objsubid:int4 description:text"},
    {2608, "pg_catalog", "pg_depend",
     "classid:oid objid:oid objsubid:int4 refclassid:oid refobjid:oid refobjsubid:int4 deptype:char"},
    {3541, "pg_catalog", "pg_range",
     "rngtypid:oid rngsubtype:oid rngmultitypid:oid rngcollation:oid rngsubopc:oid rngcanonical:regproc "
     "rngsubdiff:regproc"},
    {2611, "pg_catalog", "pg_inherits", "inhrelid:oid inhparent:oid inhseqno:int4 inhdetachpending:bool"},
    {3350, "pg_catalog", "pg_partitioned_table",
     "partrelid:oid partstrat:char partnatts:int2 partdefid:oid partattrs:int2vector partclass:oidvector "
     "partcollation:oidvector partexprs:pg_node_tree"},
    {2605, "pg_catalog", "pg_cast",
     "oid:oid castsource:oid casttarget:oid castfunc:oid castcontext:char castmethod:char"},
    {0, "pg_catalog", "pg_settings",
     "name:text setting:text unit:text category:text short_desc:text extra_desc:text context:text vartype:text "
     "source:text min_val:text max_val:text enumvals:_text boot_val:text reset_val:text sourcefile:text "
     "sourceline:int4 pending_restart:bool"},
    {0, "pg_catalog", "pg_locks",
     "locktype:text database:oid relation:oid page:int4 tuple:int2 virtualxid:text transactionid:xid classid:oid "
     "objid:oid objsubid:int2 virtualtransaction:text pid:int4 mode:text granted:bool fastpath:bool "
     "waitstart:timestamptz"},

    // ---- pg_catalog, constant ----
    {2601, "pg_catalog", "pg_am", "",
     "SELECT oid::oid, amname::name, amhandler::text, amtype::\"char\" FROM (VALUES (2, 'heap', "
     "'heap_tableam_handler', "
     "'t'), (403, 'btree', 'bthandler', 'i')) AS am (oid, amname, amhandler, amtype)"},
    {3456, "pg_catalog", "pg_collation", "",
     "SELECT oid::oid, collname::name, 11::oid AS collnamespace, 10::oid AS collowner, provider::\"char\" AS "
     "collprovider, true AS collisdeterministic, -1 AS collencoding, locale AS collcollate, locale AS collctype, "
     "NULL::text AS colliculocale, NULL::text AS collversion FROM (VALUES (100, 'default', 'd', NULL), (950, 'C', 'c', "
     "'C'), (951, 'POSIX', 'c', 'POSIX')) AS c (oid, collname, provider, locale)"},
    {1260, "pg_catalog", "pg_authid", "",
     "SELECT 10::oid AS oid, current_user::name AS rolname, true AS rolsuper, true AS rolinherit, true AS "
     "rolcreaterole, true AS rolcreatedb, true AS rolcanlogin, true AS rolreplication, true AS rolbypassrls, -1 AS "
     "rolconnlimit, NULL::text AS rolpassword, NULL::timestamptz AS rolvaliduntil"},
    {0, "pg_catalog", "pg_roles", "",
     "SELECT rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolconnlimit, "
     "'********'::text AS rolpassword, rolvaliduntil, rolbypassrls, NULL::text[] AS rolconfig, oid FROM "
     "pg_catalog.pg_authid"},
    {0, "pg_catalog", "pg_user", "",
     "SELECT rolname AS usename, oid AS usesysid, rolcreatedb AS usecreatedb, rolsuper AS usesuper, rolreplication AS "
     "userepl, rolbypassrls AS usebypassrls, rolpassword AS passwd, rolvaliduntil AS valuntil, rolconfig AS useconfig "
     "FROM pg_catalog.pg_roles"},
    {0, "pg_catalog", "pg_group", "",
     "SELECT NULL::name AS groname, NULL::oid AS grosysid, NULL::oid[] AS grolist WHERE false"},
    {1261, "pg_catalog", "pg_auth_members", "",
     "SELECT NULL::oid AS roleid, NULL::oid AS member, NULL::oid AS grantor, NULL::bool AS admin_option WHERE false"},
    {1262, "pg_catalog", "pg_database", "",
     "SELECT 5::oid AS oid, current_database()::name AS datname, 10::oid AS datdba, 6 AS encoding, 'c'::\"char\" AS "
     "datlocprovider, false AS datistemplate, true AS datallowconn, -1 AS datconnlimit, '0'::xid AS "
     "datfrozenxid, '1'::xid "
     "AS datminmxid, 1663::oid AS dattablespace, 'C'::text AS datcollate, 'C'::text AS datctype, NULL::text AS "
     "daticulocale, NULL::text AS datcollversion, NULL::aclitem[] AS datacl"},
    {1213, "pg_catalog", "pg_tablespace", "",
     "SELECT oid::oid, spcname::name, 10::oid AS spcowner, NULL::aclitem[] AS spcacl, NULL::text[] AS spcoptions FROM "
     "(VALUES (1663, 'pg_default'), (1664, 'pg_global')) AS t (oid, spcname)"},
    {2612, "pg_catalog", "pg_language", "",
     "SELECT oid::oid, lanname::name, 10::oid AS lanowner, false AS lanispl, trusted AS lanpltrusted, 0::oid AS "
     "lanplcallfoid, 0::oid AS laninline, 0::oid AS lanvalidator, NULL::aclitem[] AS lanacl FROM (VALUES (12, "
     "'internal', false), (13, 'c', false), (14, 'sql', true)) AS t (oid, lanname, trusted)"},
    {2616, "pg_catalog", "pg_opclass", "",
     "SELECT oid::oid, 403::oid AS opcmethod, opcname::name, 11::oid AS opcnamespace, 10::oid AS opcowner, 0::oid AS "
     "opcfamily, opcintype::oid, true AS opcdefault, 0::oid AS opckeytype FROM (VALUES (10016, 'bool_ops', 16), "
     "(10021, 'bytea_ops', 17), (10020, 'char_ops', 18), (3124, 'int8_ops', 20), (1979, 'int2_ops', 21), (1978, "
     "'int4_ops', 23), (3126, 'text_ops', 25), (1981, 'oid_ops', 26), (1970, 'float4_ops', 700), (3123, 'float8_ops', "
     "701), (10017, 'bpchar_ops', 1042), (3122, 'date_ops', 1082), (10041, 'time_ops', 1083), (3128, 'timestamp_ops', "
     "1114), (3127, 'timestamptz_ops', 1184), (10023, 'interval_ops', 1186), (3125, 'numeric_ops', 1700), (10065, "
     "'uuid_ops', 2950), (10083, 'jsonb_ops', 3802), (10015, 'inet_ops', 869), (10024, 'macaddr_ops', 829)) AS t (oid, "
     "opcname, opcintype)"},

    {0, "pg_catalog", "pg_available_extensions", "",
     "SELECT name::name, version AS default_version, e.extversion AS installed_version, comment FROM (VALUES "
     "('btree_gin', '1.3', 'support for indexing common datatypes in GIN'), ('btree_gist', '1.7', 'support for "
     "indexing common datatypes in GiST'), "
     "('pgcrypto', '1.3', 'cryptographic functions'), ('plpgsql', '1.0', 'PL/pgSQL procedural language'), "
     "('uuid-ossp', '1.1', 'generate universally unique identifiers (UUIDs)')) AS known (name, version, comment) LEFT "
     "JOIN pg_catalog.pg_extension e ON e.extname = known.name"},

    {0, "pg_catalog", "pg_timezone_names", "", "SELECT * FROM pg_catalog.pg_timezone_names()"},
    {0, "pg_catalog", "pg_timezone_abbrevs", "", "SELECT * FROM pg_catalog.pg_timezone_abbrevs()"},

    // ---- pg_catalog, empty ----
    {2620, "pg_catalog", "pg_trigger", "",
     "SELECT NULL::oid AS oid, NULL::oid AS tgrelid, NULL::oid AS tgparentid, NULL::name AS tgname, NULL::oid AS "
     "tgfoid, NULL::int2 AS tgtype, NULL::\"char\" AS tgenabled, NULL::bool AS tgisinternal, NULL::oid AS "
     "tgconstrrelid, "
     "NULL::oid AS tgconstrindid, NULL::oid AS tgconstraint, NULL::bool AS tgdeferrable, NULL::bool AS tginitdeferred, "
     "NULL::int2 AS tgnargs, NULL::int2vector AS tgattr, NULL::bytea AS tgargs, NULL::pg_node_tree AS tgqual, "
     "NULL::name AS tgoldtable, NULL::name AS tgnewtable WHERE false"},
    {3466, "pg_catalog", "pg_event_trigger", "",
     "SELECT NULL::oid AS oid, NULL::name AS evtname, NULL::name AS evtevent, NULL::oid AS evtowner, NULL::oid AS "
     "evtfoid, NULL::\"char\" AS evtenabled, NULL::text[] AS evttags WHERE false"},
    {3256, "pg_catalog", "pg_policy", "",
     "SELECT NULL::oid AS oid, NULL::name AS polname, NULL::oid AS polrelid, NULL::\"char\" AS polcmd, NULL::bool AS "
     "polpermissive, NULL::oid[] AS polroles, NULL::pg_node_tree AS polqual, NULL::pg_node_tree AS polwithcheck WHERE "
     "false"},
    {0, "pg_catalog", "pg_policies", "",
     "SELECT NULL::name AS schemaname, NULL::name AS tablename, NULL::name AS policyname, NULL::text AS permissive, "
     "NULL::name[] AS roles, NULL::text AS cmd, NULL::text AS qual, NULL::text AS with_check WHERE false"},
    {6104, "pg_catalog", "pg_publication", "",
     "SELECT NULL::oid AS oid, NULL::name AS pubname, NULL::oid AS pubowner, NULL::bool AS puballtables, NULL::bool AS "
     "pubinsert, NULL::bool AS pubupdate, NULL::bool AS pubdelete, NULL::bool AS pubtruncate, NULL::bool AS pubviaroot "
     "WHERE false"},
    {6106, "pg_catalog", "pg_publication_rel", "",
     "SELECT NULL::oid AS oid, NULL::oid AS prpubid, NULL::oid AS prrelid, NULL::pg_node_tree AS prqual, "
     "NULL::int2vector AS prattrs WHERE false"},
    {6237, "pg_catalog", "pg_publication_namespace", "",
     "SELECT NULL::oid AS oid, NULL::oid AS pnpubid, NULL::oid AS pnnspid WHERE false"},
    {3381, "pg_catalog", "pg_statistic_ext", "",
     "SELECT NULL::oid AS oid, NULL::oid AS stxrelid, NULL::name AS stxname, NULL::oid AS stxnamespace, NULL::oid AS "
     "stxowner, NULL::int4 AS stxstattarget, NULL::int2vector AS stxkeys, NULL::\"char\"[] AS stxkind, "
     "NULL::pg_node_tree AS stxexprs WHERE false"},
    {1417, "pg_catalog", "pg_foreign_server", "",
     "SELECT NULL::oid AS oid, NULL::name AS srvname, NULL::oid AS srvowner, NULL::oid AS srvfdw, NULL::text AS "
     "srvtype, NULL::text AS srvversion, NULL::text[] AS srvoptions WHERE false"},
    {3118, "pg_catalog", "pg_foreign_table", "",
     "SELECT NULL::oid AS ftrelid, NULL::oid AS ftserver, NULL::text[] AS ftoptions WHERE false"},
    {2396, "pg_catalog", "pg_shdescription", "",
     "SELECT NULL::oid AS objoid, NULL::oid AS classoid, NULL::text AS description WHERE false"},

    // ---- pg_catalog, views ----
    {2618, "pg_catalog", "pg_rewrite", "",
     "SELECT oid, '_RETURN'::name AS rulename, oid AS ev_class, '1'::\"char\" AS ev_type, 'O'::\"char\" AS ev_enabled, "
     "true AS is_instead FROM pg_catalog.pg_class WHERE relkind IN ('v', 'm')"},
    {0, "pg_catalog", "pg_tables", "",
     "SELECT n.nspname AS schemaname, c.relname AS tablename, 'northstar'::name AS tableowner, NULL::name AS "
     "tablespace, c.relhasindex AS hasindexes, c.relhasrules AS hasrules, c.relhastriggers AS hastriggers, "
     "c.relrowsecurity AS rowsecurity FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = "
     "c.relnamespace WHERE c.relkind IN ('r', 'p')"},
    {0, "pg_catalog", "pg_views", "",
     "SELECT n.nspname AS schemaname, c.relname AS viewname, 'northstar'::name AS viewowner, "
     "pg_catalog.pg_get_viewdef(c.oid) AS definition FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON "
     "n.oid = c.relnamespace WHERE c.relkind = 'v'"},
    {0, "pg_catalog", "pg_matviews", "",
     "SELECT n.nspname AS schemaname, c.relname AS matviewname, 'northstar'::name AS matviewowner, NULL::name AS "
     "tablespace, c.relhasindex AS hasindexes, c.relispopulated AS ispopulated, pg_catalog.pg_get_viewdef(c.oid) AS "
     "definition FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = "
     "'m'"},
    {0, "pg_catalog", "pg_indexes", "",
     "SELECT n.nspname AS schemaname, c.relname AS tablename, i.relname AS indexname, NULL::name AS tablespace, "
     "pg_catalog.pg_get_indexdef(i.oid) AS indexdef FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class c ON c.oid = "
     "x.indrelid JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid JOIN pg_catalog.pg_namespace n ON n.oid = "
     "c.relnamespace"},
    {0, "pg_catalog", "pg_sequences", "",
     "SELECT n.nspname AS schemaname, c.relname AS sequencename, 'northstar'::name AS sequenceowner, "
     "s.seqtypid::regtype AS data_type, s.seqstart AS start_value, s.seqmin AS min_value, s.seqmax AS max_value, "
     "s.seqincrement AS increment_by, s.seqcycle AS cycle, s.seqcache AS cache_size, "
     "pg_catalog.pg_sequence_last_value(c.oid::regclass) AS last_value FROM "
     "pg_catalog.pg_sequence s JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid JOIN pg_catalog.pg_namespace "
     "n ON n.oid "
     "= c.relnamespace"},
    {0, "pg_catalog", "pg_stat_user_tables", "",
     "SELECT c.oid AS relid, n.nspname AS schemaname, c.relname AS relname, 0::int8 AS seq_scan, 0::int8 AS "
     "seq_tup_read, 0::int8 AS idx_scan, 0::int8 AS idx_tup_fetch, 0::int8 AS n_tup_ins, 0::int8 AS n_tup_upd, 0::int8 "
     "AS n_tup_del, 0::int8 AS n_tup_hot_upd, greatest(c.reltuples, 0)::int8 AS "
     "n_live_tup, 0::int8 AS n_dead_tup, 0::int8 AS "
     "n_mod_since_analyze, 0::int8 AS n_ins_since_vacuum, NULL::timestamptz AS last_vacuum, NULL::timestamptz AS "
     "last_autovacuum, NULL::timestamptz AS last_analyze, NULL::timestamptz AS last_autoanalyze, 0::int8 AS "
     "vacuum_count, 0::int8 AS autovacuum_count, 0::int8 AS analyze_count, 0::int8 AS autoanalyze_count FROM "
     "pg_catalog.pg_class c JOIN "
     "pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'm') AND n.nspname NOT IN "
     "('pg_catalog', 'information_schema')"},
    {0, "pg_catalog", "pg_stat_user_indexes", "",
     "SELECT x.indrelid AS relid, x.indexrelid, n.nspname AS schemaname, c.relname, i.relname AS indexrelname, 0::int8 "
     "AS idx_scan, 0::int8 AS idx_tup_read, 0::int8 AS idx_tup_fetch FROM pg_catalog.pg_index x JOIN "
     "pg_catalog.pg_class c ON c.oid = x.indrelid JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid JOIN "
     "pg_catalog.pg_namespace n ON n.oid = c.relnamespace"},
    {0, "pg_catalog", "pg_stat_activity", "",
     "SELECT 5::oid AS datid, current_database()::name AS datname, pg_catalog.pg_backend_pid() AS pid, NULL::int4 AS "
     "leader_pid, 10::oid AS usesysid, current_user::name AS usename, current_setting('application_name') AS "
     "application_name, NULL::text AS client_hostname, NULL::int4 AS client_port, NULL::timestamptz AS backend_start, "
     "now() AS xact_start, statement_timestamp() AS query_start, statement_timestamp() AS state_change, NULL::text AS "
     "wait_event_type, NULL::text AS wait_event, 'active'::text AS state, NULL::int8 AS query_id, NULL::text AS query, "
     "'client backend'::text AS backend_type"},

    // ---- information_schema ----
    {0, "information_schema", "schemata", "",
     "SELECT current_database()::text AS catalog_name, nspname::text AS schema_name, 'northstar'::text AS "
     "schema_owner, "
     "NULL::text AS default_character_set_catalog, NULL::text AS default_character_set_schema, NULL::text AS "
     "default_character_set_name, NULL::text AS sql_path FROM pg_catalog.pg_namespace"},
    {0, "information_schema", "tables", "",
     "SELECT current_database()::text AS table_catalog, n.nspname::text AS table_schema, c.relname::text AS "
     "table_name, CASE WHEN c.relpersistence = 't' THEN 'LOCAL TEMPORARY' WHEN c.relkind = 'v' THEN 'VIEW' ELSE "
     "'BASE TABLE' END AS table_type, NULL::text AS self_referencing_column_name, NULL::text AS "
     "reference_generation, NULL::text AS user_defined_type_catalog, NULL::text AS user_defined_type_schema, "
     "NULL::text AS user_defined_type_name, CASE WHEN pg_catalog.pg_relation_is_updatable(c.oid, false) & 8 = 8 "
     "THEN 'YES' ELSE 'NO' END AS is_insertable_into, 'NO'::text AS is_typed, NULL::text AS commit_action FROM "
     "pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', "
     "'v', 'p')"},
    {0, "information_schema", "columns", "",
     "SELECT current_database()::text AS table_catalog, n.nspname::text AS table_schema, c.relname::text AS "
     "table_name, a.attname::text AS column_name, a.attnum::int4 AS ordinal_position, CASE WHEN a.attgenerated = "
     "'' THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid) END AS column_default, CASE WHEN a.attnotnull OR "
     "(t.typtype = 'd' AND t.typnotnull) THEN 'NO' ELSE 'YES' END AS is_nullable, CASE WHEN t.typtype = 'd' THEN "
     "CASE WHEN bt.typelem <> 0 AND bt.typlen = -1 THEN 'ARRAY' WHEN nbt.nspname = 'pg_catalog' THEN "
     "pg_catalog.format_type(t.typbasetype, NULL) ELSE 'USER-DEFINED' END WHEN t.typelem <> 0 AND t.typlen = -1 "
     "THEN 'ARRAY' WHEN nt.nspname = 'pg_catalog' THEN pg_catalog.format_type(a.atttypid, NULL) ELSE "
     "'USER-DEFINED' END AS data_type, CASE WHEN x.typid IN (1042, 1043) AND x.typmod <> -1 THEN x.typmod - 4 "
     "WHEN x.typid IN (1560, 1562) AND x.typmod <> -1 THEN x.typmod END AS character_maximum_length, CASE WHEN "
     "x.typid IN (25, 1042, 1043) THEN CASE WHEN x.typmod = -1 OR x.typid = 25 THEN 1073741824 ELSE (x.typmod - "
     "4) * 4 END END AS character_octet_length, CASE x.typid WHEN 21 THEN 16 WHEN 23 THEN 32 WHEN 20 THEN 64 WHEN "
     "700 THEN 24 WHEN 701 THEN 53 WHEN 1700 THEN CASE WHEN x.typmod <> -1 THEN ((x.typmod - 4) >> 16) & 65535 "
     "END END AS numeric_precision, CASE WHEN x.typid IN (21, 23, 20, 700, 701) THEN 2 WHEN x.typid = 1700 THEN "
     "10 END AS numeric_precision_radix, CASE WHEN x.typid IN (21, 23, 20) THEN 0 WHEN x.typid = 1700 AND "
     "x.typmod <> -1 THEN (x.typmod - 4) & 2047 END AS numeric_scale, CASE WHEN x.typid = 1082 THEN 0 WHEN "
     "x.typid IN (1083, 1114, 1184, 1266) THEN CASE WHEN x.typmod < 0 THEN 6 ELSE x.typmod END WHEN x.typid = "
     "1186 THEN CASE WHEN x.typmod < 0 THEN 6 ELSE x.typmod & 65535 END END AS datetime_precision, NULL::text AS "
     "interval_type, NULL::int4 AS interval_precision, NULL::text AS character_set_catalog, NULL::text AS "
     "character_set_schema, NULL::text AS character_set_name, NULL::text AS collation_catalog, NULL::text AS "
     "collation_schema, NULL::text AS collation_name, CASE WHEN t.typtype = 'd' THEN current_database()::text END "
     "AS domain_catalog, CASE WHEN t.typtype = 'd' THEN nt.nspname::text END AS domain_schema, CASE WHEN "
     "t.typtype = 'd' THEN t.typname::text END AS domain_name, current_database()::text AS udt_catalog, "
     "coalesce(nbt.nspname, nt.nspname)::text AS udt_schema, coalesce(bt.typname, t.typname)::text AS udt_name, "
     "NULL::text AS scope_catalog, NULL::text AS scope_schema, NULL::text AS scope_name, NULL::int4 AS "
     "maximum_cardinality, a.attnum::text AS dtd_identifier, 'NO'::text AS is_self_referencing, CASE WHEN "
     "a.attidentity IN ('a', 'd') THEN 'YES' ELSE 'NO' END AS is_identity, CASE a.attidentity WHEN 'a' THEN "
     "'ALWAYS' WHEN 'd' THEN 'BY DEFAULT' END AS identity_generation, s.seqstart::text AS identity_start, "
     "s.seqincrement::text AS identity_increment, s.seqmax::text AS identity_maximum, s.seqmin::text AS "
     "identity_minimum, CASE WHEN s.seqcycle THEN 'YES' ELSE 'NO' END AS identity_cycle, CASE WHEN a.attgenerated "
     "= '' THEN 'NEVER' ELSE 'ALWAYS' END AS is_generated, CASE WHEN a.attgenerated <> '' THEN "
     "pg_catalog.pg_get_expr(d.adbin, d.adrelid) END AS generation_expression, CASE WHEN "
     "pg_catalog.pg_column_is_updatable(c.oid, a.attnum, false) THEN 'YES' ELSE 'NO' END AS is_updatable FROM "
     "pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n "
     "ON n.oid = c.relnamespace JOIN pg_catalog.pg_type t ON t.oid = a.atttypid CROSS JOIN LATERAL (SELECT CASE "
     "WHEN t.typtype = 'd' THEN t.typbasetype ELSE a.atttypid END AS typid, CASE WHEN t.typtype = 'd' THEN "
     "t.typtypmod ELSE a.atttypmod END AS typmod) x JOIN pg_catalog.pg_namespace nt ON nt.oid = t.typnamespace "
     "LEFT JOIN pg_catalog.pg_type bt ON t.typtype = 'd' AND bt.oid = t.typbasetype LEFT JOIN "
     "pg_catalog.pg_namespace nbt ON nbt.oid = bt.typnamespace LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = "
     "a.attrelid AND d.adnum = a.attnum LEFT JOIN pg_catalog.pg_depend p ON a.attidentity <> '' AND p.refobjid = "
     "a.attrelid AND p.refobjsubid = a.attnum AND p.classid = 1259 AND p.deptype = 'i' LEFT JOIN "
     "pg_catalog.pg_sequence s ON "
     "s.seqrelid = p.objid WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v', 'p')"},
    {0, "information_schema", "domains", "",
     "SELECT current_database()::text AS domain_catalog, nt.nspname::text AS domain_schema, t.typname::text AS "
     "domain_name, CASE WHEN nbt.nspname = 'pg_catalog' THEN pg_catalog.format_type(t.typbasetype, NULL) ELSE "
     "'USER-DEFINED' END AS data_type, CASE WHEN t.typbasetype IN (1042, 1043) AND t.typtypmod <> -1 THEN "
     "t.typtypmod - 4 WHEN t.typbasetype IN (1560, 1562) AND t.typtypmod <> -1 THEN t.typtypmod END AS "
     "character_maximum_length, CASE WHEN t.typbasetype IN (25, 1042, 1043) THEN CASE WHEN t.typtypmod = -1 OR "
     "t.typbasetype = 25 THEN 1073741824 ELSE (t.typtypmod - 4) * 4 END END AS character_octet_length, CASE "
     "t.typbasetype WHEN 21 THEN 16 WHEN 23 THEN 32 WHEN 20 THEN 64 WHEN 700 THEN 24 WHEN 701 THEN 53 WHEN 1700 "
     "THEN CASE WHEN t.typtypmod <> -1 THEN ((t.typtypmod - 4) >> 16) & 65535 END END AS numeric_precision, CASE "
     "WHEN t.typbasetype IN (21, 23, 20, 700, 701) THEN 2 WHEN t.typbasetype = 1700 THEN 10 END AS "
     "numeric_precision_radix, CASE WHEN t.typbasetype IN (21, 23, 20) THEN 0 WHEN t.typbasetype = 1700 AND "
     "t.typtypmod <> -1 THEN (t.typtypmod - 4) & 2047 END AS numeric_scale, CASE WHEN t.typbasetype = 1082 THEN 0 "
     "WHEN t.typbasetype IN (1083, 1114, 1184, 1266) THEN CASE WHEN t.typtypmod < 0 THEN 6 ELSE t.typtypmod END "
     "WHEN t.typbasetype = 1186 THEN CASE WHEN t.typtypmod < 0 THEN 6 ELSE t.typtypmod & 65535 END END AS "
     "datetime_precision, NULL::text AS interval_type, NULL::int4 AS interval_precision, NULL::text AS "
     "character_set_catalog, NULL::text AS character_set_schema, NULL::text AS character_set_name, NULL::text AS "
     "collation_catalog, NULL::text AS collation_schema, NULL::text AS collation_name, t.typdefault AS "
     "domain_default, current_database()::text AS udt_catalog, nbt.nspname::text AS udt_schema, bt.typname::text "
     "AS udt_name, NULL::text AS scope_catalog, NULL::text AS scope_schema, NULL::text AS scope_name, NULL::int4 "
     "AS maximum_cardinality, '1'::text AS dtd_identifier FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace "
     "nt ON nt.oid = t.typnamespace JOIN pg_catalog.pg_type bt ON bt.oid = t.typbasetype JOIN "
     "pg_catalog.pg_namespace nbt ON nbt.oid = bt.typnamespace WHERE t.typtype = 'd'"},
    {0, "information_schema", "domain_constraints", "",
     "SELECT current_database()::text AS constraint_catalog, n.nspname::text AS constraint_schema, "
     "r.conname::text AS constraint_name, current_database()::text AS domain_catalog, nt.nspname::text AS "
     "domain_schema, t.typname::text AS domain_name, CASE WHEN r.condeferrable THEN 'YES' ELSE 'NO' END AS "
     "is_deferrable, CASE WHEN r.condeferred THEN 'YES' ELSE 'NO' END AS initially_deferred FROM "
     "pg_catalog.pg_constraint r JOIN pg_catalog.pg_namespace n ON n.oid = r.connamespace JOIN pg_catalog.pg_type "
     "t ON t.oid = r.contypid JOIN pg_catalog.pg_namespace nt ON nt.oid = t.typnamespace"},
    {0, "information_schema", "column_domain_usage", "",
     "SELECT current_database()::text AS domain_catalog, nt.nspname::text AS domain_schema, t.typname::text AS "
     "domain_name, current_database()::text AS table_catalog, nc.nspname::text AS table_schema, c.relname::text "
     "AS table_name, a.attname::text AS column_name FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace nt ON "
     "nt.oid = t.typnamespace JOIN pg_catalog.pg_attribute a ON a.atttypid = t.oid JOIN pg_catalog.pg_class c ON "
     "c.oid = a.attrelid JOIN pg_catalog.pg_namespace nc ON nc.oid = c.relnamespace WHERE t.typtype = 'd' AND "
     "c.relkind IN ('r', 'v', 'f', 'p') AND a.attnum > 0 AND NOT a.attisdropped"},
    {0, "information_schema", "domain_udt_usage", "",
     "SELECT current_database()::text AS udt_catalog, nbt.nspname::text AS udt_schema, bt.typname::text AS "
     "udt_name, current_database()::text AS domain_catalog, nt.nspname::text AS domain_schema, t.typname::text AS "
     "domain_name FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace nt ON nt.oid = t.typnamespace JOIN "
     "pg_catalog.pg_type bt ON bt.oid = t.typbasetype JOIN pg_catalog.pg_namespace nbt ON nbt.oid = "
     "bt.typnamespace WHERE t.typtype = 'd'"},
    {0, "information_schema", "table_constraints", "",
     "SELECT current_database()::text AS constraint_catalog, n.nspname::text AS constraint_schema, "
     "r.conname::text AS constraint_name, current_database()::text AS table_catalog, n.nspname::text AS "
     "table_schema, c.relname::text AS table_name, CASE r.contype WHEN 'c' THEN 'CHECK' WHEN 'f' THEN 'FOREIGN "
     "KEY' WHEN 'p' THEN 'PRIMARY KEY' ELSE 'UNIQUE' END AS constraint_type, CASE WHEN r.condeferrable THEN 'YES' "
     "ELSE 'NO' END AS is_deferrable, CASE WHEN r.condeferred THEN 'YES' ELSE 'NO' END AS initially_deferred, "
     "'YES'::text AS enforced, CASE WHEN r.contype = 'u' THEN CASE WHEN x.indnullsnotdistinct THEN 'NO' ELSE "
     "'YES' END END AS nulls_distinct FROM pg_catalog.pg_constraint r JOIN pg_catalog.pg_class c ON c.oid = "
     "r.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_catalog.pg_index x ON "
     "x.indexrelid = r.conindid WHERE r.contype <> 'x' UNION ALL SELECT current_database()::text, "
     "n.nspname::text, n.oid || '_' || c.oid "
     "|| '_' || a.attnum || '_not_null', current_database()::text, n.nspname::text, c.relname::text, 'CHECK', "
     "'NO', 'NO', 'YES', NULL FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid "
     "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE a.attnotnull AND a.attnum > 0 AND NOT "
     "a.attisdropped AND c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema')"},
    {0, "information_schema", "key_column_usage", "",
     "SELECT current_database()::text AS constraint_catalog, n.nspname::text AS constraint_schema, r.conname::text AS "
     "constraint_name, current_database()::text AS table_catalog, n.nspname::text AS table_schema, c.relname::text AS "
     "table_name, a.attname::text AS column_name, k.place::int4 AS ordinal_position, CASE WHEN r.contype = 'f' THEN "
     "(SELECT x.place::int4 FROM pg_catalog.pg_constraint u, unnest(u.conkey) WITH ORDINALITY AS x (number, place) "
     "WHERE u.contype IN ('p', 'u') AND u.conrelid = r.confrelid AND u.conindid = r.conindid AND x.number = "
     "r.confkey[k.place] LIMIT 1) END AS position_in_unique_constraint FROM pg_catalog.pg_constraint r JOIN "
     "pg_catalog.pg_class c ON c.oid = r.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace, "
     "unnest(r.conkey) WITH ORDINALITY AS k (number, place), pg_catalog.pg_attribute a WHERE r.contype IN ('p', 'u', "
     "'f') AND a.attrelid = r.conrelid AND a.attnum = k.number"},
    {0, "information_schema", "constraint_column_usage", "",
     "SELECT current_database()::text AS table_catalog, n.nspname::text AS table_schema, c.relname::text AS "
     "table_name, "
     "a.attname::text AS column_name, current_database()::text AS constraint_catalog, rn.nspname::text AS "
     "constraint_schema, r.conname::text AS constraint_name FROM pg_catalog.pg_constraint r JOIN "
     "pg_catalog.pg_namespace rn ON rn.oid = r.connamespace, unnest(CASE WHEN r.contype = 'f' THEN r.confkey ELSE "
     "r.conkey END) AS k (number), pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace, "
     "pg_catalog.pg_attribute a WHERE c.oid = CASE WHEN r.contype = 'f' THEN r.confrelid ELSE r.conrelid END AND "
     "a.attrelid = c.oid AND a.attnum = k.number AND r.contype <> 'x'"},
    {0, "information_schema", "referential_constraints", "",
     "SELECT current_database()::text AS constraint_catalog, n.nspname::text AS constraint_schema, r.conname::text AS "
     "constraint_name, current_database()::text AS unique_constraint_catalog, un.nspname::text AS "
     "unique_constraint_schema, u.conname::text AS unique_constraint_name, CASE r.confmatchtype WHEN 'f' THEN 'FULL' "
     "ELSE 'NONE' END AS match_option, CASE r.confupdtype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' "
     "THEN 'SET DEFAULT' WHEN 'r' THEN 'RESTRICT' ELSE 'NO ACTION' END AS update_rule, CASE r.confdeltype "
     "WHEN 'c' THEN "
     "'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT' WHEN 'r' THEN 'RESTRICT' ELSE 'NO ACTION' END AS "
     "delete_rule FROM pg_catalog.pg_constraint r JOIN pg_catalog.pg_namespace n ON n.oid = r.connamespace LEFT JOIN "
     "pg_catalog.pg_constraint u ON u.contype IN ('p', 'u') AND u.conrelid = r.confrelid AND u.conindid = r.conindid "
     "LEFT JOIN pg_catalog.pg_namespace un ON un.oid = u.connamespace WHERE r.contype = 'f'"},
    {0, "information_schema", "check_constraints", "",
     "SELECT current_database()::text AS constraint_catalog, n.nspname::text AS constraint_schema, r.conname::text AS "
     "constraint_name, substring(pg_catalog.pg_get_constraintdef(r.oid) from 7) AS check_clause FROM "
     "pg_catalog.pg_constraint r JOIN pg_catalog.pg_namespace n ON n.oid = r.connamespace WHERE r.contype = 'c'"},
    {0, "information_schema", "views", "",
     "SELECT current_database()::text AS table_catalog, n.nspname::text AS table_schema, c.relname::text AS "
     "table_name, pg_catalog.pg_get_viewdef(c.oid) AS view_definition, CASE WHEN 'check_option=cascaded' = ANY "
     "(c.reloptions) THEN 'CASCADED' WHEN 'check_option=local' = ANY (c.reloptions) THEN 'LOCAL' ELSE 'NONE' END "
     "AS check_option, CASE WHEN pg_catalog.pg_relation_is_updatable(c.oid, false) & 20 = 20 THEN 'YES' ELSE 'NO' "
     "END AS is_updatable, CASE WHEN pg_catalog.pg_relation_is_updatable(c.oid, false) & 8 = 8 THEN 'YES' ELSE "
     "'NO' END AS is_insertable_into, 'NO'::text AS is_trigger_updatable, 'NO'::text AS is_trigger_deletable, "
     "'NO'::text AS is_trigger_insertable_into FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid "
     "= c.relnamespace WHERE c.relkind = 'v'"},
    {0, "information_schema", "information_schema_catalog_name", "",
     "SELECT current_database()::text AS catalog_name"},
    {0, "information_schema", "enabled_roles", "",
     "SELECT current_user::text AS role_name"},
    {0, "information_schema", "applicable_roles", "",
     "SELECT NULL::text AS grantee, NULL::text AS role_name, NULL::text AS is_grantable WHERE false"},
    {0, "information_schema", "administrable_role_authorizations", "",
     "SELECT NULL::text AS grantee, NULL::text AS role_name, NULL::text AS is_grantable WHERE false"},
    {0, "information_schema", "character_sets", "",
     "SELECT NULL::text AS character_set_catalog, NULL::text AS character_set_schema, 'UTF8'::text AS "
     "character_set_name, 'UCS'::text AS character_repertoire, 'UTF8'::text AS form_of_use, "
     "current_database()::text AS default_collate_catalog, NULL::text AS default_collate_schema, NULL::text AS "
     "default_collate_name"},
    {0, "information_schema", "collations", "",
     "SELECT current_database()::text AS collation_catalog, 'pg_catalog'::text AS collation_schema, "
     "collname::text AS collation_name, 'NO PAD'::text AS pad_attribute FROM pg_catalog.pg_collation"},
    {0, "information_schema", "table_privileges", "",
     "SELECT current_user::text AS grantor, current_user::text AS grantee, current_database()::text AS "
     "table_catalog, n.nspname::text AS table_schema, c.relname::text AS table_name, p.kind AS privilege_type, "
     "'YES'::text AS is_grantable, CASE WHEN p.kind = 'SELECT' THEN 'YES' ELSE 'NO' END AS with_hierarchy FROM "
     "pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace CROSS JOIN (VALUES "
     "('INSERT'), ('SELECT'), ('UPDATE'), ('DELETE'), ('TRUNCATE'), ('REFERENCES'), ('TRIGGER')) AS p (kind) "
     "WHERE c.relkind IN ('r', 'v', 'p')"},
    {0, "information_schema", "role_table_grants", "",
     "SELECT * FROM information_schema.table_privileges"},
    {0, "information_schema", "column_privileges", "",
     "SELECT current_user::text AS grantor, current_user::text AS grantee, current_database()::text AS "
     "table_catalog, n.nspname::text AS table_schema, c.relname::text AS table_name, a.attname::text AS "
     "column_name, p.kind AS privilege_type, 'YES'::text AS is_grantable FROM pg_catalog.pg_class c JOIN "
     "pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid "
     "AND a.attnum > 0 AND NOT a.attisdropped CROSS JOIN (VALUES ('INSERT'), ('SELECT'), ('UPDATE'), "
     "('REFERENCES')) AS p (kind) WHERE c.relkind IN ('r', 'v', 'p')"},
    {0, "information_schema", "role_column_grants", "",
     "SELECT * FROM information_schema.column_privileges"},
    {0, "information_schema", "constraint_table_usage", "",
     "SELECT current_database()::text AS table_catalog, n.nspname::text AS table_schema, c.relname::text AS "
     "table_name, current_database()::text AS constraint_catalog, rn.nspname::text AS constraint_schema, "
     "r.conname::text AS constraint_name FROM pg_catalog.pg_constraint r JOIN pg_catalog.pg_namespace rn ON "
     "rn.oid = r.connamespace JOIN pg_catalog.pg_class c ON c.oid = CASE WHEN r.contype = 'f' THEN r.confrelid "
     "ELSE r.conrelid END JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE r.contype IN ('f', 'p', "
     "'u')"},
    {0, "information_schema", "view_table_usage", "",
     "SELECT DISTINCT current_database()::text AS view_catalog, vn.nspname::text AS view_schema, v.relname::text "
     "AS view_name, current_database()::text AS table_catalog, n.nspname::text AS table_schema, c.relname::text "
     "AS table_name FROM pg_catalog.pg_class v JOIN pg_catalog.pg_namespace vn ON vn.oid = v.relnamespace JOIN "
     "pg_catalog.pg_depend d ON d.classid = 2618 AND d.objid = v.oid AND d.refclassid = 1259 AND d.refobjid <> v.oid "
     "AND d.deptype = 'n' JOIN pg_catalog.pg_class c ON c.oid = "
     "d.refobjid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE v.relkind = 'v' AND c.relkind IN "
     "('r', 'v', 'p')"},
    {0, "information_schema", "user_defined_types", "",
     "SELECT current_database()::text AS user_defined_type_catalog, n.nspname::text AS user_defined_type_schema, "
     "c.typname::text AS user_defined_type_name, 'STRUCTURED'::text AS user_defined_type_category, 'YES'::text AS "
     "is_instantiable, NULL::text AS is_final, NULL::text AS ordering_form, NULL::text AS ordering_category, "
     "NULL::text AS ordering_routine_catalog, NULL::text AS ordering_routine_schema, NULL::text AS "
     "ordering_routine_name, NULL::text AS reference_type, NULL::text AS data_type FROM pg_catalog.pg_type c JOIN "
     "pg_catalog.pg_namespace n ON n.oid = c.typnamespace WHERE c.typtype = 'c' AND c.typrelid = 0"},
    {0, "information_schema", "routines", "",
     "SELECT NULL::text AS specific_catalog, NULL::text AS specific_schema, NULL::text AS specific_name, "
     "NULL::text AS routine_catalog, NULL::text AS routine_schema, NULL::text AS routine_name, NULL::text AS "
     "routine_type, NULL::text AS data_type, NULL::text AS type_udt_catalog, NULL::text AS type_udt_schema, "
     "NULL::text AS type_udt_name, NULL::text AS routine_body, NULL::text AS routine_definition, NULL::text AS "
     "external_name, NULL::text AS external_language, NULL::text AS parameter_style, NULL::text AS "
     "is_deterministic, NULL::text AS sql_data_access, NULL::text AS is_null_call, NULL::text AS security_type "
     "WHERE false"},
    {0, "information_schema", "parameters", "",
     "SELECT NULL::text AS specific_catalog, NULL::text AS specific_schema, NULL::text AS specific_name, "
     "NULL::int4 AS ordinal_position, NULL::text AS parameter_mode, NULL::text AS is_result, NULL::text AS "
     "as_locator, NULL::text AS parameter_name, NULL::text AS data_type, NULL::text AS udt_catalog, NULL::text AS "
     "udt_schema, NULL::text AS udt_name, NULL::text AS dtd_identifier, NULL::text AS parameter_default WHERE "
     "false"},
    {0, "information_schema", "triggers", "",
     "SELECT NULL::text AS trigger_catalog, NULL::text AS trigger_schema, NULL::text AS trigger_name, NULL::text "
     "AS event_manipulation, NULL::text AS event_object_catalog, NULL::text AS event_object_schema, NULL::text AS "
     "event_object_table, NULL::int4 AS action_order, NULL::text AS action_condition, NULL::text AS "
     "action_statement, NULL::text AS action_orientation, NULL::text AS action_timing, NULL::text AS "
     "action_reference_old_table, NULL::text AS action_reference_new_table, NULL::text AS "
     "action_reference_old_row, NULL::text AS action_reference_new_row, NULL::timestamptz AS created WHERE false"},
    {0, "information_schema", "element_types", "",
     "SELECT current_database()::text AS object_catalog, n.nspname::text AS object_schema, c.relname::text AS "
     "object_name, 'TABLE'::text AS object_type, a.attnum::text AS collection_type_identifier, CASE WHEN "
     "ne.nspname = 'pg_catalog' THEN pg_catalog.format_type(e.oid, NULL) ELSE 'USER-DEFINED' END AS data_type, "
     "current_database()::text AS udt_catalog, ne.nspname::text AS udt_schema, e.typname::text AS udt_name, 'a' "
     "|| a.attnum AS dtd_identifier FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = "
     "a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_type t ON t.oid = "
     "a.atttypid JOIN pg_catalog.pg_type e ON e.oid = t.typelem JOIN pg_catalog.pg_namespace ne ON ne.oid = "
     "e.typnamespace WHERE t.typlen = -1 AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v', 'p')"},
    {0, "information_schema", "sequences", "",
     "SELECT current_database()::text AS sequence_catalog, n.nspname::text AS sequence_schema, c.relname::text AS "
     "sequence_name, pg_catalog.format_type(s.seqtypid, NULL) AS data_type, CASE s.seqtypid WHEN 21 THEN 16 WHEN 23 "
     "THEN 32 ELSE 64 END AS numeric_precision, 2 AS numeric_precision_radix, 0 AS numeric_scale, s.seqstart::text AS "
     "start_value, s.seqmin::text AS minimum_value, s.seqmax::text AS maximum_value, s.seqincrement::text AS "
     "increment, "
     "CASE WHEN s.seqcycle THEN 'YES' ELSE 'NO' END AS cycle_option FROM pg_catalog.pg_sequence s JOIN "
     "pg_catalog.pg_class c ON c.oid = s.seqrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace LEFT JOIN "
     "pg_catalog.pg_depend d ON d.classid = 1259 AND d.objid = c.oid AND d.deptype = 'i' WHERE d.objid IS NULL"},

    // ---- statistics that nobody counts here ----
    {0, "pg_catalog", "pg_stat_all_tables", "",
     "SELECT * FROM pg_catalog.pg_stat_user_tables"},
    {0, "pg_catalog", "pg_stat_all_indexes", "",
     "SELECT * FROM pg_catalog.pg_stat_user_indexes"},
    {0, "pg_catalog", "pg_stat_xact_user_tables", "",
     "SELECT relid, schemaname, relname, seq_scan, seq_tup_read, idx_scan, idx_tup_fetch, n_tup_ins, n_tup_upd, "
     "n_tup_del, n_tup_hot_upd FROM pg_catalog.pg_stat_user_tables"},
    {0, "pg_catalog", "pg_stat_xact_all_tables", "",
     "SELECT relid, schemaname, relname, seq_scan, seq_tup_read, idx_scan, idx_tup_fetch, n_tup_ins, n_tup_upd, "
     "n_tup_del, n_tup_hot_upd FROM pg_catalog.pg_stat_user_tables"},
    {0, "pg_catalog", "pg_statio_user_tables", "",
     "SELECT relid, schemaname, relname, 0::int8 AS heap_blks_read, 0::int8 AS heap_blks_hit, 0::int8 AS "
     "idx_blks_read, 0::int8 AS idx_blks_hit, 0::int8 AS toast_blks_read, 0::int8 AS toast_blks_hit, 0::int8 AS "
     "tidx_blks_read, 0::int8 AS tidx_blks_hit FROM pg_catalog.pg_stat_user_tables"},
    {0, "pg_catalog", "pg_statio_all_tables", "",
     "SELECT relid, schemaname, relname, 0::int8 AS heap_blks_read, 0::int8 AS heap_blks_hit, 0::int8 AS "
     "idx_blks_read, 0::int8 AS idx_blks_hit, 0::int8 AS toast_blks_read, 0::int8 AS toast_blks_hit, 0::int8 AS "
     "tidx_blks_read, 0::int8 AS tidx_blks_hit FROM pg_catalog.pg_stat_user_tables"},
    {0, "pg_catalog", "pg_statio_user_indexes", "",
     "SELECT relid, indexrelid, schemaname, relname, indexrelname, 0::int8 AS idx_blks_read, 0::int8 AS "
     "idx_blks_hit FROM pg_catalog.pg_stat_user_indexes"},
    {0, "pg_catalog", "pg_statio_all_indexes", "",
     "SELECT relid, indexrelid, schemaname, relname, indexrelname, 0::int8 AS idx_blks_read, 0::int8 AS "
     "idx_blks_hit FROM pg_catalog.pg_stat_user_indexes"},
    {0, "pg_catalog", "pg_statio_user_sequences", "",
     "SELECT c.oid AS relid, n.nspname AS schemaname, c.relname, 0::int8 AS blks_read, 0::int8 AS blks_hit FROM "
     "pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'S'"},
    {0, "pg_catalog", "pg_statio_all_sequences", "",
     "SELECT c.oid AS relid, n.nspname AS schemaname, c.relname, 0::int8 AS blks_read, 0::int8 AS blks_hit FROM "
     "pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'S'"},
    {0, "pg_catalog", "pg_stat_database", "",
     "SELECT d.oid AS datid, d.datname, 1 AS numbackends, 0::int8 AS xact_commit, 0::int8 AS xact_rollback, 0::int8 "
     "AS blks_read, 0::int8 AS blks_hit, 0::int8 AS tup_returned, 0::int8 AS tup_fetched, 0::int8 AS tup_inserted, "
     "0::int8 AS tup_updated, 0::int8 AS tup_deleted, 0::int8 AS conflicts, 0::int8 AS temp_files, 0::int8 AS "
     "temp_bytes, 0::int8 AS deadlocks, 0::int8 AS checksum_failures, NULL::timestamptz AS checksum_last_failure, "
     "0::float8 AS blk_read_time, 0::float8 AS blk_write_time, 0::float8 AS session_time, 0::float8 AS active_time, "
     "0::float8 AS idle_in_transaction_time, 0::int8 AS sessions, 0::int8 AS sessions_abandoned, 0::int8 AS "
     "sessions_fatal, 0::int8 AS sessions_killed, NULL::timestamptz AS stats_reset FROM pg_catalog.pg_database d"},
    {0, "pg_catalog", "pg_stat_bgwriter", "",
     "SELECT 0::int8 AS checkpoints_timed, 0::int8 AS checkpoints_req, 0::float8 AS checkpoint_write_time, "
     "0::float8 AS checkpoint_sync_time, 0::int8 AS buffers_checkpoint, 0::int8 AS buffers_clean, 0::int8 AS "
     "maxwritten_clean, 0::int8 AS buffers_backend, 0::int8 AS buffers_backend_fsync, 0::int8 AS buffers_alloc, "
     "NULL::timestamptz AS stats_reset"},
    {0, "pg_catalog", "pg_stat_wal", "",
     "SELECT 0::int8 AS wal_records, 0::int8 AS wal_fpi, 0::numeric AS wal_bytes, 0::int8 AS wal_buffers_full, "
     "0::int8 AS wal_write, 0::int8 AS wal_sync, 0::float8 AS wal_write_time, 0::float8 AS wal_sync_time, "
     "NULL::timestamptz AS stats_reset"},
    {0, "pg_catalog", "pg_stat_archiver", "",
     "SELECT 0::int8 AS archived_count, NULL::text AS last_archived_wal, NULL::timestamptz AS last_archived_time, "
     "0::int8 AS failed_count, NULL::text AS last_failed_wal, NULL::timestamptz AS last_failed_time, "
     "NULL::timestamptz AS stats_reset"},
    {0, "pg_catalog", "pg_shadow", "",
     "SELECT usename, usesysid, usecreatedb, usesuper, userepl, usebypassrls, NULL::text AS passwd, valuntil, "
     "useconfig FROM pg_catalog.pg_user"},
};

constexpr InputFunction k_array_input = {0, 750, "array_in"}, k_enum_input = {0, 3504, "enum_in"},
                        k_domain_input = {0, 2597, "domain_in"}, k_record_input = {0, 2290, "record_in"},
                        k_range_input = {0, 3834, "range_in"}, k_any_input = {0, 2294, "any_in"};
constexpr InputFunction k_inputs[] = {
    {16, 1242, "boolin"}, {17, 1244, "byteain"}, {18, 1245, "charin"}, {19, 34, "namein"}, {20, 460, "int8in"},
    {21, 38, "int2in"}, {22, 40, "int2vectorin"}, {23, 42, "int4in"}, {24, 44, "regprocin"}, {25, 46, "textin"},
    {26, 1798, "oidin"}, {27, 48, "tidin"}, {28, 50, "xidin"}, {29, 52, "cidin"}, {30, 54, "oidvectorin"},
    {114, 321, "json_in"}, {194, 195, "pg_node_tree_in"}, {700, 200, "float4in"}, {701, 214, "float8in"},
    {705, 109, "unknownin"}, {1033, 1031, "aclitemin"}, {1042, 1044, "bpcharin"}, {1043, 1046, "varcharin"},
    {1082, 1084, "date_in"}, {1083, 1143, "time_in"}, {1114, 1312, "timestamp_in"}, {1184, 1150, "timestamptz_in"},
    {1186, 1160, "interval_in"}, {1266, 1350, "timetz_in"}, {1560, 1564, "bit_in"}, {1562, 1579, "varbit_in"},
    {1700, 1701, "numeric_in"}, {2202, 2212, "regprocedurein"}, {2205, 2218, "regclassin"}, {2206, 2220, "regtypein"},
    {650, 1267, "cidr_in"}, {829, 436, "macaddr_in"}, {869, 910, "inet_in"},
    {2275, 2292, "cstring_in"}, {2278, 2298, "void_in"}, {2950, 2952, "uuid_in"}, {3802, 3806, "jsonb_in"},
    {4072, 4001, "jsonpath_in"}, {4089, 4084, "regnamespacein"}, {4096, 4098, "regrolein"},
};

constexpr std::uint64_t k_fnv_prime = 1099511628211u;
constexpr std::uint64_t k_fnv_start = 14695981039346656037u;

std::uint64_t fnv(std::string_view text, std::uint64_t hash) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * k_fnv_prime;
    return hash;
}

}  // namespace system_relations_file

std::span<const SystemRelation> system_relations() { return system_relations_file::k_relations; }

const SystemRelation* find_system_relation(std::string_view schema, std::string_view name) {
    if (schema.empty()) schema = "pg_catalog";
    for (const auto relations : {system_relations(), empty_relations_of_postgres()})
        for (const SystemRelation& relation : relations)
            if (relation.name == name && relation.schema == schema) return &relation;
    return nullptr;
}

const SystemRelation* find_system_relation(Oid oid) {
    for (const auto relations : {system_relations(), empty_relations_of_postgres()})
        for (const SystemRelation& relation : relations)
            if (number_of(relation) == oid) return &relation;
    return nullptr;
}

const SystemRelation& system_relation(std::size_t place) {
    const auto relations = system_relations();
    return place < relations.size() ? relations[place] : empty_relations_of_postgres()[place - relations.size()];
}

std::vector<std::string_view> column_names(const SystemRelation& relation) {
    std::vector<std::string_view> names;
    for (std::string_view rest = relation.columns; !rest.empty();) {
        names.push_back(rest.substr(0, rest.find(':')));
        const std::size_t end = rest.find(' ');
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
    return names;
}

Oid number_of(const SystemRelation& relation) {
    constexpr Oid k_first_view = 13000;  // where those of PostgreSQL are
    if (relation.oid != 0) return relation.oid;
    const auto relations = system_relations(), empty = empty_relations_of_postgres();
    const std::less<> before;
    const bool is_empty = !before(&relation, empty.data()) && before(&relation, empty.data() + empty.size());
    const auto place = is_empty ? static_cast<std::ptrdiff_t>(relations.size()) + (&relation - empty.data())
                                : &relation - relations.data();
    return k_first_view + static_cast<Oid>(place);
}

const InputFunction& input_function(const TypeInfo& type) {
    using namespace system_relations_file;
    if (type.type_kind == 'e') return k_enum_input;
    if (type.type_kind == 'd') return k_domain_input;
    for (const InputFunction& function : k_inputs)
        if (function.type == type.oid) return function;
    switch (type.form) {
        case Form::array: return k_array_input;
        case Form::record: return k_record_input;
        case Form::range: return k_range_input;
        default: return k_any_input;
    }
}

const InputFunction* find_input_function(std::string_view name) {
    using namespace system_relations_file;
    for (const InputFunction* function : {&k_array_input, &k_enum_input, &k_domain_input, &k_record_input,
                                          &k_range_input, &k_any_input})
        if (function->name == name) return function;
    for (const InputFunction& function : k_inputs)
        if (function.name == name) return &function;
    return nullptr;
}

const InputFunction* find_input_function(Oid oid) {
    using namespace system_relations_file;
    for (const InputFunction* function : {&k_array_input, &k_enum_input, &k_domain_input, &k_record_input,
                                          &k_range_input, &k_any_input})
        if (function->oid == oid) return function;
    for (const InputFunction& function : k_inputs)
        if (function.oid == oid) return &function;
    return nullptr;
}

Oid named_oid(std::string_view kind, std::string_view name) {
    using namespace system_relations_file;
    const std::uint64_t hash = fnv(name, fnv("/", fnv(kind, k_fnv_start)));
    constexpr Oid first = 0x50000000;
    return first + static_cast<Oid>((hash ^ hash >> 32) % 0x30000000);
}

Oid schema_oid(std::string_view schema) {
    if (schema == "pg_catalog") return k_system_schema_oid;
    if (schema == "public") return k_public_schema_oid;
    if (schema == "information_schema") return k_information_schema_oid;
    return named_oid("schema", schema);
}

Oid constraint_oid(Oid table, std::string_view name) {
    return named_oid("constraint", std::to_string(table).append("/").append(name));
}

Oid default_oid(Oid table, int column) {
    return named_oid("default", std::to_string(table).append("/").append(std::to_string(column)));
}

}  // namespace northstar::inline v0::sql
