// northstar-bench: measures Northstar, alone and beside its peers.
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>

#include "command.hpp"
#include "engine.hpp"

namespace bench {
namespace runner_impl {

volatile std::sig_atomic_t stop = 0;

void on_signal(int) { stop = 1; }

void print_usage(std::FILE* out) {
    std::fputs("usage: northstar-bench COMMAND [options]\n\n", out);
    for (const Command& command : command_registry()) {
        if (!command.usage.empty())
            std::fprintf(out, "  %s %s\n", command.name.c_str(), command.usage.c_str());
    }
    std::fputs("\nengines in this build:", out);
    for (const EngineEntry& engine : engine_registry()) std::fprintf(out, " %s", engine.name.c_str());
    std::fputs("\nexit codes: 0 done, 1 failed or a gate was missed, 2 wrong usage, 130 interrupted\n", out);
}

const Command* find_command(const std::string& name) {
    for (const Command& command : command_registry()) {
        if (command.name == name) return &command;
    }
    return nullptr;
}

void print_usage(const Command& command, std::FILE* out) {
    std::fprintf(out, "usage: northstar-bench %s %s\n", command.name.c_str(), command.usage.c_str());
}

int run(const Command& command, const std::vector<std::string>& words) {
    if (std::any_of(words.begin(), words.end(), [](const auto& word) { return word == "--help" || word == "-h"; })) {
        print_usage(command, stdout);
        return 0;
    }
    try {
        return command.run(words);
    } catch (const UsageError& error) {
        std::fprintf(stderr, "northstar-bench %s: %s\n", command.name.c_str(), error.message().c_str());
        print_usage(command, stderr);
        return 2;
    } catch (const Interrupted&) {
        std::fprintf(stderr, "\nnorthstar-bench %s: stopped\n", command.name.c_str());
        return 130;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "\nnorthstar-bench %s: %s\n", command.name.c_str(), error.what());
        return 1;
    }
}

}  // namespace runner_impl

bool stop_requested() noexcept { return runner_impl::stop != 0; }

void show_progress(std::string_view line) {
    static const bool terminal = ::isatty(STDERR_FILENO) == 1;
    if (!terminal) return;
    std::fprintf(stderr, "\r\033[K%.*s", static_cast<int>(line.size()), line.data());
    std::fflush(stderr);
}

}  // namespace bench

int main(int argc, char** argv) {
    using namespace bench;
    std::signal(SIGINT, runner_impl::on_signal);
    std::signal(SIGTERM, runner_impl::on_signal);
    std::signal(SIGPIPE, SIG_IGN);
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (words.size() == 2 && words[0] == "help") {
        if (const Command* command = runner_impl::find_command(words[1])) {
            return runner_impl::run(*command, {"--help"});
        }
    }
    if (words.empty() || words[0] == "help" || words[0] == "--help" || words[0] == "-h") {
        runner_impl::print_usage(words.empty() ? stderr : stdout);
        return words.empty() ? 2 : 0;
    }
    if (const Command* command = runner_impl::find_command(words[0])) {
        return runner_impl::run(*command, {words.begin() + 1, words.end()});
    }
    // northstar-bench app.db --write-ops 1000: the name of the quick measurement may be left out.
    if (words[0].starts_with("--") || ::access(words[0].c_str(), F_OK) == 0) {
        return runner_impl::run(*runner_impl::find_command("quick"), words);
    }
    std::fprintf(stderr, "northstar-bench: there is no command or database '%s'\n", words[0].c_str());
    runner_impl::print_usage(stderr);
    return 2;
}
