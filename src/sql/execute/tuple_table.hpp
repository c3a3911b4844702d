// tuple_table.hpp -- a hash table of tuples of values: groups, DISTINCT, set operations, hash joins.  Layer: sql.
//
// Open addressing with linear probing over stored hashes; tuples are numbered in the order of their arrival. NULLs are
// equal to each other here; who wants otherwise leaves such tuples out.
#pragma once

#include "sql/arena.hpp"
#include "sql/compare.hpp"
#include "sql/value.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace northstar::inline v0::sql {

class TupleTable {
public:
    static constexpr std::size_t k_none = ~std::size_t{0};

    explicit TupleTable(std::size_t width = 0) : width_(width) {}
    void reset(std::size_t width) {
        width_ = width;
        tuples_.clear();
        hashes_.clear();
        slots_.clear();
        arena_ = Arena();
    }
    std::size_t size() const { return tuples_.size(); }
    const Value* tuple(std::size_t index) const { return tuples_[index]; }
    Arena& arena() { return arena_; }

    static std::uint64_t hash(const Value* values, std::size_t width) {
        std::uint64_t result = 0x9e3779b97f4a7c15u;
        for (std::size_t i = 0; i < width; ++i) {
            result ^= values[i].is_null() ? 0x2545f4914f6cdd1du : hash_value(values[i]);
            result = (result ^ (result >> 29)) * 0xbf58476d1ce4e5b9u;
        }
        return result ^ (result >> 32);
    }
    static bool equal(const Value* a, const Value* b, std::size_t width) {
        for (std::size_t i = 0; i < width; ++i) {
            if (a[i].is_null() != b[i].is_null()) return false;
            if (!a[i].is_null() && !equal_values(a[i], b[i])) return false;
        }
        return true;
    }

    /// Number of an equal tuple, or k_none. O(1) expected.
    std::size_t find(const Value* values) const {
        if (slots_.empty()) return k_none;
        const std::uint64_t code = hash(values, width_);
        for (std::size_t at = code & (slots_.size() - 1);; at = (at + 1) & (slots_.size() - 1)) {
            const std::uint32_t slot = slots_[at];
            if (slot == 0) return k_none;
            if (hashes_[slot - 1] == code && equal(tuples_[slot - 1], values, width_)) return slot - 1;
        }
    }
    /// The same; copies and numbers a tuple that is new.
    std::size_t insert(const Value* values, bool& added) {
        if ((tuples_.size() + 1) * 2 > slots_.size()) grow();
        const std::uint64_t code = hash(values, width_);
        std::size_t at = code & (slots_.size() - 1);
        for (;; at = (at + 1) & (slots_.size() - 1)) {
            const std::uint32_t slot = slots_[at];
            if (slot == 0) break;
            if (hashes_[slot - 1] == code && equal(tuples_[slot - 1], values, width_)) {
                added = false;
                return slot - 1;
            }
        }
        Value* copy = arena_.allocate_array<Value>(width_ == 0 ? 1 : width_);
        for (std::size_t i = 0; i < width_; ++i) copy[i] = copy_value(values[i], arena_);
        tuples_.push_back(copy);
        hashes_.push_back(code);
        slots_[at] = static_cast<std::uint32_t>(tuples_.size());
        added = true;
        return tuples_.size() - 1;
    }

private:
    void grow() {
        std::size_t size = slots_.empty() ? 16 : slots_.size() * 2;
        slots_.assign(size, 0);
        for (std::size_t i = 0; i < tuples_.size(); ++i) {
            std::size_t at = hashes_[i] & (size - 1);
            while (slots_[at] != 0) at = (at + 1) & (size - 1);
            slots_[at] = static_cast<std::uint32_t>(i + 1);
        }
    }

    std::size_t width_;
    std::vector<Value*> tuples_;
    std::vector<std::uint64_t> hashes_;
    std::vector<std::uint32_t> slots_;  // number + 1; 0: free
    Arena arena_;
};

}  // namespace northstar::inline v0::sql
