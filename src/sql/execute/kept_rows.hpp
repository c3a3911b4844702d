// kept_rows.hpp -- rows that stay and are read in any order, the first ones in memory and the others in a file.
// Layer: sql, inside execute/.
//
// What exceeds the limit lies in pages of a file without a name, the newest read of which stay in memory.
//
// [KEPT-1] What is read equals what was added; rows have the numbers of their arrival.
// [KEPT-2] What row() gave stays where it is until row() was called k_cached_pages times again, or rows were added; a
//          row in memory (is_near) until reset().
// [KEPT-3] Memory: the limit, a few pages, and 16 bytes for each page of the file.
#pragma once

#include "sql/execute/batch.hpp"
#include "sql/execute/spill_file.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

namespace northstar::inline v0::sql {

class KeptRows {
public:
    static constexpr std::size_t k_cached_pages = 8;

    explicit KeptRows(std::size_t width = 0) : near_(width) {}
    /// These, without a limit.
    explicit KeptRows(RowStore&& rows) : near_(std::move(rows)) {}
    /// Forgets what there is.
    void reset(std::size_t width, std::size_t limit);

    std::size_t size() const { return near_.size() + far_; }
    std::size_t width() const { return near_.width(); }
    bool is_near(std::size_t number) const { return number < near_.size(); }
    const Value* row(std::size_t number) { return is_near(number) ? near_.row(number) : far_row(number); }

    void add(const Value* row);
    void add(const Batch& batch, std::size_t row);
    /// All rows of the batch: columns by their places.
    void add(const Batch& batch, const std::vector<std::size_t>& places);
    /// Takes the rows out of a store that they were gathered in.
    void take(RowStore& rows);
    /// Gives back the rows that are in memory: all of them where there is no limit.
    RowStore release() { return std::move(near_); }

private:
    struct Page {
        std::size_t first;    ///< number of its first row
        std::uint64_t begin;  ///< in the file
    };
    struct Cached {
        std::size_t page = ~std::size_t{0};
        std::size_t first = 0, end = 0;  ///< numbers of its rows
        std::uint64_t used = 0;          ///< when, last
        std::vector<Value> values;
        Arena arena;
    };
    bool is_full() const { return file_ != nullptr || near_.bytes() > limit_; }
    void add_far(const Value* row);
    const Value* far_row(std::size_t number);
    void load(std::size_t page);
    void forget_newest_page();

    std::size_t limit_ = std::numeric_limits<std::size_t>::max();
    RowStore near_;
    std::size_t far_ = 0;  ///< rows in the file
    std::unique_ptr<SpillFile> file_;
    std::vector<Page> pages_;
    std::vector<Cached> cached_;
    std::size_t newest_ = 0;  ///< of the cached pages the one that was read last
    std::uint64_t uses_ = 0;
    std::vector<Value> row_;
};

/// Hands out kept rows, a batch at a time. Rows that are added later are handed out as well.
class KeptReader {
public:
    void start(KeptRows& rows) {
        rows_ = &rows;
        at_ = 0;
    }
    Batch* next(Batch& batch);

private:
    KeptRows* rows_ = nullptr;
    std::size_t at_ = 0;
};

}  // namespace northstar::inline v0::sql
