#include "sql/catalog/partition_directory.hpp"

#include "sql/catalog/catalog.hpp"
#include "sql/functions_hash.hpp"
#include "sql/key_encoding.hpp"
#include "sql/text_io.hpp"

#include <algorithm>
#include <limits>

namespace northstar::inline v0::sql {

namespace partition_directory {

// What stands where a key has the tag of a value.
constexpr char k_lowest = k_value_tag - 1;
constexpr char k_highest = 0x7f;

std::string key_of(const BoundValue& value, Oid type, const TypeCatalog* types) {
    Arena arena;
    Session plain;  // bounds are written as text without settings
    plain.types = types;
    std::string key;
    encode_key(value.kind == BoundValue::Kind::null ? Value::null(type)
                                                    : value_from_text(type, k_no_typmod, value.text, arena, plain),
               {}, key);
    return key;
}

}  // namespace partition_directory

std::string PartitionDirectory::end_key(const std::vector<BoundValue>& values, const TypeCatalog* types) const {
    std::string key;
    for (std::size_t i = 0; i < values.size() && i < key_.parts.size(); ++i) {
        const BoundValue::Kind kind = values[i].kind;
        if (kind == BoundValue::Kind::lowest || kind == BoundValue::Kind::highest) {
            // Whatever follows has no meaning.
            key += kind == BoundValue::Kind::lowest ? partition_directory::k_lowest : partition_directory::k_highest;
            break;
        }
        key += partition_directory::key_of(values[i], key_.parts[i].type, types);
    }
    return key;
}

PartitionDirectory::Bound PartitionDirectory::bound_of(const PartitionBound& bound, Oid partition,
                                                       const TypeCatalog* types) const {
    Bound made;
    made.partition = partition;
    made.rest = bound.rest;
    if (bound.rest || key_.parts.empty()) return made;
    made.modulus = bound.modulus;
    made.remainder = bound.remainder;
    for (const BoundValue& value : bound.values)
        made.values.push_back(partition_directory::key_of(value, key_.parts[0].type, types));
    made.from = end_key(bound.from, types);
    made.to = end_key(bound.to, types);
    return made;
}

void PartitionDirectory::add(Bound bound) {
    const Oid partition = bound.partition;
    if (bound.rest) rest_ = partition;
    else if (key_.strategy == PartitionStrategy::range) ranges_.set(bound.to, {bound.from, partition});
    else if (key_.strategy == PartitionStrategy::hash) remainders_.set({bound.modulus, bound.remainder}, partition);
    else for (const std::string& value : bound.values) values_.set(value, partition);
    bounds_.set(partition, std::make_shared<const Bound>(std::move(bound)));
}

void PartitionDirectory::remove(Oid partition) {
    const auto* const found = bounds_.find(partition);
    if (found == nullptr) return;
    const Bound& bound = **found;
    if (rest_ == partition) rest_ = 0;
    if (const Range* const range = ranges_.find(bound.to); range != nullptr && range->partition == partition)
        ranges_.erase(bound.to);
    for (const std::string& value : bound.values)
        if (const Oid* const holder = values_.find(value); holder != nullptr && *holder == partition)
            values_.erase(value);
    const Remainder remainder{bound.modulus, bound.remainder};
    if (const Oid* const holder = remainders_.find(remainder); holder != nullptr && *holder == partition)
        remainders_.erase(remainder);
    bounds_.erase(partition);
}

template <class Find>
Oid PartitionDirectory::each_modulus(const Find& find) const {
    for (auto at = remainders_.begin(); at != remainders_.end();) {
        const int modulus = at->first.first;
        if (const Oid found = find(modulus); found != 0) return found;
        at = remainders_.lower_bound(Remainder{modulus, std::numeric_limits<int>::max()});
    }
    return 0;
}

Oid PartitionDirectory::find(std::span<const Value> key) const {
    if (key_.strategy == PartitionStrategy::hash) {
        const std::uint64_t hash = partition_hash(key);
        return each_modulus([&](int modulus) {
            const auto remainder = static_cast<int>(hash % static_cast<std::uint64_t>(modulus));
            const Oid* const found = remainders_.find(Remainder{modulus, remainder});
            return found == nullptr ? Oid{0} : *found;
        });
    }
    std::string wanted;
    for (const Value& value : key) {
        if (value.is_null() && key_.strategy == PartitionStrategy::range) return rest_;
        encode_key(value, {}, wanted);
    }
    if (key_.strategy == PartitionStrategy::list) {
        const Oid* const found = values_.find(wanted);
        return found == nullptr ? rest_ : *found;
    }
    wanted += '\0';  // the least key above the row's: an upper end is not in its range
    const auto range = ranges_.lower_bound(wanted);
    wanted.pop_back();
    return range == ranges_.end() || range->second.from > wanted ? rest_ : range->second.partition;
}

Oid PartitionDirectory::overlapped(const Bound& bound) const {
    if (bound.rest) return 0;
    if (key_.strategy == PartitionStrategy::range) {
        const auto range = ranges_.lower_bound(bound.from + '\0');
        return range == ranges_.end() || range->second.from >= bound.to ? 0 : range->second.partition;
    }
    for (const std::string& value : bound.values)
        if (const Oid* const found = values_.find(value)) return *found;
    if (key_.strategy != PartitionStrategy::hash) return 0;
    Remainder least{std::numeric_limits<int>::max(), 0};
    Oid partition = 0;
    const Oid holder = each_modulus([&](int modulus) -> Oid {
        if (modulus <= bound.modulus) {
            const Oid* const found = remainders_.find(Remainder{modulus, bound.remainder % modulus});
            return found == nullptr ? 0 : *found;
        }
        for (auto at = remainders_.lower_bound(Remainder{modulus, 0});
             at != remainders_.end() && at->first.first == modulus; ++at) {
            if (at->first.second % bound.modulus != bound.remainder || at->first.second >= least.first) continue;
            least.first = at->first.second;
            partition = at->second;
        }
        return 0;
    });
    return holder != 0 ? holder : partition;
}

std::pair<Oid, int> PartitionDirectory::unfit_modulus(int modulus) const {
    // The moduli that there are form a chain of factors: its neighbours speak for all.
    int less = 0, more = 0;
    each_modulus([&](int other) -> Oid {
        if (other < modulus) less = other;
        else if (other > modulus && more == 0) more = other;
        return 0;
    });
    if (less != 0 && modulus % less != 0) {
        Oid last = 0;
        for (auto at = remainders_.lower_bound(Remainder{less, 0});
             at != remainders_.end() && at->first.first == less; ++at)
            last = at->second;
        return {last, less};
    }
    if (more != 0 && more % modulus != 0) return {remainders_.lower_bound(Remainder{more, 0})->second, more};
    return {0, 0};
}

std::shared_ptr<LazyPartitions> LazyPartitions::behind(const std::shared_ptr<LazyPartitions>& before, Oid changed) {
    constexpr std::size_t k_most_changes = 32;
    auto made = std::make_shared<LazyPartitions>();
    if (before == nullptr) return made;
    const std::lock_guard<std::mutex> lock(before->mutex_);
    made->before_ = before->made_ != nullptr ? before->made_ : before->before_;
    if (made->before_ == nullptr) return made;
    if (before->made_ == nullptr) made->changed_ = before->changed_;
    if (made->changed_.empty() || made->changed_.back() != changed) made->changed_.push_back(changed);
    if (made->changed_.size() > k_most_changes) {
        made->before_ = nullptr;
        made->changed_.clear();
    }
    return made;
}

std::shared_ptr<const PartitionDirectory> LazyPartitions::get(const Catalog& catalog, const Relation& table) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (made_ != nullptr) return made_;
    auto made = before_ == nullptr ? std::make_shared<PartitionDirectory>(table.partition_key)
                                   : std::make_shared<PartitionDirectory>(*before_);
    const auto add = [&](const Relation& partition) {
        made->add(made->bound_of(partition.bound, partition.oid, &catalog));
    };
    if (before_ == nullptr)
        for (const auto& partition : catalog.parts_of(table.oid)) add(*partition);
    for (const Oid changed : changed_) {
        made->remove(changed);
        const auto partition = catalog.relation(changed);
        if (partition != nullptr && partition->partition_of == table.oid) add(*partition);
    }
    made_ = std::move(made);
    before_ = nullptr;
    changed_.clear();
    return made_;
}

}  // namespace northstar::inline v0::sql
