// ANALYZE: how often the values of a table's columns occur, out of a sample of its rows, into the catalog.
//
// What is kept, and when, is PostgreSQL's (its documentation of pg_stats), with half as many values. Of values that
// were seen once, more are expected in the table than in the sample: the estimator Duj1 of Haas and Stokes, "Estimating
// the Number of Classes in a Finite Population", Journal of the American Statistical Association 93(444), 1998.
#include "sql/compare.hpp"
#include "sql/plan/optimize.hpp"
#include "sql/session/analyze.hpp"
#include "sql/text_io.hpp"

#include <algorithm>
#include <cmath>

namespace northstar::inline v0::sql {

namespace analyze {

constexpr std::size_t k_sample = 30000;   // rows
constexpr std::size_t k_most_common = 50;
constexpr std::size_t k_bounds = 51;
constexpr std::size_t k_wide = 1024;      // bytes of a key that is counted but not kept

/// Runs a query to the end.
void run(SqlSession& session, const std::string& text, RowStore& rows) {
    Arena arena;
    BoundPool pool;
    std::vector<Oid> types;
    Binder binder(session, pool, types);
    BoundQuery bound = binder.bind_query(*parse_query(arena.copy(text), arena));
    rows.reset(bound.columns.size());
    Execution execution(session.state(), session, session.parameters());
    std::vector<ColumnId> wanted;
    for (const OutputColumn& column : bound.columns) wanted.push_back(column.id);
    run_plan(*optimize(bound.plan, pool), wanted, execution, rows);
}

/// The values of one column in a sample of the rows, in the order of the rows.
class ColumnSample {
public:
    ColumnSample(const RowStore& rows, std::size_t place, double table_rows, bool whole)
        : rows_(rows), place_(place), table_rows_(table_rows), whole_(whole) {}

    ColumnStatistics describe(bool orderable, Session& plain) {
        ColumnStatistics found;
        read(orderable, plain);
        const auto rows = static_cast<double>(rows_.size());
        const std::size_t values = rows_.size() - nulls_;
        found.null_share = static_cast<double>(nulls_) / rows;
        if (values == 0) return found;
        found.width = static_cast<std::int32_t>(std::llround(bytes_ / static_cast<double>(values)));
        if (!orderable) return found;
        std::sort(keys_.begin(), keys_.end());
        group();
        found.distinct = distinct(static_cast<double>(values));
        choose_common(found, plain);
        choose_bounds(found, plain);
        if (wide_ == 0) correlate(found);
        return found;
    }

private:
    struct Group {  // equal values: places in keys_
        std::size_t begin, end;
        std::size_t count() const { return end - begin; }
    };

    const Value& value(std::size_t at) const { return rows_.row(keys_[at].second)[place_]; }

    void read(bool orderable, Session& plain) {
        for (std::size_t row = 0; row < rows_.size(); ++row) {
            const Value& value = rows_.row(row)[place_];
            if (value.is_null()) {
                ++nulls_;
                continue;
            }
            std::string key;
            if (orderable) encode_key(value, {}, key);
            const TypeInfo& type = type_info(value.type(), plain.types);
            bytes_ += type.length > 0 ? type.length : static_cast<double>(1 + stored_size(value));
            if (key.size() > k_wide) ++wide_;
            else if (orderable) keys_.emplace_back(std::move(key), static_cast<std::uint32_t>(row));
        }
    }

    static std::size_t stored_size(const Value& value) {
        std::string bytes;
        stored_bytes(value, bytes);
        return bytes.size();
    }

    void group() {
        for (std::size_t begin = 0; begin < keys_.size();) {
            std::size_t end = begin + 1;
            while (end < keys_.size() && keys_[end].first == keys_[begin].first) ++end;
            groups_.push_back({begin, end});
            begin = end;
        }
    }

    double distinct(double values) const {
        const auto seen = static_cast<double>(groups_.size() + wide_);
        const auto once = static_cast<double>(
            wide_ + static_cast<std::size_t>(std::count_if(groups_.begin(), groups_.end(),
                                                           [](const Group& group) { return group.count() == 1; })));
        const double all = table_rows_ * values / static_cast<double>(rows_.size());  // values in the table
        double estimate = seen;
        if (!whole_ && once == values) return -values / static_cast<double>(rows_.size());
        if (!whole_ && once > 0)
            estimate = std::floor(std::clamp(values * seen / (values - once + once * values / all), seen, all) + 0.5);
        return estimate > 0.1 * table_rows_ ? -estimate / table_rows_ : estimate;
    }

    /// Values that occur a quarter more often than the average one; all where they are few.
    void choose_common(ColumnStatistics& found, Session& plain) {
        std::vector<Group> often;
        for (const Group& group : groups_)
            if (group.count() > 1) often.push_back(group);
        std::stable_sort(often.begin(), often.end(),
                         [](const Group& a, const Group& b) { return a.count() > b.count(); });
        const bool all = often.size() == groups_.size() && wide_ == 0 && found.distinct > 0;
        if (!all || often.size() > k_most_common) {
            const double least = std::max(2.0, 1.25 * static_cast<double>(keys_.size()) /
                                                   std::max(1.0, found.distinct_of(static_cast<double>(rows_.size()))));
            while (!often.empty() && static_cast<double>(often.back().count()) < least) often.pop_back();
            if (often.size() > k_most_common) often.resize(k_most_common);
        }
        for (const Group& group : often) {
            found.common.push_back({value_to_text(value(group.begin), plain),
                                    static_cast<double>(group.count()) / static_cast<double>(rows_.size()), {}});
            common_.push_back(group.begin);
        }
    }

    void choose_bounds(ColumnStatistics& found, Session& plain) {
        std::vector<std::size_t> others;  // places in keys_
        std::size_t different = 0;
        for (const Group& group : groups_) {
            if (std::find(common_.begin(), common_.end(), group.begin) != common_.end()) continue;
            ++different;
            for (std::size_t at = group.begin; at < group.end; ++at) others.push_back(at);
        }
        const std::size_t bounds = std::min(different, k_bounds);
        if (bounds < 2) return;
        for (std::size_t i = 0; i < bounds; ++i)
            found.bounds.push_back({value_to_text(value(others[i * (others.size() - 1) / (bounds - 1)]), plain), {}});
    }

    /// Pearson's coefficient of the place among the values and the place among the rows.
    void correlate(ColumnStatistics& found) const {
        const auto n = static_cast<double>(keys_.size());
        if (keys_.size() < 2) return;
        std::vector<std::uint32_t> rows;
        for (const auto& [key, row] : keys_) rows.push_back(row);
        std::sort(rows.begin(), rows.end());
        double products = 0, sum = 0, squares = 0;
        for (std::size_t i = 0; i < keys_.size(); ++i) {
            const auto place = std::lower_bound(rows.begin(), rows.end(), keys_[i].second) - rows.begin();
            products += static_cast<double>(i) * static_cast<double>(place);
            sum += static_cast<double>(i);
            squares += static_cast<double>(i) * static_cast<double>(i);
        }
        found.correlation = (n * products - sum * sum) / (n * squares - sum * sum);
    }

    const RowStore& rows_;
    const std::size_t place_;
    const double table_rows_;
    const bool whole_;  // the sample has every row
    std::size_t nulls_ = 0, wide_ = 0;
    double bytes_ = 0;
    std::vector<std::pair<std::string, std::uint32_t>> keys_;  // and the row
    std::vector<Group> groups_;
    std::vector<std::size_t> common_;  // beginnings of groups
};

void table(SqlSession& session, const Relation& relation, const std::vector<int>& places) {
    std::string columns;
    for (const int place : places) {
        if (!columns.empty()) columns += ", ";
        columns += quote_identifier(relation.columns[static_cast<std::size_t>(place)].name);
    }
    const std::string from = std::string(" FROM ") + (relation.is_partitioned() ? "" : "ONLY ") +
                             quote_identifier(relation.schema) + "." + quote_identifier(relation.name);
    RowStore counted;
    run(session, "SELECT count(*)" + from, counted);
    const auto rows = static_cast<double>(counted.row(0)[0].integer());
    const bool whole = rows <= static_cast<double>(k_sample);
    auto statistics = std::make_shared<TableStatistics>();
    // What is known of columns that were not asked for stays.
    if (relation.statistics != nullptr) *statistics = *relation.statistics;
    statistics->rows = rows;
    for (const int place : places) statistics->columns.erase(place);
    if (rows > 0 && !places.empty()) {
        RowStore sample;
        const std::string percent = std::to_string(100.0 * static_cast<double>(k_sample) / rows);
        run(session, "SELECT " + columns + from +
                         (whole ? "" : " TABLESAMPLE BERNOULLI (" + percent + ") REPEATABLE (0)"), sample);
        Session plain;  // texts in the catalog do not depend on settings
        plain.types = session.state().types;
        for (std::size_t i = 0; i < places.size() && sample.size() > 0; ++i) {
            const Oid type = relation.columns[static_cast<std::size_t>(places[i])].type;
            statistics->columns[places[i]] =
                ColumnSample(sample, i, rows, whole).describe(is_orderable(type, plain.types), plain);
        }
    }
    auto to = std::make_shared<Relation>(relation);
    to->statistics = std::move(statistics);
    session.put(to);
}

}  // namespace analyze

void analyze_tables(SqlSession& session, const syntax::TableList& list) {
    const auto has_rows = [](const Relation& relation) {
        return relation.kind == RelationKind::table || relation.kind == RelationKind::materialized_view;
    };
    const auto all_columns = [](const Relation& relation) {
        std::vector<int> places;
        for (std::size_t i = 0; i < relation.columns.size(); ++i)
            if (!relation.columns[i].dropped) places.push_back(static_cast<int>(i));
        return places;
    };
    if (list.tables.empty()) {
        std::vector<std::shared_ptr<const Relation>> relations;
        for (const auto& [name, relation] : session.catalog().relations())
            if (has_rows(*relation)) relations.push_back(relation);
        for (const auto& relation : relations) analyze::table(session, *relation, all_columns(*relation));
        return;
    }
    for (std::size_t i = 0; i < list.tables.size(); ++i) {
        BoundPool pool;
        std::vector<Oid> types;
        Binder binder(session, pool, types);
        const auto relation = binder.find_relation(list.tables[i], session.present(), false);
        if (!has_rows(*relation)) {
            SqlReport report;
            report.severity = Severity::warning;
            report.state = SqlState("01000");
            report.message =
                "skipping \"" + relation->name + "\" --- cannot analyze non-tables or special system tables";
            session.add_notice(std::move(report));
            continue;
        }
        std::vector<int> places = all_columns(*relation);
        if (!list.columns[i].empty()) {
            places.clear();
            for (const std::string_view name : list.columns[i]) {
                const int place = relation->find_column(name);
                if (place < 0)
                    raise(sqlstate::undefined_column, "column \"" + std::string(name) + "\" of relation \"" +
                                                          relation->name + "\" does not exist");
                if (std::find(places.begin(), places.end(), place) != places.end())
                    raise(sqlstate::duplicate_column, "column \"" + std::string(name) + "\" of relation \"" +
                                                          relation->name + "\" appears more than once");
                places.push_back(place);
            }
        }
        analyze::table(session, *relation, places);
    }
}

}  // namespace northstar::inline v0::sql
