// log_store_test.cpp -- extents and the end of a log in a file, beside nothing else.
#include "peer.hpp"

#include "log/operation_list.hpp"
#include "log/store.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace {

using namespace northstar;
using namespace northstar::detail;
using test::FileCall;
using test::HookedVfs;
using txn_test::code_of;
using txn_test::Workplace;

constexpr std::uint32_t k_page_size = 4096;
constexpr std::uint64_t k_file_pages = 32;
constexpr std::uint64_t k_keep = extent_reserve(0);

/// An empty file and a log in it that has no extents yet.
struct Fixture {
    Fixture() {
        bool created = false;
        file = posix_vfs().open(place / "file", {true, false}, created);
        file->truncate(k_file_pages * k_page_size);
        pages.emplace(*file, place / "file", k_page_size, 7, ReadMode::map, 1u << 20);
        pages->set_limit(k_file_pages);
        log.emplace(*file, *pages, Uuid{}, 0);
    }
    /// Of the extents the first positions.
    std::vector<std::uint64_t> positions() const {
        std::vector<std::uint64_t> all;
        const ExtentDirectory extents = log->extents();
        for (const Extent& extent : extents.all()) all.push_back(extent.logical);
        return all;
    }
    Workplace place;
    std::unique_ptr<File> file;
    std::optional<FilePages> pages;
    std::optional<LogStore> log;
};

using Positions = std::vector<std::uint64_t>;
using Births = std::map<std::uint64_t, std::uint64_t>;

}  // namespace

TEST_CASE("A record fits where the log ends when it leaves room to say where the log goes on, and no byte more",
          "[log][STORE-2]") {
    Fixture f;
    CHECK(f.log->room() == 0);
    f.log->add_extent({4096, 4, 4}, 1);
    f.log->add_extent({20480, 8, 8}, 1);
    f.log->set_end(4096 + 1024, 1);
    const std::uint64_t left = 4 * k_page_size - 1024 - k_keep;
    for (const bool known : {false, true}) {
        INFO("the end of the extent was looked up before: " << known);
        f.log->set_end(4096 + 1024, 1);
        if (known) f.log->fits(0);
        CHECK(f.log->fits(left));
        f.log->set_end(4096 + 1024, 1);
        if (known) f.log->fits(0);
        CHECK_FALSE(f.log->fits(left + 1));
    }
    CHECK(f.log->room() == 8 * k_page_size - k_keep);
    CHECK(f.log->reserve() == 12 * k_page_size - 1024);
}

TEST_CASE("Where extents have room for a record that says where the log goes on alone, there is room for no other",
          "[log][STORE-2]") {
    Fixture f;
    f.log->add_extent({4096, 4, 2}, 1);
    for (const std::uint64_t left : {std::uint64_t{8}, k_keep}) {
        f.log->set_end(12288 - left, 1);
        CHECK(f.log->room() == 0);
    }
    f.log->set_end(12288 - k_keep - 8, 1);
    CHECK(f.log->room() == 8);
}

TEST_CASE("An extent that nobody announced is taken out as if it had never been there", "[log][STORE-1]") {
    Fixture f;
    f.log->add_extent({4096, 4, 1}, 1);
    f.log->add_extent({8192, 8, 2}, 5);
    f.log->remove_from(8192);
    CHECK(f.positions() == Positions{4096});
    CHECK(f.log->births() == Births{{4096, 1}});
    CHECK(f.log->bytes_of_extents() == k_page_size);
    // Its positions and its pages are free for others.
    CHECK(f.log->add_extent({8192, 20, 1}, 6));
    CHECK(f.log->add_extent({12288, 8, 1}, 7));
    CHECK(f.log->births() == Births{{4096, 1}, {8192, 6}, {12288, 7}});
}

TEST_CASE("An extent that cannot be is refused and leaves nothing behind", "[log][STORE-1]") {
    Fixture f;
    f.log->add_extent({4096, 4, 1}, 1);
    // Pages that another one has; a meta page.
    for (const std::uint64_t page : {4u, 1u}) {
        CHECK(code_of([&] { f.log->add_extent({8192, page, 1}, 2); }) == Errc::corrupt);
    }
    CHECK(f.positions() == Positions{4096});
    CHECK(f.log->births() == Births{{4096, 1}});
    CHECK(f.log->add_extent({8192, 8, 1}, 3));
    CHECK(f.log->births() == Births{{4096, 1}, {8192, 3}});
    CHECK_FALSE(f.log->add_extent({8192, 8, 1}, 4));
    CHECK(f.log->births() == Births{{4096, 1}, {8192, 3}});
}

TEST_CASE("A record is made in memory where the log has no bytes to map for it", "[log][STORE-3]") {
    Fixture f;
    CHECK(f.log->stage(100, true).size() == 100);
    f.log->add_extent({8192, 4, 1}, 1);
    CHECK(f.log->stage(100, true).size() == 100);
}

TEST_CASE("Of the extents of a log one is mapped at a time, and none when the log is gone", "[log][STORE-3]") {
    const Workplace place;
    HookedVfs vfs;
    int mapped = 0, mappings = 0;
    vfs.set_hook([&](FileCall call, std::uint64_t, bool done) {
        if (call == FileCall::map_writable && done) ++mapped, ++mappings;
        if (call == FileCall::unmap_writable) --mapped;
    });
    bool created = false;
    const std::unique_ptr<File> file = vfs.open(place / "file", {true, false}, created);
    file->truncate(k_file_pages * k_page_size);
    FilePages pages(*file, place / "file", k_page_size, 7, ReadMode::map, 1u << 20);
    {
        LogStore log(*file, pages, Uuid{}, 0);
        log.add_extent({4096, 4, 1}, 1);
        log.add_extent({8192, 8, 1}, 1);
        for (const std::uint64_t position : {4096u, 8192u, 4096u}) {
            log.set_end(position, 1);
            // Who has written the record before maps the next ones.
            log.stage(64, false);
            log.publish();
            log.stage(64, true);
            CHECK(mapped == 1);
        }
    }
    CHECK(mappings == 3);
    CHECK(mapped == 0);
}

TEST_CASE("An extent that a generation did without goes with its birth when its pages are used again",
          "[log][STORE-1][SPACE-2]") {
    Fixture f;
    f.log->add_extent({4096, 4, 1}, 1);
    f.log->add_extent({8192, 8, 1}, 2);
    f.log->release_below(8192);
    CHECK(f.positions() == Positions{4096, 8192});
    SECTION("by one that is announced") { f.log->add_extent({12288, 4, 1}, 3); }
    SECTION("by one that is moved there") {
        f.log->add_extent({12288, 12, 1}, 3);
        f.log->move_extent({12288, 4, 1}, 3);
    }
    SECTION("by one of a newer generation") {
        ExtentDirectory extents(k_page_size);
        extents.add({8192, 8, 1});
        extents.add({12288, 4, 1});
        f.log->set_extents(std::move(extents), {{8192, 2}, {12288, 3}});
    }
    CHECK(f.positions() == Positions{8192, 12288});
    CHECK(f.log->births() == Births{{8192, 2}, {12288, 3}});
}

TEST_CASE("Who stands on an older generation reads extents that the newest one does without, and those behind it",
          "[log][STORE-1][SNAP-1]") {
    Fixture f;
    f.log->add_extent({4096, 4, 1}, 1);
    f.log->add_extent({8192, 8, 1}, 2);
    f.log->add_extent({12288, 12, 1}, 3);
    ExtentDirectory newest(k_page_size);
    newest.add({8192, 8, 1});
    CHECK(f.log->set_extents(newest, {{8192, 2}}) == 13);
    CHECK(f.positions() == Positions{4096, 8192, 12288});
    CHECK(f.log->births() == Births{{4096, 1}, {8192, 2}, {12288, 3}});
    CHECK(f.log->bytes(4096, k_page_size) != nullptr);
    f.log->remove_below(8192);
    CHECK(f.positions() == Positions{8192, 12288});
    CHECK(f.log->births() == Births{{8192, 2}, {12288, 3}});
    CHECK(f.log->bytes(4096, 8) == nullptr);
}

TEST_CASE("Who stands on an older generation reads the front of an extent that the newest one does without",
          "[log][STORE-1][SNAP-1]") {
    Fixture f;
    f.log->add_extent({4096, 4, 4}, 1);
    const auto place_of = [&](std::uint64_t position) {
        const std::optional<ExtentDirectory::Place> place = f.log->place(position);
        return place ? std::optional<std::uint64_t>(place->offset) : std::nullopt;
    };
    const bool itself = GENERATE(true, false);  // or another process let go of it
    CAPTURE(itself);
    if (itself) {
        f.log->trim(12288);
        f.log->release_below(12288);
    } else {
        ExtentDirectory newest(k_page_size);
        newest.add({12288, 6, 2});
        f.log->set_extents(newest, {{12288, 1}});
    }
    CHECK(f.positions() == Positions{12288});
    CHECK(place_of(8192) == 5 * k_page_size);
    // A record may reach over the place where the extent begins now.
    CHECK(f.log->bytes(8192, 3 * k_page_size) != nullptr);
    SECTION("until nobody stands there any more") {
        f.log->remove_below(12288);
        CHECK_FALSE(place_of(8192));
    }
    SECTION("also where the front is let go of once more") {
        f.log->trim(16384);
        f.log->release_below(16384);
        f.log->remove_below(12288);
        CHECK_FALSE(place_of(8192));
        CHECK(place_of(12288) == 6 * k_page_size);
    }
    SECTION("until its pages are used again") {
        f.log->add_extent({20480, 5, 1}, 3);
        CHECK_FALSE(place_of(8192));
    }
    SECTION("also where the rest was moved") {
        f.log->move_extent({12288, 20, 2}, 3);
        CHECK(place_of(8192) == 5 * k_page_size);
        CHECK(place_of(12288) == 20 * k_page_size);
    }
}

TEST_CASE("Zeros are written ahead of small durable records, for many of them at once", "[log]") {
    const Workplace place;
    test::HookedVfs vfs;
    bool created = false;
    const std::unique_ptr<File> file = vfs.open(place / "file", {true, false}, created);
    file->truncate(k_file_pages * k_page_size);
    FilePages pages(*file, place / "file", k_page_size, 7, ReadMode::map, 1u << 20);
    pages.set_limit(k_file_pages);
    LogStore log(*file, pages, Uuid{}, 0);
    log.add_extent({4096, 4, 24}, 1);
    log.set_end(4096, 1);
    int writes = 0;
    vfs.set_hook([&](test::FileCall call, std::uint64_t, bool done) {
        if (call == test::FileCall::write && done) ++writes;
    });
    const auto append = [&](std::uint64_t size) {
        log.fits(size);
        log.stage(size, false);
        log.publish();
        const int before = writes;
        log.write_ahead();
        return writes - before;
    };
    CHECK(append(40u << 10) == 0);
    CHECK(append(100) == 1);
    for (int i = 0; i < 100; ++i) CHECK(append(100) == 0);
}

TEST_CASE("Where the log has no intact record, or no bytes, that is said", "[log][DMG-1][STORE-3]") {
    Fixture f;
    f.log->add_extent({4096, 4, 1}, 1);
    f.log->set_end(4096, 1);
    OperationList list;
    list.put(1, "key", std::string(100, 'v'));
    list.finish();
    RecordFields fields;
    fields.position = f.log->end();
    fields.epoch = 1;
    fields.txn = 1;
    const std::uint64_t size = list.record_size(RecordKind::commit, false, false, 0);
    const std::span<std::byte> out = f.log->stage(size, GENERATE(true, false));
    list.encode(out, RecordKind::commit, fields);
    seal_record(out, f.log->seed());
    f.log->publish();
    CHECK(f.log->end() == 4096 + size);
    CHECK(f.log->read(4096).operation(0).key == "key");
    const auto read = [&](std::uint64_t position) { return code_of([&] { (void)f.log->read(position); }); };
    // Neither in an extent, nor the beginning of a record.
    CHECK(read(8192) == Errc::corrupt);
    CHECK(read(4096 + size) == Errc::corrupt);
    CHECK(read(4096 + 8) == Errc::corrupt);
    CHECK(code_of([&] { (void)f.log->file_offset(8192); }) == Errc::corrupt);
    CHECK(f.log->file_offset(8191) == 5 * k_page_size - 1);
    CHECK(f.log->bytes(4096, k_page_size) != nullptr);
    CHECK(f.log->bytes(4096 + 8, k_page_size) == nullptr);
    CHECK(f.log->bytes(8192, 1) == nullptr);
    f.log->set_end(8192, 1);
    CHECK_FALSE(f.log->fits(0));
    // A changed byte; then a length behind the end of the extent. Patience is asked once, and in vain.
    int asked = 0;
    f.log->set_patience([&] { return ++asked == 1; });
    for (const std::uint64_t at : {size - 1, std::uint64_t{5}}) {
        CAPTURE(at);
        std::byte byte;
        REQUIRE(f.file->read(4 * k_page_size + at, {&byte, 1}) == 1);
        const std::byte changed = byte ^ std::byte{0x40};
        f.file->write(4 * k_page_size + at, {&changed, 1});
        asked = 0;
        CHECK(read(4096) == Errc::corrupt);
        CHECK(asked == 1);
        f.file->write(4 * k_page_size + at, {&byte, 1});
        CHECK_FALSE(read(4096));
    }
}
