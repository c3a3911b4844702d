// PARTITION BY, PARTITION OF, FOR VALUES: keys of partitioned tables, bounds and how they exclude each other.
#include "sql/session/define_partition.hpp"

#include "sql/catalog/partition.hpp"
#include "sql/plan/immutable.hpp"
#include "sql/plan/walk.hpp"
#include "sql/session/access_methods.hpp"
#include "sql/session/partition_bounds.hpp"
#include "sql/session/partition_indexes.hpp"
#include "sql/session/temporary_tables.hpp"
#include "sql/text_io.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace define_partition {

class BoundReader {
public:
    BoundReader(SqlSession& session, const Relation& parent) : session_(session), parent_(parent),
                                                               binder_(session, pool_, no_types_) {}

    PartitionBound read(const syntax::PartitionValues& syntax) {
        PartitionBound bound;
        bound.rest = syntax.rest;
        const PartitionKey& key = parent_.partition_key;
        const bool list = key.strategy == PartitionStrategy::list, hash = key.strategy == PartitionStrategy::hash;
        if (syntax.rest && hash)
            raise_at(sqlstate::invalid_table_definition,
                     "a hash-partitioned table may not have a default partition", syntax.position);
        if (syntax.rest) return bound;
        if (hash != syntax.by_hash || list != !syntax.values.empty())
            raise_at(sqlstate::invalid_table_definition,
                     std::string("invalid bound specification for a ") + (hash ? "hash" : list ? "list" : "range") +
                         " partition",
                     syntax.position);
        if (hash) {
            const auto refuse = [&](const char* why) {
                raise_at(sqlstate::invalid_table_definition, why, syntax.position);
            };
            if (syntax.modulus <= 0)
                refuse("modulus for hash partition must be an integer value greater than zero");
            if (syntax.remainder < 0)
                refuse("remainder for hash partition must be an integer value greater than or equal to zero");
            if (syntax.remainder >= syntax.modulus)
                refuse("remainder for hash partition must be less than modulus");
            bound.modulus = static_cast<int>(syntax.modulus);
            bound.remainder = static_cast<int>(syntax.remainder);
            return bound;
        }
        if (list) {
            for (const syntax::Expr* item : syntax.values) bound.values.push_back(value(*item, key.parts[0]));
            return bound;
        }
        count(syntax.from, "FROM", syntax.position);
        count(syntax.to, "TO", syntax.position);
        bound.from = end(syntax.from);
        bound.to = end(syntax.to);
        return bound;
    }

private:
    void count(const syntax::List<const syntax::Expr*>& items, const char* word, std::uint32_t position) const {
        if (items.size() != parent_.partition_key.parts.size())
            raise_at(sqlstate::invalid_table_definition,
                     std::string(word) + " must specify exactly one value per partitioning column", position);
    }

    std::vector<BoundValue> end(const syntax::List<const syntax::Expr*>& items) {
        const PartitionKey& key = parent_.partition_key;
        std::vector<BoundValue> values;
        for (std::size_t i = 0; i < items.size(); ++i) {
            const syntax::Expr& item = *items[i];
            const bool name = item.kind == syntax::ExprKind::column && item.names.size() == 1;
            BoundValue made;
            if (name && item.names[0] == "minvalue") made.kind = BoundValue::Kind::lowest;
            else if (name && item.names[0] == "maxvalue") made.kind = BoundValue::Kind::highest;
            else made = value(item, key.parts[i]);
            if (made.kind == BoundValue::Kind::null)
                raise_at(sqlstate::invalid_object_definition, "cannot specify NULL in range bound", item.position);
            if (i > 0 && values.back().kind != BoundValue::Kind::value && made.kind != values.back().kind) {
                const char* special = values.back().kind == BoundValue::Kind::lowest ? "MINVALUE" : "MAXVALUE";
                raise_at(sqlstate::datatype_mismatch,
                         std::string("every bound following ") + special + " must also be " + special, item.position);
            }
            values.push_back(std::move(made));
        }
        return values;
    }

    BoundValue value(const syntax::Expr& item, const PartitionKey::Part& part) {
        BoundExpr* const given = binder_.bind_standalone(item, "partition bounds");
        if (!can_coerce(given->type, part.type, CastContext::assignment, session_.state().types))
            raise_at(sqlstate::datatype_mismatch,
                     "specified value cannot be cast to type " +
                         format_type(part.type, k_no_typmod, session_.state().types) + " for column \"" + part.text +
                         "\"",
                     item.position);
        const int column = parent_.find_column(part.text);
        const std::int32_t typmod = column < 0 ? k_no_typmod : parent_.columns[static_cast<std::size_t>(column)].typmod;
        BoundExpr* bound = binder_.coerce(given, part.type, typmod, CastContext::assignment, item.position);
        Arena arena;
        const Value result = session_.evaluate(*bound, arena);
        if (result.is_null()) return {BoundValue::Kind::null, ""};
        Session plain;  // bounds are read again under any settings
        plain.types = session_.state().types;
        plain.settings.zone = session_.state().settings.zone;
        return {BoundValue::Kind::value, value_to_text(result, plain)};
    }

    SqlSession& session_;
    const Relation& parent_;
    BoundPool pool_;
    std::vector<Oid> no_types_;
    Binder binder_;
};

/// Each modulus must be a factor of the next larger one: then two partitions share either no hash, or all of one.
void check_modulus(const PartitionDirectory& directory, const PartitionBound& bound, const Catalog& catalog) {
    const auto [other, modulus] = directory.unfit_modulus(bound.modulus);
    if (other == 0) return;
    raise(sqlstate::invalid_object_definition,
          "every hash partition modulus must be a factor of the next larger modulus",
          "The new modulus " + std::to_string(bound.modulus) +
              (modulus > bound.modulus ? " is not a factor of " : " is not divisible by ") + std::to_string(modulus) +
              ", the modulus of existing partition \"" + catalog.relation(other)->name + "\".");
}

/// A row of DEFAULT that belongs to a new partition stands in its way.
void check_rest(SqlSession& session, const Relation& parent, const Relation& rest, const PartitionBound& bound) {
    const Catalog& catalog = session.catalog();
    const auto root = partition_root(catalog, parent);
    Arena arena;
    BoundPool pool;
    std::vector<Oid> none;
    Binder binder(session, pool, none);
    std::vector<ColumnId> ids;
    for (std::size_t i = 0; i < root->columns.size(); ++i) ids.push_back(pool.column());
    const std::string selected = bound_condition(catalog, parent, bound, 0, OfRest::by_directory);
    BoundExpr* condition = binder.condition(binder.bind_text(selected, *root, ids, "partition bounds"), "WHERE", 0);
    Execution execution(session.state(), session, session.parameters());
    Evaluator evaluator(*condition, {}, execution);
    for (const auto& [key, row] : partition_rows(session, *root, rest.oid, arena)) {
        for (std::size_t i = 0; i < ids.size(); ++i) execution.cell(ids[i]) = row[i];
        const Value holds = evaluator.evaluate(arena);
        if (!holds.is_null() && holds.boolean())
            raise(sqlstate::check_violation, "updated partition constraint for default partition \"" + rest.name +
                                                 "\" would be violated by some row");
    }
}

/// Columns and constraints that stand in the parentheses of PARTITION OF.
void own_elements(const SqlSession& session, Relation& partition, const syntax::CreateTable& syntax,
                  std::vector<std::pair<const syntax::ConstraintDefinition*, std::vector<std::string>>>& keys) {
    using Kind = syntax::ConstraintKind;
    const auto check = [&](const syntax::ConstraintDefinition& constraint, std::string_view column) {
        CheckConstraint made;
        made.text = session.stored_text(constraint.source);
        made.name = constraint.name.empty()
                        ? unique_constraint_name(partition, partition.name + (column.empty() ? "" : "_") +
                                                                std::string(column) + "_check")
                        : std::string(constraint.name);
        partition.checks.push_back(std::move(made));
    };
    for (const syntax::ColumnSpec& spec : syntax.columns) {
        const int place = partition.find_column(spec.name);
        if (place < 0)
            raise_at(sqlstate::undefined_column, "column \"" + std::string(spec.name) + "\" does not exist",
                     spec.position);
        for (const syntax::ColumnSpec& other : syntax.columns) {
            if (&other == &spec) break;
            if (other.name == spec.name)
                raise_at(sqlstate::duplicate_column,
                         "column \"" + std::string(spec.name) + "\" specified more than once", spec.position);
        }
        Column& column = partition.columns[static_cast<std::size_t>(place)];
        for (const syntax::ConstraintDefinition& constraint : spec.constraints) {
            switch (constraint.kind) {
                case Kind::not_null: column.not_null = true; break;
                case Kind::default_value: column.default_text = session.stored_text(constraint.source); break;
                case Kind::check: check(constraint, spec.name); break;
                case Kind::primary_key:
                case Kind::unique:
                case Kind::foreign_key:
                    keys.emplace_back(&constraint, std::vector<std::string>{std::string(spec.name)});
                    break;
                case Kind::null: break;
                case Kind::identity:
                    raise_at(sqlstate::feature_not_supported, "identity columns are not supported on partitions",
                             constraint.position);
                default:
                    raise_at(sqlstate::feature_not_supported, "this constraint is not supported for a partition",
                             constraint.position);
            }
        }
    }
    for (const syntax::ConstraintDefinition& constraint : syntax.constraints) {
        if (constraint.kind == Kind::check) {
            check(constraint, {});
            continue;
        }
        std::vector<std::string> names;
        for (const syntax::Name name : constraint.columns) names.emplace_back(name);
        keys.emplace_back(&constraint, std::move(names));
    }
}

}  // namespace define_partition

PartitionBound read_partition_bound(SqlSession& session, const Relation& parent,
                                    const syntax::PartitionValues& syntax) {
    if (!parent.is_partitioned())
        raise(sqlstate::invalid_object_definition, "\"" + parent.name + "\" is not partitioned");
    return define_partition::BoundReader(session, parent).read(syntax);
}

void check_partition_bound(SqlSession& session, const Relation& parent, const PartitionBound& bound,
                           const std::string& name) {
    using namespace define_partition;
    const Catalog& catalog = session.catalog();
    const PartitionStrategy strategy = parent.partition_key.strategy;
    const auto directory = catalog.directory_of(parent);
    const PartitionDirectory::Bound keys = directory->bound_of(bound, 0, session.state().types);
    if (strategy == PartitionStrategy::hash) check_modulus(*directory, bound, catalog);
    if (strategy == PartitionStrategy::range && !bound.rest && keys.from >= keys.to)
        raise(sqlstate::invalid_object_definition, "empty range bound specified for partition \"" + name + "\"",
              "Specified lower bound " + bound_text(parent, bound) + " is greater than or equal to upper bound.");
    if (const Oid other = directory->overlapped(keys); other != 0)
        raise(sqlstate::invalid_object_definition,
              "partition \"" + name + "\" would overlap partition \"" + catalog.relation(other)->name + "\"");
    if (directory->rest() == 0) return;
    const auto rest = catalog.relation(directory->rest());
    if (bound.rest)
        raise(sqlstate::invalid_object_definition,
              "partition \"" + name + "\" conflicts with existing default partition \"" + rest->name + "\"");
    check_rest(session, parent, *rest, bound);
}

void set_partition_key(SqlSession& session, Relation& relation, const syntax::PartitionBy& syntax) {
    PartitionKey key;
    std::string strategy(syntax.strategy);
    std::transform(strategy.begin(), strategy.end(), strategy.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    if (strategy != "list" && strategy != "range" && strategy != "hash")
        raise_at(sqlstate::invalid_parameter_value, "unrecognized partitioning strategy \"" + strategy + "\"",
                 syntax.position);
    key.strategy = strategy == "list"   ? PartitionStrategy::list
                   : strategy == "hash" ? PartitionStrategy::hash
                                        : PartitionStrategy::range;
    if (key.strategy == PartitionStrategy::list && syntax.parts.size() > 1)
        raise_at(sqlstate::invalid_object_definition,
                 "cannot use \"list\" partition strategy with more than one column", syntax.position);
    if (relation.period_from >= 0)
        raise_at(sqlstate::feature_not_supported, "a table with valid time cannot be partitioned", syntax.position);
    BoundPool pool;
    std::vector<Oid> none;
    Binder binder(session, pool, none);
    std::vector<ColumnId> ids;
    for (std::size_t i = 0; i < relation.columns.size(); ++i) ids.push_back(pool.column());
    for (std::size_t i = 0; i < syntax.parts.size(); ++i) {
        const syntax::Expr& part = *syntax.parts[i];
        if (part.kind == syntax::ExprKind::column && part.names.size() == 1 && relation.find_column(part.names[0]) < 0)
            raise_at(sqlstate::undefined_column,
                     "column \"" + std::string(part.names[0]) + "\" named in partition key does not exist",
                     part.position);
        BoundExpr* bound = binder.bind_over_table(part, relation, ids, "partition key expressions");
        if (bound->type == type::record || bound->type == type::unknown)
            raise_at(sqlstate::invalid_table_definition,
                     "partition key column " + std::to_string(i + 1) + " has pseudo-type " +
                         format_type(bound->type, k_no_typmod, session.state().types),
                     part.position);
        if (!is_immutable(bound, session.state().types))
            raise_at(sqlstate::invalid_object_definition,
                     "functions in partition key expression must be marked IMMUTABLE", part.position);
        if (used_columns(bound).empty())
            raise_at(sqlstate::invalid_object_definition, "cannot use constant expression as partition key",
                     part.position);
        check_operator_class(syntax.operator_classes[i], key.strategy == PartitionStrategy::hash ? "hash" : "btree",
                             bound->type, session.state().types);
        if (!is_orderable(bound->type, session.state().types))
            raise_at(sqlstate::undefined_object,
                     "data type " + format_type(bound->type, k_no_typmod, session.state().types) +
                         " has no default operator class for access method \"btree\"",
                     part.position);
        key.parts.push_back({session.stored_text(syntax.sources[i]), bound->type});
    }
    for (const CheckConstraint& check : relation.checks)
        if (check.no_inherit)
            raise_at(sqlstate::invalid_table_definition,
                     "cannot add NO INHERIT constraint to partitioned table \"" + relation.name + "\"",
                     syntax.position);
    relation.partition_key = std::move(key);
    for (const Index& index : relation.indexes) check_unique_within_partitions(relation, index);
}

void check_unique_within_partitions(const Relation& relation, const Index& index) {
    if (!relation.is_partitioned() || index.partition != 0) return;
    if (index.role == ConstraintRole::exclusion)
        raise(sqlstate::feature_not_supported, "exclusion constraints are not supported on partitioned tables");
    if (!index.unique) return;
    for (const PartitionKey::Part& part : relation.partition_key.parts) {
        const int column = relation.find_column(part.text);
        if (column < 0)
            raise(sqlstate::feature_not_supported,
                  "unsupported UNIQUE constraint with partition key definition",
                  "UNIQUE constraints cannot be used when partition keys include expressions.");
        if (std::none_of(index.columns.begin(), index.columns.end(),
                         [&](const IndexColumn& own) { return own.column == column; }))
            raise(sqlstate::feature_not_supported,
                  "unique constraint on partitioned table must include all partitioning columns",
                  "The constraint on table \"" + relation.name + "\" lacks column \"" + part.text +
                      "\" which is part of the partition key.");
    }
}

void create_partition(SqlSession& session, const syntax::CreateTable& syntax) {
    BoundPool pool;
    std::vector<Oid> none;
    Binder binder(session, pool, none);
    auto partition = std::make_shared<Relation>();
    const auto parent = binder.find_relation(syntax.partition_of, session.present(), false);
    partition->temporary = syntax.temporary || syntax.name.schema() == k_temporary_schema;
    partition->unlogged = syntax.unlogged;
    partition->on_commit = on_commit_of(syntax, partition->temporary);
    check_table_method(syntax.method, !syntax.partition_by.strategy.empty());
    partition->schema = session.creation_schema(syntax.name, partition->temporary);
    partition->name = syntax.name.last();
    if (session.catalog().relation(partition->schema, partition->name) != nullptr) {
        if (!syntax.if_not_exists)
            raise(sqlstate::duplicate_table, "relation \"" + partition->name + "\" already exists");
        session.notice(sqlstate::duplicate_table, "relation \"" + partition->name + "\" already exists, skipping");
        return;
    }
    if (partition->temporary != parent->temporary)
        raise(sqlstate::wrong_object_type,
              std::string("cannot create a ") + (partition->temporary ? "temporary" : "permanent") +
                  " relation as partition of " + (parent->temporary ? "temporary" : "permanent") + " relation \"" +
                  parent->name + "\"");
    partition->bound = read_partition_bound(session, *parent, syntax.values);
    check_partition_bound(session, *parent, partition->bound, partition->name);
    partition->partition_of = parent->oid;
    for (const Column& column : parent->columns) {
        if (column.dropped) continue;
        partition->columns.push_back(column);
        partition->columns.back().identity = 0;
        partition->columns.back().sequence = 0;
        partition->columns.back().missing.reset();
    }
    std::vector<std::pair<const syntax::ConstraintDefinition*, std::vector<std::string>>> keys;
    define_partition::own_elements(session, *partition, syntax, keys);
    if (!syntax.partition_by.strategy.empty()) set_partition_key(session, *partition, syntax.partition_by);
    partition->oid = session.allocate_oid(partition->temporary);
    partition->row_type = session.allocate_oid(partition->temporary);
    session.put(partition);
    make_parts_of_partition(session, partition->oid);
    for (const auto& [constraint, names] : keys) {
        auto changed = std::make_shared<Relation>(*session.catalog().relation(partition->oid));
        add_partition_key(session, *changed, *constraint, names);
    }
    // Defaults and checks must bind.
    BoundChange change;
    change.relation = partition_root(session.catalog(), *partition);
    binder.prepare_change(change);
    for (const CheckConstraint& check : partition->checks)
        binder.condition(binder.bind_text(check.text, *change.relation, change.new_columns, "check constraints"),
                         "CHECK", 0);
}

}  // namespace northstar::inline v0::sql
