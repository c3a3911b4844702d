// tool_support.hpp -- runs the built tool as a user would and looks at what it prints and how it ends.
#pragma once

#include <catch2/catch.hpp>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tool_test {

/// A directory of its own for each test, removed at its end.
class Workplace {
public:
    Workplace() {
        const char* const base = std::getenv("TMPDIR");
        std::string pattern = std::string(base != nullptr ? base : "/tmp") + "/northstar-tool-" + std::string(6, 'X');
        REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        path_ = pattern;
    }
    Workplace(const Workplace&) = delete;
    Workplace& operator=(const Workplace&) = delete;
    ~Workplace() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    std::string operator/(const std::string& name) const { return path_ + "/" + name; }
    const std::string& path() const { return path_; }

private:
    std::string path_;
};

inline std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

inline void write_file(const std::string& path, const std::string& text) {
    std::ofstream file(path, std::ios::binary);
    file << text;
    REQUIRE(file.flush());
}

struct Outcome {
    int code = -1;  ///< exit code, or 128 + signal
    std::string out;
    std::string err;
};

inline std::string tool_path() {
    if (const char* const given = std::getenv("NORTHSTAR_TOOL")) return given;
#ifdef NORTHSTAR_TOOL
    return NORTHSTAR_TOOL;
#else
    return "northstar";
#endif
}

/// The tool started in its own process; standard output and error go to files.
class Process {
public:
    Process(const Workplace& place, const std::vector<std::string>& words, int input = -1, int output = -1)
        : out_(place / ("out-" + std::to_string(count()))), err_(place / ("err-" + std::to_string(count()))) {
        std::vector<std::string> all{tool_path()};
        all.insert(all.end(), words.begin(), words.end());
        std::vector<char*> vector;
        for (std::string& word : all) vector.push_back(word.data());
        vector.push_back(nullptr);
        child_ = ::fork();
        REQUIRE(child_ >= 0);
        if (child_ == 0) {
            const int in = input >= 0 ? input : ::open("/dev/null", O_RDONLY);
            const int out = output >= 0 ? output : ::open(out_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
            const int err = ::open(err_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
            if (in < 0 || out < 0 || err < 0) ::_exit(126);
            ::dup2(in, 0);
            ::dup2(out, 1);
            ::dup2(err, 2);
            for (int descriptor = 3; descriptor < 64; ++descriptor) ::close(descriptor);
            ::execv(vector[0], vector.data());
            ::_exit(127);
        }
        next() += 1;
    }
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;
    ~Process() {
        if (child_ > 0) {
            ::kill(child_, SIGKILL);
            wait();
        }
    }
    void signal(int number) const { REQUIRE(::kill(child_, number) == 0); }
    Outcome wait() {
        int status = 0;
        while (::waitpid(child_, &status, 0) < 0 && errno == EINTR) continue;
        child_ = -1;
        Outcome outcome;
        outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        outcome.out = read_file(out_);
        outcome.err = read_file(err_);
        return outcome;
    }
    std::string output_so_far() const { return read_file(out_); }

private:
    static int& next() {
        static int number = 0;
        return number;
    }
    static int count() { return next(); }

    std::string out_;
    std::string err_;
    pid_t child_ = -1;
};

inline Outcome run(const Workplace& place, const std::vector<std::string>& words, const std::string& input = {}) {
    const std::string path = place / "in";
    write_file(path, input);
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    REQUIRE(descriptor >= 0);
    Outcome outcome = Process(place, words, descriptor).wait();
    ::close(descriptor);
    std::string shown;
    for (const std::string& word : words) shown += word + " ";
    // Every failure is one line that says who speaks.
    INFO("northstar " << shown << "\n" << outcome.err);
    CHECK(outcome.code < 128);
    CHECK((words.empty() || outcome.code < 2 || std::count(outcome.err.begin(), outcome.err.end(), '\n') >= 1));
    return outcome;
}

/// Whether this build of the library says that it lacks the operation; the test then says so and ends.
inline bool lacking(const Workplace& place, const std::vector<std::string>& words) {
    const Outcome outcome = run(place, words);
    const bool lacks = outcome.code == 4 && outcome.err.find("this version cannot") != std::string::npos;
    if (lacks) WARN("SKIPPED: " << outcome.err);
    return lacks;
}

/// Runs what must succeed and returns what it printed.
inline std::string ok(const Workplace& place, const std::vector<std::string>& words, const std::string& input = {}) {
    const Outcome outcome = run(place, words, input);
    std::string shown;
    for (const std::string& word : words) shown += word + " ";
    INFO("northstar " << shown);
    CHECK(outcome.err == "");
    REQUIRE(outcome.code == 0);
    return outcome.out;
}

}  // namespace tool_test
