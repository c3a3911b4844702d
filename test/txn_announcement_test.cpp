// txn_announcement_test.cpp -- where the log goes on in another extent is told twice: damage of one place hides nothing
// of what was committed behind it.
#include "peer.hpp"

#include "log/record.hpp"

#include <cstdint>
#include <string>

namespace {

using namespace northstar;
using txn_test::code_of;
using txn_test::Peer;
using txn_test::read_file;
using txn_test::Workplace;
using txn_test::write_file;

constexpr std::uint64_t k_sector = 512;

/// A machine that stopped after the log had gone on in another extent, with commits there.
struct Moved {
    explicit Moved(Durability durability, std::uint32_t log_align = 0) {
        Options options = txn_test::quiet();
        options.log_align = log_align;
        Peer peer(place / "a.db", options);
        const std::size_t extents = peer.core->log().extents().size();
        newest = peer.put("first", 100, Durability::full);
        const std::uint64_t position = peer.core->log().end();
        while (peer.core->log().extents().size() == extents) {
            before = newest;
            newest = peer.put("k", 1000, durability);
        }
        for (int i = 0; i < 4; ++i) newest = peer.put("behind", 1000, durability);
        detail::RecordView record = peer.core->log().read(position);
        while (record.kind() != detail::RecordKind::next) record = peer.core->log().read(record.end());
        next = peer.core->log().file_offset(record.position());
        next_size = record.end() - record.position();
        const std::optional<detail::ExtentDirectory::Place> here = peer.core->log().place(record.position());
        again = here->offset + here->remaining - detail::align_record(detail::k_extent_reserve, log_align);
        bytes = read_file(place / "a.db");
    }
    /// The same machine with other bytes: the newest commit it shows, or what it says.
    Txn shown(const std::string& other) {
        write_file(place / "b.db", other);
        return Peer(place / "b.db").db.begin_read().txn();
    }
    Workplace place;
    Txn before = 0;            ///< the last commit in front of the other extent
    Txn newest = 0;
    std::uint64_t next = 0;    ///< in the file
    std::uint64_t next_size = 0;
    std::uint64_t again = 0;
    std::string bytes;
};

std::string without(std::string bytes, std::uint64_t from, std::uint64_t size) {
    bytes.replace(from, size, size, '\0');
    return bytes;
}

}  // namespace

TEST_CASE("Any damaged byte of the record that says where the log goes on is reported", "[STORE-4][DMG-4]") {
    Moved moved(Durability::full);
    REQUIRE(moved.shown(moved.bytes) == moved.newest);
    for (std::uint64_t at = 0; at < moved.next_size; at += 7) {
        CAPTURE(at);
        std::string damaged = moved.bytes;
        damaged[moved.next + at] ^= 0x10;
        CHECK(code_of([&] { (void)moved.shown(damaged); }) == Errc::corrupt);
    }
}

TEST_CASE("A sector or a page lost around the record that says where the log goes on is reported",
          "[STORE-4][DMG-4]") {
    const std::uint32_t log_align = GENERATE(0u, 4096u);
    const std::uint64_t lost = GENERATE(512u, 4096u);
    CAPTURE(log_align, lost);
    Moved moved(Durability::full, log_align);
    // Behind its first bytes it is padding.
    const std::uint64_t end = moved.next + detail::k_record_header_size;
    const std::uint64_t first = (moved.next + k_sector - lost) / k_sector * k_sector;
    for (std::uint64_t from = first; from < end; from += k_sector) {
        CAPTURE(from, moved.next);
        CHECK(code_of([&] { (void)moved.shown(without(moved.bytes, from, lost)); }) == Errc::corrupt);
    }
}

TEST_CASE("The second record that says where the log goes on may be lost", "[STORE-4]") {
    Moved moved(Durability::full);
    REQUIRE(moved.bytes.compare(moved.again, moved.next_size, std::string(moved.next_size, '\0')) != 0);
    CHECK(moved.shown(without(moved.bytes, moved.again / k_sector * k_sector, k_sector)) == moved.newest);
}

TEST_CASE("What was not durable when the machine stopped is no damage where the second record alone was kept",
          "[STORE-4][DMG-4]") {
    Moved moved(Durability::lazy);
    REQUIRE(moved.shown(moved.bytes) == moved.newest);
    CHECK(moved.shown(without(moved.bytes, moved.next, moved.next_size)) == moved.before);
}
