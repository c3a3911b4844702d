// arguments.hpp -- commands, their options, and a command line taken apart.
//
// A command is data: name, operands, options, texts and a function. Help, shell completion and parsing all read the
// same description, so they cannot disagree.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "failure.hpp"
#include "text.hpp"

namespace northstar_tool {

class Output;
class Arguments;

struct OptionSpec {
    std::string_view name;         ///< without the two dashes
    char letter = 0;               ///< one-letter form, 0: none
    std::string_view placeholder;  ///< what the value is called in help; empty: the option takes none
    std::string_view help;
    bool repeatable = false;
    std::string_view choices = {};  ///< values separated by blanks, for completion and checking; empty: any
};

inline constexpr std::size_t k_any_number = ~std::size_t{0};

struct Command {
    std::string_view name;
    std::string_view group;          ///< heading in the overview
    std::string_view operands = {};  ///< as shown in help, e.g. "DATABASE KEY..."
    std::size_t least = 0;           ///< operands
    std::size_t most = 0;
    std::string_view summary = {};      ///< one line, no full stop
    std::string_view description = {};  ///< paragraphs
    std::vector<OptionSpec> options = {};
    std::vector<std::string_view> examples = {};
    int (*run)(const Arguments&, Output&) = nullptr;
    bool raw = false;  ///< everything behind the name is an operand; options are somebody else's
};

class Arguments {
public:
    /// Takes the words behind the command's name apart; a UsageError says what is wrong with them.
    Arguments(const Command& command, std::span<const std::string_view> words);

    const Command& command() const noexcept { return *command_; }
    const std::vector<std::string>& operands() const noexcept { return operands_; }
    /// Operand i, which the command's `least` guarantees.
    const std::string& operand(std::size_t i) const { return operands_.at(i); }
    bool has(std::string_view option) const noexcept;
    std::optional<std::string> value(std::string_view option) const;
    std::string value_or(std::string_view option, std::string_view otherwise) const;
    std::vector<std::string> values(std::string_view option) const;
    std::optional<std::uint64_t> number(std::string_view option) const;
    std::optional<std::uint64_t> size(std::string_view option) const;
    /// Value of the form NAME=VALUE, of a repeatable option, in order.
    std::vector<std::pair<std::string, std::string>> pairs(std::string_view option) const;
    /// --hex, --base64 or neither.
    Encoding encoding() const;
    /// An operand or option value as bytes, in encoding().
    std::string bytes(std::string_view text, std::string_view what) const;
    std::optional<std::string> bytes_of(std::string_view option) const;

private:
    const OptionSpec* find(std::string_view name) const noexcept;
    const OptionSpec* find(char letter) const noexcept;
    void add(const OptionSpec& option, std::string value);
    void check() const;

    const Command* command_;
    std::vector<std::string> operands_;
    std::vector<std::pair<std::string_view, std::string>> given_;
};

/// All commands, in the order of the overview.
const std::vector<Command>& all_commands();
/// nullptr: there is none of that name.
const Command* find_command(std::string_view name);
/// Closest of the names, if one is close enough to be a slip of the fingers.
std::string_view suggestion(std::string_view word, std::span<const std::string_view> names);

// Options that several commands share.
inline constexpr OptionSpec k_option_tree{"tree", 't', "NAME", "tree to work on (default: main)"};
inline constexpr OptionSpec k_option_as_of{"as-of", 'a', "POINT",
                                           "read the state of that moment (northstar help points)"};
inline constexpr OptionSpec k_option_hex{"hex", 'x', "", "keys and values are written in hexadecimal"};
inline constexpr OptionSpec k_option_base64{"base64", 0, "", "keys and values are written in base64"};
inline constexpr OptionSpec k_option_json{"json", 'j', "", "one JSON object per line instead of text"};
inline constexpr OptionSpec k_option_format{
    "format", 'f', "FORMAT", "jsonl, csv or tsv (northstar help formats)", false, "jsonl csv tsv"};
inline constexpr OptionSpec k_option_annotate{"annotate", 'A', "NAME=VALUE",
                                              "keep this with the commit; may be given several times", true};
inline constexpr OptionSpec k_option_durability{
    "durability", 'd', "LEVEL", "full: on stable storage before the answer; lazy: shortly after", false, "full lazy"};
inline constexpr OptionSpec k_option_wait{"wait", 'w', "SECONDS",
                                          "how long to wait for other writers (default: for ever)"};
inline constexpr OptionSpec k_option_quiet{"quiet", 'q', "", "print nothing but errors"};
inline constexpr OptionSpec k_option_pread{"pread", 0, "",
                                           "read a file that others may damage or cut: no memory map"};
inline constexpr OptionSpec k_option_exclusive{
    "exclusive", 0, "", "let no other process have it open; needed on network file systems"};
inline constexpr OptionSpec k_option_values{"values", 'v', "", "show values too"};
inline constexpr OptionSpec k_option_limit{"limit", 'n', "N", "at most N of them"};
inline constexpr OptionSpec k_option_prefix{"prefix", 'p', "KEY", "only keys that begin with KEY"};
inline constexpr OptionSpec k_option_from_key{"from", 0, "KEY", "only keys at or behind KEY"};
inline constexpr OptionSpec k_option_to_key{"to", 0, "KEY", "only keys before KEY"};
inline constexpr OptionSpec k_option_time{"time", 0, "TIME", "commit time to record instead of the clock's"};

}  // namespace northstar_tool
