#include "hard/sim/crash_cartridges.hpp"
#include "hard/sim/crash_run.hpp"

#include "txn/processes.hpp"

#include <algorithm>

namespace northstar::hard {

namespace {

constexpr const char* k_path = "/data/db";

const char* name_of_lock(std::uint64_t byte) {
    using detail::Processes;
    switch (byte) {
        case Processes::gate: return "gate";
        case Processes::open: return "open";
        case Processes::write: return "write";
        case Processes::checkpoint: return "checkpoint";
        case Processes::flush: return "flush";
        case Processes::redact: return "redact";
        default: return "pin";
    }
}

}  // namespace

std::vector<std::string> crash_classes() {
    return {"checkpoint",
            "compaction",
            "commits followed",
            "conflict",
            "conflict of a long transaction",
            "copied",
            "copied without its past",
            "crash",
            "crash during recovery",
            "damage of the newest meta page survived",
            "damage of the older meta page survived",
            "damage that is reported",
            "damage that nobody reads",
            "default retention set",
            "lost write that is reported",
            "misdirected write that is reported",
            "long transaction committed upon a newer state",
            "mirror built",
            "mirror of an earlier state built",
            "mirror of the past compared",
            "mirror upon changes compared",
            "died holding the checkpoint lock",
            "died holding the flush lock",
            "died holding the gate lock",
            "died holding the open lock",
            "died holding the pin lock",
            "died holding the redact lock",
            "died holding the write lock",
            "fault met: any call",
            "fault met: flush error",
            "fault met: full disk",
            "fault met: no room",
            "fault met: read error",
            "fault met: short read",
            "fault met: write error",
            "feed resumed at a consumer's position",
            "harm in a crash: misdirected write not seen",
            "harm in a crash: misdirected write reported",
            "harm in a crash: rot ended the log early",
            "harm in a crash: rot not seen",
            "harm in a crash: rot reported",
            "lazy commits lost with the power",
            "past compared",
            "read by one that may only read",
            "poisoned",
            "position of a consumer kept",
            "pruned",
            "pruned in several steps",
            "retention of one tree set",
            "read-only look at a crashed file",
            "redacted",
            "redaction finished by another process",
            "redaction that waits for snapshots",
            "redactions restated by a copy",
            "replayed",
            "restored",
            "sectors of 4096 bytes",
            "sectors of 512 bytes",
            "snapshot of the past held",
            "three crashes in a row during recovery",
            "transaction moved to a newer state",
            "transaction that asks first committed",
            "unacknowledged commits that were not there",
            "unacknowledged commits that were there",
            "verified",
            "woke up behind several checkpoints",
            "writer's death survived by another process",
            "wrote again after a full disk"};
}

void CrashRun::Process::let_go() {
    begun.reset();
    held.clear();
    followed.reset();
    mirrored.clear();
    cartridges.reset();
}

void CrashRun::Process::drop() {
    let_go();
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

CrashRun::CrashRun(std::uint64_t seed, const std::vector<unsigned>& steps, Totals& totals)
    : random_(seed), seed_(seed), steps_(steps), totals_(totals) {
    register_mirror();
    choose();
    note(profile_.sector == 512 ? "sectors of 512 bytes" : "sectors of 4096 bytes");
    expected_.attempt({});
    disk_ = std::make_unique<SimulatedDisk>(seed, profile_);
    processes_.resize(random_.between(1, 3));
    if (varied_ && processes_.size() > 1) processes_.back().reads_only = random_.chance(1, 2);
    told_.push_back(description());
}

CrashRun::~CrashRun() {
    disk_->observe(nullptr);
    disk_->clear_plans();
    for (Process& process : processes_) {
        if (process.vfs != nullptr) process.vfs->kill();  // behind a failure it may not work any more
        process.drop();
    }
}

void CrashRun::run() {
    disk_->observe([this](std::uint64_t call, Call) { look(call); });
    for (std::size_t i = 0; i < steps_.size(); ++i) {
        last_ = "step " + std::to_string(steps_[i]);
        begin_chance(steps_[i]);
        step(steps_[i]);
        check_images();
        told_.push_back(last_);
        if (i == steps_.size() / 2 && disk_->has_file(k_path)) earlier_ = disk_->content(k_path);
    }
    disk_->observe(nullptr);
    disk_->clear_plans();
    begin_chance(k_end);
    end();
    totals_.add(*disk_);
}

/// What a step does depends on its number, not on the steps before it: without one of them the others stay as they are.
void CrashRun::begin_chance(unsigned step) {
    random_ = Random(seed_ ^ (std::uint64_t{step} + 1) << 40);
    disk_->reseed(random_.next());
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
    std::uint64_t kept = options_.history.kind == History::Kind::nothing ? 0 : Retention::k_everything;
    if (random_.chance(1, 3)) options_.overlay_limit = 256u << 10;  // the writer makes checkpoints
    key_count_ = random_.chance(1, 3) ? 400 : 60;
    long_keys_ = random_.chance(1, 4);
    big_values_ = random_.chance(1, 2);
    drops_trees_ = expected_.dropped = random_.chance(1, 6);
    faults_ = random_.chance(1, 2);
    crashes_ = random_.chance(3, 4);
    small_steps_ = random_.chance(3, 4);
    varied_ = seed_ % 3 == 0;
    if (varied_) {
        options_.page_size = 4096u << random_.below(5);
        if (random_.chance(1, 4)) options_.read_mode = ReadMode::pread;
        kept = random_.chance(1, 2) ? Retention::k_everything : random_.below(12);
        options_.history = Retention::history(kept);
    }
    expected_.retention = Retentions({kept, {}});
    if (seed_ % 2 != 0) return;  // numbered keys
    // Many keys take long to compare.
    const bool many = random_.chance(1, 8);
    if (many) batch_ = 600;
    const std::size_t longest = detail::max_key_size(options_.page_size);
    shaped_keys_.emplace(shape_of(seed_ / 2), many ? 3000 : key_count_, longest, seed_);
}

/// The disk and the database of this seed.
std::string CrashRun::description() const {
    static constexpr const char* k_orders[] = {"mixed", "in order", "all or nothing"};
    return "sectors of " + std::to_string(profile_.sector) + " bytes, " +
           k_orders[static_cast<std::size_t>(profile_.order)] + (profile_.torn ? ", torn" : "") +
           (profile_.garbage ? ", garbage" : "") + (profile_.writable_map ? ", mapped" : "") +
           (profile_.clock_jump_per_mille != 0 ? ", clock jumps" : "") + "; pages of " +
           std::to_string(options_.page_size) + " bytes" + (expected_.retention.keeps() ? ", history" : "") +
           (varied_ ? ", varied" : "") +
           (options_.overlay_limit != 0 ? ", little memory" : "") +
           (shaped_keys_ ? ", keys of shape " + std::to_string(seed_ / 2 % k_key_shapes) : "") +
           (faults_ ? ", faults" : "") + (crashes_ ? ", crashes" : "") + "; " +
           std::to_string(processes_.size()) + " processes";
}

bool CrashRun::any_open() const {
    return std::any_of(processes_.begin(), processes_.end(), [](const Process& p) { return p.db.has_value(); });
}

bool CrashRun::any_writer() const {
    return std::any_of(processes_.begin(), processes_.end(),
                       [](const Process& p) { return p.db.has_value() && !p.reads_only; });
}

/// One operation of one process, and what its failure means.
void CrashRun::step(unsigned number) {
    const std::size_t who = random_.below(processes_.size());
    Process& process = processes_[who];
    does("process " + std::to_string(who));
    if (number < process.asleep_until) return;
    if (poisoned_ && !process.db && any_open()) return;
    if (process.reads_only && !process.db && !any_writer()) return;
    plan_ = Plan::none;
    plan_faults();
    const bool faulty = plan_ != Plan::none;
    const bool opening = !process.db;
    try {
        if (opening) {
            does("open");
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
    clear_faults();
    copying_ = false;
    // A flush may fail where nobody can be told: in a rollback that makes a checkpoint behind what others wrote.
    if (faulty && !poisoned_ && any_poison()) poisoned();
    // Where the checkpoint behind a large transaction failed, it is made again, or nobody else can write.
    if (faulty && process.db && !poisoned_ && process.core->holds_early()) process.db->checkpoint();
}

/// What is done about an error meets conflicts and crashes as well.
void CrashRun::met_error(Process& process, const Error& error, bool opening) {
    if (!process.vfs->alive()) {
        // It died while it cleared up behind a failure.
        note("crash");
        crashed(crash_kind_);
        return;
    }
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

/// All kinds of calls, or one of them, so that those that are rarely made are met as well.
CallMask CrashRun::some_calls() {
    if (!disk_->has_file(k_path)) {
        static constexpr Call k_of_a_creation[] = {Call::create, Call::sync_directory, Call::words};
        return mask_of(k_of_a_creation[random_.below(std::size(k_of_a_creation))]);
    }
    if (random_.chance(1, 2)) return k_all_calls;
    if (profile_.writable_map && random_.chance(2, 3)) return mask_of(Call::map_writable);
    return mask_of(static_cast<Call>(random_.below(k_call_kinds)));
}

void CrashRun::plan_faults() {
    const bool creating = !disk_->has_file(k_path);
    if (creating && faults_ && random_.chance(1, 4)) {
        plan_ = Plan::any_call;
        disk_->fail_at(disk_->calls() + 1, Errc::io, random_.chance(1, 3), some_calls());
        return;
    }
    if (crashes_ && random_.chance(1, creating ? 3 : 7)) {
        crash_kind_ = random_.chance(1, 2) ? CrashKind::power : CrashKind::kill;
        const CallMask mask = some_calls();
        disk_->crash_at(disk_->calls() + (mask == k_all_calls ? random_.between(1, 60) : 1), crash_kind_, mask);
    }
    if (!faults_ || !random_.chance(1, 5)) return;
    const std::uint64_t at = disk_->calls() + random_.between(1, 12);
    switch (random_.below(7)) {
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
        case 4:
            plan_ = Plan::any_call;
            disk_->fail_at(at, Errc::io, random_.chance(1, 3), some_calls());
            break;
        case 5:
            plan_ = Plan::no_room;
            disk_->fail_at(at, Errc::no_space, random_.chance(1, 3),
                           mask_of(Call::allocate) | mask_of(Call::truncate) | mask_of(Call::create));
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
            return code == Errc::outcome_unknown || code == Errc::poisoned ||
                   ((opening || copying_) && code == Errc::io);
        case Plan::read_error: return code == Errc::io || code == Errc::outcome_unknown;
        // To the kernel it is a file that somebody cuts. A commit may have begun to write when it reads its
        // operations back.
        case Plan::short_read:
            return code == Errc::truncated || code == Errc::corrupt || code == Errc::io ||
                   code == Errc::outcome_unknown || (opening && code == Errc::not_a_database);
        case Plan::any_call: return code == Errc::io || code == Errc::outcome_unknown || code == Errc::poisoned;
        case Plan::full_disk:
        case Plan::no_room: return code == Errc::no_space;
    }
    return false;
}

void CrashRun::open(Process& process) {
    Options options = options_;
    options.read_only = process.reads_only;
    process.core = detail::DatabaseCore::open(k_path, options, process.vfs.get());
    // Small steps, so that a move of the horizon takes several, and some crash lies between any two.
    if (small_steps_) {
        process.core->set_move_budget({1024, 8192});
        process.core->set_seal_budget({4096, {1024, 8192}, 2048});
    }
    process.db.emplace(detail::make_database(process.core));
}

void CrashRun::start(Process& process) {
    const bool alone = !any_open();
    if (process.vfs == nullptr) process.vfs = disk_->process();
    unrecovered_ = unrecovered_ || !any_writer();
    open(process);
    unrecovered_ = false;
    if (alone) {
        const Txn txn = settle(process, expected_, lazy_kept_);
        lazy_kept_ = true;
        uncertain_ = false;
        poisoned_ = false;
        ++totals_.recoveries;
        check_all(*disk_, *process.db, expected_, txn, random_);
    } else if (uncertain_ && !process.reads_only) {
        resolve(process);
    }
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
                                              "any call", "no room", "full disk"};
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
    const bool poison = any_poison();
    // A process that could not be opened is nobody.
    for (Process& p : processes_) {
        if (p.vfs != nullptr && !p.db) p.drop();
    }
    if (!poison) {
        uncertain_ = uncertain_ || expected_.attempted() > expected_.visible;
        return;
    }
    poisoned();
}

bool CrashRun::any_poison() const {
    return std::any_of(processes_.begin(), processes_.end(),
                       [](const Process& p) { return p.db && p.core->poisoned(); });
}

/// Nobody writes any more until all have closed the file.
void CrashRun::poisoned() {
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
    if (process.reads_only) return;
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
    if (!any_writer()) start(processes_[0]);
    for (Process& process : processes_) {
        if (!process.db) continue;
        if (uncertain_) resolve(process);
        if (process.followed) follow(process);
        look_at_snapshots(process);
    }
    for (Process& process : processes_) {
        if (process.db) leave(process);
    }
    for (int i = 0; i < 4; ++i) rot_anything();
    rot_meta();
    ++totals_.images;
    last_ = "the end";
    Random random(random_.next());
    recover_and_check(*disk_, expected_, random);
}

}  // namespace northstar::hard
