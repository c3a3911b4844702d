// txn_opening_test.cpp -- making, opening and closing a file, beside others who do the same.
#include "peer.hpp"

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "format/meta.hpp"
#include "format/page.hpp"

#include <algorithm>
#include <atomic>
#include <span>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace northstar;
using detail::Processes;
using test::FileCall;
using txn_test::code_of;
using txn_test::Peer;
using txn_test::quiet;
using txn_test::read_file;
using txn_test::Workplace;
using txn_test::write_file;

/// Within the fields of a meta page.
constexpr std::size_t k_torn = 100;

Options reading() {
    Options options = quiet();
    options.read_only = true;
    return options;
}

/// A new file of pages of a size as it is before its second meta page is written, which stands in front.
std::string half_made(const Workplace& place, std::uint32_t page_size) {
    Options options = quiet();
    options.page_size = page_size;
    const std::string path = place / ("made " + std::to_string(page_size));
    { const Peer peer(path, options); }
    std::string bytes = read_file(path);
    bytes.replace(0, detail::k_meta_size, detail::k_meta_size, '\0');
    return bytes;
}

/// Opens what is taken for a new file, and uses it.
void check_made_anew(const std::string& path) {
    Peer peer(path);
    CHECK(peer.db.begin_read().txn() == 0);
    CHECK(peer.put("key", 100, Durability::full) == 1);
    CHECK(peer.db.verify().ok());
}

/// Generations that files of a vfs hold.
std::size_t pins(const test::HookedVfs& vfs) {
    std::size_t count = 0;
    for (const std::uint64_t byte : vfs.held()) count += byte >= Processes::first_pin ? 1 : 0;
    return count;
}

/// A checkpoint that writes a generation, whether or not something changed.
void make_generation(Peer& peer) {
    peer.put("key");
    peer.db.checkpoint();
}

}  // namespace

// Nobody was ever told that it exists.
TEST_CASE("A file whose making was cut short within its first meta page is made anew", "[DUR-3][DUR-8]") {
    const Workplace place;
    for (const std::uint32_t page_size : {4096u, 8192u, 65536u}) {
        const std::string bytes = half_made(place, page_size);
        for (const bool begins : {true, false}) {
            INFO("pages of " << page_size << ", the beginning of the meta page reached the disk " << begins);
            std::string torn = bytes;
            const std::size_t lost = page_size + (begins ? k_torn : 0);
            const std::size_t size = begins ? detail::k_meta_size - k_torn : k_torn;
            torn.replace(lost, size, size, '\0');
            const std::string path = place / "torn.db";
            write_file(path, torn);
            check_made_anew(path);
        }
    }
}

// It has its size before it has any bytes.
TEST_CASE("A file that is shorter than a new one and has a torn meta page is left alone", "[DUR-3][ERR-2]") {
    const Workplace place;
    const std::string path = place / "cut.db";
    std::string bytes = half_made(place, 4096);
    bytes.replace(4096 + k_torn, detail::k_meta_size - k_torn, detail::k_meta_size - k_torn, '\0');
    bytes.pop_back();
    write_file(path, bytes);
    CHECK(code_of([&] { Peer peer(path); }) == Errc::corrupt);
    CHECK(read_file(path) == bytes);
}

TEST_CASE("A file whose making was cut short behind its first meta page is what was made", "[DUR-3][DUR-8]") {
    const Workplace place;
    for (const std::uint32_t page_size : {4096u, 8192u, 65536u}) {
        CAPTURE(page_size);
        const std::string path = place / "half.db";
        write_file(path, half_made(place, page_size));
        Peer peer(path);
        CHECK(peer.core->page_size() == page_size);
        CHECK(peer.put("key", 100, Durability::full) == 1);
        CHECK(peer.db.verify().ok());
    }
}

TEST_CASE("A file that got a size and no bytes is made anew, one of other bytes is left alone", "[DUR-3][ERR-2]") {
    const Workplace place;
    const std::string path = place / "short.db";
    for (const std::size_t size : {std::size_t{1}, std::size_t{4095}, std::size_t{4096}, std::size_t{100'000}}) {
        CAPTURE(size);
        write_file(path, std::string(size, '\0'));
        check_made_anew(path);
        const std::string other(size, 'x');
        write_file(path, other);
        CHECK(code_of([&] { Peer peer(path); }) == Errc::not_a_database);
        CHECK(read_file(path) == other);
    }
}

TEST_CASE("A file of zeros but for the byte behind its meta pages is left alone", "[DUR-3][ERR-2]") {
    const Workplace place;
    const std::string path = place / "a.db";
    const std::string bytes = std::string(detail::k_min_page_size + detail::k_meta_size, '\0') + 'x';
    write_file(path, bytes);
    CHECK(code_of([&] { Peer peer(path); }) == Errc::not_a_database);
    CHECK(read_file(path) == bytes);
}

TEST_CASE("A file that is cut while it is looked at for what a creation left is left alone", "[DUR-3][ERR-2]") {
    const Workplace place;
    const std::string path = place / "a.db";
    write_file(path, std::string(100'000, '\0'));
    test::HookedVfs vfs;
    int reads = 0;
    vfs.set_hook([&](FileCall call, std::uint64_t, bool done) {
        if (call == FileCall::read_uncached && !done && ++reads == 2) std::filesystem::resize_file(path, 50'000);
    });
    CHECK(code_of([&] { detail::DatabaseCore::open(path, quiet(), &vfs); }) == Errc::not_a_database);
    vfs.set_hook(nullptr);
    REQUIRE(reads >= 2);
    CHECK(read_file(path) == std::string(50'000, '\0'));
}

// What is read has to fit into memory.
TEST_CASE("Of a file of zeros that is longer than any new database little is read before it is refused", "[ERR-2]") {
    const Workplace place;
    const std::string path = place / "a.db";
    write_file(path, std::string(1u << 20, '\0'));
    test::HookedVfs vfs;
    std::size_t most = 0;
    vfs.set_uncached([&](std::uint64_t, std::span<std::byte> bytes) { most = std::max(most, bytes.size()); });
    CHECK(code_of([&] { detail::DatabaseCore::open(path, quiet(), &vfs); }) == Errc::not_a_database);
    CHECK(most <= detail::k_meta_size);
}

TEST_CASE("An empty file is no database for who may not write, and stays empty", "[ERR-2][SWARM-8]") {
    const Workplace place;
    const std::string path = place / "empty.db";
    write_file(path, "");
    std::string sentence;
    try {
        const Peer peer(path, reading());
    } catch (const Error& error) {
        CHECK(error.code() == Errc::not_a_database);
        sentence = error.what();
    }
    CHECK(sentence.find("is empty") != std::string::npos);
    CHECK(read_file(path).empty());
    CHECK_FALSE(std::filesystem::exists(path + "-shared"));
}

TEST_CASE("The space map of a new file lies in a run of one page of the first generation", "[SPACE-1]") {
    const Workplace place;
    const std::string path = place / "a.db";
    { const Peer peer(path); }
    const std::string text = read_file(path);
    const std::span<const std::byte> bytes = std::as_bytes(std::span(text));
    detail::Meta meta;
    REQUIRE(detail::decode_meta(bytes.first(detail::k_meta_size), meta) == detail::MetaState::valid);
    REQUIRE(meta.generation == 2);
    const std::byte* const header = bytes.data() + meta.space_page * meta.page_size;
    CHECK(detail::load_u64(header + detail::k_page_number_offset) == meta.space_page);
    CHECK(detail::load_u64(header + detail::k_page_generation_offset) == 1);
    CHECK(header[detail::k_page_kind_offset] == static_cast<std::byte>(detail::PageKind::space));
    CHECK(detail::load_u32(header + detail::k_run_pages_offset) == 1);
    CHECK(detail::load_u64(header + detail::k_run_bytes_offset) == meta.space_bytes);
}

TEST_CASE("A handle that may not write shows what writers commit, whoever was there first", "[SWARM-8][SNAP-4]") {
    const Workplace place;
    const std::string path = place / "a.db";
    { Peer(path).put("made"); }
    const bool reader_first = GENERATE(true, false);
    CAPTURE(reader_first);
    std::optional<Peer> reader;
    std::optional<Peer> writer;
    if (reader_first) reader.emplace(path, reading());
    writer.emplace(path);
    if (!reader_first) reader.emplace(path, reading());
    for (int i = 0; i < 3; ++i) {
        const Txn newest = writer->put("key");
        CHECK(reader->db.begin_read().txn() == newest);
    }
}

TEST_CASE("Of two snapshots that find writers at the same time one lets them in", "[SWARM-8][SNAP-3]") {
    const Workplace place;
    const std::string path = place / "a.db";
    { Peer(path).put("made"); }
    Peer reader(path, reading());
    Peer writer(path);
    const Txn newest = writer.put("key");
    std::atomic<int> found{0};
    std::thread other;
    Txn seen_by_other = 0;
    reader.vfs.set_words([&] {
        if (++found != 1) return;
        other = std::thread([&] { seen_by_other = reader.db.begin_read().txn(); });
        while (!reader.core->turn().wanted()) std::this_thread::yield();
    });
    CHECK(reader.db.begin_read().txn() == newest);
    REQUIRE(other.joinable());
    other.join();
    CHECK(seen_by_other == newest);
    CHECK(found == 1);
}

TEST_CASE("Who may not write beside a side file that it may not open sees the state at opening", "[SWARM-8][SNAP-1]") {
    const Workplace place;
    const std::string path = place / "a.db";
    Peer writer(path);
    const Txn opened = writer.put("before");
    test::HookedVfs vfs;
    Errc code = Errc::permission;
    vfs.set_words([&] { detail::fail(code, "the side file of this test cannot be opened"); });
    {
        const Database db = detail::make_database(detail::DatabaseCore::open(path, reading(), &vfs));
        for (int i = 0; i < 3; ++i) {
            CHECK(db.begin_read().txn() == opened);
            CHECK(db.begin_read().tree("t").contains("before"));
            writer.put("behind");
            writer.db.checkpoint();
        }
        // It may be opened now.
        vfs.set_words({});
        CHECK(db.begin_read().txn() == opened + 3);
    }
    // Anything else is no reason to show what is old.
    code = Errc::io;
    vfs.set_words([&] { detail::fail(code, "the side file of this test cannot be opened"); });
    CHECK(code_of([&] { detail::DatabaseCore::open(path, reading(), &vfs); }) == Errc::io);
}

// It ends between its flush and the word that says what may be seen.
TEST_CASE("What a process that died had flushed and not shown yet is shown when another one closes",
          "[SNAP-4][SWARM-2]") {
    const Workplace place;
    const std::string path = place / "a.db";
    Peer reader(path);
    std::optional<Peer> closing(path);
    const Txn shown = closing->put("shown", 100, Durability::full);
    REQUIRE(reader.db.begin_read().txn() == shown);
    const Txn newest = closing->put("flushed", 100, Durability::full);
    closing->core->processes().store(detail::Word::visible_txn, shown);
    REQUIRE(reader.db.begin_read().txn() == shown);
    closing.reset();
    CHECK(reader.db.begin_read().txn() == newest);
}

// What the threads of the parent waited for could not be destroyed: about every other child stood still for ever.
TEST_CASE("A handle that was inherited through fork may be closed and destroyed in the child", "[SWARM-7][ERR-4]") {
    const Workplace place;
    Options options;
    auto db = std::make_unique<Database>(Database::open(place / "a.db", options));
    for (int i = 0; i < 10; ++i) {
        db->update([](Transaction& tx) { tx.tree("t").put("key", "v"); });
        std::optional<Transaction> open;
        if (i % 2 == 1) open.emplace(db->begin_write());
        const pid_t child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            ::alarm(20);
            if (i % 3 == 0) db->close();
            db.reset();
            open.reset();
            ::_exit(0);
        }
        int status = -1;
        REQUIRE(::waitpid(child, &status, 0) == child);
        REQUIRE(status == 0);
    }
    db->update([](Transaction& tx) { tx.tree("t").put("after", "v"); });
    CHECK(db->verify().ok());
}

TEST_CASE("Who closes a handle that is being closed has nothing to do", "[ERR-1][ERR-4]") {
    const Workplace place;
    Peer peer(place / "a.db");
    peer.put("key");
    bool again = false;
    peer.vfs.set_hook([&](FileCall call, std::uint64_t, bool done) {
        if (call != FileCall::sync || done || std::exchange(again, true)) return;
        peer.core->close();
        CHECK(peer.vfs.held().contains(Processes::open));
    });
    peer.core->close();
    peer.vfs.set_hook(nullptr);
    CHECK(again);
}

TEST_CASE("A closed handle refuses to be written to", "[ERR-1]") {
    const Workplace place;
    Peer peer(place / "a.db");
    peer.db.close();
    CHECK(code_of([&] { peer.core->check_writable(); }) == Errc::misuse);
    CHECK(code_of([&] { peer.put("key"); }) == Errc::misuse);
}

TEST_CASE("A closed handle refuses to flush, whether or not it could write", "[ERR-1]") {
    const Workplace place;
    const std::string path = place / "a.db";
    { Peer(path).put("key"); }
    for (const Options& options : {quiet(), reading()}) {
        CAPTURE(options.read_only);
        Peer peer(path, options);
        peer.db.close();
        CHECK(code_of([&] { peer.core->sync(); }) == Errc::misuse);
    }
}

// The gate is what others wait for: behind it they find nobody, or somebody who shares.
TEST_CASE("Who comes through the gate behind a close is not turned away, whether or not the close failed",
          "[SWARM-1][ERR-5]") {
    const Workplace place;
    const std::string path = place / "a.db";
    const bool fails = GENERATE(false, true);
    CAPTURE(fails);
    Peer peer(path);
    peer.put("key");
    bool came = false;
    std::optional<Errc> refused;
    peer.vfs.set_hook([&](FileCall call, std::uint64_t where, bool done) {
        if (fails && call == FileCall::write && !done) throw Error(Errc::io, "the disk of this test is broken");
        if (call != FileCall::unlock || where != Processes::gate) return;
        came = true;
        refused = code_of([&] { CHECK(Peer(path).db.begin_read().tree("t").contains("key")); });
    });
    CHECK(code_of([&] { peer.db.close(); }).has_value() == fails);
    peer.vfs.set_hook(nullptr);
    CHECK(came);
    CHECK(refused == std::nullopt);
}

// Between its look at a meta page and the lock that keeps the page's generation two others may be made.
TEST_CASE("Who opens a file is not turned away when it is overtaken by checkpoints", "[PROC-2][SWARM-1]") {
    const Workplace place;
    const std::string path = place / "a.db";
    Peer writer(path);
    make_generation(writer);
    for (const bool may_write : {true, false}) {
        CAPTURE(may_write);
        test::HookedVfs vfs;
        int overtakings = 0;
        vfs.set_hook([&](FileCall call, std::uint64_t where, bool done) {
            if (call != FileCall::lock || where < Processes::first_pin || done || overtakings == 3) return;
            ++overtakings;
            for (int i = 0; i < 2; ++i) make_generation(writer);
        });
        const Database db =
            detail::make_database(detail::DatabaseCore::open(path, may_write ? quiet() : reading(), &vfs));
        vfs.set_hook(nullptr);
        CHECK(overtakings == 3);
        CHECK(db.begin_read().txn() == writer.db.begin_read().txn());
        CHECK(pins(vfs) == 1);
    }
}

TEST_CASE("Who opens a file and is overtaken by checkpoints every time gives up", "[PROC-2][SWARM-1]") {
    const Workplace place;
    const std::string path = place / "a.db";
    Peer writer(path);
    test::HookedVfs vfs;
    int overtakings = 0;
    vfs.set_hook([&](FileCall call, std::uint64_t where, bool done) {
        if (call != FileCall::lock || where < Processes::first_pin || done) return;
        ++overtakings;
        for (int i = 0; i < 2; ++i) make_generation(writer);
    });
    CHECK(code_of([&] { detail::DatabaseCore::open(path, quiet(), &vfs); }) == Errc::locked);
    CHECK(overtakings > 10);
    CHECK(pins(vfs) == 0);
}

// The words are those of whoever had the file open before, or not there yet.
TEST_CASE("Who may not write beside a process that recovers the file sees what is in the file", "[SWARM-8][SNAP-1]") {
    const Workplace place;
    const std::string path = place / "b.db";
    Txn newest = 0;
    {
        Peer peer(place / "a.db");
        for (int i = 0; i < 3; ++i) newest = peer.put("key", 100, Durability::full);
        write_file(path, read_file(place / "a.db"));
    }
    test::HookedVfs vfs;
    std::optional<Txn> seen;
    vfs.set_hook([&](FileCall call, std::uint64_t, bool done) {
        if (call != FileCall::sync || done || seen) return;
        seen = Peer(path, reading()).db.begin_read().txn();
    });
    const Database db = detail::make_database(detail::DatabaseCore::open(path, quiet(), &vfs));
    vfs.set_hook(nullptr);
    CHECK(seen == newest);
    CHECK(db.begin_read().txn() == newest);
}

TEST_CASE("Who joins others stands on the meta page that is whole", "[SWARM-1][DMG-1]") {
    const Workplace place;
    const std::string path = place / "a.db";
    Options options = quiet();
    options.page_size = 8192;
    Peer writer(path, options);
    for (int i = 0; i < 2; ++i) {
        make_generation(writer);
        const std::uint64_t newest = writer.core->newest_meta().generation;
        CAPTURE(newest);
        const std::uint64_t older_at = (newest + 1) % 2 * options.page_size;
        std::byte byte;
        REQUIRE(writer.core->file().read(older_at + k_torn, {&byte, 1}) == 1);
        byte ^= std::byte{1};
        writer.core->file().write(older_at + k_torn, {&byte, 1});
        CHECK(Peer(path).db.begin_read().txn() == writer.db.begin_read().txn());
    }
}

TEST_CASE("Who may not write holds nothing of generations that went while it opened the file", "[PROC-2][SNAP-7]") {
    const Workplace place;
    const std::string path = place / "a.db";
    { Peer(path).put("key"); }
    test::HookedVfs vfs;
    int overtakings = 0;
    vfs.set_hook([&](FileCall call, std::uint64_t where, bool done) {
        if (call != FileCall::lock || where < Processes::first_pin || done || overtakings == 3) return;
        ++overtakings;
        Peer writer(path);
        for (int i = 0; i < 2; ++i) make_generation(writer);
    });
    const Database db = detail::make_database(detail::DatabaseCore::open(path, reading(), &vfs));
    vfs.set_hook(nullptr);
    CHECK(overtakings == 3);
    CHECK(db.begin_read().txn() == 7);
    CHECK(pins(vfs) == 1);
}

// Who fell back to the older generation did not look whether that was still there.
TEST_CASE("Who may not write and finds the newest generation damaged is not left on one that went meanwhile",
          "[PROC-2][DMG-1][SWARM-8]") {
    const Workplace place;
    const std::string path = place / "a.db";
    detail::Meta newest;
    {
        Peer writer(path);
        make_generation(writer);
        newest = writer.core->newest_meta();
        // It dies: closing makes no checkpoint.
        writer.core->processes().store(detail::Word::poison, 1);
    }
    std::string bytes = read_file(path);
    bytes[newest.space_page * detail::k_min_page_size + k_torn] ^= 1;  // its ledger
    write_file(path, bytes);
    test::HookedVfs vfs;
    int asked = 0;
    vfs.set_hook([&](FileCall call, std::uint64_t where, bool done) {
        if (call != FileCall::lock || where < Processes::first_pin || done || ++asked != 2) return;
        Peer writer(path);
        for (int i = 0; i < 2; ++i) make_generation(writer);
    });
    const Database db = detail::make_database(detail::DatabaseCore::open(path, reading(), &vfs));
    vfs.set_hook(nullptr);
    CHECK(asked > 2);
    CHECK(db.begin_read().txn() == newest.txn + 2);
    CHECK(pins(vfs) == 1);
}

TEST_CASE("Who may not write and never finds the generation that it read of gives up", "[PROC-2][SWARM-8]") {
    const Workplace place;
    const std::string path = place / "a.db";
    { Peer(path).put("key"); }
    test::HookedVfs vfs;
    // The disk is ahead of what the file says, whenever it is asked.
    vfs.set_uncached([](std::uint64_t, std::span<std::byte> bytes) {
        detail::Meta meta;
        if (bytes.size() != detail::k_meta_size || detail::decode_meta(bytes, meta) != detail::MetaState::valid) return;
        meta.generation += 2;
        detail::encode_meta(meta, bytes);
    });
    CHECK(code_of([&] { detail::DatabaseCore::open(path, reading(), &vfs); }) == Errc::locked);
}

// Both went on without, and read pages that others were free to use again.
TEST_CASE("Who cannot hold the generation that it found does not open the file", "[PROC-2][SNAP-7]") {
    const Workplace place;
    const std::string path = place / "a.db";
    { Peer(path).put("key"); }
    for (const Options& options : {quiet(), reading()}) {
        CAPTURE(options.read_only);
        test::HookedVfs vfs;
        vfs.set_refusal([](std::uint64_t byte, detail::LockKind) { return byte >= Processes::first_pin; });
        CHECK(code_of([&] { detail::DatabaseCore::open(path, options, &vfs); }) == Errc::io);
    }
}

TEST_CASE("Meta pages that rot while a file is being opened are not taken for what they were", "[DMG-1][SWARM-8]") {
    const Workplace place;
    const std::string path = place / "a.db";
    { Peer(path).put("key"); }
    test::HookedVfs vfs;
    bool rotted = false;
    // Both have been read, and what the newer one says is about to be relied on.
    vfs.set_hook([&](FileCall call, std::uint64_t where, bool done) {
        if (call != FileCall::lock || where < Processes::first_pin || done || std::exchange(rotted, true)) return;
        bool created = false;
        const std::unique_ptr<detail::File> file = detail::posix_vfs().open(path, {}, created);
        const std::byte other{0xff};
        for (const std::uint64_t page : {0u, 4096u}) file->write(page + k_torn, {&other, 1});
    });
    CHECK(code_of([&] { detail::DatabaseCore::open(path, reading(), &vfs); }) == Errc::corrupt);
    CHECK(rotted);
}

// The system cannot refuse to share a lock that was exclusive; a file system of somebody's own can.
TEST_CASE("An opening that does not get its place among those who have the file open is refused and holds no lock",
          "[SWARM-1][ERR-5]") {
    const Workplace place;
    const std::string path = place / "a.db";
    { Peer(path).put("key"); }
    for (const int refused : {1, 2}) {
        CAPTURE(refused);
        test::HookedVfs vfs;
        int asked = 0;
        vfs.set_refusal([&](std::uint64_t byte, detail::LockKind kind) {
            return byte == Processes::open && kind == detail::LockKind::shared && ++asked == refused;
        });
        CHECK(code_of([&] { detail::DatabaseCore::open(path, quiet(), &vfs); }) == Errc::locked);
        CHECK(asked == refused);
        for (const std::uint64_t byte : {Processes::open, Processes::gate}) CHECK_FALSE(vfs.held().contains(byte));
        CHECK(Peer(path).db.begin_read().tree("t").contains("key"));
    }
}

TEST_CASE("Who does not get through the gate opens nothing, and closes as if others had the file open", "[SWARM-1]") {
    const Workplace place;
    const std::string path = place / "a.db";
    const auto refuses_gate = [](std::uint64_t byte, detail::LockKind) { return byte == Processes::gate; };
    {
        Peer peer(path);
        peer.put("key");
    }
    {
        test::HookedVfs vfs;
        vfs.set_refusal(refuses_gate);
        CHECK(code_of([&] { detail::DatabaseCore::open(path, quiet(), &vfs); }) == Errc::locked);
    }
    Peer peer(path);
    peer.put("second");
    peer.vfs.set_refusal(refuses_gate);
    peer.db.close();
    // What it committed is in the log, and left to the next one.
    const Peer again(path);
    CHECK(again.db.statistics().replayed_txns == 1);
    CHECK(again.db.begin_read().tree("t").contains("second"));
}

TEST_CASE("Of a file that was closed nothing is to be replayed", "[CALM-3][ERR-2]") {
    const Workplace place;
    const std::string path = place / "a.db";
    { Peer(path).put("key", 10'000); }
    for (const bool may_write : {true, false}) {
        const Peer peer(path, may_write ? quiet() : reading());
        CHECK(peer.db.statistics().log_bytes_since_checkpoint == 0);
    }
    Peer peer(path);
    const std::uint64_t size = 20'000;
    peer.put("key", size);
    CHECK(peer.db.statistics().log_bytes_since_checkpoint >= size);
    CHECK(peer.db.statistics().log_bytes_since_checkpoint < 2 * size);
}

TEST_CASE("The log of a file that was closed vouches for all of it from its first record on", "[DUR-11][DMG-4]") {
    const Workplace place;
    const std::string path = place / "a.db";
    { Peer(path).put("key"); }
    Peer peer(path);
    const std::uint64_t end = peer.core->log().end();
    peer.put("key");
    CHECK(peer.core->log().read(end).header().durable == end);
}

// What starts a checkpoint, and slows writers down, is the log behind the last one and not all that is kept.
TEST_CASE("Behind opening a file with a long past a checkpoint comes no sooner than otherwise", "[CALM-3]") {
    const Workplace place;
    const std::string path = place / "a.db";
    Options options = quiet();
    options.history = History::everything();
    options.checkpoint_log_bytes = 1u << 20;
    {
        Peer peer(path, options);
        for (int i = 0; i < 12; ++i) peer.put("key", 1u << 20);
    }
    Peer peer(path, options);
    REQUIRE(peer.db.statistics().log_bytes > 12u << 20);
    for (int i = 0; i < 3; ++i) peer.put("key");
    CHECK(peer.db.statistics().checkpoints == 0);
}

TEST_CASE("Who may not write flushes nothing that others wrote when it is asked to", "[SWARM-8]") {
    const Workplace place;
    const std::string path = place / "a.db";
    Peer writer(path);
    writer.put("durable", 100, Durability::full);
    Peer reader(path, reading());
    const Txn lazy = writer.put("lazy");
    CHECK(reader.db.begin_read().txn() == lazy);
    std::string calls;
    txn_test::note_calls(reader.vfs, calls);
    CHECK(code_of([&] { reader.db.sync(); }) == std::nullopt);
    reader.vfs.set_hook(nullptr);
    CHECK(calls.empty());
    CHECK(writer.db.statistics().durable_txn == lazy - 1);
}
