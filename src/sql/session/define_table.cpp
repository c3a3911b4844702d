// CREATE TABLE: columns, keys, foreign keys, serial and identity columns, LIKE, AS.
#include "sql/catalog/partition.hpp"
#include "sql/catalog/period.hpp"
#include "sql/compare.hpp"
#include "sql/plan/immutable.hpp"
#include "sql/plan/walk.hpp"
#include "sql/session/define_inheritance.hpp"
#include "sql/session/define_partition.hpp"
#include "sql/session/access_methods.hpp"
#include "sql/session/column_storage.hpp"
#include "sql/session/partition_indexes.hpp"
#include "sql/session/result_columns.hpp"
#include "sql/session/storage_options.hpp"
#include "sql/session/taken_names.hpp"
#include "sql/session/temporary_tables.hpp"
#include "sql/session/typed_table.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

std::string unique_constraint_name(const Relation& relation, const std::string& base) {
    const auto taken = [&](const std::string& name) {
        for (const CheckConstraint& check : relation.checks)
            if (check.name == name) return true;
        for (const ForeignKey& foreign : relation.foreign_keys)
            if (foreign.name == name) return true;
        for (const Index& index : relation.indexes)
            if (index.name == name) return true;
        return false;
    };
    std::string name = base;
    for (int number = 1; taken(name); ++number) name = base + std::to_string(number);
    return name;
}

std::string name_of_check(SqlSession& session, const Relation& relation, const Relation& columns,
                          const syntax::Expr& expr) {
    BoundPool pool;
    std::vector<Oid> none;
    Binder binder(session, pool, none);
    std::vector<ColumnId> ids;
    for (std::size_t i = 0; i < columns.columns.size(); ++i) ids.push_back(pool.column());
    const ColumnSet used = used_columns(binder.bind_over_table(expr, columns, ids, "check constraints"));
    std::string base = relation.name + "_";
    if (used.size() == 1) {
        const auto at = std::find(ids.begin(), ids.end(), *used.begin()) - ids.begin();
        base += columns.columns[static_cast<std::size_t>(at)].name + "_";
    }
    return unique_constraint_name(relation, base + "check");
}

std::string unique_name(SqlSession& session, const std::string& schema, const std::string& table,
                        const std::string& columns, const std::string& suffix) {
    // As PostgreSQL: the longer of the two parts is cut until the whole fits.
    std::string first = table, second = columns;
    const auto join = [&](const std::string& end) {
        return first + (second.empty() ? "" : "_" + second) + "_" + end;
    };
    while (join(suffix).size() > 63) (first.size() > second.size() ? first : second).pop_back();
    std::string name = join(suffix);
    const auto taken = [&](const std::string& candidate) {
        return session.catalog().relation(schema, candidate) != nullptr ||
               session.catalog().index(schema, candidate).second != nullptr;
    };
    for (int number = 1; taken(name); ++number) name = join(suffix + std::to_string(number));
    return name;
}

namespace define_table {

/// What CREATE TABLE is putting together.
/// May a column of one type refer to a key of another? The key's order must find it: of numbers that is so where they
/// become the key's type by themselves.
bool can_refer(Oid child, Oid parent, const TypeCatalog* types) {
    if (!find_operator("=", parent, child, types)) return false;
    const auto wideness = [](Oid type) {
        switch (type) {
            case type::int2:
            case type::int4:
            case type::int8: return 1;
            case type::numeric: return 2;
            case type::float4:
            case type::float8: return 3;
            default: return 0;
        }
    };
    return wideness(parent) == 0 || wideness(child) <= wideness(parent);
}

class TableMaker {
public:
    TableMaker(SqlSession& session, const syntax::CreateTable& syntax)
        : session_(session), syntax_(syntax), binder_(session, pool_, no_parameters_) {}

    void run() {
        relation_ = std::make_shared<Relation>();
        relation_->temporary = syntax_.temporary || syntax_.name.schema() == k_temporary_schema;
        relation_->schema = session_.creation_schema(syntax_.name, relation_->temporary);
        relation_->name = syntax_.name.last();
        if (syntax_.if_not_exists && is_relation_name_taken(session_, relation_->schema, relation_->name)) {
            session_.notice(sqlstate::duplicate_table, "relation \"" + relation_->name + "\" already exists, skipping");
            return;
        }
        refuse_relation_name(session_, relation_->schema, relation_->name);
        relation_->unlogged = syntax_.unlogged;
        relation_->on_commit = on_commit_of(syntax_, relation_->temporary);
        check_table_method(syntax_.method, !syntax_.partition_by.strategy.empty());
        if (!syntax_.of_type.parts.empty()) take_columns_of_type(session_, *relation_, syntax_.of_type);
        if (!syntax_.partition_by.strategy.empty() && !syntax_.inherits.empty())
            raise_at(sqlstate::invalid_object_definition, "cannot create partitioned table as inheritance child",
                     syntax_.partition_by.position);
        contradictions_ = inherit_columns(session_, *relation_, syntax_.inherits);
        inherited_ = static_cast<int>(relation_->columns.size());
        std::size_t like = 0;
        for (std::size_t i = 0; i <= syntax_.columns.size(); ++i) {
            for (; like < syntax_.likes.size() && syntax_.likes[like].at == i; ++like)
                copy_columns(syntax_.likes[like]);
            if (i < syntax_.columns.size()) add_column(syntax_.columns[i]);
        }
        if (!contradictions_.empty()) {
            const Column& column =
                relation_->columns[static_cast<std::size_t>(relation_->find_column(*contradictions_.begin()))];
            const bool generated = !column.generated_text.empty();
            raise(sqlstate::invalid_column_definition,
                  "column \"" + column.name + "\" inherits conflicting " +
                      (generated ? "generation expressions" : "default values"),
                  {}, std::string("To resolve the conflict, specify a ") +
                          (generated ? "generation expression" : "default") + " explicitly.");
        }
        implicit_document();
        for (const syntax::ConstraintDefinition& constraint : syntax_.constraints)
            if (constraint.kind == syntax::ConstraintKind::period) add_period(session_, *relation_, constraint);
        table_options();
        relation_->oid = session_.allocate_oid(relation_->temporary);
        relation_->row_type = session_.allocate_oid(relation_->temporary);
        for (std::size_t i = 0; i < syntax_.columns.size(); ++i) column_constraints(syntax_.columns[i]);
        for (const syntax::ConstraintDefinition& constraint : syntax_.constraints) table_constraint(constraint);
        name_indexes();
        if (!syntax_.partition_by.strategy.empty()) set_partition_key(session_, *relation_, syntax_.partition_by);
        for (const auto& sequence : sequences_) {
            sequence->sequence.owner_table = relation_->oid;
            session_.put(sequence);
        }
        session_.put(relation_);
        check_expressions();
        // Foreign keys last: they may refer to the table itself.
        auto with_keys = std::make_shared<Relation>(*relation_);
        for (const auto& [constraint, columns] : foreign_) add_foreign_key(session_, *with_keys, *constraint, columns);
        if (!foreign_.empty()) session_.put(with_keys);
        session_.writable(relation_->tree(), relation_->temporary);
        if (!relation_->history_retention.empty())
            set_retention(session_, *session_.catalog().relation(relation_->oid));
    }

    static void add_foreign_key(SqlSession& session, Relation& relation, const syntax::ConstraintDefinition& constraint,
                                std::vector<std::string> names);
    static Index key_index(SqlSession& session, Relation& relation, const syntax::ConstraintDefinition& constraint,
                           std::vector<std::string> names);

private:
    void add_column(const syntax::ColumnSpec& spec) {
        for (const syntax::ColumnSpec& other : syntax_.columns) {
            if (&other == &spec) break;
            if (other.name == spec.name)
                raise_at(sqlstate::duplicate_column,
                         "column \"" + std::string(spec.name) + "\" specified more than once", spec.position);
        }
        if (relation_->of_type != 0) return typed_column(spec);
        if (relation_->find_column(spec.name) >= 0) {
            if (relation_->inherits.empty())
                raise_at(sqlstate::duplicate_column,
                         "column \"" + std::string(spec.name) + "\" specified more than once", spec.position);
            Column own = column_from(session_, binder_, *relation_, spec, sequences_);
            if (!own.default_text.empty()) contradictions_.erase(own.name);
            merge_inherited_column(session_, *relation_, std::move(own));
            return;
        }
        if (relation_->columns.size() >= 1600)
            raise(sqlstate::too_many_columns, "tables can have at most 1600 columns");
        relation_->columns.push_back(column_from(session_, binder_, *relation_, spec, sequences_));
    }

    /// What a typed table says of a column of its type.
    void typed_column(const syntax::ColumnSpec& spec) {
        const int place = relation_->find_column(spec.name);
        if (place < 0)
            raise_at(sqlstate::undefined_column, "column \"" + std::string(spec.name) + "\" does not exist",
                     spec.position);
        for (const syntax::ConstraintDefinition& constraint : spec.constraints)
            if (constraint.kind == syntax::ConstraintKind::identity)
                raise_at(sqlstate::feature_not_supported, "identity columns are not supported on typed tables",
                         constraint.position);
        Column& column = relation_->columns[static_cast<std::size_t>(place)];
        column = column_from(session_, binder_, *relation_, spec, sequences_, &column);
    }

public:
    /// A column of its specification: type, serial, identity, default. Constraints come later. `typed`: it has the type
    /// of this one, and says none itself.
    static Column column_from(SqlSession& session, Binder& binder, const Relation& relation,
                              const syntax::ColumnSpec& spec, std::vector<std::shared_ptr<Relation>>& sequences,
                              const Column* typed = nullptr) {
        Column column;
        if (typed != nullptr) column = *typed;
        column.name = spec.name;
        const std::string_view word = typed != nullptr ? std::string_view() : spec.type->names.back();
        const bool one_word = typed == nullptr && spec.type->names.size() == 1;
        Oid serial = 0;
        if (one_word && (word == "serial" || word == "serial4")) serial = type::int4;
        else if (one_word && (word == "bigserial" || word == "serial8")) serial = type::int8;
        else if (one_word && (word == "smallserial" || word == "serial2")) serial = type::int2;
        if (serial != 0) {
            column.type = serial;
            column.not_null = true;
        } else if (typed == nullptr) {
            if (spec.type->setof)
                raise_at(sqlstate::invalid_table_definition,
                         "column \"" + column.name + "\" cannot be declared SETOF", spec.position);
            const Binder::TypeMeaning meaning = binder.resolve_type(*spec.type);
            refuse_own_member(session, meaning.type, relation.row_type, relation.name);
            column.type = meaning.type;
            column.typmod = meaning.typmod;
            column.domain = meaning.domain;
            const TypeInfo& info = type_info(column.type, session.state().types);
            const TypeInfo& ordered =
                info.form == Form::array ? type_info(info.element, session.state().types) : info;
            if (!spec.collation.empty() && ordered.category != Category::string)
                raise_at(sqlstate::datatype_mismatch,
                         "collations are not supported by type " +
                             format_type(column.type, k_no_typmod, session.state().types),
                         spec.position);
            if (info.category == Category::pseudo || column.type == type::unknown)
                raise_at(sqlstate::invalid_table_definition,
                         "column \"" + column.name + "\" has pseudo-type " +
                             format_type(column.type, k_no_typmod, session.state().types),
                         spec.position);
        }
        if (!spec.storage.empty()) column.storage = storage_named(spec.storage, column.type, session.state().types);
        if (!spec.compression.empty())
            column.compression = compression_named(spec.compression, column.type, session.state().types);
        syntax::List<syntax::Option> sequence_options;
        bool has_default = serial != 0, null = false, not_null = serial != 0;
        for (const syntax::ConstraintDefinition& constraint : spec.constraints) {
            using Kind = syntax::ConstraintKind;
            switch (constraint.kind) {
                case Kind::not_null:
                    if (null)
                        raise_at(sqlstate::syntax_error, "conflicting NULL/NOT NULL declarations for column \"" +
                                                             column.name + "\" of table \"" + relation.name + "\"",
                                 constraint.position);
                    column.not_null = not_null = true;
                    break;
                case Kind::null:
                    if (not_null)
                        raise_at(sqlstate::syntax_error, "conflicting NULL/NOT NULL declarations for column \"" +
                                                             column.name + "\" of table \"" + relation.name + "\"",
                                 constraint.position);
                    null = true;
                    break;
                case Kind::default_value:
                    if (has_default)
                        raise_at(sqlstate::syntax_error, "multiple default values specified for column \"" +
                                                             column.name + "\" of table \"" + relation.name + "\"",
                                 constraint.position);
                    has_default = true;
                    column.default_text = session.stored_text(constraint.source);
                    break;
                case Kind::generated:
                    if (has_default)
                        raise_at(sqlstate::syntax_error,
                                 "both default and generation expression specified for column \"" + column.name +
                                     "\" of table \"" + relation.name + "\"",
                                 constraint.position);
                    column.generated_text = session.stored_text(constraint.source);
                    has_default = true;
                    break;
                case Kind::identity:
                    if (has_default)
                        raise_at(sqlstate::syntax_error, "both default and identity specified for column \"" +
                                                             column.name + "\" of table \"" + relation.name + "\"",
                                 constraint.position);
                    if (column.domain != 0 ||
                        (column.type != type::int2 && column.type != type::int4 && column.type != type::int8))
                        raise_at(sqlstate::invalid_parameter_value,
                                 "identity column type must be smallint, integer, or bigint", constraint.position);
                    if (null)
                        raise_at(sqlstate::syntax_error, "conflicting NULL/NOT NULL declarations for column \"" +
                                                             column.name + "\" of table \"" + relation.name + "\"",
                                 constraint.position);
                    column.identity = constraint.identity_always ? 'a' : 'd';
                    column.not_null = not_null = true;
                    sequence_options = constraint.options;
                    has_default = true;
                    break;
                case Kind::primary_key: column.not_null = true; break;
                default: break;
            }
        }
        if (serial != 0 || column.identity != 0) {
            const std::string name = unique_name(session, relation.schema, relation.name, column.name, "seq");
            auto sequence = make_sequence(session, relation.schema, name, relation.temporary, column.type,
                                          sequence_options);
            sequence->sequence.identity = column.identity != 0;
            sequence->sequence.owner_column = static_cast<int>(relation.columns.size());
            column.sequence = sequence->oid;
            if (serial != 0) {
                const bool elsewhere = relation.schema != k_public_schema;
                const std::string written = (elsewhere ? quote_identifier(relation.schema) + "." : std::string()) +
                                            quote_identifier(name);
                column.default_text = "nextval(" + quote_literal(written) + "::regclass)";
            }
            sequences.push_back(std::move(sequence));
        }
        return column;
    }

private:
    void copy_columns(const syntax::LikeClause& like) {
        auto source = binder_.find_relation(like.table, session_.present(), true);
        if (source == nullptr) source = relation_of_type(session_, like.table);
        if (source == nullptr) binder_.find_relation(like.table, session_.present(), false);
        if (source->kind == RelationKind::sequence)
            raise_at(sqlstate::wrong_object_type, "relation \"" + source->name + "\" is invalid in LIKE clause",
                     like.table.position);
        for (const Column& from : source->columns) {
            if (from.dropped || from.hidden) continue;
            const int place = relation_->find_column(from.name);
            const auto is_it = [&](const syntax::ColumnSpec& spec) { return spec.name == from.name; };
            const bool declared = std::any_of(syntax_.columns.begin(), syntax_.columns.end(), is_it);
            if (place >= 0 && (place >= inherited_ || declared))
                raise(sqlstate::duplicate_column, "column \"" + from.name + "\" specified more than once");
            Column column = from;
            column.missing.reset();
            column.sequence = 0;
            if (!(like.including & syntax::like_defaults)) column.default_text.clear();
            if (!(like.including & syntax::like_generated)) column.generated_text.clear();
            if (!(like.including & syntax::like_comments)) column.comment.clear();
            if (!(like.including & syntax::like_storage)) column.storage = 0;
            else if (place >= 0 && column.storage == 0)
                column.storage = default_storage(type_info(column.type, session_.state().types));
            if (!(like.including & syntax::like_compression)) column.compression = 0;
            if (!(like.including & syntax::like_identity)) column.identity = 0;
            else if (column.identity != 0) {
                auto sequence = make_sequence(
                    session_, relation_->schema,
                    unique_name(session_, relation_->schema, relation_->name, column.name, "seq"),
                    relation_->temporary, column.type, {});
                sequence->sequence.identity = true;
                sequence->sequence.owner_column = static_cast<int>(relation_->columns.size());
                column.sequence = sequence->oid;
                sequences_.push_back(std::move(sequence));
            }
            if (place >= 0) merge_inherited_column(session_, *relation_, std::move(column));
            else relation_->columns.push_back(std::move(column));
        }
        if (like.including & syntax::like_constraints)
            for (const CheckConstraint& check : source->checks) relation_->checks.push_back(check);
        if (!(like.including & syntax::like_indexes)) return;
        if (source->period_from >= 0 && !source->columns[static_cast<std::size_t>(source->period_from)].hidden &&
            relation_->period_from < 0) {
            relation_->period_name = source->period_name;
            relation_->period_from =
                relation_->find_column(source->columns[static_cast<std::size_t>(source->period_from)].name);
            relation_->period_to =
                relation_->find_column(source->columns[static_cast<std::size_t>(source->period_to)].name);
        }
        for (Index index : source->indexes) {
            if (source->hidden_valid_time && index.without_overlaps) {
                index.without_overlaps = false;
                index.columns.pop_back();
            }
            // Places count live columns of the source; names find them here.
            const auto here = [&](int place) {
                return relation_->find_column(source->columns[static_cast<std::size_t>(place)].name);
            };
            for (IndexColumn& column : index.columns)
                if (column.column >= 0) column.column = here(column.column);
            for (int& place : index.include) place = here(place);
            index.name.clear();
            index.whole = 0;
            index.oid = session_.allocate_oid(relation_->temporary);
            relation_->indexes.push_back(std::move(index));
        }
    }

    /// A table declared with nothing but a primary key holds documents.
    void implicit_document() {
        if (relation_->columns.size() != 1 || syntax_.columns.size() != 1 || !syntax_.likes.empty() ||
            !syntax_.inherits.empty() || !syntax_.constraints.empty() || relation_->of_type != 0)
            return;
        const syntax::ColumnSpec& only = syntax_.columns[0];
        if (only.name == "doc" || only.constraints.size() != 1 ||
            only.constraints[0].kind != syntax::ConstraintKind::primary_key || !only.constraints[0].name.empty())
            return;
        const bool text_key = relation_->columns[0].type == type::text;
        if (!text_key) return;
        Column document;
        document.name = "doc";
        document.type = type::jsonb;
        document.implicit_document = true;
        relation_->columns.push_back(std::move(document));
        for (const syntax::Option& option : syntax_.options)
            if (option.name == "valid_time") return;
        // Valid time on an axis of whole numbers, open at both ends unless an INSERT says otherwise.
        hidden_period(type::int8, "", "");
    }

    void hidden_period(Oid axis, const char* from, const char* to) {
        for (const std::string_view name : {k_valid_from, k_valid_to}) {
            if (relation_->find_column(name) >= 0)
                raise(sqlstate::duplicate_column, "column \"" + std::string(name) + "\" specified more than once");
            Column bound;
            bound.name = name;
            bound.type = axis;
            bound.hidden = true;
            bound.default_text = name == k_valid_from ? from : to;
            bound.not_null = !bound.default_text.empty();
            relation_->columns.push_back(std::move(bound));
        }
        relation_->period_name = "valid_time";
        relation_->period_to = static_cast<int>(relation_->columns.size()) - 1;
        relation_->period_from = relation_->period_to - 1;
        CheckConstraint order;
        order.name = unique_constraint_name(*relation_, relation_->name + "_valid_time_check");
        order.text = "_valid_from < _valid_to";
        relation_->checks.push_back(std::move(order));
    }

    void table_options() {
        check_storage_options(syntax_.options, syntax_.partition_by.strategy.empty() ? StorageOf::table
                                                                                     : StorageOf::partitioned_table);
        for (const syntax::Option& option : syntax_.options) {
            if (option.name == "history_retention") {
                relation_->history_retention = retention_text(option);
            } else if (option.name == "valid_time") {
                if (relation_->period_from >= 0)
                    raise_at(sqlstate::invalid_table_definition,
                             "table \"" + relation_->name + "\" has a period already", option.position);
                hidden_period(type::timestamptz, "now()", "'infinity'::timestamptz");
                relation_->hidden_valid_time = true;
            }
        }
    }

    void column_constraints(const syntax::ColumnSpec& spec) {
        using Kind = syntax::ConstraintKind;
        for (const syntax::ConstraintDefinition& constraint : spec.constraints) {
            const std::vector<std::string> own = {std::string(spec.name)};
            if (constraint.kind == Kind::check) add_check(constraint);
            else if (constraint.kind == Kind::primary_key || constraint.kind == Kind::unique)
                relation_->indexes.push_back(key_index(session_, *relation_, constraint, own));
            else if (constraint.kind == Kind::foreign_key) foreign_.emplace_back(&constraint, own);
        }
    }

    void table_constraint(const syntax::ConstraintDefinition& constraint) {
        using Kind = syntax::ConstraintKind;
        std::vector<std::string> names;
        for (const syntax::Name name : constraint.columns) names.emplace_back(name);
        switch (constraint.kind) {
            case Kind::check: add_check(constraint); break;
            case Kind::primary_key:
            case Kind::unique: relation_->indexes.push_back(key_index(session_, *relation_, constraint, names)); break;
            case Kind::foreign_key: foreign_.emplace_back(&constraint, names); break;
            case Kind::exclude: {
                Index index = exclusion_index(session_, *relation_, constraint);
                index.name = unique_constraint_name(*relation_, index.name);
                relation_->indexes.push_back(std::move(index));
                break;
            }
            default: break;  // periods came first
        }
    }

    void add_check(const syntax::ConstraintDefinition& constraint) {
        CheckConstraint check;
        check.text = session_.stored_text(constraint.source);
        check.name = constraint.name;
        check.no_inherit = constraint.no_inherit;
        if (check.name.empty()) {
            check.name = name_of_check(session_, *relation_, *relation_, *constraint.expr);
        } else {
            for (CheckConstraint& other : relation_->checks) {
                if (other.name != check.name) continue;
                if (!other.inherited)
                    raise(sqlstate::duplicate_object, "check constraint \"" + check.name + "\" already exists");
                merge_inherited_check(session_, *relation_, other, &check);
                other.inherited = false;
                return;
            }
        }
        relation_->checks.push_back(std::move(check));
    }

    void name_indexes() {
        for (Index& index : relation_->indexes) {
            if (index.name.empty())
                index.name = unique_constraint_name(*relation_, index_name_of_its_own(session_, *relation_, index));
        }
    }

    /// Defaults, generated columns and checks must bind.
    void check_expressions() {
        BoundChange change;
        change.relation = session_.catalog().relation(relation_->oid);
        binder_.prepare_change(change);
        for (std::size_t i = 0; i < change.generated.size(); ++i)
            if (change.generated[i] != nullptr) check_generation(session_, change, i);
    }

    SqlSession& session_;
    const syntax::CreateTable& syntax_;
    BoundPool pool_;
    std::vector<Oid> no_parameters_;
    Binder binder_;
    std::shared_ptr<Relation> relation_;
    int inherited_ = 0;  ///< so many of its columns are inherited
    std::set<std::string> contradictions_;  ///< inherited columns without a default that is told from others
    std::vector<std::shared_ptr<Relation>> sequences_;
    std::vector<std::pair<const syntax::ConstraintDefinition*, std::vector<std::string>>> foreign_;
};

Index TableMaker::key_index(SqlSession& session, Relation& relation, const syntax::ConstraintDefinition& constraint,
                            std::vector<std::string> names) {
    const bool primary = constraint.kind == syntax::ConstraintKind::primary_key;
    if (constraint.without_overlaps) {
        if (names.size() < 2)
            raise_at(sqlstate::syntax_error, "constraint using WITHOUT OVERLAPS needs at least two columns",
                     constraint.position);
        names.back() = period_key_column(relation, names.back(), constraint.position);
    } else if (relation.hidden_valid_time) {
        names.emplace_back(k_valid_from);
    }
    if (primary && relation.primary_key() >= 0)
        raise_at(sqlstate::invalid_table_definition,
                 "multiple primary keys for table \"" + relation.name + "\" are not allowed", constraint.position);
    Index index;
    index.oid = session.allocate_oid(relation.temporary);
    index.name = constraint.name;
    index.unique = true;
    index.role = primary ? ConstraintRole::primary_key : ConstraintRole::unique;
    index.nulls_not_distinct = constraint.nulls_not_distinct;
    index.deferrable = constraint.deferrable;
    index.initially_deferred = constraint.initially_deferred;
    for (const std::string& name : names) {
        const int column = relation.find_column(name);
        if (column < 0)
            raise_at(sqlstate::undefined_column, "column \"" + name + "\" named in key does not exist",
                     constraint.position);
        for (const IndexColumn& other : index.columns)
            if (other.column == column)
                raise_at(sqlstate::duplicate_column,
                         "column \"" + name + "\" appears twice in " + (primary ? "primary key" : "unique") +
                             " constraint",
                         constraint.position);
        Column& definition = relation.columns[static_cast<std::size_t>(column)];
        if (!is_orderable(definition.type, session.state().types))
            raise_at(sqlstate::undefined_object,
                     "data type " + format_type(definition.type, k_no_typmod, session.state().types) +
                         " has no default operator class for access method \"btree\"",
                     constraint.position, {},
                     "You must specify an operator class for the index or define a default operator class for the data "
                     "type.");
        if (primary && !definition.hidden) definition.not_null = true;
        IndexColumn part;
        part.column = column;
        index.columns.push_back(std::move(part));
    }
    if (constraint.without_overlaps || relation.hidden_valid_time) {
        if (constraint.deferrable)
            raise_at(sqlstate::feature_not_supported, "keys WITHOUT OVERLAPS are not deferrable", constraint.position);
        index.without_overlaps = true;
        index.columns.back().order.nulls_first = true;  // an open beginning lies before every other
    }
    for (const syntax::Name name : constraint.include) {
        const int column = relation.find_column(name);
        if (column < 0)
            raise_at(sqlstate::undefined_column, "column \"" + std::string(name) + "\" named in key does not exist",
                     constraint.position);
        index.include.push_back(column);
    }
    // A UUID primary key that is left out of an INSERT is generated.
    if (primary && index.columns.size() == (relation.hidden_valid_time ? 2u : 1u)) {
        Column& key = relation.columns[static_cast<std::size_t>(index.columns[0].column)];
        if (key.type == type::uuid && key.default_text.empty() && key.generated_text.empty())
            key.default_text = "gen_random_uuid7()";
    }
    if (!index.name.empty() && session.catalog().index(relation.schema, index.name).second != nullptr)
        raise(sqlstate::duplicate_table, "relation \"" + index.name + "\" already exists");
    return index;
}

void TableMaker::add_foreign_key(SqlSession& session, Relation& relation,
                                 const syntax::ConstraintDefinition& constraint, std::vector<std::string> names) {
    BoundPool pool;
    std::vector<Oid> no_parameters;
    Binder binder(session, pool, no_parameters);
    auto parent = binder.find_relation(constraint.references, session.present(), false);
    if (parent->kind != RelationKind::table)
        raise_at(sqlstate::wrong_object_type, "referenced relation \"" + parent->name + "\" is not a table",
                 constraint.position);
    if (parent->temporary != relation.temporary)
        raise_at(sqlstate::invalid_table_definition,
                 relation.temporary ? "constraints on temporary tables may reference only temporary tables"
                                    : "constraints on permanent tables may reference only permanent tables",
                 constraint.position);
    if (parent->unlogged && !relation.unlogged && !relation.temporary)
        raise_at(sqlstate::invalid_table_definition,
                 "constraints on permanent tables may reference only permanent tables", constraint.position);
    if (constraint.match == syntax::ReferentialMatch::partial)
        raise_at(sqlstate::feature_not_supported, "MATCH PARTIAL not yet implemented", constraint.position);
    ForeignKey foreign;
    if (parent->is_partition()) {
        foreign.referenced_partition = parent->oid;
        parent = partition_root(session.catalog(), *parent);
    }
    foreign.table = parent->oid;
    foreign.match_full = constraint.match == syntax::ReferentialMatch::full;
    foreign.on_delete = static_cast<ForeignAction>(constraint.on_delete);
    foreign.on_update = static_cast<ForeignAction>(constraint.on_update);
    foreign.deferrable = constraint.deferrable;
    foreign.initially_deferred = constraint.initially_deferred;
    foreign.validated = !constraint.not_valid;
    const auto find = [&](const Relation& in, std::string_view name) {
        const int column = in.find_column(name);
        if (column < 0)
            raise_at(sqlstate::undefined_column,
                     "column \"" + std::string(name) + "\" referenced in foreign key constraint does not exist",
                     constraint.position);
        return column;
    };
    foreign.period = constraint.without_overlaps;
    if (foreign.period) {
        const bool actions = foreign.on_delete != ForeignAction::no_action ||
                             foreign.on_update != ForeignAction::no_action || foreign.deferrable;
        if (actions)
            raise_at(sqlstate::feature_not_supported,
                     "foreign keys with PERIOD know neither referential actions nor deferral", constraint.position);
        find_period_keys(relation, *parent, constraint, names, foreign);
    } else {
        for (const std::string& name : names) foreign.columns.push_back(find(relation, name));
    }
    if (foreign.period) {
        // Found already, as a period is not one column.
    } else if (constraint.referenced_columns.empty()) {
        const int key = parent->primary_key();
        if (key < 0)
            raise_at(sqlstate::undefined_object,
                     "there is no primary key for referenced table \"" + parent->name + "\"", constraint.position);
        if (parent->indexes[static_cast<std::size_t>(key)].deferrable)
            raise_at(sqlstate::object_not_in_prerequisite_state,
                     "cannot use a deferrable primary key for referenced table \"" + parent->name + "\"",
                     constraint.position);
        if (parent->indexes[static_cast<std::size_t>(key)].without_overlaps)
            raise_at(sqlstate::invalid_foreign_key,
                     "foreign key must use PERIOD when referencing a primary key using WITHOUT OVERLAPS",
                     constraint.position);
        for (const IndexColumn& column : parent->indexes[static_cast<std::size_t>(key)].columns)
            foreign.referenced.push_back(column.column);
    } else {
        for (const syntax::Name name : constraint.referenced_columns)
            foreign.referenced.push_back(find(*parent, name));
        bool unique = false, deferrable = false;
        for (const Index& index : parent->indexes) {
            if (!index.unique || index.partial() || index.without_overlaps ||
                index.columns.size() != foreign.referenced.size())
                continue;
            bool all = true;
            for (const IndexColumn& column : index.columns)
                all = all && std::find(foreign.referenced.begin(), foreign.referenced.end(), column.column) !=
                                 foreign.referenced.end();
            unique |= all && !index.deferrable;
            deferrable |= all && index.deferrable;
        }
        if (!unique && deferrable)
            raise_at(sqlstate::object_not_in_prerequisite_state,
                     "cannot use a deferrable unique constraint for referenced table \"" + parent->name + "\"",
                     constraint.position);
        if (!unique)
            raise_at(sqlstate::invalid_foreign_key,
                     "there is no unique constraint matching given keys for referenced table \"" + parent->name + "\"",
                     constraint.position);
    }
    if (foreign.columns.size() != foreign.referenced.size())
        raise_at(sqlstate::invalid_foreign_key,
                 "number of referencing and referenced columns for foreign key disagree", constraint.position);
    foreign.name = constraint.name;
    if (foreign.name.empty()) {
        std::string columns;
        for (const std::string& name : names) columns += (columns.empty() ? "" : "_") + name;
        foreign.name = unique_constraint_name(relation, relation.name + "_" + columns + "_fkey");
    }
    check_reference_types(session, relation, foreign, *parent, constraint.position);
    for (const syntax::Name name : constraint.delete_columns) {
        const int column = find(relation, name);
        if (std::find(foreign.columns.begin(), foreign.columns.end(), column) == foreign.columns.end())
            raise_at(
                sqlstate::invalid_column_reference,
                "column \"" + std::string(name) + "\" referenced in ON DELETE SET action must be part of foreign key",
                constraint.position);
        foreign.set_columns.push_back(column);
    }
    relation.foreign_keys.push_back(std::move(foreign));
}

}  // namespace define_table

void check_generation(SqlSession& session, const BoundChange& change, std::size_t place) {
    const std::vector<Column>& columns = change.relation->columns;
    if (!is_immutable(change.generated[place], session.state().types))
        raise(sqlstate::invalid_object_definition, "generation expression is not immutable");
    for (const ColumnId id : used_columns(change.generated[place]))
        for (std::size_t i = 0; i < change.new_columns.size(); ++i)
            if (change.new_columns[i] == id && !columns[i].generated_text.empty())
                raise(sqlstate::invalid_object_definition,
                      "cannot use generated column \"" + columns[i].name + "\" in column generation expression",
                      "A generated column cannot reference another generated column.");
}

void create_table(SqlSession& session, const syntax::CreateTable& syntax) {
    if (!syntax.partition_of.parts.empty()) return create_partition(session, syntax);
    define_table::TableMaker(session, syntax).run();
}

Index make_key_index(SqlSession& session, Relation& relation, const syntax::ConstraintDefinition& constraint,
                     const std::vector<std::string>& names) {
    return define_table::TableMaker::key_index(session, relation, constraint, names);
}
void check_reference_types(SqlSession& session, const Relation& child, const ForeignKey& foreign,
                           const Relation& parent, std::uint32_t position) {
    for (std::size_t i = 0; i < foreign.columns.size(); ++i) {
        const Column& own = child.columns[static_cast<std::size_t>(foreign.columns[i])];
        const Column& other = parent.columns[static_cast<std::size_t>(foreign.referenced[i])];
        if (define_table::can_refer(own.type, other.type, session.state().types)) continue;
        raise_at(sqlstate::datatype_mismatch,
                 "foreign key constraint \"" + foreign.name + "\" cannot be implemented", position,
                 "Key columns \"" + own.name + "\" and \"" + other.name + "\" are of incompatible types: " +
                     format_type(own.type, k_no_typmod, session.state().types) + " and " +
                     format_type(other.type, k_no_typmod, session.state().types) + ".");
    }
}

void make_foreign_key(SqlSession& session, Relation& relation, const syntax::ConstraintDefinition& constraint,
                      const std::vector<std::string>& names) {
    define_table::TableMaker::add_foreign_key(session, relation, constraint, names);
}
Column make_column(SqlSession& session, Binder& binder, const Relation& relation, const syntax::ColumnSpec& spec,
                   std::vector<std::shared_ptr<Relation>>& sequences) {
    return define_table::TableMaker::column_from(session, binder, relation, spec, sequences);
}

std::uint64_t create_table_as(SqlSession& session, const syntax::CreateTable& syntax,
                              const std::vector<OutputColumn>& columns, KeptRows& rows) {
    check_storage_options(syntax.options, StorageOf::table);
    check_table_method(syntax.method, false);
    auto relation = std::make_shared<Relation>();
    relation->temporary = syntax.temporary || syntax.name.schema() == k_temporary_schema;
    relation->kind = syntax.materialized_view ? RelationKind::materialized_view : RelationKind::table;
    relation->schema = session.creation_schema(syntax.name, relation->temporary);
    relation->name = syntax.name.last();
    relation->populated = !syntax.materialized_view || syntax.with_data;
    refuse_relation_name(session, relation->schema, relation->name);
    if (syntax.column_names.size() > columns.size())
        raise(sqlstate::syntax_error, "too many column names were specified");
    for (std::size_t i = 0; i < columns.size(); ++i)
        add_result_column(session, *relation,
                          i < syntax.column_names.size() ? std::string(syntax.column_names[i]) : columns[i].name,
                          columns[i]);
    relation->unlogged = syntax.unlogged;
    relation->on_commit = on_commit_of(syntax, relation->temporary);
    relation->oid = session.allocate_oid(relation->temporary);
    relation->row_type = session.allocate_oid(relation->temporary);
    session.put(relation);
    if (!syntax.with_data) return 0;
    static const std::vector<Value> nothing;
    Execution execution(session.state(), session, nothing);
    TableWriter writer(session.catalog().relation(relation->oid), execution, session);
    for (std::size_t i = 0; i < rows.size(); ++i) writer.insert(rows.row(i));
    return rows.size();
}

}  // namespace northstar::inline v0::sql
