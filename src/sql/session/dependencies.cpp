#include "sql/session/dependencies.hpp"

#include "sql/bind/binder.hpp"
#include "sql/catalog/partition.hpp"
#include "sql/catalog/stored_names.hpp"
#include "sql/catalog/system_relations.hpp"
#include "sql/plan/walk.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace northstar::inline v0::sql {

namespace dependencies_file {

/// The columns that a bound query names anywhere, and the scans that it has.
class NamedColumns {
public:
    explicit NamedColumns(Plan& query) {
        outputs(query);
        plan(query);
    }

    std::set<int> of(Oid table) const {
        std::set<int> places;
        for (const Plan* scan : scans_) {
            if (scan->relation->oid != table) continue;
            for (const ScanColumn& column : scan->scan_columns)
                if (column.place >= 0 && used_.count(column.id) != 0) places.insert(column.place);
        }
        return places;
    }

private:
    void outputs(const Plan& plan) { used_.insert(plan.output.begin(), plan.output.end()); }

    void plan(Plan& node) {
        if (!seen_.insert(&node).second) return;
        if (node.kind == PlanKind::scan) scans_.push_back(&node);
        if (node.kind == PlanKind::set_operation || node.kind == PlanKind::recursive_union) {
            outputs(*node.left);
            outputs(*node.right);
        }
        each_expr(node, [&](BoundExpr*& expr) {
            walk_expr(expr, [&](BoundExpr& part) {
                if (part.kind == BoundKind::column) used_.insert(part.column);
                if (part.subquery != nullptr) plan(*part.subquery);
                return true;
            });
        });
        if (node.common != nullptr && node.common->plan != nullptr) plan(*node.common->plan);
        if (node.left != nullptr) plan(*node.left);
        if (node.right != nullptr) plan(*node.right);
    }

    ColumnSet used_;
    std::set<const Plan*> seen_;
    std::vector<const Plan*> scans_;
};

/// Calls with what the query of a view names. False: it cannot be read.
template <class Use>
bool with_named_columns(SqlSession& session, const Relation& view, Use&& use) {
    BoundPool pool;
    std::vector<Oid> none;
    Arena arena;
    Binder binder(session, pool, none);
    binder.know_as(view.names);
    binder.bind_definition_only();
    const std::shared_ptr<const Catalog> catalog = session.present().catalog;
    const UnderSearchPath stored(session, catalog->stored_path());
    try {
        const BoundQuery bound = binder.bind_query(*parse_query(arena.copy(view.query), arena));
        use(NamedColumns(*bound.plan));
    } catch (const SqlError&) {
        return false;
    }
    return true;
}

Oid number_of(std::string_view system_relation) { return find_system_relation("", system_relation)->oid; }

class Dependencies {
public:
    Dependencies(RowMaker& maker, const Catalog& catalog, SqlSession& session)
        : maker_(maker), catalog_(catalog), session_(session) {}

    void all() {
        for (const auto& [key, relation] : catalog_.relations()) {
            this->relation(*relation);
            for (const auto& [table, index] : listed_indexes(catalog_, relation)) this->index(*table, index);
            for (const ForeignKey& foreign : relation->foreign_keys) foreign_key(*relation, foreign);
            for (const CheckConstraint& check : relation->checks) this->check(*relation, check);
        }
        for (const auto& [key, type] : catalog_.types()) this->type(*type);
    }

private:
    struct Object {
        Oid kind = 0;
        Oid oid = 0;
        int column = -1;
    };
    Object of_class(Oid oid, int column = -1) const { return {classes_, oid, column}; }

    void needs(const Object& object, const Object& other, char how = 'n') {
        maker_.row().numbers({object.kind, object.oid, object.column + 1, other.kind, other.oid, other.column + 1});
        maker_.letter(how);
    }
    void needs_schema(const Object& object, const std::string& schema) {
        needs(object, {namespaces_, schema_oid(schema)});
    }
    void needs_type(const Object& object, Oid type) {
        if (type != 0 && find_builtin_type(type) == nullptr) needs(object, {types_, type});
    }
    void needs_columns(const Object& object, const Relation& table, const std::string& text, char how = 'n') {
        for (const int place : columns_named_by(session_, table, text)) needs(object, of_class(table.oid, place), how);
    }

    void relation(const Relation& relation) {
        const Object self = of_class(relation.oid);
        needs_schema(self, relation.schema);
        if (relation.row_type != 0) {
            needs({types_, relation.row_type}, self, 'i');
            if (const TypeInfo* type = catalog_.find_type(relation.row_type))
                needs({types_, type->array}, {types_, relation.row_type}, 'i');
        }
        needs_type(self, relation.of_type);
        if (relation.kind == RelationKind::sequence && relation.sequence.owner_table != 0)
            needs(self, of_class(relation.sequence.owner_table, relation.sequence.owner_column),
                  relation.sequence.identity ? 'i' : 'a');
        for (const Oid parent : relation.inherits) needs(self, of_class(parent));
        if (relation.is_partition()) needs(self, of_class(relation.partition_of), 'a');
        if (relation.is_partitioned())
            for (const PartitionKey::Part& part : relation.partition_key.parts)
                if (const int place = relation.find_column(part.text); place >= 0)
                    needs(of_class(relation.oid, place), self, 'i');
        for (std::size_t i = 0; i < relation.columns.size(); ++i)
            if (!relation.columns[i].dropped) column(relation, static_cast<int>(i));
        if (!relation.query.empty()) view(relation);
    }

    void column(const Relation& table, int place) {
        const Column& column = table.columns[static_cast<std::size_t>(place)];
        const Object self = of_class(table.oid, place);
        needs_type(self, column.domain != 0 ? column.domain : column.type);
        const Object value{defaults_, default_oid(table.oid, place)};
        if (!column.generated_text.empty()) {
            needs(value, self, 'i');
            needs_columns(value, table, column.generated_text);
        } else if (!column.default_text.empty() || (column.sequence != 0 && column.identity == 0)) {
            needs(value, self, 'a');
            std::set<Oid> sequences;
            if (column.sequence != 0) sequences.insert(column.sequence);
            for (const StoredName& name : names_in_text(catalog_, column.default_text, catalog_.stored_path()))
                if (name.kind == type::regclass) sequences.insert(name.oid);
            for (const Oid sequence : sequences) needs(value, of_class(sequence));
        }
    }

    /// Rules have the numbers of their views.
    void view(const Relation& view) {
        const Object rule{rules_, view.oid};
        needs(rule, of_class(view.oid), 'i');
        needs(rule, of_class(view.oid));
        std::map<Oid, std::set<int>> named;
        // What a view reads through another one is that one's affair.
        const auto reads = [&](Oid base) {
            return view.names.empty() || std::any_of(view.names.begin(), view.names.end(),
                                                     [&](const NamedRelation& each) { return each.oid == base; });
        };
        for (const Oid base : view.depends)
            if (reads(base) && catalog_.relation(base) != nullptr) named[base];
        with_named_columns(session_, view, [&](const NamedColumns& columns) {
            for (auto& [base, places] : named) places = columns.of(base);
        });
        for (const auto& [base, places] : named) {
            if (places.empty()) needs(rule, of_class(base));
            for (const int place : places) needs(rule, of_class(base, place));
        }
    }

    void index(const Relation& table, const Index& index) {
        const Object self = of_class(index.oid);
        const Object constraint{constraints_, constraint_oid(table.oid, index.name)};
        const bool alone = index.role == ConstraintRole::none;
        if (!alone) needs(self, constraint, 'i');
        if (index.whole != 0) {
            needs(self, of_class(index.whole), 'P');
            needs(self, of_class(table.oid), 'S');
        }
        std::set<int> places(index.include.begin(), index.include.end());
        for (const IndexColumn& part : index.columns)
            if (part.column >= 0) places.insert(part.column);
            else for (const int place : columns_named_by(session_, table, part.text)) places.insert(place);
        if (!index.predicate.empty())
            for (const int place : columns_named_by(session_, table, index.predicate)) places.insert(place);
        for (const int place : places) needs(alone ? self : constraint, of_class(table.oid, place), 'a');
    }

    void foreign_key(const Relation& table, const ForeignKey& foreign) {
        const Object self{constraints_, constraint_oid(table.oid, foreign.name)};
        for (const int place : foreign.columns) needs(self, of_class(table.oid, place), 'a');
        for (const int place : foreign.referenced) needs(self, of_class(foreign.table, place));
        if (const Oid key = referenced_index(catalog_, foreign); key != 0) needs(self, of_class(key));
    }

    void check(const Relation& table, const CheckConstraint& check) {
        const Object self{constraints_, constraint_oid(table.oid, check.name)};
        needs_columns(self, table, check.text, 'a');
        needs_columns(self, table, check.text);
    }

    void type(const UserType& type) {
        const Object self{types_, type.oid};
        needs_schema(self, type.schema);
        if (type.array != 0) needs({types_, type.array}, self, 'i');
        needs_type(self, type.parent != 0 ? type.parent : type.base);
        if (type.kind == 'c') needs(of_class(type.oid), self, 'i');
        for (std::size_t i = 0; i < type.fields.size(); ++i) {
            const TypeField& field = type.fields[i];
            needs_type(of_class(type.oid, static_cast<int>(i)), field.domain != 0 ? field.domain : field.type);
        }
        for (const CheckConstraint& check : type.checks)
            needs({constraints_, constraint_oid(type.oid, check.name)}, self, 'a');
    }

    RowMaker& maker_;
    const Catalog& catalog_;
    SqlSession& session_;
    const Oid classes_ = number_of("pg_class"), types_ = number_of("pg_type"), defaults_ = number_of("pg_attrdef"),
              constraints_ = number_of("pg_constraint"), namespaces_ = number_of("pg_namespace"),
              rules_ = number_of("pg_rewrite");
};

}  // namespace dependencies_file

/// Columns that a condition names, in the order of the text; -1: the row.
std::vector<int> columns_named_by(SqlSession& session, const Relation& relation, const std::string& condition) {
    BoundPool pool;
    std::vector<Oid> none;
    std::vector<ColumnId> ids;
    for (std::size_t i = 0; i < relation.columns.size(); ++i) ids.push_back(pool.column());
    std::vector<int> columns;
    BoundExpr* const bound = Binder(session, pool, none).bind_text(condition, relation, ids, "constraints");
    const auto add = [&](int place) {
        if (std::find(columns.begin(), columns.end(), place) == columns.end()) columns.push_back(place);
    };
    walk_expr(bound, [&](BoundExpr& expr) {
        const bool row = expr.kind == BoundKind::row && expr.number == 1;
        if (row) add(-1);
        const auto named = std::find(ids.begin(), ids.end(), expr.column);
        if (expr.kind == BoundKind::column && named != ids.end()) add(static_cast<int>(named - ids.begin()));
        return !row;
    });
    return columns;
}

bool view_may_name(SqlSession& session, const Relation& view, Oid table, int place) {
    bool named = false;
    const bool read = dependencies_file::with_named_columns(
        session, view, [&](const auto& columns) { named = columns.of(table).count(place) != 0; });
    return named || !read;  // what cannot be read keeps what its text may name
}

/// The key that a foreign key leads to.
Oid referenced_index(const Catalog& catalog, const ForeignKey& foreign) {
    const auto table = catalog.relation(foreign.table);
    if (table == nullptr) return 0;
    for (const Index& index : table->indexes) {
        if (!index.unique || index.columns.size() != foreign.referenced.size()) continue;
        const bool all = std::all_of(index.columns.begin(), index.columns.end(), [&](const IndexColumn& column) {
            return std::find(foreign.referenced.begin(), foreign.referenced.end(), column.column) !=
                   foreign.referenced.end();
        });
        if (all) return index.oid;
    }
    return 0;
}

void dependency_rows(RowMaker& maker, const Catalog& catalog, SqlSession& session) {
    dependencies_file::Dependencies(maker, catalog, session).all();
}

}  // namespace northstar::inline v0::sql
