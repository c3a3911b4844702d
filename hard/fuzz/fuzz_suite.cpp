// fuzz_suite.cpp -- hostile bytes without a fuzzer: every input of the corpora, every seed, and seeds changed
// at random.
//
// An input that crashes, runs an assertion, takes longer than a second of processor time per megabyte or more
// memory than 512 MiB ends the suite; the line that replays it is printed, and the input kept where it says.
//
//   fuzz_suite                          everything; HARD_SEEDS=n: n changed inputs for each target
//   fuzz_suite TARGET [SEED]            one target
//   fuzz_suite TARGET FILE ...          inputs from files
//   fuzz_suite seeds DIRECTORY          writes what each target begins with into DIRECTORY/TARGET
#include "hard/fuzz/mutate.hpp"
#include "hard/fuzz/target.hpp"

#include "api/northstar.hpp"
#include "base/xxh64.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

namespace northstar::hard {

namespace {

namespace fs = std::filesystem;
using detail::Random;

constexpr std::uint64_t k_default_changed = 2000;
constexpr std::size_t k_longest_changed = 20000;
constexpr rlim_t k_memory = rlim_t{512} << 20;
constexpr long k_seconds = k_sanitized ? 10 : 1;  // for each started megabyte

/// What is being tried, where a signal handler finds it.
struct Current {
    const char* target = "";
    const std::byte* bytes = nullptr;
    std::size_t size = 0;
};
Current current;

void say(const char* text) {
    if (::write(STDERR_FILENO, text, std::strlen(text)) < 0) ::_exit(9);
}

std::string finding_path;  // a place for the input, made before anything goes wrong

void on_signal(int signal) {
    char* const path = finding_path.data();
    const int file = ::mkstemp(path);
    const bool kept = file >= 0 && current.bytes != nullptr &&
                      ::write(file, current.bytes, current.size) == static_cast<ssize_t>(current.size);
    say(signal == SIGPROF ? "\nan input takes too long\n" : signal == SIGABRT ? "\naborted\n" : "\ncrashed\n");
    if (kept) {
        say("again: fuzz_suite ");
        say(current.target);
        say(" ");
        say(path);
        say("\n");
    }
    ::_exit(1);
}

void catch_signals() {
    finding_path = (fs::temp_directory_path() / "fuzz-finding-XXXXXX").string();
    std::signal(SIGPROF, on_signal);
    std::signal(SIGABRT, on_signal);
    if (k_sanitized) return;
    for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) std::signal(signal, on_signal);
    const rlimit limit{k_memory, k_memory};
    if (::setrlimit(RLIMIT_DATA, &limit) != 0) std::perror("fuzz_suite: setrlimit");
}

void set_timer(long seconds) {
    itimerval timer{};
    timer.it_value.tv_sec = seconds;
    ::setitimer(ITIMER_PROF, &timer, nullptr);
}

void run_one(const Target& target, const Bytes& input) {
    current = {target.name, input.data(), input.size()};
    set_timer(k_seconds * static_cast<long>(1 + (input.size() >> 20)));
    try {
        target.run(input);
    } catch (const std::exception& error) {
        finding(std::string("an exception got out: ") + error.what());
    }
    set_timer(0);
}

Bytes read_file(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) finding("cannot read " + path.string());
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const std::span<const std::byte> bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
}

std::vector<Bytes> corpus(const Target& target) {
    std::vector<fs::path> paths;
    const fs::path folder = fs::path(NORTHSTAR_CORPORA) / target.name;
    if (fs::exists(folder)) {
        for (const fs::directory_entry& entry : fs::directory_iterator(folder)) paths.push_back(entry.path());
    }
    std::sort(paths.begin(), paths.end());
    std::vector<Bytes> inputs;
    for (const fs::path& path : paths) inputs.push_back(read_file(path));
    return inputs;
}

struct Tried {
    std::uint64_t kept = 0;
    std::uint64_t changed = 0;
};

/// One input of a megabyte: what is given up must be given up in time.
Bytes long_input(const std::vector<Bytes>& from, Random& random) {
    Bytes input = from[static_cast<std::size_t>(random.below(from.size()))];
    while (input.size() < (std::size_t{1} << 20) && !input.empty()) {
        const Bytes& more = from[static_cast<std::size_t>(random.below(from.size()))];
        input.insert(input.end(), more.begin(), more.end());
    }
    input.resize(std::size_t{1} << 20);
    return input;
}

Tried try_target(const Target& target, std::uint64_t seed, std::uint64_t count) {
    std::vector<Bytes> inputs = target.seeds();
    if (inputs.empty()) finding(std::string("the target ") + target.name + " has nothing to begin with");
    for (Bytes& input : corpus(target)) inputs.push_back(std::move(input));
    Tried tried;
    run_one(target, {});
    for (const Bytes& input : inputs) {
        run_one(target, input);
        ++tried.kept;
    }
    Random random(seed);
    for (; tried.changed < count; ++tried.changed) {
        Bytes input = inputs[static_cast<std::size_t>(random.below(inputs.size()))];
        const Bytes& other = inputs[static_cast<std::size_t>(random.below(inputs.size()))];
        mutate(input, other, k_longest_changed, random);
        if (target.mend != nullptr && !random.chance(1, 8)) target.mend(input);
        run_one(target, input);
    }
    for (int i = 0; i < 4; ++i) {
        Bytes input = long_input(inputs, random);
        if (target.mend != nullptr && i % 2 == 0) target.mend(input);
        run_one(target, input);
    }
    return tried;
}

int write_seeds(const fs::path& directory) {
    for (const Target& target : targets()) {
        const fs::path folder = directory / target.name;
        fs::create_directories(folder);
        for (const Bytes& seed : target.seeds()) {
            std::array<char, 20> name{};
            std::snprintf(name.data(), name.size(), "%016llx",
                          static_cast<unsigned long long>(detail::xxh64(seed.data(), seed.size(), 0)));
            std::ofstream file(folder / name.data(), std::ios::binary);
            file.write(reinterpret_cast<const char*>(seed.data()), static_cast<std::streamsize>(seed.size()));
            if (!file.flush()) finding("cannot write " + (folder / name.data()).string());
        }
    }
    return 0;
}

int run_all(const Target* only, std::uint64_t seed) {
    const char* const wanted = std::getenv("HARD_SEEDS");
    const std::uint64_t count = wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : k_default_changed;
    std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
    Tried all;
    for (const Target& target : targets()) {
        if (only != nullptr && &target != only) continue;
        const auto started = std::chrono::steady_clock::now();
        const Tried tried = try_target(target, seed, count);
        const auto took = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
        std::printf("%-14s %6llu inputs kept, %8llu changed, %.1f s\n", target.name,
                    static_cast<unsigned long long>(tried.kept), static_cast<unsigned long long>(tried.changed), took);
        std::fflush(stdout);
        all.kept += tried.kept;
        all.changed += tried.changed;
    }
    std::printf("%llu inputs kept and %llu changed ones; none crashed, hung or was read wrong\n",
                static_cast<unsigned long long>(all.kept), static_cast<unsigned long long>(all.changed));
    return 0;
}

int run_suite(const std::vector<std::string>& words) {
    catch_signals();
    if (words.empty()) return run_all(nullptr, 1);
    if (words[0] == "seeds" && words.size() == 2) return write_seeds(words[1]);
    const Target* const target = find_target(words[0]);
    if (target == nullptr) {
        std::fprintf(stderr, "there is no target %s\n", words[0].c_str());
        return 2;
    }
    if (words.size() == 1) return run_all(target, 1);
    const bool seeded = words.size() == 2 && words[1].find_first_not_of("0123456789") == std::string::npos;
    if (seeded) return run_all(target, std::strtoull(words[1].c_str(), nullptr, 10));
    for (std::size_t i = 1; i < words.size(); ++i) run_one(*target, read_file(words[i]));
    std::printf("%zu inputs replayed\n", words.size() - 1);
    return 0;
}

}  // namespace

}  // namespace northstar::hard

int main(int count, char** words) {
    return northstar::hard::run_suite(std::vector<std::string>(words + 1, words + count));
}
