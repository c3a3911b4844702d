// partition_directory.hpp -- the bounds of the partitions of one table, for who looks for one.  Layer: sql.
//
// Bounds are kept as keys (key_encoding.hpp), so they compare by bytes: ranges by their upper ends, lists by their
// values, hashes by modulus and remainder.
//
// [DIRECTORY-1] What a directory answers is what the bounds of the partitions say, whether it was made out of all of
//               them or out of the directory of another state, with which it shares what they have in common.
// [DIRECTORY-2] To find a partition, to add one and to compare a bound with all others is O(log partitions), of hashes
//               O(moduli log partitions); a copy costs a pointer for every 32 to 64 bounds.
// Threads: any number of readers; LazyPartitions any.
#pragma once

#include "sql/catalog/schema.hpp"
#include "sql/catalog/shared_map.hpp"
#include "sql/value.hpp"

#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace northstar::inline v0::sql {

class Catalog;

class PartitionDirectory {
public:
    /// FOR VALUES with its values as keys.
    struct Bound {
        Oid partition = 0;
        bool rest = false;
        std::vector<std::string> values;  ///< of a list, NULL among them
        std::string from, to;
        int modulus = 0, remainder = 0;
    };

    explicit PartitionDirectory(PartitionKey key) : key_(std::move(key)) {}
    /// Raises what reading the values as those of the key's types does.
    Bound bound_of(const PartitionBound& bound, Oid partition, const TypeCatalog* types) const;
    void add(Bound bound);
    /// Nothing happens where there is no such partition.
    void remove(Oid partition);

    /// The partition that a row with these values of the key belongs to; 0: none.
    Oid find(std::span<const Value> key) const;
    Oid rest() const { return rest_; }
    /// A partition that has some of what the bound selects, the first in the order of bounds; 0: none. DEFAULT has
    /// nothing of any other.
    Oid overlapped(const Bound& bound) const;
    /// The partition whose modulus is neither a factor of that one nor a multiple, and that modulus; 0: all are.
    std::pair<Oid, int> unfit_modulus(int modulus) const;

private:
    struct Range {
        std::string from;
        Oid partition = 0;
    };
    using Remainder = std::pair<int, int>;  ///< of a modulus, and that before it

    std::string end_key(const std::vector<BoundValue>& values, const TypeCatalog* types) const;
    /// Takes what find() calls for each modulus, in ascending order, until it returns a partition.
    template <class Find>
    Oid each_modulus(const Find& find) const;

    PartitionKey key_;
    SharedMap<std::string, Range> ranges_;  // by the upper end
    SharedMap<std::string, Oid> values_;
    SharedMap<Remainder, Oid> remainders_;
    SharedMap<Oid, std::shared_ptr<const Bound>> bounds_;
    Oid rest_ = 0;
};

/// The directory of a table in one state of the catalog, made when somebody asks for it. States in which the table has
/// the same partitions have it in common.
class LazyPartitions {
public:
    /// Of a state in which that partition came, went or changed. Null: nothing is known of the state before.
    static std::shared_ptr<LazyPartitions> behind(const std::shared_ptr<LazyPartitions>& before, Oid changed);
    std::shared_ptr<const PartitionDirectory> get(const Catalog& catalog, const Relation& table);

private:
    std::mutex mutex_;
    std::shared_ptr<const PartitionDirectory> made_;
    std::shared_ptr<const PartitionDirectory> before_;  // null: it is made of all partitions
    std::vector<Oid> changed_;                          // since then
};

}  // namespace northstar::inline v0::sql
