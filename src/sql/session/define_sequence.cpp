// Sequences: their options, owners and renaming.
#include "sql/session/sql_session.hpp"
#include "sql/session/taken_names.hpp"
#include "sql/syntax/lexer.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace define_sequence {

/// OWNED BY table.column, OWNED BY NONE. Raises 0A000, 42601, 42P01, 42703, 42809.
void own_sequence(SqlSession& session, Relation& sequence, const syntax::List<syntax::Option>& options) {
    for (const syntax::Option& option : options) {
        if (option.name != "owned") continue;
        if (const auto owner = session.catalog().relation(sequence.sequence.owner_table);
            owner != nullptr && sequence.sequence.owner_column >= 0 &&
            owner->columns[static_cast<std::size_t>(sequence.sequence.owner_column)].identity != 0)
            raise(sqlstate::feature_not_supported, "cannot change ownership of identity sequence",
                  "Sequence \"" + sequence.name + "\" is linked to table \"" + owner->name + "\".");
        if (option.names.empty()) {
            sequence.sequence.owner_table = 0;
            sequence.sequence.owner_column = -1;
            continue;
        }
        if (option.names.size() < 2)
            raise_at(sqlstate::syntax_error, "invalid OWNED BY option", option.position,
                     {}, "Specify OWNED BY table.column or OWNED BY NONE.");
        BoundPool pool;
        std::vector<Oid> types;
        Binder binder(session, pool, types);
        Arena arena;
        const std::vector<syntax::Name> parts(option.names.begin(), option.names.end() - 1);
        syntax::QualifiedName name;
        name.parts = syntax::make_list(arena, parts);
        name.position = option.position;
        const auto table = binder.find_relation(name, session.present(), false);
        if (table->kind != RelationKind::table)
            raise(sqlstate::wrong_object_type, "sequence cannot be owned by relation \"" + table->name + "\"");
        const int column = table->find_column(option.names.back());
        if (column < 0)
            raise(sqlstate::undefined_column, "column \"" + std::string(option.names.back()) + "\" of relation \"" +
                                                  table->name + "\" does not exist");
        if (table->schema != sequence.schema)
            raise(sqlstate::object_not_in_prerequisite_state,
                  "sequence must be in same schema as table it is linked to");
        sequence.sequence.owner_table = table->oid;
        sequence.sequence.owner_column = column;
    }
}

/// Where a sequence stands must be a value that it can have.
void require_between(std::int64_t value, const SequenceOptions& options) {
    if (value >= options.minimum && value <= options.maximum) return;
    raise(sqlstate::invalid_parameter_value,
          "RESTART value (" + std::to_string(value) + ") cannot be " +
              (value < options.minimum ? "less than MINVALUE (" + std::to_string(options.minimum)
                                       : "greater than MAXVALUE (" + std::to_string(options.maximum)) +
              ")");
}

}  // namespace define_sequence

void apply_sequence_options(SequenceOptions& options, const syntax::List<syntax::Option>& list,
                            std::optional<std::int64_t>& restart, bool fresh) {
    bool start = false, minimum = false, maximum = false;
    std::set<std::string_view> seen;
    for (const syntax::Option& option : list) {
        if (!seen.insert(option.name).second)
            raise_at(sqlstate::syntax_error, "conflicting or redundant options", option.position);
        const std::int64_t value =
            option.value == nullptr ? 0 : std::strtoll(std::string(option.value->text).c_str(), nullptr, 10);
        if (option.name == "increment") {
            if (value == 0) raise(sqlstate::invalid_parameter_value, "INCREMENT must not be zero");
            options.increment = value;
        } else if (option.name == "start") {
            options.start = value;
            start = true;
        } else if (option.name == "minvalue") {
            options.minimum = value;
            minimum = true;
        } else if (option.name == "maxvalue") {
            options.maximum = value;
            maximum = true;
        } else if (option.name == "cache") {
            if (value <= 0)
                raise(sqlstate::invalid_parameter_value,
                      "CACHE (" + std::to_string(value) + ") must be greater than zero");
            options.cache = value;
        } else if (option.name == "cycle") {
            options.cycle = true;
        } else if (option.name == "no cycle") {
            options.cycle = false;
        } else if (option.name == "restart") {
            restart = option.value == nullptr ? options.start : value;
        }
    }
    const bool down = options.increment < 0;
    const std::int64_t limit = options.type == type::int2   ? INT16_MAX
                               : options.type == type::int4 ? INT32_MAX
                                                            : INT64_MAX;
    const auto reset = [&](std::string_view no) { return seen.count(no) != 0; };
    if (!maximum && (fresh || reset("no maxvalue"))) options.maximum = down ? -1 : limit;
    if (!minimum && (fresh || reset("no minvalue"))) options.minimum = down ? -limit - 1 : 1;
    if (options.maximum > limit || options.maximum < -limit - 1)
        raise(sqlstate::invalid_parameter_value, "MAXVALUE (" + std::to_string(options.maximum) +
                                                     ") is out of range for sequence data type");
    if (options.minimum > limit || options.minimum < -limit - 1)
        raise(sqlstate::invalid_parameter_value, "MINVALUE (" + std::to_string(options.minimum) +
                                                     ") is out of range for sequence data type");
    if (options.minimum >= options.maximum)
        raise(sqlstate::invalid_parameter_value, "MINVALUE (" + std::to_string(options.minimum) +
                                                     ") must be less than MAXVALUE (" +
                                                     std::to_string(options.maximum) + ")");
    if (!start && fresh) options.start = down ? options.maximum : options.minimum;
    if (options.start < options.minimum)
        raise(sqlstate::invalid_parameter_value, "START value (" + std::to_string(options.start) +
                                                     ") cannot be less than MINVALUE (" +
                                                     std::to_string(options.minimum) + ")");
    if (options.start > options.maximum)
        raise(sqlstate::invalid_parameter_value, "START value (" + std::to_string(options.start) +
                                                     ") cannot be greater than MAXVALUE (" +
                                                     std::to_string(options.maximum) + ")");
    if (restart) define_sequence::require_between(*restart, options);
}

std::shared_ptr<Relation> make_sequence(SqlSession& session, const std::string& schema, const std::string& name,
                                        bool temporary, Oid type, const syntax::List<syntax::Option>& options) {
    auto sequence = std::make_shared<Relation>();
    sequence->kind = RelationKind::sequence;
    sequence->schema = schema;
    sequence->name = name;
    for (const syntax::Option& option : options) {
        // GENERATED .. AS IDENTITY (SEQUENCE NAME s)
        if (option.name != "sequence name") continue;
        sequence->name = option.names.back();
        if (option.names.size() > 1) sequence->schema = option.names[option.names.size() - 2];
        if (!session.catalog().has_schema(sequence->schema)) no_schema(sequence->schema);
        if (is_relation_name_taken(session, sequence->schema, sequence->name))
            raise(sqlstate::duplicate_table, "relation \"" + sequence->name + "\" already exists");
    }
    sequence->temporary = temporary;
    sequence->sequence.type = type;
    std::optional<std::int64_t> restart;
    apply_sequence_options(sequence->sequence, options, restart, true);
    define_sequence::own_sequence(session, *sequence, options);
    sequence->oid = session.allocate_oid(temporary);
    session.forget_sequence(sequence->oid);  // a sequence that was rolled back may have had the number
    session.set_sequence_state(*sequence, sequence->sequence.start, false);
    return sequence;
}

void alter_sequence(SqlSession& session, const syntax::CreateSequence& syntax) {
    BoundPool pool;
    std::vector<Oid> types;
    Binder binder(session, pool, types);
    const auto old = binder.find_relation(syntax.name, session.present(), syntax.if_not_exists);
    if (old == nullptr) {
        session.notice(sqlstate::undefined_table, binder.relation_message(syntax.name) + ", skipping");
        return;
    }
    if (old->kind != RelationKind::sequence)
        raise(sqlstate::wrong_object_type, "\"" + old->name + "\" is not a sequence");
    auto changed = std::make_shared<Relation>(*old);
    if (syntax.type != nullptr) {
        const Oid type = binder.resolve_type(*syntax.type).type;
        if (type != type::int2 && type != type::int4 && type != type::int8)
            raise(sqlstate::invalid_parameter_value, "sequence type must be smallint, integer, or bigint");
        const std::int64_t limit = type == type::int2 ? INT16_MAX : type == type::int4 ? INT32_MAX : INT64_MAX;
        const Oid before = changed->sequence.type;
        const std::int64_t was = before == type::int2 ? INT16_MAX : before == type::int4 ? INT32_MAX : INT64_MAX;
        if (changed->sequence.maximum == was) changed->sequence.maximum = limit;
        if (changed->sequence.minimum == -was - 1) changed->sequence.minimum = -limit - 1;
        changed->sequence.type = type;
    }
    std::optional<std::int64_t> restart;
    apply_sequence_options(changed->sequence, syntax.options, restart, false);
    if (!restart) define_sequence::require_between(session.sequence_state(*old).value, changed->sequence);
    define_sequence::own_sequence(session, *changed, syntax.options);
    session.put(changed);
    if (restart) {
        session.forget_sequence(old->oid);
        session.set_sequence_state(*changed, *restart, false);
    }
}

}  // namespace northstar::inline v0::sql
