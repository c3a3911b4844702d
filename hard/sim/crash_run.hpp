// crash_run.hpp -- one seed of the crash suite: a machine, its processes, a model, and what must hold between
// them.
//
// Each seed is one machine: a few processes open one database and write, read, sync, checkpoint, compact, prune,
// redact, sleep, close and die. One seed of three has pages of every size and dozens of trees. Its processes also copy
// the file and build others from its log, change what is kept, append, read what they are about to commit, hold
// snapshots of the past, follow the feed of commits and keep how far they got, roll back to savepoints, keep cartridges
// that mirror trees, and have transactions that ask before they change and stay open while others write; some may only
// read. Power fails at calls chosen at random, also while a recovery is under way; and in between copies are taken of
// what a power loss at that call would leave. Every machine that comes up again is compared with the model.
//
// What a step does follows from the seed and its number; the disk's choices too.
//
// What a recovery must show is exact:
// - the state of one txn from the last durable to the last attempted one, entry by entry, the log ending with
//   that very txn, AS OF and chain the same, verify without a finding (so free space adds up), the next commits
//   succeeding;
// - after the death of processes alone (no power lost), a txn not before the last acknowledged one;
// - of a redaction that is in the log, no byte of the values in the file;
// - where a crash left more than its own traces (a sector written to another place, rot of the last flush or
//   elsewhere): a report of damage, or the exact state of a txn not before all that something durable vouches for.
// What an operation may report depends on the one fault that was planned for it (Run::allowed); afterwards
// the database works, unless it is poisoned, and then it is so for everybody.
#pragma once

#include "hard/sim/crash_model.hpp"
#include "hard/sim/key_space.hpp"
#include "hard/sim/model_actions.hpp"
#include "hard/sim/simulated_disk.hpp"

#include "api/northstar.hpp"
#include "base/random.hpp"
#include "txn/core.hpp"
#include "txn/processes.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace northstar::hard {

/// What a whole run tried; it fails when something in it never happened.
struct Totals {
    std::uint64_t images = 0;
    std::uint64_t recoveries = 0;
    std::uint64_t commits = 0;
    std::map<std::string, std::uint64_t> classes;
    std::array<std::uint64_t, k_fault_kinds> faults{};
    std::array<std::uint64_t, k_call_kinds> failures{};  ///< calls of a kind that failed by plan
    std::array<std::uint64_t, k_call_kinds> crashes{};   ///< calls of a kind in which something crashed

    void add(const SimulatedDisk& disk) {
        for (std::size_t i = 0; i < k_fault_kinds; ++i) faults[i] += disk.faults()[i];
        for (std::size_t i = 0; i < k_call_kinds; ++i) {
            failures[i] += disk.failures(static_cast<Call>(i));
            crashes[i] += disk.crashes(static_cast<Call>(i));
        }
    }
};

/// The classes of events beside the disk's own that a whole run must have seen.
std::vector<std::string> crash_classes();

class CrashRun {
public:
    /// `steps`: numbers of the steps to take, ascending; what is left out changes nothing about the others but what
    /// they find.
    CrashRun(std::uint64_t seed, const std::vector<unsigned>& steps, Totals& totals);
    ~CrashRun();
    CrashRun(const CrashRun&) = delete;
    CrashRun& operator=(const CrashRun&) = delete;

    /// Throws Broken, or what the kernel threw and should not have.
    void run();
    /// What it was doing last.
    const std::string& last() const { return last_; }
    /// The same of each step before.
    const std::vector<std::string>& told() const { return told_; }
    /// Equal where everything was the same.
    std::uint64_t fingerprint() const { return disk_->fingerprint(); }

private:
    using Random = detail::Random;

    /// A process of the simulated machine and what it holds open.
    struct Process {
        std::unique_ptr<SimulatedVfs> vfs;
        std::shared_ptr<detail::DatabaseCore> core;
        std::optional<Database> db;
        struct Held {
            Snapshot snapshot;
            StatePointer state;
            Txn since;  ///< the newest one then
        };
        std::vector<Held> held;
        struct Followed {
            Feed feed;
            Txn delivered;  ///< the last one
        };
        std::optional<Followed> followed;
        std::optional<Cartridges> cartridges;
        struct Mirrored {
            Cartridge cartridge;
            std::string facts;
        };
        std::vector<Mirrored> mirrored;
        /// A transaction that is open.
        struct Begun {
            Transaction tx;
            ModelWork work;
            std::vector<Savepoint> savepoints;
            std::vector<ModelAction> actions;
            Txn base;
            bool lazy;
            bool optimistic;
            bool validates;  ///< what it reads
        };
        std::optional<Begun> begun;
        bool reads_only = false;
        unsigned asleep_until = 0;  ///< operation before which it does nothing
        bool slept = false;
        /// What was opened upon the database.
        void let_go();
        void drop();
    };
    /// What a crash left may be worse than that: one sector written to another place, or rotten. [DMG-2]
    enum class Harm { none, misdirected, rot };
    struct Image {
        std::unique_ptr<SimulatedDisk> disk;
        Expected expected;
        std::uint64_t call;
        std::uint64_t seed;
        Harm harm;
    };
    /// The one fault that may hit the operation under way.
    enum class Plan { none, write_error, flush_error, read_error, short_read, any_call, no_room, full_disk };
    static constexpr unsigned k_end = 1u << 20;  ///< number of what is done behind the last step

    // crash_run.cpp: the machine
    void choose();
    std::string description() const;
    void begin_chance(unsigned step);
    void step(unsigned number);
    void does(const std::string& what) { last_ += ": " + what; }
    CallMask some_calls();
    void plan_faults();
    void clear_faults();
    bool allowed(Errc code, bool opening) const;
    void start(Process& process);
    void open(Process& process);
    void crashed(CrashKind kind);
    void met_error(Process& process, const Error& error, bool opening);
    void failed(Process& process, const Error& error, bool opening);
    bool any_poison() const;
    void poisoned();
    void expect_poisoned(Process& process);
    void end();
    bool any_open() const;
    bool any_writer() const;
    void note(const std::string& name) { ++totals_.classes[name]; }

    // crash_operations.cpp: what processes do
    void act(Process& process, unsigned number);
    void only_read(Process& process);
    void look_at_what_was_seen(Process& process);
    void resolve(Process& process);
    void write(Process& process, bool lazy);
    void prune(Process& process);
    void keep_less(Process& process);
    void change_retention(Process& process);
    void mirror(Process& process);
    void look_at_mirrors(Process& process, const Snapshot& snapshot, const ModelState& state);
    void redact(Process& process);
    static std::uint64_t log_end(const Process& process);
    void settle_first_part(Process& process, const Error& error);
    /// What an operation is that is one commit, or none where all is so already: true where it was one. The state
    /// behind it was attempted.
    template <class F>
    bool commits(Process& process, F&& operation) {
        const Txn before = expected_.attempted() - 1;
        try {
            operation();
        } catch (const Error& error) {
            if (error.code() != Errc::outcome_unknown) expected_.settle(before);
            throw;
        }
        if (process.core->processes().load(detail::Word::visible_txn) == before) {
            expected_.settle(before);
            return false;
        }
        expected_.committed(before + 1, true, log_end(process));
        return true;
    }
    void look_at_snapshots(Process& process);
    void look_at_held(const Process::Held& held, const std::string& where);
    void hold_the_past(Process& process);
    void leave(Process& process);
    std::vector<ModelOperation> make_operations(Random& random, ModelState& state);
    static std::string some_tree(Random& random, bool varied);
    std::string key(Random& random) const;
    ModelValue value(Random& random) const;

    // crash_copies.cpp: copies and those who follow
    void follow(Process& process);
    bool begin_to_follow(Process& process);
    bool told(Process::Followed& followed);
    void acknowledge(Process& process);
    void copy(Process& process);
    void rebuild(Process& process);
    Database open_copy(Process& process);

    // crash_transactions.cpp: transactions that ask
    void transact(Process& process);
    bool go_through(Process& process);
    void go_on(Process::Begun& begun);
    void refresh(Process::Begun& begun);
    void take_turn(Process::Begun& begun);
    void finish(Process& process);
    void conflicted(const Process::Begun& begun);
    bool may_conflict(const Process::Begun& begun) const;
    std::string key_of(Random& random, const ModelState& state, const std::string& tree) const;
    ModelAction make_action(Random& random, const ModelWork& work) const;

    // crash_recovery.cpp: machines that come up again
    void look(std::uint64_t call);
    void check_images();
    void recover_and_check(SimulatedDisk& disk, Expected expected, Random& random);
    void look_read_only(SimulatedDisk& disk, const Expected& expected, Random& random);
    Txn settle(const Process& process, Expected& expected, bool lazy_promised);
    void check_all(const SimulatedDisk& disk, Database& db, const Expected& expected, Txn txn, Random& random);
    void must_be_gone(const std::string& bytes, const std::vector<ModelRedaction>& redactions) const;
    void commit_some(Process& process, Expected& expected, Random& random);

    // crash_damage.cpp: bytes that go wrong
    void recover_harmed(Image& image, Random& random);
    void harm(SimulatedDisk& disk, std::uint64_t width, Random& random);
    void rot_meta();
    void rot_anything();
    void damage(SimulatedDisk& disk, std::uint64_t sector, std::string& where);

    Random random_;
    const std::uint64_t seed_;
    const std::vector<unsigned> steps_;
    Totals& totals_;
    Profile profile_;
    Options options_;
    std::optional<KeySpace> shaped_keys_;  ///< instead of numbered ones, and with values of every size
    std::uint64_t batch_ = 120;            ///< most operations of a large transaction
    std::uint64_t key_count_ = 60;
    bool long_keys_ = false;
    bool big_values_ = false;
    bool drops_trees_ = false;
    bool faults_ = false;
    bool small_steps_ = false;
    bool varied_ = false;                  ///< one seed of three, see above
    bool crashes_ = false;
    std::unique_ptr<SimulatedDisk> disk_;
    std::vector<Process> processes_;
    Expected expected_;
    std::vector<Image> images_;
    std::size_t images_taken_ = 0;
    std::string earlier_;      ///< the file as it was some time ago: what a lost write leaves
    CrashKind crash_kind_ = CrashKind::power;
    Plan plan_ = Plan::none;
    bool copying_ = false;     ///< into another file, whose failed flush poisons nobody
    bool poisoned_ = false;
    bool uncertain_ = false;   ///< whether the last commit is there shows when somebody writes next
    bool unrecovered_ = false; ///< who was to recover the file beside a reader did not come to the end
    bool lazy_kept_ = true;    ///< no power was lost since the last recovery
    std::string last_;
    std::vector<std::string> told_;
};

}  // namespace northstar::hard
