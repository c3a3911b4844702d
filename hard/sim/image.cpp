#include "hard/sim/image.hpp"

#include "base/check.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <stdexcept>

#include <sys/mman.h>
#include <unistd.h>

namespace northstar::hard {

namespace {

std::uint64_t up(std::uint64_t value, std::uint64_t unit) { return (value + unit - 1) / unit; }

// Overwrites some of `out` with bytes of `other`: the first ones, the last ones, or runs here and there.
void tear(detail::Random& random, std::byte* out, const std::byte* other, std::size_t size) {
    switch (random.below(3)) {
        case 0: std::memcpy(out, other, random.between(1, size - 1)); break;
        case 1: {
            const std::size_t from = random.between(1, size - 1);
            std::memcpy(out + from, other + from, size - from);
            break;
        }
        default:
            for (std::size_t at = random.below(size); at < size; at += random.between(1, 128)) {
                const std::size_t run = std::min<std::size_t>(random.between(1, 64), size - at);
                std::memcpy(out + at, other + at, run);
                at += run;
            }
    }
}

}  // namespace

Image::Image(const Profile& profile, std::uint64_t& used_blocks, FaultCounts& faults)
    : profile_(profile),
      sector_(profile.sector),
      longest_(profile.longest_file),
      used_blocks_(used_blocks),
      faults_(faults),
      memory_(::memfd_create("simulated", MFD_CLOEXEC)) {
    if (!memory_.valid() || ::ftruncate(memory_.get(), static_cast<off_t>(longest_)) != 0) {
        throw std::runtime_error("simulated disk: no memory file");
    }
    void* address = ::mmap(nullptr, longest_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, memory_.get(), 0);
    if (address == MAP_FAILED) throw std::runtime_error("simulated disk: no address space");
    cache_ = static_cast<std::byte*>(address);
}

Image::~Image() {
    ::munmap(cache_, longest_);
    drop_blocks_behind(0);
}

std::size_t Image::read(std::uint64_t offset, std::span<std::byte> out) const {
    if (offset >= size_ || out.empty()) return 0;
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size_ - offset));
    std::memcpy(out.data(), cache_ + offset, count);
    return count;
}

std::size_t Image::read_uncached(std::uint64_t offset, std::span<std::byte> out) const {
    const std::size_t count = read(offset, out);
    std::vector<std::byte> bytes(sector_);
    for (auto at = divergent_.lower_bound(offset / sector_); at != divergent_.end(); ++at) {
        const std::uint64_t start = *at * sector_;
        if (start >= offset + count) break;
        on_platter(*at, bytes.data());
        const std::uint64_t from = std::max(start, offset);
        const std::uint64_t to = std::min(start + sector_, offset + count);
        std::memcpy(out.data() + (from - offset), bytes.data() + (from - start), to - from);
    }
    return count;
}

void Image::on_platter(std::uint64_t sector, std::byte* out) const {
    const std::uint64_t start = sector * sector_;
    if (start < platter_.size()) {
        std::memcpy(out, platter_.data() + start, sector_);
    } else {
        std::memset(out, 0, sector_);
    }
}

void Image::put_on_platter(std::vector<std::byte>& platter, std::uint64_t sector, const std::byte* bytes) const {
    const std::uint64_t start = sector * sector_;
    if (platter.size() < start + sector_) platter.resize(start + sector_);
    std::memcpy(platter.data() + start, bytes, sector_);
}

// The cache is about to show something else in this sector; `before` is what it showed.
void Image::mark(std::uint64_t sector, const std::byte* before, std::uint64_t number) {
    const auto [at, fresh] = pending_.try_emplace(sector);
    Pending& pending = at->second;
    if (!fresh && pending.number != number) {
        if (pending.earlier.size() == k_most_earlier) {
            const auto gone = static_cast<std::ptrdiff_t>(number % k_most_earlier);
            const auto from = pending.bytes.begin() + gone * static_cast<std::ptrdiff_t>(sector_);
            pending.earlier.erase(pending.earlier.begin() + gone);
            pending.bytes.erase(from, from + static_cast<std::ptrdiff_t>(sector_));
        }
        pending.earlier.push_back(pending.number);
        pending.bytes.insert(pending.bytes.end(), before, before + sector_);
    }
    pending.number = number;
    divergent_.erase(sector);
}

void Image::mark_range(std::uint64_t offset, std::uint64_t length, std::uint64_t number) {
    for (std::uint64_t sector = offset / sector_; sector < up(offset + length, sector_); ++sector) {
        mark(sector, cached(sector), number);
    }
}

void Image::write(std::uint64_t offset, std::span<const std::byte> bytes, std::uint64_t number) {
    if (bytes.empty()) return;
    NORTHSTAR_ASSERT(offset + bytes.size() <= longest_);
    absorb(number);
    if (offset + bytes.size() > size_) resize(offset + bytes.size(), number);
    mark_range(offset, bytes.size(), number);
    std::memcpy(cache_ + offset, bytes.data(), bytes.size());
    refresh_shadow(offset, bytes.size());
}

void Image::resize(std::uint64_t size, std::uint64_t number) {
    NORTHSTAR_ASSERT(size <= longest_);
    if (size == size_) return;
    if (size < size_) {
        absorb(number);
        if (size % sector_ != 0) mark(size / sector_, cached(size / sector_), number);
        std::memset(cache_ + size, 0, size_ - size);
        refresh_shadow(size, size_ - size);
        pending_.erase(pending_.lower_bound(up(size, sector_)), pending_.end());
        divergent_.erase(divergent_.lower_bound(up(size, sector_)), divergent_.end());
        drop_blocks_behind(size);
    } else {
        // Where the platter still has bytes from before a cut, zeros are as pending as anything written.
        const std::uint64_t end = std::min<std::uint64_t>(size, platter_.size());
        if (size_ < end) mark_range(size_, end - size_, number);
    }
    size_ = size;
    sizes_.emplace_back(number, size);
}

std::uint64_t Image::missing_blocks(std::uint64_t offset, std::uint64_t length) const {
    std::uint64_t missing = 0;
    for (std::uint64_t block = offset / k_block; block < up(offset + length, k_block); ++block) {
        missing += block >= blocks_.size() || !blocks_[block] ? 1 : 0;
    }
    return missing;
}

void Image::take_blocks(std::uint64_t offset, std::uint64_t length) {
    if (length == 0) return;
    const std::uint64_t end = up(offset + length, k_block);
    if (blocks_.size() < end) blocks_.resize(end);
    for (std::uint64_t block = offset / k_block; block < end; ++block) {
        used_blocks_ += blocks_[block] ? 0 : 1;
        blocks_[block] = true;
    }
}

void Image::drop_blocks_behind(std::uint64_t size) {
    const std::uint64_t first = up(size, k_block);
    if (blocks_.size() <= first) return;
    for (std::uint64_t block = first; block < blocks_.size(); ++block) used_blocks_ -= blocks_[block] ? 1 : 0;
    blocks_.resize(first);
}

void Image::sync(detail::Random& random) {
    std::set<std::uint64_t> lies;
    for (const auto& [sector, pending] : pending_) {
        if (profile_.lost_write_per_million != 0 && random.chance(profile_.lost_write_per_million, 1000000)) {
            count(Fault::lost_write);
            lies.insert(sector);
        } else if (profile_.misdirected_per_million != 0 &&
                   random.chance(profile_.misdirected_per_million, 1000000)) {
            count(Fault::misdirected);
            const std::uint64_t elsewhere = random.below(std::max<std::uint64_t>(1, platter_.size() / sector_));
            put_on_platter(platter_, elsewhere, cached(sector));
            lies.insert(sector);
            lies.insert(elsewhere);
        } else {
            put_on_platter(platter_, sector, cached(sector));
        }
    }
    divergent_.insert(lies.begin(), lies.end());
    all_clean();
}

void Image::flush() {
    for (const auto& [sector, pending] : pending_) put_on_platter(platter_, sector, cached(sector));
    all_clean();
}

void Image::all_clean() {
    if (!pending_.empty()) flushed_.clear();
    for (const auto& [sector, pending] : pending_) flushed_.push_back(sector);
    pending_.clear();
    sizes_.clear();
    platter_size_ = size_;
    platter_.resize(up(size_, sector_) * sector_);
    if (platter_.size() > size_) {
        std::memset(platter_.data() + size_, 0, platter_.size() - size_);
    }
}

void Image::fail_sync(detail::Random& random) {
    count(Fault::sync_failed);
    for (const auto& [sector, pending] : pending_) {
        if (random.chance(1, 2)) {
            count(Fault::sync_kept_sector);
            put_on_platter(platter_, sector, cached(sector));
        } else {
            count(Fault::sync_dropped_sector);
            divergent_.insert(sector);
        }
    }
    if (!sizes_.empty() && random.chance(1, 2)) platter_size_ = size_;
    pending_.clear();
    sizes_.clear();
}

void Image::evict(bool open) {
    for (const std::uint64_t sector : divergent_) {
        count(Fault::evicted_sector);
        on_platter(sector, cached(sector));
        if ((sector + 1) * sector_ > size_) std::memset(cache_ + size_, 0, (sector + 1) * sector_ - size_);
    }
    divergent_.clear();
    refresh_shadow(0, shadow_.size());
    // The size in memory is forgotten only together with the file itself.
    if (!open && sizes_.empty() && pending_.empty() && size_ > platter_size_) {
        std::memset(cache_ + platter_size_, 0, size_ - platter_size_);
        size_ = platter_size_;
        drop_blocks_behind(size_);
    }
}

void Image::settle_sector(detail::Random& random, Settlement& settlement, std::uint64_t sector,
                          const Pending& pending, std::byte* out) const {
    // Contents in order: 0 is the platter's, then the earlier ones, the last is what the cache shows.
    const std::size_t last = pending.earlier.size() + 1;
    const auto number_of = [&](std::size_t i) { return i == last ? pending.number : pending.earlier[i - 1]; };
    const auto content = [&](std::size_t i, std::byte* to) {
        if (i == 0) {
            on_platter(sector, to);
        } else {
            std::memcpy(to, i == last ? cached(sector) : pending.bytes.data() + (i - 1) * sector_, sector_);
        }
    };
    std::size_t base = 0;
    std::size_t torn_with = 0;
    bool torn = false;
    switch (settlement.kind) {
        case Settlement::Kind::everything: base = last; break;
        case Settlement::Kind::nothing: base = 0; break;
        case Settlement::Kind::chosen: base = settlement.take_chosen() ? last : 0; break;
        case Settlement::Kind::prefix:
            while (base < last && number_of(base + 1) <= settlement.cut) ++base;
            torn_with = base + 1;
            torn = base < last && number_of(base + 1) == settlement.cut + 1 && random.chance(1, 2);
            break;
        case Settlement::Kind::mixed:
            if (random.chance(settlement.new_part, 16)) {
                base = last;
            } else if (last > 1 && random.chance(1, 3)) {
                base = random.between(1, last - 1);
            }
            torn = random.chance(1, 6);
            torn_with = random.below(last);
            if (torn_with >= base) ++torn_with;
            break;
    }
    content(base, out);
    if (profile_.garbage && settlement.kind != Settlement::Kind::chosen && base != 0 && random.chance(1, 8)) {
        random.fill({out, sector_});
        count(Fault::sector_garbage);
    } else if (torn && profile_.torn) {
        std::vector<std::byte> other(sector_);
        content(torn_with, other.data());
        tear(random, out, other.data(), sector_);
        count(Fault::sector_torn);
    } else {
        count(base == 0 ? Fault::sector_old : base == last ? Fault::sector_new : Fault::sector_between);
    }
}

std::uint64_t Image::settle_size(detail::Random& random, Settlement& settlement) const {
    if (sizes_.empty()) return platter_size_;
    std::size_t chosen = 0;  // 0: the durable size, i: sizes_[i - 1]
    switch (settlement.kind) {
        case Settlement::Kind::everything: chosen = sizes_.size(); break;
        case Settlement::Kind::nothing: break;
        case Settlement::Kind::chosen: chosen = settlement.take_chosen() ? sizes_.size() : 0; break;
        case Settlement::Kind::prefix:
            while (chosen < sizes_.size() && sizes_[chosen].first <= settlement.cut) ++chosen;
            break;
        case Settlement::Kind::mixed:
            chosen = random.chance(1, 2) ? sizes_.size() : random.below(sizes_.size() + 1);
            break;
    }
    count(chosen == 0 ? Fault::size_old : chosen == sizes_.size() ? Fault::size_new : Fault::size_between);
    return chosen == 0 ? platter_size_ : sizes_[chosen - 1].second;
}

// Decides every pending sector and the size on a copy of (or the real) platter; returns the size.
std::uint64_t Image::settle(std::vector<std::byte>& platter, detail::Random& random, Settlement& settlement) const {
    std::vector<std::byte> bytes(sector_);
    std::vector<std::pair<std::uint64_t, std::vector<std::byte>>> decided;
    for (const auto& [sector, pending] : pending_) {
        settle_sector(random, settlement, sector, pending, bytes.data());
        decided.emplace_back(sector, bytes);
    }
    for (const auto& [sector, content] : decided) put_on_platter(platter, sector, content.data());
    if (settlement.misdirects) misdirect_one(platter, random);
    const std::uint64_t size = settle_size(random, settlement);
    platter.resize(up(size, sector_) * sector_);
    if (platter.size() > size) std::memset(platter.data() + size, 0, platter.size() - size);
    return size;
}

// What was written to one sector lies at another place, and its own is as it was.
void Image::misdirect_one(std::vector<std::byte>& platter, detail::Random& random) const {
    if (pending_.empty() || platter.size() <= sector_) return;
    auto chosen = pending_.begin();
    std::advance(chosen, static_cast<std::ptrdiff_t>(random.below(pending_.size())));
    const std::uint64_t sector = chosen->first;
    std::vector<std::byte> before(sector_);
    on_platter(sector, before.data());
    put_on_platter(platter, sector, before.data());
    std::uint64_t elsewhere = random.below(platter.size() / sector_ - 1);
    if (elsewhere >= sector) ++elsewhere;
    put_on_platter(platter, elsewhere, cached(sector));
    count(Fault::sector_misdirected);
}

void Image::crash(detail::Random& random, Settlement& settlement) {
    NORTHSTAR_ASSERT(windows_.empty());
    const std::uint64_t size = settle(platter_, random, settlement);
    const auto show = [&](std::uint64_t sector) { on_platter(sector, cached(sector)); };
    for (const auto& [sector, pending] : pending_) show(sector);
    for (const std::uint64_t sector : divergent_) show(sector);
    if (size > size_) {
        for (std::uint64_t sector = size_ / sector_; sector < up(size, sector_); ++sector) show(sector);
        take_blocks(size_, size - size_);
    } else if (size < size_) {
        std::memset(cache_ + size, 0, size_ - size);
        drop_blocks_behind(size);
    }
    pending_.clear();
    divergent_.clear();
    sizes_.clear();
    size_ = size;
    platter_size_ = size;
}

std::unique_ptr<Image> Image::crashed_copy(detail::Random& random, Settlement& settlement, const Profile& profile,
                                           std::uint64_t& used_blocks, FaultCounts& faults) const {
    auto copy = std::make_unique<Image>(profile, used_blocks, faults);
    copy->platter_ = platter_;
    copy->size_ = settle(copy->platter_, random, settlement);
    copy->platter_size_ = copy->size_;
    copy->flushed_ = flushed_;
    std::copy_n(copy->platter_.data(), copy->size_, copy->cache_);
    copy->take_blocks(0, copy->size_);
    return copy;
}

std::vector<std::uint64_t> Image::last_flushed() const {
    std::vector<std::uint64_t> offsets;
    for (const std::uint64_t sector : flushed_) {
        if ((sector + 1) * sector_ <= size_) offsets.push_back(sector * sector_);
    }
    return offsets;
}

std::size_t Image::pending_items() const { return pending_.size() + (sizes_.empty() ? 0 : 1); }

std::uint64_t Image::oldest_pending() const {
    std::uint64_t oldest = sizes_.empty() ? ~std::uint64_t{0} : sizes_.front().first;
    for (const auto& [sector, pending] : pending_) {
        oldest = std::min(oldest, pending.earlier.empty() ? pending.number : pending.earlier.front());
    }
    return oldest;
}

std::byte* Image::map(std::uint64_t offset, std::uint64_t length) {
    if (length == 0 || offset % k_block != 0 || offset + length > size_) return nullptr;
    void* address =
        ::mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_SHARED, memory_.get(), static_cast<off_t>(offset));
    if (address == MAP_FAILED) return nullptr;
    const std::uint64_t end = up(offset + length, sector_) * sector_;
    if (shadow_.size() < end) {
        const std::size_t before = shadow_.size();
        shadow_.resize(end);
        refresh_shadow(before, end - before);
    }
    windows_.push_back({static_cast<std::byte*>(address), offset, length});
    return static_cast<std::byte*>(address);
}

void Image::absorb(std::uint64_t number) {
    for (const Window& window : windows_) {
        const std::uint64_t end = std::min(window.offset + window.length, size_);
        for (std::uint64_t sector = window.offset / sector_; sector < up(end, sector_); ++sector) {
            std::byte* before = shadow_.data() + sector * sector_;
            if (std::memcmp(before, cached(sector), sector_) == 0) continue;
            count(Fault::mapped_sector);
            mark(sector, before, number);
            std::memcpy(before, cached(sector), sector_);
        }
    }
}

void Image::refresh_shadow(std::uint64_t offset, std::uint64_t length) {
    if (offset >= shadow_.size()) return;
    std::memcpy(shadow_.data() + offset, cache_ + offset, std::min<std::uint64_t>(length, shadow_.size() - offset));
}

void Image::close_window(std::byte* address) {
    std::erase_if(windows_, [&](const Window& window) { return window.address == address; });
    if (windows_.empty()) shadow_.clear();
}

void Image::unmap(std::byte* address, std::uint64_t length, std::uint64_t number) noexcept {
    absorb(number);
    close_window(address);
    ::munmap(address, length);
}

void Image::cut_off(std::byte* address, std::uint64_t length, std::uint64_t number) {
    absorb(number);
    close_window(address);
    const std::vector<std::byte> copy(address, address + length);
    if (::mmap(address, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) {
        throw std::runtime_error("simulated disk: cannot cut off a mapping");
    }
    std::memcpy(address, copy.data(), length);
}

void Image::damage(std::uint64_t offset, std::span<const std::byte> bytes) {
    NORTHSTAR_ASSERT(offset + bytes.size() <= size_);
    std::memcpy(cache_ + offset, bytes.data(), bytes.size());
    refresh_shadow(offset, bytes.size());
    std::vector<std::byte> content(sector_);
    for (std::uint64_t sector = offset / sector_; sector < up(offset + bytes.size(), sector_); ++sector) {
        const std::uint64_t start = sector * sector_;
        const std::uint64_t from = std::max(start, offset);
        const std::uint64_t to = std::min(start + sector_, offset + bytes.size());
        on_platter(sector, content.data());
        std::memcpy(content.data() + (from - start), bytes.data() + (from - offset), to - from);
        put_on_platter(platter_, sector, content.data());
    }
}

}  // namespace northstar::hard
