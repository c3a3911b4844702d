// crash_recovery.cpp -- what the crash suite does with machines that come up again, and with damage at rest.
#include "hard/sim/crash_cartridges.hpp"
#include "hard/sim/crash_run.hpp"

#include <algorithm>
#include <array>
#include <string_view>

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
    const std::uint64_t chosen = random_.below(8);
    const Harm harm = chosen == 0 ? Harm::misdirected : chosen == 1 ? Harm::rot : Harm::none;
    images_.push_back({disk_->crashed_copy(seed, harm == Harm::misdirected), expected_, call, seed, harm});
}

void CrashRun::check_images() {
    for (Image& image : images_) {
        const std::string before = last_;
        last_ += ", image of call " + std::to_string(image.call);
        ++totals_.images;
        Random random(image.seed);
        if (image.harm == Harm::none) {
            recover_and_check(*image.disk, image.expected, random);
        } else {
            recover_harmed(image, random);
        }
        totals_.add(*image.disk);
        last_ = before;
    }
    images_.clear();
}

/// Opens a machine that crashed, crashing it again now and then, and compares everything.
void CrashRun::recover_and_check(SimulatedDisk& disk, Expected expected, Random& random) {
    disk.set_capacity(~std::uint64_t{0});
    if (random.chance(1, 8)) look_read_only(disk, expected, random);
    int in_a_row = 0;
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
            const Txn txn = settle(process, expected, false);
            check_all(disk, *process.db, expected, txn, random);
            commit_some(process, expected, random);
            disk.clear_plans();
            process.db->close();
            process.drop();
            return;
        } catch (const Crash&) {
            note("crash during recovery");
            if (++in_a_row == 3) note("three crashes in a row during recovery");
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
        // Also where a redaction is not finished, which only who may write finishes.
        compare_log(db, expected, now.txn(), random);
        if (db.statistics().redaction_pending != 0) note("read-only look at an unfinished redaction");
    }
    must_verify(db, "read-only", [this](Errc code) { return allowed(code, false); });
    db.close();
    if (disk.content(k_path) != before) throw Broken("a read-only handle changed the file");
    note("read-only look at a crashed file");
}

/// A database was recovered: which transactions are there?
Txn CrashRun::settle(const Process& process, Expected& expected, bool lazy_promised) {
    const Snapshot now = process.db->begin_read();
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
    expected.flushed(txn, log_end(process));  // recovery flushes what it adopts
    return txn;
}

void CrashRun::check_all(const SimulatedDisk& disk, Database& db, const Expected& expected, Txn txn,
                         Random& random) {
    {
        const Snapshot now = db.begin_read();
        compare(now, *expected.states[txn], random, "now");
    }
    compare_log(db, expected, txn, random);
    if (random.chance(1, 2)) {
        compare_past(db, expected, txn, random);
        note("past compared");
    }
    must_verify(db, "after recovery", [this](Errc code) { return allowed(code, false); });
    if (varied_) must_mirror(db, *expected.states[txn], "after recovery");
    note("verified");
    // Whoever opens first finishes what is left of redactions. [CHAIN-3]
    if (db.statistics().redaction_pending != 0) throw Broken("a redaction is not finished behind a recovery");
    must_be_gone(disk.content(k_path), expected.redactions);
}

/// No byte of the values is left in the file.
void CrashRun::must_be_gone(const std::string& bytes, const std::vector<ModelRedaction>& redactions) const {
    // Beginning, middle and end of each value, by their first bytes; short ones could be there by chance.
    constexpr std::size_t k_telling = 16;
    std::array<std::vector<std::pair<std::string_view, const ModelRedaction*>>, 256> parts;
    for (const ModelRedaction& redaction : redactions) {
        for (const ModelValue& value : redaction.values) {
            if (value->size() < k_telling) continue;
            const std::size_t last = value->size() - k_telling;
            for (const std::size_t at : {std::size_t{0}, last / 2, last}) {
                const std::string_view part = std::string_view(*value).substr(at, k_telling);
                parts[static_cast<unsigned char>(part[0])].emplace_back(part, &redaction);
            }
        }
    }
    for (std::size_t at = 0; at + k_telling <= bytes.size(); ++at) {
        for (const auto& [part, redaction] : parts[static_cast<unsigned char>(bytes[at])]) {
            if (bytes[at + 1] != part[1] || std::string_view(bytes).substr(at, k_telling) != part) continue;
            throw Broken("the value of " + shown(redaction->key) + " that txn " + std::to_string(redaction->by) +
                         " redacts is at byte " + std::to_string(at));
        }
    }
}

/// The next commits succeed, and read back.
void CrashRun::commit_some(Process& process, Expected& expected, Random& random) {
    Database& db = *process.db;
    const std::uint64_t count = random.between(1, 3);
    for (std::uint64_t i = 0; i < count; ++i) {
        ModelState next = *expected.states.back();
        const std::vector<ModelOperation> operations = make_operations(random, next);
        expected.attempt(std::move(next), operations);
        Transaction tx = db.begin_write();
        for (const ModelOperation& op : operations) apply_to(tx, op);
        const Commit commit = tx.commit();
        if (commit.txn == 0) {
            if (*expected.states.back() != *expected.states[expected.attempted() - 1]) {
                throw Broken("a transaction that wrote made no commit");
            }
            expected.settle(expected.attempted() - 1);
        } else {
            if (commit.txn != expected.attempted()) {
                throw Broken("a commit has number " + std::to_string(commit.txn) + " after recovery");
            }
            expected.committed(commit.txn, true, log_end(process));
        }
    }
    const Snapshot now = db.begin_read();
    compare(now, *expected.states.back(), random, "after recovery and commits");
}

}  // namespace northstar::hard
