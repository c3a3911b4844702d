// history_memory_test.cpp -- the newest part of the history where memory ends.
#include "memory_limit.hpp"

#include <catch2/catch.hpp>

#include "api/northstar.hpp"
#include "history_support.hpp"

namespace {

using namespace history_test;

struct Counts {
    std::size_t versions = 0;
    std::size_t ranges = 0;
};

/// What is told of a key of tree 1, and of range deletions there.
Counts counts_of(const HistoryTail& tail, std::string_view key) {
    Counts counts;
    tail.each_version(1, key, [&](const HistoryVersion&) { return ++counts.versions != 0; });
    tail.each_range(1, {}, std::nullopt, [&](const HistoryRange&) { ++counts.ranges; });
    return counts;
}

}  // namespace

// The rest kept what was there of the commit, which was then added to it as a whole: its first changes were told twice.
TEST_CASE("A commit on which memory ran out is once in the rest of a tail whose front was sealed",
          "[history][fast][TAIL-1]") {
    MemoryLog log(66);
    Writer writer(log, {{4096, 2, 64}}, 71);
    const std::string long_key(1500, 'x');
    OperationList list;
    list.put(1, "key", "first");
    writer.commit(list);
    list.put(1, "key", "second");
    list.erase_range(1, "a", "b");
    list.erase_range(1, long_key, std::nullopt);
    writer.commit(list);
    HistoryTail tail(0);
    std::shared_ptr<HistoryTail> rest;
    ExtentDirectory directory = writer.directory;
    LogCursor start;
    start.position = 4096;
    start.epoch = writer.at.epoch;
    LogScanner scanner(log, directory, writer.seed, start);
    ChangeReader reader;
    for (RecordView record; scanner.next(record);) {
        if (!reader.add(record)) continue;
        if (record.txn() == 1) {
            tail.add(reader);
            continue;
        }
        {
            const memory_test::Limit limit(long_key.size() - 1);
            CHECK_THROWS_AS(tail.add(reader), std::bad_alloc);
        }
        rest = tail.rest_of(1);
        rest->add(reader);
    }
    REQUIRE(rest != nullptr);
    const Counts told = counts_of(*rest, "key");
    CHECK(told.versions == 1);
    CHECK(told.ranges == 2);
}

TEST_CASE("A past that could not be read for want of memory is read when there is some", "[history][fast][ERR-5]") {
    constexpr int k_keys = 20'000;
    Options options;
    options.background = false;
    Database db = Database::open(":memory:", options);
    db.update([](Transaction& tx) { tx.tree("t").put("key", "first"); });
    db.update([](Transaction& tx) {
        for (int i = 0; i < k_keys; ++i) tx.tree("t").put("k" + std::to_string(i), "v");
    });
    db.update([](Transaction& tx) { tx.tree("t").put("key", "last"); });
    {
        // The changes of the second commit do not fit.
        const memory_test::Limit limit(std::size_t{256} << 10);
        CHECK_THROWS_AS(db.begin_read(AsOf::txn(2)), Error);
    }
    const Snapshot then = db.begin_read(AsOf::txn(2));
    CHECK(then.tree("t").get("key") == "first");
    CHECK(then.tree("t").size() == k_keys + 1);
}
