#include "command.hpp"

#include <algorithm>
#include <charconv>

namespace bench {

std::vector<Command>& command_registry() {
    static std::vector<Command> commands;
    return commands;
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

std::regex regular_expression(const std::string& text) {
    try {
        return std::regex(text);
    } catch (const std::regex_error& error) {
        throw UsageError("'" + text + "' is no regular expression: " + error.what());
    }
}

}  // namespace bench
