// txn_key_shapes_test.cpp -- random work on one tree of many keys that look alike in some way, beside a std::map.
#include "txn_model_support.hpp"

#include <algorithm>
#include <map>

namespace {

using namespace northstar;
using txn_test::compare_tree;
using txn_test::Dice;
using txn_test::Entries;
using txn_test::scaled;
using txn_test::text;
using txn_test::Workplace;

/// A tree of many keys of one shape that grows and shrinks, with compaction. Only some states are kept.
class ShapedModel {
public:
    ShapedModel(std::string path, std::uint64_t seed)
        : dice_(seed), path_(std::move(path)), options_(some_options()),
          count_(1000 + dice_.below(7000)), keys_(hard::shape_of(seed), count_, options_.page_size / 4, seed),
          most_bytes_(dice_.chance(25) ? 60 : 300) {
        db_.emplace(Database::open(path_, options_));
    }

    void step() {
        write();
        if (now_.size() > count_ / 2) thin_out();
        const std::uint64_t what = dice_.below(100);
        if (what < 6) {
            db_->compact();
        } else if (what < 18) {
            db_->checkpoint();
        } else if (what < 24) {
            db_.reset();
            db_.emplace(Database::open(path_, options_));
        } else if (what < 32) {
            const Snapshot now = db_->begin_read();
            compare_tree(now.tree("t"), now_, keys_, dice_, true);
        } else if (what < 37 && options_.history == History::everything()) {
            kept_.emplace_back(db_->begin_read().txn(), now_);
        }
    }

    void finish() {
        db_->compact();
        verify();
        {
            const Snapshot now = db_->begin_read();
            compare_tree(now.tree("t"), now_, keys_, dice_, true);
        }
        for (const auto& [txn, entries] : kept_) {
            INFO("AS OF " << txn);
            compare_tree(db_->begin_read(AsOf::txn(txn)).tree("t"), entries, keys_, dice_, true);
        }
    }

private:
    Options some_options() {
        Options options;
        options.page_size = dice_.chance(85) ? 4096 : 8192u << dice_.below(4);
        options.durability = Durability::lazy;
        options.background = false;
        options.checkpoint_log_bytes = 1u << 20;
        if (dice_.chance(50)) options.history = History::nothing();
        return options;
    }

    /// Compacts leaves that are half empty below inner nodes that are as full as they were.
    void thin_out() {
        Transaction tx = db_->begin_write();
        WritableTree tree = tx.tree("t");
        std::erase_if(now_, [&](const auto& entry) { return dice_.chance(50) && tree.erase(entry.first); });
        tx.commit();
        db_->compact();
    }

    void write() {
        Transaction tx = db_->begin_write();
        WritableTree tree = tx.tree("t");
        const Txn txn = tx.base_txn() + 1;
        for (std::uint64_t i = 1 + dice_.below(dice_.chance(50) ? count_ : count_ / 20); i > 0; --i) {
            const std::string key = keys_.some(dice_);
            if (dice_.chance(75)) {
                std::size_t size = dice_.below(most_bytes_);
                if (dice_.chance(10)) size = hard::some_value_size(dice_, options_.page_size);
                const auto value = text(dice_.bytes(size));
                tree.put(key, *value);
                now_[key] = {value, txn};
            } else if (dice_.below(500) == 0) {
                const std::string other = keys_.some(dice_);
                const auto [from, to] = std::minmax(key, other);
                const auto first = now_.lower_bound(from);
                const auto last = now_.lower_bound(to);
                const auto count = static_cast<std::uint64_t>(std::distance(first, last));
                now_.erase(first, last);
                if (tree.erase_range(from, to) != count) FAIL("erase_range " << from);
            } else if (tree.erase(key) != (now_.erase(key) == 1)) {
                FAIL("erase " << key);
            }
        }
        tx.commit();
    }

    void verify() {
        const VerifyReport report = db_->verify();
        for (const Problem& problem : report.problems) UNSCOPED_INFO(problem.where << ": " << problem.what);
        REQUIRE(report.ok());
    }

    Dice dice_;
    std::string path_;
    Options options_;
    std::uint64_t count_;
    hard::KeySpace keys_;
    std::uint64_t most_bytes_;
    std::optional<Database> db_;
    Entries now_;
    std::vector<std::pair<Txn, Entries>> kept_;
};

}  // namespace

TEST_CASE("Random work with many keys of every shape equals a map", "[KV-2][KV-5][PAST-1][SPACE-1][slow]") {
    for (int i = 0; i < std::max(1, scaled(16) - 1); ++i) {
        const std::uint64_t seed = txn_test::seed(1 + static_cast<std::uint64_t>(i));
        INFO("seed " << seed);
        const Workplace place;
        ShapedModel model(place / "model.db", seed);
        for (int step = 0; step < 40; ++step) {
            INFO("step " << step);
            model.step();
        }
        model.finish();
    }
}

// The page is divided without the entry, which then has its place at an edge of one half.
TEST_CASE("The largest entry gets in where neither half of its page has room for it", "[KV-2][KV-4]") {
    Options options;
    options.page_size = 4096;
    Database db = Database::open(":memory:", options);
    for (std::size_t size = 900; size <= 1024; ++size) {
        CAPTURE(size);
        std::map<std::string, std::string> wanted;
        Transaction tx = db.begin_write();
        WritableTree tree = tx.tree("t" + std::to_string(size));
        const auto put = [&](const std::string& key, std::size_t value_size) {
            wanted[key] = std::string(value_size, key.front());
            tree.put(key, wanted[key]);
        };
        put(std::string(size, 'a'), 1024);
        put(std::string(size, 'c'), 1024);
        put(std::string(1024, 'b'), 1024);
        put(std::string(1023, 'a') + "b", 1024);
        put(std::string(1023, 'b') + "c", 1024);
        std::map<std::string, std::string> found;
        for (const auto [key, value] : tree.all()) found.emplace(key, value);
        CHECK(found == wanted);
        tx.commit();
    }
    CHECK(db.verify().ok());
}
