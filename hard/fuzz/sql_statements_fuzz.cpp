// sql_statements_fuzz.cpp -- statements out of a grammar, run in a database in memory: whatever they are, each ends
// with an answer or with a SQLSTATE that is not that of an internal error [SQLERR-1], in time; the session answers
// afterwards and verify finds nothing. A condition without chance in it lets through as many rows as it is true for,
// however the engine gets at them (M. Rigger, Z. Su, Detecting Optimization Bugs in Database Engines via Non-optimizing
// Reference Engine Construction, 2020).
//
// Input: for each statement a byte that says how it is run, then the bytes that choose it.
#include "hard/fuzz/sql_grammar.hpp"
#include "hard/fuzz/sql_subject.hpp"

#include "base/random.hpp"

namespace northstar::hard {

namespace {

constexpr unsigned k_most_statements = 12;

/// A few lines for COPY, the same for each.
struct Lines final : SqlCopySource {
    bool given = false;
    void begin(std::size_t, bool) override { given = false; }
    bool read(std::string& bytes) override {
        bytes = "41\tone\n42\t\\N\n43\tthree\\tfour\n";
        return !std::exchange(given, true);
    }
};

struct Nowhere final : SqlCopySink {
    void write(std::string_view) override {}
};

void fetch_some(SqlConnection& sql, const std::string& statement, SqlFormat format) {
    SqlPortal portal = sql.open_portal(statement, {}, {format});
    for (unsigned round = 0; round < 50 && !portal.done(); ++round) portal.fetch(3);
}

void step_through(SqlConnection& sql, const std::string& statement) {
    SqlStatement prepared = sql.prepare(statement);
    for (std::size_t n = 1; n <= prepared.parameter_count(); ++n) prepared.bind_text(n, "1");
    for (unsigned rows = 0; rows < 100 && prepared.step(); ++rows) {
        for (std::size_t i = 0; i < prepared.column_count(); ++i) prepared.text(i);
    }
}

/// As many rows pass a condition as it is true for.
void compare_counts(SqlSubject& subject, const std::string& from, const std::string& condition) {
    std::string passed, held;
    const auto count = [&](const std::string& statement, std::string& to) {
        return subject.outcome([&] { to = subject.connection().execute(statement).rows.at(0).at(0).value_or(""); });
    };
    if (count("SELECT count(*) FROM " + from + " WHERE " + condition, passed) != "00000") return;
    if (count("SELECT count(CASE WHEN " + condition + " THEN 1 END) FROM " + from, held) != "00000") return;
    if (passed != held) finding(passed + " rows pass, " + held + " are true: " + condition + " in " + from);
}

void run_one(SqlSubject& subject, SqlWriter& writer, std::uint8_t way) {
    SqlConnection& sql = subject.connection();
    if (way >= 216) {
        static constexpr const char* k_from[] = {"t1 AS x, t2 AS y", "t1 x LEFT JOIN t2 y ON x.id = y.id",
                                                 "t1 x JOIN t2 y USING (id)", "t1 x FULL JOIN t2 y ON x.a = y.id"};
        const std::string condition = writer.write("condition_xy");
        if (writer.pure()) compare_counts(subject, k_from[way % std::size(k_from)], condition);
        return;
    }
    const std::string statement = writer.write("statement");
    switch (way % 6) {
        case 0: subject.outcome([&] { fetch_some(sql, statement, SqlFormat::text); }); break;
        case 1: subject.outcome([&] { fetch_some(sql, statement, SqlFormat::binary); }); break;
        case 2: subject.outcome([&] { step_through(sql, statement); }); break;
        default: subject.run(statement); break;
    }
}

void run(std::span<const std::byte> input) {
    InputReader choices(input);
    SqlSubject subject(k_sql_schema);
    Lines lines;
    Nowhere nowhere;
    subject.connection().copy_streams(&lines, &nowhere);
    SqlWriter writer(choices);
    subject.bound();
    for (unsigned i = 0; i < k_most_statements && choices.left() > 0; ++i) {
        run_one(subject, writer, choices.u8());
        subject.bound();
    }
    subject.must_be_well();
}

std::vector<Bytes> seeds() {
    std::vector<Bytes> result;
    detail::Random random(1);
    for (std::size_t i = 0; i < 60; ++i) {
        Bytes input(20 + i * 10);
        random.fill(input);
        result.push_back(std::move(input));
    }
    return result;
}

}  // namespace

const Target k_sql_statements_target = {"sql_statements", run, nullptr, seeds};

}  // namespace northstar::hard
