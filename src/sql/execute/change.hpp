// change.hpp -- running INSERT, UPDATE, DELETE and MERGE.  Layer: sql.
//
// [CHANGE-1] A statement never sees its own changes: the source is read to its end before anything is written, unless
//            nothing that is written can be met by what is left to read (source_flow.hpp). Of several changes in one
//            statement (WITH) all read what was there before the first; a row that one of them has changed is passed
//            over by the others.
// [CHANGE-2] Constraints between tables, and keys that are deferrable, are checked when the statement is done, over all
//            its rows; deferred ones are handed to the session.
#pragma once

#include "sql/execute/partition_route.hpp"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace northstar::inline v0::sql {

/// A constraint that is still to be checked: a foreign key of the referring side (a new row needs its parent) or of the
/// referred one (an old key that rows may still refer to), or a value of a deferrable key that several rows had.
struct PendingCheck {
    enum class Kind : std::uint8_t { referring, referred, unique } kind = Kind::referred;
    Oid table = 0;            ///< that has the constraint
    std::string constraint;
    std::vector<Value> values;  ///< of a foreign key
    std::shared_ptr<Arena> memory;  ///< of the values of one that waits; many share it
    std::string key;          ///< of a unique one: the encoded columns
};

/// What lay under a key at an earlier commit.
struct RestoredRow {
    std::string key;
    bool present = false;     ///< false: nothing
    std::vector<Value> row;   ///< in today's columns; those that came later are missing at its end
};

class ChangeRunner {
public:
    ChangeRunner(Execution& execution, WriteAccess& access) : execution_(execution), access_(access) {}

    /// Rows of RETURNING are appended. Returns the number of rows changed.
    std::uint64_t run(BoundChange& change, KeptRows& returned);
    /// The same for one of several changes that are one statement; settle() follows the last.
    std::uint64_t run_part(BoundChange& change, KeptRows& returned);
    /// Checks what the changed rows ask of other tables, or carries it out, and deferrable keys. Raises 23503, 23505.
    void settle();
    /// REVERT TABLE: makes the keys have the rows of then. All constraints are checked as for an UPDATE.
    std::uint64_t restore(BoundChange& change, std::vector<RestoredRow>& rows);
    /// What deferred constraints left over, in order.
    std::vector<PendingCheck>& deferred() { return deferred_; }
    /// Checks one that was left over. Raises 23503, 23505.
    void check(PendingCheck& pending);
    /// Table and key of rows that ERASE is to remove for good, with those that foreign keys delete along.
    std::vector<std::pair<Oid, std::string>>& redactions() { return redactions_; }

private:
    friend class PointChange;
    struct Target;
    /// A row that was added, changed or erased.
    struct Event {
        std::shared_ptr<const Relation> relation;
        bool has_old = false;
        bool has_new = false;
        std::vector<Value> old_row, new_row;
    };

    /// Forgets an earlier run, and what belonged to an earlier transaction.
    void start_again(std::uint64_t transaction);
    void apply(BoundChange& change, Target& target);
    std::uint64_t apply_all(BoundChange& change, KeptRows& returned);
    bool passes_over(Target& target);
    void changed(Target& target, const std::string& key);
    void insert(BoundChange& change, Target& target);
    void update(BoundChange& change, Target& target);
    bool takes_all_rows(const BoundChange& change);
    void erase(BoundChange& change, Target& target);
    void merge(BoundChange& change, Target& target);
    bool insert_row(BoundChange& change, Target& target, std::vector<Value>& row, std::size_t source_row);
    void conflict_update(BoundChange& change, Target& target, const std::string& key, const std::vector<Value>& row,
                         std::size_t source_row);
    void note_presence(const BoundChange& change, bool was_there);
    void make_conflict_ready(BoundChange& change, Target& target);
    void update_row(BoundChange& change, Target& target, const std::string& key, const std::vector<Value>& old_row,
                    std::vector<Value>& row, std::size_t source_row);
    void erase_row(BoundChange& change, Target& target, const std::string& key, const std::vector<Value>& row,
                   std::size_t source_row);
    void finish_row(BoundChange& change, Target& target, std::vector<Value>& row);
    void check_views(const BoundChange& change, Target& target, const std::vector<Value>& row);
    std::string describe_failing(const Relation& relation, const std::vector<Value>& row);
    // FOR PORTION OF (change_portion.cpp)
    bool clip(BoundChange& change, Target& target, const std::vector<Value>& old_row, std::vector<Value>& row);
    void keep_rest(BoundChange& change, Target& target, const std::vector<Value>& old_row);
    void returning(Target& target, const std::vector<Value>& row, std::size_t source_row);
    // foreign keys (foreign_keys.cpp)
    TableWriter& writer(Oid table);
    void note(const Relation& relation, const Value* old_row, const Value* new_row);
    bool concerns_others(const Relation& relation, const Value* old_row, const Value* new_row);
    /// Takes over the keys that are to be checked because of the row that was just written.
    void take_suspects(const Relation& relation, TableWriter& writer);
    void settle_keys();
    bool leaves_partition(const Event& event, Oid partition);
    void settle_parent(Event& event, const Relation& child, const ForeignKey& foreign);
    void defer(PendingCheck::Kind kind, const Relation& child, const ForeignKey& foreign,
               const std::vector<Value>& values);
    void cascade(Event& event, const Relation& child, const ForeignKey& foreign, ForeignAction action);
    [[noreturn]] void missing_parent(const Relation& child, const ForeignKey& foreign, const Value* values);
    [[noreturn]] void still_referred(const Relation& child, const ForeignKey& foreign, const Value* values);
    bool parent_exists(const ForeignKey& foreign, const Value* values);
    /// Is the row of that table in the partition? 0 is the whole table.
    bool in_partition(const Relation& root, Oid partition, const Value* row);
    /// Keys of the rows that refer by a foreign key to these values.
    std::vector<std::string> referring_rows(const Relation& child, const ForeignKey& foreign, const Value* values);
    bool parents_cover(const ForeignKey& foreign, const Value* values);
    void settle_period(Event& event, const Relation& child, const ForeignKey& foreign);

    Execution& execution_;
    WriteAccess& access_;
    std::map<Oid, std::unique_ptr<TableWriter>> writers_;
    std::map<Oid, std::vector<std::vector<int>>> referred_;  ///< columns of a table that foreign keys refer to
    bool parts_ = false;                                     ///< one of several changes in a statement
    std::set<std::pair<Oid, std::string>> changed_;          ///< rows that they made or changed
    std::map<Oid, std::unique_ptr<PartitionTest>> partition_tests_;
    std::vector<Event> events_;
    Arena event_arena_;
    std::vector<PendingCheck> suspects_;                     ///< keys to be checked when the statement is done
    std::vector<PendingCheck> deferred_;
    std::shared_ptr<Arena> deferred_memory_;
    std::vector<std::pair<Oid, std::string>> redactions_;
    bool erases_ = false;                                    ///< the statement is ERASE
    std::vector<std::unique_ptr<BoundPool>> pools_;
    std::uint64_t transaction_ = 0;                          ///< that writers_ belong to
};

}  // namespace northstar::inline v0::sql
