// CREATE DOMAIN and ALTER DOMAIN. Values that are stored in columns of a domain are checked before it gets stricter.
#include "sql/plan/walk.hpp"
#include "sql/session/sql_session.hpp"
#include "sql/session/taken_names.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace define_domain {

class DomainAlteration {
public:
    DomainAlteration(SqlSession& session, const UserType& domain)
        : session_(session), domain_(std::make_shared<UserType>(domain)) {}

    void apply(const syntax::AlterAction& action) {
        using Kind = syntax::AlterKind;
        switch (action.kind) {
            case Kind::set_default: domain_->default_text = session_.stored_text(action.source); break;
            case Kind::drop_default: domain_->default_text.clear(); break;
            case Kind::drop_not_null: domain_->not_null = false; break;
            case Kind::set_not_null:
                domain_->not_null = true;
                each_column([&](const Relation& table, const Column& column, const Value& value) {
                    if (value.is_null())
                        raise(sqlstate::not_null_violation, "column \"" + column.name + "\" of table \"" + table.name +
                                                                "\" contains null values");
                });
                break;
            case Kind::add_constraint: add_constraint(action.constraint); break;
            case Kind::drop_constraint: {
                const auto found = find(action.name);
                if (found == domain_->checks.end()) {
                    if (!action.if_exists) no_constraint(action.name);
                    session_.notice(sqlstate::undefined_object, "constraint \"" + std::string(action.name) +
                                                                    "\" of domain \"" + domain_->name +
                                                                    "\" does not exist, skipping");
                    return;
                }
                domain_->checks.erase(found);
                break;
            }
            case Kind::validate_constraint: {
                const auto found = find(action.name);
                if (found == domain_->checks.end()) no_constraint(action.name);
                found->validated = true;
                validate(*found);
                break;
            }
            case Kind::owner: return;
            default: raise(sqlstate::feature_not_supported, "this form of ALTER DOMAIN is not supported");
        }
        session_.put(domain_);
    }

private:
    std::vector<CheckConstraint>::iterator find(std::string_view name) {
        return std::find_if(domain_->checks.begin(), domain_->checks.end(),
                            [&](const CheckConstraint& check) { return check.name == name; });
    }
    [[noreturn]] void no_constraint(std::string_view name) {
        raise(sqlstate::undefined_object,
              "constraint \"" + std::string(name) + "\" of domain \"" + domain_->name + "\" does not exist");
    }

    void add_constraint(const syntax::ConstraintDefinition& constraint) {
        if (constraint.kind != syntax::ConstraintKind::check)
            raise_at(sqlstate::feature_not_supported, "domains can have CHECK constraints only", constraint.position);
        CheckConstraint check;
        check.text = session_.stored_text(constraint.source);
        check.validated = !constraint.not_valid;
        check.name = constraint.name.empty() ? free_check_name(*domain_) : std::string(constraint.name);
        if (find(check.name) != domain_->checks.end())
            raise(sqlstate::duplicate_object,
                  "constraint \"" + check.name + "\" for domain \"" + domain_->name + "\" already exists");
        validate(check);
        domain_->checks.push_back(std::move(check));
    }

    /// The check must bind; values that are stored must meet it, unless it is NOT VALID.
    void validate(const CheckConstraint& check) {
        auto probe = std::make_shared<UserType>(*domain_);
        probe->checks = {check};
        probe->checks[0].validated = true;
        probe->not_null = false;
        probe->parent = 0;
        // Bound as the domain's only check, under its own number; what was there before comes back in put().
        session_.put(probe);
        BoundPool pool;
        std::vector<Oid> none;
        Binder binder(session_, pool, none);
        BoundExpr* value = pool.expr(BoundKind::column, domain_->base);
        value->column = pool.column();
        value->typmod = domain_->typmod;
        BoundExpr* checked = binder.checked_as(value, domain_->oid, 0);
        if (!check.validated) return;
        Execution execution(session_.state(), session_, session_.parameters());
        Evaluator evaluator(*checked, {}, execution);
        Arena arena;
        each_column([&](const Relation& table, const Column& column, const Value& stored) {
            arena.reset();
            execution.cell(value->column) = stored;
            try {
                evaluator.evaluate(arena);
            } catch (const SqlError& error) {
                if (!(error.state() == sqlstate::check_violation)) throw;
                raise(sqlstate::check_violation, "column \"" + column.name + "\" of table \"" + table.name +
                                                     "\" contains values that violate the new constraint");
            }
        });
    }

    bool is_of_domain(Oid domain) const {
        for (int level = 0; domain != 0 && level < 100; ++level) {
            if (domain == domain_->oid) return true;
            const auto definition = session_.catalog().user_type(domain);
            domain = definition == nullptr ? 0 : definition->parent;
        }
        return false;
    }

    /// Whether values of the type have elements or fields of the domain.
    bool has_parts_of_domain(Oid declared) const {
        if (declared < k_first_user_oid) return false;
        if (const auto definition = session_.catalog().user_type(declared); definition != nullptr) {
            if (definition->kind == 'd')
                return is_of_domain(declared) || has_parts_of_domain(definition->parent) ||
                       has_parts_of_domain(definition->base);
        }
        for (const auto& [name, type] : session_.catalog().types())
            if (type->array == declared) return has_parts_of_domain(type->oid);
        for (const FieldInfo& field : session_.state().types->fields(declared))
            if (has_parts_of_domain(field.domain != 0 ? field.domain : field.type)) return true;
        return false;
    }

    template <class Visit>
    void each_column(Visit&& visit) {
        for (const auto& [name, table] : session_.catalog().relations()) {
            if (!table->stores_rows()) continue;
            for (std::size_t c = 0; c < table->columns.size(); ++c) {
                const Column& column = table->columns[c];
                if (column.dropped) continue;
                const Oid declared = column.domain != 0 ? column.domain : column.type;
                if (!is_of_domain(declared)) {
                    // As in PostgreSQL, values inside of others are not looked for.
                    if (has_parts_of_domain(declared))
                        raise(sqlstate::feature_not_supported, "cannot alter type \"" + domain_->name +
                                                                   "\" because column \"" + table->name + "." +
                                                                   column.name + "\" uses it");
                    continue;
                }
                Arena arena;
                for (const KeyValue entry : session_.writable(table->tree(), table->temporary).all()) {
                    arena.reset();
                    visit(*table, column, table->layout->column_of(entry.value, c, arena));
                }
            }
        }
    }

public:
    static std::string free_check_name(const UserType& domain) {
        std::string name = domain.name + "_check";
        for (int n = 1; std::any_of(domain.checks.begin(), domain.checks.end(),
                                    [&](const CheckConstraint& other) { return other.name == name; });
             ++n)
            name = domain.name + "_check" + std::to_string(n);
        return name;
    }

private:
    SqlSession& session_;
    std::shared_ptr<UserType> domain_;
};

std::shared_ptr<const UserType> domain_named(SqlSession& session, const syntax::QualifiedName& name, bool missing_ok) {
    const std::shared_ptr<const UserType> found = find_type(session, name);
    if (found == nullptr && !missing_ok) {
        check_schema_of(session, name);
        raise(sqlstate::undefined_object, "type \"" + std::string(name.last()) + "\" does not exist");
    }
    if (found != nullptr && found->kind != 'd')
        raise(sqlstate::wrong_object_type, "\"" + found->name + "\" is not a domain");
    return found;
}

}  // namespace define_domain

void create_domain(SqlSession& session, const syntax::CreateType& syntax) {
    BoundPool pool;
    std::vector<Oid> types;
    Binder binder(session, pool, types);
    auto type = std::make_shared<UserType>();
    type->kind = 'd';
    type->schema = session.creation_schema(syntax.name, false);
    type->name = syntax.name.last();
    refuse_type_name(session, type->schema, type->name);
    const Binder::TypeMeaning base = binder.resolve_type(*syntax.base);
    type->base = base.type;
    type->typmod = base.typmod;
    type->parent = base.domain;
    bool null = false, has_default = false;
    for (const syntax::ConstraintDefinition& constraint : syntax.constraints) {
        using Kind = syntax::ConstraintKind;
        if (constraint.kind == Kind::not_null || constraint.kind == Kind::null) {
            if (constraint.kind == Kind::null ? type->not_null : null)
                raise_at(sqlstate::syntax_error, "conflicting NULL/NOT NULL constraints", constraint.position);
            (constraint.kind == Kind::null ? null : type->not_null) = true;
        } else if (constraint.kind == Kind::default_value) {
            if (has_default)
                raise_at(sqlstate::syntax_error, "multiple default expressions", constraint.position);
            has_default = true;
            type->default_text = session.stored_text(constraint.source);
        } else if (constraint.kind == Kind::primary_key || constraint.kind == Kind::unique ||
                   constraint.kind == Kind::foreign_key) {
            const char* const word = constraint.kind == Kind::primary_key ? "primary key"
                                     : constraint.kind == Kind::unique    ? "unique"
                                                                          : "foreign key";
            raise_at(sqlstate::syntax_error, std::string(word) + " constraints not possible for domains",
                     constraint.position);
        } else if (constraint.kind == Kind::check) {
            CheckConstraint check;
            check.text = session.stored_text(constraint.source);
            check.name = constraint.name.empty() ? define_domain::DomainAlteration::free_check_name(*type)
                                                 : std::string(constraint.name);
            type->checks.push_back(std::move(check));
        }
    }
    if (!has_default && base.domain != 0)
        if (const auto parent = session.catalog().user_type(base.domain)) type->default_text = parent->default_text;
    type->oid = session.allocate_oid(false);
    type->array = session.allocate_oid(false);
    session.put(type);
    // Checks and default must mean something.
    BoundExpr* value = pool.expr(BoundKind::column, type->base);
    value->column = pool.column();
    value->typmod = type->typmod;
    if (has_subquery(binder.checked_as(value, type->oid, 0)))
        raise(sqlstate::feature_not_supported, "cannot use subquery in check constraint");
    if (has_default)
        binder.coerce(binder.bind_text(type->default_text, Relation(), {}, "DEFAULT expressions"), type->base,
                      type->typmod, CastContext::assignment, 0);
}

void alter_domain(SqlSession& session, const syntax::AlterTable& syntax) {
    for (const syntax::AlterAction& action : syntax.actions) {
        const auto domain = define_domain::domain_named(session, syntax.name, syntax.if_exists);
        if (domain == nullptr) return;
        define_domain::DomainAlteration(session, *domain).apply(action);
    }
}

void rename_domain_constraint(SqlSession& session, const syntax::Rename& syntax) {
    const auto old = define_domain::domain_named(session, syntax.name, false);
    auto domain = std::make_shared<UserType>(*old);
    for (CheckConstraint& check : domain->checks) {
        if (check.name != syntax.part) continue;
        check.name = syntax.to;
        return session.put(domain);
    }
    raise(sqlstate::undefined_object, "constraint \"" + std::string(syntax.part) + "\" for domain " + domain->name +
                                          " does not exist");
}

}  // namespace northstar::inline v0::sql
