#include "hard/sql/values.hpp"

#include "hard/sql/grammars.hpp"

namespace northstar::hard {

namespace {

constexpr int k_steps = 100;
constexpr int k_rows = 12;

}  // namespace

Values::Values(std::uint64_t seed, const Beside& beside)
    : grammar_(std::string(k_values_grammar) + k_values_calls_grammar), random_(seed), judge_("values", seed, beside) {}

std::string Values::make(const std::string& rule) { return grammar_.make(rule, random_, 4); }

const Judge& Values::run() {
    for (const char* rule : {"setup0", "setup1"}) judge_.change(make(rule));
    judge_.change("SET timezone = 'Europe/Berlin'");
    for (int id = 1; id <= k_rows; ++id)
        judge_.change("INSERT INTO v VALUES (" + std::to_string(id) + ", " + make("row") + ")");
    for (int i = 0; i < k_steps; ++i) {
        if (random_.chance(1, 6)) count_twice();
        else judge_.compare_answers(make("query"));
    }
    judge_.change("SET timezone = 'UTC'");
    return judge_;
}

void Values::count_twice() {
    const std::string condition = make("condition");
    judge_.same_rows("NoREC", "SELECT count(*) FROM v a, v b WHERE " + condition,
                     "SELECT coalesce(sum(CASE WHEN holds THEN 1 ELSE 0 END), 0) FROM (SELECT " + condition +
                         " AS holds FROM v a, v b OFFSET 0) x");
}

}  // namespace northstar::hard
