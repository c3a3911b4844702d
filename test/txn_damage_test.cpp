// txn_damage_test.cpp -- damage that comes while the database is open is noticed when its page is first read.
#include "peer.hpp"

#include "base/bytes.hpp"
#include "base/xxh64.hpp"
#include "format/node_edit.hpp"
#include "format/page.hpp"
#include "history/follower.hpp"

#include <set>

namespace {

using namespace northstar;
using txn_test::code_of;
using txn_test::Peer;
using txn_test::quiet;
using txn_test::read_file;
using txn_test::Workplace;

constexpr int k_keys = 60;
constexpr std::size_t k_size = 300;

std::string value(int key, int round) {
    std::string out = "value of " + std::to_string(key) + " in round " + std::to_string(round) + ";";
    out.resize(k_size, '.');
    return out;
}

void fill(Peer& peer, int round) {
    for (int i = 0; i < k_keys; ++i) {
        Transaction tx = peer.db.begin_write({Durability::lazy, std::nullopt});
        tx.tree("t").put("k" + std::to_string(i), value(i, round));
        tx.commit();
    }
    peer.db.checkpoint();
}

/// Changes a byte of a text wherever it lies in a file that stays open.
void damage(const std::string& path, const std::string& text) {
    const std::string bytes = read_file(path);
    bool created = false;
    const std::unique_ptr<detail::File> file = detail::posix_vfs().open(path, {}, created);
    const std::byte other{'#'};
    std::size_t at = bytes.find(text);
    REQUIRE(at != std::string::npos);
    for (; at != std::string::npos; at = bytes.find(text, at + 1)) file->write(at, {&other, 1});
}

/// The only page of tree "t", which is in memory.
std::byte* page_in_memory(Peer& peer) {
    const detail::OpenView opened(peer.core->open_view());
    detail::CatalogEntry entry;
    REQUIRE(detail::find_tree(peer.core->source(), opened.view->root->catalog.root, "t", entry));
    REQUIRE(entry.root.root.in_memory());
    return entry.root.root.address();
}

/// What verify finds in a tree whose page was changed before it was written.
template <class F>
std::string found_in_changed_page(F&& change) {
    const Workplace place;
    Options options = quiet();
    options.history = History::everything();
    Peer peer(place / "a.db", options);
    for (const char* const key : {"one", "two", "three, which is longer"}) peer.put(key);
    Transaction tx = peer.db.begin_write();
    tx.tree("t").erase("two");
    REQUIRE(tx.commit().txn == 4);
    change(page_in_memory(peer));
    const VerifyReport report = peer.db.verify();
    REQUIRE(report.problems.size() == 1);
    CHECK(report.problems.front().code == Errc::corrupt);
    CHECK(report.problems.front().affects == "AS OF and history");
    return report.problems.front().what;
}

}  // namespace

// Verified once is verified for as long as the bytes stay: a place that was used again holds another page.
TEST_CASE("A page in a place that was used again is verified again", "[DMG-1][DMG-3]") {
    const Workplace place;
    Options options = quiet();
    options.history = History::nothing();  // pages are used again as soon as they may be
    Peer writer(place / "a.db", options);
    Peer other(place / "a.db", options);
    Peer& reader = GENERATE(true, false) ? writer : other;
    INFO((&reader == &writer ? "written by the reader" : "written by another process"));
    constexpr int k_rounds = 8;
    for (int round = 1; round < k_rounds; ++round) {
        fill(writer, round);
        const Snapshot now = reader.db.begin_read();
        for (int i = 0; i < k_keys; ++i) REQUIRE(now.tree("t").get("k" + std::to_string(i)) == value(i, round));
    }
    fill(writer, k_rounds);
    for (int i = 0; i < k_keys; ++i) damage(place / "a.db", value(i, k_rounds));
    const Snapshot now = reader.db.begin_read();
    for (int i = 0; i < k_keys; ++i) {
        INFO("key " << i);
        CHECK(code_of([&] { static_cast<void>(now.tree("t").get("k" + std::to_string(i))); }) == Errc::corrupt);
    }
}

TEST_CASE("A large value whose last write was lost is damage, not the value before", "[DMG-3][DMG-1]") {
    // Both carry the same number and a checksum of their own that is right: only the leaf knows which one it means.
    const Workplace place;
    Options options = quiet();
    options.history = History::nothing();
    constexpr std::size_t k_page = 4096;
    constexpr std::size_t k_long = 8 * k_page;  // and a header: nine pages
    const auto text = [](int round) { return "large value of round " + std::to_string(round) + ";"; };
    Peer peer(place / "a.db", options);
    std::vector<std::string> files;
    for (int round = 0; round < 10; ++round) {
        Transaction tx = peer.db.begin_write({Durability::full, std::nullopt});
        tx.tree("t").put("large", text(round) + std::string(k_long, static_cast<char>('a' + round)));
        tx.commit();
        peer.db.checkpoint();
        files.push_back(read_file(place / "a.db"));
    }
    std::string bytes = files.back();
    int put_back = 0;
    for (std::size_t at = bytes.find(text(9)); at != std::string::npos; at = bytes.find(text(9), at + 1)) {
        for (int round = 0; round < 9; ++round) {
            const std::string& before = files[static_cast<std::size_t>(round)];
            if (before.size() < bytes.size() || before.compare(at, text(round).size(), text(round)) != 0) continue;
            const std::size_t page = at / k_page * k_page;
            bytes.replace(page, 9 * k_page, before, page, 9 * k_page);
            ++put_back;
            break;
        }
    }
    REQUIRE(put_back > 0);
    txn_test::write_file(place / "b.db", bytes);
    Peer other(place / "b.db", options);
    const Snapshot now = other.db.begin_read();
    CHECK(code_of([&] { static_cast<void>(now.tree("t").get("large")); }) == Errc::corrupt);
}

// What was written with right checksums and wrong places: every anchor is looked at.
TEST_CASE("Verifying finds an anchor of the history that names no record", "[DMG-5]") {
    namespace segment = detail::segment;
    const Workplace place;
    Options options = quiet();
    options.history = History::everything();
    Peer peer(place / "a.db", options);
    for (int i = 0; i < 60; ++i) peer.put("key", 30'000);
    peer.db.checkpoint();
    detail::OpenView open{peer.core->open_view()};
    const auto history = peer.core->history();
    REQUIRE_FALSE(history->sets().empty());
    const std::span<const std::byte> stored = history->sets().front()->pieces().front()->bytes();
    const std::uint32_t anchors = detail::SegmentView(stored).anchors();
    REQUIRE(anchors >= 2);
    const auto check_moved = [&](std::uint32_t anchor, std::uint64_t by) {
        std::vector<std::byte> bytes(stored.begin(), stored.end());
        const std::uint32_t index = anchor / segment::k_anchors_per_chunk;
        std::byte* const chunk = bytes.data() + segment::layout_of(detail::SegmentView(stored).header()).anchors +
                                 index * segment::k_chunk_size;
        std::byte* const position = chunk + 8 + anchor % segment::k_anchors_per_chunk * segment::k_anchor_entry + 16;
        detail::store_u64(position, detail::load_u64(position) + by);
        detail::store_u64(chunk, detail::xxh64(chunk + 8, segment::k_chunk_size - 8,
                                               segment::chunk_seed(segment::Chunk::anchors, index)));
        const detail::SegmentSet set({std::make_shared<const detail::SegmentView>(bytes)});
        peer.core->check_history(set, *open.view->root);
    };
    for (const std::uint32_t anchor : {0u, 1u, anchors - 1}) {
        CAPTURE(anchor);
        CHECK(code_of([&] { check_moved(anchor, 0); }) == std::nullopt);
        CHECK(code_of([&] { check_moved(anchor, 8); }) == Errc::corrupt);
    }
}

TEST_CASE("Verifying finds a history that does not say what the log says", "[DMG-5]") {
    const Workplace place;
    Options options = quiet();
    options.history = History::everything();
    Peer peer(place / "a.db", options);
    Peer other(place / "b.db", options);
    for (Peer* const p : {&peer, &other}) {
        for (int i = 0; i < 60; ++i) p->put("key" + std::to_string(i == 30 && p == &other ? 0 : i), 30'000);
        p->db.checkpoint();
        REQUIRE_FALSE(p->core->history()->sets().empty());
    }
    const detail::OpenView open{peer.core->open_view()};
    const auto check = [&](const Peer& from) {
        peer.core->check_history(*from.core->history()->sets().front(), *open.view->root);
    };
    CHECK(code_of([&] { check(peer); }) == std::nullopt);
    try {
        check(other);
        FAIL("what is not there was found");
    } catch (const Error& error) {
        CHECK(error.code() == Errc::corrupt);
        CHECK(std::string_view(error.what()).starts_with("the history does not say what the log says about "));
    }
}

TEST_CASE("Verifying finds a leaf that does not know of an erasure in its range", "[DMG-5][PAST-2]") {
    CHECK(found_in_changed_page([](std::byte* page) { detail::set_max_txn(page, 3); }) ==
          "a leaf of tree t counts as unchanged since txn 3, but txn 4 changed a key there");
}

TEST_CASE("Verifying finds a present that the history does not end with", "[DMG-5]") {
    CHECK(found_in_changed_page([](std::byte* page) {
        const std::string_view bytes(reinterpret_cast<const char*>(page), 4096);
        const std::size_t at = bytes.find("longer");
        REQUIRE(at != std::string_view::npos);
        page[at] = std::byte{'x'};
    }) == "a key of tree t is not what txn 3 made of it");
}

TEST_CASE("A value that did not change since is read in the past whatever became of its record", "[DMG-2][PAST-2]") {
    const Workplace place;
    Options options = quiet();
    options.history = History::everything();
    Peer peer(place / "a.db", options);
    fill(peer, 1);
    const Txn then = peer.db.begin_read().txn();
    // So much that the log up to there has been made history.
    for (int i = 0; i < 40; ++i) peer.put("newer", 30'000);
    peer.db.checkpoint();
    const std::string kept = value(5, 1);
    const std::uint64_t position = peer.core->record_position(6, 0).value();
    const std::uint64_t in_record = peer.core->log().read(position).operation(0).value_position;
    bool created = false;
    const std::unique_ptr<detail::File> file = detail::posix_vfs().open(place / "a.db", {}, created);
    const std::byte other{'#'};
    file->write(peer.core->log().file_offset(in_record), {&other, 1});
    REQUIRE(code_of([&] { peer.db.commit(6); }) == Errc::corrupt);
    const Snapshot past = peer.db.begin_read(AsOf::txn(then));
    CHECK(past.tree("t").get("k5") == kept);
}

TEST_CASE("Verifying the history says which txns it cannot be compared with the log of", "[DMG-5]") {
    const Workplace place;
    Options options = quiet();
    options.history = History::everything();
    Peer peer(place / "a.db", options);
    constexpr int k_commits = 60;
    for (int i = 1; i <= k_commits; ++i) {
        Transaction tx = peer.db.begin_write({Durability::lazy, std::nullopt});
        tx.tree("t").put("k" + std::to_string(i), value(i, 1) + std::string(30'000, '.'));
        tx.commit();
    }
    peer.db.checkpoint();
    REQUIRE(peer.core->history()->sets().size() == 1);
    VerifyOptions history_alone;
    history_alone.structure = history_alone.log = false;
    REQUIRE(peer.db.verify(history_alone).ok());
    damage(place / "a.db", value(20, 1));
    const VerifyReport report = peer.db.verify(history_alone);
    REQUIRE(report.problems.size() == 1);
    const std::string txns = "txns 1 to " + std::to_string(k_commits);
    CHECK(report.problems.front().where == "history of " + txns);
    CHECK(report.problems.front().affects == "reading " + txns);
}

TEST_CASE("Verifying the log alone says where a record is missing and which commits that concerns", "[DMG-5][DMG-2]") {
    const Workplace place;
    Options options = quiet();
    options.history = History::everything();
    Peer peer(place / "a.db", options);
    fill(peer, 1);
    constexpr Txn k_damaged = 20;
    const std::uint64_t position = peer.core->record_position(k_damaged, 0).value();
    damage(place / "a.db", value(k_damaged - 1, 1));
    VerifyOptions log_alone;
    log_alone.structure = log_alone.history = false;
    const VerifyReport report = peer.db.verify(log_alone);
    REQUIRE(report.problems.size() == 1);
    const Problem& problem = report.problems.front();
    CHECK(problem.code == Errc::corrupt);
    CHECK(problem.where == "log position " + std::to_string(position));
    CHECK(problem.what == "no intact record lies where txn " + std::to_string(k_damaged) + " should");
    CHECK(problem.affects == "txns " + std::to_string(k_damaged) + " to " + std::to_string(k_keys));
    CHECK(report.records == k_damaged - 1);
}

TEST_CASE("The difference of two states is told by what was written between them", "[PAST-7][DMG-2]") {
    const Workplace place;
    Options options = quiet();
    options.history = History::everything();
    Peer peer(place / "a.db", options);
    fill(peer, 1);
    constexpr Txn k_from = 5;
    constexpr Txn k_to = 8;
    const auto check_difference = [&] {
        const std::vector<Change> changes = peer.db.diff(AsOf::txn(k_from), AsOf::txn(k_to));
        REQUIRE(changes.size() == k_to - k_from);
        for (std::size_t i = 0; i < changes.size(); ++i) {
            CHECK(changes[i].key == "k" + std::to_string(k_from + i));
            CHECK_FALSE(changes[i].before);
            CHECK(changes[i].after == value(static_cast<int>(k_from + i), 1));
        }
    };
    check_difference();
    // The commit behind them can be read no more.
    damage(place / "a.db", value(k_to, 1));
    REQUIRE(code_of([&] { peer.db.commit(k_to + 1); }) == Errc::corrupt);
    check_difference();
}

TEST_CASE("When a large transaction was is known without its record", "[PAST-6][DMG-2]") {
    constexpr std::uint64_t k_time_us = 1'000'000;
    const Workplace place;
    Options options = quiet();
    options.history = History::everything();
    Peer peer(place / "a.db", options);
    const std::string large = "the large value;" + std::string(2'000'000, '.');
    Txn txn = 0;
    {
        Transaction tx = peer.db.begin_write();
        tx.set_time_us(k_time_us);
        tx.tree("t").put("small", "1");
        tx.tree("t").put("large", large);
        txn = tx.commit().txn;
    }
    peer.put("small");
    peer.db.checkpoint();
    const auto check_versions = [&] {
        const std::vector<Version> versions = peer.db.history("t", "small");
        REQUIRE(versions.size() == 2);
        CHECK(versions[1].txn == txn);
        CHECK(versions[1].time_us == k_time_us);
        CHECK(versions[1].value == "1");
    };
    check_versions();
    damage(place / "a.db", large.substr(0, 16));
    REQUIRE(code_of([&] { peer.db.commit(txn); }) == Errc::corrupt);
    check_versions();
}

TEST_CASE("A value from before the horizon is told without the records behind that", "[PAST-6][DMG-2]") {
    const Workplace place;
    Options options = quiet();
    options.history = History::everything();
    Peer peer(place / "a.db", options);
    const Txn old = peer.put("old");
    peer.put("other");
    Transaction tx = peer.db.begin_write();
    tx.tree("t").put("other", value(1, 1));
    const Txn horizon = tx.commit().txn;
    peer.db.prune(AsOf::txn(horizon));
    REQUIRE(peer.db.statistics().oldest_txn == horizon);
    const auto check_versions = [&] {
        const std::vector<Version> versions = peer.db.history("t", "old");
        REQUIRE(versions.size() == 1);
        CHECK(versions[0].txn == old);
        CHECK(versions[0].time_us == 0);  // it went with the commit
        CHECK(versions[0].value);
    };
    check_versions();
    damage(place / "a.db", value(1, 1));
    REQUIRE(code_of([&] { peer.db.commit(horizon); }) == Errc::corrupt);
    check_versions();
}

TEST_CASE("Damage between what a process has and what others have shown it is told", "[DMG-1][DMG-4][REPLAY-1]") {
    const Workplace place;
    Peer writer(place / "a.db");
    writer.put("first");
    Peer other(place / "a.db");
    const std::string lost = "a value of a commit that rots";
    {
        Transaction tx = writer.db.begin_write();
        tx.tree("t").put("lost", lost);
        tx.commit();
    }
    writer.put("last");
    const std::string whole = read_file(place / "a.db");
    damage(place / "a.db", lost);
    for (int i = 0; i < 2; ++i) {
        CHECK(code_of([&] { static_cast<void>(other.db.begin_read()); }) == Errc::corrupt);
        CHECK(code_of([&] { other.put("more"); }) == Errc::corrupt);
    }
    // It went no further: what comes back is read.
    bool created = false;
    detail::posix_vfs().open(place / "a.db", {}, created)->write(0, std::as_bytes(std::span(whole)));
    CHECK(other.db.begin_read().tree("t").get("lost") == lost);
    CHECK(other.db.begin_read().tree("t").size() == 3);
}

TEST_CASE("What a replay that came to damage had made in memory is given back", "[CALM-1][ERR-5]") {
    const Workplace place;
    Peer writer(place / "a.db");
    writer.put("first");
    Peer failing(place / "a.db");
    Peer other(place / "a.db");
    for (int i = 0; i < 40; ++i) writer.put("key" + std::to_string(i), 30'000);
    const std::string lost = "a value of a commit that rots";
    {
        Transaction tx = writer.db.begin_write({Durability::lazy, std::nullopt});
        tx.tree("t").put("lost", lost);
        tx.commit();
    }
    const std::string whole = read_file(place / "a.db");
    damage(place / "a.db", lost);
    for (int i = 0; i < 3; ++i) CHECK(code_of([&] { static_cast<void>(failing.db.begin_read()); }) == Errc::corrupt);
    bool created = false;
    detail::posix_vfs().open(place / "a.db", {}, created)->write(0, std::as_bytes(std::span(whole)));
    CHECK(failing.db.begin_read().txn() == other.db.begin_read().txn());
    CHECK(failing.db.statistics().overlay_bytes == other.db.statistics().overlay_bytes);
}

TEST_CASE("Who cannot stand on a generation of another process holds nothing of it", "[DMG-1][SNAP-7][SPACE-2]") {
    const Workplace place;
    Peer writer(place / "a.db");
    writer.put("first");
    Peer other(place / "a.db");
    const Snapshot before = other.db.begin_read();
    const std::set<std::uint64_t> held = other.vfs.held();
    writer.put("second");
    writer.db.checkpoint();
    const detail::Meta meta = writer.core->newest_meta();
    bool created = false;
    const std::unique_ptr<detail::File> file = detail::posix_vfs().open(place / "a.db", {}, created);
    const std::uint64_t at = meta.space_page * meta.page_size + detail::k_page_header_size;
    std::byte byte;
    REQUIRE(file->read(at, {&byte, 1}) == 1);
    const std::byte rotten = byte ^ std::byte{1};
    file->write(at, {&rotten, 1});
    for (int i = 0; i < 2; ++i) CHECK(code_of([&] { static_cast<void>(other.db.begin_read()); }) == Errc::corrupt);
    CHECK(other.vfs.held() == held);
    CHECK(before.tree("t").contains("first"));
    file->write(at, {&byte, 1});
    CHECK(other.db.begin_read().tree("t").contains("second"));
}
