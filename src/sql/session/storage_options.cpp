#include "sql/session/storage_options.hpp"

#include "sql/bind/binder.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <string>

namespace northstar::inline v0::sql {

namespace storage_options_impl {

enum class Domain : std::uint8_t { flag, integer, real, word };

struct Parameter {
    StorageOf of;
    std::string_view name;
    Domain domain;
    double least = 0, most = 0;
    std::string_view words = {};    ///< of a word: between bars
    std::string_view methods = {};  ///< of an index: between bars
};

constexpr double k_int = 2147483647;
constexpr double k_largest = std::numeric_limits<double>::max();

constexpr Parameter k_parameters[] = {
    {StorageOf::table, "fillfactor", Domain::integer, 10, 100},
    {StorageOf::table, "toast_tuple_target", Domain::integer, 128, 8160},
    {StorageOf::table, "parallel_workers", Domain::integer, 0, 1024},
    {StorageOf::table, "user_catalog_table", Domain::flag},
    {StorageOf::table, "autovacuum_enabled", Domain::flag},
    {StorageOf::table, "vacuum_truncate", Domain::flag},
    {StorageOf::table, "vacuum_index_cleanup", Domain::word, 0, 0, "|auto|on|off|true|false|yes|no|1|0|"},
    {StorageOf::table, "autovacuum_vacuum_threshold", Domain::integer, 0, k_int},
    {StorageOf::table, "autovacuum_vacuum_insert_threshold", Domain::integer, -1, k_int},
    {StorageOf::table, "autovacuum_analyze_threshold", Domain::integer, 0, k_int},
    {StorageOf::table, "autovacuum_vacuum_scale_factor", Domain::real, 0, 100},
    {StorageOf::table, "autovacuum_vacuum_insert_scale_factor", Domain::real, 0, 100},
    {StorageOf::table, "autovacuum_analyze_scale_factor", Domain::real, 0, 100},
    {StorageOf::table, "autovacuum_vacuum_cost_delay", Domain::real, -1, 100},
    {StorageOf::table, "autovacuum_vacuum_cost_limit", Domain::integer, 1, 10000},
    {StorageOf::table, "autovacuum_freeze_min_age", Domain::integer, 0, 1000000000},
    {StorageOf::table, "autovacuum_freeze_max_age", Domain::integer, 100000, 2000000000},
    {StorageOf::table, "autovacuum_freeze_table_age", Domain::integer, 0, 2000000000},
    {StorageOf::table, "autovacuum_multixact_freeze_min_age", Domain::integer, 0, 1000000000},
    {StorageOf::table, "autovacuum_multixact_freeze_max_age", Domain::integer, 10000, 2000000000},
    {StorageOf::table, "autovacuum_multixact_freeze_table_age", Domain::integer, 0, 2000000000},
    {StorageOf::table, "log_autovacuum_min_duration", Domain::integer, -1, k_int},
    {StorageOf::index, "fillfactor", Domain::integer, 10, 100, {}, "|btree|hash|gist|spgist|"},
    {StorageOf::index, "deduplicate_items", Domain::flag, 0, 0, {}, "|btree|"},
    {StorageOf::index, "buffering", Domain::word, 0, 0, "|on|off|auto|", "|gist|"},
    {StorageOf::index, "fastupdate", Domain::flag, 0, 0, {}, "|gin|"},
    {StorageOf::index, "gin_pending_list_limit", Domain::integer, 64, k_int, {}, "|gin|"},
    {StorageOf::index, "pages_per_range", Domain::integer, 1, 131072, {}, "|brin|"},
    {StorageOf::index, "autosummarize", Domain::flag, 0, 0, {}, "|brin|"},
    {StorageOf::column, "n_distinct", Domain::real, -1, k_largest},
    {StorageOf::column, "n_distinct_inherited", Domain::real, -1, k_largest},
    {StorageOf::view, "security_barrier", Domain::flag},
    {StorageOf::view, "security_invoker", Domain::flag},
    {StorageOf::view, "check_option", Domain::word, 0, 0, "|local|cascaded|"},
};

/// Parameters of this engine, which are read where they are used.
constexpr std::string_view k_own[] = {"history_retention", "valid_time"};

bool one_of(std::string_view words, std::string_view word) {
    return words.find("|" + std::string(word) + "|") != std::string_view::npos;
}

/// What is written behind the sign; a parameter without a value is true.
std::string value_text(const syntax::Option& option) {
    using Kind = syntax::ExprKind;
    const syntax::Expr* value = option.value;
    if (value == nullptr) return "true";
    std::string sign;
    if (value->kind == Kind::operation && value->args.size() == 1 && value->text == "-") {
        sign = "-";
        value = value->args[0];
    }
    if (value->kind == Kind::boolean) return value->flag ? "true" : "false";
    return sign + std::string(value->text);
}

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c); });
    return text;
}

void check_value(const Parameter& parameter, const syntax::Option& option) {
    const std::string text = value_text(option);
    const auto refuse = [&](const std::string& what, std::string detail = {}) {
        raise_at(sqlstate::invalid_parameter_value, what, option.position, std::move(detail));
    };
    const std::string name = "\"" + std::string(option.name) + "\"";
    if (parameter.domain == Domain::flag) {
        if (!one_of("|true|tru|tr|t|false|fals|fal|fa|f|yes|ye|y|no|n|on|off|of|1|0|", lower(text)))
            refuse("invalid value for boolean option " + name + ": " + text);
        return;
    }
    if (parameter.domain == Domain::word) {
        if (!one_of(parameter.words, lower(text)))
            refuse("invalid value for enum option " + name + ": " + text);
        return;
    }
    const bool whole = parameter.domain == Domain::integer;
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size())
        refuse(std::string("invalid value for ") + (whole ? "integer" : "floating point") + " option " + name + ": " +
               text);
    if (value < parameter.least || value > parameter.most)
        refuse("value " + text + " out of bounds for option " + name);
}

}  // namespace storage_options_impl

void check_storage_options(const syntax::List<syntax::Option>& options, StorageOf what, std::string_view method) {
    using namespace storage_options_impl;
    if (method.empty()) method = "btree";
    for (const syntax::Option& option : options) {
        std::string_view name = option.name;
        for (const syntax::Option& other : options)
            if (&other < &option && other.name == name)
                raise_at(sqlstate::invalid_parameter_value,
                         "parameter \"" + std::string(name) + "\" specified more than once", option.position);
        const bool table = what == StorageOf::table || what == StorageOf::partitioned_table;
        if (table && std::find(std::begin(k_own), std::end(k_own), name) != std::end(k_own)) continue;
        if (table && name == "oids") {
            if (const std::string value = lower(value_text(option)); value != "false" && value != "off" && value != "0")
                raise_at(sqlstate::feature_not_supported, "tables declared WITH OIDS are not supported",
                         option.position);
            continue;
        }
        if (const std::size_t dot = name.find('.'); dot != std::string_view::npos) {
            if (!table || name.substr(0, dot) != "toast")
                raise_at(sqlstate::invalid_parameter_value,
                         "unrecognized parameter namespace \"" + std::string(name.substr(0, dot)) + "\"",
                         option.position);
            name.remove_prefix(dot + 1);
        }
        const auto found =
            std::find_if(std::begin(k_parameters), std::end(k_parameters), [&](const Parameter& parameter) {
                return parameter.of == what && parameter.name == name &&
                       (parameter.methods.empty() || one_of(parameter.methods, method));
            });
        if (found == std::end(k_parameters))
            raise_at(sqlstate::invalid_parameter_value, "unrecognized parameter \"" + std::string(name) + "\"",
                     option.position);
        check_value(*found, option);
    }
}

}  // namespace northstar::inline v0::sql
