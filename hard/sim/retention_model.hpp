// retention_model.hpp -- which states of the past must be readable, whatever retention was set when.
//
// Retention may let go of a state at any moment from which on it need not be kept, and what is gone stays so: what must
// be there follows from the least that was asked for at any time. Told by the numbers of the commits that changed it.
#pragma once

#include "api/northstar.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace northstar::hard {

/// How many states behind the newest one are kept of the database and of trees.
struct Retention {
    static constexpr std::uint64_t k_everything = ~std::uint64_t{0};
    std::uint64_t by_default = k_everything;  ///< 0: none
    std::map<std::string, std::uint64_t, std::less<>> own;

    static History history(std::uint64_t kept) {
        if (kept == 0) return History::nothing();
        return kept == k_everything ? History::everything() : History::last(kept);
    }
    /// The most that anything keeps: so far back goes the database.
    std::uint64_t most() const {
        std::uint64_t kept = by_default;
        for (const auto& [tree, states] : own) kept = std::max(kept, states);
        return kept;
    }
};

class Retentions {
public:
    explicit Retentions(Retention first = {}) { set(0, std::move(first)); }
    const Retention& now() const { return set_.back().second; }
    /// From this commit on; later than those before.
    void set(Txn txn, Retention retention) { set_.emplace_back(txn, std::move(retention)); }
    /// Commits behind `txn` never happened.
    void settle(Txn txn) {
        while (set_.back().first > txn) set_.pop_back();
    }
    /// Does anything keep its past?
    bool keeps() const { return now().most() != 0; }
    /// The database is readable from there on, when its newest commit is `newest`.
    Txn least(Txn newest) const {
        return furthest(newest, [](const Retention& retention) { return retention.most(); });
    }
    /// Every tree is.
    Txn whole_from(Txn newest) const {
        return furthest(newest, [](const Retention& retention) {
            std::uint64_t kept = retention.by_default;
            for (const auto& [tree, states] : retention.own) kept = std::min(kept, states);
            return kept;
        });
    }

private:
    template <class F>
    Txn furthest(Txn newest, F&& kept_of) const {
        Txn from = 0;
        for (std::size_t i = 0; i < set_.size(); ++i) {
            const Txn end = i + 1 < set_.size() ? std::min(newest, set_[i + 1].first) : newest;
            const std::uint64_t kept = kept_of(set_[i].second);
            from = std::max(from, end > kept ? end - kept : 0);
        }
        return from;
    }
    std::vector<std::pair<Txn, Retention>> set_;
};

}  // namespace northstar::hard
