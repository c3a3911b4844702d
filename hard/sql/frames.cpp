#include "hard/sql/frames.hpp"

#include "hard/sql/grammars.hpp"

namespace northstar::hard {

namespace {

constexpr int k_steps = 60;
constexpr int k_setups = 11;

}  // namespace

Frames::Frames(std::uint64_t seed, const Beside& beside)
    : grammar_(k_frames_grammar), random_(seed), judge_("frames", seed, beside) {}

std::string Frames::make(const std::string& rule) { return grammar_.make(rule, random_, 6); }

const Judge& Frames::run() {
    for (int i = 0; i < k_setups; ++i) judge_.change(make("setup" + std::to_string(i)));
    fill();
    for (int i = 0; i < k_steps && judge_.findings() == 0; ++i) {
        switch (random_.below(4)) {
            case 0: change(); break;
            case 1: judge_.same_rows("identity", make("same"), "SELECT 0"); break;
            default: judge_.compare_made(make("query"));
        }
    }
    return judge_;
}

void Frames::fill() {
    const std::uint64_t rows = 4 + random_.below(24), edges = random_.below(14);
    std::string values;
    for (std::uint64_t id = 1; id <= rows; ++id)
        values += (id == 1 ? "(" : ", (") + std::to_string(id) + ", " + make("row") + ")";
    judge_.change("INSERT INTO w VALUES " + values);
    for (std::uint64_t i = 0; i < edges; ++i) judge_.change("INSERT INTO g VALUES (" + make("edge") + ")");
}

void Frames::change() {
    judge_.attempt(make("change"));
    for (const char* table : {"x", "y", "z", "xv", "xvv"})
        if (judge_.findings() == 0) judge_.compare_failures("SELECT * FROM " + std::string(table));
}

}  // namespace northstar::hard
