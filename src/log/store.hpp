// store.hpp -- the log's bytes in the file: where they lie, reading and appending records.  Layer: log.
//
// [STORE-1] Nothing is written into an extent before a record ahead of it, or the meta page, announces it.
// [STORE-2] Every extent keeps room for one `next` record, so the log can always say where it goes on.
// [STORE-3] What append() wrote is in the file or in the shared mapping when it returns.
// [STORE-4] What announces an extent is written twice, so far apart that no damaged page hides what lies there.
// Threads: reading any; appending one at a time (the writer's turn).
#pragma once

#include "format/meta.hpp"
#include "log/extents.hpp"
#include "log/record.hpp"
#include "os/vfs.hpp"
#include "pager/file_pages.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <vector>

namespace northstar::inline v0::detail {

/// Position of the first record of a database.
inline constexpr std::uint64_t k_first_position = 4096;

class LogStore {
public:
    LogStore(File& file, FilePages& pages, const Uuid& uuid, std::uint32_t log_align);
    ~LogStore();
    LogStore(const LogStore&) = delete;
    LogStore& operator=(const LogStore&) = delete;

    const FilePages& pages() const { return pages_; }
    std::uint32_t seed() const { return seed_; }
    std::uint32_t log_align() const { return log_align_; }

    // ---- extents ----
    /// Stands on the extents of a generation. Those known behind them stay: they were announced since, and whoever
    /// reads the log meanwhile goes on finding them; so do those before them, see remove_below(). Returns one past the
    /// last page of any extent.
    std::uint64_t set_extents(ExtentDirectory extents, std::map<std::uint64_t, std::uint64_t> births);
    ExtentDirectory extents() const;
    /// Generation each extent was carved in, by logical start.
    std::map<std::uint64_t, std::uint64_t> births() const;
    /// Adds an announced extent unless it is known. False: known.
    bool add_extent(const Extent& extent, std::uint64_t born);
    /// The newest generation does without the extents that end at or before the position. Who stands on an older one
    /// reads them until remove_below(), or until their pages are used again.
    void release_below(std::uint64_t position);
    void remove_below(std::uint64_t position);
    /// Takes out extents that begin at or after the position: a reserve that was not announced.
    void remove_from(std::uint64_t position) noexcept;
    /// The newest generation does without the front of an extent, see ExtentDirectory::trim(). Who stands on an older
    /// one reads it as it was, as with release_below().
    void trim(std::uint64_t position);
    /// The extent's bytes were copied to these pages.
    void move_extent(const Extent& extent, std::uint64_t born);
    std::uint64_t bytes_of_extents() const;
    /// Calls fn(const ExtentDirectory&) while nobody changes it.
    template <class F>
    auto with_extents(F&& fn) const {
        const std::shared_lock lock(mutex_);
        return fn(directory_);
    }

    // ---- reading ----
    /// Where a position lies, also for those who stand on an older generation; nullopt: nowhere.
    std::optional<ExtentDirectory::Place> place(std::uint64_t position) const;
    /// Contiguous bytes; nullptr where they do not lie in one extent.
    const std::byte* bytes(std::uint64_t position, std::uint64_t length) const;
    /// Asked when a record is not intact: waits while records are being overwritten; true: look again.
    void set_patience(std::function<bool()> patience) { patience_ = std::move(patience); }
    bool settled() const { return patience_ && patience_(); }
    /// For who must not write: the record at a position, whose overwriting was cut short, as its redactions leave it.
    /// Before anybody else reads.
    void restate(std::uint64_t position, std::vector<std::byte> record);
    /// The restated record that a position lies in.
    std::optional<RecordView> restated(std::uint64_t position) const;
    /// The intact record at a position, or the restated one; nullopt when there is none.
    std::optional<RecordView> peek(std::uint64_t position) const;
    /// The same, where one must be: throws Error(corrupt).
    RecordView read(std::uint64_t position) const;
    /// Offset in the file of a log position.
    std::uint64_t file_offset(std::uint64_t position) const;

    // ---- appending ----
    std::uint64_t end() const { return end_; }
    std::uint64_t epoch() const { return epoch_; }
    void set_end(std::uint64_t position, std::uint64_t epoch);
    /// Largest record that can be appended without more extents.
    std::uint64_t room() const;
    /// Bytes of unused extents behind the end.
    std::uint64_t reserve() const;
    /// Writes a `next` record, which announces these extents, and moves on to the first one with room for `size` bytes.
    /// The caller saw to room(). [STORE-4]
    void move_to_fit(std::uint64_t size, const RecordFields& fields, std::span<const Extent> announced);
    /// True: a record of this size fits where the log ends. O(1) as a rule.
    bool fits(std::uint64_t size);
    /// Memory for staging records up to this size, and every control record: stage() needs no more then.
    void prepare(std::uint64_t size);
    /// Where a record of `size` bytes is to be made; valid until publish().
    std::span<std::byte> stage(std::uint64_t size, bool lazy);
    /// Puts what was staged into the file; the end moves behind it.
    void publish();
    /// A record that comes in blocks, with the same meaning as stage() and publish().
    void add_block(std::uint64_t offset, std::span<const std::byte> block);
    void end_blocks(std::uint64_t size);
    /// Writes zeros ahead of the end, so that a flush finds written blocks.
    void write_ahead();
    std::uint64_t bytes_written() const { return bytes_written_.load(std::memory_order_relaxed); }
    /// Ends the writable mapping (when another process had the write lock, and may have moved what is mapped).
    void unmap() noexcept;

private:
    std::optional<RecordView> look(std::uint64_t position) const;
    std::byte* mapped(std::uint64_t position, std::uint64_t size);
    void announce_again(std::uint64_t size, RecordFields next, std::span<const Extent> announced,
                        std::uint64_t goes_on);
    void forget_released(const Extent& extent);
    std::optional<ExtentDirectory::Place> find(std::uint64_t position) const;
    File& file_;
    FilePages& pages_;
    std::function<bool()> patience_;
    std::map<std::uint64_t, std::vector<std::byte>> restated_;
    const std::uint32_t seed_;
    const std::uint32_t log_align_;
    const std::uint64_t page_size_;
    mutable std::shared_mutex mutex_;
    ExtentDirectory directory_;
    std::map<std::uint64_t, std::uint64_t> births_;
    std::uint64_t released_ = 0;       // extents that end here or before are kept for older generations
    std::vector<Extent> untrimmed_;    // extents as older generations have them, before their fronts were let go of

    std::uint64_t end_ = 0;
    std::uint64_t limit_ = 0;          // end of the extent that end_ lies in; 0: not looked up yet
    std::uint64_t epoch_ = 1;
    std::uint64_t written_ahead_ = 0;  // zeros were written up to here
    bool can_map_ = true;
    bool others_wrote_ = false;        // and nothing was appended since
    std::byte* map_ = nullptr;
    std::uint64_t map_position_ = 0;
    std::uint64_t map_bytes_ = 0;
    bool staged_in_map_ = false;
    std::uint64_t staged_size_ = 0;
    std::vector<std::byte> buffer_;
    std::atomic<std::uint64_t> bytes_written_{0};  // statistics read it without the turn
};

}  // namespace northstar::inline v0::detail
