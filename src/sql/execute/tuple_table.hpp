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
            // Integers are mixed below as well as anything is.
            if (values[i].is_null()) result ^= 0x2545f4914f6cdd1du;
            else if (values[i].form() == Form::integer) result ^= static_cast<std::uint64_t>(values[i].integer());
            else result ^= hash_value(values[i]);
            result = (result ^ (result >> 32)) * 0xd6e8feb86659fd93u;
            result = (result ^ (result >> 29)) * 0xbf58476d1ce4e5b9u;
        }
        return result ^ (result >> 32);
    }
    static bool equal(const Value* a, const Value* b, std::size_t width) {
        for (std::size_t i = 0; i < width; ++i) {
            if (a[i].is_null() != b[i].is_null()) return false;
            if (a[i].is_null()) continue;
            if (a[i].form() == Form::integer) {
                if (a[i].integer() != b[i].integer()) return false;
            } else if (!equal_values(a[i], b[i])) {
                return false;
            }
        }
        return true;
    }

    /// Number of an equal tuple, or k_none. O(1) expected.
    std::size_t find(const Value* values) const {
        if (slots_.empty()) return k_none;
        const std::uint64_t code = hash(values, width_);
        for (std::size_t at = code & (slots_.size() - 1);; at = (at + 1) & (slots_.size() - 1)) {
            const std::uint64_t slot = slots_[at];
            if (slot == 0) return k_none;
            if (same_hash(slot, code) && equal(tuples_[number(slot)], values, width_)) return number(slot);
        }
    }
    /// The same; copies and numbers a tuple that is new.
    std::size_t insert(const Value* values, bool& added) {
        if ((tuples_.size() + 1) * 2 > slots_.size()) grow();
        const std::uint64_t code = hash(values, width_);
        std::size_t at = code & (slots_.size() - 1);
        for (;; at = (at + 1) & (slots_.size() - 1)) {
            const std::uint64_t slot = slots_[at];
            if (slot == 0) break;
            if (same_hash(slot, code) && equal(tuples_[number(slot)], values, width_)) {
                added = false;
                return number(slot);
            }
        }
        Value* copy = arena_.allocate_array<Value>(width_ == 0 ? 1 : width_);
        for (std::size_t i = 0; i < width_; ++i) copy[i] = copy_value(values[i], arena_);
        tuples_.push_back(copy);
        hashes_.push_back(code);
        slots_[at] = slot_of(tuples_.size() - 1, code);
        added = true;
        return tuples_.size() - 1;
    }
    /// Bytes held, for limits of memory.
    std::size_t bytes() const {
        return arena_.size() + tuples_.capacity() * 16 + slots_.capacity() * sizeof(std::uint64_t);
    }

private:
    // A slot: number of the tuple plus one in the lower half, the upper half of its hash above; 0: free.
    static std::uint64_t slot_of(std::size_t number, std::uint64_t code) {
        return (code & 0xffffffff00000000u) | static_cast<std::uint32_t>(number + 1);
    }
    static std::size_t number(std::uint64_t slot) { return static_cast<std::uint32_t>(slot) - 1; }
    static bool same_hash(std::uint64_t slot, std::uint64_t code) { return ((slot ^ code) >> 32) == 0; }

    void grow() {
        std::size_t size = slots_.empty() ? 16 : slots_.size() * 2;
        slots_.assign(size, 0);
        for (std::size_t i = 0; i < tuples_.size(); ++i) {
            std::size_t at = hashes_[i] & (size - 1);
            while (slots_[at] != 0) at = (at + 1) & (size - 1);
            slots_[at] = slot_of(i, hashes_[i]);
        }
    }

    std::size_t width_;
    std::vector<Value*> tuples_;
    std::vector<std::uint64_t> hashes_;
    std::vector<std::uint64_t> slots_;
    Arena arena_;
};

}  // namespace northstar::inline v0::sql
