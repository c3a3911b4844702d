// define_partition.hpp -- partitioned tables in definitions: PARTITION BY, PARTITION OF, ATTACH, DETACH, and what
// ALTER, DROP and TRUNCATE do to partitions.  Layer: sql.  Threads: one at a time.
//
// What a partition is, and where its rows lie, is said in catalog/partition.hpp.
#pragma once

#include "sql/session/sql_session.hpp"

#include <string>
#include <utility>
#include <vector>

namespace northstar::inline v0::sql {

/// PARTITION BY of a table that is being made: reads its expressions over the columns that it has. Raises 42P17, 42703.
void set_partition_key(SqlSession& session, Relation& relation, const syntax::PartitionBy& syntax);
/// What is unique in a partitioned table must be so within each partition. Raises 0A000.
void check_unique_within_partitions(const Relation& relation, const Index& index);
/// CREATE TABLE .. PARTITION OF.
void create_partition(SqlSession& session, const syntax::CreateTable& syntax);
/// ALTER TABLE .. ATTACH PARTITION: the rows move into the tree of the topmost table. O(rows of the partition).
void attach_partition(SqlSession& session, const Relation& parent, const syntax::AlterAction& action);
/// ALTER TABLE .. DETACH PARTITION: the rows move into a tree of their own. O(rows of the topmost table).
void detach_partition(SqlSession& session, const Relation& parent, const syntax::AlterAction& action);
/// ALTER TABLE of a partition by its own name.
void alter_partition(SqlSession& session, const Relation& partition, const syntax::AlterAction& action);
/// The table, or the first of its partitions, whose key has the column; null: none. O(partitions).
std::shared_ptr<const Relation> table_divided_by(SqlSession& session, const Relation& table, std::string_view column);
/// What ALTER TABLE of a partitioned table may not do. Raises 42P16.
void check_partition_key_kept(SqlSession& session, const Relation& table, const syntax::AlterAction& action);
/// Brings the partitions after what ALTER TABLE did to the columns of their topmost table.
void follow_topmost_table(SqlSession& session, const Relation& before, const syntax::AlterAction& action);
/// A column of a topmost table has got another name: so have those of its partitions, and what they say of it.
void rename_partition_columns(SqlSession& session, Relation& table, std::string_view from, const std::string& to);
/// Gives a constraint of a partition to its topmost table, which has all keys and foreign keys.
void add_partition_key(SqlSession& session, Relation& partition, const syntax::ConstraintDefinition& constraint,
                       const std::vector<std::string>& names);
/// The rows of a partition with their keys; values live in the arena.
std::vector<std::pair<std::string, std::vector<Value>>> partition_rows(SqlSession& session, const Relation& root,
                                                                       Oid partition, Arena& arena);
/// Takes rows out of the topmost table, entries of indexes included.
void erase_partition_rows(SqlSession& session, const Relation& partition);
/// Forgets partitions below a table, and the partition itself unless it is a topmost table: rows, keys, definitions.
void drop_partitions(SqlSession& session, const Relation& relation);

}  // namespace northstar::inline v0::sql
