// commands.hpp -- the groups of commands; each is one .cpp file.
#pragma once

#include <string_view>
#include <vector>

#include "arguments.hpp"

namespace northstar_tool {

std::vector<Command> entry_commands();     ///< get put del scan
std::vector<Command> tree_commands();      ///< create trees retention
std::vector<Command> transfer_commands();  ///< import export
std::vector<Command> past_commands();      ///< log show diff history watch
std::vector<Command> check_commands();     ///< verify stat hash replay
std::vector<Command> care_commands();      ///< backup restore vacuum-into compact prune checkpoint redact
std::vector<Command> cartridge_commands(); ///< cartridge
std::vector<Command> graph_commands();     ///< graph
std::vector<Command> vector_commands();    ///< vector
std::vector<Command> search_commands();    ///< search
std::vector<Command> task_commands();      ///< task
#ifndef NORTHSTAR_OMIT_SQL
std::vector<Command> sql_commands();       ///< sql
#endif
std::vector<Command> ingest_commands();    ///< ingest-code
std::vector<Command> code_commands();      ///< code
std::vector<Command> help_commands();      ///< help version completion bench

int run_import(const Arguments& arguments, Output& output);
int run_export(const Arguments& arguments, Output& output);

/// Text of a help topic (exit-codes, points, formats); empty: no such topic.
std::string_view help_topic(std::string_view name);
/// Completion script for bash, zsh or fish.
std::string completion_script(std::string_view shell);

inline constexpr std::string_view k_group_entries = "Entries";
inline constexpr std::string_view k_group_past = "The past";
inline constexpr std::string_view k_group_trust = "Trust and numbers";
inline constexpr std::string_view k_group_cartridges = "Cartridges";
inline constexpr std::string_view k_group_care = "Copies and care";
inline constexpr std::string_view k_group_tool = "The tool";

}  // namespace northstar_tool
