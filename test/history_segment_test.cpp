#include <catch2/catch.hpp>

#include "history_support.hpp"

#include <atomic>
#include <chrono>
#include <cstring>
#include <ctime>
#include <thread>

using namespace history_test;

namespace {

// A source says what the model says, for every key and point, by every way of asking.
void check_source(World& world, const HistorySource& source, Txn after, Txn last) {
    const std::vector<std::uint64_t> trees{0, 1, 2, 3, 4};
    std::vector<Txn> points{after, after + 1, last};
    for (int i = 0; i < 12; ++i) points.push_back(world.random.between(after, last));
    for (const std::uint64_t tree : trees) {
        std::vector<std::string> keys = world.ordered;
        if (tree == 0) keys = {"tree0", "tree1", "tree2"};
        for (const Txn txn : points) {
            std::vector<std::string> met;
            for (const std::string& key : keys) {
                const auto* wanted = world.newest(tree, key, txn, after);
                const std::optional<HistoryVersion> found = source.newest(tree, key, txn);
                REQUIRE(found.has_value() == (wanted != nullptr));
                if (wanted == nullptr) continue;
                REQUIRE(found->txn == wanted->first);
                REQUIRE(world.read(tree, key, *found) == wanted->second.value);
                if (source.newest_point(tree, key, txn)) met.push_back(key);
            }
            // Both ways over all keys that have a version by point.
            const std::unique_ptr<HistoryCursor> cursor = source.cursor(tree, txn);
            std::vector<std::string> seen;
            for (bool on = cursor->seek(""); on; on = cursor->next()) {
                seen.emplace_back(cursor->key());
                REQUIRE(cursor->version() == *source.newest_point(tree, cursor->key(), txn));
            }
            REQUIRE(seen == met);
            std::vector<std::string> back;
            for (bool on = cursor->seek_before(std::nullopt); on; on = cursor->prev()) back.emplace_back(cursor->key());
            std::reverse(back.begin(), back.end());
            REQUIRE(back == met);
            for (int i = 0; i < 5; ++i) {
                const std::string from = world.random.chance(1, 2) ? keys[world.random.below(keys.size())]
                                                                   : std::to_string(world.random.below(2000));
                const auto at = std::lower_bound(met.begin(), met.end(), from);
                REQUIRE(cursor->seek(from) == (at != met.end()));
                if (at != met.end()) {
                    REQUIRE(cursor->key() == *at);
                    REQUIRE(cursor->prev() == (at != met.begin()));
                    if (at != met.begin()) REQUIRE(cursor->key() == *std::prev(at));
                }
                REQUIRE(cursor->seek_before(from) == (at != met.begin()));
                if (at != met.begin()) {
                    REQUIRE(cursor->key() == *std::prev(at));
                    REQUIRE(cursor->next() == (at != met.end()));
                }
            }
        }
        for (const std::string& key : keys) {
            std::vector<Txn> wanted;
            const auto found = world.model.find({tree, key});
            if (found != world.model.end()) {
                for (const auto& [txn, write] : found->second) {
                    if (write.point && txn > after && txn <= last) wanted.push_back(txn);
                }
            }
            std::reverse(wanted.begin(), wanted.end());
            std::vector<Txn> seen;
            source.each_version(tree, key, [&](const HistoryVersion& version) {
                seen.push_back(version.txn);
                return true;
            });
            REQUIRE(seen == wanted);
        }
    }
}

}  // namespace

TEST_CASE("a segment and a tail answer like the model", "[history][fast]") {
    const std::uint64_t seed = GENERATE(1u, 2u, 3u, 4u);
    INFO("seed " << seed);
    World world(seed);
    for (int i = 0; i < 400; ++i) world.commit();
    const Txn last = world.writer.at.txn;
    const Segment whole(world.segment(0, last));
    whole.view.validate();
    CHECK(whole.view.header().version_blocks > 5);
    CHECK(whole.view.header().ranges > 20);
    check_source(world, whole.view, 0, last);
    const Segment piece(world.segment(100, 180));
    piece.view.validate();
    check_source(world, piece.view, 100, 180);
    const std::shared_ptr<HistoryTail> tail = world.tail(50, last);
    check_source(world, *tail, 50, last);
    const std::shared_ptr<HistoryTail> rest = tail->rest_of(200);
    check_source(world, *rest, 200, last);
    for (const HistorySource* source : {static_cast<const HistorySource*>(&piece.view),
                                        static_cast<const HistorySource*>(rest.get())}) {
        for (int i = 0; i < 200; ++i) {
            const std::string from = world.ordered[world.random.below(world.ordered.size())];
            std::optional<std::string> to = world.ordered[world.random.below(world.ordered.size())];
            if (world.random.chance(1, 5)) to.reset();
            std::multiset<std::pair<std::string, Txn>> seen;
            source->each_range(1, from, to, [&](const HistoryRange& range) {
                seen.insert({std::string(range.from), range.txn});
            });
            std::multiset<std::pair<std::string, Txn>> wanted;
            ChangeReader reader;
            world.replay(source->after(), source->last(), [&](const RecordView& record) {
                if (!reader.add(record)) return;
                for (const HistoryRange& range : reader.ranges()) {
                    if (range.tree == 1 && (!to || range.from < *to) && (range.to_the_end || range.to > from)) {
                        wanted.insert({std::string(range.from), range.txn});
                    }
                }
            });
            REQUIRE(seen == wanted);
        }
    }
}

TEST_CASE("a segment in pieces answers like the model", "[history][fast][REWRITE-1]") {
    const std::uint64_t seed = GENERATE(1u, 2u);
    INFO("seed " << seed);
    World world(seed);
    for (int i = 0; i < 400; ++i) world.commit();
    const Txn last = world.writer.at.txn;
    const std::vector<std::byte> whole = world.segment(0, last);
    const auto set_of = [](std::vector<std::shared_ptr<const SegmentView>> pieces) {
        return std::make_shared<const SegmentSet>(std::move(pieces));
    };
    const std::vector<std::shared_ptr<const SegmentSet>> sets{set_of({std::make_shared<SegmentView>(whole)})};
    std::vector<std::vector<std::byte>> bytes;
    RewritePlace place;
    while (place.stage != RewritePlace::Stage::done) {
        RewrittenPiece piece = rewrite_piece(sets, unchanged_history(), place, {3000, ~std::uint64_t{0}}, false);
        place = std::move(piece.next);
        if (!piece.segment.empty()) bytes.push_back(std::move(piece.segment));
    }
    std::vector<std::shared_ptr<const SegmentView>> pieces;
    for (const std::vector<std::byte>& piece : bytes) pieces.push_back(std::make_shared<SegmentView>(piece));
    REQUIRE(pieces.size() > 5);
    check_source(world, *set_of(std::move(pieces)), 0, last);
}

TEST_CASE("commits whose keys are in order are sealed in one order", "[history][fast]") {
    World world(3);
    constexpr Txn k_last = 7;
    for (Txn txn = 1; txn <= k_last; ++txn) {
        OperationList list;
        for (std::uint64_t i = 0; i < 100; ++i) {
            const std::string key = std::to_string(1000 + i * txn);
            list.put(1, key, "value");
            world.model[{1, key}][txn] = {"value", true};
        }
        world.writer.commit(list);
    }
    const Segment segment(world.segment(0, k_last));
    segment.view.validate();
    for (const auto& [key, versions] : world.model) {
        for (Txn txn = 1; txn <= k_last; ++txn) {
            const auto* const wanted = world.newest(1, key.second, txn);
            const std::optional<HistoryVersion> found = segment.view.newest(1, key.second, txn);
            REQUIRE(found.has_value() == (wanted != nullptr));
            if (wanted != nullptr) REQUIRE(found->txn == wanted->first);
        }
    }
}

TEST_CASE("merging segments gives the bytes that building from the log gives", "[history][fast][PAST-10]") {
    const std::uint64_t seed = GENERATE(11u, 12u, 13u);
    INFO("seed " << seed);
    World world(seed);
    for (int i = 0; i < 600; ++i) world.commit();
    const std::vector<Txn> cuts{0, 90, 91, 300, 600};
    std::vector<std::unique_ptr<Segment>> pieces;
    for (std::size_t i = 1; i < cuts.size(); ++i) {
        pieces.push_back(std::make_unique<Segment>(world.segment(cuts[i - 1], cuts[i])));
    }
    const std::vector<std::byte> whole = world.segment(0, 600);
    std::vector<const SegmentView*> views;
    for (const auto& piece : pieces) views.push_back(&piece->view);
    CHECK(merge(views) == whole);
    // In another order of merging, too.
    const Segment front(merge({views[0], views[1]}));
    const Segment back(merge({views[2], views[3]}));
    CHECK(merge({&front.view, &back.view}) == whole);
    CHECK(front.bytes == world.segment(0, 91));
    CHECK_THROWS_AS(merge({views[0], views[2]}), Error);
    const Segment nothing(world.segment(600, 600));
    nothing.view.validate();
    CHECK(merge({views[0], views[1], views[2], views[3], &nothing.view}) == whole);
}

TEST_CASE("segments, a tail and their merge answer as one index", "[history][fast]") {
    const std::uint64_t seed = GENERATE(21u, 22u);
    INFO("seed " << seed);
    World world(seed);
    for (int i = 0; i < 500; ++i) world.commit();
    std::vector<std::unique_ptr<Segment>> pieces;
    std::vector<std::shared_ptr<const HistorySource>> sources;
    const std::vector<Txn> cuts{0, 120, 250, 251, 400};
    for (std::size_t i = 1; i < cuts.size(); ++i) {
        pieces.push_back(std::make_unique<Segment>(world.segment(cuts[i - 1], cuts[i])));
        sources.emplace_back(std::shared_ptr<void>(), &pieces.back()->view);
    }
    sources.push_back(world.tail(400, 500));
    const HistoryIndex index(sources);
    for (int round = 0; round < 25; ++round) {
        const Txn txn = round == 0 ? 500 : world.random.between(1, 500);
        for (std::uint64_t tree = 0; tree < 4; ++tree) {
            std::map<std::string, std::optional<std::string>> wanted;
            for (const auto& [key, versions] : world.model) {
                if (key.first != tree) continue;
                const auto* write = world.newest(tree, key.second, txn);
                const std::optional<HistoryVersion> found = index.newest(tree, key.second, txn);
                REQUIRE(found.has_value() == (write != nullptr));
                if (write == nullptr) continue;
                REQUIRE(found->txn == write->first);
                REQUIRE(world.read(tree, key.second, *found) == write->second.value);
                if (write->second.value) wanted[key.second] = write->second.value;
            }
            std::map<std::string, std::optional<std::string>> seen;
            const std::unique_ptr<HistoryCursor> cursor = index.cursor(tree, txn);
            for (bool on = cursor->seek(""); on; on = cursor->next()) {
                if (cursor->version().kind == HistoryVersion::Kind::erased) continue;
                seen[std::string(cursor->key())] = world.read(tree, cursor->key(), cursor->version());
            }
            REQUIRE(seen == wanted);
            std::map<std::string, std::optional<std::string>> back;
            for (bool on = cursor->seek_before(std::nullopt); on; on = cursor->prev()) {
                if (cursor->version().kind == HistoryVersion::Kind::erased) continue;
                back[std::string(cursor->key())] = world.read(tree, cursor->key(), cursor->version());
            }
            REQUIRE(back == wanted);
            // A walk that turns around at random stays on the same list of keys.
            std::vector<std::string> all;
            for (bool on = cursor->seek(""); on; on = cursor->next()) all.emplace_back(cursor->key());
            if (all.empty()) continue;
            std::size_t at = world.random.below(all.size());
            REQUIRE(cursor->seek(all[at]));
            for (int step = 0; step < 60; ++step) {
                REQUIRE(cursor->key() == all[at]);
                const bool forward = world.random.chance(1, 2);
                const bool there = forward ? at + 1 < all.size() : at > 0;
                if (!there) continue;
                REQUIRE((forward ? cursor->next() : cursor->prev()));
                at = forward ? at + 1 : at - 1;
            }
        }
    }
    for (const auto& [entry, versions] : world.model) {
        const std::pair<std::uint64_t, std::string>& key = entry;
        // As a reader of one key's history sees it: erasing what is not there is no version, except by name.
        std::vector<std::pair<Txn, std::optional<std::string>>> wanted;
        bool there = false;
        for (const auto& [txn, write] : versions) {
            if (write.point || there) wanted.emplace_back(txn, write.value);
            there = write.value.has_value();
        }
        std::reverse(wanted.begin(), wanted.end());
        std::vector<std::pair<Txn, std::optional<std::string>>> seen;
        index.each_version(key.first, key.second, 0, 0, [&](const HistoryVersion& version) {
            seen.emplace_back(version.txn, world.read(key.first, key.second, version));
            return true;
        });
        REQUIRE(seen == wanted);
    }
}

TEST_CASE("anchors lead to every transaction and time", "[history][fast]") {
    World world(31);
    for (int i = 0; i < 900; ++i) world.commit();
    const Segment segment(world.segment(0, 700));
    const std::shared_ptr<HistoryTail> tail = world.tail(700, 900);
    const std::shared_ptr<const HistorySource> sealed(std::shared_ptr<void>(), &segment.view);
    const HistoryIndex index({sealed, tail});
    CHECK(segment.view.anchors() > 3);
    std::vector<std::uint64_t> times{0};
    world.replay(0, 900, [&](const RecordView& record) {
        if (record.kind() == RecordKind::commit) times.push_back(record.header().time_us);
    });
    for (int i = 0; i < 300; ++i) {
        const Txn txn = world.random.between(1, 900);
        const std::optional<LogAnchor> anchor = index.anchor_of(txn);
        REQUIRE(anchor);
        REQUIRE(anchor->txn <= txn);
        REQUIRE(anchor->time_us == times[anchor->txn]);
        ExtentDirectory directory = world.writer.directory;
        LogScanner scanner(world.log, directory, world.writer.seed, anchor->cursor());
        RecordView record;
        while (scanner.cursor().txn < txn) REQUIRE(scanner.next(record));
        REQUIRE(record.txn() == txn);
        REQUIRE(record.position() - anchor->position < k_anchor_stretch + 200000);
        const std::uint64_t time = world.random.below(times.back() + 10);
        const std::optional<LogAnchor> at = index.anchor_at(time);
        const auto behind = std::upper_bound(times.begin() + 1, times.end(), time);
        const auto newest = static_cast<Txn>(behind - times.begin()) - 1;
        REQUIRE(at.has_value() == (newest > 0));
        if (at) {
            REQUIRE(at->txn <= newest);
            REQUIRE(at->time_us <= time);
        }
    }
    CHECK_FALSE(index.anchor_of(0));
}

TEST_CASE("pruning keeps every state from the horizon on", "[history][fast][PAST-5]") {
    const std::uint64_t seed = GENERATE(41u, 42u);
    INFO("seed " << seed);
    World world(seed);
    for (int i = 0; i < 500; ++i) world.commit();
    const Segment one(world.segment(0, 250));
    const Segment two(world.segment(250, 500));
    RewriteOptions options = unchanged_history();
    options.rule = [](std::uint64_t tree) { return TreeRule{tree != 2, tree == 1 ? Txn{300} : 0, 0}; };
    options.in_base = [](std::uint64_t, std::string_view, Txn) { return false; };
    // The log is to begin with the commit of the horizon.
    ChangeReader reader;
    world.replay(299, 300, [&](const RecordView& record) {
        if (reader.add(record)) options.first = reader.anchor();
    });
    options.value = [&](std::uint64_t tree, std::string_view key, const HistoryVersion& version) {
        return read_logged_value(world.log, world.writer.directory, tree, key, version);
    };
    const Segment pruned(merge({&one.view, &two.view}, options));
    pruned.view.validate();
    CHECK(pruned.bytes.size() < one.bytes.size() + two.bytes.size());
    CHECK(pruned.view.header().horizon == 300);
    // Once more changes nothing.
    CHECK(merge({&pruned.view}, options) == pruned.bytes);
    std::uint64_t carried = 0;
    for (const auto& [key, versions] : world.model) {
        if (key.first == 2) {
            REQUIRE_FALSE(pruned.view.newest(2, key.second, 500));
            continue;
        }
        for (int i = 0; i < 20; ++i) {
            const Txn txn = key.first == 1 ? world.random.between(300, 500) : world.random.between(1, 500);
            const auto* write = world.newest(key.first, key.second, txn);
            const std::optional<HistoryVersion> found = pruned.view.newest(key.first, key.second, txn);
            const bool there = write != nullptr && write->second.value;
            REQUIRE((found && found->kind != HistoryVersion::Kind::erased) == there);
            if (!there) continue;
            REQUIRE(found->txn == write->first);
            REQUIRE(world.read(key.first, key.second, *found) == write->second.value);
            REQUIRE((found->kind == HistoryVersion::Kind::inlined || found->position >= options.first.position));
            carried += found->kind == HistoryVersion::Kind::inlined && found->value.size() > k_max_inline_version;
        }
        if (key.first != 1) continue;
        int old = 0;
        pruned.view.each_version(1, key.second, [&](const HistoryVersion& version) {
            old += version.txn <= 300;
            return true;
        });
        REQUIRE(old <= 1);
    }
    CHECK(carried > 0);
}

TEST_CASE("redacted values leave segments and stay out of them", "[history][fast]") {
    World world(51);
    for (int i = 0; i < 120; ++i) world.commit();
    // Redact every second put of one key in the log.
    const std::string key = world.ordered[3];
    std::set<std::pair<std::uint64_t, Txn>> gone;
    const Segment before(world.segment(0, 120));
    std::vector<std::uint64_t> positions;
    world.replay(0, 120, [&](const RecordView& record) {
        if (record.parts().count == 0 && record.kind() == RecordKind::commit) positions.push_back(record.position());
    });
    for (const std::uint64_t position : positions) {
        const RecordView record = expect_record(world.log, world.writer.directory, position, world.writer.seed);
        const std::size_t length = record.bytes().size();
        std::byte* const place = world.writer.place(position);
        for (std::uint32_t i = 0; i < RecordView({place, length}).size(); ++i) {
            const LogOperation operation = RecordView({place, length}).operation(i);
            if (operation.kind != OperationKind::put || operation.key != key) continue;
            gone.insert({operation.tree, record.txn()});
            redact_record({place, length}, i, world.writer.seed);
        }
    }
    REQUIRE(gone.size() > 10);
    const std::vector<std::byte> rebuilt = world.segment(0, 120);
    RewriteOptions options = unchanged_history();
    options.redacted = [&](std::uint64_t tree, std::string_view k, Txn txn) {
        return k == key && gone.count({tree, txn}) != 0;
    };
    CHECK(merge({&before.view}, options) == rebuilt);
    const Segment after(rebuilt);
    std::size_t seen = 0;
    for (const auto& [tree, txn] : gone) {
        const std::optional<HistoryVersion> now = after.view.newest_point(tree, key, txn);
        REQUIRE(now);
        REQUIRE(now->kind == HistoryVersion::Kind::redacted);
        // The old segment's long values lead to an operation that says so.
        const std::optional<HistoryVersion> then = before.view.newest_point(tree, key, txn);
        if (then->kind == HistoryVersion::Kind::logged) {
            REQUIRE(world.read(tree, key, *then) == "<redacted>");
            ++seen;
        }
    }
    CHECK(seen > 3);
}

TEST_CASE("a value in the log is believed only when it is the one that was indexed", "[history][fast]") {
    World world(61);
    OperationList list;
    const std::string value(100, 'x');
    list.put(7, "key", value);
    world.writer.commit(list);
    const Segment segment(world.segment(0, 1));
    const HistoryVersion version = *segment.view.newest_point(7, "key", 1);
    REQUIRE(version.kind == HistoryVersion::Kind::logged);
    const ExtentDirectory& extents = world.writer.directory;
    CHECK(read_logged_value(world.log, extents, 7, "key", version) == value);
    CHECK_THROWS_AS(read_logged_value(world.log, extents, 8, "key", version), Error);
    CHECK_THROWS_AS(read_logged_value(world.log, extents, 7, "kez", version), Error);
    HistoryVersion other = version;
    other.length = ~std::uint64_t{0};
    CHECK_THROWS_AS(read_logged_value(world.log, extents, 7, "key", other), Error);
    other = version;
    other.position += 8;
    CHECK_THROWS_AS(read_logged_value(world.log, extents, 7, "key", other), Error);
    other.position = 1;
    CHECK_THROWS_AS(read_logged_value(world.log, extents, 7, "key", other), Error);
    std::byte* const place = world.writer.place(version.position);
    for (std::size_t i = 0; i < 106; ++i) {
        place[i] ^= std::byte{0x40};
        CHECK_THROWS_AS(read_logged_value(world.log, extents, 7, "key", version), Error);
        place[i] ^= std::byte{0x40};
    }
}

namespace {

// Asks a segment everything; false: it said that it is damaged.
bool ask_everything(const std::vector<std::byte>& bytes, const std::vector<std::string>& keys, Txn last) {
    try {
        const SegmentView view(bytes);
        for (std::uint64_t tree = 0; tree < 4; ++tree) {
            for (const std::string& key : keys) {
                view.newest(tree, key, last);
                view.newest(tree, key, last / 2);
            }
            view.each_version(tree, keys.front(), [](const HistoryVersion&) { return true; });
            view.each_range(tree, "", std::nullopt, [](const HistoryRange&) {});
            const std::unique_ptr<HistoryCursor> cursor = view.cursor(tree, last);
            int steps = 0;
            for (bool on = cursor->seek(keys[1]); on && steps < 5000; on = cursor->next()) ++steps;
            for (bool on = cursor->seek_before(std::nullopt); on && steps < 5000; on = cursor->prev()) ++steps;
        }
        view.anchor_of(last);
        view.anchor_at(1000);
        merge({&view});
        view.validate();
        return true;
    } catch (const Error& error) {
        REQUIRE(error.code() == Errc::corrupt);
        return false;
    }
}

}  // namespace

TEST_CASE("a segment with any changed byte says so or never looks at it", "[history][fast][DMG-1]") {
    World world(71);
    for (int i = 0; i < 60; ++i) world.commit();
    const std::vector<std::byte> good = world.segment(0, 60);
    REQUIRE(ask_everything(good, world.ordered, 60));
    const segment::Layout layout = segment::layout_of(SegmentView(good).header());
    for (std::size_t i = 0; i < good.size(); i += i < 3000 || i + 600 > layout.filter ? 1 : 7) {
        std::vector<std::byte> bad = good;
        bad[i] ^= std::byte{0x21};
        bool ok = false;
        try {
            SegmentView(bad).validate();
            ok = true;
        } catch (const Error& error) {
            REQUIRE(error.code() == Errc::corrupt);
        }
        REQUIRE_FALSE(ok);
    }
    for (std::size_t cut = 0; cut < good.size(); cut += 1 + cut / 20) {
        const std::vector<std::byte> shorter(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(cut));
        REQUIRE_THROWS_AS(SegmentView(shorter), Error);
    }
}

TEST_CASE("segments made to fit their checksums never lead outside or astray for ever",
          "[history][fast][DMG-6][ERR-6]") {
    const std::uint64_t seed = 81;
    World world(seed);
    for (int i = 0; i < 150; ++i) world.commit();
    const std::vector<std::byte> good = world.segment(0, 150);
    const std::vector<std::string> few(world.ordered.begin(), world.ordered.begin() + 12);
    const SegmentView view(good);
    const segment::Layout layout = segment::layout_of(view.header());
    Random random(seed);
    int refused = 0;
    int accepted = 0;
    for (int round = 0; round < 4000; ++round) {
        std::vector<std::byte> bad = good;
        for (std::uint64_t n = 1 + random.below(3); n > 0; --n) {
            // Mostly in blocks and directory; the filter is large and harmless.
            const std::uint64_t at = random.chance(1, 10)  ? 16 + random.below(130)
                                     : random.chance(1, 5) ? layout.directory + random.below(600)
                                     : random.chance(1, 9) ? layout.anchors + random.below(200)
                                                           : 256 + random.below(layout.directory - 256);
            if (at >= bad.size()) continue;
            const auto any = static_cast<std::byte>(random.next());
            bad[at] = random.chance(1, 2) ? any : bad[at] ^ static_cast<std::byte>(1u << random.below(8));
        }
        repair(bad);
        ++(ask_everything(bad, few, 150) ? accepted : refused);
    }
    CHECK(refused > 1000);
    CHECK(accepted > 10);
}

TEST_CASE("a log that goes on elsewhere than history ends is damage", "[history][fast][ERR-6]") {
    // A meta page can say where the log behind the sealed history begins, and be wrong with a checksum that fits.
    World world(1);
    while (world.writer.at.txn < 6) world.commit();
    HistoryTail tail(0);
    SegmentBuilder builder(0, 4096);
    ChangeReader reader;
    world.replay(2, 3, [&](const RecordView& record) {
        if (reader.add(record)) CHECK_THROWS_AS(tail.add(reader), Error);
        if (record.kind() == RecordKind::commit) CHECK_THROWS_AS(builder.add(record), Error);
    });
    CHECK(tail.last() == 0);
    CHECK(builder.last() == 0);
}

TEST_CASE("range deletions are merged to the last, however many a segment has", "[history][fast][PAST-10]") {
    SegmentWriter writer({0, 9, 0});
    std::vector<std::string> bounds;
    for (int i = 100000; i <= 120000; ++i) bounds.push_back(std::to_string(i));
    for (std::size_t i = 0; i + 1 < bounds.size(); ++i) writer.add_range({1, bounds[i], bounds[i + 1], false, 9});
    const std::vector<std::byte> bytes = writer.finish({});
    const SegmentView view(bytes);
    CHECK(merge({&view}) == bytes);
}

TEST_CASE("verifying range deletions takes time in proportion to them", "[history][fast][DMG-5]") {
    // Each was looked for through the summaries, which goes over half of them where they overlap.
    constexpr Txn k_ranges = 12000;
    Random random(5);
    SegmentBuilder builder(0, 4096);
    OperationList list;
    std::uint64_t position = 4096;
    for (Txn txn = 1; txn <= k_ranges; ++txn) {
        list.erase_range(1, std::to_string(random.below(1000000)), std::nullopt);
        list.finish();
        RecordFields fields;
        fields.position = position;
        fields.epoch = 1;
        fields.txn = txn;
        fields.time_us = txn;
        std::vector<std::byte> record(list.record_size(RecordKind::commit, false, false, 0));
        list.encode(record, RecordKind::commit, fields);
        seal_record(record, 1);
        builder.add(RecordView(record));
        position += record.size();
        list.clear();
    }
    const Segment segment(builder.finish());
    const std::clock_t before = std::clock();
    segment.view.validate();
    CHECK(std::clock() - before < CLOCKS_PER_SEC);
}

TEST_CASE("a tail may grow and a segment be verified while others read them", "[history][fast]") {
    World world(95);
    for (int i = 0; i < 300; ++i) world.commit();
    const Segment segment(world.segment(0, 100));
    const auto tail = std::make_shared<HistoryTail>(100);
    std::atomic<bool> done{false};
    std::atomic<std::uint64_t> wrong{0};
    std::vector<std::thread> readers;
    for (std::uint64_t n = 0; n < 3; ++n) {
        readers.emplace_back([&, n] {
            Random random(n);
            for (int round = 0; round < 40 || (!done && round < 100000); ++round) {
                const std::uint64_t tree = 1 + random.below(3);
                const std::string& key = world.ordered[random.below(world.ordered.size())];
                const Txn sealed = random.between(1, 100);
                const auto* then = world.newest(tree, key, sealed);
                const std::optional<HistoryVersion> old = segment.view.newest(tree, key, sealed);
                if (old.has_value() != (then != nullptr) || (old && old->txn != then->first)) ++wrong;
                const Txn last = tail->last();
                const auto* now = world.newest(tree, key, last, 100);
                const std::optional<HistoryVersion> found = tail->newest(tree, key, last);
                if (found.has_value() != (now != nullptr) || (found && found->txn != now->first)) ++wrong;
                const std::unique_ptr<HistoryCursor> cursor = tail->cursor(tree, last);
                std::string before;
                for (bool on = cursor->seek(key); on; on = cursor->next()) {
                    if (!before.empty() && cursor->key() <= before) ++wrong;
                    before = cursor->key();
                }
            }
        });
    }
    ChangeReader reader;
    world.replay(100, 300, [&](const RecordView& record) {
        if (reader.add(record)) tail->add(reader);
    });
    done = true;
    for (std::thread& thread : readers) thread.join();
    CHECK(wrong == 0);
}

TEST_CASE("a key that is not there is not mistaken for one that looks like it", "[history][fast]") {
    // Every text of up to eight letters out of three, half of them there: the filter lets some of the others through.
    std::vector<std::string> texts{""};
    for (std::size_t i = 0; i < texts.size() && texts[i].size() < 8; ++i) {
        for (const char c : {'a', 'b', 'c'}) texts.push_back(texts[i] + c);
    }
    std::sort(texts.begin(), texts.end());
    Random random(7);
    std::set<std::string> there;
    SegmentWriter writer({0, 9, 0});
    for (const std::string& text : texts) {
        if (random.chance(1, 2)) continue;
        there.insert(text);
        HistoryVersion version;
        version.txn = 9;
        writer.add(1, text, version);
    }
    const Segment segment(writer.finish({}));
    segment.view.validate();
    for (const std::string& text : texts) {
        REQUIRE(segment.view.newest_point(1, text, 9).has_value() == (there.count(text) != 0));
    }
}

TEST_CASE("the right block is found among keys that are alike, of one version or many", "[history][fast]") {
    const std::uint64_t seed = GENERATE(range<std::uint64_t>(1, 9));
    INFO("seed " << seed);
    Random random(seed);
    // Zero bytes, heads that are equal for eight bytes and more, keys that are beginnings of others.
    const auto some_key = [&] {
        std::string key = random.chance(1, 2) ? "prefix of all/" : "";
        for (std::uint64_t n = random.below(4); n > 0; --n) {
            key += std::string(random.below(12), static_cast<char>(random.chance(1, 3) ? 0 : 'm'));
            key += static_cast<char>(random.below(256));
        }
        return key;
    };
    constexpr Txn k_last = 6000;
    std::map<std::pair<std::uint64_t, std::string>, std::set<Txn, std::greater<>>> model;
    for (int i = 0; i < 6000; ++i) {
        const std::uint64_t tree = seed % 2 == 0 ? 1 : 1 + random.below(60);
        std::set<Txn, std::greater<>>& txns = model[{tree, some_key()}];
        for (std::uint64_t n = random.chance(1, 200) ? 4000 : 1 + random.below(3); n > 0; --n) {
            txns.insert(random.between(1, k_last));
        }
    }
    SegmentWriter writer({0, k_last, 0});
    for (const auto& [key, txns] : model) {
        for (const Txn txn : txns) {
            HistoryVersion version;
            version.txn = txn;
            version.kind = HistoryVersion::Kind::logged;
            version.position = 8 * txn;
            version.length = txn % 300;
            writer.add(key.first, key.second, version);
        }
    }
    const Segment segment(writer.finish({}));
    segment.view.validate();
    const auto ask = [&](std::uint64_t tree, const std::string& key, Txn txn) {
        const auto found = model.find({tree, key});
        Txn wanted = 0;
        if (found != model.end()) {
            if (const auto version = found->second.lower_bound(txn); version != found->second.end()) wanted = *version;
        }
        const std::optional<HistoryVersion> got = segment.view.newest_point(tree, key, txn);
        REQUIRE(got.has_value() == (wanted != 0));
        if (!got) return;
        REQUIRE(got->txn == wanted);
        REQUIRE(got->position == 8 * wanted);
        REQUIRE(got->length == wanted % 300);
    };
    for (const auto& [key, txns] : model) {
        ask(key.first, key.second, random.between(1, k_last));
        ask(key.first, key.second, *txns.rbegin());
        ask(key.first, key.second, *txns.begin() - 1);
        ask(key.first + random.below(2), some_key(), random.between(1, k_last));
    }
}

TEST_CASE("one key of many versions and large range deletions stay cheap", "[history][fast]") {
    World world(91, 16384);
    OperationList list;
    const int commits = 30000;
    for (int i = 1; i <= commits; ++i) {
        list.put(1, "counter", std::to_string(i));
        // A queue is emptied from its front; documents are erased by prefix.
        char key[32];
        std::snprintf(key, sizeof key, "%08d", i);
        list.erase_range(2, "", std::string_view(key));
        std::snprintf(key, sizeof key, "%08d", i * 7919 % 1000003);
        list.erase_range(3, std::string(key), std::string(key) + "~");
        world.writer.commit(list);
    }
    const Segment segment(world.segment(0, commits));
    segment.view.validate();
    const std::shared_ptr<HistoryTail> tail = world.tail(0, commits);
    for (const HistorySource* source :
         {static_cast<const HistorySource*>(&segment.view), static_cast<const HistorySource*>(tail.get())}) {
        const std::clock_t start = std::clock();  // of the processor: others may keep it busy
        for (int i = 1; i <= 3000; ++i) {
            const Txn txn = world.random.between(1, commits);
            REQUIRE(source->newest(1, "counter", txn)->value == std::to_string(txn));
            char key[32];
            const std::uint64_t k = world.random.below(commits);
            std::snprintf(key, sizeof key, "%08d", static_cast<int>(k));
            REQUIRE(source->newest_range(2, key, txn) == (k < txn ? txn : 0));
            const std::uint64_t made = world.random.between(1, commits);
            std::snprintf(key, sizeof key, "%08d", static_cast<int>(made * 7919 % 1000003));
            REQUIRE(source->newest_range(3, std::string(key) + "/x", txn) == (made <= txn ? made : 0));
        }
        const double us = 1e6 * static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
        INFO(us / 3000 << " us for three questions");
        CHECK(us / 3000 < 2000);  // generous: a linear search would take far longer
    }
}

TEST_CASE("how large and how fast a segment is", "[history][.][measure]") {
    World world(101, 40000);
    OperationList list;
    std::vector<std::string> keys;
    Random random(5);
    for (int i = 0; i < 200000; ++i) {
        std::string key(16, '0');
        const char* digits = "0123456789abcdef";
        for (char& c : key) c = digits[random.below(16)];
        keys.push_back(key);
    }
    const std::string value(100, 'v');
    for (int i = 0; i < 300000; ++i) {
        list.put(1, keys[random.below(keys.size())], value);
        world.writer.commit(list);
    }
    const auto time = [](auto&& f) {
        const auto start = std::chrono::steady_clock::now();
        f();
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    };
    std::vector<std::byte> bytes;
    const double built = time([&] { bytes = world.segment(0, 300000); });
    const SegmentView view(bytes);
    WARN("bytes per version: " << double(bytes.size()) / double(view.header().versions) << ", built at "
                               << built / 300000 * 1e9 << " ns per version (with three scans of the log)");
    std::uint64_t found = 0;
    const auto ask = [&] {
        for (int i = 0; i < 200000; ++i) {
            found += view.newest(1, keys[random.below(keys.size())], random.below(300000)).has_value();
        }
    };
    time(ask);
    WARN("newest: " << time(ask) / 200000 * 1e9 << " ns, found " << found);
    const double missed = time([&] {
        for (int i = 0; i < 200000; ++i) found += view.newest(1, "missing" + std::to_string(i), 300000).has_value();
    });
    WARN("newest of a key that is not there: " << missed / 200000 * 1e9 << " ns");
    std::uint64_t walked = 0;
    const double walk = time([&] {
        const auto cursor = view.cursor(1, 150000);
        for (bool on = cursor->seek(""); on; on = cursor->next()) ++walked;
    });
    WARN("cursor: " << walk / double(walked) * 1e9 << " ns per key of " << walked);
    const double merged = time([&] { merge({&view}); });
    WARN("merge: " << merged / 300000 * 1e9 << " ns per version");
    HistoryTail tail(0);
    const double tailed = time([&] {
        ChangeReader reader;
        world.replay(0, 300000, [&](const RecordView& record) {
            if (reader.add(record)) tail.add(reader);
        });
    });
    WARN("tail: " << tailed / 300000 * 1e9 << " ns per commit with scanning, " << double(tail.bytes()) / 300000
                  << " bytes");
}
