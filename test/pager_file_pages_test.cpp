// Pages of a file: what is read is what was meant to be there, or damage.
#include "peer.hpp"

#include "base/bytes.hpp"
#include "base/xxh64.hpp"
#include "pager/file_pages.hpp"

#include <cstring>

namespace {

using namespace northstar;
using namespace northstar::detail;
using txn_test::code_of;
using txn_test::Peer;
using txn_test::Workplace;

constexpr std::uint32_t k_page_size = 4096;
constexpr std::uint64_t k_seed = 7;
constexpr std::uint64_t k_generation = 3;
constexpr std::uint64_t k_file_pages = 16;

/// A whole leaf, as some database has it.
std::vector<std::byte> a_leaf() {
    const Workplace place;
    Peer peer(place / "leaf.db");
    peer.put("k");
    peer.db.checkpoint();
    const Ref root(peer.core->newest_meta().catalog.root);
    const std::byte* at = peer.core->file_pages().page(root);
    return {at, at + k_page_size};
}

/// A file of a few pages, and a second way to its bytes.
struct Fixture {
    explicit Fixture(ReadMode mode) {
        bool created = false;
        file = posix_vfs().open(place / "file", {true, false}, created);
        file->truncate(k_file_pages * k_page_size);
        pages.emplace(*file, place / "file", k_page_size, k_seed, mode, 1u << 20);
        pages->set_limit(k_file_pages);
    }
    void write(std::uint64_t page, const std::vector<std::byte>& bytes) {
        file->write(page * k_page_size, bytes);
        pages->forget_all();
    }
    /// The bytes of a sealed run.
    Ref write_run(std::uint64_t page, PageKind kind, std::size_t length, std::uint64_t number, std::uint64_t count) {
        std::vector<std::byte> bytes(k_page_header_size + length, std::byte{'r'});
        const Ref ref = seal_run(bytes.data(), kind, std::span(bytes).subspan(k_page_header_size), number, count,
                                 k_generation, k_seed);
        write(page, bytes);
        return ref;
    }
    void flip(std::uint64_t offset) {
        std::byte byte;
        REQUIRE(file->read(offset, {&byte, 1}) == 1);
        byte ^= std::byte{1};
        file->write(offset, {&byte, 1});
        pages->forget_all();
    }
    Workplace place;
    std::unique_ptr<File> file;
    std::optional<FilePages> pages;
};

Ref next_version(Ref ref) { return Ref::file(ref.page(), ref.checksum() ^ 1); }

}  // namespace

TEST_CASE("A page is the version that its parent names, in its place, or damage", "[pager][DMG-1]") {
    const std::vector<std::byte> leaf = a_leaf();
    for (const ReadMode mode : {ReadMode::map, ReadMode::pread}) {
        Fixture f(mode);
        const auto code = [&](Ref ref) { return code_of([&] { f.pages->page(ref); }); };
        std::vector<std::byte> bytes = leaf;
        const Ref ref = seal_page(bytes.data(), k_page_size, 5, k_generation, k_seed);
        f.write(5, bytes);
        f.write(6, bytes);
        CHECK(std::memcmp(f.pages->page(ref), bytes.data(), k_page_size) == 0);
        CHECK(f.pages->pages_verified() == 1);
        CHECK_FALSE(code(ref));
        CHECK(f.pages->pages_verified() == 1);  // once
        f.pages->forget(5, 1);
        CHECK(code(next_version(ref)) == Errc::corrupt);
        CHECK(code(Ref::file(6, ref.checksum())) == Errc::corrupt);  // it says that it is page 5
        CHECK(code(Ref::file(7, ref.checksum())) == Errc::corrupt);
        CHECK(code(Ref::file(1, ref.checksum())) == Errc::corrupt);  // a meta page
        CHECK(code(Ref::file(k_file_pages, ref.checksum())) == Errc::corrupt);
        CHECK(code(Ref::file(Ref::k_max_page, ref.checksum())) == Errc::corrupt);
        CHECK_FALSE(code(ref));
        f.flip(5 * k_page_size + k_page_size - 1);
        CHECK(code(ref) == Errc::corrupt);
        f.flip(5 * k_page_size + k_page_size - 1);
        CHECK_FALSE(code(ref));
        f.flip(5 * k_page_size + 7);  // of its checksum, where its parent does not know it
        CHECK(code(ref) == Errc::corrupt);
        f.flip(5 * k_page_size + 7);
        const Ref meta = seal_page(bytes.data(), k_page_size, 1, k_generation, k_seed);
        f.write(1, bytes);
        CHECK(code(meta) == Errc::corrupt);
        // What is no node is none, whatever its checksum says.
        bytes[k_page_kind_offset] = static_cast<std::byte>(PageKind::run);
        const Ref run = seal_page(bytes.data(), k_page_size, 5, k_generation, k_seed);
        f.write(5, bytes);
        CHECK(code(run) == Errc::corrupt);
    }
}

TEST_CASE("Each page of a file is verified once, and none for another one", "[pager][DMG-1]") {
    constexpr std::uint64_t k_many = 200;
    const std::vector<std::byte> leaf = a_leaf();
    for (const ReadMode mode : {ReadMode::map, ReadMode::pread}) {
        Fixture f(mode);
        f.file->truncate(k_many * k_page_size);
        f.pages->set_limit(k_many);
        std::vector<Ref> refs;
        for (std::uint64_t page = k_first_data_page; page < k_many; ++page) {
            std::vector<std::byte> bytes = leaf;
            refs.push_back(seal_page(bytes.data(), k_page_size, page, k_generation, k_seed));
            f.write(page, bytes);
        }
        for (int i = 0; i < 2; ++i) {
            for (const Ref ref : refs) f.pages->page(ref);
            CHECK(f.pages->pages_verified() == refs.size());
        }
    }
}

TEST_CASE("Each page of a file is verified anew when all that was known of them is forgotten", "[pager][DMG-1]") {
    const std::vector<std::byte> leaf = a_leaf();
    for (const std::uint64_t many : {64u, 65u, 128u, 129u}) {
        CAPTURE(many);
        Fixture f(ReadMode::map);
        f.file->truncate(many * k_page_size);
        f.pages->set_limit(many);
        std::vector<Ref> refs;
        for (std::uint64_t page = k_first_data_page; page < many; ++page) {
            std::vector<std::byte> bytes = leaf;
            refs.push_back(seal_page(bytes.data(), k_page_size, page, k_generation, k_seed));
            f.write(page, bytes);
        }
        for (std::uint64_t round = 1; round < 3; ++round) {
            for (const Ref ref : refs) f.pages->page(ref);
            CHECK(f.pages->pages_verified() == round * refs.size());
            f.pages->forget_all();
        }
    }
}

TEST_CASE("The checksum of a run covers its header and its bytes, and nothing beside them", "[pager][DMG-1]") {
    std::vector<std::byte> run(k_page_header_size + 10, std::byte{'r'});
    seal_run(run.data(), PageKind::run, std::span(run).subspan(k_page_header_size), 5, 1, k_generation, k_seed);
    const std::uint64_t of_header = xxh64(run.data() + 8, 56, k_seed);
    CHECK(load_u64(run.data()) == xxh64(run.data() + 64, 10, of_header));
}

TEST_CASE("A run is the value that its parent names, in its place, or damage", "[pager][DMG-1][DMG-3]") {
    constexpr std::size_t k_length = 5000;
    for (const ReadMode mode : {ReadMode::map, ReadMode::pread}) {
        Fixture f(mode);
        const auto code = [&](Ref ref, std::uint64_t length) {
            const std::optional<Errc> read = code_of([&] { f.pages->run(ref, length); });
            f.pages->forget_all();
            return read;
        };
        const Ref ref = f.write_run(5, PageKind::run, k_length, 5, 2);
        CHECK(f.pages->run(ref, k_length) == std::string(k_length, 'r'));
        CHECK(f.pages->pages_verified() == 2);
        CHECK(f.pages->run(ref, k_length).size() == k_length);
        CHECK(f.pages->pages_verified() == 2);  // once
        CHECK(code(ref, k_length - 1) == Errc::corrupt);
        CHECK(code(next_version(ref), k_length) == Errc::corrupt);
        f.flip(5 * k_page_size + k_page_header_size + k_length - 1);
        CHECK(code(ref, k_length) == Errc::corrupt);
        const Ref elsewhere = f.write_run(5, PageKind::run, k_length, 8, 2);
        CHECK(code(Ref::file(5, elsewhere.checksum()), k_length) == Errc::corrupt);
        const Ref meta = f.write_run(1, PageKind::run, k_length, 1, 2);
        CHECK(code(meta, k_length) == Errc::corrupt);
        // A checksum that is wrong in bits that its parent does not know.
        f.write_run(5, PageKind::run, k_length, 5, 2);
        CHECK_FALSE(code(ref, k_length));
        f.flip(5 * k_page_size + 7);
        CHECK(code(ref, k_length) == Errc::corrupt);
        const Ref history = f.write_run(5, PageKind::history, k_length, 5, 2);
        CHECK(code(history, k_length) == Errc::corrupt);
        // Up to the last page of the file, and not further.
        CHECK_FALSE(code(f.write_run(14, PageKind::run, k_length, 14, 2), k_length));
        constexpr std::size_t k_short = k_page_size - k_page_header_size;
        CHECK_FALSE(code(f.write_run(15, PageKind::run, k_short, 15, 1), k_short));
        const Ref last = f.write_run(14, PageKind::run, k_length, 14, 2);
        f.pages->set_limit(15);
        CHECK(code(last, k_length) == Errc::corrupt);
        // Nor where nobody has address space for it, nor a meta page.
        CHECK(code(Ref::file(Ref::k_max_page, ref.checksum()), k_length) == Errc::corrupt);
        CHECK(code(Ref::file(1, ref.checksum()), k_length) == Errc::corrupt);
    }
}

TEST_CASE("The header of a run agrees with itself and its place, or is damage", "[pager][DMG-1]") {
    constexpr std::size_t k_length = 5000;
    for (const ReadMode mode : {ReadMode::map, ReadMode::pread}) {
        Fixture f(mode);
        const auto code = [&](std::uint64_t page) { return code_of([&] { (void)f.pages->run_header(page); }); };
        const Ref ref = f.write_run(5, PageKind::run, k_length, 5, 2);
        CHECK(f.pages->run_header(5).pages == 2);
        CHECK(f.pages->run_header(5).born == k_generation);
        CHECK(f.pages->run_in_place(ref, k_length) == std::string(k_length, 'r'));
        const auto in_place = [&](Ref named, std::uint64_t length) {
            f.pages->forget_all();
            return code_of([&] { f.pages->run_in_place(named, length); });
        };
        CHECK(in_place(ref, k_length - 1) == Errc::corrupt);
        CHECK(in_place(next_version(ref), k_length) == Errc::corrupt);
        f.write_run(5, PageKind::run, k_length, 5, 3);
        CHECK(code(5) == Errc::corrupt);
        f.write_run(5, PageKind::run, k_length, 6, 2);
        CHECK(code(5) == Errc::corrupt);
        f.write_run(5, PageKind::space, k_length, 5, 2);
        CHECK(code(5) == Errc::corrupt);
    }
}

TEST_CASE("A value may be as long as values may be, and no byte longer", "[pager][DMG-1]") {
    for (const ReadMode mode : {ReadMode::map, ReadMode::pread}) {
        Fixture f(mode);
        f.write_run(5, PageKind::run, 5000, 5, 2);
        const auto say = [&](std::uint64_t length) {
            std::vector<std::byte> header(k_page_header_size);
            REQUIRE(f.file->read(5 * k_page_size, header) == header.size());
            store_u64(header.data() + k_run_bytes_offset, length);
            store_u32(header.data() + k_run_pages_offset, static_cast<std::uint32_t>(run_pages(length, k_page_size)));
            f.write(5, header);
        };
        const std::uint64_t most = Database::max_value_size();
        say(most);
        CHECK(f.pages->run_header(5).pages == run_pages(most, k_page_size));
        say(most + 1);
        CHECK(code_of([&] { (void)f.pages->run_header(5); }) == Errc::corrupt);
    }
}

TEST_CASE("The bytes of a value with checksums of its own are not read where they lie mapped, and verified elsewhere",
          "[pager][DMG-1]") {
    constexpr std::size_t k_length = 5000;
    for (const ReadMode mode : {ReadMode::map, ReadMode::pread}) {
        Fixture f(mode);
        const Ref ref = f.write_run(5, PageKind::run, k_length, 5, 2);
        f.flip(5 * k_page_size + k_page_header_size + k_length - 1);
        const auto code = [&] { return code_of([&] { f.pages->run_in_place(ref, k_length); }); };
        if (f.pages->mapped()) {
            CHECK_FALSE(code());
        } else {
            CHECK(code() == Errc::corrupt);
        }
        CHECK(f.pages->pages_verified() == 0);
        f.flip(5 * k_page_size + k_page_header_size + k_length - 1);
        CHECK(f.pages->run_in_place(ref, k_length) == std::string(k_length, 'r'));
        // One that is still in memory is there.
        alignas(16) const std::array<char, 8> value{'i', 'n', ' ', 'm', 'e', 'm', 'o', 'r'};
        CHECK(f.pages->run_in_place(Ref::memory(value.data()), value.size()) == "in memor");
    }
}

TEST_CASE("A run of the engine's own is verified by the checksum that names it", "[pager][DMG-1]") {
    constexpr std::size_t k_length = 5000;
    for (const ReadMode mode : {ReadMode::map, ReadMode::pread}) {
        Fixture f(mode);
        const auto sum = [&](std::uint64_t page) {
            std::array<std::byte, 8> bytes{};
            REQUIRE(f.file->read(page * k_page_size, bytes) == bytes.size());
            return load_u64(bytes.data());
        };
        const auto code = [&](PageKind kind, std::uint64_t page, std::uint64_t length, std::uint64_t checksum) {
            return code_of([&] { (void)f.pages->read_run(kind, page, length, checksum); });
        };
        f.write_run(5, PageKind::space, k_length, 5, 2);
        const std::uint64_t right = sum(5);
        CHECK(f.pages->read_run(PageKind::space, 5, k_length, right).size() == k_length);
        CHECK(code(PageKind::history, 5, k_length, right) == Errc::corrupt);
        CHECK(code(PageKind::space, 5, k_length - 1, right) == Errc::corrupt);
        CHECK(code(PageKind::space, 5, k_length, right ^ 1) == Errc::corrupt);
        CHECK(code(PageKind::space, 5, std::uint64_t{1} << 60, right) == Errc::corrupt);
        CHECK(code(PageKind::space, 5, ~std::uint64_t{0}, right) == Errc::corrupt);
        CHECK(code(PageKind::space, 15, k_length, right) == Errc::corrupt);
        f.write_run(5, PageKind::space, k_length, 6, 2);
        CHECK(code(PageKind::space, 5, k_length, sum(5)) == Errc::corrupt);
    }
}

TEST_CASE("Bytes without a page header end where the file ends", "[pager][DMG-6]") {
    constexpr std::uint64_t k_end = k_file_pages * k_page_size;
    for (const ReadMode mode : {ReadMode::map, ReadMode::pread}) {
        Fixture f(mode);
        f.file->write(k_end - 8, std::vector<std::byte>(8, std::byte{'e'}));
        CHECK(std::memcmp(f.pages->raw(k_end - 8, 8), "eeeeeeee", 8) == 0);
        for (const auto& [offset, length] : {std::pair{k_end - 8, std::uint64_t{9}}, {k_end + 1, std::uint64_t{0}},
                                             {std::uint64_t{0}, ~std::uint64_t{0}}}) {
            CAPTURE(offset, length);
            CHECK(code_of([&, from = offset, count = length] { f.pages->raw(from, count); }) == Errc::corrupt);
        }
    }
}

TEST_CASE("A file that somebody cut is truncated, not damaged", "[pager][DMG-1]") {
    Fixture f(ReadMode::pread);
    const Ref ref = f.write_run(14, PageKind::run, 5000, 14, 2);
    f.file->truncate(15 * k_page_size);
    CHECK(code_of([&] { f.pages->run(ref, 5000); }) == Errc::truncated);
}

TEST_CASE("Pages behind the address space of a handle are not damage", "[pager][DMG-1]") {
    for (const ReadMode mode : {ReadMode::map, ReadMode::pread}) {
        Fixture f(mode);
        const std::uint64_t reach = f.pages->capacity();
        f.file->truncate((reach + 10) * k_page_size);
        f.pages->set_limit(reach + 10);
        const Ref last = f.write_run(reach - 2, PageKind::run, 5000, reach - 2, 2);
        CHECK(f.pages->run(last, 5000) == std::string(5000, 'r'));
        const Ref behind = f.write_run(reach - 1, PageKind::run, 5000, reach - 1, 2);
        CHECK(code_of([&] { f.pages->run(behind, 5000); }) == Errc::no_memory);
        CHECK(code_of([&] { f.pages->page(Ref::file(reach, 1)); }) == Errc::no_memory);
        CHECK(code_of([&] { f.pages->raw(reach * k_page_size - 8, 16); }) == Errc::no_memory);
        CHECK_FALSE(code_of([&] { f.pages->raw(reach * k_page_size - 8, 8); }));
        CHECK(code_of([&] { f.pages->page(Ref::file(reach + 10, 1)); }) == Errc::corrupt);
    }
}

TEST_CASE("The header of a page or run says nothing of what was in its memory before", "[pager]") {
    const std::vector<std::byte> value(10, std::byte{'v'});
    std::vector<std::byte> clean(k_page_header_size);
    std::vector<std::byte> used(k_page_header_size, std::byte{0xee});
    const Ref ref = seal_run(clean.data(), PageKind::run, value, 5, 1, k_generation, k_seed);
    CHECK(seal_run(used.data(), PageKind::run, value, 5, 1, k_generation, k_seed) == ref);
    CHECK(used == clean);
    CHECK(load_u64(clean.data() + k_page_generation_offset) == k_generation);
    std::vector<std::byte> leaf = a_leaf();
    seal_page(leaf.data(), k_page_size, 5, 77, k_seed);
    CHECK(load_u64(leaf.data() + k_page_generation_offset) == 77);
    CHECK(load_u64(leaf.data() + k_page_number_offset) == 5);
}
