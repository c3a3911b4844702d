// txn_recovery_test.cpp -- what opening does to the file, and in which order, so that nothing is believed too early.
#include "peer.hpp"

#include "base/error.hpp"
#include "format/meta.hpp"
#include "log/operation_list.hpp"
#include "txn/workspace.hpp"

namespace {

using namespace northstar;
using txn_test::code_of;
using txn_test::note_calls;
using txn_test::Peer;
using txn_test::quiet;
using txn_test::read_file;
using txn_test::Workplace;
using txn_test::write_file;

/// A record of this size is written with a call, where a hook can see it.
constexpr std::size_t k_long = 20'000;
constexpr std::size_t k_page = 4096;

/// What a machine leaves that stops now.
void copy_as_it_is(const std::string& from, const std::string& to) { write_file(to, read_file(from)); }

/// Where the log goes on.
detail::Extent newest_extent(const Peer& peer) {
    const detail::ExtentDirectory extents = peer.core->log().extents();
    return extents[extents.size() - 1];
}

/// Copies the file of a process, with one commit more, which does what a list says. Its checksum is right.
void copy_with_commit(Peer& peer, const std::string& from, const std::string& to, detail::OperationList& list) {
    detail::LogStore& log = peer.core->log();
    list.finish();
    detail::RecordFields fields;
    fields.position = log.end();
    fields.epoch = log.epoch();
    fields.txn = peer.db.begin_read().txn() + 1;
    fields.time_us = peer.core->processes().load(detail::Word::last_time);
    std::vector<std::byte> record(list.record_size(detail::RecordKind::commit, false, false, log.log_align()));
    list.encode(record, detail::RecordKind::commit, fields);
    detail::seal_record(record, log.seed());
    copy_as_it_is(from, to);
    bool created = false;
    detail::posix_vfs().open(to, {}, created)->write(log.file_offset(log.end()), record);
}

/// Opens with every call noted.
std::string calls_of_opening(const std::string& path) {
    std::string calls;
    test::HookedVfs vfs;
    note_calls(vfs, calls);
    const std::shared_ptr<detail::DatabaseCore> core = detail::DatabaseCore::open(path, quiet(), &vfs);
    vfs.set_hook(nullptr);
    return calls;
}

/// Where opening writes behind the meta pages when the disk has another byte there than the cache.
std::vector<std::uint64_t> written_again(const std::string& path, std::uint64_t missing) {
    test::HookedVfs vfs;
    vfs.set_uncached([&](std::uint64_t offset, std::span<std::byte> bytes) {
        if (offset <= missing && missing < offset + bytes.size()) bytes[missing - offset] ^= std::byte{1};
    });
    std::vector<std::uint64_t> written;
    vfs.set_hook([&](test::FileCall call, std::uint64_t where, bool done) {
        if (call == test::FileCall::write && done && where > k_page) written.push_back(where);
    });
    const std::shared_ptr<detail::DatabaseCore> core = detail::DatabaseCore::open(path, quiet(), &vfs);
    vfs.set_hook(nullptr);
    vfs.set_uncached({});
    return written;
}

}  // namespace

TEST_CASE("A file that was not closed is flushed, its newest meta page first, before it is used", "[DUR-7][DUR-10]") {
    // Both may be in the page cache alone: a failed flush calls clean what never reached the disk.
    const Workplace place;
    Peer peer(place / "a.db");
    peer.put("a", 100, Durability::full);
    peer.db.checkpoint();
    peer.put("b", 100, Durability::full);
    copy_as_it_is(place / "a.db", place / "b.db");
    CHECK(calls_of_opening(place / "b.db") == "ms");
}

// Each record was compared with the disk by a read of its own.
TEST_CASE("A recovery compares its log with the disk in large steps", "[DUR-7][CALM-3]") {
    const Workplace place;
    Peer peer(place / "a.db");
    for (int i = 0; i < 3000; ++i) peer.put("key", 100, Durability::lazy);
    copy_as_it_is(place / "a.db", place / "b.db");
    northstar::test::HookedVfs vfs;
    int reads = 0;
    vfs.set_hook([&](northstar::test::FileCall call, std::uint64_t, bool done) {
        if (done && call == northstar::test::FileCall::read_uncached) ++reads;
    });
    Database db = detail::make_database(detail::DatabaseCore::open(place / "b.db", {}, &vfs));
    vfs.set_hook(nullptr);
    CHECK(db.begin_read().txn() == 3000);
    CHECK(reads > 2);
    CHECK(reads < 20);
}

TEST_CASE("Bytes behind the end of the log are fenced off before anything is written behind them", "[DUR-11]") {
    const Workplace place;
    Peer peer(place / "a.db");
    peer.put("a", 100, Durability::full);
    peer.put("needle", k_long, Durability::full);
    std::string bytes = read_file(place / "a.db");
    const std::size_t at = bytes.find("needle");
    REQUIRE(at != std::string::npos);
    bytes[at] ^= 1;
    write_file(place / "b.db", bytes);
    // The epoch record, and a flush of its own.
    CHECK(calls_of_opening(place / "b.db") == "msws");
}

TEST_CASE("What fences bytes off behind the end of the log is a record of the log's own and no longer", "[DUR-11]") {
    const Workplace place;
    Peer peer(place / "a.db");
    peer.put("a", 100, Durability::full);
    const std::uint64_t end = peer.core->log().end();
    peer.put("needle", k_long, Durability::full);
    std::string bytes = read_file(place / "a.db");
    bytes.at(bytes.find("needle")) ^= 1;
    write_file(place / "b.db", bytes);
    const Peer heir(place / "b.db");
    CHECK(heir.core->log().end() == end + detail::control_record_size(detail::RecordKind::epoch, 0, false, 0));
    CHECK(heir.core->log().read(end).end() == heir.core->log().end());
}

TEST_CASE("A file that was closed is opened without a write, whatever lies behind its last commit", "[ERR-2][CALM-3]") {
    const Workplace place;
    const std::string path = place / "b.db";
    {
        Peer peer(place / "a.db");
        peer.put("a", 100, Durability::full);
        peer.put("needle", k_long, Durability::full);
        std::string bytes = read_file(place / "a.db");
        bytes.at(bytes.find("needle")) ^= 1;
        write_file(path, bytes);
    }
    {
        // An epoch begins behind the last commit.
        const Peer peer(path);
        REQUIRE(peer.core->processes().load(detail::Word::log_position) > peer.core->newest_meta().log_position);
    }
    CHECK(calls_of_opening(path).empty());
    CHECK(Peer(path).db.begin_read().txn() == 1);
}

TEST_CASE("What was said of the history of trees holds behind a crash and in other processes", "[PAST-4][TRUTH-1]") {
    const Workplace place;
    Peer peer(place / "a.db");
    Peer other(place / "a.db");
    peer.put("a");
    {
        Transaction tx = peer.db.begin_write();
        tx.set_history("t", History::last(3));
        tx.tree("u").put("a", "v");
        tx.commit();
    }
    peer.db.set_history(History::duration(7'000'000));
    peer.put("b", 100, Durability::full);
    copy_as_it_is(place / "a.db", place / "b.db");
    Peer heir(place / "b.db");
    for (Peer* const follower : {&other, &heir}) {
        INFO((follower == &heir ? "behind a crash" : "in another process"));
        CHECK(follower->db.history() == History::duration(7'000'000));
        CHECK(follower->db.begin_read().txn() == peer.db.begin_read().txn());
        follower->db.checkpoint();
        const detail::Ref catalog(follower->core->newest_meta().catalog.root);
        detail::CatalogEntry entry;
        REQUIRE(detail::find_tree(follower->core->file_pages(), catalog, "t", entry));
        CHECK(entry.history == History::last(3));
        REQUIRE(detail::find_tree(follower->core->file_pages(), catalog, "u", entry));
        CHECK_FALSE(entry.history == History::last(3));
    }
}

TEST_CASE("A tree has the history that the record of its making tells", "[PAST-4][TRUTH-1]") {
    const Workplace place;
    Peer peer(place / "a.db");
    peer.put("a", 100, Durability::full);
    detail::OperationList list;
    list.create_tree(99, "u", History::last(3));
    copy_with_commit(peer, place / "a.db", place / "b.db", list);
    Peer heir(place / "b.db");
    heir.db.checkpoint();
    detail::CatalogEntry entry;
    const detail::Ref catalog(heir.core->newest_meta().catalog.root);
    REQUIRE(detail::find_tree(heir.core->file_pages(), catalog, "u", entry));
    CHECK(entry.own_history);
    CHECK(entry.history == History::last(3));
}

TEST_CASE("A log that changes a tree that does not exist is damage, which opening the file tells",
          "[DMG-6][ERR-6][SWARM-8]") {
    const Workplace place;
    const std::string path = place / "b.db";
    Peer peer(place / "a.db");
    peer.put("a", 100, Durability::full);
    detail::OperationList list;
    list.put(99, "key", "value");
    copy_with_commit(peer, place / "a.db", path, list);
    for (const bool may_write : {false, true}) {
        CAPTURE(may_write);
        Options options = quiet();
        options.read_only = !may_write;
        CHECK(code_of([&] { const Peer opened(path, options); }) == Errc::corrupt);
    }
}

// A generation that only the page cache shows whole may be read by a process that cannot write.
TEST_CASE("A recovery that stands on the older generation leaves the pages of one that a reader stands on alone",
          "[SWARM-8][SNAP-1][SPACE-2][DUR-10]") {
    const Workplace place;
    const std::string path = place / "a.db";
    const auto write_all = [](Database& db, char c) {
        Transaction tx = db.begin_write();
        for (int i = 0; i < 300; ++i) tx.tree("t").put("k" + std::to_string(1000 + i), std::string(400, c));
        tx.commit();
    };
    auto writer = std::make_unique<Peer>(path);
    write_all(writer->db, 'a');
    writer->db.checkpoint();
    write_all(writer->db, 'b');
    writer->db.checkpoint();
    const std::uint64_t newest = writer->core->newest_meta().generation;
    Options read_only = quiet();
    read_only.read_only = true;
    Peer reader(path, read_only);
    const Snapshot held = reader.db.begin_read();
    const Hash before = held.state_hash();
    write_all(writer->db, 'c');
    // It dies: closing does nothing more.
    writer->core->processes().store(detail::Word::poison, 1);
    writer.reset();
    // The sector of its last meta page has rotted, which the cache does not know.
    test::HookedVfs vfs;
    vfs.set_uncached([&](std::uint64_t offset, std::span<std::byte> bytes) {
        if (offset == (newest & 1) * k_page) bytes[100] ^= std::byte{1};
    });
    Database heir = detail::make_database(detail::DatabaseCore::open(path, quiet(), &vfs));
    vfs.set_uncached({});
    CHECK(heir.begin_read().tree("t").get("k1000") == std::string(400, 'c'));
    CHECK(heir.statistics().generation > newest);
    CHECK(held.state_hash() == before);
    CHECK(heir.verify().ok());
}

TEST_CASE("A log extent whose growth of the file was lost has its room again", "[DUR-9][SPACE-3]") {
    // The record that announces it may survive a power loss, and the new size of the file not.
    const Workplace place;
    Peer peer(place / "a.db");
    while (newest_extent(peer).page < peer.core->newest_meta().file_pages) peer.put("k", k_long);
    const detail::Extent extent = newest_extent(peer);
    std::string bytes = read_file(place / "a.db");
    REQUIRE(bytes.size() >= (extent.page + extent.pages) * k_page);
    bytes.resize(extent.page * k_page);
    write_file(place / "b.db", bytes);
    Peer other(place / "b.db");
    CHECK(std::filesystem::file_size(place / "b.db") >= (extent.page + extent.pages) * k_page);
    other.put("after", k_long, Durability::full);
    CHECK(other.db.verify().ok());
}

TEST_CASE("Who may not write sees what lies before a log extent whose growth of the file was lost",
          "[DUR-9][SWARM-8]") {
    const Workplace place;
    Peer peer(place / "a.db");
    Txn newest = 0;
    while (newest_extent(peer).page < peer.core->newest_meta().file_pages) newest = peer.put("k", k_long);
    const detail::Extent extent = newest_extent(peer);
    std::string bytes = read_file(place / "a.db");
    for (const std::uint64_t left : {extent.page, extent.page + extent.pages - 1}) {
        CAPTURE(left);
        bytes.resize((extent.page + extent.pages) * k_page);
        write_file(place / "b.db", bytes.substr(0, left * k_page));
        Options read_only = quiet();
        read_only.read_only = true;
        const Peer reader(place / "b.db", read_only);
        CHECK(reader.db.begin_read().txn() == newest - 1);
        CHECK(std::filesystem::file_size(place / "b.db") == left * k_page);
    }
}

TEST_CASE("Who may not write reads the log of a crash to its end, where that is an epoch in an extent without commits",
          "[DUR-11][SWARM-8]") {
    const Workplace place;
    Peer peer(place / "a.db");
    peer.put("kept", 100, Durability::full);
    while (peer.core->log().extents().size() == 1) peer.put("lost", 5000);
    copy_as_it_is(place / "a.db", place / "b.db");
    std::string bytes = read_file(place / "b.db");
    bytes[newest_extent(peer).page * k_page + 100] ^= 1;  // its first commit
    write_file(place / "b.db", bytes);
    const Peer recovered(place / "b.db");
    REQUIRE(newest_extent(recovered).logical < recovered.core->log().end());
    copy_as_it_is(place / "b.db", place / "c.db");
    Options reading = quiet();
    reading.read_only = true;
    CHECK(Peer(place / "c.db", reading).db.verify().ok());
}

TEST_CASE("A file that ends with its log is whole for who may not write", "[DUR-9][SWARM-8]") {
    const Workplace place;
    Peer peer(place / "a.db");
    Txn newest = 0;
    while (newest_extent(peer).page < peer.core->newest_meta().file_pages) newest = peer.put("k", k_long);
    const detail::Extent extent = newest_extent(peer);
    std::string bytes = read_file(place / "a.db");
    bytes.resize((extent.page + extent.pages) * k_page);
    write_file(place / "b.db", bytes);
    Options read_only = quiet();
    read_only.read_only = true;
    Peer reader(place / "b.db", read_only);
    CHECK(reader.db.begin_read().txn() == newest);
}

TEST_CASE("Recovery finds both meta pages of a file of any page size", "[DUR-10]") {
    const Workplace place;
    for (const std::uint32_t page_size : {4096u, 8192u, 65536u}) {
        CAPTURE(page_size);
        const std::string path = place / std::to_string(page_size);
        Options options = quiet();
        options.page_size = page_size;
        Peer peer(path, options);
        for (int i = 0; i < 3; ++i) {
            peer.put("k", 100, Durability::full);
            peer.db.checkpoint();
        }
        copy_as_it_is(path, path + ".b");
        Peer again(path + ".b");
        // With one of them missing it would have made another one.
        CHECK(again.core->newest_meta().generation == peer.core->newest_meta().generation);
    }
}

TEST_CASE("Recovery replays a long log within the limit of memory", "[CALM-1][CALM-3]") {
    const Workplace place;
    Options large = quiet();
    large.overlay_limit = 1u << 30;
    large.checkpoint_log_bytes = 1u << 30;
    Peer peer(place / "a.db", large);
    for (int i = 0; i < 40; ++i) {
        Transaction tx = peer.db.begin_write({Durability::lazy, std::nullopt});
        for (int k = 0; k < 1000; ++k) tx.tree("t").put(std::to_string(i * 1000 + k), std::string(200, 'v'));
        tx.commit();
    }
    REQUIRE(peer.db.statistics().overlay_bytes > 8u << 20);
    copy_as_it_is(place / "a.db", place / "b.db");
    Options small = quiet();
    small.overlay_limit = 2u << 20;
    Peer again(place / "b.db", small);
    CHECK(again.db.statistics().overlay_bytes < 3u << 20);
    CHECK(again.db.begin_read().tree("t").size() == 40'000);
}

TEST_CASE("A recovery that had to make room for what is gone again keeps no write lock", "[CALM-1][SWARM-1]") {
    const Workplace place;
    Options large = quiet();
    large.overlay_limit = 1u << 30;
    large.checkpoint_log_bytes = 1u << 30;
    Peer peer(place / "a.db", large);
    for (int i = 0; i < 100; ++i) peer.put(std::to_string(i), 100'000);
    peer.db.update([](Transaction& tx) { tx.drop_tree("t"); });
    copy_as_it_is(place / "a.db", place / "b.db");
    Options small = quiet();
    small.overlay_limit = 2u << 20;
    Peer again(place / "b.db", small);
    CHECK_FALSE(again.core->processes().has_write());
}

TEST_CASE("A new file has its space map, then one meta page, then the other, each flushed before the next",
          "[DUR-1]") {
    const Workplace place;
    CHECK(calls_of_opening(place / "new.db") == "wsmsms");
}

TEST_CASE("A file that was closed is opened without a write", "[ERR-2]") {
    const Workplace place;
    {
        Peer peer(place / "a.db");
        peer.put("a", 100, Durability::full);
    }
    CHECK(calls_of_opening(place / "a.db").empty());
}

TEST_CASE("Who may not write flushes what nobody recovered before it shows it", "[DUR-5][SWARM-8]") {
    const Workplace place;
    {
        Peer peer(place / "a.db");
        peer.put("a", 100, Durability::lazy);
        copy_as_it_is(place / "a.db", place / "b.db");
    }
    Options read_only = quiet();
    read_only.read_only = true;
    for (const auto& [name, flushes] : {std::pair("b.db", "s"), std::pair("a.db", "")}) {
        INFO(name);
        std::string calls;
        test::HookedVfs vfs;
        note_calls(vfs, calls);
        const Database db = detail::make_database(detail::DatabaseCore::open(place / name, read_only, &vfs));
        vfs.set_hook(nullptr);
        CHECK(calls == flushes);
        CHECK(db.begin_read().tree("t").contains("a"));
    }
}

TEST_CASE("Who may not write takes a clean file at its word where both of its meta pages are whole",
          "[DUR-5][SWARM-8]") {
    const Workplace place;
    { Peer(place / "a.db").put("key"); }
    const std::string whole = read_file(place / "a.db");
    Options reading = quiet();
    reading.read_only = true;
    for (const std::optional<std::size_t> damaged : {std::optional<std::size_t>(), {0}, {k_page}}) {
        CAPTURE(damaged.value_or(1));
        std::string bytes = whole;
        if (damaged) bytes[*damaged + 100] ^= 1;
        write_file(place / "b.db", bytes);
        std::string calls;
        test::HookedVfs vfs;
        note_calls(vfs, calls);
        const std::shared_ptr<detail::DatabaseCore> core = detail::DatabaseCore::open(place / "b.db", reading, &vfs);
        vfs.set_hook(nullptr);
        CHECK((calls == "s") == damaged.has_value());
        CHECK(core->roots().visible()->txn.load() == 1);
    }
}

TEST_CASE("A process that finds the side file gone while others have the database open is refused",
          "[ONE-1][SWARM-1]") {
    const Workplace place;
    const std::string path = place / "a.db";
    {
        Peer first(path);
        first.put("a");
        REQUIRE(std::filesystem::remove(path + "-shared"));
        CHECK(code_of([&] { Peer second(path); }) == Errc::locked);
        first.put("b", 100, Durability::full);
        CHECK(first.db.verify().ok());
    }
    const Peer again(path);
    CHECK(again.db.begin_read().tree("t").size() == 2);
}

TEST_CASE("The first commit behind a clean close first says, durably, that the file is in use", "[DUR-1][DUR-11]") {
    const Workplace place;
    {
        Peer peer(place / "a.db");
        peer.put("a", 100, Durability::full);
    }
    Peer peer(place / "a.db");
    std::string calls;
    note_calls(peer.vfs, calls);
    peer.put("b", k_long, Durability::full);
    peer.vfs.set_hook(nullptr);
    INFO(calls);
    CHECK(calls.substr(0, 2) == "ms");
    CHECK(calls.back() == 's');
}

// A handle that could only read took the older state for the whole, and so did every handle where the older generation
// had been made by the compaction of a close, and therefore said that nothing lies behind it.
TEST_CASE("Where it cannot be said that the file is in use, nothing is committed behind a clean close",
          "[DUR-1][DUR-11][ERR-5]") {
    const Workplace place;
    { Peer(place / "a.db").put("a", 100, Durability::full); }
    const std::string closed = read_file(place / "a.db");
    Peer peer(place / "a.db");
    peer.vfs.set_hook([&](test::FileCall call, std::uint64_t where, bool done) {
        if (call == test::FileCall::write && where <= k_page && !done) {
            detail::fail(Errc::io, "the meta page of this test cannot be written");
        }
    });
    for (int i = 0; i < 2; ++i) CHECK(code_of([&] { peer.put("b", k_long); }) == Errc::io);
    peer.vfs.set_hook(nullptr);
    CHECK(peer.db.begin_read().txn() == 1);
    CHECK(read_file(place / "a.db").starts_with(closed));
    // Nobody is kept waiting by what failed.
    Peer other(place / "a.db");
    CHECK(other.put("c", k_long, Durability::full) == 2);
    CHECK(peer.put("d", k_long, Durability::full) == 3);
    copy_as_it_is(place / "a.db", place / "b.db");
    CHECK(Peer(place / "b.db").db.begin_read().txn() == 3);
}

TEST_CASE("Who falls back to the older generation needs the log up to the newer one", "[DUR-10][DMG-4]") {
    const Workplace place;
    std::string bytes;
    {
        Peer peer(place / "a.db");
        peer.put("a", 100, Durability::full);
        peer.db.checkpoint();
        peer.put("needle", k_long, Durability::full);
        peer.db.checkpoint();
        bytes = read_file(place / "a.db");
    }
    const auto meta_at = [&](std::size_t offset) { return std::as_bytes(std::span(bytes)).subspan(offset, k_page); };
    detail::Meta metas[2];
    for (std::size_t i = 0; i < 2; ++i) {
        REQUIRE(detail::decode_meta(meta_at(i * k_page), metas[i]) == detail::MetaState::valid);
    }
    const std::size_t newest = metas[0].generation > metas[1].generation ? 0 : 1;
    bytes[metas[newest].space_page * k_page + 100] ^= 1;  // its ledger
    const std::size_t at = bytes.find("needle");
    REQUIRE(at != std::string::npos);
    const bool says_clean = GENERATE(false, true);
    if (says_clean) {
        detail::Meta older = metas[1 - newest];
        older.clean = true;
        detail::encode_meta(older, std::as_writable_bytes(std::span(bytes)).subspan((1 - newest) * k_page, k_page));
    }
    for (const bool read_only : {true, false}) {
        INFO("read only " << read_only << ", the older one says that it is clean " << says_clean);
        Options options = quiet();
        options.read_only = read_only;
        write_file(place / "b.db", bytes);
        CHECK(Peer(place / "b.db", options).db.begin_read().tree("t").contains("needle"));
        std::string damaged = bytes;
        damaged[at] ^= 1;
        write_file(place / "c.db", damaged);
        CHECK(code_of([&] { Peer other(place / "c.db", options); }) == Errc::corrupt);
    }
}

// The compaction moved the log on behind the record of an epoch, and wrote the epoch before it into the meta page: no
// record behind it counted.
TEST_CASE("Commits behind a compaction are found where an epoch began before it", "[DUR-7][DUR-11]") {
    const Workplace place;
    Options options = quiet();
    options.history = History::nothing();
    std::string bytes;
    {
        Peer peer(place / "a.db", options);
        for (int i = 0; i < 20; ++i) peer.put("long", k_long, Durability::full);
        peer.put("needle", k_long, Durability::full);
        bytes = read_file(place / "a.db");
    }
    const std::size_t at = bytes.rfind("needle");
    REQUIRE(at != std::string::npos);
    bytes[at] ^= 1;
    write_file(place / "b.db", bytes);
    Peer peer(place / "b.db", options);
    REQUIRE_FALSE(peer.db.begin_read().tree("t").contains("needle"));
    peer.db.compact();
    peer.put("after", 100, Durability::full);
    copy_as_it_is(place / "b.db", place / "c.db");
    CHECK(Peer(place / "c.db", options).db.begin_read().tree("t").contains("after"));
}

TEST_CASE("What the disk lacks at the end of the log is written again", "[DUR-7]") {
    const Workplace place;
    Peer peer(place / "a.db");
    peer.put("a", 100, Durability::full);
    {
        Transaction tx = peer.db.begin_write({Durability::lazy, std::nullopt});
        tx.tree("t").put("k", std::string(k_long, 'v') + "needle");
        tx.commit();
    }
    copy_as_it_is(place / "a.db", place / "b.db");
    const std::size_t needle = read_file(place / "b.db").find("needle");
    REQUIRE(needle != std::string::npos);
    // The cache has it and the disk has not.
    test::HookedVfs vfs;
    vfs.set_uncached([&](std::uint64_t offset, std::span<std::byte> bytes) {
        if (offset <= needle && needle < offset + bytes.size()) bytes[needle - offset] ^= std::byte{1};
    });
    bool written = false;
    vfs.set_hook([&](test::FileCall call, std::uint64_t where, bool) {
        if (call == test::FileCall::write && where <= needle && needle < where + k_page) written = true;
    });
    const std::shared_ptr<detail::DatabaseCore> core = detail::DatabaseCore::open(place / "b.db", quiet(), &vfs);
    vfs.set_hook(nullptr);
    vfs.set_uncached({});
    CHECK(written);
}

// Whoever writes over a meta page may die half-way.
TEST_CASE("The only meta page that can be relied on is not written over before there is another one",
          "[DUR-8][DUR-10]") {
    const Workplace place;
    Peer peer(place / "a.db");
    for (int round = 0; round < 4; ++round) {
        peer.put("round " + std::to_string(round), 100, Durability::full);
        peer.db.checkpoint();
        peer.put("behind " + std::to_string(round), 100, Durability::full);
        const detail::Meta newest = peer.core->newest_meta();
        const std::uint64_t newest_at = (newest.generation & 1) * k_page;
        const std::uint64_t older_at = k_page - newest_at;
        // What is damaged, and which meta page is of no use therefore.
        for (const auto& [at, useless] : {std::pair(newest_at, newest_at), std::pair(older_at, older_at),
                                          std::pair(newest.space_page * k_page, newest_at)}) {
            INFO("round " << round << ", damage at " << at);
            std::string bytes = read_file(place / "a.db");
            bytes[at + 100] ^= 1;
            write_file(place / "b.db", bytes);
            std::vector<std::uint64_t> written;
            test::HookedVfs vfs;
            vfs.set_hook([&](test::FileCall call, std::uint64_t where, bool done) {
                if (call == test::FileCall::write && done && where <= k_page) written.push_back(where);
            });
            const Database db = detail::make_database(detail::DatabaseCore::open(place / "b.db", quiet(), &vfs));
            vfs.set_hook(nullptr);
            REQUIRE_FALSE(written.empty());
            CHECK(written.front() == useless);
            CHECK(db.begin_read().tree("t").contains("behind " + std::to_string(round)));
        }
    }
}

TEST_CASE("Of the end of the log the pages that the disk lacks are written, and no others", "[DUR-7]") {
    const Workplace place;
    Peer peer(place / "a.db");
    peer.put("a", 100, Durability::full);
    peer.put("long", 10 * k_long);
    copy_as_it_is(place / "a.db", place / "b.db");
    const std::size_t missing = read_file(place / "b.db").find("long") + 5 * k_long;
    CHECK(written_again(place / "b.db", missing) == std::vector<std::uint64_t>{missing / k_page * k_page});
}

TEST_CASE("The first byte of the log is written again where it is all that the disk lacks", "[DUR-7]") {
    const Workplace place;
    Peer peer(place / "a.db");
    peer.put("a", 100, Durability::full);
    copy_as_it_is(place / "a.db", place / "b.db");
    const std::uint64_t missing = peer.core->log().file_offset(peer.core->newest_meta().log_position);
    CHECK(written_again(place / "b.db", missing) == std::vector<std::uint64_t>{missing});
}

TEST_CASE("What the disk lacks of a log extent before the last one is written again", "[DUR-7]") {
    const Workplace place;
    Peer peer(place / "a.db");
    const std::uint64_t first = peer.core->log().file_offset(peer.core->newest_meta().log_position);
    while (peer.core->log().extents().size() == 1) peer.put("a", 5000, Durability::full);
    copy_as_it_is(place / "a.db", place / "b.db");
    CHECK(written_again(place / "b.db", first) == std::vector<std::uint64_t>{first});
}

TEST_CASE("A redaction that a full disk keeps from its end keeps nobody from opening the file", "[CHAIN-3][DUR-9]") {
    const Workplace place;
    const std::string value(200, 'x');
    {
        Peer peer(place / "a.db");
        Transaction tx = peer.db.begin_write();
        tx.tree("t").put("secret", value);
        tx.commit();
        peer.db.checkpoint();
        const Snapshot held = peer.db.begin_read();
        REQUIRE(code_of([&] { peer.db.redact("t", "secret", 0, "asked for", 0); }) == Errc::still_held);
        copy_as_it_is(place / "a.db", place / "b.db");
    }
    for (const Errc failure : {Errc::io, Errc::no_space}) {
        CAPTURE(failure);
        test::HookedVfs vfs;
        bool erasing = false;
        vfs.set_hook([&](test::FileCall call, std::uint64_t where, bool done) {
            if (call == test::FileCall::lock && where == detail::Processes::redact) erasing = true;
            if (call == test::FileCall::write && erasing && !done) throw Error(failure, "what this test's disk says");
        });
        std::optional<Database> db;
        const std::optional<Errc> code = code_of(
            [&] { db.emplace(detail::make_database(detail::DatabaseCore::open(place / "b.db", quiet(), &vfs))); });
        vfs.set_hook(nullptr);
        REQUIRE(erasing);
        CHECK(code == (failure == Errc::no_space ? std::nullopt : std::optional(failure)));
        if (!db) continue;
        CHECK(db->statistics().redaction_pending != 0);
        for (int i = 0; i < 3; ++i) db->checkpoint();
        CHECK(db->statistics().redaction_pending == 0);
        CHECK(read_file(place / "b.db").find(value) == std::string::npos);
    }
}

TEST_CASE("A redaction that no meta page tells of is known by its txn to who may not write", "[CHAIN-3][SWARM-8]") {
    const Workplace place;
    Peer peer(place / "a.db");
    peer.put("secret");
    peer.db.checkpoint();
    const Txn by = peer.db.begin_read().txn() + 1;
    // The machine stops when the commit is durable, before a meta page says anything of it.
    bool stopped = false;
    peer.vfs.set_hook([&](test::FileCall call, std::uint64_t, bool done) {
        const bool committed = peer.core->processes().load(detail::Word::built_txn) == by;
        if (call != test::FileCall::sync || !done || !committed || std::exchange(stopped, true)) return;
        copy_as_it_is(place / "a.db", place / "b.db");
    });
    CHECK(peer.db.redact("t", "secret", 0, "asked for").txn == by);
    peer.vfs.set_hook(nullptr);
    REQUIRE(stopped);
    Options read_only = quiet();
    read_only.read_only = true;
    CHECK(Peer(place / "b.db", read_only).db.statistics().redaction_pending == by);
}

TEST_CASE("A redaction of more values than one record names is known by its txn after a recovery", "[CHAIN-3][DUR-8]") {
    const Workplace place;
    Options small = quiet();
    small.overlay_limit = 64u << 10;
    small.history = History::everything();
    Txn by = 0;
    {
        Peer peer(place / "a.db", small);
        for (int i = 0; i < 3000; ++i) by = peer.put("secret", 20) + 1;
        peer.db.checkpoint();
        std::uint64_t position = peer.core->log().end();
        // The machine stops when the commit is durable, before a meta page says anything of it.
        bool stopped = false;
        peer.vfs.set_hook([&](test::FileCall call, std::uint64_t, bool done) {
            const bool committed = peer.core->processes().load(detail::Word::built_txn) == by;
            if (call != test::FileCall::sync || !done || !committed || std::exchange(stopped, true)) return;
            copy_as_it_is(place / "a.db", place / "b.db");
        });
        CHECK(peer.db.redact("t", "secret", 0, "asked for").txn == by);
        peer.vfs.set_hook(nullptr);
        REQUIRE(stopped);
        int parts = 0;
        for (detail::RecordView record; record.kind() != detail::RecordKind::commit || record.txn() != by;) {
            record = peer.core->log().read(position);
            if (record.kind() == detail::RecordKind::part) ++parts;
            position = record.kind() == detail::RecordKind::next ? record.continues_at() : record.end();
        }
        REQUIRE(parts > 0);
    }
    Options read_only = small;
    read_only.read_only = true;
    CHECK(Peer(place / "b.db", read_only).db.statistics().redaction_pending == by);
    test::HookedVfs vfs;
    bool erasing = false;
    vfs.set_hook([&](test::FileCall call, std::uint64_t where, bool done) {
        if (call == test::FileCall::lock && where == detail::Processes::redact) erasing = true;
        if (call == test::FileCall::write && erasing && !done) throw Error(Errc::no_space, "this test's disk is full");
    });
    Database db = detail::make_database(detail::DatabaseCore::open(place / "b.db", small, &vfs));
    vfs.set_hook(nullptr);
    CHECK(db.statistics().redaction_pending == by);
    for (int i = 0; i < 3; ++i) db.checkpoint();
    CHECK(db.statistics().redaction_pending == 0);
    CHECK(db.begin_read(AsOf::txn(by - 1)).tree("t").get("secret") == "");
}

TEST_CASE("A file whose meta pages belong to different databases is refused", "[ERR-2][DMG-5]") {
    const Workplace place;
    for (const char* const name : {"a.db", "b.db"}) {
        Peer peer(place / name);
        for (int i = 0; i < 3; ++i) {
            peer.put("k" + std::to_string(i));
            peer.db.checkpoint();
        }
    }
    std::string mixed = read_file(place / "a.db");
    mixed.replace(k_page, k_page, read_file(place / "b.db").substr(k_page, k_page));
    write_file(place / "a.db", mixed);
    CHECK(code_of([&] { Peer peer(place / "a.db"); }) == Errc::corrupt);
}

// The number beside each commit keeps the hash of a small value from telling it.
TEST_CASE("No two handles give their commits the same nonces", "[CHAIN-1]") {
    const Workplace place;
    std::vector<detail::Nonce> nonces;
    for (int i = 0; i < 3; ++i) {
        Peer peer(place / "a.db");
        const std::uint64_t position = peer.core->log().end();
        peer.put("k", 100, Durability::full);
        const detail::RecordView record = peer.core->log().read(position);
        REQUIRE(record.kind() == detail::RecordKind::commit);
        for (const detail::Nonce& other : nonces) CHECK(record.nonce() != other);
        nonces.push_back(record.nonce());
        peer.core->processes().store(detail::Word::poison, 1);  // it dies
    }
}
