// read_point.hpp -- the state of the database that a scan reads.  Layer: sql.
#pragma once

#include "sql/catalog/catalog.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace northstar::inline v0::sql {

/// A state of the database: where its trees are, and the catalog that describes it.
struct ReadPoint {
    std::shared_ptr<const Catalog> catalog;
    bool past = false;
    std::uint64_t txn = 0;
    virtual ~ReadPoint() = default;
    virtual Tree tree(const std::string& name, bool temporary) = 0;
    /// About how many rows the tree has, for the planner.
    virtual double row_count(const std::string& name, bool temporary) = 0;
    /// About how many entries of the tree lie in from <= key < to (empty: no end); negative: that is not known.
    virtual double entry_count(const std::string& name, bool temporary, const std::string& from,
                               const std::string& to) = 0;
    /// Shows the planner a tree as it is about now, which does not count as reading it; not where that is not known.
    virtual void show(const std::string& name, bool temporary, const std::function<void(const Tree&)>& look) = 0;
};

}  // namespace northstar::inline v0::sql
