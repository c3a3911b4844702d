// log_operations_test.cpp -- operations of a transaction in the order that a record has them in.
#include <catch2/catch.hpp>

#include "log_support.hpp"

#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>

using namespace log_test;

namespace {

// The state that operations make, applied in call order.
struct Model {
    std::map<std::pair<std::uint64_t, std::string>, std::optional<std::string>> points;
    // Range deletions are applied to a universe of known keys.
    std::set<std::string> universe;
    void put(std::uint64_t tree, const std::string& key, const std::string& value) { points[{tree, key}] = value; }
    void erase(std::uint64_t tree, const std::string& key) { points[{tree, key}] = std::nullopt; }
    void erase_range(std::uint64_t tree, const std::string& from, const std::optional<std::string>& to) {
        for (const std::string& key : universe) {
            if (key >= from && (!to || key < *to)) points[{tree, key}] = std::nullopt;
        }
    }
};

}  // namespace

TEST_CASE("what a transaction does to a tree that it drops leaves no trace", "[log][fast]") {
    OperationList list;
    list.create_tree(7, "short-lived", {});
    list.put(7, "a", "b");
    list.set_history(7, "short-lived", History::nothing());
    list.put(8, "stays", "1");
    list.put(6, "goes", "1");
    list.drop_tree(7, "short-lived");
    list.drop_tree(6, "old");
    list.create_tree(10, "old", {});
    const std::vector<std::byte> bytes = encode(list, some_fields());
    const RecordView record = view_of(bytes);
    record.validate();
    REQUIRE(record.size() == 3);
    CHECK(record.operation(0).kind == OperationKind::drop_tree);
    CHECK(record.operation(0).tree == 6);
    CHECK(record.operation(1).tree == 10);
    CHECK(record.operation(2).tree == 8);
}

TEST_CASE("records in canonical order do what the calls did", "[log][fast][TRUTH-1]") {
    const std::uint64_t seed = 20240601;
    INFO("seed " << seed);
    Random random(seed);
    std::size_t tables = 0;
    std::size_t merged = 0;
    for (int round = 0; round < 600; ++round) {
        Model model;
        for (int i = 0; i < 40; ++i) {
            model.universe.insert(std::to_string(random.below(100)) + (i % 3 ? "" : "long key"));
        }
        const std::vector<std::string> keys(model.universe.begin(), model.universe.end());
        OperationList list;
        std::vector<std::pair<OperationList::Mark, Model>> savepoints;
        const std::uint64_t calls = random.below(random.chance(1, 4) ? 200 : 12);
        std::size_t ranges = 0;
        for (std::uint64_t i = 0; i < calls; ++i) {
            const std::uint64_t tree = 1 + random.below(3);
            const std::string& key = keys[random.below(keys.size())];
            const std::uint64_t what = random.below(20);
            if (what < 12) {
                const std::string value = std::to_string(i);
                list.put(tree, key, value);
                model.put(tree, key, value);
            } else if (what < 15) {
                list.erase(tree, key);
                model.erase(tree, key);
            } else if (what < 18) {
                std::optional<std::string> to = keys[random.below(keys.size())];
                if (random.chance(1, 8)) to.reset();
                list.erase_range(tree, key, to ? std::optional<std::string_view>(*to) : std::nullopt);
                model.erase_range(tree, key, to);
                ++ranges;
            } else if (what == 18) {
                savepoints.emplace_back(list.mark(), model);
            } else if (!savepoints.empty()) {
                list.rewind(savepoints.back().first);
                model = savepoints.back().second;
                savepoints.pop_back();
            }
        }
        const std::vector<std::byte> bytes = encode(list, some_fields());
        const RecordView record = view_of(bytes);
        record.validate();
        tables += record.size() > k_record_table_threshold;
        merged += ranges > 1;
        for (std::uint64_t tree = 0; tree <= 4; ++tree) {
            for (const std::string& key : keys) {
                const auto wanted = model.points.find({tree, key});
                const std::optional<LogOperation> found = record.find(tree, key);
                if (wanted == model.points.end()) {
                    REQUIRE_FALSE(found);
                } else if (!wanted->second) {
                    REQUIRE(found);
                    REQUIRE(found->kind != OperationKind::put);
                } else {
                    REQUIRE(found);
                    REQUIRE(found->kind == OperationKind::put);
                    REQUIRE(found->value == *wanted->second);
                }
            }
        }
        // Operations in order, applied one by one, give the same.
        std::uint32_t i = 0;
        LogOperation op;
        for (RecordView::Walk walk = record.walk(); walk.next(op); ++i) {
            const LogOperation by_number = record.operation(i);
            REQUIRE(by_number.position == op.position);
            REQUIRE(by_number.key == op.key);
        }
    }
    CHECK(tables > 50);
    CHECK(merged > 50);
}

TEST_CASE("keys of every length are in canonical order, whatever of them was compared first", "[log][fast]") {
    // The first eight bytes are compared as numbers: here they differ in each of them, or end there.
    std::set<std::string> keys{""};
    for (std::size_t size = 1; size <= 10; ++size) {
        const std::string key = std::string("kkkkkkkkkk").substr(0, size);
        keys.insert({key, key.substr(0, size - 1) + 'a', key.substr(0, size - 1) + 'z', key + '\0'});
    }
    OperationList list;
    for (auto key = keys.rbegin(); key != keys.rend(); ++key) list.put(1, *key, "v");
    const std::vector<std::byte> bytes = encode(list, some_fields());
    const RecordView record = view_of(bytes);
    record.validate();
    REQUIRE(record.size() == keys.size());
    std::uint32_t i = 0;
    for (const std::string& key : keys) {
        CHECK(record.operation(i++).key == key);
        CHECK(record.find(1, key));
    }
}

TEST_CASE("many keys that begin alike are in canonical order by tree, the last write of each kept", "[log][fast]") {
    const unsigned seed = GENERATE(1u, 2u, 3u);
    CAPTURE(seed);
    std::mt19937 random(seed);
    std::map<std::pair<std::uint64_t, std::string>, std::string> expected;
    OperationList list;
    for (int i = 0; i < 2000; ++i) {
        const std::uint64_t tree = random() % 3;
        // Alike in up to ten words of eight bytes, and shorter than that now and then.
        std::string key(random() % 8 == 0 ? random() % 90 : 80, 'k');
        for (std::size_t n = random() % 4; n > 0; --n) key += static_cast<char>(random() % 2 * 'a');
        if (random() % 2 == 0) key += std::to_string(i);
        // Tree 2 is written in order.
        if (tree == 2) key = "m" + std::to_string(100000 + i);
        list.put(tree, key, std::to_string(i));
        expected[{tree, key}] = std::to_string(i);
    }
    const std::vector<std::byte> bytes = encode(list, some_fields());
    const RecordView record = view_of(bytes);
    record.validate();
    REQUIRE(record.size() == expected.size());
    bool same = true;
    std::uint32_t i = 0;
    for (const auto& [place, value] : expected) {
        const LogOperation operation = record.operation(i++);
        same = same && operation.tree == place.first && operation.key == place.second && operation.value == value;
    }
    CHECK(same);
}

TEST_CASE("range deletions that come in order and overlap become one", "[log][fast]") {
    for (const bool endless : {false, true}) {
        CAPTURE(endless);
        OperationList list;
        list.erase_range(1, "a", "c");
        if (endless) {
            list.erase_range(1, "b", std::nullopt);
        } else {
            list.erase_range(1, "b", "d");
        }
        const std::vector<std::byte> bytes = encode(list, some_fields());
        view_of(bytes).validate();
        REQUIRE(view_of(bytes).size() == 1);
        const LogOperation all = view_of(bytes).operation(0);
        CHECK(all.key == "a");
        CHECK(all.to_the_end == endless);
        CHECK(all.value == (endless ? "" : "d"));
    }
}

TEST_CASE("an operation that is repeated in another list is the same there", "[log][fast]") {
    OperationList list;
    list.drop_tree(9, "old");
    list.create_tree(10, "new", History::last(3));
    list.put(1, "key", "value");
    list.erase(1, "gone");
    list.erase_range(2, "a", "c");
    list.erase_range(3, "d", std::nullopt);
    list.set_history(1, "tree", History::last(4));
    list.set_history(1, "tree", History::last(5));  // the last one counts
    list.redact(1, "secret", {});
    list.prune({});
    const std::vector<std::byte> bytes = encode(list, some_fields());
    const RecordView record = view_of(bytes);
    record.validate();
    REQUIRE(record.size() == 9);
    OperationList other;
    for (std::uint32_t i = 0; i < record.size(); ++i) {
        const LogOperation operation = record.operation(i);
        if (operation.kind == OperationKind::set_history) CHECK(decode_history(operation).amount == 5);
        other.repeat(operation);
    }
    CHECK(encode(other, some_fields()) == bytes);
}

TEST_CASE("redactions of a key stay all of them, in order", "[log][fast]") {
    OperationList list;
    for (const Txn txn : {Txn{9}, Txn{3}, Txn{5}}) {
        for (const char* const key : {"b", "a"}) {
            Redaction redaction;
            redaction.txn = txn;
            list.redact(1, key, redaction);
        }
    }
    const std::vector<std::byte> bytes = encode(list, some_fields());
    const RecordView record = view_of(bytes);
    record.validate();
    REQUIRE(record.size() == 6);
    std::string found;
    for (std::uint32_t i = 0; i < record.size(); ++i) {
        found += std::string(record.operation(i).key) + std::to_string(decode_redaction(record.operation(i)).txn);
    }
    CHECK(found == "a3a5a9b3b5b9");
}

TEST_CASE("a list that is used again has nothing of before in its order", "[log][fast]") {
    OperationList list;
    for (const std::size_t count : {std::size_t{5}, std::size_t{3}, std::size_t{7}}) {
        for (std::size_t i = count; i > 0; --i) list.put(1, "key" + std::to_string(i), "v");
        const std::vector<std::byte> bytes = encode(list, some_fields());
        view_of(bytes).validate();
        REQUIRE(view_of(bytes).size() == count);
        for (std::uint32_t i = 0; i < count; ++i) {
            CHECK(view_of(bytes).operation(i).key == "key" + std::to_string(i + 1));
        }
        list.clear();
    }
}

TEST_CASE("a range deletion that was cut to nothing is not repeated", "[log][fast]") {
    OperationList list;
    LogOperation operation;
    operation.kind = OperationKind::erase_range;
    operation.tree = 1;
    operation.key = operation.value = "k";
    list.repeat(operation);
    CHECK(list.size() == 0);
    operation.to_the_end = true;
    list.repeat(operation);
    CHECK(list.size() == 1);
}
