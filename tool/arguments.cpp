#include "arguments.hpp"

#include <algorithm>

namespace northstar_tool {
namespace arguments_impl {

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t above = row[j];
            row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0u : 1u)});
            diagonal = above;
        }
    }
    return row[b.size()];
}

bool among(std::string_view word, std::string_view choices) {
    while (!choices.empty()) {
        const std::size_t blank = std::min(choices.find(' '), choices.size());
        if (choices.substr(0, blank) == word) return true;
        choices.remove_prefix(std::min(blank + 1, choices.size()));
    }
    return false;
}

}  // namespace arguments_impl

std::string_view suggestion(std::string_view word, std::span<const std::string_view> names) {
    std::string_view best;
    std::size_t best_distance = 3;
    for (const std::string_view name : names) {
        const std::size_t distance = arguments_impl::edit_distance(word, name);
        if (distance < best_distance && distance < name.size()) {
            best = name;
            best_distance = distance;
        }
    }
    return best;
}

const Command* find_command(std::string_view name) {
    for (const Command& command : all_commands()) {
        if (command.name == name) return &command;
    }
    return nullptr;
}

Arguments::Arguments(const Command& command, std::span<const std::string_view> words) : command_(&command) {
    bool options_end = command.raw;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string_view word = words[i];
        if (options_end || word.size() < 2 || word[0] != '-') {
            operands_.emplace_back(word);
            continue;
        }
        if (word == "--") {
            options_end = true;
            continue;
        }
        const auto take_value = [&](const OptionSpec& option) {
            if (i + 1 >= words.size()) {
                throw UsageError("--" + std::string(option.name) + " needs a value (" +
                                 std::string(option.placeholder) + ")");
            }
            return std::string(words[++i]);
        };
        if (word[1] == '-') {
            const std::size_t equals = word.find('=');
            const std::string_view name = word.substr(2, equals == std::string_view::npos ? equals : equals - 2);
            const OptionSpec* option = find(name);
            if (option == nullptr) {
                std::vector<std::string_view> names;
                for (const OptionSpec& known : command.options) names.push_back(known.name);
                const std::string_view close = suggestion(name, names);
                throw UsageError("northstar " + std::string(command.name) + " has no option --" + printable(name) +
                                 (close.empty() ? "; see northstar help " + std::string(command.name)
                                                : "; did you mean --" + std::string(close) + "?"));
            }
            if (option->placeholder.empty()) {
                if (equals != std::string_view::npos) throw UsageError("--" + std::string(name) + " takes no value");
                add(*option, {});
            } else {
                add(*option,
                    equals != std::string_view::npos ? std::string(word.substr(equals + 1)) : take_value(*option));
            }
            continue;
        }
        for (std::size_t j = 1; j < word.size(); ++j) {
            const OptionSpec* option = find(word[j]);
            if (option == nullptr) {
                throw UsageError("northstar " + std::string(command.name) + " has no option -" +
                                 printable(word.substr(j, 1)) + "; see northstar help " + std::string(command.name));
            }
            if (option->placeholder.empty()) {
                add(*option, {});
                continue;
            }
            add(*option, j + 1 < word.size() ? std::string(word.substr(j + 1)) : take_value(*option));
            break;
        }
    }
    check();
}

void Arguments::add(const OptionSpec& option, std::string value) {
    if (!option.repeatable && !option.placeholder.empty() && has(option.name)) {
        throw UsageError("--" + std::string(option.name) + " is given twice");
    }
    if (!option.choices.empty() && !arguments_impl::among(value, option.choices)) {
        std::string listed(option.choices);
        for (std::size_t i = 0; (i = listed.find(' ', i)) != std::string::npos; i += 2) listed.replace(i, 1, ", ");
        throw UsageError("--" + std::string(option.name) + " is one of " + listed + ", not '" + printable(value) +
                         "'");
    }
    given_.emplace_back(option.name, std::move(value));
}

void Arguments::check() const {
    const std::string shape = "usage: northstar " + std::string(command_->name) +
                              (command_->operands.empty() ? "" : " " + std::string(command_->operands));
    if (operands_.size() < command_->least) throw UsageError("something is missing; " + shape);
    if (command_->most != k_any_number && operands_.size() > command_->most) {
        throw UsageError("'" + printable(operands_[command_->most]) + "' is one word too many; " + shape);
    }
}

const OptionSpec* Arguments::find(std::string_view name) const noexcept {
    for (const OptionSpec& option : command_->options) {
        if (option.name == name) return &option;
    }
    return nullptr;
}

const OptionSpec* Arguments::find(char letter) const noexcept {
    for (const OptionSpec& option : command_->options) {
        if (option.letter == letter) return &option;
    }
    return nullptr;
}

bool Arguments::has(std::string_view option) const noexcept {
    return std::any_of(given_.begin(), given_.end(), [&](const auto& given) { return given.first == option; });
}

std::optional<std::string> Arguments::value(std::string_view option) const {
    for (const auto& [name, value] : given_) {
        if (name == option) return value;
    }
    return std::nullopt;
}

std::string Arguments::value_or(std::string_view option, std::string_view otherwise) const {
    auto given = value(option);
    return given ? *std::move(given) : std::string(otherwise);
}

std::vector<std::string> Arguments::values(std::string_view option) const {
    std::vector<std::string> all;
    for (const auto& [name, value] : given_) {
        if (name == option) all.push_back(value);
    }
    return all;
}

std::optional<std::uint64_t> Arguments::number(std::string_view option) const {
    const auto given = value(option);
    if (!given) return std::nullopt;
    const auto number = parse_unsigned(*given);
    if (!number)
        throw UsageError("--" + std::string(option) + " takes a whole number, not '" + printable(*given) + "'");
    return number;
}

std::optional<std::uint64_t> Arguments::size(std::string_view option) const {
    const auto given = value(option);
    if (!given) return std::nullopt;
    const auto bytes = parse_size(*given);
    if (!bytes) {
        throw UsageError("--" + std::string(option) + " takes a number of bytes such as 4096, 64K or 16MiB, not '" +
                         printable(*given) + "'");
    }
    return bytes;
}

std::vector<std::pair<std::string, std::string>> Arguments::pairs(std::string_view option) const {
    std::vector<std::pair<std::string, std::string>> all;
    for (const std::string& given : values(option)) {
        const std::size_t equals = given.find('=');
        if (equals == std::string::npos || equals == 0) {
            throw UsageError("--" + std::string(option) + " takes NAME=VALUE, not '" + printable(given) + "'");
        }
        all.emplace_back(given.substr(0, equals), given.substr(equals + 1));
    }
    return all;
}

Encoding Arguments::encoding() const {
    if (has("hex") && has("base64")) throw UsageError("--hex and --base64 exclude each other");
    if (has("hex")) return Encoding::hex;
    return has("base64") ? Encoding::base64 : Encoding::text;
}

std::string Arguments::bytes(std::string_view text, std::string_view what) const {
    auto decoded = decode(text, encoding());
    if (!decoded) {
        throw UsageError("the " + std::string(what) + " '" + printable(text) + "' is not " +
                         (encoding() == Encoding::hex ? "hexadecimal" : "base64"));
    }
    return *std::move(decoded);
}

std::optional<std::string> Arguments::bytes_of(std::string_view option) const {
    const auto given = value(option);
    if (!given) return std::nullopt;
    return bytes(*given, "value of --" + std::string(option));
}

}  // namespace northstar_tool
