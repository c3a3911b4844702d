// txn_catalog_test.cpp -- entries of the catalog of trees that no writer makes: whoever looks them up says so.
#include "btree_support.hpp"
#include "txn_support.hpp"

#include "base/bytes.hpp"
#include "txn/workspace.hpp"

#include <functional>
#include <string>

namespace {

using namespace northstar;
using namespace northstar::detail;
using txn_test::code_of;

std::string bytes(std::size_t size) { return std::string(size, '\0'); }

/// A key of the catalog that names a number.
std::string key_of(char kind, char number, std::size_t size = 8) { return kind + bytes(size - 1) + number; }

/// What a name leads to.
std::string name_value(std::uint64_t id) {
    std::byte value[16] = {};
    store_u64(value + 8, id);
    return std::string(text_of(std::span<const std::byte>(value)));
}

/// An entry of a tree with a kind of retention.
std::string tree_value(char kind, const std::string& name) {
    std::string value = bytes(8 + 8 + 8 + 1 + 1 + 8 + 8) + name;
    value[25] = kind;
    return value;
}

/// A catalog of these entries.
class Catalog {
public:
    Catalog(std::initializer_list<std::pair<std::string, std::string>> entries) : store_(4096) {
        store_.commit([&](PageWriter& writer, TreeRoot& tree) {
            for (const auto& [key, value] : entries) tree_put(writer, tree, key, value, TreeKind::catalog);
        });
    }
    std::optional<Errc> code(const std::function<void(const PageSource&, Ref)>& look) {
        return code_of([&] { look(store_.source(), store_.tree().root); });
    }

private:
    northstar_test::RootStore store_;
};

void list(const PageSource& source, Ref catalog) { static_cast<void>(list_trees(source, catalog)); }
void find(const PageSource& source, Ref catalog) {
    CatalogEntry entry;
    static_cast<void>(find_tree(source, catalog, "t", entry));
}
void list_erased(const PageSource& source, Ref catalog) { static_cast<void>(list_redacted(source, catalog)); }
void dropped(const PageSource& source, Ref catalog) { static_cast<void>(dropped_trees_named(source, catalog, "t")); }
void floors(const PageSource& source, Ref catalog) { static_cast<void>(floors_after(source, catalog, 0)); }
void floor_of(const PageSource& source, Ref catalog) { static_cast<void>(history_floor(source, catalog, 1)); }

}  // namespace

TEST_CASE("A name in the catalog that leads to no tree is damage", "[DMG-6][ERR-6]") {
    const std::string tree = tree_value(0, "t");
    for (const auto& look : {list, find}) {
        CHECK(Catalog{{"nt", name_value(1)}, {key_of('i', 1), tree}}.code(look) == std::nullopt);
        CHECK(Catalog{{"nt", name_value(2)}, {key_of('i', 1), tree}}.code(look) == Errc::corrupt);
        for (const std::size_t size : {0u, 15u, 17u}) {
            CAPTURE(size);
            std::string value = name_value(1) + bytes(1);
            value.resize(size);
            CHECK(Catalog{{"nt", value}, {key_of('i', 1), tree}}.code(look) == Errc::corrupt);
        }
        // Retention of a kind that there is not, and no retention at all.
        for (const std::string& value : {tree_value(4, "t"), tree_value(-1, "t"), bytes(40)}) {
            CHECK(Catalog{{"nt", name_value(1)}, {key_of('i', 1), value}}.code(look) == Errc::corrupt);
        }
    }
}

TEST_CASE("What the catalog says of dropped trees and of records in other forms than theirs is damage",
          "[DMG-6][ERR-6]") {
    CHECK(Catalog{{key_of('d', 1), bytes(8) + "t"}}.code(dropped) == std::nullopt);
    CHECK(Catalog{{key_of('d', 1), bytes(7)}}.code(dropped) == Errc::corrupt);
    for (const std::size_t size : {7u, 9u}) {
        CHECK(Catalog{{key_of('d', 1, size), bytes(8) + "t"}}.code(dropped) == Errc::corrupt);
    }
    constexpr std::size_t k_redacted = 8 + 32 + 32 + 8;
    CHECK(Catalog{{key_of('r', 1, 12), bytes(k_redacted)}}.code(list_erased) == std::nullopt);
    for (const std::size_t size : {11u, 13u}) {
        CHECK(Catalog{{key_of('r', 1, size), bytes(k_redacted)}}.code(list_erased) == Errc::corrupt);
    }
    for (const std::size_t size : {k_redacted - 1, k_redacted + 1}) {
        CHECK(Catalog{{key_of('r', 1, 12), bytes(size)}}.code(list_erased) == Errc::corrupt);
    }
}

TEST_CASE("A horizon in the catalog in another form than its own is damage", "[DMG-6][ERR-6]") {
    for (const auto& look : {floors, floor_of}) {
        for (const std::size_t size : {16u, 48u}) {
            CHECK(Catalog{{key_of('h', 1), bytes(size)}}.code(look) == std::nullopt);
            for (const std::size_t wrong : {size - 1, size + 1}) {
                CHECK(Catalog{{key_of('h', 1), bytes(wrong)}}.code(look) == Errc::corrupt);
            }
        }
    }
    for (const std::size_t size : {7u, 9u}) {
        CHECK(Catalog{{key_of('h', 1, size), bytes(16)}}.code(floors) == Errc::corrupt);
    }
}
