// btree_cursor_test.cpp -- cursors: values read many at a time.
#include "btree_support.hpp"

#include <optional>
#include <span>

namespace {

using namespace northstar_test;

std::string number_key(std::uint64_t number) {
    const std::string digits = std::to_string(number);
    return "row/" + std::string(6 - digits.size(), '0') + digits;
}

}  // namespace

TEST_CASE("many values are read at once as they are one after the other", "[btree]") {
    RootStore store(4096);
    store.commit([](PageWriter& writer, TreeRoot& tree) {
        for (std::uint64_t i = 0; i < 700; ++i)
            tree_put(writer, tree, number_key(i), i % 50 == 7 ? std::string(2000, 'L') : "value " + std::to_string(i));
    });
    const Ref root = store.tree().root;
    REQUIRE_FALSE(Node(store.source().page(root)).leaf());
    const std::optional<std::string> ends[] = {std::nullopt,    "",              number_key(0),   number_key(1),
                                               number_key(250), number_key(251), number_key(699), "z"};
    const std::string beginnings[] = {"", number_key(249), number_key(250), number_key(690), "z"};
    for (const std::string& from : beginnings) {
        for (const std::optional<std::string>& end : ends) {
            for (const std::size_t room : {0u, 1u, 2u, 37u, 450u, 1000u}) {
                INFO("from " << from << " to " << (end ? *end : "the end") << ", room for " << room);
                const std::optional<std::string_view> to = end ? std::optional<std::string_view>(*end) : std::nullopt;
                TreeCursor one(store.source(), root), many(store.source(), root);
                one.lower_bound(from);
                many.lower_bound(from);
                std::vector<std::string_view> values(room + 1, "nothing was written here");
                const std::size_t count = many.read_values(std::span(values).first(room), to);
                std::size_t expected = 0;
                for (; one.valid() && expected < room && (!to || one.key() < *to); one.next())
                    REQUIRE(values[expected++] == one.value());
                REQUIRE(count == expected);
                REQUIRE(values[count] == "nothing was written here");
                REQUIRE(many.valid() == one.valid());
                if (one.valid()) {
                    REQUIRE(many.key() == one.key());
                    REQUIRE(many.value() == one.value());
                }
            }
        }
    }
}
