// statement.hpp -- statements of the syntax tree: data changes, definitions, transactions, utilities.  Layer: sql.
//
// One struct per family; which of its members a statement uses is said where they stand.
#pragma once

#include "sql/syntax/tree.hpp"

namespace northstar::inline v0::sql::syntax {

enum class StatementKind : std::uint8_t {
    query, insert, update, erase, merge, truncate,  // erase with `redact` is ERASE FROM
    create_table, create_table_as, create_index, create_view, create_schema, create_sequence, create_enum,
    create_composite, create_domain, create_extension, refresh_view, reindex,
    drop, alter_table, alter_sequence, alter_enum, rename, set_schema, comment, privileges,
    transaction, set_constraints, set_variable, show, reset, discard,
    prepare, execute, deallocate, declare_cursor, fetch, close_cursor,
    explain, copy, analyze, vacuum, checkpoint, lock_table, revert, listen, unlisten, notify, run_block,
};

// ---- data changes
// ----------------------------------------------------------------------------------------------------

struct Assignment {
    List<Name> columns;             ///< one, or several for (a, b) = row
    List<const Expr*> subscripts;   ///< SET a[1] = ..: of the single column
    bool row = false;
    const Expr* value = nullptr;    ///< of a row: row node or scalar query
    Position position = 0;
};

struct ConflictClause {
    bool present = false;
    bool do_update = false;
    List<SortItem> target;          ///< expressions of the index
    const Expr* target_where = nullptr;
    Name constraint;
    List<Assignment> assignments;
    const Expr* where = nullptr;
    Position position = 0;
};

enum class Overriding : std::uint8_t { none, system, user };

struct PortionClause {              ///< FOR PORTION OF period FROM a TO b
    Name period;
    const Expr* from = nullptr;
    const Expr* to = nullptr;
};

struct MergeAction {
    bool matched = false;
    const Expr* condition = nullptr;
    enum class Kind : std::uint8_t { update, erase, insert, nothing } kind = Kind::nothing;
    List<Assignment> assignments;
    List<Name> columns;
    List<const Expr*> values;
    bool default_values = false;
    Overriding overriding = Overriding::none;
    Position position = 0;
};

struct ColumnTarget {
    Name name;
    List<const Expr*> subscripts;
    Position position = 0;
};

struct DataChange {                 ///< INSERT, UPDATE, DELETE, MERGE, ERASE
    const WithClause* with = nullptr;
    QualifiedName table;
    bool only = false;
    Name alias;
    List<ColumnTarget> columns;     ///< INSERT
    const Query* source = nullptr;  ///< INSERT; null: DEFAULT VALUES
    Overriding overriding = Overriding::none;
    ConflictClause conflict;
    List<Assignment> assignments;   ///< UPDATE
    List<const FromItem*> from;     ///< UPDATE FROM, DELETE USING, MERGE USING
    const Expr* where = nullptr;    ///< MERGE: ON
    Name current_of;                ///< the cursor of WHERE CURRENT OF
    List<MergeAction> merge_actions;
    List<Target> returning;
    PortionClause portion;
    bool redact = false;            ///< ERASE FROM
    const Expr* reason = nullptr;
    TimeClause time;
};

struct Truncate {
    List<QualifiedName> tables;
    List<std::uint8_t> only;        ///< of each table: 1 with ONLY
    bool restart_identity = false;
    bool cascade = false;
};

// ---- definitions
// -----------------------------------------------------------------------------------------------------

struct Option {                     ///< name = value in WITH (...), sequence options, COPY options
    Name name;
    const Expr* value = nullptr;    ///< null: the name alone
    List<Name> names;               ///< OWNED BY t.c; FORCE_QUOTE (a, b)
    Position position = 0;
};

enum class ConstraintKind : std::uint8_t {
    not_null, null, default_value, check, primary_key, unique, foreign_key, generated, identity, exclude, period
};
enum class ReferentialAction : std::uint8_t { no_action, restrict, cascade, set_null, set_default };
enum class ReferentialMatch : std::uint8_t { simple, full, partial };

struct CreateIndex;

struct ConstraintDefinition {
    ConstraintKind kind = ConstraintKind::not_null;
    Name name;
    const Expr* expr = nullptr;     ///< DEFAULT, CHECK, GENERATED
    std::string_view source;        ///< its text
    List<Name> columns;             ///< of a table constraint
    List<Name> include;
    bool nulls_not_distinct = false;
    bool without_overlaps = false;  ///< the last column is a period; of a foreign key: PERIOD
    QualifiedName references;
    List<Name> referenced_columns;
    ReferentialMatch match = ReferentialMatch::simple;
    ReferentialAction on_delete = ReferentialAction::no_action;
    ReferentialAction on_update = ReferentialAction::no_action;
    List<Name> delete_columns;      ///< SET NULL (a, b)
    bool deferrable = false;
    bool initially_deferred = false;
    bool not_valid = false;
    bool no_inherit = false;
    bool identity_always = false;
    Name using_index;
    const CreateIndex* exclusion = nullptr;  ///< EXCLUDE: its elements (operators in using_operator), method and WHERE
    List<Option> options;           ///< of the sequence of an identity column
    Position position = 0;
};

struct ColumnSpec {
    Name name;
    const TypeName* type = nullptr;
    Name collation;
    Name storage;                   ///< empty: as the type has it
    Name compression;               ///< empty: the default
    List<ConstraintDefinition> constraints;
    Position position = 0;
};

struct LikeClause {
    QualifiedName table;
    std::uint32_t including = 0;    ///< bits of LikeOption
    std::size_t at = 0;             ///< behind how many columns
};
enum LikeOption : std::uint32_t {
    like_comments = 1, like_constraints = 2, like_defaults = 4, like_generated = 8, like_identity = 16,
    like_indexes = 32, like_statistics = 64, like_storage = 128, like_compression = 256, like_all = 0x1ff
};

struct PartitionBy {                ///< PARTITION BY LIST (a), RANGE (a, b)
    Name strategy;                  ///< empty: none
    List<const Expr*> parts;
    List<std::string_view> sources; ///< their text
    List<QualifiedName> operator_classes;  ///< of each part; without parts: none is named
    Position position = 0;
};

struct PartitionValues {            ///< FOR VALUES .., DEFAULT
    bool rest = false;              ///< DEFAULT
    List<const Expr*> values;       ///< IN
    List<const Expr*> from, to;     ///< MINVALUE and MAXVALUE are columns of these names
    bool by_hash = false;           ///< WITH (MODULUS .., REMAINDER ..)
    std::int64_t modulus = -1, remainder = -1;
    Position position = 0;
};

enum class OnCommit : std::uint8_t { preserve, erase_rows, drop };

struct CreateTable {                ///< CREATE TABLE, CREATE TABLE AS, CREATE MATERIALIZED VIEW
    QualifiedName name;
    bool temporary = false;
    bool unlogged = false;
    bool if_not_exists = false;
    bool materialized_view = false;
    QualifiedName of_type;          ///< OF type: empty: none; columns have no types then
    Name method;                    ///< USING; empty: the default
    List<ColumnSpec> columns;
    List<ConstraintDefinition> constraints;
    List<LikeClause> likes;
    List<QualifiedName> inherits;
    QualifiedName partition_of;     ///< empty: no partition; then columns have no types
    PartitionValues values;         ///< of a partition
    PartitionBy partition_by;
    List<Option> options;
    OnCommit on_commit = OnCommit::preserve;
    List<Name> column_names;        ///< AS
    const Query* query = nullptr;   ///< AS
    std::string_view source;        ///< text of the query
    const Statement* execute = nullptr;  ///< AS EXECUTE
    bool with_data = true;
};

struct CreateIndex {
    Name name;
    QualifiedName table;
    bool unique = false;
    bool concurrently = false;
    bool only = false;              ///< ON ONLY: partitions get none
    bool if_not_exists = false;
    Name method;
    List<SortItem> columns;
    List<QualifiedName> operator_classes;  ///< of each column; without parts: none is named
    List<Name> include;
    bool nulls_not_distinct = false;
    List<Option> options;
    const Expr* where = nullptr;
    std::string_view where_source;
};

struct CreateView {
    QualifiedName name;
    bool replace = false;
    bool temporary = false;
    bool recursive = false;
    List<Name> columns;
    const Query* query = nullptr;
    std::string_view source;        ///< text of the query
    int check_option = 0;           ///< 1 local, 2 cascaded
    List<Option> options;
};

struct CreateSequence {             ///< CREATE and ALTER SEQUENCE
    QualifiedName name;
    bool temporary = false;
    bool if_not_exists = false;     ///< ALTER: IF EXISTS
    const TypeName* type = nullptr;
    List<Option> options;
};

struct CreateType {                 ///< CREATE TYPE .. AS, ALTER TYPE .. ADD VALUE, CREATE DOMAIN
    QualifiedName name;
    List<Name> labels;
    List<ColumnDefinition> fields;  ///< of a composite type
    bool if_not_exists = false;
    Name neighbour;
    bool before = false;
    Name rename_from;
    const TypeName* base = nullptr;
    List<ConstraintDefinition> constraints;
};

struct CreateExtension {
    Name name;
    bool if_not_exists = false;
    Name schema;                    ///< empty: the current one
    Name version;                   ///< empty: the newest
};

enum class ObjectKind : std::uint8_t {
    table, index, view, materialized_view, schema, sequence, type, domain, column, constraint, function, trigger,
    extension, database, role
};

struct Drop {
    ObjectKind kind = ObjectKind::table;
    List<QualifiedName> names;
    bool if_exists = false;
    bool cascade = false;
    bool concurrently = false;      ///< DROP INDEX
};

enum class AlterKind : std::uint8_t {
    add_column, drop_column, set_default, drop_default, set_not_null, drop_not_null, set_type, add_constraint,
    drop_constraint, validate_constraint, alter_constraint, add_identity, set_identity, drop_identity, drop_expression,
    set_options, reset_options, set_statistics, set_storage, set_compression, set_access_method, owner, cluster,
    set_logged, set_unlogged, of_type, not_of_type, row_security, replica_identity, trigger, enable_foreign_keys,
    disable_foreign_keys, inherit, attach_partition, detach_partition
};

struct AlterAction {
    AlterKind kind = AlterKind::add_column;
    Name name;
    bool if_exists = false;         ///< or IF NOT EXISTS; of `inherit`: NO INHERIT
    bool cascade = false;
    ColumnSpec column;
    ConstraintDefinition constraint;
    const TypeName* type = nullptr;
    const Expr* expr = nullptr;
    std::string_view source;
    List<Option> options;
    QualifiedName partition;        ///< ATTACH, DETACH; INHERIT: the parent; OF: the type
    bool concurrently = false;      ///< DETACH
    bool finalize = false;          ///< DETACH
    PartitionValues values;         ///< ATTACH
    Position position = 0;
};

struct AlterTable {
    ObjectKind kind = ObjectKind::table;
    QualifiedName name;
    bool if_exists = false;
    bool only = false;
    List<AlterAction> actions;
};

struct Rename {                     ///< RENAME TO, SET SCHEMA
    ObjectKind kind = ObjectKind::table;
    ObjectKind of = ObjectKind::table;  ///< what the statement says behind ALTER
    QualifiedName name;
    bool if_exists = false;
    bool only = false;
    bool cascade = false;           ///< of an attribute: typed tables follow
    Name part;                      ///< column or constraint
    bool of_domain = false;         ///< the constraint is a domain's
    Name to;
};

struct Comment {
    ObjectKind kind = ObjectKind::table;
    QualifiedName name;
    Name part;
    bool of_domain = false;         ///< the constraint is a domain's
    const Expr* text = nullptr;     ///< null node: remove
};

// ---- transactions and utilities
// --------------------------------------------------------------------------------------

enum class TransactionKind : std::uint8_t { begin, commit, rollback, savepoint, release, rollback_to, prepare, set };
enum class Isolation : std::uint8_t { unset, read_uncommitted, read_committed, repeatable_read, serializable };

struct TransactionStatement {
    TransactionKind kind = TransactionKind::begin;
    Name savepoint;
    Isolation isolation = Isolation::unset;
    int read_only = -1;             ///< -1: not said
    bool chain = false;
    bool session = false;           ///< SET SESSION CHARACTERISTICS
    bool start = false;             ///< START TRANSACTION
    TimeClause time;
    List<Option> options;           ///< WITH (author = .., reason = ..)
};

struct SetConstraints {
    bool all = false;
    List<QualifiedName> names;
    bool deferred = false;
};

struct SetVariable {                ///< SET, RESET, SHOW
    Name name;
    bool local = false;
    bool to_default = false;
    List<const Expr*> values;
};

struct Prepare {                    ///< PREPARE, EXECUTE, DEALLOCATE
    Name name;                      ///< empty: ALL
    List<const TypeName*> types;
    const Statement* statement = nullptr;
    std::string_view source;
    List<const Expr*> arguments;
};

struct Cursor {                     ///< DECLARE, FETCH, MOVE, CLOSE
    Name name;
    bool scroll = false;
    bool no_scroll = false;
    bool insensitive = false;
    bool asensitive = false;
    bool hold = false;
    bool move = false;
    const Query* query = nullptr;
    enum class Direction : std::uint8_t { forward, backward, absolute, relative } direction = Direction::forward;
    bool all = false;
    std::int64_t count = 1;
};

struct Explain {
    const Statement* statement = nullptr;
    List<Option> options;
};

struct Copy {
    QualifiedName table;
    List<Name> columns;
    const Query* query = nullptr;
    bool from = false;
    std::string_view file;          ///< empty: standard streams
    bool standard_stream = false;
    List<Option> options;
    const Expr* where = nullptr;
};

struct TableList {                  ///< ANALYZE, VACUUM, LOCK
    List<QualifiedName> tables;
    List<List<std::string_view>> columns;  ///< of each table; empty: all
    bool full = false;                     ///< VACUUM FULL
    bool analyze = false;                  ///< VACUUM ANALYZE
};

struct Reindex {
    enum class Kind : std::uint8_t { index, table, schema, database, system } kind = Kind::index;
    bool concurrently = false;
    QualifiedName name;
};

struct Revert {                     ///< REVERT TABLE t TO n
    QualifiedName table;
    TimePoint to;
};

struct Statement {
    StatementKind kind = StatementKind::query;
    std::uint32_t begin = 0;        ///< byte offsets in the text
    std::uint32_t end = 0;
    std::uint32_t parameters = 0;   ///< highest $n
    bool locks_rows = false;        ///< FOR UPDATE or its kin stand in it
    List<QualifiedName> with_database;  ///< names that say a database, which can only be this one
    const Query* query = nullptr;
    const DataChange* change = nullptr;
    const Truncate* truncate = nullptr;
    const CreateTable* create_table = nullptr;
    const CreateIndex* create_index = nullptr;
    const CreateView* create_view = nullptr;
    const CreateSequence* sequence = nullptr;
    const CreateType* type = nullptr;
    const CreateExtension* extension = nullptr;
    const Drop* drop = nullptr;     ///< and REFRESH MATERIALIZED VIEW, CREATE SCHEMA (names[0])
    const AlterTable* alter = nullptr;
    const Rename* rename = nullptr;
    const Comment* comment = nullptr;
    const TransactionStatement* transaction = nullptr;
    const SetConstraints* constraints = nullptr;
    const SetVariable* variable = nullptr;
    const Prepare* prepare = nullptr;
    const Cursor* cursor = nullptr;
    const Explain* explain = nullptr;
    const Copy* copy = nullptr;
    const TableList* tables = nullptr;
    std::string_view privileges;    ///< GRANT, REVOKE or ALTER DEFAULT PRIVILEGES
    Name discard;                   ///< what DISCARD forgets: all, plans, sequences, temp, temporary
    Name channel;                   ///< LISTEN, NOTIFY; UNLISTEN, empty: *; of DO the language
    std::string_view payload;       ///< NOTIFY; of DO the block
    const Revert* revert = nullptr;
    const Reindex* reindex = nullptr;
    List<const Statement*> elements;  ///< CREATE SCHEMA: what is created in it
};

}  // namespace northstar::inline v0::sql::syntax
