#include "hard/fuzz/sql_grammar.hpp"

#include "hard/fuzz/sql_subject.hpp"

#include <algorithm>
#include <cstdlib>
#include <sstream>

namespace northstar::hard {

namespace {

constexpr std::size_t k_deepest = 26;
constexpr std::size_t k_longest = 2500;

/// Which rule makes a value of a type; nullptr: none does.
const char* rule_of_type(std::string_view type) {
    static constexpr std::pair<std::string_view, const char*> k_rules[] = {
        {"bool", "bool"}, {"int2", "int"}, {"int4", "int"}, {"int8", "big"}, {"oid", "big"}, {"numeric", "num"},
        {"float4", "float"}, {"float8", "float"}, {"text", "text"}, {"varchar", "text"}, {"bpchar", "text"},
        {"name", "text"}, {"char", "text"}, {"unknown", "text"}, {"cstring", "text"}, {"bytea", "bytea"},
        {"date", "date"}, {"time", "time"}, {"timetz", "time"}, {"timestamp", "timestamp"},
        {"timestamptz", "timestamptz"}, {"interval", "interval"}, {"uuid", "uuid"}, {"json", "json"},
        {"jsonb", "jsonb"}, {"jsonpath", "jsonpath"}, {"_int2", "int_array"}, {"_int4", "int_array"},
        {"_int8", "int_array"}, {"anyarray", "int_array"}, {"anycompatiblearray", "int_array"},
        {"_text", "text_array"}, {"_varchar", "text_array"}, {"_name", "text_array"}, {"int4range", "int_range"},
        {"int8range", "int_range"}, {"anyrange", "int_range"}, {"anycompatiblerange", "int_range"},
        {"numrange", "num_range"}, {"daterange", "date_range"}, {"tsrange", "ts_range"}, {"tstzrange", "tstz_range"},
        {"anyenum", "mood"}, {"any", "any"}, {"anyelement", "any"}, {"anynonarray", "any"}, {"anycompatible", "any"},
        {"anycompatiblenonarray", "any"}, {"record", "record"}, {"bit", "bits"}, {"varbit", "bits"},
        {"regclass", "regclass"}, {"regtype", "regtype"}};
    for (const auto& [name, rule] : k_rules) {
        if (name == type) return rule;
    }
    return nullptr;
}

std::string call_of(const std::string& name, const std::vector<std::string>& arguments) {
    std::string call = "\"" + name + "\"(";
    for (std::size_t i = 0; i < arguments.size(); ++i) call += (i == 0 ? "" : ", ") + arguments[i];
    return call + ")";
}

}  // namespace

const SqlGrammar& SqlGrammar::get() {
    static const SqlGrammar grammar;
    return grammar;
}

SqlGrammar::SqlGrammar() {
    read(std::string(k_sql_statement_rules) + k_sql_value_rules);
    read_catalog();
    must_end();
}

std::size_t SqlGrammar::find(std::string_view name) const {
    const auto found = numbers_.find(name);
    if (found == numbers_.end()) finding("the grammar has no rule " + std::string(name));
    return found->second;
}

/// Rules may be named before they are written, so names come first.
void SqlGrammar::read(const std::string& text) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with("= ")) continue;
        const std::string name = line.substr(2);
        if (!numbers_.emplace(name, rules_.size()).second) finding("the grammar has two rules " + name);
        rules_.push_back({name, name.ends_with("_xy"), {}, {}});
    }
    std::istringstream again(text);
    std::size_t rule = k_no_rule;
    for (std::string line; std::getline(again, line);) {
        if (line.starts_with("= ")) rule = find(line.substr(2));
        else if (!line.empty()) rules_[rule].alternatives.push_back(alternative(line));
    }
}

SqlGrammar::Alternative SqlGrammar::alternative(std::string text) {
    Alternative result;
    for (; !text.empty() && (text[0] == '!' || text[0] == '@'); text.erase(0, 1)) {
        (text[0] == '!' ? result.impure : result.columns) = true;
    }
    if (text == "~") return result;
    std::string plain;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const std::size_t end = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz_", at + 1);
        if (text[at] != '<' || end == at + 1 || end == std::string::npos || text[end] != '>') {
            plain += text[at];
            continue;
        }
        if (!plain.empty()) result.pieces.push_back({std::exchange(plain, {}), k_no_rule});
        result.pieces.push_back({{}, find(std::string_view(text).substr(at + 1, end - at - 1))});
        at = end;
    }
    if (!plain.empty()) result.pieces.push_back({plain, k_no_rule});
    return result;
}

void SqlGrammar::add_known(std::string_view rule, std::string text, bool impure) {
    rules_[find(rule)].known.push_back(alternative((impure ? "!" : "") + text));
}

void SqlGrammar::read_catalog() {
    SqlSubject subject("");
    SqlConnection& sql = subject.connection();
    std::map<std::string, std::string> types;  // names by number
    for (const auto& row : sql.execute("SELECT oid, typname, typtype FROM pg_type ORDER BY oid").rows) {
        types[*row[0]] = *row[1];
        const char* const rule = rule_of_type(*row[1]);
        if (rule == nullptr || row[2] == "p") continue;
        add_known(rule, "CAST(<any> AS \"" + *row[1] + "\")", false);
    }
    const auto rule_of = [&](const std::string& oid) {
        const char* const rule = rule_of_type(types[oid]);
        return rule == nullptr ? std::string("NULL") : "<" + std::string(rule) + ">";
    };
    const SqlResult functions = sql.execute(
        "SELECT proname, prokind, proretset, provolatile, prorettype, proargtypes::text, provariadic FROM pg_proc "
        "ORDER BY proname, proargtypes::text");
    if (functions.rows.size() < 500) finding("pg_proc has few functions");
    for (const auto& row : functions.rows) {
        const std::string& name = *row[0];
        if (name.starts_with("pg_sleep")) continue;  // does nothing, for long
        std::vector<std::string> arguments;
        std::istringstream numbers(*row[5]);
        for (std::string oid; numbers >> oid;) arguments.push_back(rule_of(oid));
        if (row[6] != "0" && !arguments.empty()) arguments.back() = "<any>, <any>";
        const std::string call = call_of(name, arguments);
        const bool impure = row[3] != "i";
        if (row[1] == "a") add_known("aggregate", call, true);
        else if (row[1] == "w") add_known("window_function", call, true);
        else if (row[2] == "t") add_known("set_function", call, impure);
        else {
            const char* const result = rule_of_type(types[*row[4]]);
            add_known(result == nullptr ? "any" : result, call, impure);
        }
    }
    const SqlResult operators =
        sql.execute("SELECT oprname, oprleft, oprright, oprresult FROM pg_operator ORDER BY 1, 2, 3");
    for (const auto& row : operators.rows) {
        const char* const result = rule_of_type(types[*row[3]]);
        const std::string left = row[1] == "0" ? std::string() : rule_of(*row[1]);
        add_known(result == nullptr ? "any" : result, "(" + left + " " + *row[0] + " " + rule_of(*row[2]) + ")", false);
    }
}

/// Taking first alternatives alone comes to an end.
void SqlGrammar::must_end() const {
    std::vector<bool> ends(rules_.size(), false);
    for (bool more = true; more;) {
        more = false;
        for (std::size_t i = 0; i < rules_.size(); ++i) {
            if (rules_[i].alternatives.empty()) finding("the rule " + rules_[i].name + " is empty");
            const Alternative& first = rules_[i].alternatives[0];
            if (ends[i] || first.columns) continue;
            ends[i] = std::all_of(first.pieces.begin(), first.pieces.end(),
                                  [&](const Piece& piece) { return piece.rule == k_no_rule || ends[piece.rule]; });
            more = more || ends[i];
        }
    }
    for (std::size_t i = 0; i < rules_.size(); ++i) {
        if (!ends[i]) finding("the rule " + rules_[i].name + " does not end");
    }
}

std::string SqlWriter::write(std::string_view rule) {
    out_.clear();
    pure_ = true;
    expand(grammar_.find(rule));
    return out_;
}

/// Three choices in eight are what the catalog knows, where it knows something.
const SqlGrammar::Alternative& SqlWriter::choose(const SqlGrammar::Rule& rule) {
    if (depth_ > k_deepest || out_.size() > k_longest) return rule.alternatives[0];
    const std::uint8_t byte = choices_.u8();
    if (byte >= 160 && !rule.known.empty()) {
        return rule.known[static_cast<std::size_t>(choices_.number(2)) % rule.known.size()];
    }
    return rule.alternatives[byte % rule.alternatives.size()];
}

void SqlWriter::expand(std::size_t number) {
    const SqlGrammar::Rule& rule = grammar_.rule(number);
    const bool before = std::exchange(columns_, columns_ || rule.brings_columns);
    ++depth_;
    const SqlGrammar::Alternative* chosen = &choose(rule);
    if (chosen->columns && !columns_) chosen = &rule.alternatives[0];
    if (chosen->impure) pure_ = false;
    for (const SqlGrammar::Piece& piece : chosen->pieces) {
        if (piece.rule == SqlGrammar::k_no_rule) out_ += piece.text;
        else expand(piece.rule);
    }
    --depth_;
    columns_ = before;
}

}  // namespace northstar::hard
