// Completion scripts, made from the descriptions of the commands.
#include "commands.hpp"

namespace northstar_tool {
namespace completion_impl {

constexpr std::string_view k_topics = "points formats exit-codes";

std::string names_of_commands() {
    std::string names;
    for (const Command& command : all_commands()) names += (names.empty() ? "" : " ") + std::string(command.name);
    return names;
}

/// A text inside single quotes for a shell; backslash: the shell wants it doubled there (fish).
std::string quoted(std::string_view text, bool backslash) {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'') out += backslash ? "\\'" : "'\\''";
        else if (c == '\\' && backslash) out += "\\\\";
        else out += c;
    }
    return out + "'";
}

std::string bash() {
    std::string script =
        "# bash completion for northstar\n_northstar() {\n"
        "    local current=\"${COMP_WORDS[COMP_CWORD]}\" previous=\"${COMP_WORDS[COMP_CWORD-1]}\" options=\n"
        "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
        "        COMPREPLY=($(compgen -W \"" +
        names_of_commands() +
        "\" -- \"$current\") $(compgen -f -- \"$current\"))\n        return\n    fi\n"
        "    case \"${COMP_WORDS[1]}:$previous\" in\n"
        "        help:help) COMPREPLY=($(compgen -W \"" +
        names_of_commands() + " " + std::string(k_topics) +
        "\" -- \"$current\")); return ;;\n"
        "        completion:completion) COMPREPLY=($(compgen -W \"bash zsh fish\" -- \"$current\")); return ;;\n";
    for (const Command& command : all_commands()) {
        for (const OptionSpec& option : command.options) {
            if (option.choices.empty()) continue;
            script += "        " + std::string(command.name) + ":--" + std::string(option.name);
            if (option.letter != 0) script += "|" + std::string(command.name) + ":-" + option.letter;
            script +=
                ") COMPREPLY=($(compgen -W \"" + std::string(option.choices) + "\" -- \"$current\")); return ;;\n";
        }
    }
    script += "    esac\n    case \"${COMP_WORDS[1]}\" in\n";
    for (const Command& command : all_commands()) {
        if (command.options.empty()) continue;
        script += "        " + std::string(command.name) + ") options=\"";
        for (const OptionSpec& option : command.options) script += "--" + std::string(option.name) + " ";
        script += "--help\" ;;\n";
    }
    script +=
        "    esac\n    if [[ \"$current\" == -* ]]; then\n"
        "        COMPREPLY=($(compgen -W \"$options\" -- \"$current\"))\n    else\n"
        "        COMPREPLY=($(compgen -f -- \"$current\"))\n    fi\n}\n"
        "complete -o filenames -F _northstar northstar\n";
    return script;
}

std::string zsh() {
    std::string script =
        "#compdef northstar\n# zsh completion for northstar\n_northstar() {\n    local -a commands options\n"
        "    commands=(\n";
    for (const Command& command : all_commands()) {
        script += "        " + quoted(std::string(command.name) + ":" + std::string(command.summary), false) + "\n";
    }
    script +=
        "    )\n    if (( CURRENT == 2 )); then\n        _describe 'command' commands\n        _files\n"
        "        return\n    fi\n"
        "    if [[ ${words[2]} == completion ]]; then compadd bash zsh fish; return; fi\n"
        "    if [[ ${words[2]} == help ]]; then _describe 'command' commands; compadd " +
        std::string(k_topics) +
        "; return; fi\n"
        "    case \"${words[2]}:${words[CURRENT-1]}\" in\n";
    for (const Command& command : all_commands()) {
        for (const OptionSpec& option : command.options) {
            if (option.choices.empty()) continue;
            script += "        " + std::string(command.name) + ":--" + std::string(option.name) + ") compadd " +
                      std::string(option.choices) + "; return ;;\n";
        }
    }
    script += "    esac\n    case ${words[2]} in\n";
    for (const Command& command : all_commands()) {
        if (command.options.empty()) continue;
        script += "        " + std::string(command.name) + ") options=(\n";
        for (const OptionSpec& option : command.options) {
            script += "            " +
                      quoted("--" + std::string(option.name) + ":" + std::string(option.help), false) + "\n";
        }
        script += "        ) ;;\n";
    }
    script +=
        "    esac\n    if [[ $PREFIX == -* ]]; then _describe -o 'option' options; else _files; fi\n}\n"
        "if [ \"$funcstack[1]\" = \"_northstar\" ]; then _northstar \"$@\"; else compdef _northstar northstar; fi\n";
    return script;
}

std::string fish() {
    std::string script = "# fish completion for northstar\ncomplete -c northstar -e\n"
        "complete -c northstar -n __fish_use_subcommand -F\n";
    for (const Command& command : all_commands()) {
        const std::string name(command.name);
        script += "complete -c northstar -n __fish_use_subcommand -f -a " + name + " -d " +
                  quoted(command.summary, true) + "\n";
        for (const OptionSpec& option : command.options) {
            script +=
                "complete -c northstar -n '__fish_seen_subcommand_from " + name + "' -l " + std::string(option.name);
            if (option.letter != 0) script += std::string(" -s ") + option.letter;
            if (!option.placeholder.empty()) script += " -r";
            if (!option.choices.empty()) script += " -f -a " + quoted(option.choices, true);
            script += " -d " + quoted(option.help, true) + "\n";
        }
    }
    script += "complete -c northstar -n '__fish_seen_subcommand_from completion' -f -a 'bash zsh fish'\n";
    script += "complete -c northstar -n '__fish_seen_subcommand_from help' -f -a " +
              quoted(names_of_commands() + " " + std::string(k_topics), true) + "\n";
    return script;
}

}  // namespace completion_impl

std::string completion_script(std::string_view shell) {
    if (shell == "bash") return completion_impl::bash();
    if (shell == "zsh") return completion_impl::zsh();
    if (shell == "fish") return completion_impl::fish();
    return {};
}

}  // namespace northstar_tool
