#include "sql/plan/prune_columns.hpp"

#include "sql/plan/access_path.hpp"
#include "sql/plan/index_only.hpp"
#include "sql/plan/walk.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace northstar::inline v0::sql {

namespace prune {

struct Walk {
    std::map<ColumnId, std::size_t> uses;  ///< how often a column is named
    std::set<const Plan*> seen;
    std::vector<Plan*> scans, joins, makers, unions;

    void outputs(const Plan& plan) {
        for (const ColumnId id : plan.output) ++uses[id];
    }

    void expression(BoundExpr* expr) {
        walk_expr(expr, [&](BoundExpr& node) {
            if (node.kind == BoundKind::column) ++uses[node.column];
            if (node.subquery != nullptr) {
                if (node.kind != BoundKind::exists) outputs(*node.subquery);
                plan(*node.subquery);
            }
            return true;
        });
    }

    /// UNION ALL, which looks at no value.
    static bool is_concatenation(const Plan& node) {
        return node.kind == PlanKind::set_operation && node.set == SetKind::union_ && node.all;
    }

    /// A column of a projection that is there below: it is read where what reads the projection names it.
    static bool hands_on(const Plan& node, const BoundExpr& expr) {
        if (node.kind != PlanKind::project || expr.kind != BoundKind::column) return false;
        return std::any_of(node.columns.begin(), node.columns.end(), [&](const PlanColumn& column) {
            return column.expr == &expr && column.id == expr.column;
        });
    }

    /// What a table is looked up by for each row of the left side is asked of its rows there.
    static void leave_to_look_up(Plan& join) {
        if (!join.lateral || join.right->kind != PlanKind::scan) return;
        const std::vector<BoundExpr*>& asked = join.right->conditions;
        std::erase_if(join.conditions, [&](BoundExpr* condition) {
            return std::find(asked.begin(), asked.end(), condition) != asked.end();
        });
    }

    void plan(Plan& node) {
        if (!seen.insert(&node).second) return;
        if (node.kind == PlanKind::scan) {
            if (!node.access.wasteful) drop_met_conditions(node);
            // Versions of rows are made by the session, column by column.
            if (node.versions.present) outputs(node);
            else scans.push_back(&node);
        }
        if (node.kind == PlanKind::join) {
            joins.push_back(&node);
            leave_to_look_up(node);
        }
        if (node.kind == PlanKind::project || node.kind == PlanKind::aggregate || node.kind == PlanKind::window)
            makers.push_back(&node);
        if (is_concatenation(node)) unions.push_back(&node);
        // What is read by place, not by number.
        if (node.kind == PlanKind::set_operation || node.kind == PlanKind::recursive_union) {
            outputs(*node.left);
            outputs(*node.right);
        }
        if (node.common != nullptr) {
            for (const OutputColumn& column : node.common->columns) ++uses[column.id];
            if (node.common->plan != nullptr) {
                outputs(*node.common->plan);
                plan(*node.common->plan);
            }
        }
        each_expr(node, [&](BoundExpr*& expr) {
            if (!hands_on(node, *expr)) expression(expr);
        });
        if (node.left != nullptr) plan(*node.left);
        if (node.right != nullptr) plan(*node.right);
    }
};

Walk walk_all(Plan& plan) {
    Walk walk;
    walk.outputs(plan);
    walk.plan(plan);
    return walk;
}

/// The keys of a window are computed whether what is said of it is read or not.
bool has_computed_keys(const Plan& maker, const BoundExpr& call) {
    if (maker.kind != PlanKind::window) return false;
    const WindowDefinition& window = maker.windows[static_cast<std::size_t>(call.clauses->window)];
    const auto computed = [](const BoundExpr* expr) { return expr->kind != BoundKind::column; };
    return std::any_of(window.partition.begin(), window.partition.end(), computed) ||
           std::any_of(window.order.begin(), window.order.end(),
                       [&](const SortKey& key) { return computed(key.expr); });
}

/// Columns that the deciding groups of an aggregate decide, and nobody reads.
bool drop_unread_groups(const Walk& walk, Plan& maker) {
    if (maker.deciding_groups == 0) return false;
    std::vector<PlanColumn>& groups = maker.groups;
    const std::size_t before = groups.size();
    const auto first = groups.begin() + static_cast<std::ptrdiff_t>(maker.deciding_groups);
    const auto& ordered = maker.ordered_groups;
    // Places of the ordered ones would move.
    if (std::any_of(ordered.begin(), ordered.end(), [&](std::size_t i) { return i >= maker.deciding_groups; }))
        return false;
    groups.erase(std::remove_if(first, groups.end(),
                                [&](const PlanColumn& group) {
                                    if (walk.uses.count(group.id) != 0) return false;
                                    std::erase(maker.output, group.id);
                                    return true;
                                }),
                 groups.end());
    return groups.size() < before;
}

/// What is computed and read nowhere, as most of the columns of a view may be. False: there was nothing of the kind.
bool drop_unread(const Walk& walk) {
    bool dropped = false;
    for (Plan* maker : walk.makers) {
        dropped = drop_unread_groups(walk, *maker) || dropped;
        std::erase_if(maker->columns, [&](const PlanColumn& column) {
            if (walk.uses.count(column.id) != 0 || is_volatile_inside(column.expr) ||
                has_computed_keys(*maker, *column.expr))
                return false;
            std::erase(maker->output, column.id);
            return dropped = true;
        });
    }
    return dropped;
}

/// Does a plan do without a column that is read by its place? Others make all columns of their output, or compare them.
bool can_do_without(const Plan& plan) {
    switch (plan.kind) {
        case PlanKind::set_operation:
            return Walk::is_concatenation(plan) && can_do_without(*plan.left) && can_do_without(*plan.right);
        case PlanKind::scan:
        case PlanKind::filter:
        case PlanKind::project:
        case PlanKind::join:
        case PlanKind::aggregate:
        case PlanKind::window:
        case PlanKind::lock_rows:
        case PlanKind::sort: return true;
        case PlanKind::limit: return !plan.with_ties;
        default: return false;
    }
}

void drop_place(Plan& plan, std::ptrdiff_t place) {
    plan.output.erase(plan.output.begin() + place);
    if (plan.kind != PlanKind::set_operation) return;
    drop_place(*plan.left, place);
    drop_place(*plan.right, place);
}

/// What nobody reads of a UNION ALL is read from none of its branches. False: there was nothing of the kind.
bool drop_unread_places(const Walk& walk) {
    bool dropped = false;
    for (Plan* node : walk.unions) {
        if (!can_do_without(*node)) continue;
        for (std::size_t place = node->output.size(); place-- > 0;) {
            if (walk.uses.count(node->output[place]) != 0) continue;
            drop_place(*node, static_cast<std::ptrdiff_t>(place));
            dropped = true;
        }
    }
    return dropped;
}

/// A join hands on no column that is named nowhere but in the join itself and below it.
void drop_inner_columns(Plan& join, const Walk& all) {
    Walk below;
    below.plan(join);
    auto& output = join.output;
    output.erase(std::remove_if(output.begin(), output.end(),
                                [&](ColumnId id) {
                                    const auto everywhere = all.uses.find(id);
                                    const auto inside = below.uses.find(id);
                                    return everywhere == all.uses.end() ||
                                           (inside != below.uses.end() && inside->second == everywhere->second);
                                }),
                 output.end());
}

/// A WITH query is looked into once, however many others read it.
bool is_volatile_plan(Plan& plan, std::set<const Plan*>& seen) {
    bool found = plan.kind == PlanKind::lock_rows;
    if (plan.kind == PlanKind::cte_scan)
        found = plan.common->change != nullptr ||
                // One that is being bound, as its recursive part refers to it, has no plan yet.
                (plan.common->plan != nullptr && seen.insert(plan.common->plan).second &&
                 is_volatile_plan(*plan.common->plan, seen));
    each_expr(plan, [&](BoundExpr*& expr) { found = found || is_volatile_inside(expr); });
    return found || (plan.left != nullptr && is_volatile_plan(*plan.left, seen)) ||
           (plan.right != nullptr && is_volatile_plan(*plan.right, seen));
}

}  // namespace prune

bool is_volatile_inside(BoundExpr* expr) {
    bool found = is_volatile(expr);
    walk_expr(expr, [&](BoundExpr& node) {
        found = found || (node.subquery != nullptr && is_volatile_plan(*node.subquery));
        return !found;
    });
    return found;
}

bool is_volatile_plan(Plan& plan) {
    std::set<const Plan*> seen;
    return prune::is_volatile_plan(plan, seen);
}

void prune_columns(Plan& plan) {
    prune::Walk walk = prune::walk_all(plan);
    // Conditions that a path meets may be all that reads a column which its entries do not have.
    std::vector<std::pair<Plan*, std::vector<BoundExpr*>>> wasteful;
    for (Plan* scan : walk.scans) {
        if (!scan->access.wasteful) continue;
        wasteful.emplace_back(scan, scan->conditions);
        drop_met_conditions(*scan);
    }
    if (!wasteful.empty()) walk = prune::walk_all(plan);
    // What was dropped may have been all that read something else.
    while (prune::drop_unread(walk) || prune::drop_unread_places(walk)) walk = prune::walk_all(plan);
    const auto drop_unread_columns = [&](Plan& scan) {
        std::erase_if(scan.scan_columns, [&](const ScanColumn& column) { return walk.uses.count(column.id) == 0; });
        read_entries_only(scan);
    };
    bool read_all = false;
    for (auto& [scan, conditions] : wasteful) {
        Plan trial = *scan;
        drop_unread_columns(trial);
        if (trial.access.entries_only) continue;
        scan->access = AccessPath();
        scan->conditions = std::move(conditions);
        read_all = true;
    }
    if (read_all) walk = prune::walk_all(plan);
    for (Plan* scan : walk.scans) drop_unread_columns(*scan);
    for (Plan* join : walk.joins) prune::drop_inner_columns(*join, walk);
}

void leave_out_unread(Plan& below, const Plan& reader) {
    if (below.kind == PlanKind::limit && !below.with_ties) {
        leave_out_unread(*below.left, reader);
        below.output = below.left->output;
    }
    if (below.kind != PlanKind::project) return;
    ColumnSet read;
    for (const PlanColumn& column : reader.columns) used_columns(column.expr, read);
    std::erase_if(below.columns, [&](const PlanColumn& column) {
        if (read.count(column.id) != 0 || column.expr->kind != BoundKind::column) return false;
        std::erase(below.output, column.id);
        return true;
    });
}

bool hands_on(const Plan& project) {
    return project.output == project.left->output &&
           std::all_of(project.columns.begin(), project.columns.end(), [](const PlanColumn& column) {
               return column.expr->kind == BoundKind::column && column.expr->column == column.id;
           });
}

}  // namespace northstar::inline v0::sql
