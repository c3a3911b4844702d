// grammars.hpp -- what statements the oracle makes by grammar, a file for each kind.
#pragma once

namespace northstar::hard {

/// Queries without tables: functions, operators and casts of all types, with values at their edges;
/// one grammar in three parts.
extern const char* const k_calls_grammar;
extern const char* const k_calls_text_grammar;
extern const char* const k_calls_time_grammar;
/// Tables with their indexes, and queries of them: joins, subqueries, groups, windows, set operations, WITH.
extern const char* const k_queries_grammar;
/// Tables with constraints, and changes of them in transactions.
extern const char* const k_changes_grammar;
/// A table with a column of each type, statements with arguments of each type, and indexes of every kind.
extern const char* const k_arguments_grammar;
/// Definitions of every kind, and rows of what is defined.
extern const char* const k_definitions_grammar;
/// Tables with constraints of every kind and few keys, and what several sessions do with them.
extern const char* const k_sessions_grammar;
/// Rows of values at the edges of their types, and what computes with them; one grammar in two parts.
extern const char* const k_values_grammar;
extern const char* const k_values_calls_grammar;
/// Window frames, recursion, and changes in WITH and through views.
extern const char* const k_frames_grammar;

}  // namespace northstar::hard
