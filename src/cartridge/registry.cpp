#include "cartridge/registry.hpp"

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "cartridge/container.hpp"

#include <algorithm>
#include <cstring>

namespace northstar::inline v0::detail {

namespace registry_impl {

constexpr std::uint8_t k_version = 1;
constexpr std::size_t k_longest_name = 200;

Hash read_hash(ByteReader& reader) {
    Hash hash;
    std::memcpy(hash.bytes, reader.bytes(sizeof hash.bytes).data(), sizeof hash.bytes);
    return hash;
}

std::string_view text_of_hash(const Hash& hash) {
    return {reinterpret_cast<const char*>(hash.bytes), sizeof hash.bytes};
}

}  // namespace registry_impl

void check_cartridge_name(std::string_view name) {
    if (name.empty() || name.size() > registry_impl::k_longest_name || name.find('\0') != std::string_view::npos) {
        fail(Errc::invalid_argument, "the name of a cartridge has 1 to 200 bytes, none of them zero");
    }
}

std::string_view records_prefix() { return std::string_view("c\0", 2); }
std::string_view artifacts_prefix() { return std::string_view("b\0", 2); }

std::string record_key(std::string_view name) { return std::string(records_prefix()) += name; }

std::string artifact_key(std::string_view name, Txn built_at) {
    std::string key(artifacts_prefix());
    key += name;
    key += '\0';
    for (unsigned shift = 64; shift != 0; shift -= 8) key += static_cast<char>(built_at >> (shift - 8));
    return key;
}

std::string encode_record(const CartridgeInfo& info) {
    std::string out;
    ByteWriter writer(out);
    writer.u8(registry_impl::k_version);
    writer.counted_text(info.kind);
    writer.varint(info.kind_version);
    writer.counted_text(info.builder);
    writer.counted_text(encode_parameters(info.parameters));
    writer.varint(info.built_at);
    writer.text(registry_impl::text_of_hash(info.chain));
    writer.text(registry_impl::text_of_hash(info.digest));
    writer.varint(info.bytes);
    writer.u8(static_cast<std::uint8_t>(info.refresh.kind));
    writer.varint(info.refresh.commits);
    writer.counted_text(info.file);
    return out;
}

Txn redacted_from(const Tree& registry, const std::vector<std::string>& trees, Txn installed) {
    Txn from = 0;
    for (const std::string& tree : trees) {
        const std::string key = redaction_note_key(tree);
        const std::optional<Txn> redacted = registry.txn_of(key);
        // Equal in a dense copy, whose entries do not tell which of them came first.
        if (!redacted || *redacted < installed) continue;
        from = std::max(from, registry.get(key) == k_empty_in_the_present ? k_never : *redacted);
    }
    return from;
}

CartridgeInfo decode_record(std::string_view name, std::string_view bytes) {
    ByteReader reader(bytes, "record of a cartridge");
    if (reader.u8() != registry_impl::k_version) {
        fail(Errc::newer_format, "the cartridge '" + std::string(name) +
                                     "' was installed by a newer version; use that, or drop it");
    }
    CartridgeInfo info;
    info.name = name;
    info.kind = reader.counted_text();
    const std::uint64_t version = reader.varint();
    if (version > ~std::uint32_t{0}) reader.damaged("has a version that is none");
    info.kind_version = static_cast<std::uint32_t>(version);
    info.builder = reader.counted_text();
    info.parameters = decode_parameters(reader.counted_text());
    info.built_at = reader.varint();
    info.chain = registry_impl::read_hash(reader);
    info.digest = registry_impl::read_hash(reader);
    info.bytes = reader.varint();
    const std::uint8_t refresh = reader.u8();
    if (refresh > static_cast<std::uint8_t>(RefreshPolicy::Kind::background)) {
        reader.damaged("has a policy that is none");
    }
    info.refresh.kind = static_cast<RefreshPolicy::Kind>(refresh);
    info.refresh.commits = reader.varint();
    info.file = reader.counted_text();
    reader.expect_end();
    return info;
}

}  // namespace northstar::inline v0::detail
