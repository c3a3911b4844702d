// ALTER TABLE and its kin, RENAME.
#include "sql/syntax/parse.hpp"

namespace northstar::inline v0::sql::syntax {

const Statement* Parser::alter() {
    expect("alter"_kw);
    if (at("sequence"_kw)) {
        // RENAME and SET SCHEMA are the same for all; options are not.
        return alter_sequence();
    }
    if (at("type"_kw)) return alter_type();
    if (at("default"_kw)) return privileges("ALTER DEFAULT PRIVILEGES");
    refuse_kind("ALTER");
    return alter_table(object_kind());
}

/// GRANT, REVOKE, ALTER DEFAULT PRIVILEGES. There are none to change: what stands behind the first word is passed over.
const Statement* Parser::privileges(std::string_view tag) {
    bool whom = false;
    for (take(); !at_end(); take()) whom = whom || at("to"_kw) || at("from"_kw);
    if (!whom) unexpected();
    Statement* statement = make_statement(StatementKind::privileges);
    statement->privileges = tag;
    return statement;
}

const Statement* Parser::alter_table(ObjectKind kind) {
    AlterTable table;
    table.kind = kind;
    if (at("if"_kw) && at("exists"_kw, 1)) {
        take(), take();
        table.if_exists = true;
    }
    table.only = accept("only"_kw);
    table.name = qualified_name();
    if (at_operator("*")) take();
    if (at("rename"_kw)) {
        take();
        Rename rename;
        rename.kind = rename.of = kind;
        rename.name = table.name;
        rename.if_exists = table.if_exists;
        rename.only = table.only;
        if (!at("to"_kw)) {
            rename.of_domain = kind == ObjectKind::domain;
            if (accept("constraint"_kw)) rename.kind = ObjectKind::constraint;
            else {
                accept(kind == ObjectKind::type ? "attribute"_kw : "column"_kw);
                rename.kind = ObjectKind::column;
            }
            rename.part = name();
        }
        expect("to"_kw);
        rename.to = name();
        if (rename.kind == ObjectKind::column && kind == ObjectKind::type) {
            rename.cascade = accept("cascade"_kw);
            if (!rename.cascade) accept("restrict"_kw);
        }
        Statement* statement = make_statement(StatementKind::rename);
        statement->rename = arena_.create<Rename>(rename);
        return statement;
    }
    if (at("set"_kw) && at("schema"_kw, 1)) {
        take(), take();
        Rename rename;
        rename.kind = rename.of = kind;
        rename.name = table.name;
        rename.if_exists = table.if_exists;
        rename.to = name();
        Statement* statement = make_statement(StatementKind::set_schema);
        statement->rename = arena_.create<Rename>(rename);
        return statement;
    }
    std::vector<AlterAction> actions;
    do {
        actions.push_back(alter_action(kind));
    } while (accept(','));
    table.actions = make_list(arena_, actions);
    Statement* statement = make_statement(StatementKind::alter_table);
    statement->alter = arena_.create<AlterTable>(table);
    return statement;
}

AlterAction Parser::alter_action(ObjectKind kind) {
    AlterAction action;
    action.position = here();
    if (accept("add"_kw)) {
        const bool period = at("period"_kw) && at("for"_kw, 1);
        if (at("constraint"_kw) || at("check"_kw) || at("primary"_kw) || at("unique"_kw) || at("foreign"_kw) ||
            at_exclusion() || period) {
            action.kind = AlterKind::add_constraint;
            action.constraint = table_constraint();
            return action;
        }
        if (kind == ObjectKind::type) expect("attribute"_kw);
        else accept("column"_kw);
        action.kind = AlterKind::add_column;
        if (at("if"_kw) && at("not"_kw, 1)) {
            take(), take();
            expect("exists"_kw);
            action.if_exists = true;
        }
        action.column = column_spec();
        if (kind == ObjectKind::type) {
            action.cascade = accept("cascade"_kw);
            if (!action.cascade) accept("restrict"_kw);
        }
        return action;
    }
    if (kind == ObjectKind::domain && at("drop"_kw) && (at("not"_kw, 1) || at("default"_kw, 1))) {
        take();
        action.kind = accept("default"_kw) ? AlterKind::drop_default : AlterKind::drop_not_null;
        if (action.kind == AlterKind::drop_not_null) expect("not"_kw), expect("null"_kw);
        return action;
    }
    if (accept("drop"_kw)) {
        const bool constraint = accept("constraint"_kw);
        if (kind == ObjectKind::type) expect("attribute"_kw);
        else if (!constraint) accept("column"_kw);
        action.kind = constraint ? AlterKind::drop_constraint : AlterKind::drop_column;
        if (at("if"_kw) && at("exists"_kw, 1)) {
            take(), take();
            action.if_exists = true;
        }
        action.name = name();
        action.cascade = accept("cascade"_kw);
        if (!action.cascade) accept("restrict"_kw);
        return action;
    }
    const bool attach = peek().text == "attach";
    if (kind != ObjectKind::domain && (attach || peek().text == "detach") && at("partition"_kw, 1)) {
        take(), take();
        action.kind = attach ? AlterKind::attach_partition : AlterKind::detach_partition;
        action.partition = qualified_name();
        if (attach && kind == ObjectKind::table) action.values = partition_values();
        else if (!attach) {
            action.concurrently = accept("concurrently"_kw);
            action.finalize = !action.concurrently && peek().text == "finalize";
            if (action.finalize) take();
        }
        return action;
    }
    if (kind == ObjectKind::table && (at("of"_kw) || (at("not"_kw) && at("of"_kw, 1)))) {
        action.kind = accept("not"_kw) ? AlterKind::not_of_type : AlterKind::of_type;
        take();
        if (action.kind == AlterKind::of_type) action.partition = qualified_name();
        return action;
    }
    const bool stop = at("no"_kw) && peek(1).text == "inherit";
    if (kind == ObjectKind::table && (stop || peek().text == "inherit")) {
        take();
        if (stop) take();
        action.kind = AlterKind::inherit;
        action.if_exists = stop;
        action.partition = qualified_name();
        return action;
    }
    if (accept("validate"_kw)) {
        expect("constraint"_kw);
        action.kind = AlterKind::validate_constraint;
        action.name = name();
        return action;
    }
    if (accept("alter"_kw)) {
        if (accept("constraint"_kw)) {
            action.kind = AlterKind::alter_constraint;
            action.name = name();
            all_constraint_attributes(action.constraint, "FOREIGN KEY");
            if (action.constraint.not_valid)
                fail(sqlstate::feature_not_supported, "FOREIGN KEY constraints cannot be marked NOT VALID",
                     action.position);
            return action;
        }
        if (kind == ObjectKind::type) expect("attribute"_kw);
        else accept("column"_kw);
        action = kind == ObjectKind::index ? alter_index_column() : alter_column();
        action.cascade = accept("cascade"_kw);
        if (!action.cascade) accept("restrict"_kw);
        return action;
    }
    if (accept("owner"_kw)) {
        expect("to"_kw);
        action.kind = AlterKind::owner;
        label();
        return action;
    }
    if (accept("set"_kw)) {
        if (at('(')) {
            action.kind = AlterKind::set_options;
            if (at(')', 1)) take(), unexpected();
            action.options = options_in_parentheses();
            return action;
        }
        if (kind == ObjectKind::domain) {
            if (accept("default"_kw)) {
                action.kind = AlterKind::set_default;
                const std::size_t first = at_;
                action.expr = expression();
                action.source = source(first);
                return action;
            }
            expect("not"_kw);
            expect("null"_kw);
            action.kind = AlterKind::set_not_null;
            return action;
        }
        if (at("logged"_kw) || at("unlogged"_kw)) {
            action.kind = take().is("logged"_kw) ? AlterKind::set_logged : AlterKind::set_unlogged;
            return action;
        }
        if (peek().text == "access" && peek(1).text == "method") {
            take(), take();
            action.kind = AlterKind::set_access_method;
            action.name = name();
            return action;
        }
        if (accept("without"_kw)) {
            if (peek().text != "cluster" && peek().text != "oids") unexpected();
            take();
            action.kind = AlterKind::cluster;
            return action;
        }
        unexpected();
    }
    if (kind == ObjectKind::table && (peek().text == "enable" || peek().text == "disable")) {
        const std::size_t at_what = peek().text == "enable" && (peek(1).text == "always" || peek(1).is("replica"_kw));
        const bool rows = peek(1).text == "row";
        if (peek(1 + at_what).is("trigger"_kw)) {
            // There are none but those that foreign keys stand for: dumps of data disable them while rows are read.
            const bool off = take().text == "disable";
            for (std::size_t i = 0; i <= at_what; ++i) take();
            if (accept("all"_kw)) action.kind = off ? AlterKind::disable_foreign_keys : AlterKind::enable_foreign_keys;
            else if (accept("user"_kw)) action.kind = AlterKind::cluster;
            else {
                action.kind = AlterKind::trigger;
                action.name = name();
            }
            return action;
        }
        fail(sqlstate::feature_not_supported,
             std::string(rows ? "row-level security is" : "triggers and rules are") + " not supported", here());
    }
    if (accept("reset"_kw)) {
        action.kind = AlterKind::reset_options;
        if (at(')', 1)) take(), unexpected();
        action.options = reset_options();
        return action;
    }
    if (accept("cluster"_kw)) {
        expect("on"_kw);
        action.kind = AlterKind::cluster;
        action.name = name();
        return action;
    }
    if (accept("replica"_kw)) {
        expect("identity"_kw);
        if (accept("using"_kw)) expect("index"_kw);
        label();
        action.kind = AlterKind::replica_identity;
        return action;
    }
    unexpected();
}

/// SET STATISTICS n: how exact they are to be, which is not kept.
void Parser::statistics_target(AlterAction& action) {
    expect("statistics"_kw);
    action.kind = AlterKind::set_statistics;
    const Position position = here();
    if (const std::int64_t target = integer_literal(); target < -1)
        fail(sqlstate::invalid_parameter_value, "statistics target " + std::to_string(target) + " is too low",
             position);
}

AlterAction Parser::alter_index_column() {
    AlterAction action;
    action.position = here();
    action.kind = AlterKind::set_statistics;
    if (peek().kind != TokenKind::integer) unexpected();
    if (peek().text.size() > 5 || std::stoul(std::string(peek().text)) - 1 >= 32767)
        fail(sqlstate::invalid_parameter_value, "column number must be in range from 1 to 32767", here());
    action.name = take().text;
    expect("set"_kw);
    statistics_target(action);
    return action;
}

AlterAction Parser::alter_column() {
    AlterAction action;
    action.position = here();
    action.name = name();
    if (at("set"_kw) && at("data"_kw, 1)) {
        take(), take();
        if (!at("type"_kw)) unexpected();
    }
    if (accept("type"_kw)) {
        action.kind = AlterKind::set_type;
        action.type = type_name();
        if (at("collate"_kw)) collation();
        if (accept("using"_kw)) {
            const std::size_t first = at_;
            action.expr = expression();
            action.source = source(first);
        }
        return action;
    }
    if (accept("add"_kw)) {
        action.kind = AlterKind::add_identity;
        std::vector<ConstraintDefinition> constraints;
        if (!column_constraint(constraints) || constraints[0].kind != ConstraintKind::identity) unexpected();
        action.constraint = constraints[0];
        return action;
    }
    if (accept("restart"_kw)) {
        action.kind = AlterKind::set_identity;
        Option option;
        option.name = "restart";
        accept("with"_kw);
        if (peek().kind == TokenKind::integer || at_operator("-")) {
            Expr* value = node(ExprKind::integer, here());
            const std::size_t first = at_;
            integer_literal();
            value->text = source(first);
            option.value = value;
        }
        const std::vector<Option> options = {option};
        action.options = make_list(arena_, options);
        return action;
    }
    if (accept("drop"_kw)) {
        if (accept("default"_kw)) action.kind = AlterKind::drop_default;
        else if (accept("not"_kw)) {
            expect("null"_kw);
            action.kind = AlterKind::drop_not_null;
        } else if (accept("identity"_kw)) {
            action.kind = AlterKind::drop_identity;
        } else {
            expect("expression"_kw);
            action.kind = AlterKind::drop_expression;
        }
        if (at("if"_kw) && at("exists"_kw, 1)) {
            take(), take();
            action.if_exists = true;
        }
        return action;
    }
    if (accept("reset"_kw)) {
        action.kind = AlterKind::set_statistics;
        reset_options();  // there is nothing to set back
        return action;
    }
    expect("set"_kw);
    if (accept("default"_kw)) {
        action.kind = AlterKind::set_default;
        const std::size_t first = at_;
        action.expr = expression();
        action.source = source(first);
    } else if (accept("not"_kw)) {
        expect("null"_kw);
        action.kind = AlterKind::set_not_null;
    } else if (at("statistics"_kw)) {
        statistics_target(action);
    } else if (at("storage"_kw) || at("compression"_kw)) {
        action.kind = take().is("storage"_kw) ? AlterKind::set_storage : AlterKind::set_compression;
        action.source = label();
    } else if (at('(')) {
        action.kind = AlterKind::set_statistics;
        action.options = options_in_parentheses();
    } else {
        action.kind = AlterKind::set_identity;
        const TypeName* type = nullptr;
        std::vector<Option> all;
        do {
            if (accept("generated"_kw)) {
                Option option;
                option.name = accept("always"_kw) ? "always" : "by default";
                if (option.name != "always") expect("by"_kw), expect("default"_kw);
                all.push_back(option);
            }
            for (const Option& option : sequence_options(type)) all.push_back(option);
        } while (accept("set"_kw));
        if (all.empty()) unexpected();
        action.options = make_list(arena_, all);
    }
    return action;
}

const Statement* Parser::alter_sequence() {
    std::size_t ahead = 1;
    if (at("if"_kw, 1)) ahead = 3;
    ++ahead;
    while (at('.', ahead)) ahead += 2;
    const bool generic = at("rename"_kw, ahead) || at("owner"_kw, ahead) ||
                         (at("set"_kw, ahead) && (at("schema"_kw, ahead + 1) || at("logged"_kw, ahead + 1) ||
                                                  at("unlogged"_kw, ahead + 1)));
    if (generic) return alter_table(object_kind());
    take();
    CreateSequence sequence;
    if (at("if"_kw) && at("exists"_kw, 1)) {
        take(), take();
        sequence.if_not_exists = true;
    }
    sequence.name = qualified_name();
    sequence.options = sequence_options(sequence.type);
    if (sequence.options.empty() && sequence.type == nullptr) unexpected();
    Statement* statement = make_statement(StatementKind::alter_sequence);
    statement->sequence = arena_.create<CreateSequence>(sequence);
    return statement;
}

const Statement* Parser::alter_type() {
    std::size_t ahead = 2;
    while (at('.', ahead)) ahead += 2;
    const bool labels = (at("add"_kw, ahead) && at("value"_kw, ahead + 1)) ||
                        (at("rename"_kw, ahead) && at("value"_kw, ahead + 1));
    if (!labels) return alter_table(object_kind());
    take();
    CreateType type;
    type.name = qualified_name();
    if (accept("rename"_kw)) {
        take();
        type.rename_from = string_literal();
        expect("to"_kw);
    } else {
        take(), take();
        if (at("if"_kw)) {
            take();
            expect("not"_kw);
            expect("exists"_kw);
            type.if_not_exists = true;
        }
    }
    const std::vector<Name> names = {string_literal()};
    type.labels = make_list(arena_, names);
    if (at("before"_kw) || at("after"_kw)) {
        type.before = take().is("before"_kw);
        type.neighbour = string_literal();
    }
    Statement* statement = make_statement(StatementKind::alter_enum);
    statement->type = arena_.create<CreateType>(type);
    return statement;
}

}  // namespace northstar::inline v0::sql::syntax
