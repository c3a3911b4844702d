// execution.hpp -- one run of a statement: parameters, cells for outer columns, shared results.  Layer: sql.
//
// [EXEC-1] A column that an operator's input lacks is read from its cell; whoever runs the operator again for another
//          outer row fills the cell before.
#pragma once

#include "sql/bind/environment.hpp"
#include "sql/execute/batch.hpp"
#include "sql/execute/kept_rows.hpp"
#include "sql/execute/tuple_table.hpp"
#include "sql/plan/describe.hpp"
#include "sql/plan/plan.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace northstar::inline v0::sql {

class Execution;

/// What a join knows before it reads its left side: rows whose key is not in the table have no partner. Whoever reads
/// rows below may drop those early; nobody has to. (Semi-join reduction: Bernstein, Chiu, "Using Semi-Joins to Solve
/// Relational Queries", JACM 28(1), 1981.)
struct KeyFilter {
    TupleTable* table = nullptr;
    bool active = false;  ///< the table is complete
};

struct KeyBound;  // sort_key.hpp

class Operator {
public:
    virtual ~Operator() = default;
    /// From the start, with the present values of the cells.
    virtual void open() = 0;
    /// The next rows (at least one), or nullptr at the end. Owned by the operator.
    virtual Batch* next() = 0;
    /// After open(): the number of rows that next() would hand out, where it is known without reading them. Then they
    /// are not handed out any more.
    virtual std::optional<std::uint64_t> take_count() { return std::nullopt; }
    /// After open(): passes over rows that would come next, as far as that costs less than to hand them out, and says
    /// over how many.
    virtual std::uint64_t skip(std::uint64_t rows) {
        static_cast<void>(rows);
        return 0;
    }
    /// Before open(): of the rows of each member (AccessPath::members_in_order) the first so many are enough.
    virtual void want_of_each_member(std::uint64_t rows) { static_cast<void>(rows); }
    /// Before open(): no more than the first so many rows in the order of the keys are asked for (0: all of them).
    /// They may come in any order, others among them.
    virtual void want_first(std::size_t rows, const std::vector<SortKey>& keys) {
        static_cast<void>(rows);
        static_cast<void>(keys);
    }
    /// Offers a bound beyond which nobody asks for rows, by the values of a column, before the first open(). It lives
    /// as long as the operator, which may pass such rows on.
    virtual void accept_bound(const KeyBound& bound, ColumnId column) {
        static_cast<void>(bound);
        static_cast<void>(column);
    }
    /// Offers a filter on columns of its batches, before the first open(). It lives as long as the operator. False: it
    /// will not be used.
    virtual bool accept(const KeyFilter& filter, const std::vector<ColumnId>& columns) {
        static_cast<void>(filter);
        static_cast<void>(columns);
        return false;
    }
    /// How many rows its conditions refused since it was asked last.
    virtual std::uint64_t take_refused() { return 0; }
    /// Behind the last next() of a run: lets go of what belongs to that. True: it holds little, and open() may begin
    /// another run of the statement, with other parameters and another state of the database.
    virtual bool finish_run() { return false; }
    /// What the columns of its batches are.
    const std::vector<ColumnId>& columns() const { return columns_; }

protected:
    std::vector<ColumnId> columns_;
};

/// What the executor asks of the session, besides what functions do.
class ExecutionHost {
public:
    virtual ~ExecutionHost() = default;
    /// Runs INSERT, UPDATE, DELETE or MERGE; rows of RETURNING go into `rows`. Returns the number of rows changed.
    virtual std::uint64_t run_change(Execution& execution, BoundChange& change, KeptRows& rows) = 0;
    virtual void virtual_rows(Execution& execution, const Plan& plan, RowStore& rows) = 0;
    /// Versions of a table's rows over a range of commits.
    virtual void version_rows(Execution& execution, const Plan& plan, RowStore& rows) = 0;
    /// When a commit was made, in microseconds since 2000-01-01 UTC.
    virtual std::uint64_t commit_time(std::uint64_t txn) = 0;
    /// The first commit behind `txn` that changed the entry of a key; nothing: none did.
    virtual std::optional<std::uint64_t> commit_after(const std::string& tree, std::string_view key,
                                                      std::uint64_t txn) = 0;
    /// Locks a row of a table by its key (FOR UPDATE and its kin); false: it is to be left out (SKIP LOCKED). Raises
    /// 55P03 with NOWAIT.
    virtual bool lock_row(Oid table, std::string_view key, LockStrength strength, LockWait wait) = 0;
    /// What is read between watch_reads(false) and watch_reads(true) may change before the commit, unless the
    /// transaction is serializable. Pairs may stand within each other.
    virtual void watch_reads(bool on) = 0;
    /// The present is read from a snapshot: views into its trees live as long as the statement.
    virtual bool reads_snapshot() const = 0;
    /// Bytes that one operator may hold before it puts rows aside in a file.
    virtual std::size_t memory_limit() const = 0;
    /// Where operators note what they do; nullptr: nobody asks.
    virtual PlanActuals* actuals() = 0;
};

class Execution {
public:
    Execution(Session& session, ExecutionHost& host, const std::vector<Value>& parameters)
        : session_(session), host_(host), parameters_(&parameters) {}
    /// Of another run of what was made ready for this execution.
    void set_parameters(const std::vector<Value>& parameters) { parameters_ = &parameters; }

    Session& session() { return session_; }
    ExecutionHost& host() { return host_; }
    const Value& parameter(std::int64_t number) const {
        static const Value nothing;
        const auto at = static_cast<std::size_t>(number) - 1;
        return at < parameters_->size() ? (*parameters_)[at] : nothing;
    }
    /// Stays where it is for the whole execution.
    Value& cell(ColumnId column) { return cells_[column]; }
    KeptRows*& working_table(int number) { return working_[number]; }
    /// Rows of a WITH query as far as they were asked for; those of one that changes data are all there.
    KeptRows& common(CommonTablePlan& table);
    /// Computes further rows of it; false: there are none. So a reader that stops early never waits for the rest,
    /// which may be without end.
    bool extend(CommonTablePlan& table);
    /// Alike in every respect: values that are equal and yet differ (1.0 and 1.00) are not.
    bool is_same(const Value& a, const Value& b) const;
    Arena& arena() { return arena_; }
    void check_cancelled() {
        if (session_.host != nullptr) session_.host->check_cancelled();
    }

private:
    struct Shared {
        KeptRows rows;
        std::unique_ptr<Operator> source;  ///< null at the end, unless it may run again for other outer values
        bool ended = false;
        std::vector<std::size_t> places;   ///< of the columns wanted in what the source makes
        std::vector<Value> outer;          ///< what the columns further out held when it began
        Arena outer_arena;
        bool started = false;
    };
    Shared& shared(CommonTablePlan& table);
    /// Do the columns further out hold what they held when the rows were computed?
    bool is_current(const CommonTablePlan& table, const Shared& shared);

    Session& session_;
    ExecutionHost& host_;
    const std::vector<Value>* parameters_;
    Arena arena_;
    std::unordered_map<ColumnId, Value> cells_;
    std::map<int, KeptRows*> working_;
    std::map<CommonTablePlan*, std::unique_ptr<Shared>> shared_;
};

/// So many bytes of an operator, and rows of its batches, are worth keeping for the next run of a statement: who makes
/// more of them does not feel what it costs to make the operator.
inline constexpr std::size_t k_kept_bytes = 65536, k_kept_rows = 256;

/// Builds the operators of a plan.
std::unique_ptr<Operator> build_operator(Plan& plan, Execution& execution);

/// A plan with its operators, to be run several times. For few rows, to build these takes as long as to run them.
class PlanRun {
public:
    /// The rows have the columns `wanted`, in order.
    PlanRun(Plan& plan, const std::vector<ColumnId>& wanted, Session& session, ExecutionHost& host,
            const std::vector<Value>& parameters);

    Execution& execution() { return execution_; }
    /// Were the operators built for what the session reads now?
    bool fits(const ExecutionHost& host) const { return host.reads_snapshot() == snapshot_; }
    /// To the end; false: it cannot run again.
    bool run(RowStore& rows);

private:
    Execution execution_;
    bool snapshot_;
    std::unique_ptr<Operator> root_;
    std::vector<std::size_t> places_;
};

/// Runs a plan to the end; the store has the columns `wanted`, in order.
void run_plan(Plan& plan, const std::vector<ColumnId>& wanted, Execution& execution, RowStore& rows);
void run_plan(Plan& plan, const std::vector<ColumnId>& wanted, Execution& execution, KeptRows& rows);

}  // namespace northstar::inline v0::sql
