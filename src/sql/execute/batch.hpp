// batch.hpp -- rows on their way from operator to operator, about a thousand at a time.  Layer: sql.
//
// A batch is a set of columns, each an array of values. [BATCH-1] What a batch holds is valid until the operator that
// made it is asked for its next one; whoever keeps rows longer copies them (RowStore).
// [BATCH-2] A column holds at least `count` values; what lies behind them is left from before.
#pragma once

#include "sql/execute/keep_value.hpp"
#include "sql/plan/expr.hpp"
#include "sql/value.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace northstar::inline v0::sql {

inline constexpr std::size_t k_batch_rows = 1024;

struct Batch {
    std::size_t count = 0;
    std::vector<std::vector<Value>> columns;
    Arena arena;  ///< payloads of values that the operator computed

    void reset(std::size_t width) {
        count = 0;
        columns.resize(width);
        for (auto& column : columns) column.clear();
        arena.reset();
    }
    /// For rows that will be written by their place: values are not made anew where there are enough, and the arena
    /// stays as it is.
    void make_room(std::size_t width, std::size_t rows) {
        count = rows;
        columns.resize(width);
        for (auto& column : columns)
            if (column.size() < rows) column.resize(rows);
    }
    /// Keeps the rows whose places are listed, in that order (ascending).
    void keep(std::span<const std::uint32_t> rows) {
        for (auto& column : columns)
            for (std::size_t i = 0; i < rows.size(); ++i) column[i] = column[rows[i]];
        count = rows.size();
    }
};

/// Rows that stay: copied into an arena of their own.
class RowStore {
public:
    explicit RowStore(std::size_t width = 0) : width_(width) {}
    void reset(std::size_t width) {
        width_ = width;
        rows_.clear();
        arena_ = Arena();
    }
    /// As reset(), but keeps memory for the next rows, if they may be as few as most results have.
    void clear(std::size_t width) {
        constexpr std::size_t k_kept_rows = 1 << 14;
        if (rows_.size() > k_kept_rows) rows_ = std::vector<Value*>();
        width_ = width;
        rows_.clear();
        arena_.reset();
    }
    std::size_t size() const { return rows_.size(); }
    std::size_t width() const { return width_; }
    const Value* row(std::size_t index) const { return rows_[index]; }
    Value* row(std::size_t index) { return rows_[index]; }
    Value* add() {
        Value* values = arena_.allocate_array<Value>(width_ == 0 ? 1 : width_);
        for (std::size_t i = 0; i < width_; ++i) values[i] = Value();
        rows_.push_back(values);
        return values;
    }
    void add(const Batch& batch, std::size_t row) {
        Value* values = add();
        for (std::size_t i = 0; i < width_; ++i) values[i] = keep_value(batch.columns[i][row], arena_);
    }
    /// The first columns of a batch, as many as a row here has.
    void add(const Batch& batch) {
        add_rows(batch, [](std::size_t i) { return i; });
    }
    /// Columns of a batch by their places.
    void add(const Batch& batch, const std::vector<std::size_t>& places) {
        add_rows(batch, [&](std::size_t i) { return places[i]; });
    }
    void truncate(std::size_t count) { rows_.resize(count); }
    std::vector<Value*>& rows() { return rows_; }
    Arena& arena() { return arena_; }
    std::size_t bytes() const { return arena_.size() + rows_.size() * sizeof(Value*); }

private:
    template <class Place>
    void add_rows(const Batch& batch, Place&& place) {
        if (batch.count == 0) return;
        const std::size_t first = rows_.size();
        Value* const values = arena_.allocate_array<Value>((width_ == 0 ? 1 : width_) * batch.count);
        for (std::size_t row = 0; row < batch.count; ++row) rows_.push_back(values + row * width_);
        for (std::size_t i = 0; i < width_; ++i) {
            const Value* const column = batch.columns[place(i)].data();
            for (std::size_t row = 0; row < batch.count; ++row)
                rows_[first + row][i] = keep_value(column[row], arena_);
        }
    }

    std::size_t width_;
    std::vector<Value*> rows_;
    Arena arena_;
};

}  // namespace northstar::inline v0::sql
