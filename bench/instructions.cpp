// northstar-bench instructions RESULTS.json: how many instructions each benchmark of a result file takes.
//
// On a machine whose times vary too much to gate, the count decides (compare.cpp): it hardly depends on who else is
// running. Each benchmark runs once more, under callgrind, with the seed of the file and its entries, or fewer; only
// what lies between a meter's beginning and end is counted, on the measuring thread. The counts are added to the file.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "command.hpp"
#include "instruction_counter.hpp"
#include "json.hpp"
#include "machine.hpp"

extern char** environ;

namespace bench {
namespace instructions_impl {

/// Runs a program without its output; its exit code.
int run_quietly(std::vector<std::string> words) {
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t child = -1;
    const int code = ::posix_spawnp(&child, pointers[0], &actions, nullptr, pointers.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (code != 0) throw std::runtime_error("cannot run " + words[0] + ": " + std::strerror(code));
    int status = 0;
    while (::waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) throw std::runtime_error("cannot wait for " + words[0] + ": " + std::strerror(errno));
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/// The total that callgrind left in its file.
double counted(const std::string& path) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("totals: ")) return std::stod(line.substr(8));
    }
    throw std::runtime_error("callgrind left no total in " + path);
}

/// name as a regular expression that nothing else fits.
std::string exactly(const std::string& name) {
    std::string expression = "^";
    for (const char c : name) {
        if (std::strchr(".+*?()[]{}|\\^$", c) != nullptr) expression += '\\';
        expression += c;
    }
    return expression + "$";
}

/// Instructions per operation of one benchmark.
double count(const std::string& name, std::uint64_t entries, std::uint64_t seed, std::uint64_t iterations,
             const Scratch& scratch) {
    const std::string counts = scratch / "callgrind.out";
    const std::string results = scratch / "counted.json";
    std::filesystem::remove(results);
    const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
    const int code = run_quietly({"valgrind",
                                  "--tool=callgrind",
                                  "--collect-atstart=no",
                                  "--callgrind-out-file=" + counts,
                                  self,
                                  "micro",
                                  "--only",
                                  exactly(name),
                                  "--rounds",
                                  "1",
                                  "--iterations",
                                  std::to_string(iterations),
                                  "--entries",
                                  std::to_string(entries),
                                  "--seed",
                                  std::to_string(seed),
                                  "--dir",
                                  scratch / "data",
                                  "--json",
                                  results});
    if (code != 0) throw std::runtime_error(name + " failed under callgrind, exit code " + std::to_string(code));
    const Json result = Json::read_file(results);
    const Json& entry = result["benchmarks"].items().at(0);
    // Google Benchmark measures once, so that the operations are those of the one repeat.
    const double operations = entry["operations"].number();
    if (operations <= 0) throw std::runtime_error(name + " did nothing under callgrind");
    return counted(counts) / operations;
}

int run(const std::vector<std::string>& words) {
    const Arguments arguments(words, {"only", "iterations", "entries", "dir"});
    if (arguments.words().size() != 1) throw UsageError("the result file of a micro run is needed");
    if (!can_count_instructions()) {
        throw std::runtime_error(
            "this program was compiled without valgrind's header (Debian: apt-get install valgrind)");
    }
    const std::string& path = arguments.words()[0];
    Json file = Json::read_file(path);
    const std::regex only = regular_expression(arguments.text("only", "."));
    const std::uint64_t iterations = arguments.number("iterations", 500);
    const auto option = [&](const char* name) { return static_cast<std::uint64_t>(file["options"][name].number()); };
    const std::uint64_t seed = option("seed");
    const std::uint64_t entries = arguments.number("entries", option("entries"));
    const Scratch scratch(arguments.text("dir", "build/bench-data"));
    Json benchmarks = Json::array();
    std::printf("%-52s %s\n", "benchmark", "instructions/op");
    for (Json entry : file["benchmarks"].items()) {
        const std::string name = entry["name"].string();
        if (std::regex_search(name, only)) {
            if (stop_requested()) throw Interrupted();
            show_progress("callgrind: " + name);
            entry.set("instructions_per_op", count(name, entries, seed, iterations, scratch));
            show_progress("");
            std::printf("%-52s %.0f\n", name.c_str(), entry["instructions_per_op"].number());
            std::fflush(stdout);
        }
        benchmarks.push_back(std::move(entry));
    }
    Json options = file["options"];
    options.set("entries_counted", entries);
    file.set("options", std::move(options)).set("benchmarks", std::move(benchmarks));
    file.write_file(path);
    return 0;
}

const RegisterCommand command(
    "instructions",
    "[--only REGEX] [--iterations N] [--entries N] [--dir D] RESULTS.json\n"
    "       counts instructions of micro benchmarks under callgrind and adds them to the file",
    run);

}  // namespace instructions_impl
}  // namespace bench
