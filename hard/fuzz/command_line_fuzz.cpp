// command_line_fuzz.cpp -- the words of a command line: any give options and operands, or a sentence that says what is
// wrong with them. No command runs.
//
// Input: the words, each ended by a zero byte; the first is the command.
#include "hard/fuzz/target.hpp"

#include "tool/arguments.hpp"
#include "tool/points.hpp"
#include "tool/session.hpp"
#include "tool/text.hpp"

#include <algorithm>
#include <string_view>

namespace northstar::hard {

namespace {

using namespace northstar_tool;

/// What is refused is refused with a sentence.
template <class F>
void ask(F&& f) {
    try {
        f();
    } catch (const UsageError& error) {
        if (std::string_view(error.what()).empty()) finding("a command line is wrong for no reason");
    }
}

void texts(const std::string& word) {
    ask([&] { parse_point(word); });
    ask([&] { parse_history(word); });
    if (const auto bytes = base64_decode(word); bytes && base64_encode(*bytes) != word) {
        finding("base64 that was decoded is encoded as another text");
    }
    if (const auto bytes = hex_decode(word); bytes && hex_encode(*bytes).size() != word.size()) {
        finding("hexadecimal digits that were decoded are encoded as another text");
    }
    if (const auto time = parse_time(word)) {
        if (parse_time(format_time(*time)) != time && *time < std::uint64_t{253402300800} * 1000000) {
            finding("a time that was written is read as another one");
        }
    }
    if (const auto size = parse_size(word)) human_bytes(*size);
    parse_duration(word);
    const std::string shown = printable(word);
    if (!valid_utf8(shown) || shown.find('\n') != std::string::npos)
        finding("what is printable is not one line of UTF-8");
}

void take_apart(const Command& command, std::span<const std::string_view> words) {
    ask([&] {
        const Arguments arguments(command, words);
        if (arguments.operands().size() < command.least) finding("a command has fewer operands than it needs");
        for (const OptionSpec& option : command.options) {
            if (arguments.has(option.name) != !arguments.values(option.name).empty() && !option.placeholder.empty()) {
                finding("an option that was given has no value");
            }
            ask([&] { arguments.number(option.name); });
            ask([&] { arguments.size(option.name); });
            ask([&] { arguments.pairs(option.name); });
            ask([&] { arguments.bytes_of(option.name); });
        }
        for (const std::string& operand : arguments.operands()) {
            ask([&] { arguments.bytes(operand, "key"); });
        }
        ask([&] { arguments.encoding(); });
        ask([&] { key_range(arguments); });
        ask([&] { write_options(arguments); });
        ask([&] { as_of(arguments); });
    });
}

void run(std::span<const std::byte> input) {
    std::vector<std::string> words;
    std::string_view rest(reinterpret_cast<const char*>(input.data()), input.size());
    while (!rest.empty() && words.size() < 200) {
        const std::size_t end = std::min(rest.find('\0'), rest.size());
        words.emplace_back(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    if (words.empty()) return;
    std::vector<std::string_view> views(words.begin(), words.end());
    for (std::size_t i = 0; i < std::min<std::size_t>(words.size(), 8); ++i) texts(words[i]);
    const Command* command = find_command(views[0]);
    if (command != nullptr) {
        take_apart(*command, std::span(views).subspan(1));
        return;
    }
    std::vector<std::string_view> names;
    for (const Command& one : all_commands()) names.push_back(one.name);
    if (words[0].size() < 100) suggestion(views[0], names);
    // Words without a command are tried with one of them.
    const std::size_t chosen = input.size() % all_commands().size();
    take_apart(all_commands()[chosen], views);
}

std::vector<Bytes> seeds() {
    std::vector<Bytes> result;
    const auto add = [&](std::string words) {
        std::replace(words.begin(), words.end(), ' ', '\0');
        const std::span<const std::byte> bytes = std::as_bytes(std::span(words));
        result.emplace_back(bytes.begin(), bytes.end());
    };
    for (const Command& command : all_commands()) {
        std::string words(command.name);
        for (const OptionSpec& option : command.options) {
            words += " --" + std::string(option.name);
            if (!option.placeholder.empty()) words += "=" + std::string(option.choices.empty() ? "12" : "x");
        }
        add(words + " database operand -- --more");
        for (const std::string_view example : command.examples) add(std::string(example));
    }
    for (const char* point : {"latest~3", "2024-05-01T12:30:00.5+02:00", "@1700000000.25", "17us", "2h-ago", "who=me",
                              "who^=m", "last:100", "duration:7d", "everything", "1.5GiB", "YWI=", "00ff"}) {
        add(std::string("get db key --as-of ") + point + " " + point);
    }
    return result;
}

}  // namespace

const Target k_command_line_target = {"command_line", run, nullptr, seeds};

}  // namespace northstar::hard
