// crash_recovery.cpp -- what the crash suite does with machines that come up again, and with damage at rest.
#include "hard/sim/crash_run.hpp"

#include "format/meta.hpp"

#include <algorithm>

namespace northstar::hard {

namespace {

constexpr const char* k_path = "/data/db";
constexpr std::size_t k_most_images = 40;

std::string bounds(const Expected& expected) {
    return ", but promised are " + std::to_string(expected.durable) + " (durable) and " +
           std::to_string(expected.visible) + " (visible) of " + std::to_string(expected.attempted());
}

}  // namespace

/// What a power loss at this call would leave.
void CrashRun::look(std::uint64_t call) {
    if (images_taken_ >= k_most_images || !random_.chance(1, 14)) return;
    ++images_taken_;
    const std::uint64_t seed = random_.next();
    images_.push_back({disk_->crashed_copy(seed), expected_, call, seed});
}

void CrashRun::check_images() {
    for (Image& image : images_) {
        const std::string before = last_;
        last_ += ", image of call " + std::to_string(image.call);
        ++totals_.images;
        Random random(image.seed);
        recover_and_check(*image.disk, image.expected, random);
        totals_.add(*image.disk);
        last_ = before;
    }
    images_.clear();
}

/// Opens a machine that crashed, crashing it again now and then, and compares everything.
void CrashRun::recover_and_check(SimulatedDisk& disk, Expected expected, Random& random) {
    disk.set_capacity(~std::uint64_t{0});
    if (random.chance(1, 8)) look_read_only(disk, expected, random);
    for (int attempt = random.chance(1, 2) ? 3 : 0;; --attempt) {
        Process process;
        process.vfs = disk.process();
        if (attempt > 0) {
            disk.crash_at(disk.calls() + random.between(1, 50),
                          random.chance(3, 4) ? CrashKind::power : CrashKind::kill);
        }
        try {
            open(process);
            ++totals_.recoveries;
            const Txn txn = settle(*process.db, expected, false);
            check_all(*process.db, expected, txn, random);
            commit_some(*process.db, expected, random);
            disk.clear_plans();
            process.db->close();
            process.drop();
            return;
        } catch (const Crash&) {
            note("crash during recovery");
            ++totals_.images;
            process.drop();
        } catch (...) {
            disk.clear_plans();
            process.drop();
            throw;
        }
    }
}

/// Whoever may not write shows one of the allowed states too.
void CrashRun::look_read_only(SimulatedDisk& disk, const Expected& expected, Random& random) {
    if (expected.durable == 0) return;  // the file may not be whole yet
    const std::string before = disk.content(k_path);
    const std::unique_ptr<SimulatedVfs> vfs = disk.process();
    Options options;
    options.read_only = true;
    options.background = false;
    Database db = detail::make_database(detail::DatabaseCore::open(k_path, options, vfs.get()));
    {
        const Snapshot now = db.begin_read();
        if (now.txn() < expected.durable || now.txn() > expected.attempted()) {
            throw Broken("read-only: shows txn " + std::to_string(now.txn()) + bounds(expected));
        }
        compare(now, *expected.states[now.txn()], random, "read-only");
        compare_log(db, expected, now.txn());
    }
    db.close();
    if (disk.content(k_path) != before) throw Broken("a read-only handle changed the file");
    note("read-only look at a crashed file");
}

/// A database was recovered: which transactions are there?
Txn CrashRun::settle(const Database& db, Expected& expected, bool lazy_promised) {
    const Snapshot now = db.begin_read();
    const Txn txn = now.txn();
    const Txn least = lazy_promised ? std::max(expected.visible, expected.durable) : expected.durable;
    if (txn < least || txn > expected.attempted()) {
        throw Broken("recovered is txn " + std::to_string(txn) + bounds(expected));
    }
    if (txn < expected.visible) note("lazy commits lost with the power");
    if (expected.attempted() > expected.visible) {
        note(txn == expected.attempted() ? "unacknowledged commits that were there"
                                         : "unacknowledged commits that were not there");
    }
    expected.settle(txn);
    expected.durable = txn;  // recovery flushes what it adopts
    return txn;
}

void CrashRun::check_all(const Database& db, const Expected& expected, Txn txn, Random& random) {
    {
        const Snapshot now = db.begin_read();
        compare(now, *expected.states[txn], random, "now");
    }
    compare_log(db, expected, txn);
    if (random.chance(1, 2)) {
        compare_past(db, expected, txn, random);
        note("past compared");
    }
    must_verify(db, "after recovery", [this](Errc code) { return allowed(code, false); });
    note("verified");
}

/// The next commits succeed, and read back.
void CrashRun::commit_some(Database& db, Expected& expected, Random& random) {
    const std::uint64_t count = random.between(1, 3);
    for (std::uint64_t i = 0; i < count; ++i) {
        ModelState next = *expected.states.back();
        const std::vector<ModelOperation> operations = make_operations(random, next);
        expected.states.push_back(std::make_shared<const ModelState>(std::move(next)));
        expected.chains.emplace_back();
        Transaction tx = db.begin_write();
        for (const ModelOperation& op : operations) apply_to(tx, op);
        const Commit commit = tx.commit();
        if (commit.txn == 0) {
            expected.settle(expected.attempted() - 1);
        } else {
            if (commit.txn != expected.attempted()) throw Broken("a commit after recovery has the wrong number");
            expected.visible = expected.durable = commit.txn;
        }
    }
    const Snapshot now = db.begin_read();
    compare(now, *expected.states.back(), random, "after recovery and commits");
}

// ---- damage at rest, of a file that was closed ----

/// One meta page may rot: the other one and its log give the same state. [DUR-10]
void CrashRun::rot_meta() {
    const std::unique_ptr<SimulatedDisk> disk = disk_->crashed_copy(random_.next());
    const std::string bytes = disk->content(k_path);
    const auto generation_at = [&](std::size_t offset) {
        detail::Meta meta;
        const auto page = std::as_bytes(std::span(bytes)).subspan(offset, detail::k_meta_size);
        if (detail::decode_meta(page, meta) != detail::MetaState::valid)
            throw Broken("a closed file has a bad meta page");
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
                throw Broken(where + ": shown is txn " + std::to_string(now.txn()) + bounds(expected_));
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

// ---- what is written ----

std::vector<ModelOperation> CrashRun::make_operations(Random& random, ModelState& state) {
    std::vector<ModelOperation> operations;
    const std::uint64_t count = random.chance(1, 8) ? random.between(20, 120) : random.between(1, 6);
    static constexpr const char* k_trees[] = {"alpha", "beta", "gamma"};
    for (std::uint64_t i = 0; i < count; ++i) {
        ModelOperation op;
        op.tree = k_trees[random.chance(1, 2) ? 0 : random.below(3)];
        op.key = key(random);
        const std::uint64_t what = random.below(40);
        if (what < 28) {
            op.value = value(random);
        } else if (what < 37) {
            op.kind = ModelOperation::Kind::erase;
        } else if (what < 39 || !drops_trees_) {
            op.kind = ModelOperation::Kind::erase_range;
            if (!random.chance(1, 6)) op.to = key(random);
        } else {
            op.kind = ModelOperation::Kind::drop_tree;
        }
        apply_to(state, op);
        operations.push_back(std::move(op));
    }
    return operations;
}

std::string CrashRun::key(Random& random) const {
    std::string text = "k" + std::to_string(1000 + random.below(key_count_));
    if (long_keys_) text.append(text.back() % 3 == 0 ? 700 : 60, text.back());
    return text;
}

ModelValue CrashRun::value(Random& random) const {
    std::size_t length = random.below(40);
    if (random.chance(1, 5)) length = random.between(100, 900);
    if (big_values_ && random.chance(1, 12)) length = random.between(2000, 30000);
    if (big_values_ && random.chance(1, 300)) length = random.between(100000, 400000);
    std::string bytes(length, '\0');
    random.fill(std::as_writable_bytes(std::span(bytes)));
    return std::make_shared<const std::string>(std::move(bytes));
}

}  // namespace northstar::hard
