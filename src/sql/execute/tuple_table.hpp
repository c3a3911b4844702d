// tuple_table.hpp -- a hash table of tuples of values: groups, DISTINCT, set operations, hash joins.  Layer: sql.
//
// Open addressing with linear probing over slots of 8 bytes; tuples are numbered in the order of their arrival and lie
// one behind the other. NULLs are equal to each other here; who wants otherwise leaves such tuples out.
//
// Rows of a batch are looked up together: all hashes first, then all slots, then all tuples, so that the memory that
// one row waits for is fetched while others are looked at (Chen, Ailamaki, Gibbons, Mowry, "Improving Hash Join
// Performance through Prefetching", ICDE 2004, section 4: group prefetching).
#pragma once

#include "base/bytes.hpp"
#include "sql/execute/keep_value.hpp"
#include "sql/compare.hpp"
#include "sql/int128.hpp"
#include "sql/value.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace northstar::inline v0::sql {

class TupleTable {
public:
    static constexpr std::size_t k_none = ~std::size_t{0};
    static constexpr std::uint32_t k_no_tuple = ~std::uint32_t{0};  ///< k_none, of rows of a batch

    explicit TupleTable(std::size_t width = 0) : TupleTable(width, width) {}
    /// Of which only so many first values are compared: the others depend on them.
    TupleTable(std::size_t width, std::size_t compared) : width_(width), compared_(compared) {}
    void reset(std::size_t width) {
        width_ = width;
        compared_ = width;
        values_.clear();
        hashes_.clear();
        slots_.clear();
        arena_ = Arena();
    }
    std::size_t size() const { return hashes_.size(); }
    /// Until the next insertion.
    const Value* tuple(std::size_t index) const { return values_.data() + index * width_; }
    Arena& arena() { return arena_; }

    static std::uint64_t hash(const Value* values, std::size_t width) {
        std::uint64_t result = k_seed;
        for (std::size_t i = 0; i < width; ++i) result = add_to_hash(result, values[i]);
        return result ^ (result >> 32);
    }
    static bool equal(const Value* a, const Value* b, std::size_t width) {
        for (std::size_t i = 0; i < width; ++i)
            if (!same(a[i], b[i])) return false;
        return true;
    }

    /// Number of an equal tuple, or k_none. O(1) expected.
    std::size_t find(const Value* values) const {
        if (slots_.empty()) return k_none;
        const std::uint64_t code = hash(values, compared_);
        for (std::size_t at = code & (slots_.size() - 1);; at = (at + 1) & (slots_.size() - 1)) {
            const std::uint64_t slot = slots_[at];
            if (slot == 0) return k_none;
            if (same_hash(slot, code) && equal(tuple(number(slot)), values, compared_)) return number(slot);
        }
    }
    /// The same; copies and numbers a tuple that is new.
    std::size_t insert(const Value* values, bool& added) {
        reserve(size() + 1);
        return insert_hashed(values, hash(values, compared_), added);
    }

    /// find() for rows of a batch: column i of row k is columns[i][k]. out[k] is the number, or k_no_tuple.
    void find_rows(const Value* const* columns, std::size_t count, std::uint32_t* out) {
        if (slots_.empty()) {
            for (std::size_t k = 0; k < count; ++k) out[k] = k_no_tuple;
            return;
        }
        guess_rows(columns, count, out);
        for (std::size_t k = 0; k < count; ++k) {
            if (slots_[codes_[k] & (slots_.size() - 1)] == 0) continue;
            if (out[k] != k_no_tuple && equals_row(out[k], columns, k)) continue;
            gather(columns, k);
            const std::size_t found = find(row_.data());
            out[k] = found == k_none ? k_no_tuple : static_cast<std::uint32_t>(found);
        }
    }
    /// insert() for rows of a batch. New tuples have the numbers from size() on, in the order of their rows.
    void insert_rows(const Value* const* columns, std::size_t count, std::uint32_t* out) {
        reserve(size() + count);
        guess_rows(columns, count, out);
        for (std::size_t k = 0; k < count; ++k) {
            if (out[k] != k_no_tuple && equals_row(out[k], columns, k)) continue;
            gather(columns, k);
            bool added = false;
            out[k] = static_cast<std::uint32_t>(insert_hashed(row_.data(), codes_[k], added));
        }
    }

    /// Bytes held, for limits of memory.
    std::size_t bytes() const {
        return arena_.size() + values_.capacity() * sizeof(Value) +
               (hashes_.capacity() + slots_.capacity()) * sizeof(std::uint64_t);
    }

private:
    static constexpr std::uint64_t k_seed = 0x9e3779b97f4a7c15u;

    static std::uint64_t add_to_hash(std::uint64_t result, const Value& value) {
        // Integers are mixed below as well as anything is.
        if (value.is_null()) result ^= 0x2545f4914f6cdd1du;
        else if (value.form() == Form::integer) result ^= static_cast<std::uint64_t>(value.integer());
        else if (is_plain_text(value)) result ^= hash_bytes(value.bytes());
        else result ^= hash_value(value);
        result = (result ^ (result >> 32)) * 0xd6e8feb86659fd93u;
        return (result ^ (result >> 29)) * 0xbf58476d1ce4e5b9u;
    }
    static bool same(const Value& a, const Value& b) {
        if (a.is_null() || b.is_null()) return a.is_null() == b.is_null();
        if (a.form() == Form::integer) return a.integer() == b.integer();
        if (is_plain_text(a)) return a.bytes() == b.bytes();
        return equal_values(a, b);
    }
    /// Equal where the bytes are.
    static bool is_plain_text(const Value& value) {
        return value.form() == Form::bytes && (value.type() == type::text || value.type() == type::varchar);
    }
    /// Up to 16 bytes are two words, which are multiplied with each other; longer ones are hashed as elsewhere.
    static std::uint64_t hash_bytes(std::string_view bytes) {
        const char* const from = bytes.data();
        const std::size_t size = bytes.size();
        std::uint64_t a = 0, b = 0;
        if (size > 16) return hash_value(Value::text(bytes));
        if (size >= 8) {
            a = detail::load_u64(from);
            b = detail::load_u64(from + size - 8);
        } else if (size >= 4) {
            a = detail::load_u32(from);
            b = detail::load_u32(from + size - 4);
        } else if (size > 0) {
            a = byte_at(from) << 8 | byte_at(from + size / 2);
            b = byte_at(from + size - 1);
        }
        const UInt128 product = static_cast<UInt128>(a ^ 0xa0761d6478bd642fu) * (b ^ 0xe7037ed1a0b428dbu ^ size);
        return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
    }

    static std::uint64_t byte_at(const char* from) { return static_cast<unsigned char>(*from); }

    // A slot: number of the tuple plus one in the lower half, the upper half of its hash above; 0: free.
    static std::uint64_t slot_of(std::size_t number, std::uint64_t code) {
        return (code & 0xffffffff00000000u) | static_cast<std::uint32_t>(number + 1);
    }
    static std::size_t number(std::uint64_t slot) { return static_cast<std::uint32_t>(slot) - 1; }
    static bool same_hash(std::uint64_t slot, std::uint64_t code) { return ((slot ^ code) >> 32) == 0; }

    std::size_t insert_hashed(const Value* values, std::uint64_t code, bool& added) {
        std::size_t at = code & (slots_.size() - 1);
        for (;; at = (at + 1) & (slots_.size() - 1)) {
            const std::uint64_t slot = slots_[at];
            if (slot == 0) break;
            if (same_hash(slot, code) && equal(tuple(number(slot)), values, compared_)) {
                added = false;
                return number(slot);
            }
        }
        for (std::size_t i = 0; i < width_; ++i) values_.push_back(keep_value(values[i], arena_));
        hashes_.push_back(code);
        slots_[at] = slot_of(hashes_.size() - 1, code);
        added = true;
        return hashes_.size() - 1;
    }

    /// The tuple at the first slot of each row's hash, where the hash is the same; k_no_tuple: another way is needed.
    void guess_rows(const Value* const* columns, std::size_t count, std::uint32_t* out) {
        constexpr std::size_t k_in_cache = 2048;  // slots that need no fetching
        constexpr std::size_t k_ahead = 32;
        row_.resize(width_);
        codes_.assign(count, k_seed);
        for (std::size_t i = 0; i < compared_; ++i)
            for (std::size_t k = 0; k < count; ++k) codes_[k] = add_to_hash(codes_[k], columns[i][k]);
        for (std::size_t k = 0; k < count; ++k) codes_[k] ^= codes_[k] >> 32;
        const std::size_t mask = slots_.size() - 1;
        const bool far = slots_.size() > k_in_cache;
        for (std::size_t k = 0; k < count; ++k) {
            if (far && k + k_ahead < count) __builtin_prefetch(&slots_[codes_[k + k_ahead] & mask]);
            const std::uint64_t slot = slots_[codes_[k] & mask];
            const bool candidate = slot != 0 && same_hash(slot, codes_[k]);
            out[k] = candidate ? static_cast<std::uint32_t>(number(slot)) : k_no_tuple;
            if (candidate && far) __builtin_prefetch(tuple(number(slot)));
        }
    }
    bool equals_row(std::size_t number, const Value* const* columns, std::size_t row) const {
        const Value* const values = tuple(number);
        for (std::size_t i = 0; i < compared_; ++i)
            if (!same(values[i], columns[i][row])) return false;
        return true;
    }
    void gather(const Value* const* columns, std::size_t row) {
        for (std::size_t i = 0; i < width_; ++i) row_[i] = columns[i][row];
    }

    /// Room for as many tuples at most half full.
    void reserve(std::size_t tuples) {
        if (tuples * 2 <= slots_.size()) return;
        std::size_t size = slots_.empty() ? 16 : slots_.size() * 2;
        while (size < tuples * 2) size *= 2;
        slots_.assign(size, 0);
        for (std::size_t i = 0; i < hashes_.size(); ++i) {
            std::size_t at = hashes_[i] & (size - 1);
            while (slots_[at] != 0) at = (at + 1) & (size - 1);
            slots_[at] = slot_of(i, hashes_[i]);
        }
    }

    std::size_t width_;
    std::size_t compared_;
    std::vector<Value> values_;
    std::vector<std::uint64_t> hashes_;
    std::vector<std::uint64_t> slots_;
    Arena arena_;
    // Of the present batch.
    std::vector<std::uint64_t> codes_;
    std::vector<Value> row_;
};

}  // namespace northstar::inline v0::sql
