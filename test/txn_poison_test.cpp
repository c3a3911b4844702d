// txn_poison_test.cpp -- what the others learn when a flush, or a write of the log, failed in one process.
#include "peer.hpp"

namespace {

using namespace northstar;
using detail::Word;
using test::FileCall;
using txn_test::code_of;
using txn_test::Peer;
using txn_test::Workplace;

/// A record of this size is written with a call, where a hook can step in.
constexpr std::size_t k_long = 20'000;

void fail_at(Peer& peer, FileCall wanted) {
    peer.vfs.set_hook([wanted](FileCall call, std::uint64_t, bool done) {
        if (call == wanted && !done) throw Error(Errc::io, "the test makes this call fail");
    });
}

/// A full commit of whose outcome nothing is known, which is said once.
void check_unknown(Peer& peer) {
    try {
        peer.put("b", 100, Durability::full);
        FAIL("it was acknowledged");
    } catch (const Error& error) {
        CHECK(error.code() == Errc::outcome_unknown);
        const std::string what = error.what();
        CHECK(what.find("look") != std::string::npos);
        CHECK(what.find("look") == what.rfind("look"));
    }
}

/// Makes the next call of a kind, in `peer`, come together with `fn`.
template <class F>
void beside(Peer& peer, FileCall wanted, bool afterwards, F fn) {
    peer.vfs.set_hook([&peer, wanted, afterwards, fn](FileCall call, std::uint64_t, bool done) {
        if (call != wanted || done != afterwards) return;
        peer.vfs.set_hook(nullptr);
        fn();
    });
}

}  // namespace

TEST_CASE("After a failed flush every process only reads until all have closed", "[DUR-7]") {
    const Workplace place;
    std::optional<Peer> first(place / "a.db");
    std::optional<Peer> second(place / "a.db");
    first->put("a", 100, Durability::full);
    int flushes = 0;
    first->vfs.set_hook([&](FileCall call, std::uint64_t, bool) {
        if (call != FileCall::sync) return;
        ++flushes;
        throw Error(Errc::io, "the test makes this call fail");
    });
    check_unknown(*first);
    first->vfs.set_hook(nullptr);
    CHECK(flushes == 1);  // never tried again: a second one would come back, and prove nothing
    for (Peer* peer : {&*first, &*second}) {
        CHECK(code_of([&] { peer->put("c"); }) == Errc::poisoned);
        CHECK(code_of([&] { peer->db.checkpoint(); }) == Errc::poisoned);
        CHECK(peer->db.begin_read().tree("t").contains("a"));
    }
    first.reset();
    CHECK(code_of([&] { second->put("c"); }) == Errc::poisoned);
    second.reset();
    Peer again(place / "a.db");
    const Txn txn = again.put("c");
    CHECK(again.db.begin_read().txn() == txn);
}

TEST_CASE("After a failed flush no optimistic transaction is begun", "[DUR-7]") {
    const Workplace place;
    Peer peer(place / "a.db");
    peer.core->processes().store(detail::Word::poison, 1);
    CHECK(code_of([&] { static_cast<void>(peer.db.begin_optimistic()); }) == Errc::poisoned);
}

TEST_CASE("A failed write of the log poisons, since half a record may lie there", "[DUR-7][CORE-4]") {
    const Workplace place;
    Peer peer(place / "a.db");
    peer.put("a", 100, Durability::full);
    fail_at(peer, FileCall::write);
    CHECK(code_of([&] { peer.put("b", k_long); }) == Errc::outcome_unknown);
    peer.vfs.set_hook(nullptr);
    CHECK(code_of([&] { peer.put("c"); }) == Errc::poisoned);
}

TEST_CASE("A flush that comes back beside one that failed acknowledges nothing", "[DUR-7][CKPT-1]") {
    const Workplace place;
    Peer peer(place / "a.db");
    Peer other(place / "a.db");
    other.put("a", 100, Durability::full);
    beside(peer, FileCall::sync, false, [&] { other.core->processes().store(Word::poison, 1); });
    check_unknown(peer);
}

TEST_CASE("A flush that comes back beside one that failed makes nothing visible", "[DUR-5][DUR-7]") {
    const Workplace place;
    Peer peer(place / "a.db");
    Peer other(place / "a.db");
    other.put("a", 100, Durability::full);
    beside(peer, FileCall::sync, false, [&] { other.core->processes().store(Word::poison, 1); });
    CHECK(code_of([&] { peer.put("b", 100, Durability::full); }).has_value());
    CHECK(peer.core->processes().load(Word::durable_txn) == 1);
    CHECK(other.db.begin_read().txn() == 1);
}

TEST_CASE("A commit that the flush of another one covered is unknown where the database was poisoned meanwhile",
          "[DUR-7]") {
    const Workplace place;
    Peer peer(place / "a.db");
    Peer other(place / "a.db");
    REQUIRE(peer.put("a", 100, Durability::full) == 1);
    other.core->processes().store(Word::poison, 1);
    CHECK(code_of([&] { peer.core->make_durable(1, 0); }) == Errc::outcome_unknown);
}

TEST_CASE("A lazy commit whose database was poisoned while it was written is unknown", "[DUR-7][DUR-4]") {
    const Workplace place;
    Peer peer(place / "a.db");
    Peer other(place / "a.db");
    other.put("a", 100, Durability::full);
    beside(peer, FileCall::write, true, [&] {
        fail_at(other, FileCall::sync);
        CHECK(code_of([&] { other.db.sync(); }) == std::nullopt);  // nothing is published that it could flush
        CHECK(code_of([&] { other.core->make_durable(2, 0); }) == Errc::outcome_unknown);
    });
    CHECK(code_of([&] { peer.put("b", k_long); }) == Errc::outcome_unknown);
}

TEST_CASE("A writer that waited for its turn while the database was poisoned does not write", "[DUR-7]") {
    const Workplace place;
    Peer peer(place / "a.db");
    Peer other(place / "a.db");
    other.put("a", 100, Durability::full);
    // It was asked whether it may write before it waited for the lock.
    beside(peer, FileCall::lock, false, [&] { other.core->processes().store(Word::poison, 1); });
    CHECK(code_of([&] { static_cast<void>(peer.db.begin_write()); }) == Errc::poisoned);
}
