#include "sql/session/shape_cache.hpp"

#include "sql/syntax/lexer.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace shape_cache {

constexpr std::size_t k_shapes = 256;

}  // namespace shape_cache

bool ShapePlan::fits(const std::vector<ShapeLiteral>& others) const {
    for (std::size_t i = 0; i < literals.size(); ++i)
        if (!plan.bound.literals->is_free(i) && literals[i].text != others[i].text) return false;
    return true;
}

bool ShapePlan::agrees() const {
    Arena arena;
    std::size_t at = 0;
    for (const Token& token : lex(plan.text, arena)) {
        if (token.literal == 0) continue;
        if (at == literals.size() || literals[at].begin != token.begin || literals[at].end != token.end) return false;
        ++at;
    }
    return at == literals.size();
}

std::uint32_t ShapePlan::place_in(const std::vector<ShapeLiteral>& others, std::uint32_t position) const {
    std::int64_t moved = 0;
    for (std::size_t i = 0; i < literals.size() && literals[i].end < position; ++i)
        moved = std::int64_t{others[i].end} - literals[i].end;
    return static_cast<std::uint32_t>(position + moved);
}

ShapePlan* ShapeCache::Entry::find(const std::vector<ShapeLiteral>& literals) {
    for (const auto& plan : plans)
        if (plan->fits(literals)) return plan.get();
    return nullptr;
}

void ShapeCache::Entry::forget(const ShapePlan* plan) {
    std::erase_if(plans, [plan](const auto& kept) { return kept.get() == plan; });
}

ShapeCache::Entry* ShapeCache::find(const std::string& key) {
    const auto found = entries_.find(key);
    if (found != entries_.end()) return &found->second;
    // Whoever sends so many shapes does not send them again.
    if (entries_.size() >= shape_cache::k_shapes) entries_.clear();
    entries_.try_emplace(key);
    return nullptr;
}

}  // namespace northstar::inline v0::sql
