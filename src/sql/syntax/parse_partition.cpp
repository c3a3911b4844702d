// PARTITION BY, PARTITION OF and FOR VALUES.
#include "sql/syntax/parse.hpp"

namespace northstar::inline v0::sql::syntax {

PartitionBy Parser::partition_by() {
    PartitionBy key;
    expect("partition"_kw);
    expect("by"_kw);
    key.position = here();
    key.strategy = label();
    expect('(');
    std::vector<const Expr*> parts;
    std::vector<std::string_view> sources;
    std::vector<QualifiedName> classes;
    do {
        const std::size_t first = at_;
        parts.push_back(expression());
        sources.push_back(source(first));
        classes.push_back(at(',') || at(')') ? QualifiedName() : qualified_name());
    } while (accept(','));
    expect(')');
    key.parts = make_list(arena_, parts);
    key.sources = make_list(arena_, sources);
    key.operator_classes = make_list(arena_, classes);
    return key;
}

PartitionValues Parser::partition_values() {
    PartitionValues values;
    values.position = here();
    const auto list = [&] {
        expect('(');
        const std::vector<const Expr*> items = expression_list();
        expect(')');
        return make_list(arena_, items);
    };
    if (accept("default"_kw)) {
        values.rest = true;
        return values;
    }
    expect("for"_kw);
    expect("values"_kw);
    if (accept("in"_kw)) {
        values.values = list();
    } else if (accept("with"_kw)) {
        values.by_hash = true;
        bool modulus = false, remainder = false;
        expect('(');
        do {
            const Position position = here();
            const std::string word(label());
            bool& given = word == "modulus" ? modulus : remainder;
            if (word != "modulus" && word != "remainder")
                fail(sqlstate::syntax_error, "unrecognized hash partition bound specification \"" + word + "\"",
                     position);
            if (given)
                fail(sqlstate::duplicate_object, word + " for hash partition provided more than once", position);
            given = true;
            if (at_operator("-")) unexpected();
            (word == "modulus" ? values.modulus : values.remainder) = integer_literal();
        } while (accept(','));
        expect(')');
        if (!modulus || !remainder)
            fail(sqlstate::syntax_error,
                 std::string(modulus ? "remainder" : "modulus") + " for hash partition must be specified",
                 values.position);
    } else {
        expect("from"_kw);
        values.from = list();
        expect("to"_kw);
        values.to = list();
    }
    return values;
}

/// The columns of a partition are its table's, those of a typed table its type's; here they get constraints and
/// defaults of their own.
void Parser::elements_without_types(CreateTable& table) {
    if (!accept('(')) return;
    std::vector<ColumnSpec> columns;
    std::vector<ConstraintDefinition> constraints;
    do {
        if (at("constraint"_kw) || at("check"_kw) || at("primary"_kw) || at("unique"_kw) || at("foreign"_kw) ||
            at_exclusion()) {
            constraints.push_back(table_constraint());
            continue;
        }
        ColumnSpec column;
        column.position = here();
        column.name = name();
        if (accept("with"_kw)) expect("options"_kw);
        std::vector<ConstraintDefinition> own;
        for (;;) {
            if (at("collate"_kw)) column.collation = collation();
            else if (!column_constraint(own)) break;
        }
        column.constraints = make_list(arena_, own);
        columns.push_back(column);
    } while (accept(','));
    expect(')');
    table.columns = make_list(arena_, columns);
    table.constraints = make_list(arena_, constraints);
}

}  // namespace northstar::inline v0::sql::syntax
