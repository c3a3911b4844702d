#include "format/meta.hpp"

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/xxh64.hpp"

#include <cstring>

namespace northstar::inline v0::detail {

namespace meta_impl {

constexpr char k_magic[8] = {'N', 'o', 'r', 't', 'h', 'S', 't', 'a'};
constexpr std::uint64_t k_seed = 0x6e6f727468737461;
constexpr std::size_t k_extents_offset = 336;
constexpr std::size_t k_extent_size = 24;
static_assert(k_extents_offset + Meta::k_max_extents * k_extent_size <= 4080);

/// One description of the layout for both directions.
template <class Field, class M>
void each_field(Field&& field, M& m) {
    field(24, m.features);
    field(32, m.page_size);
    field(36, m.log_align);
    field(40, m.uuid);
    field(56, m.generation);
    field(64, m.txn);
    field(72, m.time_us);
    field(80, m.catalog.root);
    field(88, m.catalog.count);
    field(96, m.next_tree_id);
    field(104, m.space_page);
    field(112, m.space_bytes);
    field(120, m.space_checksum);
    field(128, m.log_position);
    field(136, m.epoch);
    field(144, m.chain);
    field(176, m.file_pages);
    field(184, m.oldest_txn);
    field(192, m.retained.root);
    field(200, m.retained.count);
    field(208, m.retained_txn);
    field(216, m.retained_time_us);
    field(224, m.parent_uuid);
    field(240, m.parent_txn);
    field(248, m.parent_chain);
    field(288, m.history.amount);
    field(296, m.created_us);
    field(304, m.sealed_txn);
    field(312, m.sealed_position);
    field(320, m.log_begin);
    field(4080, m.redaction_txn);
    field(4088, m.redaction_position);
}

struct Store {
    std::byte* out;
    void operator()(std::size_t at, std::uint32_t v) const { store_u32(out + at, v); }
    void operator()(std::size_t at, std::uint64_t v) const { store_u64(out + at, v); }
    void operator()(std::size_t at, const Uuid& v) const { std::memcpy(out + at, v.data(), v.size()); }
    void operator()(std::size_t at, const Hash& v) const { std::memcpy(out + at, v.bytes, sizeof v.bytes); }
};

struct Load {
    const std::byte* in;
    void operator()(std::size_t at, std::uint32_t& v) const { v = load_u32(in + at); }
    void operator()(std::size_t at, std::uint64_t& v) const { v = load_u64(in + at); }
    void operator()(std::size_t at, Uuid& v) const { std::memcpy(v.data(), in + at, v.size()); }
    void operator()(std::size_t at, Hash& v) const { std::memcpy(v.bytes, in + at, sizeof v.bytes); }
};

bool plausible(const Meta& m) {
    const auto page_size = m.page_size;
    if (page_size < k_min_page_size || page_size > k_max_page_size || (page_size & (page_size - 1)) != 0) return false;
    if (m.log_align != 0 && m.log_align != 4096) return false;
    if (m.generation == 0 || m.file_pages < k_first_data_page || m.file_pages > (std::uint64_t{1} << 36)) return false;
    if (m.oldest_txn > m.txn || m.retained_txn > m.txn || m.sealed_txn > m.txn) return false;
    if (m.history.kind > History::Kind::duration) return false;
    for (const MetaExtent& e : m.extents) {
        if (e.page < k_first_data_page || e.pages == 0 || e.pages > m.file_pages || e.page > m.file_pages - e.pages ||
            e.position > (std::uint64_t{1} << 62)) {
            return false;
        }
    }
    return true;
}

}  // namespace meta_impl

void encode_meta(const Meta& meta, std::span<std::byte> out) {
    using namespace meta_impl;
    NORTHSTAR_ASSERT(out.size() == k_meta_size && meta.extents.size() <= Meta::k_max_extents);
    std::memset(out.data(), 0, out.size());
    std::memcpy(out.data() + 8, k_magic, sizeof k_magic);
    store_u32(out.data() + 16, k_format_version);
    store_u32(out.data() + 20, k_format_version);
    each_field(Store{out.data()}, meta);
    out[280] = static_cast<std::byte>(meta.history.kind);
    out[281] = static_cast<std::byte>(meta.clean ? 1 : 0);
    store_u64(out.data() + 328, meta.extents.size());
    std::byte* at = out.data() + k_extents_offset;
    for (const MetaExtent& e : meta.extents) {
        store_u64(at, e.position);
        store_u64(at + 8, e.page);
        store_u64(at + 16, e.pages);
        at += k_extent_size;
    }
    store_u64(out.data(), xxh64(out.data() + 8, out.size() - 8, k_seed));
}

MetaState decode_meta(std::span<const std::byte> bytes, Meta& meta) {
    using namespace meta_impl;
    if (bytes.size() < k_meta_size) return MetaState::damaged;
    const bool magic = std::memcmp(bytes.data() + 8, k_magic, sizeof k_magic) == 0;
    if (load_u64(bytes.data()) != xxh64(bytes.data() + 8, k_meta_size - 8, k_seed)) {
        return magic ? MetaState::damaged : MetaState::foreign;
    }
    if (!magic) return MetaState::foreign;
    if (load_u32(bytes.data() + 20) > k_format_version || load_u64(bytes.data() + 24) != 0) return MetaState::newer;
    Meta m;
    each_field(Load{bytes.data()}, m);
    m.history.kind = static_cast<History::Kind>(bytes[280]);
    m.clean = (std::to_integer<unsigned>(bytes[281]) & 1) != 0;
    const std::uint64_t count = load_u64(bytes.data() + 328);
    if (count > Meta::k_max_extents) return MetaState::damaged;
    const std::byte* at = bytes.data() + k_extents_offset;
    for (std::uint64_t i = 0; i < count; ++i, at += k_extent_size) {
        m.extents.push_back({load_u64(at), load_u64(at + 8), load_u64(at + 16)});
    }
    if (!plausible(m)) return MetaState::damaged;
    meta = std::move(m);
    return MetaState::valid;
}

std::string to_text(const Uuid& uuid) {
    static constexpr char k_digits[] = "0123456789abcdef";
    std::string text;
    for (std::size_t i = 0; i < uuid.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
        text += k_digits[uuid[i] >> 4];
        text += k_digits[uuid[i] & 15];
    }
    return text;
}

}  // namespace northstar::inline v0::detail
