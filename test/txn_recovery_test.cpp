// txn_recovery_test.cpp -- what opening does to the file, and in which order, so that nothing is believed too early.
#include "peer.hpp"

#include "format/meta.hpp"

#include <fstream>
#include <iterator>

namespace {

using namespace northstar;
using test::FileCall;
using txn_test::code_of;
using txn_test::Peer;
using txn_test::quiet;
using txn_test::Workplace;

/// A record of this size is written with a call, where a hook can see it.
constexpr std::size_t k_long = 20'000;
constexpr std::size_t k_page = 4096;

/// Notes what is done to a file: m a meta page is written, w something else, s a flush.
void note_calls(test::HookedVfs& vfs, std::string& calls) {
    vfs.set_hook([&calls](FileCall call, std::uint64_t where, bool done) {
        if (!done) return;
        if (call == FileCall::write) calls += where <= k_page ? 'm' : 'w';
        if (call == FileCall::sync) calls += 's';
    });
}

std::string read_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

void write_file(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
}

/// What a machine leaves that stops now.
void copy_as_it_is(const std::string& from, const std::string& to) { write_file(to, read_file(from)); }

std::uint64_t generation_at(const std::string& bytes, std::size_t offset) {
    detail::Meta meta;
    const auto page = std::as_bytes(std::span(bytes)).subspan(offset, detail::k_meta_size);
    REQUIRE(detail::decode_meta(page, meta) == detail::MetaState::valid);
    return meta.generation;
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

TEST_CASE("A file that was closed is opened without a write", "[ERR-2]") {
    const Workplace place;
    {
        Peer peer(place / "a.db");
        peer.put("a", 100, Durability::full);
    }
    CHECK(calls_of_opening(place / "a.db").empty());
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

TEST_CASE("Who falls back to the older meta page needs the log up to the newer one", "[DUR-10][DMG-4]") {
    const Workplace place;
    Peer peer(place / "a.db");
    peer.put("a", 100, Durability::full);
    peer.db.checkpoint();
    peer.put("needle", k_long, Durability::full);
    peer.db.checkpoint();
    std::string bytes = read_file(place / "a.db");
    const std::size_t newest = generation_at(bytes, 0) > generation_at(bytes, k_page) ? 0 : k_page;
    // The ledger that the newest meta page names; without it that generation cannot be read.
    detail::Meta meta;
    REQUIRE(detail::decode_meta(std::as_bytes(std::span(bytes)).subspan(newest, detail::k_meta_size), meta) ==
            detail::MetaState::valid);
    bytes[meta.space_page * k_page + 100] ^= 1;
    write_file(place / "b.db", bytes);
    {
        Peer other(place / "b.db");
        CHECK(other.db.begin_read().tree("t").contains("needle"));
    }
    const std::size_t at = bytes.find("needle");
    REQUIRE(at != std::string::npos);
    bytes[at] ^= 1;
    write_file(place / "c.db", bytes);
    CHECK(code_of([&] { Peer other(place / "c.db"); }) == Errc::corrupt);
}
