// random_work.hpp -- random work of every kind that leaves its own traces in a file, for readers to be compared on.
//
// Everything follows from the seed: contents, options, times, the order of work. Small on purpose: a reader in Python
// reads it.
#pragma once

#include "txn/core.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>

namespace northstar::format_text {

class RandomWork {
public:
    /// `vfs` outlives it; nullptr: the operating system's files.
    RandomWork(std::string path, std::uint64_t seed, detail::Vfs* vfs = nullptr)
        : path_(std::move(path)), vfs_(vfs), generator_(seed) {
        static constexpr std::uint32_t k_sizes[] = {4096, 4096, 8192, 65536};
        options_.page_size = k_sizes[below(4)];
        options_.log_align = below(4) == 0 ? 4096 : 0;
        options_.history = some_history();
        options_.durability = below(2) == 0 ? Durability::lazy : Durability::full;
        options_.overlay_limit = 256u << 10;
        options_.background = false;
        open();
        commit(1, 40);
    }

    Database& db() { return *db_; }

    /// What was done, so that a run can say that everything was.
    const std::map<std::string, int>& done() const { return done_; }

    void step() {
        const std::uint64_t what = below(100);
        if (what < 72) {
            commit(1 + below(12), 600);
        } else if (what < 76) {
            commit(8, 40000);
        } else if (what < 78) {
            commit(900, 700);
            ++done_["large transaction"];
        } else if (what < 86) {
            db_->checkpoint();
            ++done_["checkpoint"];
        } else if (what < 90) {
            redact();
        } else if (what < 93) {
            set_history();
        } else if (what < 95) {
            prune();
        } else if (what < 97) {
            db_->compact();
            ++done_["compact"];
        } else {
            db_->close();
            open();
            ++done_["reopen"];
        }
    }

private:
    /// Later than any clock says, so that it has no say: times never go back.
    static constexpr std::uint64_t k_later_us = 4000000000000000;

    std::uint64_t below(std::uint64_t limit) { return generator_() % limit; }
    std::string some_tree() { return std::string(1, static_cast<char>('a' + below(3))); }
    std::string some_key() {
        std::string key = "key/" + std::to_string(below(150));
        if (below(8) == 0) key += std::string(1 + below(300), '-');
        if (below(8) == 0) key += static_cast<char>(below(256));
        return below(60) == 0 ? std::string() : key;
    }
    std::string some_value(std::uint64_t most) {
        std::string value(below(3) == 0 ? below(most) : below(40), '\0');
        for (char& c : value) c = static_cast<char>(below(256));
        return value;
    }
    History some_history() {
        switch (below(6)) {
            case 0: return History::nothing();
            case 1: return History::last(1 + below(40));
            case 2: return History::duration(1000 + below(1000000));
            default: return History::everything();
        }
    }

    void open() {
        const std::shared_ptr<detail::DatabaseCore> core = detail::DatabaseCore::open(path_, options_, vfs_);
        core->set_move_budget({2048, 32768});  // the horizon moves in many steps
        core->set_seal_budget({8192, {2048, 32768}, 4096});
        db_.emplace(detail::make_database(core));
    }

    void commit(std::uint64_t operations, std::uint64_t most) {
        Transaction tx = db_->begin_write();
        tx.set_time_us(k_later_us + tx.base_txn() * 100000 + below(200000));
        if (below(3) == 0) tx.annotate("who", std::string(below(100), 'w'));
        if (below(5) == 0) tx.annotate(some_key(), some_value(100));
        for (std::uint64_t i = 0; i < operations; ++i) {
            WritableTree tree = tx.tree(some_tree());
            const std::uint64_t what = below(100);
            if (what < 70) {
                tree.put(some_key(), some_value(most));
            } else if (what < 96) {
                tree.erase(some_key());
            } else if (what < 98) {
                std::string from = some_key();
                std::string to = some_key();
                if (to < from) std::swap(from, to);
                tree.erase_range(from, below(6) == 0 ? std::nullopt : std::optional<std::string_view>(to));
                ++done_["range deletion"];
            } else if (below(8) == 0) {
                if (tx.drop_tree(some_tree())) ++done_["dropped tree"];
            }
        }
        tx.commit();
        ++done_["commit"];
    }

    void redact() {
        const std::string name = some_tree();
        const Snapshot now = db_->begin_read();
        const Tree tree = now.tree(name);
        Cursor cursor = tree.cursor();
        if (!cursor.lower_bound(some_key())) return;
        const std::string key(cursor.key());
        const Txn txn = below(2) == 0 ? 0 : cursor.txn();
        try {
            db_->redact(name, key, txn, "because", 0);
        } catch (const Error& error) {
            // This snapshot shows it; what is left is done when it is closed and the database used again.
            if (error.code() != Errc::still_held) throw;
        }
        ++done_["redaction"];
    }

    void set_history() {
        const History history = some_history();
        if (below(3) == 0) {
            db_->set_history(history);
        } else {
            Transaction tx = db_->begin_write();
            tx.set_history(some_tree(), history);
            tx.commit();
        }
        ++done_["retention"];
    }

    void prune() {
        const Txn newest = db_->begin_read().txn();
        const Txn oldest = db_->statistics().oldest_txn;
        if (newest == oldest) return;
        db_->prune(AsOf::txn(oldest + below(newest - oldest + 1)));
        ++done_["prune"];
    }

    const std::string path_;
    detail::Vfs* const vfs_;
    std::mt19937_64 generator_;
    Options options_;
    std::optional<Database> db_;
    std::map<std::string, int> done_;
};

}  // namespace northstar::format_text
