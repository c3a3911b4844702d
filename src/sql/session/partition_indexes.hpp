// partition_indexes.hpp -- the indexes of partitions.  Layer: sql session.  Threads: those of its session.
//
// An index of a partitioned table has the rows of all partitions, which lie in one tree (catalog/partition.hpp). Each
// partition has an index of its own for it all the same, by which it is named, commented on and listed: a definition
// over the columns of the partition, without entries, that says which index of the table above it is a part of
// (Index::whole). An index that a partition alone has is one of the topmost table, with Index::partition; it becomes
// such a part when the table above gets one like it.
#pragma once

#include "sql/session/sql_session.hpp"

namespace northstar::inline v0::sql {

/// An index of a table, or of a partition, that was just made: its partitions get theirs. One like it that a partition
/// has already becomes that part. O(partitions).
void make_index_parts(SqlSession& session, Oid table, Oid index);
/// A new partition gets its parts of the indexes of the table above.
void make_parts_of_partition(SqlSession& session, Oid partition);
/// After indexes or columns of a topmost table changed: parts of what is gone go, the others say what it says.
void follow_indexes(SqlSession& session, Oid root);
/// ALTER INDEX .. ATTACH PARTITION. Raises 55000, 42P17.
void attach_index(SqlSession& session, const Relation& owner, const Index& whole, const syntax::QualifiedName& name);
/// "t_pkey", "t_a_b_key", "t_a_expr_idx": the name that PostgreSQL gives to an index of the table that has none.
std::string index_name_of_its_own(SqlSession& session, const Relation& table, const Index& index);

}  // namespace northstar::inline v0::sql
