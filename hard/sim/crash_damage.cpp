// crash_damage.cpp -- bytes that go wrong: at rest in a file that was closed, and in what a crash left.
#include "hard/sim/crash_run.hpp"

#include "format/meta.hpp"

#include <algorithm>

namespace northstar::hard {

namespace {

constexpr const char* k_path = "/data/db";
/// What rots is a sector or a page of the disk.
constexpr std::uint64_t k_sector_bytes = 512;
constexpr std::uint64_t k_page_bytes = 4096;

}  // namespace

// ---- damage of what a crash left ----

/// So many bytes rot: what the last flush wrote, or anything.
void CrashRun::harm(SimulatedDisk& disk, std::uint64_t width, Random& random) {
    const std::vector<std::uint64_t> last = disk.last_flushed(k_path);
    const std::uint64_t places = disk.content(k_path).size() / width;
    std::uint64_t at = random.below(places) * width;
    if (!last.empty() && random.chance(1, 2)) at = last[random.below(last.size())] / width * width;
    last_ += " of " + std::to_string(width) + " bytes at byte " + std::to_string(at);
    switch (random.below(3)) {
        case 0: disk.flip_bit(k_path, at + random.below(width), static_cast<unsigned>(random.below(8))); break;
        case 1: disk.zero(k_path, at, width); break;
        default: disk.scribble(k_path, at, width); break;
    }
}

/// A machine that is worse than a crash leaves it says so, or shows a state that may be there.
void CrashRun::recover_harmed(Image& image, Random& random) {
    SimulatedDisk& disk = *image.disk;
    disk.set_capacity(~std::uint64_t{0});
    const bool rot = image.harm == Harm::rot;
    std::string name = rot ? "harm in a crash: rot" : "harm in a crash: misdirected write";
    const std::uint64_t width = !rot ? profile_.sector : random.chance(1, 4) ? k_page_bytes : k_sector_bytes;
    if (rot && (!disk.has_file(k_path) || disk.content(k_path).size() < width)) return;
    last_ += ", " + name;
    if (rot) harm(disk, width, random);
    Expected expected = image.expected;
    Process process;
    process.vfs = disk.process();
    try {
        open(process);
        const Txn txn = process.db->begin_read().txn();
        const Txn vouched = expected.vouched(width);
        if (txn < vouched || txn > expected.attempted()) {
            throw Broken("shown is txn " + std::to_string(txn) + ", vouched for are " + std::to_string(vouched) +
                         " of " + std::to_string(expected.attempted()));
        }
        const bool early = txn < expected.durable;
        if (early) expected.pruned = 0;  // the commit that pruned may be gone
        expected.settle(txn);
        {
            const Snapshot now = process.db->begin_read();
            compare(now, *expected.states[txn], random, "now");
        }
        compare_past(*process.db, expected, txn, random);
        commit_some(process, expected, random);
        note(name + (early ? " ended the log early" : " not seen"));
    } catch (const Error& error) {
        // Before anything was acknowledged there may be no database yet.
        if (error.code() != Errc::corrupt && (expected.durable != 0 || error.code() != Errc::not_a_database)) {
            throw Broken(std::string("reported as ") + to_string(error.code()) + ": " + error.what());
        }
        note(name + " reported");
    }
    process.drop();
}

// ---- damage at rest, of a file that was closed ----

/// One meta page may rot: the other one and its log give the same state. [DUR-10]
void CrashRun::rot_meta() {
    const std::unique_ptr<SimulatedDisk> disk = disk_->crashed_copy(random_.next());
    const std::string bytes = disk->content(k_path);
    const auto generation_at = [&](std::size_t offset) {
        detail::Meta meta;
        const auto page = std::as_bytes(std::span(bytes)).subspan(offset, detail::k_meta_size);
        if (detail::decode_meta(page, meta) != detail::MetaState::valid) {
            throw Broken("a closed file has a bad meta page");
        }
        return meta.generation;
    };
    const bool second_newer = generation_at(options_.page_size) > generation_at(0);
    const bool newest = random_.chance(1, 2);
    const std::uint64_t slot = (newest == second_newer) ? options_.page_size : 0;
    disk->flip_bit(k_path, slot + random_.below(detail::k_meta_size), static_cast<unsigned>(random_.below(8)));
    last_ = std::string("damage of the ") + (newest ? "newest" : "older") + " meta page";
    Random random(random_.next());
    recover_and_check(*disk, expected_, random);
    note(last_ + " survived");
    totals_.add(*disk);
}

/// Hits one place of a copy. Says what it did in `where`.
void CrashRun::damage(SimulatedDisk& disk, std::uint64_t sector, std::string& where) {
    const std::uint64_t page_size = options_.page_size;
    const std::string bytes = disk.content(k_path);
    const std::uint64_t page = sector / page_size * page_size;
    where = "damage";
    switch (random_.below(5)) {
        case 0: disk.flip_bit(k_path, sector + random_.below(512), static_cast<unsigned>(random_.below(8))); break;
        case 1: disk.zero(k_path, sector, 512); break;
        case 2: disk.scribble(k_path, sector, 512); break;
        case 3:
            where = "misdirected write";
            disk.misdirect(k_path, random_.below(bytes.size() / page_size) * page_size, page, page_size);
            break;
        default:
            // The page is what it was some time ago.
            where = "lost write";
            if (page + page_size <= earlier_.size()) {
                std::string stale = bytes;
                stale.replace(page, page_size, earlier_, page, page_size);
                disk.set_content(k_path, stale);
            }
    }
}

void CrashRun::rot_anything() {
    last_ = "rot";
    const std::unique_ptr<SimulatedDisk> disk = disk_->crashed_copy(random_.next());
    const std::uint64_t sector = random_.below(disk->content(k_path).size() / 512) * 512;
    std::string what;
    damage(*disk, sector, what);
    const std::string where = what + " at byte " + std::to_string(sector);
    last_ = where;
    Process process;
    process.vfs = disk->process();
    try {
        open(process);
        {
            const Snapshot now = process.db->begin_read();
            if (now.txn() != expected_.attempted()) {
                throw Broken(where + ": shown is txn " + std::to_string(now.txn()) + " of " +
                             std::to_string(expected_.attempted()));
            }
            compare(now, *expected_.states.back(), random_, where);
        }
        compare_past(*process.db, expected_, expected_.attempted(), random_);
        note(what + " that nobody reads");
    } catch (const Error& error) {
        if (error.code() != Errc::corrupt) {
            throw Broken(where + " is reported as " + to_string(error.code()) + ": " + error.what());
        }
        note(what + " that is reported");
    }
    process.drop();
    totals_.add(*disk);
}

}  // namespace northstar::hard
