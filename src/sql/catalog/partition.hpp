// partition.hpp -- partitioned tables: which rows belong to which partition.  Layer: sql.  Threads: any.
//
// [PARTITION-1] All rows of a partitioned table lie in the tree of the topmost table ("root"), however deep its
//               partitions go. A partition is a name for those rows that its bounds select, with their columns in an
//               order of its own. So keys, foreign keys and history are the root's, and a row that comes to belong to
//               another partition does not move.
// [PARTITION-2] Every row belongs to exactly one partition that is not divided further.
// [PARTITION-3] Columns of a partition have the names of the root's. Places in indexes and foreign keys are the root's,
//               also where `partition` says that they are for the rows of one partition alone.
//
// [PARTITION-4] An index of a partition that is a part of another one (Index::whole) is a definition without a tree,
//               over the columns of the partition. Its entries are among those of an index of the root.
//
// Conditions are SQL text over the names of the columns, which whoever needs them binds.
#pragma once

#include "sql/catalog/catalog.hpp"

#include <memory>
#include <string>
#include <vector>

namespace northstar::inline v0::sql {

/// The topmost table above a partition; a table that is no partition is its own. Raises data_corrupted.
std::shared_ptr<const Relation> partition_root(const Catalog& catalog, const Relation& relation);
/// The direct partitions of a table, DEFAULT last.
std::vector<std::shared_ptr<const Relation>> partitions_of(const Catalog& catalog, Oid table);
/// Partitions of every depth, each behind the one that it is a part of.
std::vector<std::shared_ptr<const Relation>> all_partitions_of(const Catalog& catalog, Oid table);
/// Is it that partition, or a part of it?
bool is_within_partition(const Catalog& catalog, const Relation& relation, Oid partition);

/// How a condition says that a row belongs to DEFAULT: none of the siblings has it, which holds in any state, or asks
/// the directory of the state in which it is evaluated, O(log partitions).
enum class OfRest : std::uint8_t { of_no_sibling, by_directory };

/// Which rows of the table above it a bound selects.
std::string bound_condition(const Catalog& catalog, const Relation& parent, const PartitionBound& bound,
                            Oid partition, OfRest rest);
/// Which rows of the root belong to the partition.
std::string partition_condition(const Catalog& catalog, const Relation& partition, OfRest rest);
/// The index of the root that has the entries of an index of `owner`: itself unless it is a part. Null: there is none.
/// `owner` and the relations of the catalog own what it points to.
const Index* index_with_entries(const Catalog& catalog, const Relation& owner, const Index& index);
/// An index of the root, over the columns of a partition.
Index over_partition(const Relation& root, const Relation& partition, Index index);
/// An index as one of the table that it is said to be of, and over its columns.
struct ListedIndex {
    std::shared_ptr<const Relation> table;
    Index index;
};
/// The indexes that a relation has. Those that a partition alone has are in the root's list, and the partition's.
std::vector<ListedIndex> listed_indexes(const Catalog& catalog, const std::shared_ptr<const Relation>& relation);
/// Which rows an index has entries for; empty: all.
std::string index_condition(const Catalog& catalog, const Index& index);
/// The OID of the partition that a row belongs to, as an expression of type regclass.
std::string partition_of_row(const Catalog& catalog, const Relation& table, OfRest rest);
/// "FOR VALUES IN (1, 2)", "DEFAULT", as they are written behind PARTITION OF.
std::string bound_text(const Relation& parent, const PartitionBound& bound);
/// "RANGE (a, b)", as it is written behind PARTITION BY.
std::string partition_key_text(const Relation& table);
/// Places in the root of the live columns of a partition, in the partition's order.
std::vector<int> places_in_root(const Relation& root, const Relation& partition);

}  // namespace northstar::inline v0::sql
