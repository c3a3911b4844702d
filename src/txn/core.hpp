// core.hpp -- one open database: everything a handle holds.  Layer: txn.
//
// The parts, each in its own file:
//   open.cpp        opening, creating, closing
//   generation.cpp  standing on a generation of the file
//   recover.cpp     what a file that nobody has open contains
//   commit.cpp      the commit protocol and flushing
//   replay.cpp      turning log records into roots: recovery, other processes, replicas
//   checkpoint.cpp  placing a root, switching the meta page
//   rebase.cpp      moving what was committed meanwhile onto the new base
//   reserve.cpp     room that new data may not take, so that a full disk stays usable
//   early_space.cpp pages filled before a meta page names them: transactions too large for memory
//   past.cpp        states of the past
//   retention.cpp   what a checkpoint does to the past
//   move_plan.cpp   what moving the horizon does to each tree
//   inspect.cpp     statistics and state hash
//   proof.cpp       the chain hash
//   redact.cpp      erasing values lawfully
//   erasure.cpp     carrying erasures out, whatever happens in between
//
// Order of locks: redaction mutex, redact lock (file), checkpoint mutex, writer's turn, write lock (file), replay
// mutex, checkpoint lock (file), flush mutex, flush lock (its mutex, then the file's), mutexes of RootSet, LogStore and
// HistoryIndex. The checkpoint lock is released before the turn is asked for. [CORE-1]
//
// [CORE-2] A txn is acknowledged only when its record is in the log and, if it asked for it, flushed.
// [CORE-3] Visible is a prefix: a txn becomes visible when every full txn up to it is durable.
// [CORE-4] After a failed flush nothing more is acknowledged or written until everybody has reopened.
// [CORE-5] A lock of the file is held by a process as a whole: a mutex or a count beside it keeps threads apart.
// [CORE-6] The word `writing` is set from before the first byte of a record until every word says where the log ends,
//          so that a writer's death in between is noticed by the next one.
// [CORE-7] Roots and bases change under the replay mutex, except by a writer that has the write lock and stands at the
//          end of the log: nothing is visible then that is not built here, so nobody replays. Nobody waits for another
//          process with that mutex, unless a replay places early pages. So a snapshot waits for no writer of its
//          process, except where it has to replay a transaction too large for memory that no checkpoint followed yet.
#pragma once

#include "api/northstar.hpp"
#include "base/random.hpp"
#include "format/meta.hpp"
#include "history/follower.hpp"
#include "log/store.hpp"
#include "os/vfs.hpp"
#include "pager/file_pages.hpp"
#include "pager/frames.hpp"
#include "pager/space.hpp"
#include "txn/erasure.hpp"
#include "txn/processes.hpp"
#include "txn/proof.hpp"
#include "txn/retention.hpp"
#include "txn/root.hpp"
#include "txn/turn.hpp"
#include "txn/views.hpp"
#include "txn/workspace.hpp"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace northstar::inline v0::detail {

class WriteTxn;
struct WriteKit;
class Placer;
class FileLogBytes;
struct Ledger;
class KeptPasts;
struct PastState;
struct CompactNotes;
struct CompactProgress;

/// For who changes roots or bases without being the writer at the end of the log. [CORE-7]
struct RootsGuard {
    RootsGuard(WriterTurn& turn, std::mutex& replaying) : turn_guard(turn), replay_guard(replaying) {}
    const TurnGuard turn_guard;
    const std::lock_guard<std::mutex> replay_guard;
};

/// Closes a view at the end of a scope.
struct OpenView {
    explicit OpenView(ReadView* opened) : view(opened) {}
    ~OpenView();
    OpenView(const OpenView&) = delete;
    OpenView& operator=(const OpenView&) = delete;
    ReadView* const view;
};

struct Counters {
    std::atomic<std::uint64_t> commits{0}, conflicts{0}, flushes{0}, checkpoints{0}, replayed_txns{0};
    std::atomic<std::uint64_t> page_bytes_written{0}, pages_copied{0};
    std::atomic<std::uint64_t> last_checkpoint_us{0}, slowdown_us{0};
};

class DatabaseCore : public std::enable_shared_from_this<DatabaseCore> {
public:
    /// `vfs`: nullptr for the operating system's (or memory for ":memory:"); otherwise it outlives the core.
    static std::shared_ptr<DatabaseCore> open(const std::string& path, const Options& options, Vfs* vfs = nullptr);
    ~DatabaseCore();
    void close();
    /// Throws when the handle is closed, or was inherited through fork().
    void check_usable() const;
    /// It is a parent process's.
    bool inherited() const noexcept { return fork_count_ != fork_count(); }
    void check_writable() const;

    // ---- reading ----
    ReadView* open_view();
    ReadView* open_built_view();
    ReadView* open_past_view(AsOf point);
    /// A view of the root that `current` names. `root` is what it named when the caller looked, which may be long ago.
    ReadView* pin_root(const Root* root, const std::atomic<const Root*>& current);
    static void close_view(ReadView* view) noexcept;

    // ---- writing ----
    /// Makes room first, which may take a checkpoint: not for who holds the checkpoint mutex.
    void begin_exclusive(const WaitLimit& limit);
    void end_exclusive() noexcept;
    Commit commit(WriteTxn& txn);
    std::unique_ptr<WriteKit> take_kit();
    void give_kit(std::unique_ptr<WriteKit> kit) noexcept;
    void sync();
    void checkpoint();

    // ---- parts, for the other files of this layer ----
    const PageSource& source() const { return *source_; }
    FrameArena& arena() { return *arena_; }
    TreeHints& tree_hints() { return tree_hints_; }
    RootSet& roots() { return *roots_; }
    LogStore& log() { return *log_; }
    Processes& processes() { return *processes_; }
    Vfs& vfs() { return *vfs_; }
    File& file() { return *file_; }
    const Options& options() const { return options_; }
    const std::string& path() const { return path_; }
    const Uuid& uuid() const { return uuid_; }
    std::uint32_t page_size() const { return page_size_; }
    WriterTurn& turn() { return turn_; }
    bool poisoned() { return processes_->load(Word::poison) != 0; }
    /// Pages of the file are filled that no meta page names yet: nobody else can write. [EARLY-3]
    bool holds_early() const { return early_held_.load(std::memory_order_relaxed); }
    Meta newest_meta() const;

    /// Says in the log how much of it is durable. Call with the turn; nothing happens where others may write, or have
    /// written what is not known here.
    void append_mark();
    /// Brings this process up to the newest visible txn. Waits for no writer of this process. [CORE-7]
    void catch_up();
    /// The same to the end of the log; call with the turn and the write lock.
    void catch_up_for_writing();
    /// Waits until everything up to this txn and log position is durable; flushes if nobody does.
    void make_durable(Txn txn, std::uint64_t position);
    void wait_visible(Txn txn);
    void fill_statistics(Statistics& statistics);
    void fill_space(Statistics& statistics, const Base& base);
    std::vector<Version> versions(std::string_view tree, std::string_view key);
    Txn durable_txn();
    std::string tree_name(std::uint64_t id);
    FilePages& file_pages() { return *source_; }
    void check_history(const SegmentSet& stored, const Root& root);
    void check_present();
    Txn first_readable(Txn from);
    Txn first_readable(const ReadView& view) const;
    [[noreturn]] void fail_before_log(Txn txn);
    Txn first_logged_txn();
    std::uint64_t position_of(Txn txn);
    std::optional<std::uint64_t> find_position(const Base& base, Txn txn, std::uint64_t from = 0);
    std::uint64_t position_behind(const Horizon& oldest) const;
    /// Position of the first record that counts.
    std::uint64_t log_start() const;
    std::uint64_t log_start(const Horizon& oldest, const Meta& meta) const;
    /// Chain hash after a txn; computes what is missing.
    Hash chain_hash(Txn txn);
    /// Without following other processes: a redaction that is not known here makes it an error (corrupt).
    Hash chain_hash_as_known(Txn txn);
    bool advance_chain(std::uint64_t most_bytes);
    OriginalDigest originals();
    /// Digest of a record as the chain goes on with it.
    Hash digest_of(const RecordView& record, Txn txn, std::uint32_t part);
    /// A redaction was read in a log that was copied: it is carried out here too.
    void note_redaction(Txn txn, std::uint64_t position);
    /// Position of the commit record (part 0) or a part of a txn; nullopt: the log does not have it any more. Throws
    /// corrupt where a record in front of `readable_to` hides what lies behind it.
    std::optional<std::uint64_t> record_position(Txn txn, std::uint32_t part, std::uint64_t readable_to = 0);
    /// Erases the values that a txn (0: every one) wrote to a key: see redact.cpp.
    Commit redact(std::string_view tree, std::string_view key, Txn txn, std::string_view reason,
                  std::uint32_t timeout_ms);
    /// Finishes redactions that were interrupted or waited for readers, unless somebody is at it or it would have to
    /// wait.
    void finish_redactions_if_possible();
    /// First commit whose redactions are not finished; 0: none.
    Txn pending_redaction() const { return processes_->load(Word::redaction); }
    /// Keeps records of the log as they are while a copy of them is made.
    void hold_log();
    void let_go_of_log() noexcept;
    // retention.cpp
    /// Oldest state of the database that can be read, as a view's root has it.
    Txn oldest_readable(const ReadView& view) const;
    Txn oldest_txn();
    OldestState oldest_state();
    /// The newest txn at or before a time, up to `newest`.
    Txn txn_at(std::uint64_t time_us, Txn newest);
    Txn prune(AsOf point);
    /// nullopt: some tree cannot be read there any more.
    std::optional<Hash> state_hash_at(Txn txn);
    std::shared_ptr<const HistoryFollower> history() const;
    Horizon horizon() const;
    void turn_to_past(ReadView& view, Txn txn, Txn indexed);
    [[noreturn]] void not_yet(Txn txn, Txn newest) const;
    /// How much of the history one step of a move of the horizon rewrites: set before anything is written.
    void set_move_budget(const RewriteBudget& budget) { move_budget_ = budget; }
    /// What sealing and merging the history may take: set before anything is written.
    void set_seal_budget(const SealBudget& budget) { seal_budget_ = budget; }
    bool keeps_history(const Root& root) const;
    HistoryFollower::Keeps history_filter(const Root& root) const;
    /// Moves pages down and cuts the file; returns bytes released.
    std::uint64_t compact();
    // copy.cpp
    ReadView* open_copy_view();
    void begin_with(const ReadView& from, const Hash& chain, bool dense);
    void append_copied(std::span<std::vector<std::byte>> records, const OriginalDigest& digests_before);
    void checkpoint_if_wanted();
    void set_parent(const Uuid& uuid, Txn txn, const Hash& chain);
    /// The txn a point means. Throws Error(in_the_future, before_horizon).
    Txn resolve(AsOf point);
    std::uint64_t time_of(const Base& base, Txn txn);
    /// The same for txns that are asked for in ascending order: none reads the log again that one before it has read.
    /// `from`: 0 at first.
    std::uint64_t time_of(const Base& base, Txn txn, std::uint64_t& from);
    Counters& counters() { return counters_; }

private:
    friend class WriteTxn;
    DatabaseCore() = default;

    // open.cpp
    void open_file(const std::string& path, Vfs* vfs);
    void check_options() const;
    void enter();
    bool creation_was_cut_short();
    void create();
    void attach_read_only();
    std::unique_ptr<SharedWords> words_of_writers();
    void look_for_writers();
    void unregister() noexcept;
    static void let_go(DatabaseCore* core) noexcept;
    void close_writable();

    // generation.cpp
    void read_metas();
    void make_parts(const Meta& meta);
    void load_generation(const Meta& meta);
    void equip(Base& base, const Ledger& ledger, const HistoryFollower* before);
    void join();
    [[noreturn]] void fail_overtaken() const;
    Meta read_meta_anywhere(std::uint64_t generation);
    void pin(std::uint64_t generation);
    bool stand_on(const Meta& meta);
    bool still_there(const Meta& meta);
    bool newer_meta_exists() const;
    void adopt_newest();
    void bury_overlay(const Root* old);

    // recover.cpp
    void recover();
    void recover_read_only();
    void begin_epoch(std::uint64_t largest_seen);
    void write_missing(std::uint64_t from, std::uint64_t to);
    void write_missing_of(std::uint64_t offset, std::span<const std::byte> bytes);
    std::uint64_t file_seed() const;

    // early_space.cpp
    class EarlyCarver;
    struct EarlyPagesOfRoot {
        PageSet pages;
        std::uint64_t root;        // number of the first root that reaches them; 0: none yet
        std::uint64_t generation;  // that it stands on
        bool superseded;           // the base was changed: only open snapshots reach them
    };
    std::unique_ptr<EarlySource> make_early_source();
    PageRun carve_early(std::uint64_t pages, bool exactly);
    void return_early(const PageSet& pages) noexcept;
    void let_early_go() noexcept;
    void forget_unnamed() noexcept;
    void reserve_early(Workspace& work);
    void name_early(Workspace& work, std::uint64_t number) noexcept;
    void supersede_early();
    void take_early();
    SpaceMap map_without_early(std::uint64_t frozen_number) const;
    void bury_early(std::uint64_t generation);
    void early_was_named(std::uint64_t frozen_number) noexcept;
    std::uint64_t page_budget() const;

    // reserve.cpp
    std::uint64_t held_pages() const;
    std::uint64_t ledger_pages(const Base& base);
    void make_free(std::uint64_t pages, std::uint64_t run);
    bool try_make_free(std::uint64_t pages, std::uint64_t run);
    void note_room();
    bool has_spare_room(const Base& base, std::uint64_t bytes, std::uint64_t placed);
    void hold_room(bool adds, std::uint64_t log_bytes);
    void make_room_if_tight();
    void free_dead_pages();

    // large_txn.cpp
    struct AdoptInstead {};  // thrown: a newer meta page made the replay unnecessary
    void make_room_for_replay(Workspace& work);
    void settle_early();
    void settle_left_over() noexcept;
    void give_up_write_lock() noexcept;
    void write_parts(WriteTxn& txn, RecordFields& fields);

    // background.cpp
    void start_background();
    void stop_background() noexcept;
    void run_checkpoints();
    void run_flushes();
    void want_checkpoint();
    void note_lazy();
    void remember_failure(const char* what);
    bool mark_due();
    std::uint64_t log_behind_checkpoint() const;
    void slow_down();

    // commit.cpp
    /// The turn and the write lock, up to date; end_exclusive() gives both back.
    void take_turn(const WaitLimit& limit);
    bool take_write_lock(std::optional<std::uint64_t> timeout_us, const std::function<void()>& called,
                         const std::function<bool()>& gives_up = {});
    /// Ends with its scope, behind the workspaces of the scope, what take_turn() or begin_exclusive() began.
    class ExclusiveScope {
    public:
        explicit ExclusiveScope(DatabaseCore& core) noexcept : core_(core) {}
        ~ExclusiveScope() { core_.end_exclusive(); }
        ExclusiveScope(const ExclusiveScope&) = delete;
        ExclusiveScope& operator=(const ExclusiveScope&) = delete;

    private:
        DatabaseCore& core_;
    };
    Root* root_of(Workspace& work, Txn txn, std::uint64_t time_us, std::uint64_t log_position, std::uint64_t epoch);
    void reserve_install(Workspace& work);
    void install(Workspace& work, Root* root);
    void adopt_pages(Workspace& work, std::uint64_t number);
    DroppedPage dropped_page(Ref ref, bool large) const;
    void next_nonce(Nonce& nonce);
    /// Runs `write`, which puts bytes behind the end of the log, then `publish`, which says so in the words. Whoever
    /// finds us dead in between takes over what is whole. [CORE-6] A failed write poisons: Error(outcome_unknown).
    /// LogStore::prepare() has made sure that memory is no reason, and `publish` cannot fail.
    template <class Write, class Publish>
    void write_log(Write&& write, Publish&& publish) {
        processes_->store(Word::writing, 1);
        try {
            write();
        } catch (const std::exception& error) {
            log_write_failed(error);
        }
        publish();
        processes_->store(Word::writing, 0);
    }
    [[noreturn]] void log_write_failed(const std::exception& error);
    void publish_log_end() { processes_->store(Word::log_position, log_->end()); }
    void published(Txn txn, std::uint64_t position, std::uint64_t time_us, bool full);
    void publish_visible();
    void flush_log(Txn txn, std::uint64_t position);
    void with_flush_lock(Txn txn, std::uint64_t position, const std::function<void()>& fn);
    void flush_file();
    void take_lock(std::uint64_t byte);
    void write_tail_again();
    void poison(const char* why);
    [[noreturn]] void poison_error() const;
    [[noreturn]] void unknown_outcome() const;

    // replay.cpp
    struct TurnNeeded {};  // thrown: only who has the turn may replay this
    void follow(Txn visible);
    bool follow_without_turn(Txn visible);
    void follow_when_called();
    bool far_behind() const;
    void replay_to(Txn visible, bool to_end);
    void replay_under_mutex(Txn visible, bool to_end);
    bool replay_from_built(Txn visible, bool to_end, std::uint64_t& at);
    void take_over();

    // checkpoint.cpp
    void acquire_carving();
    bool try_acquire_carving();
    void begin_carving();
    void release_carving() noexcept;
    void finish_checkpoint_of_the_dead();
    void load_space();
    void learn_extent(const Extent& extent);
    void learn_announced(const Root& from);
    std::uint64_t behind_control_records(std::uint64_t position, std::uint64_t& epoch) const;
    void extend_log(std::uint64_t size);
    std::uint64_t checkpoint_interval(bool log_is_kept, std::uint64_t pages) const;
    Meta read_meta(std::uint64_t generation);
    void write_meta(const Meta& meta);
    void flush_everything();
    void ensure_unclean();
    ReadView* freeze(bool carves = false);
    /// What a clearing takes and is not part of a tree is moved: down from behind its line, anywhere out of its window.
    /// `if_due`: not where the one before, maybe of another process, does as well and nobody waits.
    bool checkpoint_locked(bool clean, bool force, const Clearing& clearing = {}, bool if_due = false);
    bool checkpoint_is_due() const;
    // seal_ahead.cpp
    struct SealedAhead;
    std::unique_ptr<SealedAhead> seal_ahead(bool if_due);
    void move_segments(std::vector<StoredSegment>& segments, std::vector<StoredSegment>& dead, Placer& placer,
                       std::uint64_t generation, const Clearing& clearing);
    std::vector<Extent> move_extents(Ledger& ledger, std::uint64_t end, std::uint64_t generation,
                                     const Clearing& clearing);
    void grow_log(std::uint64_t bytes, std::uint64_t wanted, unsigned count = 1, bool spares_room = false);
    bool try_grow_log(std::uint64_t bytes, std::uint64_t wanted, unsigned count);
    void hold_extents_of_newest();
    RecordFields control_fields();

    // rebase.cpp
    struct RebasedPage {
        Frame* original;
        Frame* copy;
    };
    struct Rebase;
    Ref translate(Ref ref, Rebase& rebase);
    bool note_burials(Rebase& rebase, std::uint64_t up_to);
    void rebase(std::unique_ptr<Base> base, std::uint64_t frozen_number, const std::vector<Frame*>& placed,
                ReadView*& frozen);
    bool install_rebased(Rebase& rebase);
    void drop_old_bases();
    bool keeps_pin(std::uint64_t generation) const;

    // redact.cpp
    class RedactionTurn {
    public:
        explicit RedactionTurn(DatabaseCore& core);
        RedactionTurn(DatabaseCore& core, std::try_to_lock_t);
        ~RedactionTurn();
        RedactionTurn(const RedactionTurn&) = delete;
        RedactionTurn& operator=(const RedactionTurn&) = delete;
        bool held() const { return held_; }

    private:
        DatabaseCore& core_;
        bool held_ = false;
    };
    Commit commit_redaction(std::string_view tree, std::string_view key, Txn txn, std::string_view reason);
    std::set<std::uint64_t> trees_named(Ref catalog, std::string_view name);

    // erasure.cpp
    bool finish_redactions(std::uint64_t until_us);
    std::vector<Erasure> pending_erasures();
    bool both_generations_behind(Txn txn);
    void erase_from_log(const std::vector<Erasure>& erasures);
    struct ErasedRecord {
        std::vector<std::byte> bytes;
        std::uint64_t changed = 0;  // bytes from the front on
    };
    ErasedRecord erased_record(std::uint64_t position, const std::vector<const Erasure*>& values);
    void restate_half_erased();
    std::optional<RecordView> unchecked_record(std::uint64_t position);
    std::function<bool(std::uint64_t, std::string_view, Txn)> redacted_values() const;
    void erase_from_segments(HistoryFollower::Sealed& sealed, Placer& placer, std::uint64_t generation);
    bool nobody_reads_before(std::uint64_t generation);
    void zero_free_pages();
    ErasableFront front_of_horizon();
    void zero_ends_of_extents(std::uint64_t front);
    void zero_values(std::uint64_t from, std::uint64_t to, std::vector<std::byte>& block);
    void zero_unused_log();
    bool log_has_settled();
    void move_on_for_redaction();
    void stand_on_newest();

    // retention.cpp
    KeptPast keep_past(const Root& frozen, Placer& placer, Meta& meta, SealedAhead* ahead);
    bool seal_past(const Root& frozen, Placer& placer, const Meta& meta, KeptPast& past, SealedAhead* ahead,
                   bool whole, bool must);
    void forget_past(const Root& frozen, Meta& meta, KeptPast& past);
    void add_young_base(const Root& frozen, const Meta& meta, const std::set<std::uint64_t>& trees, KeptPast& past);
    void let_go_of_segment(const StoredSegment& segment, std::uint64_t generation, KeptPast& past);
    bool may_move_horizon() const;
    bool erases_from_state(Txn txn) const;
    void begin_move(const Root& frozen, Placer& placer, const Meta& meta, KeptPast& past, bool kept_before);
    std::uint64_t tree_bytes(const KeptPast& past);
    LogAnchor first_record_of(const Base& base, Txn txn, std::uint64_t time_us);
    bool step_move(const Root& frozen, Placer& placer, Meta& meta, KeptPast& past, bool must);
    StoredSegment place_piece(Placer& placer, std::span<const std::byte> bytes,
                              const std::vector<StoredSegment>& sources, std::uint64_t generation);
    void hash_horizon(const Root& frozen, HorizonMove& move);
    void end_move(std::map<std::uint64_t, Txn> trees, Meta& meta, KeptPast& past);
    void abandon_move(const Meta& meta, KeptPast& past);
    bool horizon_moves() const;
    bool moving() const;
    bool finish_move();
    std::vector<std::uint64_t> generations_in_use();
    static std::vector<std::uint64_t> retained_generations(const Horizon& horizon,
                                                           const std::vector<std::uint64_t>& in_use);

    // compact.cpp
    struct Compaction;
    class ClearWindow;
    std::uint64_t compact_locked(std::uint64_t most_bytes, bool clean);
    void compact_at_close();
    bool empty_out(const Clearing& clearing, Compaction& compaction);
    bool empty_behind_line(Compaction& compaction, int patience);
    bool empty_window(Compaction& compaction);
    bool lift_pages(const Clearing& clearing, const CompactNotes& notes, CompactProgress& progress);
    void leave_extent(const Clearing& clearing);
    SpaceMap space_now();
    void install_same_txn(Workspace& work, std::uint64_t log_position, std::uint64_t epoch);

    Options options_;
    std::string path_;
    std::unique_ptr<Vfs> own_vfs_;
    Vfs* vfs_ = nullptr;
    std::unique_ptr<File> file_;
    FileIdentity identity_;
    bool registered_ = false;
    bool memory_ = false;
    std::atomic<bool> alone_{false};           // read-only, and nobody has the file open for writing
    std::uint64_t fork_count_ = 0;
    DatabaseCore* next_inherited_ = nullptr;   // of those that let_go() keeps
    std::atomic<bool> closing_{false};         // somebody called close()
    std::atomic<bool> closed_{false};
    std::uint32_t page_size_ = 4096;
    Uuid uuid_{};

    std::unique_ptr<Processes> processes_;
    std::unique_ptr<FilePages> source_;
    std::unique_ptr<FrameArena> arena_;
    std::unique_ptr<EarlySource> early_source_;
    std::unique_ptr<ViewTable> views_;
    std::unique_ptr<RootSet> roots_;
    std::unique_ptr<LogStore> log_;
    WriterTurn turn_;
    Counters counters_;

    mutable std::mutex meta_mutex_;            // bases_, newest_, extent_pins_
    std::mutex dropped_mutex_;  // Base::dropped of the last: added to under the turn, read by checkpoints
    Meta metas_[2];                            // as read at opening
    bool meta_valid_[2] = {false, false};
    bool entry_durable_ = false;  // this handle made the file, and its name is on the disk
    std::uint64_t unreadable_generation_ = 0;  // whole in its meta page only: a recovery stands on the one before
    Meta newest_;                              // of the base this process stands on
    std::atomic<std::uint64_t> stands_on_{0};  // its generation, for those without the mutex
    std::vector<std::unique_ptr<Base>> bases_; // ascending generation; the last is the current one
    std::vector<std::uint64_t> extent_pins_;   // ascending: held for log extents younger than the base
    std::unique_ptr<KeptPasts> kept_pasts_;
    std::vector<std::unique_ptr<PastState>> orphans_;  // of snapshots that the handle was closed under

    std::mutex flush_mutex_;
    std::condition_variable flushed_;
    bool flush_running_ = false;
    std::mutex flush_lock_mutex_;              // the flush lock of the file, among the threads of this process
    std::atomic<std::uint64_t> lazy_since_us_{0};
    std::atomic<std::uint64_t> marked_position_{0};

    std::mutex checkpoint_mutex_;              // one checkpoint at a time, its rebase included
    bool roll_base_ = false;                   // the next checkpoint makes a new retained base; with the mutex above
    RewriteBudget move_budget_;
    SealBudget seal_budget_;
    std::atomic<std::uint64_t> steps_{0};      // of moves of the horizon, taken by this process
    std::mutex carve_mutex_;                   // carve_users_
    int carve_users_ = 0;                      // who in this process holds the checkpoint lock
    std::mutex space_mutex_;                   // space_ and what belongs to it
    SpaceMap space_;
    PageRun kept_clear_;                       // compaction is emptying it: nothing new is put there
    std::uint64_t space_generation_ = 0;       // the map is of this generation; 0: not loaded
    std::atomic<bool> beside_writers_{false};  // of other processes, who wrote since this one made a checkpoint
    std::atomic<bool> room_tight_{false};      // less is held back than should be
    std::atomic<bool> map_is_full_{false};     // pages were missed last for want of address space
    std::uint64_t room_needed_ = 0;            // pages that the commit under way needs beside its log; under the turn
    std::uint64_t room_needed_run_ = 0;        // of these, side by side
    std::uint64_t space_extents_end_ = 0;      // log extents before this position are taken in it
    PageSet early_open_;                       // early pages of transactions and replays under way
    std::vector<EarlyPagesOfRoot> early_named_;  // of roots that no checkpoint has named yet
    std::atomic<bool> early_held_{false};      // the checkpoint lock is held for their sake; space_mutex_
    std::atomic<std::uint64_t> checkpoint_position_{0};
    std::atomic<std::uint64_t> checkpoint_bytes_{0};  // log behind that position that starts the next checkpoint
    std::atomic<std::uint64_t> own_generation_{0};  // made and pinned by a checkpoint here whose rebase is not done

    std::mutex background_mutex_;
    std::condition_variable background_wake_;
    std::thread background_;  // checkpoints
    std::thread flusher_;
    std::thread preparer_;  // memory for pages to come
    bool stop_ = false;
    std::atomic<bool> checkpoint_wanted_{false};
    std::atomic<bool> checkpoint_waited_for_{false};  // by a writer that may not go on without
    std::atomic<std::uint64_t> checkpoint_done_{0};
    std::string checkpoint_failure_;
    std::atomic<std::uint64_t> coarse_us_{0};
    std::uint64_t overlay_limit_ = 0;

    std::mutex replay_mutex_;                     // see CORE-7; replay_work_, replay_bytes_
    const std::function<void()> follow_when_called_ = [this] { follow_when_called(); };
    bool called_for_write_ = false;               // by a thread that has the turn
    std::unique_ptr<Workspace> replay_work_;
    std::unique_ptr<FileLogBytes> replay_bytes_;  // what replay reads
    std::atomic<WriteKit*> spare_kit_{nullptr};
    TreeHints tree_hints_;
    std::vector<DroppedPage> reserved_drops_;  // of the file, in the order of the pages dropped; see CORE-7
    Random nonces_{0};
    std::unique_ptr<ChainFollower> chain_;

    std::shared_mutex redaction_mutex_;        // shared by who copies the log
    std::mutex log_holders_mutex_;             // log_holders_
    int log_holders_ = 0;                      // who in this process holds the redact lock shared
    const std::vector<Erasure>* erasing_ = nullptr;  // the next checkpoint leaves these values out; checkpoint mutex
    bool erasing_anew_ = false;                      // and begins to leave them out of the past
    std::optional<ErasableFront> erasable_front_;    // what the redaction that waits goes up to
    std::atomic<bool> redaction_wanted_{false};      // the background thread is to look after redactions
};

}  // namespace northstar::inline v0::detail
