// segment_fuzz.cpp -- a sealed segment of the history: every question ends, answers lie inside its bytes [SEGMENT-2],
// and of one that validate() lets pass all ways of reading say the same.
#include "hard/fuzz/base_parts.hpp"
#include "hard/fuzz/mend.hpp"

#include "base/random.hpp"
#include "history/segment.hpp"
#include "history/rewrite.hpp"
#include "history/segment_build.hpp"
#include "log/operation_list.hpp"

#include <algorithm>
#include <map>

namespace northstar::hard {

using namespace detail;

namespace {

template <class F>
bool whole(F&& f) {
    try {
        f();
        return true;
    } catch (const Error& error) {
        if (error.code() != Errc::corrupt) finding(std::string("damage is called ") + error.what());
        return false;
    }
}

struct Named {
    std::uint64_t tree;
    std::string key;
};

/// Keys that the segment says it has, and some that it may not have.
std::vector<Named> keys_of(const SegmentView& view) {
    std::vector<Named> keys = {
        {0, ""}, {0, "big"}, {1, "key/1"}, {1, ""}, {2, "long"}, {7, "~"}, {~std::uint64_t{0}, "x"}};
    SegmentView::Keys block;
    for (std::uint32_t i = 0; i < view.version_blocks() && keys.size() < 80; ++i) {
        whole([&] {
            view.load_keys(i, block);
            for (std::size_t k = 0; k < block.keys.size() && keys.size() < 80; ++k) {
                keys.push_back({block.tree, std::string(block.key(k))});
            }
        });
    }
    return keys;
}

void walk(HistoryCursor& cursor, std::uint64_t most) {
    std::string before;
    std::uint64_t steps = 0;
    for (bool more = cursor.seek({}); more; more = cursor.next()) {
        if (++steps > most) finding("a cursor over a segment does not end");
        before.assign(cursor.key());
        if (cursor.version().value.size() > most) finding("a value is longer than its segment");
    }
    steps = 0;
    for (bool more = cursor.seek_before(std::nullopt); more; more = cursor.prev()) {
        if (++steps > most) finding("a cursor over a segment does not end backwards");
    }
    cursor.seek(before);
    cursor.seek_before(before);
}

void ask(const SegmentView& view, bool valid) {
    const std::uint64_t most = view.bytes().size() + 16;
    for (const Named& named : keys_of(view)) {
        for (const Txn txn : {Txn{0}, Txn{3}, view.after(), view.last(), ~Txn{0}}) {
            std::optional<HistoryVersion> point;
            std::optional<HistoryVersion> listed;
            const bool found = whole([&] { point = view.newest_point(named.tree, named.key, txn); });
            whole([&] { view.newest_range(named.tree, named.key, txn); });
            std::uint64_t versions = 0;
            const bool all = whole([&] {
                view.each_version(named.tree, named.key, [&](const HistoryVersion& version) {
                    if (++versions > most) finding("the versions of a key do not end");
                    if (version.txn <= txn && !listed) listed = version;
                    return true;
                });
            });
            if (valid && (!found || !all || point != listed)) {
                finding("a valid segment gives two answers about key '" + named.key + "' of tree " +
                        std::to_string(named.tree) + " at " + std::to_string(txn));
            }
        }
    }
    std::uint64_t ranges = 0;
    whole([&] { view.all_ranges([&](const HistoryRange&) { ++ranges; }); });
    if (ranges > most) finding("a segment has more range deletions than bytes");
    whole([&] { view.each_range(1, "", std::nullopt, [](const HistoryRange&) {}); });
    whole([&] { view.ranges_behind(1, "key", 5, [](const HistoryRange&) { return true; }); });
    for (const std::uint64_t tree : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{2}}) {
        whole([&] { walk(*view.cursor(tree, ~Txn{0}), most); });
        whole([&] { walk(*view.cursor(tree, view.after() + 1), most); });
    }
    whole([&] { view.anchor_of(view.last()); });
    whole([&] { view.anchor_at(view.header().time_to); });
    for (std::uint32_t i = 0; i < std::min<std::uint32_t>(view.anchors(), 200); ++i) whole([&] { view.anchor(i); });
    whole([&] {
        RewriteOptions options = unchanged_history();
        options.rule = [&](std::uint64_t tree) { return TreeRule{true, tree % 2 == 0 ? Txn{0} : view.last(), 0}; };
        options.in_base = [](std::uint64_t, std::string_view, Txn txn) { return txn % 2 == 0; };
        std::vector<std::shared_ptr<const SegmentView>> alone;
        alone.emplace_back(std::shared_ptr<void>(), &view);
        const std::vector<std::shared_ptr<const SegmentSet>> sets{std::make_shared<SegmentSet>(std::move(alone))};
        for (RewritePlace place; place.stage != RewritePlace::Stage::done;) {
            place = rewrite_piece(sets, options, place, {16384, 65536}, false).next;
        }
    });
}

void run(std::span<const std::byte> input) {
    const Bytes bytes(input.begin(), input.end());
    whole([&] {
        const SegmentView view(bytes);
        const SegmentView fresh(bytes);
        const bool valid = whole([&] { fresh.validate(); });
        ask(view, valid);
    });
}

void mend(Bytes& input) { mend_segment(input); }

/// What base files have is small: one with several levels of blocks and with range deletions of all kinds.
Bytes large_one() {
    Random random(8);
    OperationList list;
    SegmentBuilder builder(0, 4096);
    std::uint64_t position = 4096;
    for (Txn txn = 1; txn <= 60; ++txn) {
        for (int i = 0; i < 6; ++i) {
            const std::string key = "a/long/common/prefix/" + std::to_string(random.below(txn < 30 ? 20 : 400));
            const std::uint64_t what = random.below(10);
            if (what == 0) list.erase_range(1 + random.below(2), key, key + "5");
            else if (what == 1) list.erase(1, key);
            else list.put(1 + random.below(2), key, std::string(static_cast<std::size_t>(random.below(40)), 'v'));
        }
        list.finish();
        RecordFields fields;
        fields.position = position;
        fields.epoch = 1;
        fields.txn = txn;
        fields.time_us = txn * 10;
        Bytes record(static_cast<std::size_t>(list.record_size(RecordKind::commit, false, false, 0)));
        list.encode(record, RecordKind::commit, fields);
        seal_record(record, 1);
        builder.add(RecordView(record));
        position += record.size();
        list.clear();
    }
    return builder.finish();
}

std::vector<Bytes> seeds() {
    std::vector<Bytes> result = {large_one()};
    for (const BaseFile& file : base_files()) {
        for (Bytes& segment : segments_of(file)) result.push_back(std::move(segment));
    }
    return result;
}

}  // namespace

const Target k_segment_target = {"segment", run, mend, seeds};

}  // namespace northstar::hard
