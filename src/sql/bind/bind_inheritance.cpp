// Tables that others inherit from: a query reads the rows of all of them, UPDATE and DELETE change them in each.
#include "sql/bind/binder.hpp"

namespace northstar::inline v0::sql {

/// The rows of a table and of its heirs, in the columns of the table; tableoid tells whose they are.
Plan* Binder::with_heirs(Plan* plan, ReadPoint& point, ScopeRelation& into) {
    const std::vector<std::shared_ptr<const Relation>> heirs = point.catalog->heirs_of(into.relation->oid);
    if (heirs.empty()) return plan;
    const auto branch = [&](Plan* scanned, const ScopeRelation& from) {
        const ColumnId oid = pool_.column();
        scanned->scan_columns.push_back({hidden_table_oid, oid});
        scanned->output.push_back(oid);
        std::vector<PlanColumn> columns;
        for (const ScopeColumn& wanted : into.columns) {
            for (const ScopeColumn& own : from.columns)
                if (own.name == wanted.name) {
                    columns.push_back({pool_.column(), column_of(own, 0)});
                    break;
                }
        }
        if (columns.size() != into.columns.size())
            raise(sqlstate::data_corrupted, "a table lacks a column that it inherits");
        columns.push_back({pool_.column(), column_of({"tableoid", oid, type::oid}, 0)});
        if (locking_ != nullptr) {
            const ColumnId key = pool_.column();
            scanned->scan_columns.push_back({hidden_row_key, key});
            scanned->output.push_back(key);
            columns.push_back({pool_.column(), column_of({"", key, type::bytea}, 0)});
        }
        Plan* made = project(scanned, columns);
        made->output.clear();
        for (const PlanColumn& column : columns) made->output.push_back(column.id);
        made->rows = scanned->rows;
        return made;
    };
    Plan* all = branch(plan, into);
    for (const auto& heir : heirs) {
        ScopeRelation own;
        Plan* scanned = scan(heir, point, own);
        scanned->versions = plan->versions;
        scanned->sample = plan->sample;
        scanned->sample_seed = plan->sample_seed;
        Plan* both = pool_.plan(PlanKind::set_operation);
        both->set = SetKind::union_;
        both->all = true;
        both->left = all;
        both->right = branch(scanned, own);
        both->rows = both->left->rows + both->right->rows;
        for (std::size_t i = 0; i < both->right->output.size(); ++i) both->output.push_back(pool_.column());
        all = both;
    }
    for (std::size_t i = 0; i < into.columns.size(); ++i) {
        note_declared(all->output[i], declared_type(*column_of(into.columns[i], 0)));
        into.columns[i].id = all->output[i];
    }
    const std::size_t visible = into.columns.size();
    into.columns.push_back({"tableoid", all->output[visible], type::oid, k_no_typmod, true});
    if (locking_ != nullptr) into.row_key = all->output.back();
    into.scan = nullptr;
    return all;
}

/// An heir under the name of the table that the statement names, with the columns of that alone.
ChangeTarget Binder::heir_target(std::shared_ptr<const Relation> parent) {
    ChangeTarget target;
    target.relation = heir_;
    auto names = std::make_shared<Relation>(*heir_);
    names->name = parent->name;
    names->schema = parent->schema;
    for (Column& column : names->columns)
        column.dropped = column.dropped || parent->find_column(column.name) < 0;
    for (const Column& column : parent->columns)
        if (!column.dropped) target.order.push_back(heir_->find_column(column.name));
    for (const int place : target.order)
        if (place < 0) raise(sqlstate::data_corrupted, "a table lacks a column that it inherits");
    target.names = std::move(names);
    target.parent = std::move(parent);
    return target;
}

void Binder::bind_heirs(const syntax::Statement& statement, BoundChange& bound) {
    for (const auto& heir : environment_.present().catalog->heirs_of(bound.relation->oid)) {
        heir_ = heir;
        bound.heirs.push_back(bind_target_change(statement));
    }
}

}  // namespace northstar::inline v0::sql
