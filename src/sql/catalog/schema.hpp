// schema.hpp -- what the catalog knows of tables, views, sequences and types.  Layer: sql.  Threads: values, shared
// const.
//
// Expressions (defaults, checks, index expressions, queries of views) are kept as SQL text, which is what the documents
// show; they are parsed and bound where they are used.
//
// [SCHEMA-1] A dropped column keeps its place: stored rows keep their layout. Everything here counts physical places.
#pragma once

#include "sql/catalog/statistics.hpp"
#include "sql/key_encoding.hpp"
#include "sql/row_format.hpp"
#include "sql/type.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace northstar::inline v0::sql {

struct Column {
    std::string name;
    Oid type = 0;
    std::int32_t typmod = k_no_typmod;
    Oid domain = 0;              ///< the domain, or array of one, it was declared with; `type` is what that is made of
    bool not_null = false;
    bool dropped = false;
    std::string default_text;    ///< empty: none
    std::string generated_text;  ///< GENERATED ALWAYS AS (..) STORED
    char identity = 0;           ///< 'a' always, 'd' by default
    Oid sequence = 0;            ///< of serial and identity columns
    std::optional<std::string> missing;  ///< text of the value that rows older than the column have
    std::string comment;
    char storage = 0;                ///< as SET STORAGE said: p, e, m or x; 0: as its type has it
    char compression = 0;            ///< as COMPRESSION said: p or l; 0: the default
    bool inherited = false;          ///< the table has it from those that it inherits from alone
    bool hidden = false;             ///< found by name, not in * and not in the row type
    bool implicit_document = false;  ///< the jsonb column of a table declared with nothing but a primary key
};

struct IndexColumn {
    int column = -1;       ///< -1: an expression
    std::string text;      ///< of an expression
    KeyOrder order;
    std::string operation; ///< of an exclusion constraint: how the values of two rows are compared
};

enum class ConstraintRole : std::uint8_t { none, unique, primary_key, exclusion };

struct Index {
    Oid oid = 0;
    std::string name;
    bool unique = false;
    ConstraintRole role = ConstraintRole::none;
    bool nulls_not_distinct = false;
    bool deferrable = false;
    bool initially_deferred = false;
    bool without_overlaps = false;
    std::string method;     ///< that an exclusion constraint was declared with
    std::vector<IndexColumn> columns;
    std::vector<int> include;
    std::string predicate;  ///< of a partial index
    Oid partition = 0;      ///< it is over the rows of this partition of the table alone
    /// Of an index of a partition: the index of the table above that it is a part of (catalog/partition.hpp). Its
    /// entries are among those of that one, and it has no tree.
    Oid whole = 0;
    std::string comment;             ///< of the index
    std::string constraint_comment;  ///< of the constraint that it is for
    bool partial() const { return !predicate.empty() || partition != 0; }
    /// Its entries are the rows, which lie under its columns. Rows that may share the value of a primary key for a
    /// while, because it is deferrable, have a number of their own, and the key is an index beside them.
    bool holds_rows() const { return role == ConstraintRole::primary_key && !deferrable; }
    /// Two rows never have an equal key; of a deferrable one they may until the statement or transaction ends.
    bool unique_at_once() const { return unique && !deferrable; }
    /// Rows may stand in the way of others.
    bool excludes() const { return unique || role == ConstraintRole::exclusion; }
    bool excludes_at_once() const { return excludes() && !deferrable; }
};

struct CheckConstraint {
    std::string name;
    std::string text;
    bool validated = true;
    bool no_inherit = false;  ///< heirs of the table do not have it
    std::string comment;
    bool inherited = false;   ///< the table has it from those that it inherits from alone
};

enum class ForeignAction : std::uint8_t { no_action, restrict, cascade, set_null, set_default };

struct ForeignKey {
    std::string name;
    std::vector<int> columns;
    Oid table = 0;                 ///< referenced
    std::vector<int> referenced;   ///< its columns
    bool match_full = false;
    ForeignAction on_delete = ForeignAction::no_action;
    ForeignAction on_update = ForeignAction::no_action;
    std::vector<int> set_columns;  ///< ON DELETE SET NULL (..); empty: all
    bool deferrable = false;
    bool initially_deferred = false;
    bool validated = true;
    bool period = false;           ///< the last columns are a period, which rows of the other table cover together
    Oid partition = 0;             ///< it binds the rows of this partition alone
    Oid referenced_partition = 0;  ///< only rows of this partition of the referenced table count
    std::string comment;
};

/// PARTITION BY: how a table is divided into partitions (catalog/partition.hpp).
enum class PartitionStrategy : char { none = 0, list = 'l', range = 'r', hash = 'h' };

struct PartitionKey {
    struct Part {
        std::string text;  ///< a column or an expression
        Oid type = 0;
    };
    PartitionStrategy strategy = PartitionStrategy::none;
    std::vector<Part> parts;
};

/// One value of a list, or of an end of a range.
struct BoundValue {
    enum class Kind : char { value = 'v', null = 'n', lowest = '<', highest = '>' } kind = Kind::value;
    std::string text;  ///< of a value, as its type writes it
};

/// FOR VALUES of a partition.
struct PartitionBound {
    bool rest = false;                ///< DEFAULT
    std::vector<BoundValue> values;   ///< IN (..)
    std::vector<BoundValue> from, to; ///< FROM (..) TO (..): the first inclusive, the last exclusive
    int modulus = 0, remainder = 0;   ///< WITH (MODULUS .., REMAINDER ..): of the hash of the key
};

enum class RelationKind : char { table = 'r', view = 'v', materialized_view = 'm', sequence = 'S' };

struct SequenceOptions {
    Oid type = type::int8;
    std::int64_t start = 1;
    std::int64_t increment = 1;
    std::int64_t minimum = 1;
    std::int64_t maximum = INT64_MAX;
    std::int64_t cache = 1;
    bool cycle = false;
    Oid owner_table = 0;
    int owner_column = -1;
    bool identity = false;
};

/// A relation as the query of a view knew it when the view was made. It is found by its number whatever it is called
/// now, its columns have the names of then, and those that came later are not meant by *.
struct NamedRelation {
    Oid oid = 0;
    std::string schema;  ///< as it was written; empty: without
    std::string name;
    std::vector<std::string> columns;  ///< by physical place
};

/// A table, view, materialized view or sequence.
struct Relation {
    Oid oid = 0;
    RelationKind kind = RelationKind::table;
    std::string schema;
    std::string name;
    bool temporary = false;
    bool unlogged = false;           ///< UNLOGGED: said and shown; its rows are as safe as those of others
    std::vector<Column> columns;
    std::vector<Index> indexes;
    std::vector<CheckConstraint> checks;
    std::vector<ForeignKey> foreign_keys;
    std::string query;               ///< of a view, as text
    int check_option = 0;            ///< 1 local, 2 cascaded
    bool populated = true;           ///< materialized views
    SequenceOptions sequence;
    Oid row_type = 0;                ///< its composite type
    Oid of_type = 0;                 ///< of a typed table: the type that its columns are those of
    std::string comment;
    char on_commit = 'p';            ///< p preserve, d delete rows, D drop
    bool unchecked = false;          ///< foreign keys do not look at what is changed in it (DISABLE TRIGGER ALL)
    bool hidden_valid_time = false;  ///< WITH (valid_time): plain statements see and change what is valid from now on
    std::string period_name;         ///< of the declared period, or of hidden columns
    int period_from = -1;            ///< its columns; -1: none
    int period_to = -1;
    std::string history_retention;   ///< as ALTER TABLE .. SET said; empty: the default of the database
    std::vector<Oid> depends;        ///< relations that the query of a view reads
    std::vector<NamedRelation> names;  ///< relations as the query of a view calls them
    std::vector<Oid> inherits;       ///< INHERITS: tables whose queries read the rows of this one as well
    PartitionKey partition_key;      ///< of a table that has partitions
    Oid partition_of = 0;            ///< of a partition: the table or partition that it is a part of
    PartitionBound bound;            ///< of a partition
    std::shared_ptr<const TableStatistics> statistics;  ///< null: never analyzed
    std::shared_ptr<const RowLayout> layout;

    /// Index into `indexes` of the primary key; -1: there is none.
    int primary_key() const;
    /// The same of the key that rows lie under; -1: they lie under hidden numbers.
    int row_key() const;
    /// Physical place of a live column; -1.
    int find_column(std::string_view name) const;
    const Index* find_index(std::string_view name) const;
    std::string tree() const;
    std::string index_tree(const Index& index) const;
    /// Forgets what ANALYZE found of a column.
    void forget_statistics(int column);
    bool is_partition() const { return partition_of != 0; }
    bool is_partitioned() const { return partition_key.strategy != PartitionStrategy::none; }
    /// Has a tree of its own; the rows of a partition lie in that of the topmost table.
    bool stores_rows() const {
        return (kind == RelationKind::table || kind == RelationKind::materialized_view) && !is_partition();
    }
};

/// A field of a composite type.
struct TypeField {
    std::string name;
    Oid type = 0;
    std::int32_t typmod = k_no_typmod;
    Oid domain = 0;  ///< as that of a column
};

struct UserType {
    Oid oid = 0;
    Oid array = 0;
    char kind = 'e';                 ///< e enum, d domain, c composite
    std::string schema;
    std::string name;
    std::vector<std::pair<std::string, std::int64_t>> labels;  ///< in order
    std::vector<TypeField> fields;   ///< of a composite type, in order
    Oid base = 0;                    ///< of a domain
    Oid parent = 0;                  ///< of a domain over a domain, or an array of one, whose constraints hold as well
    std::int32_t typmod = k_no_typmod;
    bool not_null = false;
    std::string default_text;
    std::vector<CheckConstraint> checks;
    std::string comment;
};

/// What CREATE EXTENSION made. Its functions are built in; it says that a database means to use them.
struct Extension {
    Oid oid = 0;
    std::string schema;
    std::string comment;
};

}  // namespace northstar::inline v0::sql
