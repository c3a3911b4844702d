// periods.hpp -- tables with valid time, changed in parts of it, and asked about both times, beside a model that is
// nothing but a list of rows for each commit.
//
// The model knows what a change does to each row, what a key WITHOUT OVERLAPS and a foreign key with PERIOD refuse,
// and which rows hold at a moment, in a span or within it. Every change must tell the rows that the model changed, or
// be refused as the model says; every state, of now and AS OF each commit, must have the model's rows.
#pragma once

#include "base/random.hpp"
#include "hard/sql/replica.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace northstar::hard {

class Periods {
public:
    static Events no_events();

    Periods(std::uint64_t seed, Events& events);
    const Periods& run();
    int findings() const { return findings_; }
    std::uint64_t judged() const { return judged_; }

private:
    /// A moment; nothing: the end of the axis.
    using Moment = std::optional<int>;
    struct Span {
        Moment from, to;
        bool contains(int moment) const;
        bool overlaps(const Span& other) const;
    };
    struct Row {
        int key = 0;
        std::optional<int> value;
        Span span;
    };
    /// How a table keeps its valid time.
    enum class Kind : std::uint8_t { range, pair, hidden, reference };
    static constexpr std::size_t k_tables = 4;
    using State = std::vector<std::vector<Row>>;  ///< by table
    struct Condition {
        std::string text;
        std::optional<int> key, value_above;
        bool holds(const Row& row) const;
    };

    void step();
    void change();
    void insert(std::size_t table);
    void update(std::size_t table);
    void erase(std::size_t table);
    /// A change that makes `after` of the state, and tells `rows` if it does; `told` is how many it counts.
    void judge_change(const std::string& statement, State after, std::size_t touched, const std::vector<Row>& rows,
                      std::size_t table);
    void block();
    void ask(bool past);
    void ask_join(Txn commit, const State& state);
    void expect(const std::string& query, const std::vector<Row>& rows);
    void keep();

    Span any_span();
    Condition any_condition();
    std::string moment(std::size_t table, const Moment& moment, bool from) const;
    std::string columns(std::size_t table, const std::string& prefix = "") const;
    /// What of the state constraints refuse; empty: nothing.
    static std::vector<std::string> refusals(const State& state);
    static std::vector<std::string> lines(const std::vector<Row>& rows);
    Told tell(const std::string& statement);
    void finding(const std::string& oracle, const std::string& what);
    void count(const std::string& event) { ++events_[event]; }

    detail::Random random_;
    std::uint64_t seed_;
    Events& events_;
    Database database_;
    SqlConnection connection_;
    State state_;
    State before_block_, at_savepoint_;
    bool in_block_ = false, has_savepoint_ = false;
    std::map<Txn, State> states_;
    std::vector<std::string> history_;
    int findings_ = 0;
    std::uint64_t judged_ = 0;
};

}  // namespace northstar::hard
