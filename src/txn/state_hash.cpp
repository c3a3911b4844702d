#include "txn/state_hash.hpp"

#include "btree/cursor.hpp"
#include "txn/core.hpp"
#include "txn/past.hpp"

#include <cstring>
#include <span>

namespace northstar::inline v0::detail {

namespace state_hash_impl {

class Step {
public:
    Step(StateHashing& so_far, std::uint64_t most_bytes) : so_far_(so_far), left_(most_bytes) {
        digest_.resume(so_far.digest);
    }

    void begin(const std::string& name) {
        digest_.update("T");
        digest_.update_u64(name.size());
        digest_.update(name);
        so_far_.tree = name;
        so_far_.begun = true;
        so_far_.any = false;
        so_far_.key.clear();
    }

    /// False: that was enough.
    template <class Cursor>
    bool entries(Cursor& cursor) {
        for (bool there = so_far_.any ? cursor.upper_bound(so_far_.key) : cursor.first(); there;) {
            const std::string_view key = cursor.key();
            const std::string_view value = cursor.value();
            digest_.update("E");
            digest_.update_u64(key.size());
            digest_.update_u64(value.size());
            digest_.update(key);
            digest_.update(value);
            const std::uint64_t bytes = 1 + 2 * sizeof(std::uint64_t) + key.size() + value.size();
            if (bytes >= left_) {
                so_far_.any = true;
                so_far_.key = key;
                so_far_.digest = digest_.state();
                return false;
            }
            left_ -= bytes;
            there = cursor.next();
        }
        return true;
    }

    Hash finish() { return digest_.finish(); }

private:
    StateHashing& so_far_;
    std::uint64_t left_;
    Sha256 digest_;
};

}  // namespace state_hash_impl

void StateHashing::encode(std::string& out) const {
    ByteWriter writer(out);
    writer.varint(digest.total);
    for (const std::uint32_t word : digest.words) writer.u32(word);
    writer.bytes(std::span(digest.pending));
    writer.u8(begun ? 1 : 0);
    writer.counted_text(tree);
    writer.u8(any ? 1 : 0);
    writer.counted_text(key);
}

StateHashing StateHashing::decode(ByteReader& reader) {
    StateHashing hashing;
    hashing.digest.total = reader.varint();
    for (std::uint32_t& word : hashing.digest.words) word = reader.u32();
    std::memcpy(hashing.digest.pending, reader.bytes(sizeof hashing.digest.pending).data(),
                sizeof hashing.digest.pending);
    const std::uint8_t begun = reader.u8();
    hashing.tree = std::string(reader.counted_text());
    const std::uint8_t any = reader.u8();
    hashing.key = std::string(reader.counted_text());
    if (begun > 1 || any > 1) reader.damaged("has an impossible state hash");
    hashing.begun = begun == 1;
    hashing.any = any == 1;
    return hashing;
}

std::optional<Hash> hash_state(const ReadView& view, StateHashing& so_far, std::uint64_t most_bytes) {
    state_hash_impl::Step step(so_far, most_bytes);
    for (const std::string& name : tree_names_in_view(view)) {
        if (so_far.begun && name < so_far.tree) continue;
        if (!so_far.begun || name != so_far.tree) step.begin(name);
        CatalogEntry entry;
        if (!find_tree_in_view(view, name, entry)) continue;
        bool whole = true;
        if (view.past != nullptr) {
            PastCursor cursor(past_tree(view, entry.id, entry.root.root));
            whole = step.entries(cursor);
        } else if (!entry.root.root.empty()) {
            TreeCursor cursor(view.core->source(), entry.root.root);
            whole = step.entries(cursor);
        }
        if (!whole) return std::nullopt;
    }
    return step.finish();
}

Hash state_hash(const ReadView& view) {
    StateHashing all;
    for (;;) {
        if (const std::optional<Hash> hash = hash_state(view, all, ~std::uint64_t{0})) return *hash;
    }
}

}  // namespace northstar::inline v0::detail
