#include "hard/sim/crash_run.hpp"

#include "txn/processes.hpp"

#include <algorithm>

namespace northstar::hard {

namespace {

constexpr const char* k_path = "/data/db";
constexpr unsigned k_sleep = 15;
constexpr std::uint64_t k_far_behind = 3;

const char* name_of_lock(std::uint64_t byte) {
    using detail::Processes;
    switch (byte) {
        case Processes::gate: return "gate";
        case Processes::open: return "open";
        case Processes::write: return "write";
        case Processes::checkpoint: return "checkpoint";
        case Processes::flush: return "flush";
        default: return "pin";
    }
}

}  // namespace

std::vector<std::string> crash_classes() {
    return {"checkpoint",
            "compaction",
            "conflict",
            "crash",
            "crash during recovery",
            "damage of the newest meta page survived",
            "damage of the older meta page survived",
            "damage that is reported",
            "damage that nobody reads",
            "lost write that is reported",
            "misdirected write that is reported",
            "died holding the checkpoint lock",
            "died holding the flush lock",
            "died holding the gate lock",
            "died holding the open lock",
            "died holding the pin lock",
            "died holding the write lock",
            "fault met: flush error",
            "fault met: full disk",
            "fault met: read error",
            "fault met: write error",
            "lazy commits lost with the power",
            "past compared",
            "poisoned",
            "pruned",
            "pruned in several steps",
            "retention of one tree set",
            "read-only look at a crashed file",
            "unacknowledged commits that were not there",
            "unacknowledged commits that were there",
            "verified",
            "woke up behind several checkpoints",
            "writer's death survived by another process",
            "wrote again after a full disk"};
}

void CrashRun::Process::drop() {
    held.clear();
    if (db) {
        try {
            db->close();
        } catch (const Error&) {
            // The process is dead: its close fails like every other call.
        }
        db.reset();
    }
    core.reset();
    vfs.reset();
    asleep_until = 0;
    slept = false;
}

CrashRun::CrashRun(std::uint64_t seed, unsigned operations, Totals& totals)
    : random_(seed), operations_(operations), totals_(totals) {
    choose();
    expected_.states.push_back(std::make_shared<const ModelState>());
    expected_.chains.emplace_back();
    disk_ = std::make_unique<SimulatedDisk>(seed, profile_);
    processes_.resize(random_.between(1, 3));
}

CrashRun::~CrashRun() {
    disk_->observe(nullptr);
    disk_->clear_plans();
    for (Process& process : processes_) process.drop();
}

void CrashRun::run() {
    disk_->observe([this](std::uint64_t call, Call) { look(call); });
    for (unsigned i = 0; i < operations_; ++i) {
        last_ = "operation " + std::to_string(i);
        step(i);
        check_images();
        if (i == operations_ / 2 && disk_->has_file(k_path)) earlier_ = disk_->content(k_path);
    }
    disk_->observe(nullptr);
    disk_->clear_plans();
    end();
    totals_.add(*disk_);
}

void CrashRun::choose() {
    profile_ = Profile::random(random_);
    if (random_.chance(1, 6)) {
        options_.log_align = 4096;
        profile_.garbage = true;
    }
    options_.page_size = random_.chance(1, 4) ? 8192 : 4096;
    options_.background = false;
    options_.history = random_.chance(1, 4) ? History::nothing() : History::everything();
    expected_.history = options_.history.kind == History::Kind::everything;
    if (random_.chance(1, 3)) options_.overlay_limit = 256u << 10;  // the writer makes checkpoints
    key_count_ = random_.chance(1, 3) ? 400 : 60;
    long_keys_ = random_.chance(1, 4);
    big_values_ = random_.chance(1, 2);
    drops_trees_ = expected_.dropped = random_.chance(1, 6);
    faults_ = random_.chance(1, 2);
    crashes_ = random_.chance(3, 4);
    small_steps_ = random_.chance(3, 4);
}

bool CrashRun::any_open() const {
    return std::any_of(processes_.begin(), processes_.end(), [](const Process& p) { return p.db.has_value(); });
}

/// One operation of one process, and what its failure means.
void CrashRun::step(unsigned number) {
    Process& process = processes_[random_.below(processes_.size())];
    if (number < process.asleep_until) return;
    if (poisoned_ && !process.db && any_open()) return;
    plan_ = Plan::none;
    plan_faults();
    const bool opening = !process.db;
    try {
        if (opening) {
            start(process);
        } else {
            act(process, number);
        }
    } catch (const Crash&) {
        note("crash");
        crashed(crash_kind_);
    } catch (const Error& error) {
        met_error(process, error, opening);
    }
    const bool faulty = plan_ != Plan::none;
    clear_faults();
    // Where the checkpoint behind the replay of a large transaction failed, it is made again, or nobody else can write.
    if (faulty && process.db && !poisoned_ && process.core->holds_early()) process.db->checkpoint();
}

/// What is done about an error meets conflicts and crashes as well.
void CrashRun::met_error(Process& process, const Error& error, bool opening) {
    if (error.code() == Errc::conflict) {
        note("conflict");
        return;
    }
    try {
        failed(process, error, opening);
    } catch (const Crash&) {
        note("crash");
        crashed(crash_kind_);
    } catch (const Error& next) {
        if (next.code() != Errc::conflict) throw;
        note("conflict");
    }
}

void CrashRun::plan_faults() {
    if (crashes_ && random_.chance(1, 7)) {
        crash_kind_ = random_.chance(1, 2) ? CrashKind::power : CrashKind::kill;
        disk_->crash_at(disk_->calls() + random_.between(1, 60), crash_kind_);
    }
    if (!faults_ || !random_.chance(1, 5)) return;
    const std::uint64_t at = disk_->calls() + random_.between(1, 12);
    switch (random_.below(5)) {
        case 0:
            plan_ = Plan::write_error;
            disk_->fail_at(at, Errc::io, random_.chance(1, 3), mask_of(Call::write));
            break;
        case 1:
            plan_ = Plan::flush_error;
            disk_->fail_at(at, Errc::io, false, mask_of(Call::sync));
            break;
        case 2:
            plan_ = Plan::read_error;
            disk_->fail_at(at, Errc::io, random_.chance(1, 3), mask_of(Call::read) | mask_of(Call::size));
            break;
        case 3:
            plan_ = Plan::short_read;
            disk_->short_read_at(at);
            break;
        default:
            plan_ = Plan::full_disk;
            disk_->set_capacity(disk_->used_bytes() + 4096 * random_.below(8));
    }
}

void CrashRun::clear_faults() {
    disk_->clear_plans();
    if (plan_ == Plan::full_disk) disk_->set_capacity(~std::uint64_t{0});
    plan_ = Plan::none;
}

/// What the operation under way may report, by the fault that was planned for it.
bool CrashRun::allowed(Errc code, bool opening) const {
    switch (plan_) {
        case Plan::none: return false;
        case Plan::write_error: return code == Errc::io || code == Errc::outcome_unknown || code == Errc::poisoned;
        case Plan::flush_error:
            return code == Errc::outcome_unknown || code == Errc::poisoned || (opening && code == Errc::io);
        case Plan::read_error: return code == Errc::io || code == Errc::outcome_unknown;
        // To the kernel it is a file that somebody cuts.
        case Plan::short_read:
            return code == Errc::truncated || code == Errc::corrupt || code == Errc::io ||
                   (opening && code == Errc::not_a_database);
        case Plan::full_disk: return code == Errc::no_space;
    }
    return false;
}

void CrashRun::open(Process& process) {
    process.core = detail::DatabaseCore::open(k_path, options_, process.vfs.get());
    // Small steps, so that a move of the horizon takes several, and some crash lies between any two.
    if (small_steps_) {
        process.core->set_move_budget({1024, 8192});
        process.core->set_merge_budget({1024, 8192});
    }
    process.db.emplace(detail::make_database(process.core));
}

void CrashRun::start(Process& process) {
    const bool alone = !any_open();
    if (process.vfs == nullptr) process.vfs = disk_->process();
    open(process);
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

/// Whether the last commit is there is not known: whoever writes next finds out.
void CrashRun::resolve(Process& process) {
    Transaction tx = process.db->begin_write();
    const Txn txn = tx.base_txn();
    if (txn < expected_.visible || txn > expected_.attempted()) {
        throw Broken("another process finds txn " + std::to_string(txn));
    }
    tx.rollback();
    if (txn > expected_.visible) {
        // What is in the log need not be visible yet.
        process.db->sync();
        expected_.durable = txn;
    }
    expected_.settle(txn);
    uncertain_ = false;
    note("writer's death survived by another process");
}

void CrashRun::act(Process& process, unsigned number) {
    Database& db = *process.db;
    if (poisoned_) {
        leave(process);
        return;
    }
    if (process.slept) {
        process.slept = false;
        const std::uint64_t newest = process.core->processes().load(detail::Word::generation);
        if (newest >= process.core->newest_meta().generation + k_far_behind) note("woke up behind several checkpoints");
        for (const Process::Held& held : process.held) {
            compare(held.snapshot, *held.state, random_, "a snapshot held while asleep");
        }
    }
    if (uncertain_) resolve(process);
    switch (random_.below(28)) {
        case 0:
            db.sync();
            expected_.durable = expected_.attempted();
            break;
        case 1:
        case 2:
            db.checkpoint();
            expected_.durable = expected_.attempted();
            note("checkpoint");
            break;
        case 3:
            if (!random_.chance(1, 3)) break;
            db.compact();
            expected_.durable = expected_.attempted();
            note("compaction");
            break;
        case 4:
        case 5: look_at_snapshots(process); break;
        case 6: compare_past(db, expected_, expected_.attempted(), random_); break;
        case 7:
            if (random_.chance(1, 3)) leave(process);
            break;
        case 8:
            if (!random_.chance(1, 3)) break;
            must_verify(db, "while running", [this](Errc code) { return allowed(code, false); });
            expected_.durable = expected_.attempted();
            break;
        case 9:
            if (crashes_ && random_.chance(1, 4)) {
                process.vfs->kill();
                crashed(CrashKind::kill);
            }
            break;
        case 10:
            if (processes_.size() < 2 || !random_.chance(1, 2)) break;
            process.asleep_until = number + k_sleep;
            process.slept = true;
            break;
        case 11:
        case 12:
        case 13: prune(process); break;
        case 14: keep_less(process); break;
        default: write(process, random_.chance(1, 3)); break;
    }
}

/// Forgets what lies before one of the last states: a commit like others, and the checkpoints that carry it out.
void CrashRun::prune(Process& process) {
    const Txn before = expected_.attempted();
    if (!expected_.history || before < 4) return;
    const Txn to = before - random_.below(std::min<Txn>(before, 10));
    expected_.states.push_back(expected_.states.back());
    expected_.chains.emplace_back();
    expected_.lost = std::max(expected_.lost, to);
    const std::uint64_t generation = process.core->processes().load(detail::Word::generation);
    Txn oldest = 0;
    try {
        oldest = process.db->prune(AsOf::txn(to));
    } catch (const Error& error) {
        // The commit itself stands where only what followed it failed.
        if (error.code() != Errc::outcome_unknown && error.code() != Errc::poisoned) {
            if (process.core->processes().load(detail::Word::visible_txn) == before) {
                expected_.settle(before);
            } else {
                expected_.visible = expected_.durable = before + 1;
            }
        }
        throw;
    }
    if (process.core->processes().load(detail::Word::visible_txn) == before) {
        if (oldest < to) throw Broken("nothing was pruned although txn " + std::to_string(oldest) + " can be read");
        expected_.settle(before);
        return;
    }
    if (oldest != to) throw Broken("the oldest txn is " + std::to_string(oldest) + ", not " + std::to_string(to));
    expected_.visible = expected_.durable = before + 1;
    expected_.pruned = std::max(expected_.pruned, to);
    note("pruned");
    // One checkpoint moves the horizon, three let go of what it left.
    if (process.core->processes().load(detail::Word::generation) > generation + 4) note("pruned in several steps");
}

/// One tree keeps only the last few states from now on.
void CrashRun::keep_less(Process& process) {
    if (!expected_.history) return;
    const Txn before = expected_.attempted();
    ModelState next = *expected_.states.back();
    next["gamma"];
    Transaction tx = process.db->begin_write();
    const std::uint64_t kept = random_.between(1, 4);
    tx.set_history("gamma", History::last(kept));
    expected_.kept = std::min(expected_.kept, kept);
    expected_.states.push_back(std::make_shared<const ModelState>(std::move(next)));
    expected_.chains.emplace_back();
    try {
        tx.commit();
    } catch (const Error& error) {
        if (error.code() != Errc::outcome_unknown) expected_.settle(before);
        throw;
    }
    expected_.visible = expected_.durable = before + 1;
    note("retention of one tree set");
}

void CrashRun::look_at_snapshots(Process& process) {
    for (const Process::Held& held : process.held) {
        compare(held.snapshot, *held.state, random_, "a snapshot held since");
    }
    if (process.held.size() > 2 || random_.chance(1, 4)) process.held.clear();
    Snapshot now = process.db->begin_read();
    const Txn txn = now.txn();
    if (txn != expected_.attempted()) {
        throw Broken("a new snapshot shows txn " + std::to_string(txn) + " of " +
                     std::to_string(expected_.attempted()));
    }
    compare(now, *expected_.states[txn], random_, "a new snapshot");
    process.held.push_back({std::move(now), expected_.states[txn]});
}

/// Closing makes everything durable, if it succeeds.
void CrashRun::leave(Process& process) {
    process.held.clear();
    bool closed = false;
    try {
        process.db->close();
        closed = true;
    } catch (const Error& error) {
        const bool of_poison = poisoned_ && (error.code() == Errc::poisoned || error.code() == Errc::outcome_unknown);
        if (!of_poison && !allowed(error.code(), false)) throw;
        if (error.code() == Errc::outcome_unknown || error.code() == Errc::poisoned) poisoned_ = true;
    }
    if (closed && !poisoned_) expected_.durable = expected_.attempted();
    process.db.reset();
    process.core.reset();
    process.vfs.reset();
    if (poisoned_) lazy_kept_ = false;
}

void CrashRun::write(Process& process, bool lazy) {
    Database& db = *process.db;
    WriteOptions how;
    how.durability = lazy ? Durability::lazy : Durability::full;
    // With little memory it would take the writer's turn half-way.
    const bool optimistic = random_.chance(1, 3) && options_.overlay_limit == 0;
    Transaction tx = optimistic ? db.begin_optimistic(how) : db.begin_write(how);
    if (tx.base_txn() != expected_.attempted()) {
        throw Broken("a transaction begins on txn " + std::to_string(tx.base_txn()) + " of " +
                     std::to_string(expected_.attempted()));
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
void CrashRun::crashed(CrashKind kind) {
    if (kind == CrashKind::kill) {
        for (const std::uint64_t byte : disk_->last_dropped_locks()) {
            note(std::string("died holding the ") + name_of_lock(byte) + " lock");
        }
    }
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

void CrashRun::failed(Process& process, const Error& error, bool opening) {
    static constexpr const char* k_plans[] = {"none", "write error", "flush error", "read error", "short read",
                                              "full disk"};
    const std::string plan = k_plans[static_cast<std::size_t>(plan_)];
    if (!allowed(error.code(), opening)) {
        throw Broken("planned was " + plan + ", but: " + to_string(error.code()) + ": " + error.what());
    }
    note("fault met: " + plan);
    note("reported after a " + plan + ": " + to_string(error.code()));
    if (plan_ == Plan::full_disk && !opening) {
        // Reads go on while the disk is full, writing goes on when there is room again. [DUR-9]
        look_at_snapshots(process);
        clear_faults();
        write(process, false);
        note("wrote again after a full disk");
        return;
    }
    clear_faults();
    const bool poison = std::any_of(processes_.begin(), processes_.end(),
                                    [](const Process& p) { return p.db && p.core->poisoned(); });
    // A process that could not be opened is nobody.
    for (Process& p : processes_) {
        if (p.vfs != nullptr && !p.db) p.drop();
    }
    if (!poison) {
        uncertain_ = uncertain_ || expected_.attempted() > expected_.visible;
        return;
    }
    note("poisoned");
    poisoned_ = true;
    lazy_kept_ = false;
    for (Process& p : processes_) {
        if (p.db) expect_poisoned(p);
    }
    for (Process& p : processes_) p.drop();
    if (random_.chance(1, 2)) {
        disk_->power_crash();
        ++totals_.images;
    } else if (random_.chance(1, 2)) {
        disk_->evict();
    }
}

void CrashRun::expect_poisoned(Process& process) {
    try {
        Transaction tx = process.db->begin_write();
    } catch (const Error& error) {
        if (error.code() == Errc::poisoned) return;
        throw Broken(std::string("after a failed flush a writer gets: ") + error.what());
    }
    throw Broken("after a failed flush a process still writes");
}

/// Everybody closes; the next opener finds everything; damage at rest never gives a wrong answer.
void CrashRun::end() {
    last_ = "the end";
    plan_ = Plan::none;
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
    for (int i = 0; i < 4; ++i) rot_anything();
    rot_meta();
    ++totals_.images;
    last_ = "the end";
    Random random(random_.next());
    recover_and_check(*disk_, expected_, random);
}

}  // namespace northstar::hard
