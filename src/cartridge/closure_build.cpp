#include "cartridge/closure_build.hpp"

#include "base/error.hpp"
#include "base/xxh64.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <string>
#include <unordered_map>
#include <utility>

namespace northstar::inline v0::detail {

namespace closure_build_impl {

constexpr std::uint32_t k_none = ~0u;
constexpr std::uint64_t k_default_limit = std::uint64_t{1} << 30;
constexpr std::uint64_t k_largest_limit = std::uint64_t{3} << 30;
constexpr std::uint32_t k_components_per_look = 1024;
/// Rows of so many intervals together are merged as they are, where they may be as many times longer than these.
constexpr std::size_t k_few_intervals = 256;
constexpr std::size_t k_components_per_interval = 1024;

/// Components by the method of Tarjan, without recursion.
class Components {
public:
    Components(const BuiltGraph& graph, std::vector<std::uint32_t>& component)
        : graph_(graph), component_(component), low_(graph.nodes(), 0), number_(graph.nodes(), 0) {
        component_.assign(graph.nodes(), k_none);
    }

    /// Returns how many there are.
    std::uint32_t find() {
        for (std::uint32_t root = 0; root < graph_.nodes(); ++root) {
            if (number_[root] == 0) walk(root);
        }
        return count_;
    }

private:
    struct Step {
        std::uint32_t node;
        std::uint32_t edge;
    };

    void enter(std::uint32_t node) {
        low_[node] = number_[node] = ++visited_;
        open_.push_back(node);
        path_.push_back({node, graph_.out.offsets[node]});
    }

    void walk(std::uint32_t root) {
        enter(root);
        while (!path_.empty()) {
            Step& step = path_.back();
            const std::uint32_t node = step.node;
            if (step.edge != graph_.out.offsets[node + std::size_t{1}]) {
                const std::uint32_t next = graph_.out.nodes[step.edge++];
                if (number_[next] == 0) enter(next);
                else if (component_[next] == k_none) low_[node] = std::min(low_[node], number_[next]);
                continue;
            }
            path_.pop_back();
            if (!path_.empty()) low_[path_.back().node] = std::min(low_[path_.back().node], low_[node]);
            if (low_[node] == number_[node]) close(node);
        }
    }

    void close(std::uint32_t root) {
        for (std::uint32_t node = k_none; node != root;) {
            node = open_.back();
            open_.pop_back();
            component_[node] = count_;
        }
        ++count_;
    }

    const BuiltGraph& graph_;
    std::vector<std::uint32_t>& component_;
    std::vector<std::uint32_t> low_;
    std::vector<std::uint32_t> number_;  // in order of the first visit, from 1; 0: not visited
    std::vector<std::uint32_t> open_;    // visited, component not known yet
    std::vector<Step> path_;
    std::uint32_t visited_ = 0;
    std::uint32_t count_ = 0;
};

/// A set of components being put together. What is empty is neither looked at nor cleared.
class RowScratch {
public:
    explicit RowScratch(std::uint32_t components)
        : words_(components / 32 + std::size_t{1}), used_(words_.size() / (k_chunk * 64) + 1) {}

    bool contains(std::uint32_t component) const { return (words_[component / 32] >> (component % 32) & 1) != 0; }
    void add(std::uint32_t component) { add_range(component, component); }

    void add_row(const std::uint32_t* row) {
        const std::uint32_t count = row[0] & ~k_row_of_bits;
        if ((row[0] & k_row_of_bits) == 0) {
            for (std::uint32_t i = 0; i < count; ++i) add_range(row[1 + 2 * i], row[2 + 2 * i]);
            return;
        }
        const std::uint32_t first = row[1];
        for (std::uint32_t i = 0; i < count; ++i) words_[first + i] |= row[2 + i];
        mark(first, first + count - 1);
    }

    /// Calls fn(first, last) for each interval, ascending, and leaves the set as it is.
    template <class F>
    void each_interval(F&& fn) const {
        std::uint64_t first = 0;
        std::uint64_t end = 0;  // of the interval that may go on; first == end: none
        each_used_word([&](std::size_t at) {
            std::uint32_t word = words_[at];
            while (word != 0) {
                const auto skip = static_cast<std::uint32_t>(std::countr_zero(word));
                const auto run = static_cast<std::uint32_t>(std::countr_one(word >> skip));
                const std::uint64_t begin = at * std::uint64_t{32} + skip;
                if (begin != end || first == end) {
                    if (first != end) fn(static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(end - 1));
                    first = begin;
                }
                end = begin + run;
                word = skip + run == 32 ? 0 : word >> (skip + run) << (skip + run);
            }
        });
        if (first != end) fn(static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(end - 1));
    }

    std::uint32_t word(std::size_t at) const { return words_[at]; }

    void add_range(std::uint32_t first, std::uint32_t last) {
        const std::uint32_t low = first / 32;
        const std::uint32_t high = last / 32;
        const std::uint32_t from = ~0u << (first % 32);
        const std::uint32_t up_to = ~0u >> (31 - last % 32);
        mark(low, high);
        if (low == high) {
            words_[low] |= from & up_to;
            return;
        }
        words_[low] |= from;
        for (std::uint32_t i = low + 1; i < high; ++i) words_[i] = ~0u;
        words_[high] |= up_to;
    }

    void clear() {
        for (std::size_t i = 0; i < used_.size(); ++i) {
            for (std::uint64_t bits = used_[i]; bits != 0; bits &= bits - 1) {
                const std::size_t chunk = i * 64 + static_cast<std::size_t>(std::countr_zero(bits));
                const std::size_t begin = chunk * k_chunk;
                std::fill_n(words_.begin() + static_cast<std::ptrdiff_t>(begin),
                            std::min(k_chunk, words_.size() - begin), 0u);
            }
            used_[i] = 0;
        }
    }

private:
    static constexpr std::size_t k_chunk = 16;  // words

    void mark(std::size_t first_word, std::size_t last_word) {
        for (std::size_t chunk = first_word / k_chunk; chunk <= last_word / k_chunk; ++chunk) {
            used_[chunk / 64] |= std::uint64_t{1} << (chunk % 64);
        }
    }

    template <class F>
    void each_used_word(F&& fn) const {
        for (std::size_t i = 0; i < used_.size(); ++i) {
            for (std::uint64_t bits = used_[i]; bits != 0; bits &= bits - 1) {
                const std::size_t begin = (i * 64 + static_cast<std::size_t>(std::countr_zero(bits))) * k_chunk;
                const std::size_t end = std::min(begin + k_chunk, words_.size());
                for (std::size_t at = begin; at < end; ++at) fn(at);
            }
        }
    }

    std::vector<std::uint32_t> words_;
    std::vector<std::uint64_t> used_;  // a bit per chunk that may have something
};

/// Rows of all components, smaller numbers first: what a component reaches is what its successors reach, and they.
class Rows {
public:
    Rows(const BuiltGraph& graph, BuiltClosure& closure, std::uint64_t most_bytes, const ClosureProgress& progress)
        : graph_(graph), closure_(closure), most_bytes_(most_bytes), progress_(progress),
          count_(static_cast<std::uint32_t>(closure.member_offsets.size() - 1)), scratch_(count_) {}

    void make() {
        closure_.row_places.reserve(count_);
        closure_.descendant_counts.reserve(count_);
        std::vector<std::uint64_t> more(count_ + std::size_t{1});  // ancestors: differences from the number before
        for (std::uint32_t component = 0; component < count_; ++component) {
            if (component % k_components_per_look == 0) progress_("closing", component, count_);
            find_successors(component);
            closure_.row_places.push_back(write(component, more));
            if (closure_.rows.size() * sizeof(std::uint32_t) > most_bytes_) too_large();
        }
        std::uint64_t reached_by = 0;
        for (std::uint32_t component = 0; component < count_; ++component) {
            reached_by += more[component];
            closure_.ancestor_counts.push_back(static_cast<std::uint32_t>(reached_by + size(component) - 1));
        }
    }

private:
    std::uint64_t size(std::uint32_t component) const {
        return closure_.member_offsets[component + std::size_t{1}] - closure_.member_offsets[component];
    }

    /// Of the component, larger ones first.
    void find_successors(std::uint32_t component) {
        successors_.clear();
        for (std::uint32_t i = closure_.member_offsets[component]; i < closure_.member_offsets[component + 1]; ++i) {
            const std::uint32_t node = closure_.members[i];
            for (std::uint32_t e = graph_.out.offsets[node]; e < graph_.out.offsets[node + std::size_t{1}]; ++e) {
                const std::uint32_t next = closure_.components[graph_.out.nodes[e]];
                if (next != component) successors_.push_back(next);
            }
        }
        std::sort(successors_.begin(), successors_.end(), std::greater<>());
    }

    /// What the successors reach, and they, as intervals: where these are few beside what lies in them. A set would
    /// cost as much for each node of a long path as the rest of the path is long.
    bool merge_few() {
        if (successors_.empty()) return true;
        const std::size_t most = std::min(k_few_intervals, successors_.front() / k_components_per_interval);
        few_.clear();
        for (const std::uint32_t next : successors_) {
            const std::uint32_t* const row = closure_.rows.data() + closure_.row_places[next];
            if ((row[0] & k_row_of_bits) != 0 || few_.size() + row[0] >= most) return false;
            few_.emplace_back(next, next);
            for (std::uint32_t i = 0; i < row[0]; ++i) few_.emplace_back(row[1 + 2 * i], row[2 + 2 * i]);
        }
        std::sort(few_.begin(), few_.end());
        for (const auto& [first, last] : few_) {
            if (row_.size() == 1 || first > row_.back() + 1) row_.insert(row_.end(), {first, last});
            else row_.back() = std::max(row_.back(), last);
        }
        return true;
    }

    void merge_into_set() {
        for (const std::uint32_t next : successors_) {
            // One that a larger one reaches brings nothing new.
            if (scratch_.contains(next)) continue;
            scratch_.add(next);
            scratch_.add_row(closure_.rows.data() + closure_.row_places[next]);
        }
        scratch_.each_interval([&](std::uint32_t first, std::uint32_t last) {
            row_.push_back(first);
            row_.push_back(last);
        });
    }

    /// The row of a component by its successors; counts descendants, and the component among the ancestors of each.
    std::uint32_t write(std::uint32_t component, std::vector<std::uint64_t>& more) {
        row_.assign(1, 0);
        const bool few = merge_few();
        if (!few) merge_into_set();
        std::uint64_t descendants = size(component) - 1;
        for (std::size_t i = 1; i < row_.size(); i += 2) {
            const std::uint32_t first = row_[i];
            const std::size_t end = row_[i + 1] + std::size_t{1};
            descendants += closure_.member_offsets[end] - closure_.member_offsets[first];
            more[first] += size(component);
            more[end] -= size(component);
        }
        closure_.descendant_counts.push_back(static_cast<std::uint32_t>(descendants));
        row_[0] = static_cast<std::uint32_t>(row_.size() / 2);
        if (row_.size() > 1) {
            const std::uint32_t first = row_[1] / 32;
            const std::uint32_t words = row_.back() / 32 - first + 1;
            if (words + std::size_t{2} < row_.size()) {
                for (std::size_t i = 1; few && i < row_.size(); i += 2) scratch_.add_range(row_[i], row_[i + 1]);
                row_.assign({words | k_row_of_bits, first});
                for (std::uint32_t i = 0; i < words; ++i) row_.push_back(scratch_.word(first + i));
                if (few) scratch_.clear();
            }
        }
        if (!few) scratch_.clear();
        const std::uint64_t hash = xxh64(row_.data(), row_.size() * sizeof(std::uint32_t), 0);
        const auto place = static_cast<std::uint32_t>(closure_.rows.size());
        const auto [known, added] = places_.emplace(hash, place);
        if (!added) {
            const std::uint32_t at = known->second;
            const auto begin = closure_.rows.begin() + static_cast<std::ptrdiff_t>(at);
            const bool same = closure_.rows.size() - at >= row_.size() && std::equal(row_.begin(), row_.end(), begin);
            if (same) return at;
        }
        closure_.rows.insert(closure_.rows.end(), row_.begin(), row_.end());
        return place;
    }

    [[noreturn]] void too_large() const {
        fail(Errc::unsupported, "the closure of this graph takes more than " + std::to_string(most_bytes_) +
                                    " bytes; raise its parameter limit, follow fewer types, or use a graph");
    }

    const BuiltGraph& graph_;
    BuiltClosure& closure_;
    const std::uint64_t most_bytes_;
    const ClosureProgress& progress_;
    const std::uint32_t count_;
    RowScratch scratch_;
    std::vector<std::uint32_t> successors_;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> few_;
    std::vector<std::uint32_t> row_;
    std::unordered_map<std::uint64_t, std::uint32_t> places_;  // of rows, by their hash
};

}  // namespace closure_build_impl

std::uint64_t closure_limit(const CartridgeParameters& parameters) {
    const auto found = parameters.find(std::string(k_parameter_limit));
    if (found == parameters.end()) return closure_build_impl::k_default_limit;
    const std::string& text = found->second;
    std::uint64_t bytes = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bytes);
    if (error != std::errc() || end != text.data() + text.size() || bytes > closure_build_impl::k_largest_limit) {
        fail(Errc::invalid_argument, "the parameter limit is a number of bytes up to " +
                                         std::to_string(closure_build_impl::k_largest_limit) + ", not '" + text + "'");
    }
    return bytes;
}

BuiltClosure build_closure(const BuiltGraph& graph, std::uint64_t most_bytes, const ClosureProgress& progress) {
    using namespace closure_build_impl;
    BuiltClosure closure;
    progress("finding components", 0, graph.nodes());
    const std::uint32_t count = Components(graph, closure.components).find();
    closure.member_offsets.assign(count + std::size_t{1}, 0);
    for (const std::uint32_t component : closure.components) ++closure.member_offsets[component + std::size_t{1}];
    for (std::uint32_t i = 0; i < count; ++i) closure.member_offsets[i + 1] += closure.member_offsets[i];
    closure.members.resize(graph.nodes());
    {
        std::vector<std::uint32_t> next(closure.member_offsets.begin(), closure.member_offsets.end() - 1);
        for (std::uint32_t node = 0; node < graph.nodes(); ++node) {
            closure.members[next[closure.components[node]]++] = node;
        }
    }
    Rows(graph, closure, most_bytes, progress).make();
    return closure;
}

}  // namespace northstar::inline v0::detail
