#include "hard/sql/periods.hpp"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <utility>

namespace northstar::hard {

namespace {

constexpr int k_steps_per_round = 80;
constexpr int k_last_moment = 20;
constexpr int k_days_of_january = 31;

constexpr const char* k_names[] = {"price", "post", "rate", "offer"};
constexpr const char* k_periods[] = {"during", "valid_time", "valid_time", "during"};

constexpr const char* k_setup[] = {
    "CREATE TABLE price (k int, v int, during int4range, PRIMARY KEY (k, during WITHOUT OVERLAPS))",
    "CREATE TABLE post (k int, v int, since int, until int, PERIOD FOR valid_time (since, until), "
    "UNIQUE (k, valid_time WITHOUT OVERLAPS))",
    "CREATE TABLE rate (k int PRIMARY KEY, v int) WITH (valid_time)",
    "CREATE TABLE offer (k int, v int, during int4range, "
    "FOREIGN KEY (k, PERIOD during) REFERENCES price (k, PERIOD during))",
};

}  // namespace

bool Periods::Span::contains(int moment) const { return (!from || *from <= moment) && (!to || moment < *to); }

bool Periods::Span::overlaps(const Span& other) const {
    return (!from || !other.to || *from < *other.to) && (!other.from || !to || *other.from < *to);
}

bool Periods::Condition::holds(const Row& row) const {
    return (!key || row.key == *key) && (!value_above || (row.value && *row.value > *value_above));
}

Events Periods::no_events() {
    Events events;
    for (const char* what :
         {"inserted", "updated in a part", "updated whole", "erased in a part", "erased whole", "moved to other keys",
          "refused with 23P01", "refused with 23505", "refused with 23503", "rolled back",
          "past states asked", "moments", "spans", "joins"})
        events[what] = 0;
    return events;
}

Periods::Periods(std::uint64_t seed, Events& events)
    : random_(seed), seed_(seed), events_(events), database_(open_in_memory()), connection_(database_),
      state_(k_tables) {}

const Periods& Periods::run() {
    for (const char* statement : k_setup) tell(statement);
    if (random_.chance(1, 2)) tell("CREATE INDEX ON price (v)");
    if (random_.chance(1, 2)) tell("CREATE INDEX ON post (v, since)");
    if (random_.chance(1, 2)) tell("CREATE INDEX ON rate (v)");
    keep();
    for (int i = 0; i < k_steps_per_round && findings_ == 0; ++i) step();
    if (in_block_) tell("ROLLBACK");
    for (int i = 0; i < k_steps_per_round && findings_ == 0; ++i) ask(true);
    if (findings_ == 0)
        for (const Problem& problem : verify_sql(database_)) finding("verify_sql", problem.where + ": " + problem.what);
    return *this;
}

Told Periods::tell(const std::string& statement) {
    Told told = told_by(connection_, statement);
    history_.push_back(statement + ";  -- " + told.line());
    ++judged_;
    return told;
}

void Periods::finding(const std::string& oracle, const std::string& what) {
    ++findings_;
    std::printf("%s of periods, seed %llu: %s\n", oracle.c_str(), static_cast<unsigned long long>(seed_),
                what.c_str());
    for (const std::string& line : history_) std::printf("    %s\n", line.c_str());
}

void Periods::step() {
    if (random_.chance(1, in_block_ ? 5 : 15)) return block();
    if (random_.chance(1, 2)) return change();
    ask(!in_block_ && random_.chance(1, 2));
}

void Periods::block() {
    if (!in_block_) {
        tell("BEGIN");
        in_block_ = true;
        has_savepoint_ = false;
        before_block_ = state_;
        return;
    }
    switch (random_.below(4)) {
        case 0:
            tell("SAVEPOINT s");
            has_savepoint_ = true;
            at_savepoint_ = state_;
            return;
        case 1:
            tell("ROLLBACK");
            count("rolled back");
            in_block_ = false;
            state_ = before_block_;
            return;
        default: {
            const Told told = tell("COMMIT");
            if (told.failed()) finding("commit", told.line());
            in_block_ = false;
            keep();
        }
    }
}

void Periods::keep() {
    if (in_block_) return;
    const Told commit = told_by(connection_, "SELECT current_commit()::text");
    states_[std::stoull(commit.rows.at(1).substr(1))] = state_;
}

// ---- changes ----

Periods::Span Periods::any_span() {
    const int from = static_cast<int>(random_.below(k_last_moment));
    Span span{from, from + 1 + static_cast<int>(random_.below(12))};
    if (random_.chance(1, 10)) span.from.reset();
    if (random_.chance(1, 6)) span.to.reset();
    return span;
}

Periods::Condition Periods::any_condition() {
    Condition condition;
    if (random_.chance(3, 4)) condition.key = static_cast<int>(random_.below(4));
    if (random_.chance(1, 3)) condition.value_above = static_cast<int>(random_.below(8));
    if (condition.key) condition.text += " AND k = " + std::to_string(*condition.key);
    if (condition.value_above) condition.text += " AND v > " + std::to_string(*condition.value_above);
    if (!condition.text.empty()) condition.text.replace(0, 4, " WHERE");
    return condition;
}

std::string Periods::moment(std::size_t table, const Moment& moment, bool from) const {
    if (static_cast<Kind>(table) != Kind::hidden) return moment ? std::to_string(*moment) : "NULL";
    if (!moment) return from ? "'-infinity'" : "'infinity'";
    const int month = *moment / k_days_of_january + 1;
    const std::string day = std::to_string(*moment % k_days_of_january + 1);
    return "'2000-0" + std::to_string(month) + "-" + (day.size() < 2 ? "0" : "") + day + "'";
}

/// Key, value and both ends of the period.
std::string Periods::columns(std::size_t table, const std::string& prefix) const {
    const std::string own = prefix + "k, " + prefix + "v, ";
    switch (static_cast<Kind>(table)) {
        case Kind::pair: return own + prefix + "since, " + prefix + "until";
        case Kind::hidden:
            return own + "CASE WHEN isfinite(" + prefix + "_valid_from) THEN " + prefix +
                   "_valid_from::date - date '2000-01-01' END, CASE WHEN isfinite(" + prefix + "_valid_to) THEN " +
                   prefix + "_valid_to::date - date '2000-01-01' END";
        default: return own + "lower(" + prefix + "during), upper(" + prefix + "during)";
    }
}

std::vector<std::string> Periods::refusals(const State& state) {
    std::vector<std::string> found;
    for (std::size_t table = 0; table < k_tables; ++table) {
        const std::vector<Row>& rows = state[table];
        if (static_cast<Kind>(table) == Kind::reference) continue;
        for (std::size_t i = 0; i < rows.size(); ++i)
            for (std::size_t j = 0; j < i; ++j)
                if (rows[i].key == rows[j].key && rows[i].span.overlaps(rows[j].span))
                    found.push_back(static_cast<Kind>(table) == Kind::hidden ? "23505" : "23P01");
    }
    // What a row refers to must hold at each of its moments; before and behind all there is nothing else to look at.
    for (const Row& row : state[static_cast<std::size_t>(Kind::reference)]) {
        const auto covered = [&](int moment) {
            const std::vector<Row>& prices = state[static_cast<std::size_t>(Kind::range)];
            return std::any_of(prices.begin(), prices.end(), [&](const Row& price) {
                return price.key == row.key && price.span.contains(moment);
            });
        };
        for (int moment = -1; moment <= 2 * k_last_moment; ++moment)
            if (row.span.contains(moment) && !covered(moment)) {
                found.push_back("23503");
                break;
            }
    }
    return found;
}

void Periods::change() {
    // Behind a refusal in a block only ROLLBACK helps.
    const std::size_t table = random_.below(k_tables);
    switch (random_.below(5)) {
        case 0:
        case 1: return insert(table);
        case 2: return erase(table);
        default: return update(table);
    }
}

void Periods::insert(std::size_t table) {
    State after = state_;
    std::vector<Row> rows;
    std::string values;
    for (std::uint64_t i = 0, n = 1 + random_.below(2); i < n; ++i) {
        Row row{static_cast<int>(random_.below(4)), static_cast<int>(random_.below(10)), any_span()};
        if (random_.chance(1, 8)) row.value.reset();
        const std::string own = std::to_string(row.key) + ", " + (row.value ? std::to_string(*row.value) : "NULL");
        const std::string from = moment(table, row.span.from, true), to = moment(table, row.span.to, false);
        const bool is_range = static_cast<Kind>(table) == Kind::range || static_cast<Kind>(table) == Kind::reference;
        values += (values.empty() ? "(" : ", (") + own + ", " +
                  (is_range ? "int4range(" + from + ", " + to + ")" : from + ", " + to) + ")";
        rows.push_back(row);
        after[table].push_back(row);
    }
    const std::string names = static_cast<Kind>(table) == Kind::hidden ? " (k, v, _valid_from, _valid_to)" : "";
    count("inserted");
    judge_change(std::string("INSERT INTO ") + k_names[table] + names + " VALUES " + values, std::move(after),
                 rows.size(), rows, table);
}

void Periods::update(std::size_t table) {
    const bool part = random_.chance(3, 4);
    const Span span = part ? any_span() : Span{};
    const Condition condition = any_condition();
    std::optional<int> key, value;
    if (random_.chance(1, 6)) key = static_cast<int>(random_.below(4));
    const bool adds = random_.chance(1, 3);
    value = static_cast<int>(random_.below(10));
    State after = state_;
    after[table].clear();
    std::vector<Row> changed;
    for (const Row& row : state_[table]) {
        if (!condition.holds(row) || !row.span.overlaps(span)) {
            after[table].push_back(row);
            continue;
        }
        Row inside = row;
        if (span.from && (!row.span.from || *row.span.from < *span.from)) {
            Row rest = row;
            rest.span.to = inside.span.from = span.from;
            after[table].push_back(rest);
        }
        if (span.to && (!row.span.to || *span.to < *row.span.to)) {
            Row rest = row;
            rest.span.from = inside.span.to = span.to;
            after[table].push_back(rest);
        }
        if (key) inside.key = *key;
        if (!adds) inside.value = value;
        else if (inside.value) inside.value = *inside.value + 1;
        changed.push_back(inside);
        after[table].push_back(inside);
    }
    const std::string statement =
        std::string("UPDATE ") + k_names[table] +
        (part ? std::string(" FOR PORTION OF ") + k_periods[table] + " FROM " + moment(table, span.from, true) +
                    " TO " + moment(table, span.to, false)
              : "") +
        " SET v = " + (adds ? "v + 1" : std::to_string(*value)) + (key ? ", k = " + std::to_string(*key) : "") +
        condition.text;
    count(part ? "updated in a part" : "updated whole");
    if (key) count("moved to other keys");
    judge_change(statement, std::move(after), changed.size(), changed, table);
}

void Periods::erase(std::size_t table) {
    const bool part = random_.chance(2, 3);
    const Span span = part ? any_span() : Span{};
    const Condition condition = any_condition();
    State after = state_;
    after[table].clear();
    std::vector<Row> gone;
    for (const Row& row : state_[table]) {
        if (!condition.holds(row) || !row.span.overlaps(span)) {
            after[table].push_back(row);
            continue;
        }
        gone.push_back(row);
        Row rest = row;
        if (span.from && (!row.span.from || *row.span.from < *span.from)) {
            rest.span = {row.span.from, span.from};
            after[table].push_back(rest);
        }
        if (span.to && (!row.span.to || *span.to < *row.span.to)) {
            rest.span = {span.to, row.span.to};
            after[table].push_back(rest);
        }
    }
    count(part ? "erased in a part" : "erased whole");
    judge_change(std::string("DELETE FROM ") + k_names[table] +
                     (part ? std::string(" FOR PORTION OF ") + k_periods[table] + " FROM " +
                                 moment(table, span.from, true) + " TO " + moment(table, span.to, false)
                           : "") +
                     condition.text,
                 std::move(after), gone.size(), gone, table);
}

void Periods::judge_change(const std::string& statement, State after, std::size_t touched,
                           const std::vector<Row>& rows, std::size_t table) {
    const bool hidden = static_cast<Kind>(table) == Kind::hidden;
    // Plain changes of the hidden kind are about what holds now.
    const bool plain = hidden && statement.find("PORTION") == std::string::npos && statement[0] != 'I';
    if (plain) told_by(connection_, "SET northstar.valid_time_changes = 'all'");
    const bool returns = random_.chance(1, 2);
    if (in_block_ && !has_savepoint_) {
        tell("SAVEPOINT s");
        has_savepoint_ = true;
        at_savepoint_ = state_;
    }
    const Told told = tell(statement + (returns ? " RETURNING " + columns(table) : ""));
    if (plain) told_by(connection_, "RESET northstar.valid_time_changes");
    const std::vector<std::string> refused = refusals(after);
    if (told.failed()) {
        if (in_block_) {
            tell("ROLLBACK TO s");
            state_ = at_savepoint_;
            has_savepoint_ = true;
        }
        count("refused with " + told.state);
        const bool known = std::find(refused.begin(), refused.end(), told.state) != refused.end();
        // Rows are changed one after the other: two may meet on the way.
        const bool may_meet = touched > 1 && (told.state == "23P01" || told.state == "23505") &&
                              statement.find("k = ") < statement.find(" WHERE");
        if (!known && !may_meet) finding("change", "the model has nothing against it");
        return;
    }
    if (!refused.empty()) return finding("change", "the model has " + refused[0]);
    const std::string tag = told.tag.substr(told.tag.rfind(' ') + 1);
    if (tag != std::to_string(touched)) return finding("change", "the model changed " + std::to_string(touched));
    // What DELETE tells of a part, the model does not say.
    if (returns && statement[0] != 'D') {
        const std::vector<std::string> found(told.rows.begin() + 1, told.rows.end());
        if (found != lines(rows)) return finding("change", "the model tells other rows");
    }
    state_ = std::move(after);
    keep();
}

// ---- questions ----

std::vector<std::string> Periods::lines(const std::vector<Row>& rows) {
    const auto text = [](const std::optional<int>& value) { return value ? std::to_string(*value) : "NULL"; };
    std::vector<std::string> made;
    for (const Row& row : rows)
        made.push_back("(" + std::to_string(row.key) + "," + text(row.value) + "," + text(row.span.from) + "," +
                       text(row.span.to) + ")");
    std::sort(made.begin(), made.end());
    return made;
}

void Periods::expect(const std::string& query, const std::vector<Row>& rows) {
    const Told told = tell(query);
    if (told.failed()) return finding("question", told.line());
    const std::vector<std::string> found(told.rows.begin() + 1, told.rows.end());
    const std::vector<std::string> wanted = lines(rows);
    if (found == wanted) return;
    std::string text;
    for (const std::string& line : wanted) text += " " + line;
    finding("question", "the model has" + text);
}

void Periods::ask(bool past) {
    if (past && states_.empty()) return;
    Txn commit = 0;
    const State* state = &state_;
    if (past) {
        const auto chosen = std::next(states_.begin(), static_cast<std::ptrdiff_t>(random_.below(states_.size())));
        commit = chosen->first;
        state = &chosen->second;
        count("past states asked");
    }
    if (random_.chance(1, 6)) return ask_join(commit, *state);
    const std::size_t table = random_.below(k_tables);
    const bool hidden = static_cast<Kind>(table) == Kind::hidden;
    const Condition condition = any_condition();
    const auto at = [&](int moment_) {
        return (hidden ? "TIMESTAMP " : std::string()) + moment(table, moment_, true);
    };
    const int moment = static_cast<int>(random_.below(k_last_moment + 5));
    const int other = static_cast<int>(random_.below(k_last_moment + 5));
    std::string span, behind;
    std::vector<Row> rows;
    const std::uint64_t way = random_.below(8);
    // A range that only a foreign key calls a period is no valid time: nothing is left out.
    const bool all = static_cast<Kind>(table) == Kind::reference;
    const auto keep_if = [&](auto&& holds) {
        for (const Row& row : (*state)[table])
            if (condition.holds(row) && (all || holds(row.span))) rows.push_back(row);
    };
    if (way < 2) {
        count("moments");
        if (way == 0) span = " FOR VALID_TIME AS OF " + at(moment);
        else behind = " VALID AT " + at(moment);
        keep_if([&](const Span& own) { return own.contains(moment); });
    } else if (way < 5) {
        count("spans");
        const int first = std::min(moment, other), last = std::max(moment, other);
        if (way == 2) {
            span = " FOR VALID_TIME FROM " + at(first) + " TO " + at(last);
            keep_if([&](const Span& own) { return first < last && own.overlaps({first, last}); });
        } else if (way == 3) {
            span = " FOR VALID_TIME BETWEEN " + at(first) + " AND " + at(last);
            keep_if([&](const Span& own) { return own.overlaps({first, last + 1}); });
        } else {
            span = " FOR VALID_TIME CONTAINED IN (" + at(first) + ", " + at(last) + ")";
            keep_if([&](const Span& own) { return own.from && own.to && first <= *own.from && *own.to <= last; });
        }
    } else {
        if (hidden || way == 5) span = " FOR VALID_TIME ALL";
        keep_if([](const Span&) { return true; });
    }
    std::string before, after;
    if (past) {
        switch (random_.below(4)) {
            case 0: span = " FOR SYSTEM_TIME AS OF " + std::to_string(commit) + span; break;
            case 1: behind += " AS OF " + std::to_string(commit); break;
            case 2:
                before = "SET northstar.as_of = '" + std::to_string(commit) + "'";
                after = "RESET northstar.as_of";
                break;
            default:
                before = "BEGIN READ ONLY AS OF " + std::to_string(commit);
                after = "ROLLBACK";
        }
    }
    if (!before.empty()) tell(before);
    expect("SELECT " + columns(table) + " FROM " + k_names[table] + span + condition.text + behind, rows);
    if (!after.empty()) tell(after);
}

// What holds of two tables at one moment.
void Periods::ask_join(Txn commit, const State& state) {
    count("joins");
    const int moment = static_cast<int>(random_.below(k_last_moment + 5));
    std::vector<Row> rows;
    for (const Row& price : state[0])
        for (const Row& post : state[1])
            if (price.key == post.key && price.span.contains(moment) && post.span.contains(moment))
                rows.push_back({price.key, post.value, price.span});
    expect("SELECT p.k, q.v, lower(p.during), upper(p.during) FROM price p JOIN post q ON p.k = q.k VALID AT " +
               std::to_string(moment) + (commit == 0 ? "" : " AS OF " + std::to_string(commit)),
           rows);
}

}  // namespace northstar::hard
