// united_keys.hpp -- the keys of the rows that any of several access paths leads to, each once.  Layer: sql.
#pragma once

#include "sql/arena.hpp"
#include "sql/execute/index_range.hpp"

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

namespace northstar::inline v0::sql {

class UnitedKeys {
public:
    /// The scan must have united paths.
    UnitedKeys(const Plan& scan, Execution& execution);

    /// Reads the entries for the present parameters and cells, and watches what it reads. False: they are so many that
    /// reading all rows is quicker, or that memory does not hold them. O(k log k) for k entries.
    bool compute(const Tree& rows);
    /// Adds as many of the keys that come next, in the order of the rows, as make `keys` so long; false: there are no
    /// more behind them. The views live until the next compute().
    bool take(std::vector<std::string_view>& keys, std::size_t count);

private:
    bool read(IndexRange& range, const AccessPath& path, const Tree& rows, std::size_t most);
    bool add(std::string_view key, std::size_t most);

    const Plan& scan_;
    Execution& execution_;
    std::vector<std::unique_ptr<IndexRange>> ranges_;  // by path
    Arena arena_;
    std::size_t bytes_ = 0;
    std::vector<std::string_view> keys_;
    std::size_t next_ = 0;
};

}  // namespace northstar::inline v0::sql
