// crash_suite.cpp -- whole databases on a simulated disk that crashes: what was promised is there, and nothing else.
//
// Each seed is one machine: a few processes open one database and write, read, sync, checkpoint, close and die. Power
// fails at calls chosen at random, also while a recovery is under way; and in between copies are taken of what a power
// loss at that call would leave. Every machine that comes up again is compared with a model, entry by entry.
//
//   crash_suite                     as many seeds as the tests run (HARD_SEEDS=n for another number)
//   crash_suite --seed N [--ops M]  one seed again, M operations of it
//   crash_suite --seeds A..B
//   crash_suite --shrink N          the fewest operations with which seed N fails
#include "hard/sim/crash_model.hpp"
#include "hard/sim/simulated_disk.hpp"

#include "api/northstar.hpp"
#include "base/random.hpp"
#include "txn/core.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace northstar::hard {

namespace {

using detail::Random;

constexpr const char* k_path = "/data/db";
constexpr std::uint64_t k_default_seeds = 110;
constexpr std::size_t k_most_images = 40;
constexpr unsigned k_default_operations = 70;

struct Totals {
    std::uint64_t images = 0;
    std::uint64_t recoveries = 0;
    std::uint64_t crashes_in_recovery = 0;
    std::uint64_t commits = 0;
    std::uint64_t verified = 0;
    std::uint64_t past_checked = 0;
    std::uint64_t lazy_lost = 0;
    std::uint64_t unknown_came_true = 0;
    std::uint64_t unknown_never_was = 0;
    std::map<std::string, std::uint64_t> classes;
    std::array<std::uint64_t, k_fault_kinds> faults{};

    void add(const SimulatedDisk& disk) {
        for (std::size_t i = 0; i < k_fault_kinds; ++i) faults[i] += disk.faults()[i];
    }
};

/// A process of the simulated machine and what it holds open.
struct Process {
    std::unique_ptr<SimulatedVfs> vfs;
    std::optional<Database> db;
    struct Held {
        Snapshot snapshot;
        StatePointer state;
    };
    std::vector<Held> held;

    void drop() {
        held.clear();
        if (db) {
            try {
                db->close();
            } catch (const Error&) {
                // The process is dead: its close fails like every other call.
            }
            db.reset();
        }
        vfs.reset();
    }
};

class Run {
public:
    Run(std::uint64_t seed, unsigned operations, Totals& totals)
        : random_(seed), seed_(seed), operations_(operations), totals_(totals) {
        choose();
        expected_.states.push_back(std::make_shared<const ModelState>());
        expected_.chains.emplace_back();
        disk_ = std::make_unique<SimulatedDisk>(seed, profile_);
        processes_.resize(random_.between(1, 3));
    }
    ~Run() {
        disk_->observe(nullptr);
        disk_->clear_plans();
        for (Process& process : processes_) process.drop();
    }
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;

    void run() {
        disk_->observe([this](std::uint64_t call, Call) { look(call); });
        for (unsigned i = 0; i < operations_; ++i) {
            last_ = "operation " + std::to_string(i);
            step();
            check_images();
        }
        disk_->observe(nullptr);
        disk_->clear_plans();
        end();
        totals_.add(*disk_);
    }
    const std::string& last() const { return last_; }

private:
    struct Image {
        std::unique_ptr<SimulatedDisk> disk;
        Expected expected;
        std::uint64_t call;
        std::uint64_t seed;
    };

    void choose() {
        profile_ = Profile::random(random_);
        if (random_.chance(1, 6)) {
            options_.log_align = 4096;
            profile_.garbage = true;
        }
        options_.page_size = random_.chance(1, 4) ? 8192 : 4096;
        options_.background = false;
        options_.history = random_.chance(1, 5) ? History::nothing() : History::everything();
        expected_.history = options_.history.kind == History::Kind::everything;
        key_count_ = random_.chance(1, 3) ? 400 : 60;
        long_keys_ = random_.chance(1, 4);
        big_values_ = random_.chance(1, 2);
        drops_trees_ = expected_.dropped = random_.chance(1, 6);
        faults_ = random_.chance(1, 2);
        crashes_ = random_.chance(3, 4);
    }

    // ---- images: what a power loss at this call would leave ----

    void look(std::uint64_t call) {
        if (images_taken_ >= k_most_images || !random_.chance(1, 14)) return;
        ++images_taken_;
        const std::uint64_t seed = random_.next();
        images_.push_back({disk_->crashed_copy(seed), expected_, call, seed});
    }

    void check_images() {
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
    void recover_and_check(SimulatedDisk& disk, Expected expected, Random& random) {
        disk.set_capacity(~std::uint64_t{0});
        if (random.chance(1, 8)) look_read_only(disk, expected, random);
        for (int attempt = random.chance(1, 2) ? 3 : 0;; --attempt) {
            Process process;
            process.vfs = disk.process();
            const bool crash = attempt > 0;
            if (crash) {
                disk.crash_at(disk.calls() + random.between(1, 50),
                              random.chance(3, 4) ? CrashKind::power : CrashKind::kill);
            }
            try {
                process.db.emplace(open(*process.vfs));
                ++totals_.recoveries;
                const Txn txn = settle(*process.db, expected, false);
                check_all(*process.db, expected, txn, random);
                commit_some(*process.db, expected, random);
                disk.clear_plans();
                process.db->close();
                process.drop();
                return;
            } catch (const Crash&) {
                ++totals_.crashes_in_recovery;
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
    void look_read_only(SimulatedDisk& disk, const Expected& expected, Random& random) {
        if (expected.durable == 0) return;  // the file may not be whole yet
        Process process;
        process.vfs = disk.process();
        Options options;
        options.read_only = true;
        options.background = false;
        const std::string before = disk.content(k_path);
        process.db.emplace(detail::make_database(detail::DatabaseCore::open(k_path, options, process.vfs.get())));
        const Snapshot now = process.db->begin_read();
        if (now.txn() < expected.durable || now.txn() > expected.attempted()) {
            throw Broken("read-only: shows txn " + std::to_string(now.txn()) + bounds(expected));
        }
        compare(now, *expected.states[now.txn()], random, "read-only");
        if (disk.content(k_path) != before) throw Broken("a read-only handle changed the file");
        ++totals_.classes["read-only look at a crashed file"];
    }

    static std::string bounds(const Expected& expected) {
        return ", but promised are " + std::to_string(expected.durable) + " (durable) and " +
               std::to_string(expected.visible) + " (visible) of " + std::to_string(expected.attempted());
    }

    /// A database was recovered: which transactions are there?
    Txn settle(const Database& db, Expected& expected, bool lazy_promised) {
        const Snapshot now = db.begin_read();
        const Txn txn = now.txn();
        const Txn least = lazy_promised ? std::max(expected.visible, expected.durable) : expected.durable;
        if (txn < least || txn > expected.attempted()) {
            throw Broken("recovered is txn " + std::to_string(txn) + bounds(expected));
        }
        if (txn < expected.visible) ++totals_.lazy_lost;
        if (expected.attempted() > expected.visible) {
            ++(txn == expected.attempted() ? totals_.unknown_came_true : totals_.unknown_never_was);
        }
        expected.settle(txn);
        expected.durable = txn;  // recovery flushes what it adopts
        return txn;
    }

    void check_all(const Database& db, const Expected& expected, Txn txn, Random& random) {
        {
            const Snapshot now = db.begin_read();
            compare(now, *expected.states[txn], random, "now");
        }
        if (random.chance(1, 2)) {
            compare_past(db, expected, txn, random);
            ++totals_.past_checked;
        }
        if (random.chance(1, 2)) {
            must_verify(db, "after recovery");
            ++totals_.verified;
        }
    }

    /// The next commits succeed, and read back.
    void commit_some(Database& db, Expected& expected, Random& random) {
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

    // ---- the machine itself ----

    Database open(SimulatedVfs& vfs) {
        return detail::make_database(detail::DatabaseCore::open(k_path, options_, &vfs));
    }

    std::vector<ModelOperation> make_operations(Random& random, ModelState& state) {
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

    std::string key(Random& random) const {
        std::string text = "k" + std::to_string(1000 + random.below(key_count_));
        if (long_keys_) text.append(text.back() % 3 == 0 ? 700 : 60, text.back());
        return text;
    }

    ModelValue value(Random& random) const {
        std::size_t length = random.below(40);
        if (random.chance(1, 5)) length = random.between(100, 900);
        if (big_values_ && random.chance(1, 12)) length = random.between(2000, 30000);
        std::string bytes(length, '\0');
        random.fill(std::as_writable_bytes(std::span(bytes)));
        return std::make_shared<const std::string>(std::move(bytes));
    }

    bool any_open() const {
        return std::any_of(processes_.begin(), processes_.end(), [](const Process& p) { return p.db.has_value(); });
    }

    /// One operation of one process, and what its failure means.
    void step() {
        Process& process = processes_[random_.below(processes_.size())];
        if (poisoned_ && !process.db && any_open()) return;
        fault_ = false;
        maybe_plan();
        try {
            if (!process.db) {
                start(process);
            } else {
                act(process);
            }
        } catch (const Crash&) {
            ++totals_.classes["crash"];
            crashed(crash_kind_);
        } catch (const Error& error) {
            if (error.code() == Errc::conflict) {
                ++totals_.classes["conflict"];
            } else {
                if (!fault_) throw Broken(std::string("no fault was planned, but: ") + error.what());
                failed(error);
            }
        }
        if (fault_) {
            disk_->clear_plans();
            if (capacity_) disk_->set_capacity(~std::uint64_t{0});
            capacity_ = false;
        }
    }

    void maybe_plan() {
        if (crashes_ && random_.chance(1, 7)) {
            crash_kind_ = random_.chance(1, 2) ? CrashKind::power : CrashKind::kill;
            disk_->crash_at(disk_->calls() + random_.between(1, 60), crash_kind_);
        }
        if (!faults_ || !random_.chance(1, 7)) return;
        fault_ = true;
        const std::uint64_t at = disk_->calls() + random_.between(1, 12);
        switch (random_.below(5)) {
            case 0: disk_->fail_at(at, Errc::io, random_.chance(1, 3), mask_of(Call::write)); break;
            case 1: disk_->fail_at(at, Errc::io, false, mask_of(Call::sync)); break;
            case 2:
                disk_->fail_at(at, Errc::io, random_.chance(1, 3), mask_of(Call::read) | mask_of(Call::size));
                break;
            case 3: disk_->short_read_at(at); break;
            default:
                disk_->set_capacity(disk_->used_bytes() + 4096 * random_.below(8));
                capacity_ = true;
        }
    }

    void start(Process& process) {
        const bool alone = !any_open();
        if (process.vfs == nullptr) process.vfs = disk_->process();
        process.db.emplace(open(*process.vfs));
        if (alone) {
            const Txn txn = settle(*process.db, expected_, lazy_kept_);
            lazy_kept_ = true;
            uncertain_ = false;
            poisoned_ = false;
            ++totals_.recoveries;
            check_all(*process.db, expected_, txn, random_);
        } else if (uncertain_) {
            resolve(process);
        }
    }

    /// Somebody died in the middle of a commit: whoever writes next finds out whether it is there.
    void resolve(Process& process) {
        Transaction tx = process.db->begin_write();
        const Txn txn = tx.base_txn();
        if (txn < expected_.visible || txn > expected_.attempted()) {
            throw Broken("another process finds txn " + std::to_string(txn) + bounds(expected_));
        }
        tx.rollback();
        if (txn > expected_.visible) {
            // What is in the log need not be visible yet.
            process.db->sync();
            expected_.durable = txn;
        }
        expected_.settle(txn);
        uncertain_ = false;
        ++totals_.classes["writer's death survived by another process"];
    }

    void act(Process& process) {
        Database& db = *process.db;
        if (poisoned_) {
            leave(process);
            return;
        }
        if (uncertain_) resolve(process);
        switch (random_.below(20)) {
            case 0:
                db.sync();
                expected_.durable = expected_.attempted();
                break;
            case 1:
                db.checkpoint();
                expected_.durable = expected_.attempted();
                ++totals_.classes["checkpoint"];
                break;
            case 2: look_at_snapshots(process); break;
            case 3: compare_past(db, expected_, expected_.attempted(), random_); break;
            case 4:
                if (random_.chance(1, 3)) leave(process);
                break;
            case 5:
                if (!fault_ && random_.chance(1, 3)) must_verify(db, "while running");
                break;
            case 6:
                if (crashes_ && random_.chance(1, 4)) {
                    process.vfs->kill();
                    crashed(CrashKind::kill);
                }
                break;
            default: write(process, random_.chance(1, 3)); break;
        }
    }

    void look_at_snapshots(Process& process) {
        for (const Process::Held& held : process.held) {
            compare(held.snapshot, *held.state, random_, "a snapshot held since");
        }
        if (process.held.size() > 2 || random_.chance(1, 4)) process.held.clear();
        Snapshot now = process.db->begin_read();
        const Txn txn = now.txn();
        if (txn != expected_.attempted()) {
            throw Broken("a new snapshot shows txn " + std::to_string(txn) + bounds(expected_));
        }
        compare(now, *expected_.states[txn], random_, "a new snapshot");
        process.held.push_back({std::move(now), expected_.states[txn]});
    }

    /// Closing makes everything durable, if it succeeds.
    void leave(Process& process) {
        process.held.clear();
        bool closed = false;
        try {
            process.db->close();
            closed = true;
        } catch (const Error& error) {
            if (!fault_ && !poisoned_) throw;
            if (error.code() == Errc::outcome_unknown) poisoned_ = true;
        }
        if (closed && !poisoned_) expected_.durable = expected_.attempted();
        process.db.reset();
        process.vfs.reset();
        if (poisoned_) lazy_kept_ = false;
    }

    void write(Process& process, bool lazy) {
        Database& db = *process.db;
        WriteOptions how;
        how.durability = lazy ? Durability::lazy : Durability::full;
        const bool optimistic = random_.chance(1, 3);
        Transaction tx = optimistic ? db.begin_optimistic(how) : db.begin_write(how);
        if (tx.base_txn() != expected_.attempted()) {
            throw Broken("a transaction begins on txn " + std::to_string(tx.base_txn()) + bounds(expected_));
        }
        ModelState next = *expected_.states.back();
        const std::vector<ModelOperation> operations = make_operations(random_, next);
        for (const ModelOperation& op : operations) apply_to(tx, op);
        if (random_.chance(1, 10)) {
            tx.rollback();
            return;
        }
        if (optimistic && random_.chance(1, 3)) {
            // Another writer comes between: a conflict, or the same operations on what it left.
            write(process, lazy);
            next = *expected_.states.back();
            for (const ModelOperation& op : operations) apply_to(next, op);
        }
        if (random_.chance(1, 4)) tx.annotate("who", "process");
        const Txn before = expected_.attempted();
        expected_.states.push_back(std::make_shared<const ModelState>(std::move(next)));
        expected_.chains.emplace_back();
        Commit commit;
        try {
            commit = tx.commit();
        } catch (const Error& error) {
            // Anything but "unknown" promises that nothing happened.
            if (error.code() != Errc::outcome_unknown) expected_.settle(before);
            throw;
        }
        if (commit.txn == 0) {
            expected_.settle(before);
            return;
        }
        if (commit.txn != before + 1) throw Broken("a commit has number " + std::to_string(commit.txn));
        expected_.visible = commit.txn;
        if (!lazy) expected_.durable = commit.txn;
        ++totals_.commits;
        if (random_.chance(1, 10)) expected_.chains[commit.txn] = commit.hash();
    }

    /// Some process is dead, or all are.
    void crashed(CrashKind kind) {
        for (Process& process : processes_) {
            if (process.vfs != nullptr && !process.vfs->alive()) process.drop();
        }
        if (kind == CrashKind::power) lazy_kept_ = false;
        if (any_open()) {
            uncertain_ = uncertain_ || expected_.attempted() > expected_.visible;
        } else {
            ++totals_.images;
            poisoned_ = false;
        }
    }

    void failed(const Error& error) {
        ++totals_.classes[std::string("failure: ") + to_string(error.code())];
        if (error.code() == Errc::outcome_unknown || error.code() == Errc::poisoned) {
            poisoned_ = true;
            lazy_kept_ = false;
            ++totals_.classes["poisoned"];
        }
        // A process that could not be opened is nobody.
        for (Process& process : processes_) {
            if (process.vfs != nullptr && !process.db) process.drop();
        }
        if (poisoned_) {
            disk_->clear_plans();
            disk_->set_capacity(~std::uint64_t{0});
            for (Process& process : processes_) {
                if (process.db) expect_poisoned(process);
            }
            for (Process& process : processes_) process.drop();
            if (random_.chance(1, 2)) {
                disk_->power_crash();
                ++totals_.images;
            } else if (random_.chance(1, 2)) {
                disk_->evict();
            }
        }
    }

    void expect_poisoned(Process& process) {
        try {
            Transaction tx = process.db->begin_write();
        } catch (const Error& error) {
            if (error.code() == Errc::poisoned) return;
            throw Broken(std::string("after a failed flush a writer gets: ") + error.what());
        }
        throw Broken("after a failed flush a process still writes");
    }

    /// Everybody closes; the next opener finds everything; rot at rest never gives a wrong answer.
    void end() {
        fault_ = false;
        if (crashes_ && random_.chance(1, 3)) {
            disk_->power_crash();
            crashed(CrashKind::power);
        }
        if (poisoned_) {
            for (Process& process : processes_) process.drop();
        }
        if (!any_open()) start(processes_[0]);
        for (Process& process : processes_) {
            if (!process.db) continue;
            if (uncertain_) resolve(process);
            look_at_snapshots(process);
        }
        for (Process& process : processes_) {
            if (process.db) leave(process);
        }
        expected_.durable = expected_.attempted();
        for (int i = 0; i < 3; ++i) rot();
        ++totals_.images;
        last_ = "the end";
        Random random(random_.next());
        recover_and_check(*disk_, expected_, random);
    }

    void rot() {
        last_ = "rot";
        const std::unique_ptr<SimulatedDisk> disk = disk_->crashed_copy(random_.next());
        const std::string bytes = disk->content(k_path);
        const std::uint64_t sector = random_.below(bytes.size() / 512) * 512;
        switch (random_.below(3)) {
            case 0: disk->flip_bit(k_path, sector + random_.below(512), static_cast<unsigned>(random_.below(8))); break;
            case 1: disk->zero(k_path, sector, 512); break;
            default: disk->scribble(k_path, sector, 512);
        }
        const std::string where = "damage at byte " + std::to_string(sector);
        Process process;
        process.vfs = disk->process();
        try {
            process.db.emplace(open(*process.vfs));
            {
                const Snapshot now = process.db->begin_read();
                if (now.txn() != expected_.attempted()) {
                    throw Broken(where + ": shown is txn " + std::to_string(now.txn()) + bounds(expected_));
                }
                compare(now, *expected_.states.back(), random_, where);
            }
            compare_past(*process.db, expected_, expected_.attempted(), random_);
            ++totals_.classes["damage that nobody reads"];
        } catch (const Error&) {
            ++totals_.classes["damage that is reported"];
        }
        process.drop();
        totals_.add(*disk);
    }

    Random random_;
    const std::uint64_t seed_;
    const unsigned operations_;
    Totals& totals_;
    Profile profile_;
    Options options_;
    std::uint64_t key_count_ = 60;
    bool long_keys_ = false;
    bool big_values_ = false;
    bool drops_trees_ = false;
    bool faults_ = false;
    bool crashes_ = false;
    std::unique_ptr<SimulatedDisk> disk_;
    std::vector<Process> processes_;
    Expected expected_;
    std::vector<Image> images_;
    std::size_t images_taken_ = 0;
    CrashKind crash_kind_ = CrashKind::power;
    bool fault_ = false;
    bool capacity_ = false;
    bool poisoned_ = false;
    bool uncertain_ = false;   ///< a process died in a commit and others live
    bool lazy_kept_ = true;    ///< no power was lost since the last recovery
    std::string last_;
};

/// True: the seed passed.
bool try_seed(std::uint64_t seed, unsigned operations, Totals& totals, std::string& failure) {
    Run run(seed, operations, totals);
    try {
        run.run();
        return true;
    } catch (const Broken& broken) {
        failure = run.last() + ": " + broken.what();
    } catch (const Error& error) {
        failure = run.last() + ": unexpected error " + to_string(error.code()) + ": " + error.what();
    } catch (const Crash& crash) {
        failure = run.last() + ": the crash at call " + std::to_string(crash.call) + " was not expected";
    }
    return false;
}

int shrink(std::uint64_t seed) {
    for (unsigned operations = 0; operations <= k_default_operations; ++operations) {
        Totals totals;
        std::string failure;
        if (try_seed(seed, operations, totals, failure)) continue;
        std::printf("seed %llu fails with %u operations: %s\nreplay: crash_suite --seed %llu --ops %u\n",
                    static_cast<unsigned long long>(seed), operations, failure.c_str(),
                    static_cast<unsigned long long>(seed), operations);
        return 1;
    }
    std::printf("seed %llu does not fail\n", static_cast<unsigned long long>(seed));
    return 0;
}

void print_report(const Totals& totals) {
    const auto number = [](std::uint64_t n) { return static_cast<unsigned long long>(n); };
    for (std::size_t i = 0; i < k_fault_kinds; ++i) {
        std::printf("  %-44s %llu\n", name_of(static_cast<Fault>(i)), number(totals.faults[i]));
    }
    for (const auto& [name, count] : totals.classes) std::printf("  %-44s %llu\n", name.c_str(), number(count));
    std::printf("  %-44s %llu\n  %-44s %llu\n  %-44s %llu\n  %-44s %llu\n  %-44s %llu\n  %-44s %llu\n",
                "crashes during recovery", number(totals.crashes_in_recovery), "verified", number(totals.verified),
                "past compared", number(totals.past_checked), "lazy commits lost with the power",
                number(totals.lazy_lost), "unacknowledged commits that were there", number(totals.unknown_came_true),
                "unacknowledged commits that were not", number(totals.unknown_never_was));
}

/// Classes of faults that a whole run must have seen.
bool all_fired(const Totals& totals) {
    bool fired = true;
    const auto must = [&](const char* name, std::uint64_t count) {
        if (count != 0) return;
        std::printf("never happened: %s\n", name);
        fired = false;
    };
    for (std::size_t i = 0; i < k_fault_kinds; ++i) {
        const auto fault = static_cast<Fault>(i);
        // Only machines that lie lose or misdirect flushed sectors; nothing is promised on them.
        if (fault == Fault::misdirected || fault == Fault::lost_write) continue;
        must(name_of(fault), totals.faults[i]);
    }
    for (const char* name : {"checkpoint", "crash", "poisoned", "failure: io", "failure: no_space",
                             "failure: outcome_unknown", "damage that is reported", "read-only look at a crashed file",
                             "writer's death survived by another process"}) {
        const auto found = totals.classes.find(name);
        must(name, found == totals.classes.end() ? 0 : found->second);
    }
    must("crashes during recovery", totals.crashes_in_recovery);
    must("lazy commits lost with the power", totals.lazy_lost);
    must("unacknowledged commits that were there", totals.unknown_came_true);
    must("unacknowledged commits that were not", totals.unknown_never_was);
    return fired;
}

int run_seeds(std::uint64_t first, std::uint64_t last, unsigned operations, bool whole) {
    Totals totals;
    int failures = 0;
    for (std::uint64_t seed = first; seed <= last && failures < 5; ++seed) {
        std::string failure;
        if (try_seed(seed, operations, totals, failure)) continue;
        ++failures;
        std::printf("seed %llu FAILED at %s\nreplay: crash_suite --seed %llu --ops %u\n",
                    static_cast<unsigned long long>(seed), failure.c_str(), static_cast<unsigned long long>(seed),
                    operations);
        std::fflush(stdout);
    }
    print_report(totals);
    const bool fired = !whole || all_fired(totals);
    std::printf("%llu crash images, %llu recoveries, %llu commits from seeds %llu..%llu: %s\n",
                static_cast<unsigned long long>(totals.images), static_cast<unsigned long long>(totals.recoveries),
                static_cast<unsigned long long>(totals.commits), static_cast<unsigned long long>(first),
                static_cast<unsigned long long>(last), failures == 0 && fired ? "all as promised" : "FAILED");
    return failures == 0 && fired ? 0 : 1;
}

int suite_main(int argc, char** argv) {
    std::uint64_t seeds = k_default_seeds;
    if (const char* text = std::getenv("HARD_SEEDS")) seeds = std::strtoull(text, nullptr, 10);
    std::uint64_t first = 1;
    std::uint64_t last = seeds;
    unsigned operations = k_default_operations;
    bool whole = seeds >= k_default_seeds;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string name = argv[i];
        char* rest = nullptr;
        const std::uint64_t value = std::strtoull(argv[i + 1], &rest, 10);
        if (name == "--shrink") return shrink(value);
        if (name == "--ops") {
            operations = static_cast<unsigned>(value);
        } else if (name == "--seed") {
            first = last = value;
        } else if (name == "--seeds") {
            first = value;
            last = std::strncmp(rest, "..", 2) == 0 ? std::strtoull(rest + 2, nullptr, 10) : value;
        } else {
            std::fprintf(stderr, "usage: crash_suite [--seed N | --seeds A..B | --shrink N] [--ops M]\n");
            return 2;
        }
        whole = false;
    }
    return run_seeds(first, last, operations, whole);
}

}  // namespace

}  // namespace northstar::hard

int main(int argc, char** argv) { return northstar::hard::suite_main(argc, argv); }
