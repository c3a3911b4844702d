// index_build.cpp -- the entries of a new index, written in their order.  Layer: sql.
//
// Rows are read in runs whose entries fit into memory; each run is sorted and written from its smallest key to its
// largest, which appends to the leaves of an empty index instead of finding and splitting one for each entry.
#include "sql/execute/index_run.hpp"
#include "sql/execute/table_writer.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace index_build {

/// Memory that the entries of a run take.
constexpr std::size_t k_run_bytes = std::size_t{64} << 20;

}  // namespace index_build

void TableWriter::build_index(std::size_t number) {
    const auto access = std::find_if(indexes_.begin(), indexes_.end(), [&](const IndexAccess& candidate) {
        return candidate.index == &relation_->indexes[number];
    });
    // The primary key is the order of the rows themselves.
    if (access == indexes_.end()) return;
    std::vector<Value> row(relation_->columns.size());
    IndexRun run;
    std::optional<std::string> rest = std::string();
    while (rest) {
        // Entries are gathered first: a cursor does not outlive writes.
        const std::string from = std::move(*rest);
        rest.reset();
        run.clear();
        std::string key;
        for (const KeyValue stored : rows_.from(from)) {
            if (run.bytes() >= index_build::k_run_bytes) {
                rest = std::string(stored.key);
                break;
            }
            arena_.reset();
            relation_->layout->decode(stored.value, row, arena_);
            key.clear();
            Uniqueness unique{};
            if (entry(*access, row.data(), key, unique))
                run.add(key, stored.key, static_cast<std::uint8_t>(unique));
        }
        execution_.check_cancelled();
        run.sort();
        for (const IndexRun::Entry& made : run.entries())
            add_to_new_index(*access, made.key(), made.row(), static_cast<Uniqueness>(made.tag), row);
    }
}

void TableWriter::add_to_new_index(IndexAccess& access, std::string_view key, std::string_view row_key,
                                   Uniqueness unique, std::vector<Value>& row) {
    if (access.index->without_overlaps || access.exclusion) {
        arena_.reset();
        key_ = row_key;
        read(key_, row.data(), arena_);
        if (access.index->without_overlaps) refuse_overlap(*access.index, access.tree, row.data());
        if (access.exclusion)
            if (const auto other = access.exclusion->conflict(access.tree, rows_, row.data(), key_, arena_))
                access.exclusion->refuse_making(rows_, row.data(), *other, arena_);
    }
    if (unique == Uniqueness::at_once) {
        if (!access.tree.put_if_absent(key, row_key)) refuse_to_make(*access.index, row_key, row);
        return;
    }
    if (unique == Uniqueness::when_checked && begins_an_entry(access.tree, key))
        refuse_to_make(*access.index, row_key, row);
    // The key of the row lies behind the columns in memory, as it does in an entry.
    access.tree.put({key.data(), key.size() + row_key.size()}, row_key);
}

void TableWriter::refuse_to_make(const Index& index, std::string_view row_key, std::vector<Value>& row) {
    SqlError error(sqlstate::unique_violation, "could not create unique index \"" + index.name + "\"");
    read(std::string(row_key), row.data(), arena_);
    std::vector<int> columns;
    for (const IndexColumn& column : index.columns)
        if (column.column >= 0) columns.push_back(column.column);
    if (columns.size() == index.columns.size())
        error.edit().detail =
            "Key " + describe_key(*relation_, columns, row.data(), execution_.session()) + " is duplicated.";
    error.edit().table = relation_->name;
    error.edit().constraint = index.name;
    throw error;
}

}  // namespace northstar::inline v0::sql
