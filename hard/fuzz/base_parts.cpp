#include "hard/fuzz/base_parts.hpp"

#include "base/bytes.hpp"
#include "format/page.hpp"
#include "log/record.hpp"

#include <algorithm>

namespace northstar::hard {

using namespace detail;

std::span<const std::byte> ledger_of(const BaseFile& file, const Meta& meta) {
    return std::span(file.bytes)
        .subspan(static_cast<std::size_t>(meta.space_page * meta.page_size + k_page_header_size),
                 static_cast<std::size_t>(meta.space_bytes));
}

ExtentDirectory extents_of(const BaseFile& file, const Meta& meta) {
    ExtentDirectory extents = Ledger::decode(ledger_of(file, meta), meta.page_size).extents;
    for (const MetaExtent& extent : meta.extents) {
        if (!extents.find(extent.position)) extents.add({extent.position, extent.page, extent.pages});
    }
    return extents;
}

std::vector<Bytes> records_of(const BaseFile& file) {
    std::vector<Bytes> records;
    const Meta meta = newest_meta(file.bytes).value();
    const std::uint32_t seed = record_seed(std::as_bytes(std::span<const std::uint8_t, 16>(meta.uuid)));
    const ExtentDirectory extents = extents_of(file, meta);
    for (const Extent& extent : extents.all()) {
        // The end of the last extent may not be there yet.
        const std::size_t begin = std::min(file.bytes.size(), static_cast<std::size_t>(extent.page * meta.page_size));
        const std::span<const std::byte> bytes =
            std::span(file.bytes).subspan(begin, std::min(file.bytes.size() - begin,
                                                          static_cast<std::size_t>(extent.pages * meta.page_size)));
        for (std::size_t at = 0; at + k_record_header_size <= bytes.size();) {
            const std::span<const std::byte> here = bytes.subspan(at);
            const std::optional<RecordHeader> header = peek_record(here);
            const bool record = header && header->position == extent.logical + at && header->length <= here.size() &&
                                record_intact(here.first(static_cast<std::size_t>(header->length)), *header, seed);
            if (record) records.emplace_back(here.begin(), here.begin() + static_cast<std::ptrdiff_t>(header->length));
            at += record ? static_cast<std::size_t>(header->length) : k_record_align;
        }
    }
    return records;
}

std::vector<Bytes> segments_of(const BaseFile& file) {
    std::vector<Bytes> segments;
    const Meta meta = newest_meta(file.bytes).value();
    for (const StoredSegment& segment : Ledger::decode(ledger_of(file, meta), meta.page_size).segments) {
        const std::size_t at = static_cast<std::size_t>(segment.page * meta.page_size + k_page_header_size);
        segments.emplace_back(file.bytes.begin() + static_cast<std::ptrdiff_t>(at),
                              file.bytes.begin() + static_cast<std::ptrdiff_t>(at + segment.bytes));
    }
    return segments;
}

}  // namespace northstar::hard
