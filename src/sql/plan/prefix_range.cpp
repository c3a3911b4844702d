#include "sql/plan/prefix_range.hpp"

#include "sql/plan/walk.hpp"
#include "sql/resolve.hpp"

#include <string>
#include <string_view>

namespace northstar::inline v0::sql {

namespace prefix_range_file {

/// The first bytes behind all that begin with a prefix; empty: there are none. Not always a text, but only compared.
std::string behind(std::string prefix) {
    while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xff) prefix.pop_back();
    if (!prefix.empty()) prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
    return prefix;
}

BoundExpr* compared(const BoundExpr& like, const char* name, const std::string& text, BoundPool& pool) {
    BoundExpr* const end = pool.expr(BoundKind::constant, type::text);
    end->value = Value::bytes(type::text, pool.arena().copy(text));
    BoundExpr* const comparison = pool.expr(BoundKind::operation, type::boolean);
    comparison->position = like.position;
    comparison->operation = resolve_operator(name, type::text, type::text, nullptr).entry;
    comparison->args = {like.args[0], end};
    return comparison;
}

}  // namespace prefix_range_file

std::vector<BoundExpr*> prefix_range(const BoundExpr& condition, BoundPool& pool) {
    using namespace prefix_range_file;
    if (condition.kind != BoundKind::operation || condition.args.size() != 2 ||
        std::string_view(condition.operation->name) != "~~" || condition.operation->left != type::text ||
        condition.operation->right != type::text)
        return {};
    const BoundExpr& pattern = *condition.args[1];
    if (pattern.kind != BoundKind::constant || pattern.value.is_null()) return {};
    const std::string_view text = pattern.value.bytes();
    const std::string prefix(text.substr(0, text.find_first_of("%_\\")));
    if (prefix.empty()) return {};
    std::vector<BoundExpr*> range{compared(condition, ">=", prefix, pool)};
    if (const std::string end = behind(prefix); !end.empty()) range.push_back(compared(condition, "<", end, pool));
    return range;
}

}  // namespace northstar::inline v0::sql
