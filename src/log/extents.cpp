#include "log/extents.hpp"

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/error.hpp"
#include "format/ref.hpp"

#include <algorithm>

namespace northstar::inline v0::detail {

namespace extents_impl {

[[noreturn]] void impossible(const Extent& extent, const char* problem) {
    fail(Errc::corrupt,
         "the log extent at position " + std::to_string(extent.logical) + ' ' + problem +
             "; restore the file from a backup",
         {}, extent.page);
}

}  // namespace extents_impl

void ExtentDirectory::check(const Extent& extent) const {
    if (extent.pages == 0 || extent.page < 2 || extent.page > Ref::k_max_page ||
        extent.pages > Ref::k_max_page - extent.page) {
        extents_impl::impossible(extent, "lies on impossible pages");
    }
    if (extent.logical % k_record_align != 0 || extent.logical > ~std::uint64_t{0} - bytes_of(extent)) {
        extents_impl::impossible(extent, "begins at an impossible position");
    }
}

bool ExtentDirectory::add(const Extent& extent) {
    check(extent);
    if (const std::size_t i = at_or_after(extent.logical); i < extents_.size()) {
        if (extents_[i] == extent) return false;
        extents_impl::impossible(extent, "overlaps another one");
    }
    for (const Extent& other : extents_) {
        if (extent.page < other.page + other.pages && other.page < extent.page + extent.pages) {
            extents_impl::impossible(extent, "shares pages with another one");
        }
    }
    extents_.push_back(extent);
    return true;
}

std::size_t ExtentDirectory::at_or_after(std::uint64_t position) const {
    const auto found = std::partition_point(extents_.begin(), extents_.end(), [&](const Extent& extent) {
        return end_of(extent) <= position;
    });
    return static_cast<std::size_t>(found - extents_.begin());
}

std::optional<ExtentDirectory::Place> ExtentDirectory::find(std::uint64_t position) const {
    const std::size_t i = at_or_after(position);
    if (i == extents_.size() || extents_[i].logical > position) return std::nullopt;
    const Extent& extent = extents_[i];
    return Place{extent.page * page_size_ + (position - extent.logical), end_of(extent) - position};
}

std::uint64_t ExtentDirectory::pages() const {
    std::uint64_t pages = 0;
    for (const Extent& extent : extents_) pages += extent.pages;
    return pages;
}

std::vector<Extent> ExtentDirectory::release_below(std::uint64_t position) {
    const auto last = extents_.begin() + static_cast<std::ptrdiff_t>(at_or_after(position));
    std::vector<Extent> released(extents_.begin(), last);
    extents_.erase(extents_.begin(), last);
    return released;
}

void ExtentDirectory::drop_from(std::uint64_t position) noexcept {
    while (!extents_.empty() && extents_.back().logical >= position) extents_.pop_back();
}

std::optional<Extent> ExtentDirectory::trim(std::uint64_t position) {
    const std::size_t i = at_or_after(position);
    if (i == extents_.size() || position < extents_[i].logical + page_size_) return std::nullopt;
    Extent front = extents_[i];
    front.pages = (position - front.logical) / page_size_;
    extents_[i].logical += bytes_of(front);
    extents_[i].page += front.pages;
    extents_[i].pages -= front.pages;
    return front;
}

Extent ExtentDirectory::move(std::uint64_t logical, std::uint64_t page) {
    const std::size_t i = at_or_after(logical);
    NORTHSTAR_ASSERT(i < extents_.size() && extents_[i].logical == logical);
    const Extent old = extents_[i];
    extents_[i].page = page;
    check(extents_[i]);
    return old;
}

void ExtentDirectory::serialise(std::string& out) const {
    ByteWriter writer(out);
    writer.varint(extents_.size());
    std::uint64_t position = 0;
    for (const Extent& extent : extents_) {
        writer.varint((extent.logical - position) / k_record_align);
        writer.varint(extent.page);
        writer.varint(extent.pages);
        position = end_of(extent);
    }
}

ExtentDirectory ExtentDirectory::deserialise(std::span<const std::byte> bytes, std::uint32_t page_size) {
    ByteReader reader(bytes, "the directory of log extents");
    ExtentDirectory directory(page_size);
    const std::uint64_t count = reader.varint();
    if (count > reader.remaining() / 3) reader.damaged("has more extents than bytes");
    directory.extents_.reserve(static_cast<std::size_t>(count));
    std::uint64_t position = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
        const std::uint64_t gap = reader.varint();
        if (gap > (~std::uint64_t{0} - position) / k_record_align) reader.damaged("has an impossible position");
        Extent extent;
        extent.logical = position + gap * k_record_align;
        extent.page = reader.varint();
        extent.pages = reader.varint();
        directory.check(extent);
        directory.extents_.push_back(extent);
        position = directory.end_of(extent);
    }
    reader.expect_end();
    std::vector<Extent> by_page = directory.extents_;
    std::sort(by_page.begin(), by_page.end(), [](const Extent& a, const Extent& b) { return a.page < b.page; });
    for (std::size_t i = 1; i < by_page.size(); ++i) {
        if (by_page[i - 1].page + by_page[i - 1].pages > by_page[i].page) {
            extents_impl::impossible(by_page[i], "shares pages with another one");
        }
    }
    return directory;
}

}  // namespace northstar::inline v0::detail
