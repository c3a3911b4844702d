#include "sql/plan/immutable.hpp"

#include "sql/plan/walk.hpp"

#include <algorithm>
#include <string_view>

namespace northstar::inline v0::sql {

namespace immutable_file {

/// Does the text of a value, or what a text is read as, depend on settings or names?
bool has_changing_text(Oid oid, bool reading, const TypeCatalog* catalog) {
    switch (oid) {
        case type::date:
        case type::timestamp:
        case type::timestamptz:
        case type::interval:
        case type::regclass:
        case type::regtype:
        case type::regproc:
        case type::record: return true;
        case type::time:
        case type::timetz: return reading;
        default: break;
    }
    const TypeInfo& info = type_info(oid, catalog);
    return info.form == Form::array || info.type_kind == 'r' || info.type_kind == 'c' || info.type_kind == 'e';
}

bool is_instant(Oid oid) { return oid == type::timestamptz || oid == type::timetz; }
bool is_local(Oid oid) { return oid == type::date || oid == type::time || oid == type::timestamp; }

/// Between what names a moment and what names one at a place, the session's time zone is between.
bool needs_time_zone(Oid a, Oid b) { return (is_instant(a) && is_local(b)) || (is_local(a) && is_instant(b)); }

bool is_changing(const CastPath& path, CastMethod method, Oid from, Oid to, const TypeCatalog* catalog) {
    const bool to_text = type_info(to, catalog).category == Category::string;
    switch (method) {
        case CastMethod::text: return has_changing_text(to_text ? from : to, !to_text, catalog);
        case CastMethod::function:
            return needs_time_zone(from, to) || (is_instant(from) && is_instant(to) && from != to) ||
                   to == type::regclass;
        case CastMethod::array:
            return is_changing(path, path.element_method, type_info(from, catalog).element,
                               type_info(to, catalog).element, catalog);
        default: return false;
    }
}

bool is_changing(const OperatorEntry& entry) {
    if (entry.volatility != Volatility::immutable || needs_time_zone(entry.left, entry.right)) return true;
    const bool with_interval = entry.left == type::interval || entry.right == type::interval;
    // A day is not always as long.
    return with_interval && (entry.left == type::timestamptz || entry.right == type::timestamptz);
}

bool is_changing_call(const BoundExpr& node, const TypeCatalog* catalog) {
    const OperatorEntry& entry = *node.operation;
    // text || anything writes that as a text.
    if (std::string_view(entry.name) != "||" || node.type != type::text) return is_changing(entry);
    return std::any_of(node.args.begin(), node.args.end(),
                       [&](const BoundExpr* arg) { return has_changing_text(arg->type, false, catalog); });
}

}  // namespace immutable_file

bool is_immutable(BoundExpr* expr, const TypeCatalog* catalog) {
    using namespace immutable_file;
    bool immutable = true;
    walk_expr(expr, [&](BoundExpr& node) {
        const bool changing =
            (node.function != nullptr && node.function->volatility != Volatility::immutable) ||
            (node.operation != nullptr && is_changing_call(node, catalog)) ||
            (node.kind == BoundKind::cast &&
             is_changing(node.cast, node.cast.method, node.cast.source, node.cast.target, catalog)) ||
            node.kind == BoundKind::sequence_next;
        immutable = immutable && !changing;
        return immutable;
    });
    return immutable;
}

}  // namespace northstar::inline v0::sql
