// row_sorter.hpp -- rows in the order of some of their values, beyond a limit of memory with the help of files.
// Layer: sql, inside execute/.
//
// Rows that do not fit are sorted in runs, which go to files and are merged (Knuth, The Art of Computer Programming 3,
// 5.4.1). As many runs of a level as are merged at once become one run of the next level, so that files and their
// buffers stay few.
//
// [SORTER-1] Rows that are equal in all keys come in the order in which they were added.
#pragma once

#include "sql/execute/batch.hpp"
#include "sql/execute/sort_key.hpp"
#include "sql/execute/spill_file.hpp"

#include <cstddef>
#include <memory>
#include <vector>

namespace northstar::inline v0::sql {

/// Rows are added to rows(), then sorted, then read from first to last.
class RowSorter {
public:
    /// Forgets what there is. The values that rows of `width` are sorted by stand at `places`; of the keys their
    /// directions matter alone.
    void start(std::size_t width, std::vector<std::size_t> places, std::vector<SortKey> keys);
    /// Other keys, for rows that are in memory.
    void set_keys(std::vector<std::size_t> places, std::vector<SortKey> keys);
    /// Forgets the rows; keeps memory for the next ones, if they may be as few as most results have.
    void clear();

    /// Those in memory.
    RowStore& rows() { return rows_; }
    const RowStore& rows() const { return rows_; }
    bool has_runs() const { return !runs_.empty(); }
    /// Sorts the rows in memory. No more than the first so many are asked for (0: all): others of them are forgotten.
    void cut(std::size_t wanted);
    /// Makes the rows in memory a run.
    void put_aside(std::size_t wanted = 0);
    /// Begins to read. Without runs the rows lie in rows(), too.
    void sort(std::size_t wanted = 0);
    /// The next row, valid until pop(), or where there are no runs until clear(); nullptr: there is none.
    const Value* front() const {
        if (runs_.empty()) return at_ < rows_.size() ? rows_.row(at_) : nullptr;
        return heap_.empty() ? nullptr : runs_[heap_.front()]->row.data();
    }
    void pop();

    int compare(const Value* a, const Value* b) const {
        for (std::size_t i = 0; i < places_.size(); ++i)
            if (const int order = compare_by_key(a[places_[i]], b[places_[i]], keys_[i])) return order;
        return 0;
    }

private:
    static constexpr std::size_t k_fan = 64;  // runs that are merged at once

    /// A sorted file and its first row that is not read yet.
    struct Run {
        explicit Run(std::size_t width, unsigned height) : file(width), row(width), level(height) {}
        SpillFile file;
        std::vector<Value> row;
        Arena arena;
        unsigned level;
        bool step() {
            arena.reset();
            return file.read(row.data(), arena);
        }
    };

    void merge_full_level(std::size_t wanted);
    void start_merge(std::size_t first_run);
    /// Heap order: of equal rows the one of the earlier run comes first.
    bool comes_later(std::size_t a, std::size_t b) const {
        const int order = compare(runs_[a]->row.data(), runs_[b]->row.data());
        return order != 0 ? order > 0 : a > b;
    }
    void sink(std::size_t place);

    std::size_t width_ = 0;
    std::vector<std::size_t> places_;
    std::vector<SortKey> keys_;
    RowStore rows_;
    std::size_t at_ = 0;  // of the rows in memory
    std::vector<std::unique_ptr<Run>> runs_;
    std::vector<std::size_t> heap_;  // of runs, that of the next row in front
};

}  // namespace northstar::inline v0::sql
