#include "sql/execute/united_keys.hpp"

#include "sql/plan/read_point.hpp"

#include <algorithm>
#include <limits>

namespace northstar::inline v0::sql {

namespace united_keys {

constexpr std::size_t k_most_bytes = std::size_t{32} << 20;
constexpr std::size_t k_check = 1024;  // keys between two looks at whether the statement was cancelled

}  // namespace united_keys

UnitedKeys::UnitedKeys(const Plan& scan, Execution& execution) : scan_(scan), execution_(execution) {
    for (const AccessPath& path : scan.united)
        ranges_.push_back(std::make_unique<IndexRange>(scan, path, execution));
}

bool UnitedKeys::compute(const Tree& rows) {
    arena_.reset();
    bytes_ = 0;
    keys_.clear();
    next_ = 0;
    // How many rows a state of the past has is not known without reading them; and asking the tree itself would make
    // the number of rows something that the transaction has read.
    constexpr double k_few = 64;
    const Relation& relation = *scan_.relation;
    const std::size_t most =
        scan_.point->past
            ? std::numeric_limits<std::size_t>::max()
            : static_cast<std::size_t>(scan_.point->row_count(relation.tree(), relation.temporary) / 4 + k_few);
    for (std::size_t i = 0; i < ranges_.size(); ++i)
        if (ranges_[i]->compute() && !read(*ranges_[i], scan_.united[i], rows, most)) return false;
    std::sort(keys_.begin(), keys_.end());
    keys_.erase(std::unique(keys_.begin(), keys_.end()), keys_.end());
    return true;
}

bool UnitedKeys::read(IndexRange& range, const AccessPath& path, const Tree& rows, std::size_t most) {
    const Relation& relation = *scan_.relation;
    const Index& index = relation.indexes[static_cast<std::size_t>(path.index)];
    const bool in_rows = index.holds_rows();
    const Tree entries = in_rows ? rows : scan_.point->tree(relation.index_tree(index), relation.temporary);
    Cursor cursor = entries.cursor();
    const std::string& from = range.from();
    const std::string& to = range.to();
    const auto watch = [&] {
        if (to.empty()) cursor.watch(from, std::nullopt);
        else cursor.watch(from, to);
    };
    watch();
    if (!range.begin(cursor)) return true;
    do {
        if (!range.skips()) watch();
        for (bool there = from.empty() ? cursor.first() : cursor.lower_bound(from);
             there && (to.empty() || cursor.key() < to); there = cursor.next()) {
            // What ERASE removed from the past is an entry with nothing in it there [CHAIN-3].
            if (scan_.point->past && cursor.value().empty()) continue;
            if (!add(in_rows ? cursor.key() : cursor.value(), most)) return false;
        }
    } while (range.advance(cursor));
    return true;
}

bool UnitedKeys::add(std::string_view key, std::size_t most) {
    if (keys_.size() >= most || bytes_ + key.size() > united_keys::k_most_bytes) return false;
    if (keys_.size() % united_keys::k_check == 0) execution_.check_cancelled();
    keys_.push_back(arena_.copy(key));
    bytes_ += key.size() + sizeof(std::string_view);
    return true;
}

bool UnitedKeys::take(std::vector<std::string_view>& keys, std::size_t count) {
    const std::size_t taken = std::min(count - keys.size(), keys_.size() - next_);
    const auto from = keys_.begin() + static_cast<std::ptrdiff_t>(next_);
    keys.insert(keys.end(), from, from + static_cast<std::ptrdiff_t>(taken));
    next_ += taken;
    return next_ < keys_.size();
}

}  // namespace northstar::inline v0::sql
