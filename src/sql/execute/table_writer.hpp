// table_writer.hpp -- rows of a table and their index entries, changed together.  Layer: sql.
//
// A row lies in the tree of its table under the encoded primary key, or under a number of its own where there is none
// or where it is deferrable.
// An entry of an index has the encoded columns as key, followed by the row's key unless the index is unique at every
// moment and no column is NULL; its value is the row's key. So entries of a deferrable key may begin alike until it is
// checked.
// What an exclusion constraint says of new entries is in exclusion_check.hpp.
// In a key WITHOUT OVERLAPS the last column is a period: entries with an equal rest are ordered by where they begin, so
// only the two neighbours of a new one can overlap it.
//
// [ROWS-1] A row and its index entries change in the same transaction, so an index never misses a row or has one too
// many.
#pragma once

#include "sql/bind/binder.hpp"
#include "sql/execute/evaluate.hpp"
#include "sql/execute/exclusion_check.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace northstar::inline v0::sql {

/// Where changes go: the transaction of the statement.
class WriteAccess {
public:
    virtual ~WriteAccess() = default;
    virtual WritableTree writable(const std::string& name, bool temporary) = 0;
    /// A number for a row without primary key; grows.
    virtual std::uint64_t next_row_number() = 0;
    virtual BindEnvironment& bind_environment() = 0;
    /// Another one for each transaction: trees of an earlier one are of no use.
    virtual std::uint64_t transaction_number() const = 0;
    /// Is the check of this constraint put off to the end of the transaction?
    virtual bool is_deferred(const ForeignKey& foreign) const = 0;
    virtual bool is_deferred(const Index& key) const = 0;
};

/// What is written of a table's rows from here on stands on its definition in the state of the transaction [MARK-2].
void stand_on_definition(WriteAccess& access, const Relation& relation);

/// A value of a deferrable key that more than one row had when a row with it was written, or a row that another one
/// excluded when it was written.
struct SuspectKey {
    const Index* index = nullptr;
    std::string key;  ///< the encoded columns; of an exclusion constraint the key of the row
};

class TableWriter {
public:
    TableWriter(std::shared_ptr<const Relation> relation, Execution& execution, WriteAccess& access);

    /// Key of the row that stands in the way of a new one in a unique index; nothing: none.
    std::optional<std::string> conflict(std::size_t index, const Value* row);
    /// Writes into the transaction of now on: what was made in an earlier one serves again.
    void renew();
    /// What deferrable keys and exclusion constraints are to be checked for when the statement or transaction ends.
    std::vector<SuspectKey>& suspects() { return suspects_; }
    /// Raises 23505 where two rows have the value of a deferrable key, 23P01 where one excludes the row.
    void check_suspect(const Index& index, const std::string& key);
    /// Checks all suspects now.
    void check_suspects();
    /// Adds a row; returns its key, valid until the next call. Raises 23505; then the statement must be undone.
    const std::string& insert(const Value* row);
    void erase(const std::string& key, const Value* row);
    /// Erases every row, which costs as much as one does; returns how many there were.
    std::uint64_t erase_all();
    /// Returns the new key, valid until the next call. Raises 23505; then the old row is gone, and the statement must
    /// be undone.
    const std::string& update(const std::string& key, const Value* old_row, const Value* new_row);
    /// Entries of one index, which is empty, for all rows (CREATE INDEX). Raises 23505, 23P01.
    void build_index(std::size_t index);
    /// The stored row, decoded into `row`; false: there is none. Payloads live in the arena.
    bool read(const std::string& key, Value* row, Arena& arena);
    /// Stores a row under the key that it had, whatever lies there (REVERT TABLE). Index entries are the caller's.
    void put_back(const std::string& key, const Value* row);
    /// Adds the index entries of a row that is stored. Raises 23505, 23P01.
    void insert_entries(const std::string& key, const Value* row);
    /// Where the index entries of a row lie: tree and key.
    std::vector<std::pair<std::string, std::string>> entries(const std::string& key, const Value* row);
    /// Keys of the rows whose columns have these values (NULLs match nothing).
    std::vector<std::string> find(const std::vector<int>& columns, const Value* values);
    const Relation& relation() const { return *relation_; }
    WritableTree& rows() { return rows_; }

private:
    /// When the columns of an entry must be those of no other one.
    enum class Uniqueness : std::uint8_t { never, when_checked, at_once };
    struct IndexAccess {
        const Index* index = nullptr;
        WritableTree tree;
        std::vector<std::unique_ptr<Evaluator>> expressions;  // by index column; null: a plain column
        std::unique_ptr<Evaluator> predicate;
        std::vector<std::size_t> read;                        // columns that expressions and predicate look at
        std::optional<ExclusionCheck> exclusion;
    };
    /// The columns of a row's entry; false: the predicate leaves it out.
    bool entry(IndexAccess& access, const Value* row, std::string& key, Uniqueness& unique);
    void insert_entry(IndexAccess& access, const Value* row, const std::string& row_key);
    /// Has the same entry before and after, because the values that it is made of are the same.
    bool keeps_entry(const IndexAccess& access, const Value* old_row, const Value* new_row) const;
    void erase_entry(IndexAccess& access, const Value* row, const std::string& row_key);
    void make_row_key(const Value* row, std::string& key);
    std::optional<std::string> overlapping(const Index& index, WritableTree& tree, const Value* row);
    void refuse_overlap(const Index& index, WritableTree& tree, const Value* row);
    /// What other entries say of a new one that is not known by its key alone.
    void check_entry(IndexAccess& access, const Value* row, const std::string& row_key);
    /// Does the tree have an entry whose key begins so?
    static bool begins_an_entry(WritableTree& tree, std::string_view key);
    /// `row_key` lies behind `key` in memory; `row` is room for a row. Raises 23505, 23P01.
    void add_to_new_index(IndexAccess& access, std::string_view key, std::string_view row_key, Uniqueness unique,
                          std::vector<Value>& row);
    [[noreturn]] void refuse_to_make(const Index& index, std::string_view row_key, std::vector<Value>& row);
    [[noreturn]] void duplicate(const Index& index, const Value* row);
    /// Binds an expression over a row of the table, and notes which columns it looks at.
    std::unique_ptr<Evaluator> evaluator(BoundExpr* expr, std::vector<std::size_t>& read);
    /// Before each change: reads the table's mark, once in a transaction.
    void begin_change();

    std::shared_ptr<const Relation> relation_;
    Execution& execution_;
    WriteAccess& access_;
    WritableTree rows_;
    int primary_ = -1;
    std::vector<IndexAccess> indexes_;  // without the primary key
    std::vector<ColumnId> columns_;     // of a row, for index expressions; empty: there are none
    std::vector<Value*> cells_;         // by column
    BoundPool pool_;
    std::vector<Oid> no_parameters_;
    std::unique_ptr<Binder> binder_;
    Arena arena_;
    std::uint64_t transaction_ = 0;     // that the trees belong to
    std::uint64_t standing_in_ = 0;     // transaction that stands on the definition already
    std::vector<SuspectKey> suspects_;
    // Used again for every row.
    std::string key_, bytes_, entry_, old_entry_;
};

/// "(a, b)=(1, 2)" for details of constraint errors.
std::string describe_key(const Relation& relation, const std::vector<int>& columns, const Value* row, Session& session);

}  // namespace northstar::inline v0::sql
