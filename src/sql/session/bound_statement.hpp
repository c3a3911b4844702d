// bound_statement.hpp -- a query or a change of data that was bound and optimized, to be run any number of times.
// Layer: sql.
//
// [BOUND-1] It is right as long as the catalog and the settings are those that it was bound with, the session reads at
//           the present, and the states of AS OF have the catalogs that they had. What depends on more (literals such
//           as 'now') is not reusable.
#pragma once

#include "sql/bind/binder.hpp"
#include "sql/execute/execution.hpp"
#include "sql/execute/point_change.hpp"
#include "sql/execute/point_query.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace northstar::inline v0::sql {

/// A state of the past, open while a statement runs.
struct PastPoint : ReadPoint {
    std::optional<Snapshot> snapshot;
    Tree tree(const std::string& name, bool temporary) override;
    double row_count(const std::string& name, bool temporary) override;
    double entry_count(const std::string&, bool, const std::string&, const std::string&) override { return -1; }
    void show(const std::string&, bool, const std::function<void(const Tree&)>&) override {}
};

/// That of an AS OF, which may be another one at each run.
struct MovingPoint final : PastPoint {
    PointExpr point;
    bool whole = false;  ///< of the statement itself
};

/// How many rows a tree had when a plan was made, or how many entries it had between two keys.
struct PlannedSize {
    std::string tree;
    bool temporary = false;
    double rows = 0;
    bool part = false;
    std::string from = {}, to = {};
};

struct BoundStatement {
    std::shared_ptr<const Catalog> catalog;  ///< null: not bound yet
    std::uint64_t settings = 0;              ///< SqlSession's number of them
    bool reusable = false;
    std::vector<Oid> declared;               ///< types that parameters have in any case; 0: to be inferred
    std::vector<Oid> domains;                ///< what PREPARE declared parameters as, where that is a domain
    std::vector<Oid> parameter_types;
    std::unique_ptr<BoundPool> pool;
    std::unique_ptr<Binder> binder;          ///< owner of texts that the plan views
    BoundQuery query;                        ///< optimized
    BoundChange* change = nullptr;
    std::optional<PointQuery> point;         ///< where the query is one look-up by primary key
    std::unique_ptr<PointChange> point_change;  ///< where the change has that shape; uses the pool
    std::string noted;                       ///< the text as commits have it; empty: not known yet
    std::vector<std::shared_ptr<MovingPoint>> points;
    std::vector<PlannedSize> sizes;          ///< what the plan was chosen by; empty: it is the only one
    std::uint64_t sizes_compared = 0;        ///< the commit at which those of whole trees were last
    std::uint64_t parts_compared = 0;        ///< and those of parts
    std::unique_ptr<PlanRun> kept;           ///< of the query, for its next run; null: there is none
    std::unique_ptr<LiteralSlots> literals;  ///< parameters that literals became; null: they are constants
    std::unique_ptr<KeptLiterals> kept_literals;  ///< of a PREPARE; null: they are read whenever it is bound
    std::vector<std::string> path;           ///< the search path with which those were read
};

/// A statement kept with its text: what PREPARE, the connection's cache and SqlStatement hold.
struct PreparedPlan {
    enum class Literals : std::uint8_t { plain, numbered };
    /// Parses. Raises 42601, also for more than one statement.
    explicit PreparedPlan(std::string_view source, Literals literals = Literals::plain);
    PreparedPlan(const PreparedPlan&) = delete;
    PreparedPlan& operator=(const PreparedPlan&) = delete;

    std::string text;
    Arena arena;                                   ///< of the tree
    const syntax::Statement* statement = nullptr;  ///< null: the text is empty
    BoundStatement bound;
    std::vector<OutputColumn> promised;  ///< the columns that its PREPARE found
    std::string declared_by;  ///< the text of its PREPARE
    std::int64_t since = 0;   ///< when that was
};

}  // namespace northstar::inline v0::sql
