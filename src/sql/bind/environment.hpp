// environment.hpp -- what binding asks of the session that it binds for.  Layer: sql.
#pragma once

#include "sql/plan/plan.hpp"
#include "sql/plan/read_point.hpp"
#include "sql/session.hpp"
#include "sql/syntax/statement.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace northstar::inline v0::sql {

/// A relation that is computed, or a view that every database has, e.g. of information_schema.
struct VirtualTable {
    std::string schema;
    std::string name;
    std::vector<OutputColumn> columns;
    std::string query;  ///< of a view; its columns are those of the query
    Oid oid = 0;        ///< of a computed one: its rows have the column tableoid behind the others; 0: they have not
};

/// What AS OF says, bound: computed anew whenever its statement runs.
struct PointExpr {
    /// bigint: a commit; timestamptz: the newest one at or before; text: the one with that tag; null: the newest.
    BoundExpr* value = nullptr;
    std::uint32_t position = 0;  ///< of the clause in the text
};

class BindEnvironment {
public:
    virtual ~BindEnvironment() = default;
    virtual Session& session() = 0;
    virtual ReadPoint& present() = 0;
    /// The state after commit n. Raises 72000 where it is not retained, 22023 where it is in the future.
    virtual ReadPoint& past(std::uint64_t txn) = 0;
    /// The state that a clause means now; a plan that is kept has it moved when it runs again. Raises what past(txn)
    /// raises and what commit_of() raises: 22023 where the clause names none.
    virtual ReadPoint& past(const PointExpr& point) = 0;
    virtual std::uint64_t commit_of(const PointExpr& point) = 0;
    /// The point that the transaction or the session reads at, where one is set.
    virtual ReadPoint* default_point() = 0;
    /// The statement as a whole reads this state: from now on its types are those of then.
    virtual void read_whole_at(const ReadPoint& point) = 0;
    /// The catalog in which the statement's types are.
    virtual const Catalog& catalog_of_types() = 0;
    /// The valid time that the session reads at, where one is set.
    virtual const syntax::TimeRange* default_valid_time() = 0;
    /// The schemas in which names without one are looked up, in order.
    virtual const std::vector<std::string>& search_path() = 0;
    /// `path` must live until it is exchanged again; returns the one before.
    virtual const std::vector<std::string>& exchange_search_path(const std::vector<std::string>& path) = 0;
    /// Value of an expression without columns; parameters have the values of the execution, or 42P18 is raised.
    virtual Value evaluate(BoundExpr& expr, Arena& arena) = 0;
    /// What is being bound holds for this moment alone: its plan must not be kept.
    virtual void depends_on_moment() = 0;
    /// The key of the row that a cursor is on, for a change of it in that table. Raises 34000 and 24000.
    virtual std::string cursor_row(std::string_view cursor, const Relation& table) = 0;
    /// True while a statement is only described: its parameters have no values yet.
    virtual bool describing() = 0;
    virtual int find_virtual_table(std::string_view schema, std::string_view name) = 0;
    virtual const VirtualTable& virtual_table(int number) = 0;
    virtual void notice(SqlState state, std::string message) = 0;
};

/// While it lives, names without a schema are looked up along another path.
class UnderSearchPath {
public:
    UnderSearchPath(BindEnvironment& environment, const std::vector<std::string>& path)
        : environment_(environment), before_(environment.exchange_search_path(path)) {}
    ~UnderSearchPath() { environment_.exchange_search_path(before_); }
    UnderSearchPath(const UnderSearchPath&) = delete;
    UnderSearchPath& operator=(const UnderSearchPath&) = delete;

private:
    BindEnvironment& environment_;
    const std::vector<std::string>& before_;
};

}  // namespace northstar::inline v0::sql
