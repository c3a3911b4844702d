// extents.hpp -- where in the file the log's bytes lie.  Layer: log.  Threads: a value; callers serialise changes.
//
// [EXT-1] Extents are kept by logical start; they overlap neither as positions nor as pages.
// [EXT-2] A record lies in one extent. Positions between extents belong to nothing.
// Which extents are free, and since when, is the space code's business: this is only the map.
#pragma once

#include "log/record.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace northstar::inline v0::detail {

class ExtentDirectory {
public:
    explicit ExtentDirectory(std::uint32_t page_size) : page_size_(page_size) {}

    /// Adds an extent behind all others. One that is there already (with the same pages) is left alone: false.
    /// Error(corrupt) where it overlaps another or cannot exist: announcements come from the file.
    bool add(const Extent& extent);

    struct Place {
        std::uint64_t offset = 0;     ///< in the file
        std::uint64_t remaining = 0;  ///< bytes from there to the end of the extent
    };
    /// Where a position lies; nullopt: in no extent. O(log extents).
    std::optional<Place> find(std::uint64_t position) const;
    /// The extent that holds the position, or the first one behind it; size() where there is none.
    std::size_t at_or_after(std::uint64_t position) const;

    std::size_t size() const { return extents_.size(); }
    bool empty() const { return extents_.empty(); }
    const Extent& operator[](std::size_t i) const { return extents_[i]; }
    std::span<const Extent> all() const { return extents_; }
    std::uint64_t bytes_of(const Extent& extent) const { return extent.pages * page_size_; }
    std::uint64_t end_of(const Extent& extent) const { return extent.logical + bytes_of(extent); }
    /// First position behind every extent: where a new one may begin. 0: none.
    std::uint64_t end() const { return extents_.empty() ? 0 : end_of(extents_.back()); }
    /// Pages of all extents.
    std::uint64_t pages() const;
    std::uint32_t page_size() const { return page_size_; }

    /// Takes out every extent that ends at or before the position, oldest first.
    std::vector<Extent> release_below(std::uint64_t position);
    /// Takes the pages that lie wholly before the position out of the extent that holds it; returns them. What is left
    /// may begin inside a record.
    std::optional<Extent> trim(std::uint64_t position);
    /// Takes out every extent that begins at or after the position (a reserve nobody announced).
    void drop_from(std::uint64_t position) noexcept;
    /// The extent's bytes were copied to other pages; returns the old place. The extent must exist.
    Extent move(std::uint64_t logical, std::uint64_t page);

    /// For the checkpoint's space blob: varints, see spec/log_format.md.
    void serialise(std::string& out) const;
    /// Reads what serialise() wrote and nothing else. Error(corrupt).
    static ExtentDirectory deserialise(std::span<const std::byte> bytes, std::uint32_t page_size);

    friend bool operator==(const ExtentDirectory&, const ExtentDirectory&) = default;

private:
    void check(const Extent& extent) const;

    std::uint32_t page_size_;
    std::vector<Extent> extents_;
};

}  // namespace northstar::inline v0::detail
