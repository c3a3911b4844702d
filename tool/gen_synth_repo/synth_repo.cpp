#include "synth_repo.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace synth {
namespace synth_repo_impl {

constexpr std::uint64_t k_files_per_module = 24;
constexpr std::uint32_t k_most_functions = 40;      // per file; ids leave room for 64
constexpr std::uint64_t k_begin_s = 1'577'836'800;  // 2020-01-01

constexpr std::array<std::string_view, 24> k_verbs{"parse",  "build",  "merge",  "read",    "write",   "encode",
                                                   "decode", "find",   "split",  "check",   "update",  "open",
                                                   "close",  "insert", "erase",  "verify",  "flush",   "schedule",
                                                   "route",  "index",  "render", "resolve", "collect", "retry"};
constexpr std::array<std::string_view, 24> k_nouns{"header", "page",  "record", "session", "token",   "buffer",
                                                   "cursor", "queue", "agent",  "graph",   "symbol",  "snapshot",
                                                   "packet", "table", "column", "message", "lease",   "option",
                                                   "stream", "cache", "vector", "policy",  "segment", "filter"};
constexpr std::array<std::string_view, 12> k_authors{"ada",   "ben",  "chen", "dora", "emil", "fatima",
                                                     "goran", "hana", "ines", "jun",  "kofi", "lea"};
constexpr std::array<std::string_view, 8> k_reasons{
    "Fix a wrong bound in",    "Speed up",        "Simplify",         "Say what is wrong in",
    "Cover the empty case of", "Rename parts of", "Handle errors of", "Split"};

/// SplitMix64: the same numbers everywhere.
class Random {
public:
    explicit Random(std::uint64_t seed) noexcept : state_(seed) {}
    std::uint64_t next() noexcept {
        std::uint64_t x = state_ += 0x9e3779b97f4a7c15u;
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
        x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
        return x ^ (x >> 31);
    }
    std::uint64_t below(std::uint64_t bound) noexcept { return next() % bound; }
    /// Small numbers far more often than large ones.
    std::uint64_t skewed_below(std::uint64_t bound) noexcept { return below(below(below(bound) + 1) + 1); }

private:
    std::uint64_t state_;
};

/// A generator for one thing in the repository, told apart by what it is and its numbers.
Random random_of(std::uint64_t seed, std::uint64_t kind, std::uint64_t a, std::uint64_t b = 0, std::uint64_t c = 0) {
    std::uint64_t state = seed;
    for (const std::uint64_t part : {kind, a, b, c}) state = Random(state ^ (part * 0xd6e8feb86659fd93u)).next();
    return Random(state);
}

enum Kind : std::uint64_t { k_path, k_count, k_name, k_body, k_change, k_commit };

std::string base36(std::uint64_t number) {
    std::string text;
    do {
        text += "0123456789abcdefghijklmnopqrstuvwxyz"[number % 36];
        number /= 36;
    } while (number != 0);
    std::reverse(text.begin(), text.end());
    return text;
}

template <std::size_t N>
std::string_view pick(Random& random, const std::array<std::string_view, N>& words) {
    return words[static_cast<std::size_t>(random.below(N))];
}

std::string module_of(std::uint64_t seed, std::uint64_t module) {
    Random random = random_of(seed, k_path, module);
    return std::string(pick(random, k_nouns)) + base36(module);
}

void add_statement(std::string& text, Random& random) {
    const std::string noun(pick(random, k_nouns));
    const std::string other(pick(random, k_nouns));
    const std::string number = std::to_string(random.below(4096));
    switch (random.below(5)) {
        case 0:
            text += "    int " + noun + "_count = " + number + ";\n";
            break;
        case 1:
            text += "    if (" + noun + " > " + number + ") return " + other + " - 1;\n";
            break;
        case 2:
            text += "    for (int i = 0; i < " + number + "; ++i) " + noun + " += i;\n";
            break;
        case 3:
            text += "    // The " + noun + " may be older than its " + other + ".\n";
            break;
        default:
            text += "    " + noun + " = " + other + " * " + number + ";\n";
            break;
    }
}

}  // namespace synth_repo_impl

using namespace synth_repo_impl;

SynthRepo::SynthRepo(std::uint64_t seed, std::uint64_t files)
    : seed_(seed), files_(std::max<std::uint64_t>(1, files)) {}

std::string SynthRepo::path(std::uint64_t file) const {
    Random random = random_of(seed_, k_path, file, 1);
    return "src/" + module_of(seed_, file / k_files_per_module) + "/" + std::string(pick(random, k_nouns)) + "_" +
           base36(file) + ".cpp";
}

std::uint32_t SynthRepo::functions(std::uint64_t file) const {
    return 1 + static_cast<std::uint32_t>(random_of(seed_, k_count, file).skewed_below(k_most_functions));
}

std::string SynthRepo::name(FunctionId function) const {
    Random random = random_of(seed_, k_name, function.file, function.number);
    const std::string verb(pick(random, k_verbs));
    return verb + "_" + std::string(pick(random, k_nouns)) + "_" + base36(function.file * 64 + function.number);
}

std::uint32_t SynthRepo::changed(FunctionId function, std::uint32_t revision) const {
    const std::uint32_t count = functions(function.file);
    while (revision > 0 && random_of(seed_, k_change, function.file, revision).below(count) != function.number)
        --revision;
    return revision;
}

std::vector<SynthRepo::FunctionId> SynthRepo::calls(FunctionId function, std::uint32_t revision) const {
    Random random = random_of(seed_, k_body, function.file, function.number, changed(function, revision));
    std::vector<FunctionId> called;
    const std::uint64_t count = random.skewed_below(14);
    for (std::uint64_t i = 0; i < count; ++i) {
        std::uint64_t file = function.file;
        const std::uint64_t where = random.below(100);
        if (where >= 85) {
            file = random.skewed_below(files_);
        } else if (where >= 55) {
            const std::uint64_t first = file - file % k_files_per_module;
            file = first + random.below(std::min(k_files_per_module, files_ - first));
        }
        const FunctionId callee{file, static_cast<std::uint32_t>(random.skewed_below(functions(file)))};
        if (std::find(called.begin(), called.end(), callee) == called.end()) called.push_back(callee);
    }
    return called;
}

std::string SynthRepo::text(std::uint64_t file, std::uint32_t revision) const {
    std::string text = "// " + path(file) + "\n#include \"" + module_of(seed_, file / k_files_per_module) + ".hpp\"\n";
    for (std::uint32_t number = 0; number < functions(file); ++number) {
        const FunctionId function{file, number};
        const std::uint32_t version = changed(function, revision);
        Random random = random_of(seed_, k_body, file, number, version);
        const std::string parameter(pick(random, k_nouns));
        text +=
            "\n// Revision " + std::to_string(version) + ".\nint " + name(function) + "(int " + parameter + ") {\n";
        const std::vector<FunctionId> called = calls(function, revision);
        const std::uint64_t statements = 2 + random.skewed_below(30);
        for (std::uint64_t i = 0; i < statements; ++i) add_statement(text, random);
        for (const FunctionId& callee : called)
            text += "    " + parameter + " += " + name(callee) + "(" + parameter + ");\n";
        text += "    return " + parameter + ";\n}\n";
    }
    return text;
}

SynthHistory::SynthHistory(const SynthRepo& repo)
    : repo_(repo), revisions_(static_cast<std::size_t>(repo.files()), 0), time_s_(k_begin_s) {}

SynthCommit SynthHistory::next() {
    SynthCommit commit;
    commit.number = ++commits_;
    Random random = random_of(repo_.seed(), k_commit, commits_);
    time_s_ += 60 + random.skewed_below(40'000);
    commit.time_s = time_s_;
    commit.author = pick(random, k_authors);
    if (commits_ == 1) {
        commit.message = "Add the first version";
        for (std::uint64_t file = 0; file < repo_.files(); ++file) commit.files.push_back(file);
        return commit;
    }
    const std::uint64_t count = 1 + random.skewed_below(12);
    for (std::uint64_t i = 0; i < count; ++i) commit.files.push_back(random.skewed_below(repo_.files()));
    std::sort(commit.files.begin(), commit.files.end());
    commit.files.erase(std::unique(commit.files.begin(), commit.files.end()), commit.files.end());
    for (const std::uint64_t file : commit.files) ++revisions_[static_cast<std::size_t>(file)];
    commit.message = std::string(pick(random, k_reasons)) + " " + repo_.path(commit.files.front());
    return commit;
}

}  // namespace synth
