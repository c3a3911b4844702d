// write_txn.hpp -- a transaction being made: its state, its operations, what it read.  Layer: txn.
// Threads: one at a time.
//
// [TXN-1] The exclusive writer works on the newest built root, holding the writer's turn and the write lock.
// [TXN-2] An optimistic transaction works on pages of its own above the root it began on; at commit, under the
//         writer's turn, what it read must read the same on the newest built root, else conflict. Its pages are
//         installed as they are only if the built root is the very one it began on; else its operations are applied
//         again.
// [TXN-3] Destroying it gives back everything.
// [TXN-4] Its pages and operations in memory stay within budgets; what is beyond lies in the file (large_txn.cpp).
#pragma once

#include "log/operation_list.hpp"
#include "txn/core.hpp"
#include "txn/read_set.hpp"
#include "txn/spool.hpp"
#include "txn/workspace.hpp"

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace northstar::inline v0::detail {

/// What a transaction works with. Handed from one to the next, so that a small transaction allocates no buffers.
struct WriteKit {
    WriteKit(FrameArena& arena, const PageSource& source) : work(arena, source) {}
    Workspace work;
    OperationList operations;
    ReadSet reads;
};

class WriteTxn {
public:
    enum class Mode : std::uint8_t { exclusive, optimistic };

    WriteTxn(std::shared_ptr<DatabaseCore> core, Mode mode, Durability durability,
             WaitLimit limit);
    ~WriteTxn();
    WriteTxn(const WriteTxn&) = delete;
    WriteTxn& operator=(const WriteTxn&) = delete;

    void check_open() const;
    ReadView* view() const { return view_; }
    std::uint64_t ticket() const { return ticket_; }
    bool open() const { return state_ == State::open; }
    Mode mode() const { return mode_; }
    Workspace& work() { return work_; }
    const PageSource& source() const { return work_.source(); }
    OperationList& operations() { return operations_; }
    DatabaseCore& core() { return *core_; }
    std::shared_ptr<DatabaseCore> core_pointer() const { return core_; }

    /// Index of an open tree of the workspace, or -1. Remembers, when optimistic, that it was looked for.
    int find_tree(std::string_view name);
    /// The same where a write is to follow, which stands on what was found, whatever reads are compared.
    int find_to_write(std::string_view name);
    int make_tree(std::string_view name);
    bool create_tree(std::string_view name);
    /// The same tree as it was at a savepoint; nullptr: it was not there. Remembers that it was looked for.
    const Workspace::OpenTree* tree_at(std::uint64_t savepoint, std::string_view name);
    bool drop_tree(std::string_view name);
    void set_history(std::string_view tree, History history);
    void set_default_history(History history);
    void prune(const Pruning& pruning);

    /// Throws Error(key_too_large, value_too_large); asked before the tree is made.
    void check_sizes(std::string_view key, std::string_view value) const;
    // Writing; `tree` is an index from make_tree().
    void put(int tree, std::string_view key, std::string_view value);
    /// false: the key is there. It counts as read.
    bool put_if_absent(int tree, std::string_view key, std::string_view value);
    void append(int tree, std::string_view key, std::string_view value);
    bool erase(int tree, std::string_view key);
    std::uint64_t erase_range(int tree, std::string_view from, std::optional<std::string_view> to);
    void annotate(std::string_view key, std::string_view value) { operations_.annotate(key, value); }

    // What was read, for validation; no-ops for the exclusive writer, and where reads are not to be validated.
    void note_read(std::uint64_t tree, std::string_view key) {
        if (notes_reads_) note_needed(tree, key);
    }
    /// The names of all trees were read.
    void note_names() { listed_ |= notes_reads_; }
    void note_range(std::uint64_t tree, std::string_view from, std::optional<std::string_view> to) {
        if (notes_reads_) note_needed_range(tree, from, to);
    }
    // What a write stands on: always validated.
    void note_needed(std::uint64_t tree, std::string_view key);
    void note_needed_range(std::uint64_t tree, std::string_view from, std::optional<std::string_view> to);

    void validate_reads(bool on);
    void take_turn();
    void forget_reads();
    bool refresh(std::size_t most_changes);
    /// Has anybody else changed the entry of a key behind what the transaction stands on? Never, of the exclusive
    /// writer.
    bool changed_by_others(std::string_view tree, std::string_view key);

    std::uint64_t savepoint();
    void rollback_to(std::uint64_t id);
    void rollback() noexcept;
    Commit commit();

    Durability durability = Durability::full;
    std::uint64_t time_us = 0;  ///< 0: the clock's
    bool wakes_workers = false;  ///< tasks became ready: those who wait for some are told once this is visible
    Txn base_txn() const { return base_txn_; }
    bool notifies = false;  ///< its annotations are reason enough for a commit; who listens is told once it is visible
    /// Is there anything to commit?
    bool wrote() const { return notifies || !operations_.empty() || !spool_.empty(); }
    /// Changes with every write: views of keys and values taken before are gone.
    std::uint64_t version() const { return version_; }

private:
    friend class DatabaseCore;
    enum class State : std::uint8_t { open, spent };
    struct ReadRange {
        std::uint64_t tree;
        std::string from;
        std::optional<std::string> to;
    };
    void begin();
    /// The view keeps the root the transaction stands on, and lets handles find out that it ended.
    void stand_on(ReadView* view) noexcept;
    void note_name(int tree, std::string_view name);
    bool holds(int tree, std::string_view key) const;
    void put_now(int tree, std::string_view key, std::string_view value);
    void append_now(int tree, std::string_view key, std::string_view value);

    // large_txn.cpp
    void set_budgets();
    bool heavy(std::uint64_t coming) {
        return work_.pages().bytes() + coming > page_threshold_ || operations_.bytes() + coming > operation_budget_;
    }
    void put_heavily(int tree, std::string_view key, std::string_view value);
    template <class F>
    void write_heavily(int tree, std::string_view key, std::string_view value, F&& in_memory);
    template <class F>
    void spool_value(int tree, std::string_view key, std::string_view value, F&& change_tree);
    void append_heavily(int tree, std::string_view key, std::string_view value);
    int make_room(int tree, std::uint64_t coming);
    void make_room(std::uint64_t coming);
    void spool_operations();
    void apply_calls_again(const Root& built);

    bool still_valid(const Root& built) const;
    void apply_again(const Root& built);
    void finish() noexcept;

    std::shared_ptr<DatabaseCore> core_;
    const Mode mode_;
    State state_ = State::open;
    const WaitLimit limit_;  // of waiting for the turn
    bool has_turn_ = false;
    std::unique_ptr<WriteKit> kit_;
    Workspace& work_;
    OperationList& operations_;
    ReadView* view_ = nullptr;  // holds the root it began on; handles compare its ticket
    std::uint64_t ticket_ = 0;
    const Root* base_ = nullptr;
    std::uint64_t base_number_ = 0;
    Txn base_txn_ = 0;
    Ref base_catalog_;
    std::uint64_t base_next_tree_id_ = 1;
    std::uint64_t version_ = 0;
    ReadSet& reads_;
    std::vector<ReadRange> ranges_;
    std::set<std::string, std::less<>> names_;
    std::vector<std::uint64_t> named_;  // by index of an open tree: its number, if its name is in names_
    bool listed_ = false;
    bool notes_reads_ = false;
    struct Saved {
        std::uint64_t id;
        Workspace::Mark work;
        std::size_t chunks;              // of the spool, in front of `operations`
        OperationList::Mark operations;
    };
    std::vector<Saved> savepoints_;
    std::uint64_t next_savepoint_ = 1;
    OperationSpool spool_;
    std::uint64_t page_budget_ = 0;
    std::uint64_t page_threshold_ = 0;
    std::uint64_t operation_budget_ = 0;
    std::uint64_t least_early_value_ = 0;
    bool adds_ = false;  // something was put: more than deletions
    bool makes_trees_ = false;
};

}  // namespace northstar::inline v0::detail
