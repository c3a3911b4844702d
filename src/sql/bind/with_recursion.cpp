#include "sql/bind/with_recursion.hpp"

#include "sql/bind/binder.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace with_recursion {

using syntax::JoinKind;
using syntax::Name;
using syntax::SetOperation;

/// Where the walk is, inside a query that names itself. All but the first refuse the name.
enum class Place { step, start, subquery, outer_join, intersect, except };

const char* name_of(Place place) {
    switch (place) {
        case Place::start: return "its non-recursive term";
        case Place::subquery: return "a subquery";
        case Place::outer_join: return "an outer join";
        case Place::intersect: return "INTERSECT";
        case Place::except: return "EXCEPT";
        case Place::step: break;
    }
    return "";
}

/// Everything in a statement that can name a table.
class Walk {
public:
    explicit Walk(const syntax::WithClause& with) : tables_(with.tables), named_(with.tables.size(), false) {}

    /// Which queries of the clause this one names.
    std::vector<bool> names_in(const syntax::Statement& body) {
        std::fill(named_.begin(), named_.end(), false);
        statement(body);
        return named_;
    }

    /// start UNION step: refuses the name of the query itself everywhere but at one place of the step.
    void judge(std::size_t table) {
        const syntax::Query& query = *tables_[table].body->query;
        judged_ = table;
        at(Place::start, [&] { this->query(*query.left); });
        references_ = 0;
        at(Place::step, [&] { this->query(*query.right); });
        const std::size_t before = hidden_.size();
        if (query.with != nullptr) at(Place::subquery, [&] { with(*query.with); });
        hidden_.resize(before);
        judged_ = k_nobody;
    }

private:
    static constexpr std::size_t k_nobody = static_cast<std::size_t>(-1);

    template <class Visit>
    void at(Place place, Visit&& visit) {
        const Place before = std::exchange(place_, place);
        visit();
        place_ = before;
    }
    /// A place that refuses the name inside of one that allows it; what is refused already stays so.
    template <class Visit>
    void refused_at(bool refused, Place place, Visit&& visit) {
        at(refused && place_ == Place::step ? place : place_, visit);
    }

    void table(const syntax::QualifiedName& name) {
        if (name.parts.size() != 1 || std::find(hidden_.begin(), hidden_.end(), name.last()) != hidden_.end()) return;
        for (std::size_t i = 0; i < tables_.size(); ++i) {
            if (tables_[i].name != name.last()) continue;
            named_[i] = true;
            if (i != judged_) continue;
            const std::string start =
                "recursive reference to query \"" + std::string(name.last()) + "\" must not appear ";
            if (place_ != Place::step)
                raise_at(sqlstate::invalid_recursion, start + "within " + name_of(place_), name.position);
            if (++references_ > 1) raise_at(sqlstate::invalid_recursion, start + "more than once", name.position);
        }
    }

    void statement(const syntax::Statement& statement) {
        if (statement.query != nullptr) query(*statement.query);
        if (statement.change != nullptr) change(*statement.change);
    }

    /// The names of the clause stay hidden until the caller ends the query that it belongs to.
    void with(const syntax::WithClause& clause) {
        if (clause.recursive)
            for (const syntax::CommonTable& inner : clause.tables) hidden_.push_back(inner.name);
        for (const syntax::CommonTable& inner : clause.tables) {
            statement(*inner.body);
            if (!clause.recursive) hidden_.push_back(inner.name);
        }
    }

    void query(const syntax::Query& query) {
        const std::size_t before = hidden_.size();
        if (query.with != nullptr) with(*query.with);
        if (query.kind == syntax::QueryKind::set_operation && query.united() != nullptr) {
            const syntax::Query* at = &query;
            std::vector<const syntax::Query*> branches = {at->right};
            while ((at = at->united()) != nullptr) {
                branches.push_back(at->right);
                if (at->united() == nullptr) branches.push_back(at->left);
            }
            for (std::size_t i = branches.size(); i-- > 0;) this->query(*branches[i]);
            clauses(query);
            hidden_.resize(before);
            return;
        }
        const bool intersect = query.operation == SetOperation::intersect;
        const bool except = query.operation == SetOperation::except;
        const Place set = intersect ? Place::intersect : Place::except;
        if (query.left != nullptr)
            refused_at((intersect || except) && query.all, set, [&] { this->query(*query.left); });
        if (query.right != nullptr)
            refused_at(except || (intersect && query.all), set, [&] { this->query(*query.right); });
        for (const syntax::Target& target : query.targets) expr(target.expr);
        for (const syntax::FromItem* item : query.from) from(*item);
        expr(query.where);
        for (const syntax::Expr* item : query.group_by) expr(item);
        expr(query.having);
        for (const syntax::WindowSpec& item : query.windows) window(item);
        for (const auto& row : query.rows)
            for (const syntax::Expr* item : row) expr(item);
        for (const syntax::Expr* item : query.distinct_on) expr(item);
        clauses(query);
        hidden_.resize(before);
    }

    void clauses(const syntax::Query& query) {
        for (const syntax::SortItem& item : query.order_by) expr(item.expr);
        expr(query.limit);
        expr(query.offset);
    }

    void from(const syntax::FromItem& item) {
        switch (item.kind) {
            case syntax::FromKind::table: table(item.table); return;
            case syntax::FromKind::query: query(*item.query); return;
            case syntax::FromKind::function:
            case syntax::FromKind::rows_from:
                for (const syntax::Expr* call : item.functions) expr(call);
                return;
            case syntax::FromKind::join: {
                const bool full = item.join == JoinKind::full;
                refused_at(full || item.join == JoinKind::right, Place::outer_join, [&] { from(*item.left); });
                refused_at(full || item.join == JoinKind::left, Place::outer_join, [&] { from(*item.right); });
                expr(item.on);
            }
        }
    }

    void expr(const syntax::Expr* node) {
        if (node == nullptr) return;
        for (const syntax::Expr* arg : node->args) expr(arg);
        if (node->query != nullptr)
            at(judged_ == k_nobody ? place_ : Place::subquery, [&] { query(*node->query); });
        if (node->call == nullptr) return;
        for (const syntax::SortItem& item : node->call->order_by) expr(item.expr);
        expr(node->call->filter);
        if (node->call->over != nullptr) window(*node->call->over);
    }

    void window(const syntax::WindowSpec& window) {
        for (const syntax::Expr* item : window.partition_by) expr(item);
        for (const syntax::SortItem& item : window.order_by) expr(item.expr);
        expr(window.begin_offset);
        expr(window.end_offset);
    }

    void assignments(const syntax::List<syntax::Assignment>& list) {
        for (const syntax::Assignment& assignment : list) {
            for (const syntax::Expr* step : assignment.subscripts) expr(step);
            expr(assignment.value);
        }
    }

    void change(const syntax::DataChange& change) {
        const std::size_t before = hidden_.size();
        if (change.with != nullptr) with(*change.with);
        if (change.source != nullptr) query(*change.source);
        for (const syntax::SortItem& item : change.conflict.target) expr(item.expr);
        expr(change.conflict.target_where);
        assignments(change.conflict.assignments);
        expr(change.conflict.where);
        assignments(change.assignments);
        for (const syntax::FromItem* item : change.from) from(*item);
        expr(change.where);
        for (const syntax::MergeAction& action : change.merge_actions) {
            expr(action.condition);
            assignments(action.assignments);
            for (const syntax::Expr* value : action.values) expr(value);
        }
        for (const syntax::Target& target : change.returning) expr(target.expr);
        hidden_.resize(before);
    }

    syntax::List<syntax::CommonTable> tables_;
    std::vector<bool> named_;
    std::vector<Name> hidden_;  ///< names of WITH queries further in
    std::size_t judged_ = k_nobody;
    Place place_ = Place::step;
    int references_ = 0;
};

/// Places such that every query comes behind those that it names.
std::vector<std::size_t> sorted(const syntax::WithClause& with, const std::vector<std::vector<bool>>& names) {
    const std::size_t count = with.tables.size();
    std::vector<std::size_t> order;
    std::vector<bool> placed(count, false);
    while (order.size() < count) {
        std::size_t next = count;
        for (std::size_t i = 0; i < count && next == count; ++i) {
            bool ready = !placed[i];
            for (std::size_t k = 0; k < count; ++k) ready = ready && (k == i || placed[k] || !names[i][k]);
            if (ready) next = i;
        }
        if (next == count) {
            const auto left = std::find(placed.begin(), placed.end(), false) - placed.begin();
            raise_at(sqlstate::feature_not_supported, "mutual recursion between WITH items is not implemented",
                     with.tables[static_cast<std::size_t>(left)].position);
        }
        placed[next] = true;
        order.push_back(next);
    }
    return order;
}

void require_form(const syntax::CommonTable& table) {
    const std::string name = "recursive query \"" + std::string(table.name) + "\"";
    if (table.body->kind != syntax::StatementKind::query)
        raise_at(sqlstate::invalid_recursion, name + " must not contain data-modifying statements", table.position);
    const syntax::Query& query = *table.body->query;
    if (query.kind != syntax::QueryKind::set_operation || query.operation != SetOperation::union_)
        raise_at(sqlstate::invalid_recursion,
                 name + " does not have the form non-recursive-term UNION [ALL] recursive-term", table.position);
}

void refuse_decoration(const syntax::Query& query) {
    const auto refuse = [](const char* clause, std::uint32_t position) {
        raise_at(sqlstate::feature_not_supported, std::string(clause) + " in a recursive query is not implemented",
                 position);
    };
    if (!query.order_by.empty()) refuse("ORDER BY", query.order_by[0].expr->position);
    if (query.offset != nullptr) refuse("OFFSET", query.offset->position);
    if (query.limit != nullptr) refuse("LIMIT", query.limit->position);
    if (!query.locking.empty()) refuse("FOR UPDATE/SHARE", query.position);
}

}  // namespace with_recursion

WithRecursion examine_recursion(const syntax::WithClause& with) {
    using namespace with_recursion;
    Walk walk(with);
    std::vector<std::vector<bool>> names;
    WithRecursion result;
    for (std::size_t i = 0; i < with.tables.size(); ++i) {
        names.push_back(walk.names_in(*with.tables[i].body));
        result.recursive.push_back(names[i][i]);
    }
    result.order = sorted(with, names);
    for (const std::size_t i : result.order) {
        if (!result.recursive[i]) continue;
        require_form(with.tables[i]);
        walk.judge(i);
        refuse_decoration(*with.tables[i].body->query);
    }
    return result;
}

}  // namespace northstar::inline v0::sql
