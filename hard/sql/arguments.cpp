#include "hard/sql/arguments.hpp"

#include "hard/sql/grammars.hpp"

#include <iterator>

namespace northstar::hard {

namespace {

constexpr int k_statements = 30;
constexpr int k_executions = 8;  // the sixth is the first that a plan for any arguments may serve

}  // namespace

Arguments::Arguments(std::uint64_t seed, const Beside& beside)
    : grammar_(k_arguments_grammar), random_(seed), judge_("arguments", seed, beside) {}

const Judge& Arguments::run() {
    for (const char* setup : {"setup0", "setup1", "setup2"}) judge_.change(make(setup, 2));
    fill();
    for (int i = 0; i < k_statements && judge_.findings() == 0; ++i) {
        const bool changes = random_.chance(1, 6);
        const Template statement = split(make(changes ? "change" : "query", static_cast<int>(random_.between(2, 5))));
        if (!changes && random_.chance(1, 3)) indexed(statement);
        judge_template(statement, changes);
    }
    return judge_;
}

void Arguments::fill() {
    std::string values;
    for (std::uint64_t id = 1, rows = 5 + random_.below(60); id <= rows; ++id)
        values += std::string(id == 1 ? "" : ", ") + "(" + std::to_string(id) + ", " + make("row", 2) + ")";
    judge_.change("INSERT INTO t VALUES " + values);
}

Arguments::Template Arguments::split(const std::string& text) {
    Template made;
    std::size_t at = 0;
    for (std::size_t mark; (mark = text.find("$<", at)) != std::string::npos;) {
        const std::size_t end = text.find('>', mark);
        const std::string inside = text.substr(mark + 2, end - mark - 2);
        const std::size_t colon = inside.find(':');
        std::string type = inside.substr(0, colon);
        const std::string rule = "v_" + (colon == std::string::npos ? type : inside.substr(colon + 1));
        const std::size_t array = type.find("_array");
        if (array != std::string::npos) type = type.substr(0, array) + "[]";
        made.pieces.push_back(text.substr(at, mark - at));
        made.arguments.push_back({type, rule});
        at = end + 1;
    }
    made.pieces.push_back(text.substr(at));
    return made;
}

std::string Arguments::Template::with(const std::vector<std::string>& values) const {
    std::string text = pieces[0];
    for (std::size_t i = 0; i < values.size(); ++i) text += values[i] + pieces[i + 1];
    return text;
}

void Arguments::judge_template(const Template& statement, bool changes) {
    static constexpr const char* k_modes[] = {"auto", "auto", "force_generic_plan", "force_custom_plan"};
    const std::string mode = k_modes[random_.below(std::size(k_modes))];
    judge_.change("SET plan_cache_mode = " + mode);
    const bool typed = random_.chance(2, 3);
    std::string types;
    std::vector<std::string> places;
    for (const Template::Argument& argument : statement.arguments) {
        types += (places.empty() ? " (" : ", ") + argument.type;
        places.push_back("$" + std::to_string(places.size() + 1));
    }
    if (!places.empty()) types += ")";
    const std::string prepare = "PREPARE made" + (typed ? types : std::string()) + " AS " + statement.with(places);
    // Whether arguments whose types nobody named have one at all, PostgreSQL decides more strictly.
    if (typed) judge_.compare_failures(prepare);
    else judge_.compare_answers(prepare);
    for (int i = 0; i < k_executions && judge_.findings() == 0; ++i)
        judge_arguments(statement, changes, typed, mode + ": " + prepare);
    judge_.compare_answers("DEALLOCATE made");
}

void Arguments::judge_arguments(const Template& statement, bool changes, bool typed, const std::string& prepared) {
    std::vector<std::string> literals;
    std::string values;
    for (const Template::Argument& argument : statement.arguments) {
        const std::string value = make(argument.rule, 2);
        values += (literals.empty() ? "(" : ", ") + value;
        literals.push_back("(" + value + ")::" + argument.type);
    }
    if (!literals.empty()) values += ")";
    const std::string execute = "EXECUTE made" + values, plain = statement.with(literals);
    if (changes) judge_.change("BEGIN");
    judge_.compare_made(plain);
    if (changes) {
        judge_.change("ROLLBACK");
        judge_.change("BEGIN");
    }
    if (typed) judge_.compare_made(execute);
    else judge_.compare_answers(execute);
    if (changes) judge_.change("ROLLBACK");
    if (!typed) return;
    const Answer one = ask(plain, changes), other = ask(execute, changes);
    judge_.count();
    if (one.state == "XX000" || other.state == "XX000" ||
        (one.state != other.state && !by_data(one) && !by_data(other)) ||
        (one.state.empty() && other.state.empty() && one.sorted() != other.sorted()))
        judge_.finding("arguments", "\"" + one.state + "\" and " + std::to_string(one.rows.size()) + " rows, \"" +
                                        other.state + "\" and " + std::to_string(other.rows.size()) + " prepared: " +
                                        one.message + other.message,
                       {plain, prepared, execute});
}

Answer Arguments::ask(const std::string& statement, bool changes) {
    if (!changes) return judge_.ask(statement);
    judge_.ask("BEGIN");
    Answer answer = judge_.ask(statement);
    judge_.ask("ROLLBACK");
    return answer;
}

void Arguments::indexed(const Template& statement) {
    std::vector<std::string> literals;
    for (const Template::Argument& argument : statement.arguments)
        literals.push_back("(" + make(argument.rule, 2) + ")::" + argument.type);
    const std::string query = statement.with(literals);
    const Answer before = judge_.ask(query);
    for (std::uint64_t i = 0, n = 1 + random_.below(3); i < n; ++i) judge_.change(make("index", 3));
    if (random_.chance(1, 3)) judge_.change("ANALYZE t");
    const Answer after = judge_.ask(query);
    judge_.compare_made(query);
    if (before.state.empty() && after.state.empty() && before.sorted() != after.sorted())
        judge_.finding("indexes",
                       std::to_string(before.rows.size()) + " and " + std::to_string(after.rows.size()) + " rows",
                       {query});
}

}  // namespace northstar::hard
