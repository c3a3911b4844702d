// northstar-bench: measures Northstar, alone and beside its peers.
#include <unistd.h>

#include <algorithm>
#include <charconv>
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
        if (!command.usage.empty()) std::fprintf(out, "  %s %s\n", command.name.c_str(), command.usage.c_str());
    }
    std::fputs("\nengines in this build:", out);
    for (const EngineEntry& engine : engine_registry()) std::fprintf(out, " %s", engine.name.c_str());
    std::fputs("\nexit codes: 0 done, 1 failed or a gate was missed, 2 wrong usage, 130 interrupted\n", out);
}

}  // namespace runner_impl

std::vector<Command>& command_registry() {
    static std::vector<Command> commands;
    return commands;
}

bool stop_requested() noexcept { return runner_impl::stop != 0; }

void show_progress(std::string_view line) {
    static const bool terminal = ::isatty(STDERR_FILENO) == 1;
    if (!terminal) return;
    std::fprintf(stderr, "\r\033[K%.*s", static_cast<int>(line.size()), line.data());
    std::fflush(stderr);
}

Arguments::Arguments(const std::vector<std::string>& words, const std::vector<std::string_view>& allowed) {
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (!words[i].starts_with("--")) {
            words_.push_back(words[i]);
            continue;
        }
        const std::size_t equals = words[i].find('=');
        std::string name = words[i].substr(2, equals == std::string::npos ? equals : equals - 2);
        if (std::find(allowed.begin(), allowed.end(), name) == allowed.end()) {
            throw UsageError("there is no option --" + name + " here");
        }
        if (equals != std::string::npos) {
            options_.emplace_back(std::move(name), words[i].substr(equals + 1));
        } else if (i + 1 < words.size()) {
            options_.emplace_back(std::move(name), words[++i]);
        } else {
            throw UsageError("--" + name + " needs a value");
        }
    }
}

const std::string* Arguments::find(std::string_view name) const {
    for (const auto& [option, value] : options_) {
        if (option == name) return &value;
    }
    return nullptr;
}

std::string Arguments::text(std::string_view name, std::string_view otherwise) const {
    const std::string* value = find(name);
    return value != nullptr ? *value : std::string(otherwise);
}

std::uint64_t Arguments::number(std::string_view name, std::uint64_t otherwise) const {
    const std::string* value = find(name);
    if (value == nullptr) return otherwise;
    std::uint64_t number = 0;
    const auto result = std::from_chars(value->data(), value->data() + value->size(), number);
    if (result.ec != std::errc() || result.ptr != value->data() + value->size()) {
        throw UsageError("--" + std::string(name) + " takes a whole number, not '" + *value + "'");
    }
    return number;
}

double Arguments::real(std::string_view name, double otherwise) const {
    const std::string* value = find(name);
    if (value == nullptr) return otherwise;
    double number = 0;
    const auto result = std::from_chars(value->data(), value->data() + value->size(), number);
    if (result.ec != std::errc() || result.ptr != value->data() + value->size()) {
        throw UsageError("--" + std::string(name) + " takes a number, not '" + *value + "'");
    }
    return number;
}

}  // namespace bench

int main(int argc, char** argv) {
    using namespace bench;
    std::signal(SIGINT, runner_impl::on_signal);
    std::signal(SIGTERM, runner_impl::on_signal);
    std::signal(SIGPIPE, SIG_IGN);
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (words.empty() || words[0] == "help" || words[0] == "--help" || words[0] == "-h") {
        runner_impl::print_usage(words.empty() ? stderr : stdout);
        return words.empty() ? 2 : 0;
    }
    for (const Command& command : command_registry()) {
        if (command.name != words[0]) continue;
        try {
            return command.run({words.begin() + 1, words.end()});
        } catch (const UsageError& error) {
            std::fprintf(stderr, "northstar-bench %s: %s\n", command.name.c_str(), error.message().c_str());
            return 2;
        } catch (const Interrupted&) {
            std::fprintf(stderr, "\nnorthstar-bench %s: stopped\n", command.name.c_str());
            return 130;
        } catch (const std::exception& error) {
            std::fprintf(stderr, "\nnorthstar-bench %s: %s\n", command.name.c_str(), error.what());
            return 1;
        }
    }
    std::fprintf(stderr, "northstar-bench: there is no command '%s'\n", words[0].c_str());
    runner_impl::print_usage(stderr);
    return 2;
}
