// closure_columns.hpp -- reading a closure: what components reach.  Layer: cartridge.  Threads: any.
//
// The same questions to the sections of an artifact and to a closure that was made in memory. Numbers are compared with
// the bounds of their column before they are followed.
#pragma once

#include "api/northstar.hpp"
#include "cartridge/closure_build.hpp"
#include "cartridge/graph_data.hpp"

#include <algorithm>
#include <bit>
#include <span>
#include <utility>
#include <vector>

namespace northstar::inline v0::detail {

/// A column in memory, read as a Section is.
class ClosureColumn {
public:
    explicit ClosureColumn(std::vector<std::uint32_t> numbers) : numbers_(std::move(numbers)) {}
    std::uint64_t size() const { return numbers_.size(); }
    std::uint32_t operator[](std::uint64_t index) const { return span(index, 1)[0]; }
    std::span<const std::uint32_t> span(std::uint64_t first, std::uint64_t count) const {
        if (count > numbers_.size() || first > numbers_.size() - count) [[unlikely]] CartridgeBlocks::outside();
        return {numbers_.data() + first, static_cast<std::size_t>(count)};
    }

private:
    std::vector<std::uint32_t> numbers_;
};

/// A closure, wherever its columns lie.
template <class Column>
struct ClosureColumns {
    Column components;
    Column member_offsets;
    Column members;
    Column row_places;
    Column rows;
    Column descendant_counts;
    Column ancestor_counts;

    /// Does a node reach another one?
    bool reaches(NodeId from, NodeId to) const { return component_reaches(components[from], components[to]); }
    /// Calls fn(node) for every other node that a node reaches, in no order.
    template <class F>
    void each_descendant(NodeId node, F&& fn) const {
        const std::uint32_t component = components[node];
        for (const NodeId member : members_of(component)) {
            if (member != node) fn(member);
        }
        each_interval(component, [&](std::uint32_t first, std::uint32_t last) {
            // Members of neighbouring components lie side by side.
            const std::uint64_t begin = member_offsets[first];
            const std::uint64_t end = member_offsets[last + std::uint64_t{1}];
            for (const NodeId member : members.span(begin, end - begin)) fn(member);
        });
    }
    std::uint32_t descendant_count(NodeId node) const { return descendant_counts[components[node]]; }
    std::uint32_t ancestor_count(NodeId node) const { return ancestor_counts[components[node]]; }

private:
    /// Of a row, so much is asked of memory at once, before it is known how long it is.
    static constexpr std::uint64_t k_fetched_numbers = 144;
    static constexpr std::uint64_t k_numbers_of_line = 16;

    bool component_reaches(std::uint32_t from, std::uint32_t to) const {
        if (from == to) return true;
        if (from < to) return false;  // smaller numbers only
        const std::uint64_t place = row_places[from];
        const std::uint32_t* const row = rows.span(place, 1).data();
        // Halving would wait for one line after the other.
        const std::uint64_t near = std::min(rows.size() - place, k_fetched_numbers);
        for (std::uint64_t i = k_numbers_of_line; i < near; i += k_numbers_of_line) __builtin_prefetch(row + i);
        const std::uint32_t head = row[0];
        const std::uint32_t count = head & ~k_row_of_bits;
        if ((head & k_row_of_bits) != 0) {
            const std::uint32_t word = to / 32 - rows[place + 1];  // wraps round where it lies before
            return word < count && (rows[place + 2 + word] >> (to % 32) & 1) != 0;
        }
        const std::span<const std::uint32_t> bounds = rows.span(place + 1, std::uint64_t{count} * 2);
        std::size_t low = 0;  // intervals before it begin at or before `to`
        for (std::size_t left = count; left != 0;) {
            const std::size_t half = left / 2;
            if (bounds[2 * (low + half)] <= to) {
                low += half + 1;
                left -= half + 1;
            } else {
                left = half;
            }
        }
        return low != 0 && bounds[2 * low - 1] >= to;
    }
    std::span<const NodeId> members_of(std::uint32_t component) const {
        const std::span<const std::uint32_t> bounds = member_offsets.span(component, 2);
        return members.span(bounds[0], std::uint64_t{bounds[1]} - bounds[0]);
    }
    /// Calls fn(first, last) for the intervals of a row, ascending. Error(corrupt) where they are none.
    template <class F>
    void each_interval(std::uint32_t component, F&& fn) const {
        const std::uint64_t place = row_places[component];
        const std::uint32_t head = rows[place];
        const std::uint32_t count = head & ~k_row_of_bits;
        if ((head & k_row_of_bits) == 0) {
            const std::span<const std::uint32_t> bounds = rows.span(place + 1, std::uint64_t{count} * 2);
            for (std::size_t i = 0; i < bounds.size(); i += 2) {
                if (bounds[i] > bounds[i + 1]) CartridgeBlocks::outside();
                fn(bounds[i], bounds[i + 1]);
            }
            return;
        }
        const std::uint64_t first = rows[place + 1];
        const std::span<const std::uint32_t> words = rows.span(place + 2, count);
        for (std::size_t i = 0; i < words.size(); ++i) {
            const std::uint64_t base = (first + i) * 32;
            if (base > ~std::uint32_t{0} - 31) CartridgeBlocks::outside();
            for (std::uint32_t word = words[i]; word != 0;) {
                const auto skip = static_cast<std::uint32_t>(std::countr_zero(word));
                const auto run = static_cast<std::uint32_t>(std::countr_one(word >> skip));
                const auto begin = static_cast<std::uint32_t>(base + skip);
                fn(begin, begin + run - 1);
                word = skip + run == 32 ? 0 : word >> (skip + run) << (skip + run);
            }
        }
    }
};

/// That of an artifact.
struct ClosureSections : ClosureColumns<Section<std::uint32_t>> {
    explicit ClosureSections(const Cartridge& cartridge)
        : ClosureColumns{cartridge.section<std::uint32_t>(k_components),
                         cartridge.section<std::uint32_t>(k_member_offsets),
                         cartridge.section<std::uint32_t>(k_members),
                         cartridge.section<std::uint32_t>(k_row_places),
                         cartridge.section<std::uint32_t>(k_rows),
                         cartridge.section<std::uint32_t>(k_descendant_counts),
                         cartridge.section<std::uint32_t>(k_ancestor_counts)} {}
};

/// One that was made in memory.
struct MadeClosure : ClosureColumns<ClosureColumn> {
    explicit MadeClosure(BuiltClosure closure)
        : ClosureColumns{ClosureColumn(std::move(closure.components)),
                         ClosureColumn(std::move(closure.member_offsets)),
                         ClosureColumn(std::move(closure.members)),
                         ClosureColumn(std::move(closure.row_places)),
                         ClosureColumn(std::move(closure.rows)),
                         ClosureColumn(std::move(closure.descendant_counts)),
                         ClosureColumn(std::move(closure.ancestor_counts))} {}
};

}  // namespace northstar::inline v0::detail
