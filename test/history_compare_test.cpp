#include <catch2/catch.hpp>

#include "history_support.hpp"

#include "history/compare.hpp"

#include <functional>

using namespace history_test;

namespace {

using Does = std::function<void(OperationList&)>;

/// A log of one transaction for each change.
struct Told {
    explicit Told(const std::vector<Does>& changes) : world(7) {
        for (const Does& change : changes) {
            OperationList list;
            change(list);
            world.writer.commit(list);
        }
    }
    Txn last() const { return world.writer.at.txn; }
    Segment segment() { return Segment(world.segment(0, last())); }
    World world;
};

const HistoryComparison::HorizonOf k_everything = [](std::uint64_t) { return Txn{0}; };

std::string difference(World& log, const std::vector<const SegmentView*>& stored, Txn last,
                       const HistoryComparison::HorizonOf& horizon = k_everything,
                       const std::string& erasing = "") {
    HistoryComparison comparison(horizon, {std::byte{1}, std::byte{2}});
    ChangeReader reader;
    log.replay(0, last, [&](const RecordView& record) {
        if (reader.add(record)) comparison.add_logged(reader);
    });
    if (!erasing.empty()) comparison.expect_erased(1, erasing, 1);
    for (const SegmentView* view : stored) {
        std::vector<std::shared_ptr<const SegmentView>> alone;
        alone.emplace_back(std::shared_ptr<void>(), view);
        comparison.add_stored(SegmentSet(std::move(alone)));
    }
    return comparison.difference();
}

std::vector<Does> three_transactions() {
    return {[](OperationList& list) {
                list.put(1, "a", "1");
                list.put(1, "d", "4");
                list.put(1, "long", std::string(100, 'x'));
                list.put(2, "c", "3");
            },
            [](OperationList& list) {
                list.erase(1, "a");
                list.erase_range(1, "d", "f");
            },
            [](OperationList& list) { list.put(1, "a", "2"); }};
}

}  // namespace

TEST_CASE("segments made of a log say what it says, whole or in pieces", "[history][fast][COMPARE-1]") {
    const std::uint64_t seed = GENERATE(1u, 2u, 3u);
    INFO("seed " << seed);
    World world(seed);
    for (int i = 0; i < 300; ++i) world.commit();
    const Txn last = world.writer.at.txn;
    const Segment whole(world.segment(0, last));
    CHECK(difference(world, {&whole.view}, last).empty());
    const Segment first(world.segment(0, 100));
    const Segment rest(world.segment(100, last));
    CHECK(difference(world, {&first.view, &rest.view}, last).empty());
    CHECK_FALSE(difference(world, {&first.view}, last).empty());
    CHECK_FALSE(difference(world, {&whole.view, &rest.view}, last).empty());
}

TEST_CASE("whatever segments say otherwise than the log is noticed, and the tree named", "[history][fast][COMPARE-2]") {
    Told log(three_transactions());
    const Segment truth = log.segment();
    CHECK(difference(log.world, {&truth.view}, log.last()).empty());
    struct Lie {
        const char* what;
        std::size_t txn;
        Does change;
    };
    const auto first = [](const char* a, const std::string& text, std::uint64_t tree, const char* key) {
        return [=](OperationList& list) {
            list.put(1, "a", a);
            list.put(1, "d", "4");
            list.put(1, "long", text);
            list.put(tree, key, "3");
        };
    };
    const std::string x(100, 'x');
    const Lie lies[] = {
        {"a short value", 0, first("9", x, 2, "c")},
        {"the bytes of a long value", 0, first("1", std::string(99, 'x') + 'y', 2, "c")},
        {"another key", 0, first("1", x, 2, "b")},
        {"another tree", 0, first("1", x, 3, "c")},
        {"an erasure too few", 1, [](OperationList& list) { list.erase_range(1, "d", "f"); }},
        {"an erasure that was a value", 1,
         [](OperationList& list) {
             list.put(1, "a", "");
             list.erase_range(1, "d", "f");
         }},
        {"another end of a range", 1,
         [](OperationList& list) {
             list.erase(1, "a");
             list.erase_range(1, "d", "g");
         }},
        {"a range to the end", 1,
         [](OperationList& list) {
             list.erase(1, "a");
             list.erase_range(1, "d", std::nullopt);
         }},
        {"a range too few", 1, [](OperationList& list) { list.erase(1, "a"); }},
        {"a version too many", 2,
         [](OperationList& list) {
             list.put(1, "a", "2");
             list.put(1, "b", "2");
         }},
    };
    for (const Lie& lie : lies) {
        INFO(lie.what);
        std::vector<Does> changes = three_transactions();
        changes[lie.txn] = lie.change;
        Told other(changes);
        const Segment stored = other.segment();
        const std::string found = difference(log.world, {&stored.view}, log.last());
        INFO(found);
        CHECK((found.ends_with("tree 1") || found.ends_with("tree 2")));
    }
    // The same values, but of each other's transactions.
    std::vector<Does> exchanged = three_transactions();
    std::swap(exchanged[1], exchanged[2]);
    Told other(exchanged);
    const Segment stored = other.segment();
    CHECK(difference(log.world, {&stored.view}, log.last()) == "versions of a key of tree 1");
}

TEST_CASE("what lies at or before the horizon of a tree is not compared", "[history][fast][PAST-5]") {
    Told log(three_transactions());
    std::vector<Does> changes = three_transactions();
    changes[0] = [](OperationList& list) {
        list.put(1, "a", "9");
        list.put(1, "d", "4");
        list.put(1, "long", std::string(100, 'x'));
        list.put(2, "c", "3");
    };
    Told other(changes);
    const Segment stored = other.segment();
    const auto from = [&](std::optional<Txn> horizon) {
        return difference(log.world, {&stored.view}, log.last(), [=](std::uint64_t tree) {
            return tree == 1 ? horizon : std::optional<Txn>(0);
        });
    };
    CHECK_FALSE(from(0).empty());
    CHECK(from(1).empty());
    CHECK(from(std::nullopt).empty());
}

TEST_CASE("segments may still say where a value was that the log lost to a redaction", "[history][fast][CHAIN-3]") {
    Told log({[](OperationList& list) {
        list.put(1, "long", std::string(100, 'x'));
        list.put(1, "other", std::string(100, 'y'));
        list.put(1, "short", "s");
    }});
    const Segment before = log.segment();
    World& world = log.world;
    const auto redact = [&](std::string_view key) {
        const RecordView record = expect_record(world.log, world.writer.directory, world.writer.starts.front(),
                                                world.writer.seed);
        std::byte* const place = world.writer.place(record.position());
        const std::size_t length = record.bytes().size();
        for (std::uint32_t i = 0; i < RecordView({place, length}).size(); ++i) {
            if (RecordView({place, length}).operation(i).key != key) continue;
            redact_record({place, length}, i, world.writer.seed);
        }
    };
    redact("long");
    const Segment after = log.segment();
    CHECK(difference(world, {&before.view}, 1).empty());
    CHECK(difference(world, {&after.view}, 1).empty());
    // A value in the segment itself has to go from there.
    redact("short");
    CHECK(difference(world, {&before.view}, 1) == "versions of a key of tree 1");
    CHECK(difference(world, {&after.view}, 1) == "versions of a key of tree 1");
    const Segment both = log.segment();
    CHECK(difference(world, {&both.view}, 1).empty());
    // While a redaction is not finished it may still be there, what that redaction erases and nothing else.
    CHECK(difference(world, {&after.view}, 1, k_everything, "short").empty());
    CHECK(difference(world, {&both.view}, 1, k_everything, "short").empty());
    CHECK(difference(world, {&after.view}, 1, k_everything, "long") == "versions of a key of tree 1");
}
