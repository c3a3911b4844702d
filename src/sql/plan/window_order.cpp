#include "sql/plan/window_order.hpp"

#include "sql/plan/walk.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace window_order {

/// A count that is known now; nothing: it is not, or it is negative.
std::optional<std::uint64_t> known_count(const BoundExpr* expr) {
    if (expr == nullptr || expr->kind != BoundKind::constant || expr->value.is_null()) return std::nullopt;
    const std::int64_t count = expr->value.integer();
    return count < 0 ? std::nullopt : std::optional<std::uint64_t>(static_cast<std::uint64_t>(count));
}

}  // namespace window_order

std::vector<SortKey> keys_of_window(const WindowDefinition& window) {
    std::vector<SortKey> keys;
    for (BoundExpr* expr : window.partition) keys.push_back({expr, false, false});
    keys.insert(keys.end(), window.order.begin(), window.order.end());
    return keys;
}

bool begins(const std::vector<SortKey>& first, const std::vector<SortKey>& second) {
    return first.size() <= second.size() &&
           std::equal(first.begin(), first.end(), second.begin(), [](const SortKey& a, const SortKey& b) {
               return a.descending == b.descending && a.nulls_first == b.nulls_first && same_expr(*a.expr, *b.expr);
           });
}

std::optional<std::vector<SortKey>> keys_of_windows(const Plan& plan) {
    std::vector<SortKey> longest;
    for (const WindowDefinition& window : plan.windows) {
        std::vector<SortKey> keys = keys_of_window(window);
        if (begins(longest, keys)) longest = std::move(keys);
        else if (!begins(keys, longest)) return std::nullopt;
    }
    return longest;
}

std::optional<Ahead> rows_ahead(const WindowDefinition& window, const BoundExpr& call) {
    if (call.function->kind != FunctionKind::aggregate) {
        switch (call.function->window) {
            case WindowFunction::row_number:
            case WindowFunction::rank:
            case WindowFunction::dense_rank: return Ahead{};
            case WindowFunction::lag:
            case WindowFunction::lead: {
                const std::optional<std::uint64_t> far =
                    call.args.size() < 2 ? std::optional<std::uint64_t>(1) : window_order::known_count(call.args[1]);
                if (!far) return std::nullopt;
                return Ahead{call.function->window == WindowFunction::lead ? *far : 0, false};
            }
            case WindowFunction::first_value:
            case WindowFunction::last_value:
            case WindowFunction::nth_value: break;
            default: return std::nullopt;
        }
    }
    const bool peers = window.unit != FrameUnit::rows || window.omission == FrameOmission::group ||
                       window.omission == FrameOmission::ties;
    if (window.end == FrameEdge::unbounded_following) return std::nullopt;
    if (window.end != FrameEdge::following) return Ahead{0, peers};
    if (window.unit != FrameUnit::rows) return std::nullopt;
    const std::optional<std::uint64_t> far = window_order::known_count(window.end_offset);
    if (!far) return std::nullopt;
    return Ahead{*far, peers};
}

bool is_known_early(const Plan& plan) {
    return std::all_of(plan.columns.begin(), plan.columns.end(), [&](const PlanColumn& column) {
        const WindowDefinition& window = plan.windows[static_cast<std::size_t>(column.expr->clauses->window)];
        // Rows that were handed out are computed again beside later ones.
        if (is_volatile(column.expr)) return false;
        if (!window.partition.empty()) return true;
        const std::optional<Ahead> ahead = rows_ahead(window, *column.expr);
        return ahead && (!ahead->peers || !window.order.empty());
    });
}

}  // namespace northstar::inline v0::sql
