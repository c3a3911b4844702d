// Domains: what the text declared an expression as, and the checks of values of such types. Everything below works on
// the types that domains are made of; only here and in what tells of types do domains have names of their own.
#include "sql/bind/binder.hpp"

#include <set>
#include <vector>

namespace northstar::inline v0::sql {

namespace bind_domain {

bool is_element(Oid type) {
    return type == type::anyelement || type == type::anynonarray || type == type::anycompatible ||
           type == type::anycompatiblenonarray;
}
constexpr int k_most_levels = 100;

/// Counts how deep checks of parts of parts lie. Raises 54001 where that is too deep.
class Deeper {
public:
    Deeper(int& depth, std::uint32_t position) : depth_(depth) {
        if (depth_ == k_most_levels)
            raise_at(sqlstate::statement_too_complex, "types are nested too deeply", position);
        ++depth_;
    }
    ~Deeper() { --depth_; }
    Deeper(const Deeper&) = delete;
    Deeper& operator=(const Deeper&) = delete;

private:
    int& depth_;
};

bool is_array(Oid type) { return type == type::anyarray || type == type::anycompatiblearray; }

}  // namespace bind_domain

std::shared_ptr<const UserType> Binder::domain_type(Oid declared) const {
    if (declared < k_first_user_oid) return nullptr;
    auto definition = environment_.catalog_of_types().user_type(declared);
    return definition != nullptr && definition->kind == 'd' ? definition : nullptr;
}

/// The domain whose arrays the type is; 0: there is none.
Oid Binder::domain_of_array(Oid declared) const {
    if (declared < k_first_user_oid) return 0;
    for (const auto& [name, type] : environment_.catalog_of_types().types())
        if (type->array == declared && type->kind == 'd') return type->oid;
    return 0;
}

/// What an element of a value of the type was declared as: the value may be an array, or of a domain over one.
Oid Binder::declared_element(Oid declared) const {
    for (auto domain = domain_type(declared); domain != nullptr; domain = domain_type(declared))
        declared = domain->parent;
    return domain_of_array(declared);
}

void Binder::note_declared(ColumnId column, Oid declared) {
    if (declared != 0) declared_columns_[column] = declared;
}

/// 0: the type itself.
Oid Binder::declared_type(const BoundExpr& expr) const {
    if (expr.declared != 0) return expr.declared == expr.type ? 0 : expr.declared;
    // Where all have one type, it stays; otherwise they meet in the types that domains are made of.
    const auto common = [this](std::span<BoundExpr* const> branches, std::size_t first, std::size_t step) {
        const Oid declared = first < branches.size() ? declared_type(*branches[first]) : Oid{0};
        for (std::size_t i = first; declared != 0 && i < branches.size(); i += step)
            if (declared_type(*branches[i]) != declared) return Oid{0};
        return declared;
    };
    switch (expr.kind) {
        case BoundKind::column: {
            const auto found = declared_columns_.find(expr.column);
            return found == declared_columns_.end() ? Oid{0} : found->second;
        }
        case BoundKind::coalesce:
        case BoundKind::greatest:
        case BoundKind::least: return common(expr.args, 0, 1);
        case BoundKind::case_when: {
            const Oid declared = common(expr.args, 1, 2);
            return declared != 0 && declared_type(*expr.args.back()) == declared ? declared : Oid{0};
        }
        case BoundKind::array: {
            const Oid element = common(expr.args, 0, 1);
            if (element == 0 || expr.args[0]->type == expr.type) return element;
            return array_of_declared(element);
        }
        case BoundKind::subscript: {
            const Oid whole = declared_type(*expr.args[0]);
            if (whole == 0) return 0;
            return !expr.negated ? declared_element(whole) : domain_of_array(whole) != 0 ? whole : Oid{0};
        }
        default: return 0;
    }
}

Oid Binder::array_of_declared(Oid declared) const {
    const auto domain = domain_type(declared);
    return domain == nullptr ? Oid{0} : domain->array;
}

/// What a call with polymorphic arguments gives: `wanted` are the types that its entry declares, `result` the one it
/// returns. The arguments are as they were written.
Oid Binder::declared_result(Oid result, std::span<const Oid> wanted, std::span<BoundExpr* const> args) const {
    using namespace bind_domain;
    if (!is_element(result) && !is_array(result)) return 0;
    Oid element = 0;
    bool known = false;
    for (std::size_t i = 0; i < args.size() && i < wanted.size(); ++i) {
        if (!is_element(wanted[i]) && !is_array(wanted[i])) continue;
        const bool exact = wanted[i] == type::anyelement || wanted[i] == type::anyarray;
        if (args[i]->type == type::unknown && exact) continue;
        const Oid declared = declared_type(*args[i]);
        const Oid own = is_array(wanted[i]) ? declared_element(declared) : declared;
        if (known && own != element) return 0;
        element = own;
        known = true;
    }
    return element == 0 || is_element(result) ? element : array_of_declared(element);
}

/// Whether values of the type are checked, or parts of them.
bool Binder::has_checks(Oid declared) const {
    if (declared < k_first_user_oid) return false;
    const TypeCatalog* types = environment_.session().types;
    std::vector<Oid> open = {declared};
    std::set<Oid> seen;  // types of types of types have no more parts than there are types
    while (!open.empty()) {
        const Oid next = open.back();
        open.pop_back();
        if (next < k_first_user_oid || !seen.insert(next).second) continue;
        const TypeInfo* info = types->find_type(next);
        if (info == nullptr || info->type_kind == 'e') continue;
        if (info->type_kind == 'd') {
            const auto domain = domain_type(next);
            if (domain == nullptr) continue;
            if (!domain->checks.empty() || domain->not_null) return true;
            open.push_back(domain->parent);
            open.push_back(domain->base);
        } else if (info->form == Form::array) {
            const Oid domain = domain_of_array(next);
            open.push_back(domain != 0 ? domain : info->element);
        } else {
            for (const FieldInfo& field : types->fields(next))
                open.push_back(field.domain != 0 ? field.domain : field.type);
        }
    }
    return false;
}

/// The value, declared as the type and checked as that asks for.
BoundExpr* Binder::checked_as(BoundExpr* expr, Oid declared, std::uint32_t position) {
    BoundExpr* checked = has_checks(declared) ? with_checks(expr, declared, position) : expr;
    if (checked->declared == declared) return checked;
    if (checked == expr) checked = pool_.copy(*expr);
    checked->declared = declared;
    return checked;
}

BoundExpr* Binder::with_checks(BoundExpr* expr, Oid declared, std::uint32_t position) {
    // A damaged catalog may have types that are parts of themselves.
    const bind_domain::Deeper deeper(check_depth_, position);
    if (const auto domain = domain_type(declared)) return domain_checks(expr, *domain, position);
    BoundExpr* node = pool_.expr(BoundKind::check_parts, expr->type);
    node->typmod = expr->typmod;
    node->position = position;
    node->column = pool_.column();
    node->args = {expr};
    const TypeCatalog* types = environment_.session().types;
    const auto part = [&](BoundKind kind, Oid type) {
        BoundExpr* made = pool_.expr(kind, type);
        made->column = kind == BoundKind::column ? node->column : k_no_column;
        return made;
    };
    const TypeInfo& info = type_info(expr->type, types);
    if (info.form == Form::array) {
        const Oid domain = domain_of_array(declared);
        node->negated = true;
        node->args.push_back(with_checks(part(BoundKind::column, info.element), domain != 0 ? domain : info.element,
                                         position));
        return node;
    }
    const std::span<const FieldInfo> fields = types->fields(expr->type);
    for (std::size_t i = 0; i < fields.size(); ++i) {
        const Oid own = fields[i].domain != 0 ? fields[i].domain : fields[i].type;
        if (!has_checks(own)) continue;
        BoundExpr* field = part(BoundKind::field, fields[i].type);
        field->typmod = fields[i].typmod;
        field->number = static_cast<std::int64_t>(i);
        field->args = {part(BoundKind::column, expr->type)};
        node->args.push_back(with_checks(field, own, position));
    }
    return node;
}

/// The constraints of what a domain stands on hold as well, and come first.
BoundExpr* Binder::domain_checks(BoundExpr* expr, const UserType& domain, std::uint32_t position) {
    const Oid below = domain.parent != 0 ? domain.parent : domain.base;
    if (below != domain.oid && has_checks(below)) expr = with_checks(expr, below, position);
    if (domain.checks.empty() && !domain.not_null) return expr;
    BoundExpr* node = pool_.expr(BoundKind::check_domain, expr->type);
    node->typmod = expr->typmod;
    node->position = position;
    node->column = pool_.column();
    node->negated = domain.not_null;
    node->text = domain.name;
    node->args = {expr};
    BoundExpr* value = pool_.expr(BoundKind::column, expr->type);
    value->column = node->column;
    value->typmod = expr->typmod;
    value->declared = domain.parent;
    for (const CheckConstraint& check : domain.checks) {
        texts_.push_back(std::make_unique<Arena>());
        const syntax::Expr* parsed = parse_expression(texts_.back()->copy(check.text), *texts_.back());
        BoundExpr* const outer = std::exchange(domain_value_, value);
        BoundExpr* bound = condition(this->expr(*parsed), "CHECK", position);
        domain_value_ = outer;
        BoundExpr* named = pool_.copy(*bound);
        named->text = check.name;
        node->args.push_back(named);
    }
    return node;
}

}  // namespace northstar::inline v0::sql
