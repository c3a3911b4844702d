// northstar-slt [--classic] [--strict] [--setup FILE] [--divergence FILE.tsv ROOT] FILE... -- runs sqllogictest files
// and reports.
//
// --classic renders values by type letters, as SQLite's corpus expects; records listed in the divergence file (path
// below ROOT, line) do not count. -v prints what failed. Exit code 0: everything ran, whatever passed; 1: a file could
// not be run; 2: the command line makes no sense. With --strict statements that must succeed count too, and whatever
// fails makes the exit code 1.
#include "slt/run.hpp"

#include <cstdio>
#include <cstring>
#include <exception>
#include <map>

namespace {

constexpr const char* k_usage =
    "usage: northstar-slt [--classic] [--strict] [--setup FILE] [--divergence TSV ROOT] [-v] FILE...\n";

}  // namespace

int main(int count, char** arguments) {
    slt::RunOptions options;
    std::map<std::string, std::set<std::size_t>> divergence;
    bool verbose = false;
    std::string root;
    std::vector<std::string> files;
    bool all_ran = true;
    for (int i = 1; i < count; ++i) {
        const std::string word = arguments[i];
        if (word == "--classic") options.classic = true;
        else if (word == "--strict") options.count_statements_ok = true;
        else if (word == "--setup" && i + 1 < count) options.setup = arguments[++i];
        else if (word == "-v") verbose = true;
        else if (word == "--divergence" && i + 2 < count) {
            divergence = slt::read_divergence(arguments[i + 1]);
            root = arguments[i + 2];
            i += 2;
        } else if (word == "--help") {
            std::fputs(k_usage, stdout);
            return 0;
        } else if (word.starts_with("-")) {
            std::fprintf(stderr, "%s is no option, or lacks its arguments\n%s", word.c_str(), k_usage);
            return 2;
        } else {
            files.push_back(word);
        }
    }
    if (files.empty()) {
        std::fputs(k_usage, stderr);
        return 2;
    }
    slt::Outcome total;
    std::map<std::string, slt::Outcome> families;
    for (const std::string& file : files) {
        std::string below = file;
        if (!root.empty() && file.rfind(root, 0) == 0) below = file.substr(root.size() + 1);
        options.left_out = divergence[below];
        options.most_failures = verbose ? 1000 : 0;
        try {
            const slt::Outcome outcome = slt::run_file(file, options);
            std::printf("%6zu passed %5zu failed  %s\n", outcome.passed, outcome.failed, file.c_str());
            for (const std::string& failure : outcome.failures) std::printf("  %s\n", failure.c_str());
            total.add(outcome);
            families[file.substr(0, file.rfind('/'))].add(outcome);
        } catch (const std::exception& error) {
            std::printf("       cannot run %s: %s\n", file.c_str(), error.what());
            all_ran = false;
        }
        std::fflush(stdout);
    }
    for (const auto& [family, outcome] : families)
        std::printf("%-60s %7zu of %7zu  %.2f %%\n", family.c_str(), outcome.passed, outcome.passed + outcome.failed,
                    outcome.rate() * 100);
    std::printf("total: %zu of %zu, %.2f %%\n", total.passed, total.passed + total.failed, total.rate() * 100);
    const bool failed = options.count_statements_ok && total.failed != 0;
    return all_ran && !failed ? 0 : 1;
}
