// verify_sql: rows against constraints, indexes and foreign keys, all read from one state.
//
// The entries that an index must have are computed here once more, by the rules at the head of table_writer.hpp: a
// checker that asks the writer what is right would share its mistakes.
#include "sql/catalog/partition.hpp"
#include "sql/catalog/period.hpp"
#include "sql/compare.hpp"
#include "sql/execute/evaluate.hpp"
#include "sql/key_encoding.hpp"
#include "sql/session/sql_session.hpp"
#include "sql/text_io.hpp"

#include <algorithm>

namespace northstar::inline v0::sql::verify_rows {

constexpr std::size_t k_problems_per_table = 20;

/// An index of the table that is being checked.
struct CheckedIndex {
    const Index* index = nullptr;
    Tree tree;
    std::vector<std::unique_ptr<Evaluator>> expressions;  ///< by index column; null: a plain column
    std::unique_ptr<Evaluator> predicate;
    std::uint64_t expected = 0;  ///< entries
};

class TableChecker {
public:
    TableChecker(SqlSession& session, ReadPoint& point, const Relation& relation, std::vector<Problem>& problems)
        : session_(session), point_(point), relation_(relation), problems_(problems),
          execution_(session.state(), session, no_values_), binder_(session, pool_, no_types_),
          rows_(point.tree(relation.tree(), relation.temporary)) {
        for (std::size_t c = 0; c < relation.columns.size(); ++c) columns_.push_back(pool_.column());
        for (const CheckConstraint& check : relation.checks) {
            if (!check.validated) continue;
            BoundExpr* bound = binder_.condition(binder_.bind_text(check.text, relation, columns_, "check constraints"),
                                                 "CHECK", 0);
            checks_.emplace_back(&check, std::make_unique<Evaluator>(*bound, no_columns_, execution_));
        }
        for (const Index& index : relation.indexes)
            if (!index.holds_rows()) add_index(index);
    }

    void run() {
        std::vector<Value> row(relation_.columns.size());
        for (const KeyValue stored : rows_.all()) {
            arena_.reset();
            try {
                relation_.layout->decode(stored.value, row, arena_);
            } catch (const SqlError& error) {
                report(stored.key, std::string("the row cannot be read: ") + error.what());
                continue;
            }
            for (std::size_t c = 0; c < columns_.size(); ++c) execution_.cell(columns_[c]) = row[c];
            check_row(stored.key, row);
            for (CheckedIndex& index : indexes_) check_entry(index, stored.key, row);
            for (const ForeignKey& foreign : relation_.foreign_keys)
                if (foreign.validated) check_reference(foreign, stored.key, row);
        }
        for (CheckedIndex& index : indexes_) check_surplus(index, row);
        if (found_ > k_problems_per_table)
            report_at(where(), std::to_string(found_ - k_problems_per_table) + " further problems are not listed");
    }

private:
    void add_index(const Index& index) {
        CheckedIndex checked{&index, point_.tree(relation_.index_tree(index), relation_.temporary), {}, nullptr};
        for (const IndexColumn& column : index.columns) {
            checked.expressions.emplace_back();
            if (column.column >= 0) continue;
            BoundExpr* bound = binder_.bind_text(column.text, relation_, columns_, "index expressions");
            checked.expressions.back() = std::make_unique<Evaluator>(*bound, no_columns_, execution_);
        }
        if (index.partial()) {
            BoundExpr* bound = binder_.condition(
                binder_.bind_text(index_condition(*point_.catalog, index), relation_, columns_, "index predicates"),
                "WHERE", 0);
            checked.predicate = std::make_unique<Evaluator>(*bound, no_columns_, execution_);
        }
        indexes_.push_back(std::move(checked));
    }

    std::string where() const { return "table " + relation_.schema + "." + relation_.name; }

    void report_at(std::string place, std::string what) {
        problems_.push_back({Errc::corrupt, std::move(place), std::move(what), where()});
    }
    /// `key` names the row by its primary key where that can be told.
    void report(std::string_view key, std::string what) {
        if (++found_ > k_problems_per_table) return;
        static constexpr char digits[] = "0123456789abcdef";
        std::string hex;
        for (const char c : key) {
            hex += digits[static_cast<unsigned char>(c) >> 4];
            hex += digits[static_cast<unsigned char>(c) & 15];
        }
        report_at(where() + ", row with key x'" + hex + "'", std::move(what));
    }

    void check_row(std::string_view key, const std::vector<Value>& row) {
        for (std::size_t c = 0; c < row.size(); ++c)
            if (relation_.columns[c].not_null && !relation_.columns[c].dropped && row[c].is_null())
                report(key, "column \"" + relation_.columns[c].name + "\" is NULL, and is declared NOT NULL");
        if (const int primary = relation_.row_key(); primary >= 0) {
            std::string expected;
            for (const IndexColumn& column : relation_.indexes[static_cast<std::size_t>(primary)].columns)
                encode_key(row[static_cast<std::size_t>(column.column)], column.order, expected);
            if (expected != key) report(key, "the row lies under another key than its primary key");
        }
        for (auto& [check, evaluator] : checks_) {
            const Value holds = evaluator->evaluate(arena_);
            if (!holds.is_null() && !holds.boolean())
                report(key, "the row violates check constraint \"" + check->name + "\"");
        }
    }

    /// The entry of the row whose values are in the cells; false: the index leaves it out.
    bool entry_of(CheckedIndex& checked, std::string_view row_key, const std::vector<Value>& row, std::string& key) {
        if (checked.predicate != nullptr) {
            const Value holds = checked.predicate->evaluate(arena_);
            if (holds.is_null() || !holds.boolean()) return false;
        }
        bool null = false;
        const Index& index = *checked.index;
        for (std::size_t i = 0; i < index.columns.size(); ++i) {
            const int column = index.columns[i].column;
            const Value value = column >= 0 ? row[static_cast<std::size_t>(column)]
                                            : checked.expressions[i]->evaluate(arena_);
            null |= value.is_null();
            encode_key(value, index.columns[i].order, key);
        }
        const bool distinguishes = index.unique && (!null || index.nulls_not_distinct);
        if (distinguishes && index.deferrable) check_alone(checked, row_key, key);
        if (!distinguishes || index.deferrable) key += row_key;
        return true;
    }

    /// Of a deferrable key: does another row have its value, although the transaction has ended?
    void check_alone(CheckedIndex& checked, std::string_view row_key, std::string_view columns) {
        for (const KeyValue entry : checked.tree.prefix(columns))
            if (entry.value != row_key)
                return report(row_key, "another row has the same value of \"" + checked.index->name + "\"");
    }

    void check_entry(CheckedIndex& checked, std::string_view row_key, const std::vector<Value>& row) {
        std::string key;
        if (!entry_of(checked, row_key, row, key)) return;
        ++checked.expected;
        const std::optional<std::string_view> found = checked.tree.get(key);
        if (!found) report(row_key, "index \"" + checked.index->name + "\" has no entry for the row");
        else if (*found != row_key) report(row_key, "index \"" + checked.index->name + "\" leads to another row");
    }

    /// Entries that no row asks for.
    void check_surplus(CheckedIndex& checked, std::vector<Value>& row) {
        if (checked.tree.size() == checked.expected) return;
        for (const KeyValue entry : checked.tree.all()) {
            arena_.reset();
            const std::optional<std::string_view> stored = rows_.get(entry.value);
            if (!stored) {
                report(entry.value, "index \"" + checked.index->name + "\" has an entry for a row that is not there");
                continue;
            }
            try {
                relation_.layout->decode(*stored, row, arena_);
            } catch (const SqlError&) {
                continue;  // reported with the row
            }
            for (std::size_t c = 0; c < columns_.size(); ++c) execution_.cell(columns_[c]) = row[c];
            std::string key;
            if (!entry_of(checked, entry.value, row, key) || key != entry.key)
                report(entry.value, "index \"" + checked.index->name + "\" has an entry that the row does not ask for");
        }
    }

    void check_reference(const ForeignKey& foreign, std::string_view row_key, const std::vector<Value>& row) {
        std::vector<Value> values;
        for (const int column : foreign.columns) {
            values.push_back(row[static_cast<std::size_t>(column)]);
            if (values.back().is_null()) return;
        }
        const std::shared_ptr<const Relation> parent = point_.catalog->relation(foreign.table);
        if (parent == nullptr) {
            report(row_key, "foreign key \"" + foreign.name + "\" refers to a table that is not there");
            return;
        }
        if (foreign.period ? !is_covered(*parent, foreign, values) : !is_there(*parent, foreign, values))
            report(row_key, "foreign key \"" + foreign.name + "\" refers to a row of \"" + parent->name +
                                "\" that is not there");
    }

    /// Do the parent's rows under an equal key cover the period that the values end with? Entries of a key WITHOUT
    /// OVERLAPS lie in the order in which their periods begin.
    bool is_covered(const Relation& parent, const ForeignKey& foreign, const std::vector<Value>& values) {
        const auto found = std::find_if(parent.indexes.begin(), parent.indexes.end(), [&](const Index& index) {
            if (!index.without_overlaps) return false;
            for (std::size_t i = 0; i + 1 < index.columns.size(); ++i)
                if (index.columns[i].column != foreign.referenced[i]) return false;
            return true;
        });
        if (found == parent.indexes.end()) return false;
        std::string prefix;
        for (std::size_t i = 0; i + 1 < found->columns.size(); ++i) {
            const Oid wanted = parent.columns[static_cast<std::size_t>(foreign.referenced[i])].type;
            const Value value = values[i].type() == wanted ? values[i]
                                                           : cast_value(values[i], wanted, k_no_typmod,
                                                                        CastContext::explicit_, arena_,
                                                                        session_.state());
            encode_key(value, found->columns[i].order, prefix);
        }
        const bool pair = values.size() > found->columns.size();
        std::optional<Range> rest = pair ? make_span(values[values.size() - 2], values.back())
                                         : read_range(values.back(), arena_);
        if (is_empty_span(*rest)) return true;
        const Period period = period_of_key(parent, *found);
        const bool primary = found->holds_rows();
        const Tree rows = point_.tree(parent.tree(), parent.temporary);
        std::vector<Value> row(parent.columns.size());
        for (const KeyValue entry : primary ? rows.prefix(prefix)
                                            : point_.tree(parent.index_tree(*found), parent.temporary).prefix(prefix)) {
            const std::optional<std::string_view> stored = primary ? entry.value : rows.get(entry.value);
            if (!stored) continue;
            parent.layout->decode(*stored, row, arena_);
            const Range span = read_period(period, row.data(), arena_);
            if (!spans_overlap(*rest, span)) continue;
            if (span_before(*rest, span)) return false;
            rest = span_behind(*rest, span);
            if (!rest) return true;
        }
        return false;
    }

    /// Looks the values up in the key that the parent must have over the referenced columns.
    bool is_there(const Relation& parent, const ForeignKey& foreign, std::vector<Value>& values) {
        for (std::size_t i = 0; i < values.size(); ++i) {
            const Oid wanted = parent.columns[static_cast<std::size_t>(foreign.referenced[i])].type;
            if (values[i].type() != wanted)
                values[i] = cast_value(values[i], wanted, k_no_typmod, CastContext::explicit_, arena_,
                                       session_.state());
        }
        for (const Index& index : parent.indexes) {
            if (!index.unique_at_once() || index.partial() || index.columns.size() != values.size()) continue;
            std::string key;
            std::size_t matched = 0;
            for (const IndexColumn& column : index.columns) {
                const auto at = std::find(foreign.referenced.begin(), foreign.referenced.end(), column.column);
                if (at == foreign.referenced.end()) break;
                encode_key(values[static_cast<std::size_t>(at - foreign.referenced.begin())], column.order, key);
                ++matched;
            }
            if (matched != values.size()) continue;
            const bool primary = index.holds_rows();
            return point_.tree(primary ? parent.tree() : parent.index_tree(index), parent.temporary).contains(key);
        }
        return false;
    }

    SqlSession& session_;
    ReadPoint& point_;
    const Relation& relation_;
    std::vector<Problem>& problems_;
    std::size_t found_ = 0;
    const std::vector<Value> no_values_;
    std::vector<Oid> no_types_;
    const std::vector<ColumnId> no_columns_;
    BoundPool pool_;
    Execution execution_;
    Binder binder_;
    Tree rows_;
    std::vector<ColumnId> columns_;
    std::vector<std::pair<const CheckConstraint*, std::unique_ptr<Evaluator>>> checks_;
    std::vector<CheckedIndex> indexes_;
    Arena arena_;
};

}  // namespace northstar::inline v0::sql::verify_rows

namespace northstar::inline v0 {

sql::ReadPoint& sql::SqlSession::checked_point() {
    ReadPoint& point = past(database_.begin_read().txn());
    present_.catalog = point.catalog;
    present_.txn = point.txn;
    session_.types = point.catalog.get();
    return point;
}

std::vector<Problem> verify_sql(Database& database) {
    std::vector<Problem> problems;
    sql::SqlSession session(database);
    try {
        sql::ReadPoint& point = session.checked_point();
        for (const auto& [name, relation] : point.catalog->relations()) {
            if (!relation->stores_rows()) continue;
            try {
                sql::verify_rows::TableChecker(session, point, *relation, problems).run();
            } catch (const sql::SqlError& error) {
                problems.push_back({Errc::corrupt, "table " + name, std::string("its definition cannot be used: ") +
                                                                         error.what(), "table " + name});
            }
        }
    } catch (const sql::SqlError& error) {
        problems.push_back({Errc::corrupt, "tree sql.catalog", error.what(), "all of SQL"});
    }
    return problems;
}

}  // namespace northstar::inline v0
