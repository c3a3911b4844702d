// txn_verify_space_test.cpp -- what verifying says where a whole ledger has other pages in it than the file uses.
#include "peer.hpp"

#include "base/bytes.hpp"
#include "base/xxh64.hpp"
#include "format/meta.hpp"
#include "format/page.hpp"
#include "pager/file_pages.hpp"
#include "txn/ledger.hpp"

#include <cstring>
#include <functional>
#include <string>
#include <utility>

namespace {

using namespace northstar;
using detail::Ledger;
using detail::Meta;
using txn_test::Peer;
using txn_test::quiet;
using txn_test::read_file;
using txn_test::Workplace;
using txn_test::write_file;

/// Changes the ledger of the newest generation of a closed file, and puts everything right that depends on its bytes.
void change_ledger(const std::string& path, const std::function<void(Ledger&, const Meta&)>& change) {
    std::string file = read_file(path);
    const auto bytes = std::as_writable_bytes(std::span(file));
    Meta meta;
    for (const std::size_t at : {0u, 4096u}) {
        Meta found;
        REQUIRE(detail::decode_meta(bytes.subspan(at, detail::k_meta_size), found) == detail::MetaState::valid);
        if (found.generation > meta.generation) meta = found;
    }
    std::byte* const page = bytes.data() + meta.space_page * meta.page_size;
    const std::span<std::byte> run(page + detail::k_page_header_size, static_cast<std::size_t>(meta.space_bytes));
    Ledger ledger = Ledger::decode(run, meta.page_size);
    change(ledger, meta);
    std::string changed = ledger.encode();
    REQUIRE(changed.size() <= run.size());
    changed.resize(run.size());
    std::memcpy(run.data(), changed.data(), changed.size());
    const std::uint64_t seed = detail::xxh64(meta.uuid.data(), meta.uuid.size(), 0);
    detail::seal_run(page, detail::PageKind::space, run, meta.space_page, detail::run_pages(run.size(), meta.page_size),
                     detail::load_u64(page + detail::k_page_generation_offset), seed);
    meta.space_checksum = detail::load_u64(page);
    detail::encode_meta(meta, bytes.subspan((meta.generation & 1) * 4096, detail::k_meta_size));
    write_file(path, file);
}

/// Lets go of all pages that died, whoever needs them.
void free_what_died(Ledger& ledger, const Meta&) { ledger.space.reclaim({}, {}); }

/// What verifying says first; nothing where all is well. Makes no checkpoint, which would write another ledger.
std::string complaint(const std::string& path) {
    Options options = quiet();
    options.read_only = true;
    const VerifyReport report = Database::open(path, options).verify();
    if (report.problems.empty()) return "";
    CHECK(report.problems.front().code == Errc::corrupt);
    return report.problems.front().where + " " + report.problems.front().what;
}

}  // namespace

TEST_CASE("Verifying finds pages that belong to nothing and pages that are two things at once", "[DMG-5][SPACE-1]") {
    const Workplace place;
    const std::string path = place / "a.db";
    {
        Options options = quiet();
        options.history = History::nothing();
        Peer peer(path, options);
        for (int i = 0; i < 20; ++i) peer.put("key" + std::to_string(i), 3000);
        for (int i = 0; i < 3; ++i) {
            peer.put("key");
            peer.db.checkpoint();
        }
    }
    const auto complaint_behind = [&](const std::function<void(Ledger&, const Meta&)>& change) {
        write_file(place / "b.db", read_file(path));
        change_ledger(place / "b.db", change);
        return complaint(place / "b.db");
    };
    CHECK(complaint_behind([](Ledger&, const Meta&) {}).empty());
    std::uint64_t lost = 0;
    std::string said = complaint_behind([&](Ledger& ledger, const Meta&) { lost = ledger.space.allocate(1); });
    CHECK(said == "pages " + std::to_string(lost) + " to " + std::to_string(lost) + " belong to nothing");
    std::uint64_t root = 0;
    said = complaint_behind([&](Ledger& ledger, const Meta& meta) {
        root = detail::Ref(meta.catalog.root).page();
        ledger.space.give_back({root, 1});
    });
    CHECK(said == "page " + std::to_string(root) + " is free and something else at once");
    said = complaint_behind([&](Ledger& ledger, const Meta& meta) {
        ledger.space.die(root, 1, 1, meta.generation, true);
    });
    CHECK(said == "page " + std::to_string(root) + " is dead and something else at once");
    std::uint64_t inside = 0;
    said = complaint_behind([&](Ledger& ledger, const Meta&) {
        inside = ledger.extents[0].page + 1;
        ledger.space.give_back({inside, 1});
    });
    CHECK(said == "page " + std::to_string(inside) + " is free and something else at once");
    std::uint64_t end = 0;
    said = complaint_behind([&](Ledger& ledger, const Meta&) {
        end = ledger.space.end();
        ledger.space.take(end, 1);
    });
    CHECK(said == "page " + std::to_string(end) + " the space map ends at page " + std::to_string(end + 1));
}

TEST_CASE("Verifying finds an oldest state that is not the one whose hash is kept", "[DMG-5][TRUTH-4]") {
    const Workplace place;
    const std::string path = place / "a.db";
    Options options = quiet();
    options.history = History::everything();
    {
        Peer peer(path, options);
        for (int i = 0; i < 20; ++i) peer.put("key" + std::to_string(i % 3));
        peer.db.prune(AsOf::txn(10));
    }
    CHECK(complaint(path).empty());
    change_ledger(path, [](Ledger& ledger, const Meta&) {
        REQUIRE(ledger.horizon.state.has_value());
        ledger.horizon.state->bytes[0] ^= 1;
    });
    CHECK(complaint(path) == "txn 10 the oldest readable state does not have the hash that is kept of it");
}

// The bases of the past: where it begins, where that of one tree begins, and where it is going to begin.
TEST_CASE("Verifying finds pages of the bases of the past that are not kept", "[DMG-5][PAST-4][SPACE-1]") {
    const Workplace place;
    Options options = quiet();
    options.history = History::everything();
    Peer peer(place / "a.db", options);
    // Moves of the horizon take many steps, and can be met in the middle.
    peer.core->set_move_budget({2048, 32768});
    const auto put = [&](const char* tree, char value) {
        Transaction tx = peer.db.begin_write();
        for (int i = 0; i < 40; ++i) tx.tree(tree).put("key" + std::to_string(i), std::string(1000, value));
        tx.commit();
    };
    const auto copy = [&] { write_file(place / "b.db", read_file(place / "a.db")); };
    SECTION("where it begins") {
        put("t", 'a');
        peer.db.prune(AsOf::txn(peer.db.begin_read().txn()));
        put("t", 'b');
        for (int i = 0; i < 3; ++i) peer.db.checkpoint();
        copy();
    }
    SECTION("where that of one tree begins") {
        peer.db.update([](Transaction& tx) { tx.set_history("t", History::nothing()); });
        for (int i = 0; i < 20; ++i) put("other", 'a');
        put("t", 'a');
        peer.db.checkpoint();
        put("t", 'b');
        peer.db.update([](Transaction& tx) { tx.set_history("t", History::everything()); });
        peer.vfs.set_hook([&](northstar::test::FileCall call, std::uint64_t where, bool) {
            if (call != northstar::test::FileCall::unlock || where != detail::Processes::checkpoint) return;
            if (peer.core->horizon().young.empty()) return;
            copy();
            peer.vfs.set_hook(nullptr);
        });
        peer.db.checkpoint();
        peer.vfs.set_hook(nullptr);
    }
    SECTION("where it is going to begin") {
        Peer other(place / "a.db", options);
        for (int i = 0; i < 20; ++i) put("other", 'a');
        put("t", 'a');
        std::uint64_t generation = peer.core->newest_meta().generation;
        int step = 0;
        peer.vfs.set_hook([&](northstar::test::FileCall call, std::uint64_t where, bool) {
            if (call != northstar::test::FileCall::unlock || where != detail::Processes::checkpoint) return;
            const std::uint64_t now = peer.core->newest_meta().generation;
            if (std::exchange(generation, now) == now) return;
            ++step;
            if (step == 2) {
                Transaction tx = other.db.begin_write();
                for (int i = 0; i < 40; ++i) tx.tree("t").put("key" + std::to_string(i), std::string(1000, 'b'));
                tx.commit();
            }
            if (step == 6) copy();
        });
        peer.db.prune(AsOf::txn(peer.db.begin_read().txn()));
        peer.vfs.set_hook(nullptr);
        change_ledger(place / "b.db", [](Ledger& ledger, const Meta& meta) {
            REQUIRE(ledger.move);
            REQUIRE(meta.retained_txn == 0);
        });
    }
    REQUIRE(complaint(place / "b.db").empty());
    change_ledger(place / "b.db", free_what_died);
    CHECK(complaint(place / "b.db").ends_with("is part of the retained base and is not kept for it"));
}

TEST_CASE("Verifying looks at every entry of every tree", "[DMG-5]") {
    Database db = Database::open(":memory:", quiet());
    for (const char* const tree : {"t", "u"}) {
        db.update([&](Transaction& tx) {
            for (int i = 0; i < 10; ++i) tx.tree(tree).put("k" + std::to_string(i), "v");
        });
    }
    const std::uint64_t before = db.verify().entries;
    db.update([](Transaction& tx) { tx.tree("u").put("one more", "v"); });
    CHECK(db.verify().entries == before + 1);
}

TEST_CASE("Verifying looks at each record of the log from the horizon on, and says where that is", "[DMG-5][PAST-5]") {
    const Workplace place;
    Options options = quiet();
    options.history = History::everything();
    Peer peer(place / "a.db", options);
    for (int i = 1; i <= 10; ++i) peer.put("key");
    const VerifyReport all = peer.db.verify();
    CHECK(all.first_txn == 1);
    CHECK(all.last_txn == 10);
    CHECK(all.records == 10);
    peer.db.prune(AsOf::txn(4));
    const VerifyReport kept = peer.db.verify();
    CHECK(kept.first_txn == 4);
    CHECK(kept.last_txn == 11);
    CHECK(kept.records == 8);
    // Nothing of the log is asked for.
    const VerifyReport trees = peer.db.verify({true, false, false});
    CHECK(trees.records == 0);
    CHECK(trees.last_txn == 11);
    CHECK(trees.entries == kept.entries);
}

// The pages that the newest commits no longer use were taken for pages of nothing.
TEST_CASE("Who may only read verifies what others committed behind the last checkpoint", "[DMG-5][SPACE-1]") {
    const Workplace place;
    const std::string path = place / "a.db";
    Peer writer(path);
    for (int i = 0; i < 500; ++i) writer.put("key" + std::to_string(i));
    writer.db.checkpoint();
    for (int i = 0; i < 500; i += 5) writer.put("key" + std::to_string(i), 200);
    Options options = quiet();
    options.read_only = true;
    const Peer reader(path, options);
    const VerifyReport report = reader.db.verify();
    for (const Problem& problem : report.problems) UNSCOPED_INFO(problem.where << ": " << problem.what);
    CHECK(report.ok());
    CHECK(report.last_txn == 600);
}
