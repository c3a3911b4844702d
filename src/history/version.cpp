#include "history/version.hpp"

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/crc32c.hpp"
#include "base/error.hpp"

namespace northstar::inline v0::detail {

std::string encode_catalog_value(std::uint64_t id, History history) {
    std::string out;
    ByteWriter writer(out);
    writer.varint(id);
    writer.text(encode_history(history));
    return out;
}

CatalogValue decode_catalog_value(std::string_view bytes) {
    ByteReader reader(bytes, "catalog entry in the history");
    CatalogValue value;
    value.id = reader.varint();
    LogOperation payload;
    payload.kind = OperationKind::create_tree;
    payload.value = reader.text(reader.remaining());
    value.history = decode_history(payload);
    return value;
}

std::optional<std::string_view> read_logged_value(LogBytes& log, const ExtentDirectory& extents, std::uint64_t tree,
                                                  std::string_view key, const HistoryVersion& version) {
    return read_logged_value(log, extents.find(version.position), extents.page_size(), tree, key, version);
}

std::optional<std::string_view> read_logged_value(LogBytes& log, const std::optional<ExtentDirectory::Place>& place,
                                                  std::size_t page_size, std::uint64_t tree, std::string_view key,
                                                  const HistoryVersion& version) {
    NORTHSTAR_ASSERT(version.kind == HistoryVersion::Kind::logged);
    const auto damaged = [&](const char* problem) {
        fail(Errc::corrupt,
             "the value that transaction " + std::to_string(version.txn) + " wrote at log position " +
                 std::to_string(version.position) + ' ' + problem + "; run verify and restore the file from a backup",
             {}, place ? place->offset / page_size : Error::no_page);
    };
    if (!place) damaged("lies in no extent");
    const std::uint64_t size =
        1 + varint_size(tree) + varint_size(key.size()) + varint_size(version.length) + key.size() + version.length;
    if (size < version.length || size > place->remaining) damaged("reaches outside its extent");
    const std::span<const std::byte> bytes = log.read(place->offset, size);
    LogOperation operation;
    const std::byte* const end = record_impl::parse_operation(bytes.data(), bytes.data() + bytes.size(), operation);
    if (end == nullptr || operation.kind != OperationKind::put || operation.tree != tree || operation.key != key ||
        operation.value.size() != version.length) {
        damaged("is not there");
    }
    if (operation.redacted) return std::nullopt;
    if (crc32c(0, operation.value.data(), operation.value.size()) != version.checksum) damaged("has changed");
    return operation.value;
}

}  // namespace northstar::inline v0::detail
