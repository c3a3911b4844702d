// Pages with right checksums that hang where no writer hangs them: whoever walks over a whole file ends, and says so.
#include "btree_support.hpp"
#include "txn_support.hpp"

#include "base/bytes.hpp"
#include "base/xxh64.hpp"
#include "format/meta.hpp"
#include "pager/file_pages.hpp"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <sstream>

#include <pthread.h>

namespace {

using namespace northstar;
using namespace northstar::detail;
using northstar_test::inner_page;
using northstar_test::leaf_page;
using txn_test::code_of;
using txn_test::Workplace;

constexpr std::size_t k_page = 4096;
constexpr std::uint64_t k_value_pages = 4000;

Options quiet() {
    Options options;
    options.background = false;
    options.history = History::nothing();
    return options;
}

/// A closed database with a large value in tree "t", whose pages a test puts nodes into, and pages that are free.
class HostileFile {
public:
    explicit HostileFile(const std::string& path) : path_(path) {
        {
            Database db = Database::open(path_, quiet());
            db.update([](Transaction& tx) {
                tx.tree("gone").put("a", std::string(400 * k_page, 'g'));
                tx.tree("t").put("a", std::string(k_value_bytes, 'v'));
            });
            db.update([](Transaction& tx) { tx.drop_tree("gone"); });
            for (int i = 0; i < 3; ++i) db.checkpoint();
        }
        std::ifstream file(path_, std::ios::binary);
        std::ostringstream text;
        text << file.rdbuf();
        const std::string all = text.str();
        bytes_.resize(all.size());
        std::memcpy(bytes_.data(), all.data(), all.size());
        for (const std::size_t at : {std::size_t{0}, k_page}) {
            Meta meta;
            REQUIRE(decode_meta(std::span(bytes_).subspan(at, k_meta_size), meta) == MetaState::valid);
            if (meta.generation > meta_.generation) meta_ = meta;
        }
        seed_ = xxh64(meta_.uuid.data(), meta_.uuid.size(), 0);
        root_ = child_of(Ref(meta_.catalog.root), true).page();
        value_ = child_of(Ref::file(root_, 0), false).page();
    }

    /// The value itself, and its length.
    Ref value() const { return Ref::file(value_, 0); }
    static constexpr std::uint64_t k_value_bytes = k_value_pages * k_page;
    /// Puts a node into the n-th page of the value.
    Ref node(std::uint64_t n, const std::vector<std::byte>& page) { return seal(value_ + 1 + n, page); }
    /// Replaces the root of the tree, and writes the file.
    void finish(const std::vector<std::byte>& root) {
        const Ref tree = seal(root_, root);
        std::vector<std::byte> catalog(at(Ref(meta_.catalog.root).page()), at(Ref(meta_.catalog.root).page()) + k_page);
        for_each_ref(catalog.data(), k_page, true, [&](Ref& child, bool) { child = tree; });
        meta_.catalog.root = seal(Ref(meta_.catalog.root).page(), catalog).bits();
        encode_meta(meta_, std::span(bytes_).subspan((meta_.generation & 1) * k_page, k_meta_size));
        std::ofstream file(path_, std::ios::binary | std::ios::trunc);
        file.write(reinterpret_cast<const char*>(bytes_.data()), static_cast<std::streamsize>(bytes_.size()));
        REQUIRE(file.flush());
    }

private:
    std::byte* at(std::uint64_t page) { return bytes_.data() + page * k_page; }
    Ref child_of(Ref ref, bool catalog) {
        Ref found;
        for_each_ref(static_cast<const std::byte*>(at(ref.page())), k_page, catalog,
                     [&](Ref child, bool) { found = child; });
        REQUIRE_FALSE(found.empty());
        return found;
    }
    Ref seal(std::uint64_t number, const std::vector<std::byte>& page) {
        std::memcpy(at(number), page.data(), k_page);
        return seal_page(at(number), k_page, number, 1, seed_);
    }

    std::string path_;
    std::vector<std::byte> bytes_;
    Meta meta_;
    std::uint64_t seed_ = 0;
    std::uint64_t root_ = 0;
    std::uint64_t value_ = 0;
};

/// Runs in a thread whose stack is small, so that a recursion over all pages is noticed with few of them.
template <class F>
void on_a_small_stack(F&& f) {
    pthread_attr_t attributes;
    REQUIRE(::pthread_attr_init(&attributes) == 0);
    REQUIRE(::pthread_attr_setstacksize(&attributes, 512u << 10) == 0);
    pthread_t thread{};
    const auto run = [](void* what) -> void* {
        (*static_cast<F*>(what))();
        return nullptr;
    };
    REQUIRE(::pthread_create(&thread, &attributes, run, &f) == 0);
    REQUIRE(::pthread_join(thread, nullptr) == 0);
    ::pthread_attr_destroy(&attributes);
}

/// A leaf that says it is of the catalog and names the root of one tree.
std::vector<std::byte> catalog_leaf(Ref root) {
    std::vector<std::byte> page(k_page);
    std::byte value[8];
    store_u64(value, root.bits());
    LeafEntry entry;
    entry.key = KeyPieces("a");
    entry.value = value;
    entry.value_size = sizeof value;
    entry.txn = 1;
    LeafSequence row;
    row.add(entry);
    build_leaf(page.data(), k_page, row, 0, 1, measure(row, 0, 1), true, 1);
    return page;
}

/// A leaf whose entries all name one large value.
std::vector<std::byte> leaf_of_values(const std::vector<std::string>& keys, Ref run, std::uint64_t length) {
    std::vector<std::byte> page(k_page);
    std::byte value[k_large_value_size];
    store_u64(value, run.bits());
    store_u64(value + 8, length);
    std::vector<LeafEntry> entries;
    for (const std::string& key : keys) {
        LeafEntry entry;
        entry.key = KeyPieces(key);
        entry.value = value;
        entry.value_size = sizeof value;
        entry.large = true;
        entry.txn = 1;
        entries.push_back(entry);
    }
    LeafSequence row;
    for (const LeafEntry& entry : entries) row.add(entry);
    build_leaf(page.data(), k_page, row, 0, row.size(), measure(row, 0, row.size()), false, 1);
    return page;
}

}  // namespace

TEST_CASE("verify reads a damaged value once however many entries name it", "[DMG-6][ERR-6]") {
    const Workplace place;
    HostileFile file(place / "a.db");
    // The checksum in the refs is not that of the value.
    file.finish(leaf_of_values({"a", "b", "c", "d", "e"}, file.value(), HostileFile::k_value_bytes));
    const VerifyReport report = Database::open(place / "a.db", quiet()).verify();
    const auto unread = std::count_if(report.problems.begin(), report.problems.end(), [](const Problem& problem) {
        return problem.what.find("was not read") != std::string::npos;
    });
    CHECK(unread == 3);  // with the log, which has it too, the file has pages for two of it
}

TEST_CASE("compacting a file in which a page hangs in many places ends", "[DMG-6][ERR-6]") {
    // Every way to the page was gone again: three on each level, and so on, without an end to be seen.
    const Workplace place;
    HostileFile file(place / "a.db");
    Ref ref = file.node(1, inner_page(1, {file.node(0, leaf_page({"a", "b"}))}, {}));
    for (unsigned level = 2; level < 15; ++level) {
        ref = file.node(level, inner_page(level, {ref, ref, ref}, {"b", "c"}));
    }
    file.finish(inner_page(15, {ref, ref, ref}, {"b", "c"}));
    Database db = Database::open(place / "a.db", quiet());
    CHECK(code_of([&] { db.compact(); }) == Errc::corrupt);
}

TEST_CASE("a chain of pages that goes down no level takes no stack", "[DMG-6][ERR-6]") {
    const Workplace place;
    for (const bool catalogs : {false, true}) {
        INFO("leaves of catalogs " << catalogs);
        const std::string path = place / (catalogs ? "catalogs.db" : "nodes.db");
        HostileFile file(path);
        const auto link = [&](Ref ref) { return catalogs ? catalog_leaf(ref) : inner_page(1, {ref}, {}); };
        Ref ref = file.node(0, leaf_page({"a", "b"}));
        for (std::uint64_t n = 1; n + 2 < k_value_pages; ++n) ref = file.node(n, link(ref));
        file.finish(link(ref));
        bool whole = true;
        std::optional<Errc> compacted;
        on_a_small_stack([&] {
            Options options = quiet();
            options.read_only = true;
            whole = Database::open(path, options).verify().ok();
            Database db = Database::open(path, quiet());
            compacted = code_of([&] { db.compact(); });
        });
        CHECK_FALSE(whole);
        CHECK(compacted == Errc::corrupt);
    }
}
