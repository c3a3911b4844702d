// What the tool does where a person sits: colours, progress and harmless bytes on a terminal, and none of it elsewhere.
#include "skip.hpp"
#include "tool_support.hpp"

#include <string_view>

#include <termios.h>

using namespace tool_test;

namespace tool_terminal_test {

/// False where /dev/pts is not mounted, as in a bare chroot.
bool has_terminals() {
    const int master = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master >= 0) ::close(master);
    return master >= 0;
}

/// The tool with standard output, standard error or both on a terminal of its own.
class OnTerminal {
public:
    struct Ends {
        bool out = false;
        bool err = false;
    };

    OnTerminal(const Workplace& place, const std::vector<std::string>& words, Ends ends,
               const std::vector<std::string>& environment, int input = -1) {
        master_ = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
        REQUIRE(master_ >= 0);
        REQUIRE(::grantpt(master_) == 0);
        REQUIRE(::unlockpt(master_) == 0);
        const int terminal = ::open(::ptsname(master_), O_RDWR | O_NOCTTY | O_CLOEXEC);
        REQUIRE(terminal >= 0);
        struct termios raw {};
        REQUIRE(::tcgetattr(terminal, &raw) == 0);
        ::cfmakeraw(&raw);
        REQUIRE(::tcsetattr(terminal, TCSANOW, &raw) == 0);
        std::vector<std::string> all{"env", "-u", "NO_COLOR", "TERM=xterm"};
        all.insert(all.end(), environment.begin(), environment.end());
        all.push_back(tool_path());
        all.insert(all.end(), words.begin(), words.end());
        std::vector<char*> vector;
        for (std::string& word : all) vector.push_back(word.data());
        vector.push_back(nullptr);
        child_ = ::fork();
        REQUIRE(child_ >= 0);
        if (child_ == 0) {
            const int in = input >= 0 ? input : ::open("/dev/null", O_RDONLY);
            const int out = ends.out ? terminal : ::open((place / "out").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
            const int err = ends.err ? terminal : ::open((place / "err").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
            if (in < 0 || out < 0 || err < 0) ::_exit(126);
            ::dup2(in, 0);
            ::dup2(out, 1);
            ::dup2(err, 2);
            for (int descriptor = 3; descriptor < 64; ++descriptor) ::close(descriptor);
            ::execvp(vector[0], vector.data());
            ::_exit(127);
        }
        ::close(terminal);
    }
    OnTerminal(const OnTerminal&) = delete;
    OnTerminal& operator=(const OnTerminal&) = delete;
    ~OnTerminal() {
        if (child_ > 0) {
            ::kill(child_, SIGKILL);
            ::waitpid(child_, nullptr, 0);
        }
        ::close(master_);
    }
    /// What came so far and until `text` has come or the tool ended.
    bool shows(const std::string& text) {
        while (seen_.find(text) == std::string::npos) {
            if (!read_more()) return false;
        }
        return true;
    }
    /// All that the terminal got.
    const std::string& all() {
        while (read_more()) continue;
        int status = 0;
        ::waitpid(child_, &status, 0);
        child_ = -1;
        CHECK(WIFEXITED(status));
        return seen_;
    }

private:
    bool read_more() {
        char buffer[4096];
        const ssize_t got = ::read(master_, buffer, sizeof buffer);  // EIO: nobody has the terminal any more
        if (got <= 0) return false;
        seen_.append(buffer, static_cast<std::size_t>(got));
        return true;
    }

    int master_ = -1;
    pid_t child_ = -1;
    std::string seen_;
};

bool has_escape(const std::string& text) { return text.find('\x1b') != std::string::npos; }

}  // namespace tool_terminal_test
using namespace tool_terminal_test;

TEST_CASE("colours are for terminals that want them", "[tool]") {
    if (!has_terminals()) NORTHSTAR_SKIP("there are no pseudo-terminals");
    const Workplace place;
    const std::string db = place / "a.db";
    ok(place, {"put", db, "k", "v"});
    const std::vector<std::string> log{"log", db};
    CHECK(has_escape(OnTerminal(place, log, {.out = true}, {}).all()));
    CHECK_FALSE(has_escape(OnTerminal(place, log, {.out = true}, {"NO_COLOR=1"}).all()));
    CHECK_FALSE(has_escape(OnTerminal(place, log, {.out = true}, {"TERM=dumb"}).all()));
    CHECK_FALSE(has_escape(OnTerminal(place, log, {.err = true}, {}).all()));
    CHECK(read_file(place / "out").find("txn 1") == 0);
    CHECK_FALSE(has_escape(read_file(place / "out")));
}

TEST_CASE("a terminal gets no byte of a key or value that it might obey", "[tool]") {
    if (!has_terminals()) NORTHSTAR_SKIP("there are no pseudo-terminals");
    const Workplace place;
    const std::string db = place / "a.db";
    const std::string wicked = "red \x1b[31m and \x9b";
    ok(place, {"put", db, wicked, wicked, "-A", "who=" + wicked});
    const std::string scan = OnTerminal(place, {"scan", db}, {.out = true}, {}).all();
    CHECK(scan == "red \\x1b[31m and \\x9b\tred \\x1b[31m and \\x9b\n");
    for (const char* command : {"log", "trees", "stat"}) {
        CHECK_FALSE(has_escape(OnTerminal(place, {command, db}, {.out = true}, {"NO_COLOR=1"}).all()));
    }
    for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
             {"show", db, "--values"}, {"diff", db, "0", "--values"}, {"history", db, wicked, "--values"}}) {
        CHECK_FALSE(has_escape(OnTerminal(place, words, {.out = true}, {"NO_COLOR=1"}).all()));
    }
    // Programs get the bytes.
    CHECK(ok(place, {"scan", db}) == wicked + "\t" + wicked + "\n");
}

TEST_CASE("progress is shown on standard error if that is a terminal", "[tool]") {
    if (!has_terminals()) NORTHSTAR_SKIP("there are no pseudo-terminals");
    const Workplace place;
    const std::string db = place / "a.db";
    std::string text;
    for (int i = 0; i < 20'000; ++i) text += "{\"key\":\"" + std::to_string(i) + "\",\"value\":\"v\"}\n";
    const std::string file = place / "in.jsonl";
    write_file(file, text);
    int pipe_ends[2];
    int enough[2];
    REQUIRE(::pipe(pipe_ends) == 0);
    REQUIRE(::pipe2(enough, O_CLOEXEC | O_NONBLOCK) == 0);
    {
        // Input comes until there was progress, however fast the machine.
        OnTerminal import(place, {"import", db, "-", "--batch", "10"}, {.err = true}, {}, pipe_ends[0]);
        ::close(pipe_ends[0]);
        const pid_t feeder = ::fork();
        REQUIRE(feeder >= 0);
        if (feeder == 0) {
            ::close(enough[1]);
            char end;
            while (::read(enough[0], &end, 1) < 0) {
                for (std::string_view rest = text; !rest.empty();) {
                    const ssize_t wrote = ::write(pipe_ends[1], rest.data(), rest.size());
                    if (wrote <= 0) ::_exit(1);
                    rest.remove_prefix(static_cast<std::size_t>(wrote));
                }
            }
            ::_exit(0);
        }
        ::close(pipe_ends[1]);
        ::close(enough[0]);
        CHECK(import.shows("\r\x1b[Kimporting: "));
        CHECK(import.shows("records"));
        ::close(enough[1]);
        const std::string& all = import.all();
        ::waitpid(feeder, nullptr, 0);
        // The line is wiped when the work is done.
        CHECK(all.substr(all.size() - 4) == "\r\x1b[K");
        CHECK(read_file(place / "out").find(" records in ") != std::string::npos);
        CHECK_FALSE(has_escape(read_file(place / "out")));
    }
    CHECK(run(place, {"import", db, file, "-q"}).err.empty());
    CHECK(OnTerminal(place, {"import", db, file, "-q"}, {.err = true}, {}).all().empty());
}
