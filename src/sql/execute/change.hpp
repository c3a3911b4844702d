// change.hpp -- running INSERT, UPDATE, DELETE and MERGE.  Layer: sql.
//
// [CHANGE-1] The source is read to its end before anything is written, so a statement never sees its own changes.
// [CHANGE-2] Constraints between tables are checked when the statement is done, over all its rows; deferred ones are
//            handed to the session.
#pragma once

#include "sql/execute/table_writer.hpp"

#include <map>
#include <string>
#include <vector>

namespace northstar::inline v0::sql {

/// A foreign key that is still to be checked: of the referring side (a new row needs its parent) or of the referred one
/// (an old key that rows may still refer to).
struct PendingCheck {
    Oid table = 0;            ///< that has the foreign key
    std::string constraint;
    bool child = false;
    RowStore values;          ///< one row: the values of the key
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
    std::uint64_t run(BoundChange& change, RowStore& returned);
    /// REVERT TABLE: makes the keys have the rows of then. All constraints are checked as for an UPDATE.
    std::uint64_t restore(BoundChange& change, std::vector<RestoredRow>& rows);
    /// What deferred constraints left over, in order.
    std::vector<PendingCheck>& deferred() { return deferred_; }
    /// Checks one that was left over. Raises 23503.
    void check(PendingCheck& pending);
    /// Asked for each deferrable constraint: is it deferred now?
    virtual bool is_deferred(const ForeignKey& foreign) { return foreign.deferrable && foreign.initially_deferred; }
    virtual ~ChangeRunner() = default;
    /// Keys of rows that ERASE is to remove for good.
    std::vector<std::pair<std::string, std::string>>& redactions() { return redactions_; }

private:
    struct Target;
    /// A row that was added, changed or erased.
    struct Event {
        std::shared_ptr<const Relation> relation;
        bool has_old = false;
        bool has_new = false;
        std::vector<Value> old_row, new_row;
    };

    void insert(BoundChange& change, Target& target);
    void update(BoundChange& change, Target& target);
    void erase(BoundChange& change, Target& target);
    void merge(BoundChange& change, Target& target);
    bool insert_row(BoundChange& change, Target& target, std::vector<Value>& row, std::size_t source_row);
    void conflict_update(BoundChange& change, Target& target, const std::string& key, const std::vector<Value>& row,
                         std::size_t source_row);
    void update_row(BoundChange& change, Target& target, const std::string& key, const std::vector<Value>& old_row,
                    std::vector<Value>& row, std::size_t source_row);
    void erase_row(BoundChange& change, Target& target, const std::string& key, const std::vector<Value>& row,
                   std::size_t source_row);
    void finish_row(BoundChange& change, Target& target, std::vector<Value>& row);
    // FOR PORTION OF (change_portion.cpp)
    bool clip(BoundChange& change, Target& target, const std::vector<Value>& old_row, std::vector<Value>& row);
    void keep_rest(BoundChange& change, Target& target, const std::vector<Value>& old_row);
    void returning(BoundChange& change, Target& target, const std::vector<Value>& row, std::size_t source_row);
    // foreign keys (foreign_keys.cpp)
    TableWriter& writer(Oid table);
    void note(const Relation& relation, const Value* old_row, const Value* new_row);
    void settle();
    void settle_parent(Event& event, const Relation& child, const ForeignKey& foreign);
    void cascade(Event& event, const Relation& child, const ForeignKey& foreign, ForeignAction action);
    [[noreturn]] void missing_parent(const Relation& child, const ForeignKey& foreign, const Value* values);
    [[noreturn]] void still_referred(const Relation& child, const ForeignKey& foreign, const Value* values);
    bool parent_exists(const ForeignKey& foreign, const Value* values);
    bool parents_cover(const ForeignKey& foreign, const Value* values);
    void settle_period(Event& event, const Relation& child, const ForeignKey& foreign);

    Execution& execution_;
    WriteAccess& access_;
    std::map<Oid, std::unique_ptr<TableWriter>> writers_;
    std::vector<Event> events_;
    Arena event_arena_;
    std::vector<PendingCheck> deferred_;
    std::vector<std::pair<std::string, std::string>> redactions_;
    std::vector<std::unique_ptr<BoundPool>> pools_;
};

}  // namespace northstar::inline v0::sql
