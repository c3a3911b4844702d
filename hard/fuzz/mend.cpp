#include "hard/fuzz/mend.hpp"

#include "base/bytes.hpp"
#include "base/xxh64.hpp"
#include "format/meta.hpp"
#include "format/node.hpp"
#include "history/segment_format.hpp"
#include "log/record.hpp"
#include "pager/file_pages.hpp"
#include "txn/ledger.hpp"

#include <algorithm>
#include <cstring>
#include <set>

namespace northstar::hard {

using namespace detail;

namespace {

constexpr std::uint64_t k_meta_seed = 0x6e6f727468737461;

/// Mends what one meta page names.
class FileMender {
public:
    FileMender(Bytes& file, Meta& meta)
        : file_(file),
          meta_(meta),
          page_size_(meta.page_size),
          pages_(file.size() / meta.page_size),
          seed_(xxh64(meta.uuid.data(), meta.uuid.size(), 0)) {}

    void mend() {
        meta_.catalog.root = mend_node(Ref(meta_.catalog.root), true, 0).bits();
        meta_.retained.root = mend_node(Ref(meta_.retained.root), true, 0).bits();
        ExtentDirectory extents(page_size_);
        mend_ledger(extents);
        for (const MetaExtent& extent : meta_.extents) mend_extent({extent.position, extent.page, extent.pages});
        for (const Extent& extent : extents.all()) mend_extent(extent);
    }

private:
    bool inside(std::uint64_t page, std::uint64_t pages) const {
        return page >= k_first_data_page && page < pages_ && pages <= pages_ - page;
    }
    std::byte* at(std::uint64_t page) { return file_.data() + page * page_size_; }

    /// The ref that names the page as it is now.
    Ref mend_node(Ref ref, bool catalog, unsigned depth) {
        const std::uint64_t page = ref.page();
        if (ref.empty() || ref.in_memory() || !inside(page, 1) || depth > k_max_depth) return ref;
        std::byte* const bytes = at(page);
        // A page that is met again has its checksum, unless it is one of its own ancestors: nothing can fit then.
        if (seen_.insert(page).second) {
            if (validate_node(bytes, page_size_) == nullptr) {
                const bool leaf = Node(bytes).leaf();
                for_each_ref(bytes, page_size_, catalog, [&](Ref& child, bool large) {
                    child = large ? mend_value(child) : mend_node(child, catalog && !leaf, depth + 1);
                });
            }
            store_u64(bytes, xxh64(bytes + k_page_number_offset, page_size_ - k_page_number_offset, seed_));
        }
        return Ref::file(page, load_u64(bytes));
    }
    Ref mend_value(Ref ref) {
        if (ref.in_memory() || !inside(ref.page(), 1)) return ref;
        std::byte* const bytes = at(ref.page());
        return mend_run(ref.page(), load_u64(bytes + k_run_bytes_offset))
                   ? Ref::file(ref.page(), load_u64(bytes))
                   : ref;
    }
    bool mend_run(std::uint64_t page, std::uint64_t length) {
        if (!inside(page, 1) || length > file_.size()) return false;
        if (!inside(page, (length + k_page_header_size + page_size_ - 1) / page_size_)) return false;
        std::byte* const bytes = at(page);
        const std::span<const std::byte> value(bytes + k_page_header_size, static_cast<std::size_t>(length));
        store_u64(bytes, run_checksum(bytes, value, seed_));
        return true;
    }

    void mend_ledger(ExtentDirectory& extents) {
        if (!mend_run(meta_.space_page, meta_.space_bytes)) return;
        const std::span<std::byte> bytes(at(meta_.space_page) + k_page_header_size,
                                         static_cast<std::size_t>(meta_.space_bytes));
        try {
            const Ledger ledger = Ledger::decode(bytes, page_size_, Ledger::Parts::without_space);
            extents = ledger.extents;
            for (const StoredSegment& segment : ledger.segments) mend_stored(segment, bytes);
        } catch (const Error&) {
            // Its segments and extents are not known then.
        }
        mend_run(meta_.space_page, meta_.space_bytes);
        meta_.space_checksum = load_u64(at(meta_.space_page));
    }
    void mend_stored(const StoredSegment& segment, std::span<std::byte> ledger) {
        if (!inside(segment.page, 1) || segment.bytes > file_.size()) return;
        if (!inside(segment.page, (segment.bytes + k_page_header_size + page_size_ - 1) / page_size_)) return;
        mend_segment({at(segment.page) + k_page_header_size, static_cast<std::size_t>(segment.bytes)});
        mend_run(segment.page, segment.bytes);
        std::byte before[8];
        store_u64(before, segment.checksum);
        const auto found = std::search(ledger.begin(), ledger.end(), before, before + 8);
        if (found != ledger.end()) store_u64(&*found, load_u64(at(segment.page)));
    }

    void mend_extent(const Extent& extent) {
        if (!inside(extent.page, 1)) return;
        // The end of the last extent may not be there yet.
        const std::uint64_t pages = std::min(extent.pages, pages_ - extent.page);
        mend_records({at(extent.page), static_cast<std::size_t>(pages * page_size_)}, extent.logical,
                     record_seed(std::as_bytes(std::span<const std::uint8_t, 16>(meta_.uuid))));
    }

    Bytes& file_;
    Meta& meta_;
    const std::uint32_t page_size_;
    const std::uint64_t pages_;
    const std::uint64_t seed_;
    std::set<std::uint64_t> seen_;
};

}  // namespace

void mend_meta(std::span<std::byte> meta) {
    if (meta.size() >= k_meta_size) store_u64(meta.data(), xxh64(meta.data() + 8, k_meta_size - 8, k_meta_seed));
}

void mend_file(Bytes& file) {
    for (const std::size_t place : {std::size_t{0}, std::size_t{4096}, std::size_t{8192}}) {
        if (file.size() < place + k_meta_size) continue;
        const std::span<std::byte> page = std::span(file).subspan(place, k_meta_size);
        if (std::memcmp(page.data() + 8, "NorthSta", 8) != 0) continue;
        mend_meta(page);
        Meta meta;
        if (decode_meta(page, meta) != MetaState::valid || meta.page_size < k_min_page_size) continue;
        if (place != 0 && place != meta.page_size) continue;
        FileMender(file, meta).mend();
        // Only the three sums change: an encoded meta page would be as the library writes it.
        store_u64(page.data() + 80, meta.catalog.root);
        store_u64(page.data() + 192, meta.retained.root);
        store_u64(page.data() + 120, meta.space_checksum);
        mend_meta(page);
    }
}

void mend_segment(std::span<std::byte> bytes) {
    if (bytes.size() < segment::k_header_size) return;
    store_u64(bytes.data(), xxh64(bytes.data() + 8, segment::k_header_size - 8, 0));
    segment::Header header;
    if (!segment::load_header(bytes.data(), header) || header.bytes > bytes.size()) return;
    const segment::Layout layout = segment::layout_of(header);
    const auto chunk_at = [&](std::uint64_t start, std::uint64_t index) -> std::byte* {
        const std::uint64_t at = start + index * segment::k_chunk_size;
        return at <= bytes.size() && segment::k_chunk_size <= bytes.size() - at ? bytes.data() + at : nullptr;
    };
    for (std::uint32_t i = 0; i < header.blocks; ++i) {
        std::byte* const chunk = chunk_at(layout.directory, i / segment::k_directory_per_chunk);
        if (chunk == nullptr) return;
        std::byte* const entry = chunk + 8 + i % segment::k_directory_per_chunk * segment::k_directory_entry;
        const std::uint64_t offset = load_u64(entry);
        const std::uint64_t length = load_u64(entry + 8);
        if (offset > bytes.size() || length > bytes.size() - offset) continue;
        store_u64(entry + 16, xxh64(bytes.data() + offset, static_cast<std::size_t>(length), segment::block_seed(i)));
    }
    const auto chunks = [&](segment::Chunk kind, std::uint64_t start, std::uint32_t count) {
        for (std::uint32_t i = 0; i < count; ++i) {
            std::byte* const at = chunk_at(start, i);
            if (at == nullptr) return;
            store_u64(at, xxh64(at + 8, segment::k_chunk_size - 8, segment::chunk_seed(kind, i)));
        }
    };
    chunks(segment::Chunk::directory, layout.directory, layout.directory_chunks);
    chunks(segment::Chunk::filter, layout.filter, layout.filter_chunks);
    chunks(segment::Chunk::anchors, layout.anchors, layout.anchor_chunks);
}

void mend_records(std::span<std::byte> log, std::uint64_t logical, std::uint32_t seed) {
    for (std::size_t at = 0; at + k_record_header_size <= log.size();) {
        const std::span<std::byte> here = log.subspan(at);
        std::size_t step = k_record_align;
        if (load_u64(here.data() + 8) == logical + at) {
            const std::optional<RecordHeader> header = peek_record(here);
            if (header && header->length <= here.size()) {
                step = static_cast<std::size_t>(header->length);
                seal_record(here.first(step), seed);
            }
        }
        at += step;
    }
}

void mend_record(Bytes& record, std::uint32_t seed) {
    record.resize(std::max(record.size() / k_record_align * k_record_align, k_record_header_size));
    store_u32(record.data() + 4, static_cast<std::uint32_t>(record.size() / k_record_align));
    seal_record(record, seed);
}

}  // namespace northstar::hard
