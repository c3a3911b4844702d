// Random changes against std::map: what is read, what old roots show, and what the pages claim about their
// past.
#include "btree_support.hpp"
#include "hard/sim/key_space.hpp"

#include <deque>
#include <functional>

namespace {

using namespace northstar_test;

std::uint64_t seed_from_environment() {
    const char* text = std::getenv("NORTHSTAR_TEST_SEED");
    return text != nullptr ? std::strtoull(text, nullptr, 10) : 20250711;
}

struct Workload {
    const char* name;
    std::size_t page_size;
    std::function<std::string(Random&)> key;
    std::function<std::string(Random&)> value;
    unsigned transactions;
    unsigned operations;  // per transaction, at most
    unsigned put_weight;
    unsigned erase_weight;
    unsigned range_weight;
    bool repacks = false;
};

std::string letters(Random& random, std::size_t size) {
    std::string text(size, '\0');
    for (char& c : text) c = static_cast<char>('a' + random.below(26));
    return text;
}
std::string hex(std::uint64_t number) {
    char text[17];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(number));
    return text;
}

class Run {
public:
    Run(const Workload& workload, std::uint64_t seed)
        : workload_(workload), random_(seed), store_(workload.page_size) {}

    void go() {
        for (unsigned i = 0; i < workload_.transactions; ++i) {
            transaction();
            if (workload_.repacks && i % 8 == 7) thin_out_and_repack();
            if (i % 8 == 0) {
                check_some();
            }
            if (i % 64 == 0) check_all();
        }
        check_all();
        // Take everything away again.
        while (!model_.empty()) {
            const auto middle = std::next(model_.begin(), static_cast<long>(random_.below(model_.size())));
            const std::string from = middle->first;
            store_.commit([&](PageWriter& writer, TreeRoot& tree) {
                if (random_.chance(1, 4)) {
                    erase_range(writer, tree, from, std::nullopt);
                } else {
                    for (int k = 0; k < 300 && !model_.empty(); ++k) {
                        const std::string key =
                            random_.chance(1, 2) ? model_.begin()->first : model_.rbegin()->first;
                        erase(writer, tree, key);
                    }
                }
            });
            if (random_.chance(1, 8)) check_past();
        }
        check_all();
        REQUIRE(store_.tree().count == 0);
    }

private:
    void transaction() {
        const bool aborted = random_.chance(1, 16);
        const Model before = aborted ? model_ : Model{};
        const auto changes_before = aborted ? changed_ : std::map<std::string, std::uint64_t>{};
        const TreeRoot root_before = store_.tree();
        if (aborted) {
            PageWriter writer(store_.arena(), store_.source());
            writer.set_txn(store_.txn() + 1);
            TreeRoot tree = root_before;
            operations(writer, tree);
            model_ = before;
            changed_ = changes_before;
            return;
        }
        store_.commit([&](PageWriter& writer, TreeRoot& tree) {
            operations(writer, tree);
            if (!random_.chance(1, 4)) return;
            const Model saved = model_;
            const auto saved_changes = changed_;
            const TreeRoot saved_root = tree;
            const PageWriter::Mark mark = writer.mark();
            operations(writer, tree);
            if (random_.chance(1, 2)) {
                writer.rewind(mark);
                tree = saved_root;
                model_ = saved;
                changed_ = saved_changes;
                require_equal(store_.source(), tree, model_);
                operations(writer, tree);
            }
        });
    }

    // Leaves that are half empty below inner nodes that are as full as they were.
    void thin_out_and_repack() {
        store_.commit([&](PageWriter& writer, TreeRoot& tree) {
            const Model before = model_;
            for (const auto& [key, value] : before) {
                if (random_.chance(1, 2)) erase(writer, tree, key);
            }
        });
        store_.commit([&](PageWriter& writer, TreeRoot& tree) { repack_all(writer, tree.root); });
    }

    void operations(PageWriter& writer, TreeRoot& tree) {
        finger_.lift();
        const std::uint64_t count = 1 + random_.below(workload_.operations);
        const unsigned weights = workload_.put_weight + workload_.erase_weight + workload_.range_weight;
        for (std::uint64_t i = 0; i < count; ++i) {
            const std::uint64_t pick = random_.below(weights);
            if (pick < workload_.put_weight) {
                if (random_.chance(1, 16)) put_run(writer, tree);
                const std::string key = random_.chance(1, 4) ? existing() : workload_.key(random_);
                std::optional<TreeValue> inside;  // a value that lies in the tree that changes
                if (random_.chance(1, 8)) inside = tree_get(store_.source(), tree.root, existing());
                put(writer, tree, key, inside ? std::string(inside->value) : new_value(key),
                    inside ? std::optional(inside->value) : std::nullopt);
            } else if (pick < workload_.put_weight + workload_.erase_weight) {
                erase(writer, tree, random_.chance(3, 4) ? existing() : workload_.key(random_));
            } else {
                std::string from = random_.chance(1, 2) ? existing() : workload_.key(random_);
                std::optional<std::string> to = random_.chance(1, 2) ? existing() : workload_.key(random_);
                if (random_.chance(1, 16)) to = std::nullopt;
                if (to && random_.chance(1, 2)) {
                    // A short range: keys that lie close together.
                    auto it = model_.lower_bound(from);
                    for (std::uint64_t k = random_.below(300); k != 0 && it != model_.end(); --k) ++it;
                    to = it == model_.end() ? from + "~" : it->first;
                }
                erase_range(writer, tree, from, to);
            }
        }
    }

    std::string new_value(const std::string& key) {
        std::string value = workload_.value(random_);
        if (random_.chance(1, 8)) {
            const auto it = model_.find(key);  // the same size again
            if (it != model_.end()) value = letters(random_, it->second.value.size());
        }
        return value;
    }
    void put(PageWriter& writer, TreeRoot& tree, const std::string& key, const std::string& value,
             std::optional<std::string_view> inside = std::nullopt) {
        const bool replaced = finger_.put(writer, tree, key, inside.value_or(value));
        if (replaced != model_.contains(key)) REQUIRE(replaced == model_.contains(key));
        model_[key] = {value, writer.txn()};
        changed_[key] = writer.txn();
    }
    // Neighbours in order, as an update of many rows puts them; here and there a new key between two of them.
    void put_run(PageWriter& writer, TreeRoot& tree) {
        auto it = model_.lower_bound(workload_.key(random_));
        const bool same_size = random_.chance(1, 2);
        for (std::uint64_t k = random_.below(200); k != 0 && it != model_.end(); --k, ++it) {
            const std::string key = it->first;
            if (random_.chance(1, 8)) continue;
            put(writer, tree, key, same_size ? letters(random_, it->second.value.size()) : new_value(key));
            if (random_.chance(1, 16) && key.size() < 64) put(writer, tree, key + "+", workload_.value(random_));
        }
    }
    std::string existing() {
        if (model_.empty()) return workload_.key(random_);
        const auto it = model_.lower_bound(workload_.key(random_));
        return it == model_.end() ? model_.begin()->first : it->first;
    }
    void erase(PageWriter& writer, TreeRoot& tree, const std::string& key) {
        finger_.lift();
        const bool erased = tree_erase(writer, tree, key);
        const bool expected = model_.erase(key) != 0;
        if (erased != expected) REQUIRE(erased == expected);
        if (erased) changed_[key] = writer.txn();
    }
    void erase_range(PageWriter& writer, TreeRoot& tree, const std::string& from,
                     const std::optional<std::string>& to) {
        std::optional<std::string_view> end;
        if (to) end = *to;
        finger_.lift();
        const std::uint64_t count = tree_erase_range(writer, tree, from, end);
        std::uint64_t expected = 0;
        if (!to || *to > from) {
            const auto first = model_.lower_bound(from);
            const auto last = to ? model_.lower_bound(*to) : model_.end();
            for (auto it = first; it != last; ++it, ++expected) changed_[it->first] = writer.txn();
            model_.erase(first, last);
        }
        REQUIRE(count == expected);
    }

    void check_some() {
        const PageSource& source = store_.source();
        std::vector<std::string> keys;
        for (int i = 0; i < 50; ++i) keys.push_back(i % 2 == 0 ? existing() : workload_.key(random_));
        std::vector<std::string_view> views(keys.begin(), keys.end());
        std::vector<std::optional<TreeValue>> found(keys.size());
        tree_multi_get(source, store_.tree().root, views, found);
        TreeCursor cursor(source, store_.tree().root);
        for (std::size_t i = 0; i < keys.size(); ++i) {
            const auto one = tree_get(source, store_.tree().root, keys[i]);
            const auto it = model_.find(keys[i]);
            REQUIRE(one.has_value() == (it != model_.end()));
            REQUIRE(found[i].has_value() == one.has_value());
            if (one) {
                REQUIRE(one->value == it->second.value);
                REQUIRE(one->txn == it->second.txn);
                REQUIRE(found[i]->value == one->value);
                REQUIRE(found[i]->txn == one->txn);
            }
            REQUIRE(cursor.find(keys[i]) == one.has_value());
            const auto low = model_.lower_bound(keys[i]);
            REQUIRE(cursor.lower_bound(keys[i]) == (low != model_.end()));
            if (cursor.valid()) REQUIRE(cursor.key() == low->first);
            const auto high = model_.upper_bound(keys[i]);
            REQUIRE(cursor.upper_bound(keys[i]) == (high != model_.end()));
            if (cursor.valid()) REQUIRE(cursor.key() == high->first);
            REQUIRE(cursor.before(keys[i]) == (low != model_.begin()));
            if (cursor.valid()) REQUIRE(cursor.key() == std::prev(low)->first);
            walk(cursor, keys[i]);
        }
    }
    // Back and forth across the borders of leaves.
    void walk(TreeCursor& cursor, const std::string& from) {
        auto it = model_.lower_bound(from);
        if (!cursor.lower_bound(from)) return;
        for (int i = 0; i < 40; ++i) {
            if (random_.chance(2, 3)) {
                ++it;
                REQUIRE(cursor.next() == (it != model_.end()));
                if (it == model_.end()) return;
            } else {
                const bool more = it != model_.begin();
                REQUIRE(cursor.prev() == more);
                if (!more) return;
                --it;
            }
            REQUIRE(cursor.key() == it->first);
        }
    }

    void check_all() {
        require_sound(store_.source(), store_.tree());
        require_equal(store_.source(), store_.tree(), model_);
        check_past();
        old_.push_back({store_.txn(), store_.tree(), model_});
        for (const auto& [txn, tree, model] : old_) {
            require_sound(store_.source(), tree);
            require_equal(store_.source(), tree, model);
        }
        if (old_.size() > 4) old_.pop_front();
        store_.release_before(old_.front().txn);
    }

    // For every T: a key that changed after T lies in a leaf, and below pages, that changed after T.
    void check_past() {
        if (store_.tree().root.empty()) return;
        TreeCursor cursor(store_.source(), store_.tree().root);
        std::string low;
        std::string high;
        for (const auto& [key, txn] : changed_) {
            cursor.seek_leaf(key);
            for (unsigned step = 0; step <= cursor.depth(); ++step) {
                const std::uint64_t claimed = Node(store_.source().page(cursor.page_ref(step))).max_txn();
                if (claimed < txn) {
                    INFO("key " << key << " step " << step << " of " << cursor.depth());
                    REQUIRE(claimed >= txn);
                }
            }
            const bool has_low = cursor.low_fence(low);
            const bool has_high = cursor.high_fence(high);
            if ((has_low && key < low) || (has_high && key >= high)) {
                REQUIRE(!(has_low && key < low));
                REQUIRE(!(has_high && key >= high));
            }
        }
    }

    struct Old {
        std::uint64_t txn;
        TreeRoot tree;
        Model model;
    };
    const Workload& workload_;
    TreeFinger finger_;
    Random random_;
    RootStore store_;
    Model model_;
    std::map<std::string, std::uint64_t> changed_;  // last change of every key that ever was
    std::deque<Old> old_;
};

std::string url_key(Random& random) {
    static const char* const sites[] = {"https://www.example.org/",
                                        "https://docs.example.org/reference/manual/",
                                        "https://shop.example.com/catalogue/items/by-colour/"};
    std::string key = sites[random.below(3)];
    key += letters(random, 1 + random.below(2));
    key += '/';
    key += std::to_string(random.below(3000));
    return key;
}

void run_all(const std::vector<Workload>& workloads) {
    const std::uint64_t seed = seed_from_environment();
    for (const Workload& workload : workloads) {
        INFO("workload " << workload.name << ", seed " << seed);
        Run(workload, seed).go();
    }
}

const auto short_value = [](Random& random) { return letters(random, random.below(24)); };
const auto medium_value = [](Random& random) { return letters(random, 90 + random.below(20)); };
const auto any_value = [](Random& random) {
    return letters(random, random.chance(1, 10) ? random.below(1025) : random.below(100));
};
const auto big_value = [](Random& random) {
    return letters(random, random.chance(1, 4) ? 1000 + random.below(20000) : random.below(100));
};

}  // namespace

TEST_CASE("a tree answers like a map: hexadecimal keys", "[btree]") {
    const auto key = [](Random& random) { return hex(random.below(20000) * 0x9e3779b97f4a7c15u); };
    run_all({{"hex 4K", 4096, key, medium_value, 300, 400, 8, 5, 0},
             {"hex 16K", 16384, key, medium_value, 150, 600, 8, 3, 0},
             {"hex 64K", 65536, key, any_value, 60, 1500, 8, 3, 0}});
}

TEST_CASE("a tree answers like a map: ranges are erased", "[btree]") {
    const auto key = [](Random& random) { return hex(random.below(60000) * 0x9e3779b97f4a7c15u); };
    run_all({{"ranges 4K", 4096, key, medium_value, 300, 2000, 2000, 300, 1},
             {"small ranges 4K", 4096, key, any_value, 300, 300, 200, 30, 2},
             {"ranges 16K", 16384, key, short_value, 100, 4000, 4000, 300, 1}});
}

TEST_CASE("a tree answers like a map: long shared prefixes", "[btree]") {
    const auto key = [](Random& random) {
        std::string text =
            random.chance(1, 2) ? std::string(300, 'p') : std::string(150, 'q') + std::string(140, 'r');
        if (random.chance(1, 50)) text.resize(random.below(text.size()));
        return text + std::to_string(random.below(4000));
    };
    run_all({{"prefix 4K", 4096, key, short_value, 200, 400, 100, 60, 1},
             {"prefix 64K", 65536, key, short_value, 60, 1500, 300, 100, 1},
             {"url 4K", 4096, url_key, medium_value, 250, 400, 300, 150, 1},
             {"url 16K", 16384, url_key, short_value, 100, 800, 300, 150, 1}});
}

TEST_CASE("a tree answers like a map: short keys, equal heads, zeros", "[btree]") {
    const auto few_bytes = [](Random& random) {
        std::string key(random.below(7), '\0');
        for (char& c : key) c = static_cast<char>(random.chance(1, 2) ? 0 : random.below(3) + 253);
        return key;
    };
    const auto equal_heads = [](Random& random) {
        std::string key(random.chance(1, 30) ? 3 : 4, '\0');
        if (random.chance(1, 3)) return key + std::string(random.below(8), '\0');
        const std::string tail = std::to_string(random.below(5000));
        return (random.chance(1, 2) ? key : std::string("zzzzzzzz")) + tail;
    };
    run_all({{"zeros", 4096, few_bytes, short_value, 200, 200, 100, 60, 1},
             {"equal heads", 4096, equal_heads, short_value, 250, 400, 200, 100, 1},
             {"equal heads 16K", 16384, equal_heads, short_value, 100, 800, 200, 100, 1}});
}

TEST_CASE("a tree answers like a map: keys and values of every size", "[btree]") {
    const auto key = [](Random& random) {
        std::string text(random.chance(1, 3) ? random.below(1025) : random.below(40), 'k');
        for (char& c : text) c = static_cast<char>(random.chance(1, 20) ? random.below(256) : 'k');
        return text;
    };
    const auto long_key = [](Random& random) {
        std::string text = letters(random, 1024);
        return random.chance(1, 2) ? text : text.substr(0, random.below(16384 / 4));
    };
    run_all({{"sizes 4K", 4096, key, any_value, 250, 150, 100, 70, 1},
             {"big values 4K", 4096, key, big_value, 120, 100, 100, 70, 1},
             {"longest keys 4K", 4096, long_key, any_value, 150, 100, 100, 80, 1},
             {"longest keys 16K", 16384, long_key, big_value, 60, 150, 100, 60, 1}});
}

TEST_CASE("a tree answers like a map: keys of every shape, with repacking", "[btree]") {
    using namespace northstar::hard;
    const std::size_t page_size = GENERATE(std::size_t{4096}, std::size_t{16384});
    std::vector<Workload> workloads;
    for (std::uint64_t shape = 0; shape < k_key_shapes; ++shape) {
        const KeySpace keys(shape_of(shape), 3000, page_size / 4, seed_from_environment());
        const auto value = [=](Random& random) {
            return letters(random, random.chance(1, 4) ? some_value_size(random, page_size) : random.below(300));
        };
        workloads.push_back({"shape", page_size, [=](Random& random) { return keys.some(random); }, value, 64,
                             400, 300, 100, 1, true});
    }
    run_all(workloads);
}

TEST_CASE("a tree answers like a map: keys in order", "[btree]") {
    std::uint64_t next = 0;
    const auto ascending = [&](Random& random) {
        if (random.chance(1, 10)) return hex(random.below(next + 1));
        return hex(next += 1 + random.below(3));
    };
    std::uint64_t last = 1u << 30;
    const auto descending = [&](Random&) { return hex(--last); };
    run_all({{"ascending", 4096, ascending, medium_value, 200, 400, 400, 40, 1},
             {"descending", 4096, descending, medium_value, 100, 400, 400, 100, 1}});
}
