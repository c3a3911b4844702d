// txn_order_test.cpp -- in which order a commit and a checkpoint write, flush and tell, and what lies there in between.
#include "peer.hpp"

namespace {

using namespace northstar;
using detail::Word;
using test::FileCall;
using txn_test::note_calls;
using txn_test::Peer;
using txn_test::quiet;
using txn_test::read_file;
using txn_test::Workplace;
using txn_test::write_file;

/// A record of this size is written with a call, where a hook can see it.
constexpr std::size_t k_long = 20'000;
constexpr std::size_t k_page = 4096;

bool sound(const Peer& peer) {
    const VerifyReport report = peer.db.verify();
    for (const Problem& problem : report.problems) UNSCOPED_INFO(problem.where << ": " << problem.what);
    return report.ok();
}

}  // namespace

TEST_CASE("A full commit returns when its record was written and then flushed", "[DUR-1]") {
    const Workplace place;
    Peer peer(place / "a.db");
    peer.put("a", 100, Durability::full);
    std::string calls;
    note_calls(peer.vfs, calls);
    peer.put("b", k_long, Durability::full);
    peer.vfs.set_hook(nullptr);
    INFO(calls);
    CHECK(calls.find('w') != std::string::npos);
    CHECK(calls.back() == 's');
}

TEST_CASE("A checkpoint flushes its pages, then its meta page, and then says so", "[CKPT-1][SPACE-2]") {
    const Workplace place;
    Peer peer(place / "a.db");
    peer.put("a", 100, Durability::full);
    const std::uint64_t before = peer.core->newest_meta().generation;
    std::string calls;
    std::string until_told;
    peer.vfs.set_hook([&](FileCall call, std::uint64_t where, bool done) {
        if (until_told.empty() && peer.core->processes().load(Word::generation) != before) until_told = calls;
        if (!done) return;
        if (call == FileCall::write) calls += where <= k_page ? 'm' : 'w';
        if (call == FileCall::sync) calls += 's';
    });
    peer.db.checkpoint();
    peer.vfs.set_hook(nullptr);
    INFO(until_told);
    REQUIRE(until_told.size() >= 4);
    CHECK(until_told.substr(until_told.size() - 4) == "wsms");
}

TEST_CASE("Until a checkpoint is made, either meta page gives the whole state", "[DUR-10][SPACE-2]") {
    const Workplace place;
    Options options = quiet();
    options.history = History::nothing();  // pages are free as soon as they may be
    Peer peer(place / "a.db", options);
    constexpr int k_keys = 60;
    for (std::size_t round = 1; round <= 8; ++round) {
        for (int i = 0; i < k_keys; ++i) peer.put("k" + std::to_string(i), 300 + round);
        const std::uint64_t newest = peer.core->newest_meta().generation;
        bool copied = false;
        peer.vfs.set_hook([&](FileCall call, std::uint64_t where, bool done) {
            if (call != FileCall::write || done || where > k_page || std::exchange(copied, true)) return;
            std::string bytes = read_file(place / "a.db");
            bytes[(newest & 1) * k_page + 100] ^= 1;
            write_file(place / "b.db", bytes);
        });
        peer.db.checkpoint();
        peer.vfs.set_hook(nullptr);
        REQUIRE(copied);
        INFO("round " << round);
        Peer other(place / "b.db", options);
        const Snapshot now = other.db.begin_read();
        for (int i = 0; i < k_keys; ++i) {
            CHECK(now.tree("t").get("k" + std::to_string(i)) == std::string(300 + round, 'v'));
        }
        CHECK(sound(other));
    }
}

// A flusher sees that a mark is due before it takes the turn, and a writer may go and leave the lock to others in
// between.
TEST_CASE("Only who has the write lock puts a mark behind the log", "[SWARM-1][DUR-11]") {
    const Workplace place;
    Peer first(place / "a.db");
    Peer second(place / "a.db");
    first.put("first", 100, Durability::full);
    second.put("second", 100, Durability::full);
    const auto end = [&] { return first.core->processes().load(Word::log_position); };
    const std::uint64_t before = end();
    {
        const detail::TurnGuard guard(first.core->turn());
        first.core->append_mark();
    }
    CHECK(end() == before);
    first.core->begin_exclusive({});
    first.core->append_mark();
    first.core->end_exclusive();
    CHECK(end() > before);
    CHECK(first.core->log().read(before).kind() == detail::RecordKind::mark);
    second.put("third", 100, Durability::full);
    for (Peer* const peer : {&first, &second}) {
        const Snapshot now = peer->db.begin_read();
        CHECK(now.txn() == 3);
        CHECK(now.tree("t").size() == 3);
    }
    CHECK(sound(second));
}
