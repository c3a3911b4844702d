// Periods in definitions: PERIOD FOR p (a, b), keys WITHOUT OVERLAPS, foreign keys with PERIOD, and how long the
// history of a table is kept.
#include "sql/catalog/period.hpp"
#include "sql/compare.hpp"
#include "sql/datetime.hpp"
#include "sql/session/sql_session.hpp"

#include <algorithm>
#include <charconv>

namespace northstar::inline v0::sql {

namespace define_period {

constexpr std::int64_t k_month_us = 30 * 24 * 3600 * k_microseconds_per_second;
constexpr std::int64_t k_day_us = 24 * 3600 * k_microseconds_per_second;

[[noreturn]] void no_period(const Relation& relation, const std::string& name, std::uint32_t position) {
    if (relation.find_column(name) >= 0)
        raise_at(sqlstate::datatype_mismatch,
                 "column \"" + name + "\" in WITHOUT OVERLAPS is not a range or multirange type", position);
    raise_at(sqlstate::undefined_column, "column \"" + name + "\" named in key does not exist", position);
}

/// The columns that a period stands for in a key.
std::vector<int> columns_of(const Period& period) {
    if (period.range >= 0) return {period.range};
    return {period.from, period.to};
}

}  // namespace define_period

void add_period(SqlSession& session, Relation& relation, const syntax::ConstraintDefinition& constraint) {
    const std::string name(constraint.name);
    if (name == "system_time")
        raise_at(sqlstate::feature_not_supported, "system time is kept for every table and has no columns",
                 constraint.position);
    if (relation.period_from >= 0)
        raise_at(sqlstate::invalid_table_definition, "table \"" + relation.name + "\" has a period already",
                 constraint.position);
    if (relation.find_column(name) >= 0)
        raise_at(sqlstate::duplicate_column, "period \"" + name + "\" has the name of a column", constraint.position);
    int places[2];
    for (int i = 0; i < 2; ++i) {
        const std::string column(constraint.columns[static_cast<std::size_t>(i)]);
        places[i] = relation.find_column(column);
        if (places[i] < 0)
            raise_at(sqlstate::undefined_column, "column \"" + column + "\" of relation \"" + relation.name +
                                                     "\" does not exist", constraint.position);
    }
    const Column& from = relation.columns[static_cast<std::size_t>(places[0])];
    const Column& to = relation.columns[static_cast<std::size_t>(places[1])];
    if (places[0] == places[1] || from.type != to.type || !is_orderable(from.type, session.state().types))
        raise_at(sqlstate::datatype_mismatch,
                 "the columns of period \"" + name + "\" must be two of one type that has an order",
                 constraint.position);
    relation.period_name = name;
    relation.period_from = places[0];
    relation.period_to = places[1];
    CheckConstraint order;
    order.name = unique_constraint_name(relation, relation.name + "_" + name + "_check");
    order.text = quote_identifier(from.name) + " < " + quote_identifier(to.name);
    relation.checks.push_back(std::move(order));
}

std::string period_key_column(const Relation& relation, const std::string& name, std::uint32_t position) {
    const std::optional<Period> period = find_period(relation, name);
    if (!period) define_period::no_period(relation, name, position);
    const int place = period->range >= 0 ? period->range : period->from;
    return relation.columns[static_cast<std::size_t>(place)].name;
}

void find_period_keys(const Relation& relation, const Relation& parent,
                      const syntax::ConstraintDefinition& constraint, const std::vector<std::string>& names,
                      ForeignKey& foreign) {
    const auto take = [&](const Relation& in, const std::vector<std::string>& list, std::vector<int>& out) {
        for (std::size_t i = 0; i < list.size(); ++i) {
            const bool last = i + 1 == list.size();
            const std::optional<Period> period = last ? find_period(in, list[i]) : std::nullopt;
            if (last && !period) define_period::no_period(in, list[i], constraint.position);
            if (last) {
                for (const int column : define_period::columns_of(*period)) out.push_back(column);
                continue;
            }
            const int column = in.find_column(list[i]);
            if (column < 0)
                raise_at(sqlstate::undefined_column,
                         "column \"" + list[i] + "\" referenced in foreign key constraint does not exist",
                         constraint.position);
            out.push_back(column);
        }
    };
    take(relation, names, foreign.columns);
    std::vector<std::string> referenced;
    for (const syntax::Name name : constraint.referenced_columns) referenced.emplace_back(name);
    if (!referenced.empty()) take(parent, referenced, foreign.referenced);
    for (const Index& index : parent.indexes) {
        if (!index.without_overlaps || (referenced.empty() && index.role != ConstraintRole::primary_key)) continue;
        std::vector<int> key;
        for (std::size_t i = 0; i + 1 < index.columns.size(); ++i) key.push_back(index.columns[i].column);
        for (const int column : define_period::columns_of(period_of_key(parent, index))) key.push_back(column);
        if (referenced.empty()) foreign.referenced = key;
        if (key == foreign.referenced) return;
    }
    raise_at(sqlstate::invalid_foreign_key,
             "there is no unique constraint matching given keys for referenced table \"" + parent.name + "\"",
             constraint.position);
}

// ---- retention ----

namespace define_period {

/// "forever", "none", "1000 commits", or an interval.
History history_of(const std::string& text, Session& session) {
    if (text == "forever") return History::everything();
    if (text == "none") return History::nothing();
    std::uint64_t commits = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), commits);
    const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
    if (error == std::errc() && (unit == " commits" || unit == " commit")) return History::last(commits);
    const Interval span = interval_from_text(text, k_no_typmod, session);
    const std::int64_t total = span.months * k_month_us + span.days * k_day_us + span.microseconds;
    if (total < 0) raise(sqlstate::invalid_parameter_value, "history_retention must not be negative");
    return History::duration(static_cast<std::uint64_t>(total));
}

}  // namespace define_period

std::string retention_text(const syntax::Option& option) {
    if (option.value == nullptr ||
        (option.value->kind != syntax::ExprKind::string && option.value->kind != syntax::ExprKind::integer))
        raise_at(sqlstate::invalid_parameter_value,
                 "history_retention is 'forever', 'none', 'N commits' or an interval", option.position);
    std::string text(option.value->text);
    std::transform(text.begin(), text.end(), text.begin(),
                   [](char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c); });
    if (text.rfind("commits ", 0) == 0) text = text.substr(8) + " commits";
    return text;
}

void set_retention(SqlSession& session, const Relation& relation) {
    if (relation.temporary)
        raise(sqlstate::wrong_object_type, "temporary table \"" + relation.name + "\" has no history to keep");
    const History history = relation.history_retention.empty()
                                ? session.database().history()
                                : define_period::history_of(relation.history_retention, session.state());
    session.set_tree_history(relation.tree(), history);
    for (const Index& index : relation.indexes)
        if (!index.holds_rows()) session.set_tree_history(relation.index_tree(index), history);
}

}  // namespace northstar::inline v0::sql
