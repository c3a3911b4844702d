// txn_state_hash_test.cpp -- the hash of a state, computed in steps that a file keeps.
#include "peer.hpp"

#include "base/bytes.hpp"
#include "txn/state_hash.hpp"

namespace {

using namespace northstar;
using detail::StateHashing;
using txn_test::code_of;
using txn_test::Peer;
using txn_test::Workplace;

/// As whoever takes over finds it.
StateHashing kept(const StateHashing& so_far) {
    std::string bytes;
    so_far.encode(bytes);
    detail::ByteReader reader(bytes, "what this test keeps");
    StateHashing again = StateHashing::decode(reader);
    CHECK(reader.remaining() == 0);
    return again;
}

}  // namespace

TEST_CASE("The hash of a state is the same in whatever steps, each taken up by another process", "[TRUTH-4]") {
    const Workplace place;
    Peer peer(place / "a.db");
    Transaction tx = peer.db.begin_write();
    // Empty trees, between others and at the end, and values that are empty.
    for (const char* const name : {"a", "b", "empty", "m", "z"}) {
        WritableTree tree = tx.tree(name);
        tree.put("key", "value");
        for (std::size_t i = 0; i < 20; ++i) tree.put("key " + std::to_string(i), std::string(i, 'v'));
        if (name == std::string("empty") || name == std::string("z")) tree.erase_range("", std::nullopt);
    }
    tx.commit();
    detail::OpenView open{peer.core->open_view()};
    const Hash whole = detail::state_hash(*open.view);
    for (const std::uint64_t bytes : {std::uint64_t{1}, std::uint64_t{30}, std::uint64_t{700}}) {
        CAPTURE(bytes);
        StateHashing so_far;
        std::optional<Hash> hash;
        int steps = 0;
        while (!hash && ++steps < 1000) {
            hash = detail::hash_state(*open.view, so_far, bytes);
            so_far = kept(so_far);
        }
        CHECK(hash == whole);
        CHECK(steps > 1);
    }
}

TEST_CASE("A step of a hash ends with the entry that makes its bytes full", "[TRUTH-4]") {
    const Workplace place;
    Peer peer(place / "a.db");
    Transaction tx = peer.db.begin_write();
    for (const char* const key : {"a", "b", "c"}) tx.tree("t").put(key, "value");
    tx.commit();
    detail::OpenView open{peer.core->open_view()};
    constexpr std::uint64_t k_entry = 1 + 8 + 8 + 1 + 5;  // 'E', two lengths, key and value
    for (const std::uint64_t bytes : {k_entry, k_entry - 1}) {
        CAPTURE(bytes);
        StateHashing so_far;
        for (const char* const key : {"a", "b", "c"}) {
            CHECK_FALSE(detail::hash_state(*open.view, so_far, bytes));
            CHECK(so_far.key == key);
        }
        CHECK(detail::hash_state(*open.view, so_far, bytes) == detail::state_hash(*open.view));
    }
    StateHashing so_far;
    CHECK_FALSE(detail::hash_state(*open.view, so_far, k_entry + 1));
    CHECK(so_far.key == "b");
}

TEST_CASE("A half-computed hash that cannot be one is damage", "[TRUTH-4][DMG-2]") {
    StateHashing so_far;
    so_far.begun = true;
    so_far.tree = "tree";
    std::string bytes;
    so_far.encode(bytes);
    const std::size_t begun = bytes.size() - 2 - (1 + so_far.tree.size()) - 1;  // behind it: tree, `any`, an empty key
    REQUIRE(bytes[begun] == 1);
    for (const std::size_t at : {begun, bytes.size() - 2}) {
        std::string damaged = bytes;
        damaged[at] = 2;
        detail::ByteReader reader(damaged, "what this test keeps");
        CHECK(code_of([&] { static_cast<void>(StateHashing::decode(reader)); }) == Errc::corrupt);
    }
}
