// workspace.hpp -- a state of the database being changed: catalog, trees, copied pages.  Layer: txn.
// Threads: one at a time.
//
// Used by write transactions, by replay and by whoever else turns one root into the next.
// [WORK-1] Nothing that a built root reaches is changed; everything made here is given back unless it is taken.
//
// The catalog is a tree (id 0) whose leaf values begin with the ref of another tree's root:
//   'i' id(8, big-endian)               ref(8) count(8) id(8) history kind(1) amount(8) created(8) name
//   'n' name                            0(8) id(8)
//   'd' id(8, big-endian)               0(8) name
//   'r' txn(8, big-endian) part(4, big-endian)     0(8) original(32) remaining(32) by(8): a record with redacted values
//   'h' id(8, big-endian)               0(8) txn(8) [state hash(32)]: see history_floor()
#pragma once

#include "base/xxh64.hpp"
#include "btree/tree.hpp"
#include "log/record.hpp"
#include "pager/frames.hpp"
#include "txn/open_trees.hpp"
#include "txn/root.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace northstar::inline v0::detail {

/// Longest name of a tree.
inline constexpr std::size_t k_max_name_size = 255;

struct CatalogEntry {
    TreeRoot root;
    std::uint64_t id = 0;
    History history;
    bool own_history = false;  ///< false: the database's default applies
    Txn created = 0;
    std::string_view name;
};

/// Under which ids trees were found when somebody looked for their names last. It only says where to look first: what a
/// catalog has there says its name. Threads: any.
class TreeHints {
public:
    std::atomic<std::uint64_t>& of(std::string_view name) {
        return ids_[xxh64(name.data(), name.size(), 0) % ids_.size()];
    }

private:
    // 0: none. So many that names rarely share one: those that do cost a descent more than without hints.
    std::array<std::atomic<std::uint64_t>, 1024> ids_{};
};

/// Looks a tree up in a catalog. Views live as long as the catalog's pages.
bool find_tree(const PageSource& source, Ref catalog, std::string_view name, CatalogEntry& entry);
bool find_tree(const PageSource& source, Ref catalog, std::uint64_t id, CatalogEntry& entry);
/// The same by name with one descent as a rule, in whatever state of the database.
bool find_tree(const PageSource& source, Ref catalog, std::string_view name, TreeHints& hints, CatalogEntry& entry);
/// The name of a tree that was dropped; empty: there was none with this id.
std::string dropped_tree_name(const PageSource& source, Ref catalog, std::uint64_t id);
/// Ids of dropped trees that had a name.
std::vector<std::uint64_t> dropped_trees_named(const PageSource& source, Ref catalog, std::string_view name);
std::vector<CatalogEntry> list_trees(const PageSource& source, Ref catalog);
/// What retention applies to a tree; one that was dropped, or is not there, follows the database's default.
History retention_of(const PageSource& source, Ref catalog, History by_default, std::uint64_t id);
/// Does any tree keep its past?
bool keeps_history(const PageSource& source, Ref catalog, History by_default);
/// The oldest txn whose state may be asked for, as far as commits decided it: by pruning (id 0, for every tree), or by
/// turning history on (a tree's id; 0 where no tree kept any before).
Txn history_floor(const PageSource& source, Ref catalog, std::uint64_t id);
/// Trees (0: the database) whose floor lies behind a txn.
std::vector<std::uint64_t> floors_after(const PageSource& source, Ref catalog, Txn txn);
/// The state hash that pruning found at the database's floor.
std::optional<Hash> pruned_state(const PageSource& source, Ref catalog);

/// A record of the log that values were redacted from.
struct RedactedRecord {
    Txn txn = 0;
    std::uint32_t part = 0;  ///< 0: the commit record; n: the transaction's n-th part
    Hash original;           ///< its digest before any redaction
    Hash remaining;          ///< its digest after the newest one
    Txn by = 0;              ///< the newest one's txn
};
std::optional<RedactedRecord> find_redacted(const PageSource& source, Ref catalog, Txn txn, std::uint32_t part);
std::vector<RedactedRecord> list_redacted(const PageSource& source, Ref catalog);

class Workspace {
public:
    using OpenTree = detail::OpenTree;

    Workspace(FrameArena& arena, const PageSource& source) : pages_(arena, source) {}

    /// Starts from the root of this number (0: not numbered); what entries and pages made here carry is `txn`. Trees
    /// opened before are forgotten, unless the root is the very one that was made here last: see settled().
    void begin(const TreeRoot& catalog, std::uint64_t next_tree_id, History default_history, Txn txn,
               std::uint64_t number = 0);
    /// What was made here became the root of this number, so a transaction that begins on it finds its trees open.
    void settled(std::uint64_t number);
    /// Gives everything back.
    void abandon() noexcept;

    PageWriter& pages() { return pages_; }
    const PageSource& source() const { return pages_.source(); }
    Txn txn() const { return pages_.txn(); }
    const TreeRoot& catalog() const { return catalog_; }
    std::uint64_t next_tree_id() const { return next_tree_id_; }
    History default_history() const { return default_history_; }
    void set_default_history(History history);
    /// States before a point are given up.
    void prune(const Pruning& pruning);

    /// Index of an open tree; -1: there is none.
    int open(std::string_view name);
    int open(std::uint64_t id);
    OpenTree& tree(int index) { return trees_[index]; }
    std::size_t open_count() const { return trees_.size(); }
    int create(std::string_view name);
    int create(std::string_view name, std::uint64_t id);
    void drop(int index);
    void set_history(int index, History history);
    /// Retention as create_tree recorded it: the database's default counts as no retention of its own.
    void set_created_history(int index, History history);

    /// Notes what a redaction by this txn says of a record.
    void note_redacted(const Redaction& redaction);

    bool put(int tree, std::string_view key, std::string_view value);
    /// Puts a key that lies behind the last one of the tree, if the last put went to the last leaf and that takes it as
    /// it is; false: nothing was done.
    bool append_in_place(int tree, std::string_view key, std::string_view value);
    bool erase(int tree, std::string_view key);
    /// Behind the last key; invalid_argument where it is not.
    void append(int tree, std::string_view key, std::string_view value);
    std::uint64_t erase_range(int tree, std::string_view from, std::optional<std::string_view> to);

    /// Writes the roots of changed trees into the catalog.
    void store_entries();
    /// The same for the last time: ends all marks.
    void finish();

    struct Mark {
        PageWriter::Mark pages;
        TreeRoot catalog;
        std::uint64_t next_tree_id;
        History default_history;
        OpenTrees trees;
        Txn history_ended;
    };
    Mark mark();
    void rewind(const Mark& mark);
    /// A tree as it was at a mark; nullptr: there was none. Lives as long as the mark.
    const OpenTree* open(Mark& mark, std::string_view name) const;

    /// Moves the pages made so far into the file [EARLY-1]. `marks`: all that may still be gone back to. Views of keys
    /// and values end. After an error it can only be abandoned.
    void place_early(std::span<Mark* const> marks);
    /// Where pages take more than so many bytes, `make_room` is called by relieve().
    void limit_pages(std::uint64_t bytes, std::function<void()> make_room);
    void relieve() {
        if (pages_.bytes() > threshold_) [[unlikely]] make_room();
    }

private:
    int add(const CatalogEntry& entry);
    static OpenTree opened(const CatalogEntry& entry);
    void make_room();
    TreeFinger& finger(int tree);
    void lift_fingers() { fingers_.clear(); }
    void begin_history();
    void raise_floor(std::uint64_t id, Txn txn, const std::optional<Hash>& state = std::nullopt);
    void set_floor(std::uint64_t id, Txn floor, const std::optional<Hash>& state);
    void store_entry(const OpenTree& tree);
    PageWriter pages_;
    TreeRoot catalog_;
    std::uint64_t next_tree_id_ = 1;
    History default_history_;
    OpenTrees trees_;
    std::vector<TreeFinger> fingers_;  // by index of an open tree; those behind the end are on no leaf
    std::uint64_t budget_ = ~std::uint64_t{0};
    std::uint64_t threshold_ = ~std::uint64_t{0};
    std::function<void()> make_room_;
    Txn history_ended_ = 0;  // a txn by which something ceased to keep its past
    std::uint64_t settled_ = 0;  // number of the root whose trees are open; 0: none
};

}  // namespace northstar::inline v0::detail
