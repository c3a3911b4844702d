#include "sql/registry.hpp"

#include "base/check.hpp"
#include "sql/compare.hpp"

#include <algorithm>
#include <deque>
#include <string>
#include <unordered_map>

namespace northstar::inline v0::sql {

namespace registry_file {

/// The words of a line, one after the other.
class Words {
public:
    explicit Words(std::string_view text) : rest_(text) {}
    bool next(std::string_view& word) {
        while (!rest_.empty() && rest_.front() == ' ') rest_.remove_prefix(1);
        if (rest_.empty()) return false;
        const std::size_t end = std::min(rest_.find(' '), rest_.size());
        word = rest_.substr(0, end);
        rest_.remove_prefix(end);
        return true;
    }
    std::string_view word() {
        std::string_view found;
        NORTHSTAR_ASSERT(next(found));
        return found;
    }

private:
    std::string_view rest_;
};

/// By typname alone: in the tables "char" is PostgreSQL's one-byte type.
Oid type_named(std::string_view name) {
    if (name == "-") return type::none;
    if (name == "char") return type::char_internal;
    const TypeInfo* info = find_builtin_type(name);
    NORTHSTAR_ASSERT(info != nullptr);
    return info->oid;
}

WindowFunction window_named(std::string_view name) {
    struct Name {
        std::string_view text;
        WindowFunction function;
    };
    static constexpr Name k_names[] = {
        {"row_number", WindowFunction::row_number},
        {"rank", WindowFunction::rank},
        {"dense_rank", WindowFunction::dense_rank},
        {"percent_rank", WindowFunction::percent_rank},
        {"cume_dist", WindowFunction::cume_dist},
        {"ntile", WindowFunction::ntile},
        {"lag", WindowFunction::lag},
        {"lead", WindowFunction::lead},
        {"first_value", WindowFunction::first_value},
        {"last_value", WindowFunction::last_value},
        {"nth_value", WindowFunction::nth_value},
    };
    for (const Name& candidate : k_names) {
        if (candidate.text == name) return candidate.function;
    }
    return WindowFunction::none;
}

/// The operators that compare, by name.
struct ComparisonName {
    const char* name;
    Comparison comparison;
    ScalarBody body;
    const char* function;
};
constexpr ComparisonName k_comparisons[] = {
    {"=", Comparison::equal, &compare_equal, "eq"},
    {"<>", Comparison::not_equal, &compare_not_equal, "ne"},
    {"<", Comparison::less, &compare_less, "lt"},
    {"<=", Comparison::less_equal, &compare_less_equal, "le"},
    {">", Comparison::greater, &compare_greater, "gt"},
    {">=", Comparison::greater_equal, &compare_greater_equal, "ge"},
};

/// Pairs of types that compare as they are.
struct ComparablePair {
    Oid left;
    Oid right;
    const char* functions;  ///< names of the functions behind the operators; *: eq, ne, lt, le, gt, ge
};
constexpr ComparablePair k_comparable[] = {
    {type::boolean, type::boolean, "bool*"},
    {type::bytea, type::bytea, "bytea*"},
    {type::char_internal, type::char_internal, "char*"},
    {type::name, type::name, "name*"},
    {type::name, type::text, "name*text"},
    {type::text, type::name, "text*name"},
    {type::int8, type::int8, "int8*"},
    {type::int8, type::int2, "int82*"},
    {type::int8, type::int4, "int84*"},
    {type::int2, type::int8, "int28*"},
    {type::int2, type::int2, "int2*"},
    {type::int2, type::int4, "int24*"},
    {type::int4, type::int8, "int48*"},
    {type::int4, type::int2, "int42*"},
    {type::int4, type::int4, "int4*"},
    {type::text, type::text, "text*"},
    {type::oid, type::oid, "oid*"},
    {type::float4, type::float4, "float4*"},
    {type::float4, type::float8, "float48*"},
    {type::float8, type::float4, "float84*"},
    {type::float8, type::float8, "float8*"},
    {type::bpchar, type::bpchar, "bpchar*"},
    {type::date, type::date, "date_*"},
    {type::time, type::time, "time_*"},
    {type::timestamp, type::timestamp, "timestamp_*"},
    {type::timestamptz, type::timestamptz, "timestamptz_*"},
    {type::interval, type::interval, "interval_*"},
    {type::timetz, type::timetz, "timetz_*"},
    {type::bit, type::bit, "bit*"},
    {type::varbit, type::varbit, "varbit*"},
    {type::numeric, type::numeric, "numeric_*"},
    {type::anyarray, type::anyarray, "array_*"},
    {type::uuid, type::uuid, "uuid_*"},
    {type::inet, type::inet, "network_*"},
    {type::macaddr, type::macaddr, "macaddr_*"},
    {type::xid8, type::xid8, "xid8*"},
    {type::anyenum, type::anyenum, "enum_*"},
    {type::jsonb, type::jsonb, "jsonb_*"},
    {type::anyrange, type::anyrange, "range_*"},
    {type::record, type::record, "record_*"},
};

class Registry {
public:
    Registry() {
        for (const std::span<const FunctionSource> table :
             {number_functions(), text_functions(), quote_functions(), aggregate_functions(), statistics_aggregates(),
              datetime_functions(), json_functions(), json_record_functions(), jsonpath_functions(), json_aggregates(),
              array_functions(), range_functions(), regex_functions(), system_functions(), window_functions(),
              bit_functions(), network_functions(), digest_functions(), hash_functions(), compare_functions(),
              zone_functions(),
              unicode_functions(),
              formatting_functions(), send_functions(), catalog_functions(),
              size_functions(), privilege_functions(), advisory_functions(), notify_functions()}) {
            for (const FunctionSource& source : table) add(source);
        }
        for (const ComparablePair& pair : k_comparable) {
            for (const ComparisonName& name : k_comparisons) {
                OperatorEntry entry;
                entry.name = name.name;
                entry.left = pair.left;
                entry.right = pair.right;
                entry.result = type::boolean;
                entry.body = name.body;
                entry.comparison = name.comparison;
                entry.common = pair.left;
                // texteq, but text_lt.
                const bool parted = pair.left == type::text && pair.right == type::text &&
                                    name.comparison != Comparison::equal && name.comparison != Comparison::not_equal;
                std::string function = pair.functions;
                function.replace(function.find('*'), 1, (parted ? "_" : "") + std::string(name.function));
                entry.function = keep(function);
                add(entry);
            }
        }
        for (const std::span<const OperatorSource> table :
             {number_operators(), text_operators(), datetime_operators(), json_operators(),
              jsonpath_operators(), array_operators(), range_operators(), regex_operators(), bit_operators(),
              network_operators(),
              record_operators()}) {
            for (const OperatorSource& source : table) add(source);
        }
        for (const OperatorEntry* entry : operators_)
            if (*entry->function != '\0' && entry->body != nullptr) add_function_of(*entry);
        for (const std::span<const CastSource> table :
             {number_casts(), text_casts(), datetime_casts(), json_casts(), bit_casts(), network_casts(),
              catalog_casts()}) {
            for (const CastSource& source : table) add(source);
        }
        for (std::size_t i = 0; i < casts_.size(); ++i)
            casts_by_types_[key_of(casts_[i].source, casts_[i].target)] = i;
    }

    template <class Entry>
    using Index = std::unordered_map<std::string_view, std::vector<const Entry*>>;

    Index<FunctionEntry> functions_by_name_;
    Index<OperatorEntry> operators_by_name_;
    std::vector<const FunctionEntry*> functions_;
    std::vector<const OperatorEntry*> operators_;
    std::vector<CastEntry> casts_;
    std::unordered_map<std::uint64_t, std::size_t> casts_by_types_;

    static std::uint64_t key_of(Oid source, Oid target) { return std::uint64_t{source} << 32 | target; }

private:
    const char* keep(std::string_view text) { return strings_.emplace_back(text).c_str(); }

    void add(const FunctionSource& source) {
        const std::string_view line = source.signature;
        const std::size_t open = line.find('(');
        const std::size_t close = line.find(')');
        NORTHSTAR_ASSERT(open != std::string_view::npos && close != std::string_view::npos);
        FunctionEntry& entry = function_storage_.emplace_back();
        entry.name = keep(line.substr(0, open));
        std::string_view types = line.substr(open + 1, close - open - 1);
        while (!types.empty()) {
            const std::size_t comma = std::min(types.find(','), types.size());
            NORTHSTAR_ASSERT(entry.argument_count < k_max_declared_arguments);
            entry.arguments[entry.argument_count++] = type_named(types.substr(0, comma));
            types.remove_prefix(std::min(comma + 1, types.size()));
        }
        Words words(line.substr(close + 1));
        entry.result = type_named(words.word());
        entry.scalar = source.scalar;
        entry.set = source.set;
        entry.aggregate = source.aggregate;
        entry.kind = source.aggregate != nullptr ? FunctionKind::aggregate
                     : source.set != nullptr     ? FunctionKind::set
                                                 : FunctionKind::scalar;
        for (std::string_view word; words.next(word);) option(entry, word);
        functions_.push_back(&entry);
        functions_by_name_[entry.name].push_back(&entry);
    }
    void option(FunctionEntry& entry, std::string_view word) {
        const std::size_t equals = std::min(word.find('='), word.size());
        const std::string_view name = word.substr(0, equals);
        const std::string_view value = word.substr(std::min(equals + 1, word.size()));
        if (name == "nonstrict") {
            entry.strict = false;
        } else if (name == "stable") {
            entry.volatility = Volatility::stable;
        } else if (name == "volatile") {
            entry.volatility = Volatility::changing;
        } else if (name == "variadic") {
            const Oid last = entry.arguments[entry.argument_count - 1];
            const TypeInfo* info = find_builtin_type(last);
            entry.variadic = last == type::any                  ? type::any
                             : last == type::anyarray           ? type::anyelement
                             : last == type::anycompatiblearray ? type::anycompatible
                                                                : info->element;
        } else if (name == "window") {
            entry.kind = FunctionKind::window;
            entry.window = window_named(value);
            NORTHSTAR_ASSERT(entry.window != WindowFunction::none);
        } else if (name == "ordered") {
            entry.aggregate_kind = AggregateKind::ordered_set;
            entry.direct_count = static_cast<std::uint8_t>(value[0] - '0');
        } else if (name == "hypothetical") {
            entry.aggregate_kind = AggregateKind::hypothetical;
        } else if (name == "names") {
            entry.argument_names = keep(value);
        } else if (name == "defaults") {
            entry.defaults = keep(value);
            entry.default_count = static_cast<std::uint8_t>(std::count(value.begin(), value.end(), '|') + 1);
        } else {
            NORTHSTAR_ASSERT(name == "columns");
            std::string columns;
            for (std::string_view rest = value; !rest.empty();) {
                const std::size_t comma = std::min(rest.find(','), rest.size());
                const std::string_view column = rest.substr(0, comma);
                const std::size_t colon = column.find(':');
                if (!columns.empty()) columns += ',';
                columns += column.substr(0, colon + 1);
                columns += std::to_string(type_named(column.substr(colon + 1)));
                rest.remove_prefix(std::min(comma + 1, rest.size()));
            }
            entry.columns = keep(columns);
        }
    }
    /// The function behind an operator, where no table has it.
    void add_function_of(const OperatorEntry& source) {
        FunctionEntry entry;
        entry.name = source.function;
        if (source.left != type::none) entry.arguments[entry.argument_count++] = source.left;
        entry.arguments[entry.argument_count++] = source.right;
        std::vector<const FunctionEntry*>& named = functions_by_name_[entry.name];
        for (const FunctionEntry* known : named)
            if (std::equal(known->arguments, known->arguments + known->argument_count, entry.arguments,
                           entry.arguments + entry.argument_count))
                return;
        entry.result = source.result;
        entry.scalar = source.body;
        entry.strict = source.strict;
        entry.volatility = source.volatility;
        const FunctionEntry& kept = function_storage_.emplace_back(entry);
        functions_.push_back(&kept);
        named.push_back(&kept);
    }
    void add(const OperatorEntry& entry) {
        const OperatorEntry& kept = operator_storage_.emplace_back(entry);
        operators_.push_back(&kept);
        operators_by_name_[kept.name].push_back(&kept);
    }
    void add(const OperatorSource& source) {
        Words words(source.signature);
        OperatorEntry entry;
        entry.left = type_named(words.word());
        entry.name = keep(words.word());
        entry.right = type_named(words.word());
        entry.result = type_named(words.word());
        entry.body = source.body;
        entry.function = source.function;
        for (std::string_view word; words.next(word);) {
            if (word == "nonstrict") entry.strict = false;
            if (word == "stable") entry.volatility = Volatility::stable;
        }
        for (const ComparisonName& name : k_comparisons) {
            if (std::string_view(entry.name) == name.name) entry.comparison = name.comparison;
        }
        add(entry);
    }
    void add(const CastSource& source) {
        Words words(source.signature);
        CastEntry entry;
        entry.source = type_named(words.word());
        entry.target = type_named(words.word());
        const std::string_view context = words.word();
        entry.context = context == "i"   ? CastContext::implicit
                        : context == "a" ? CastContext::assignment
                                         : CastContext::explicit_;
        entry.body = source.body;
        casts_.push_back(entry);
    }

    std::deque<std::string> strings_;
    std::deque<FunctionEntry> function_storage_;
    std::deque<OperatorEntry> operator_storage_;
};

const Registry& registry() {
    static const Registry instance;
    return instance;
}

}  // namespace registry_file

std::span<const FunctionEntry* const> find_functions(std::string_view name) {
    const auto& index = registry_file::registry().functions_by_name_;
    const auto found = index.find(name);
    return found == index.end() ? std::span<const FunctionEntry* const>() : found->second;
}

std::span<const OperatorEntry* const> find_operators(std::string_view name) {
    const auto& index = registry_file::registry().operators_by_name_;
    const auto found = index.find(name == "!=" ? std::string_view("<>") : name);
    return found == index.end() ? std::span<const OperatorEntry* const>() : found->second;
}

const CastEntry* find_builtin_cast(Oid source, Oid target) {
    const registry_file::Registry& registry = registry_file::registry();
    const auto found = registry.casts_by_types_.find(registry_file::Registry::key_of(source, target));
    return found == registry.casts_by_types_.end() ? nullptr : &registry.casts_[found->second];
}

std::span<const FunctionEntry* const> all_functions() { return registry_file::registry().functions_; }
std::span<const OperatorEntry* const> all_operators() { return registry_file::registry().operators_; }
std::span<const CastEntry> all_casts() { return registry_file::registry().casts_; }

Value compare_equal(Call&, const Value* arguments, std::size_t) {
    return Value::boolean(equal_values(arguments[0], arguments[1]));
}
Value compare_not_equal(Call&, const Value* arguments, std::size_t) {
    return Value::boolean(!equal_values(arguments[0], arguments[1]));
}
Value compare_less(Call&, const Value* arguments, std::size_t) {
    return Value::boolean(compare_values(arguments[0], arguments[1]) < 0);
}
Value compare_less_equal(Call&, const Value* arguments, std::size_t) {
    return Value::boolean(compare_values(arguments[0], arguments[1]) <= 0);
}
Value compare_greater(Call&, const Value* arguments, std::size_t) {
    return Value::boolean(compare_values(arguments[0], arguments[1]) > 0);
}
Value compare_greater_equal(Call&, const Value* arguments, std::size_t) {
    return Value::boolean(compare_values(arguments[0], arguments[1]) >= 0);
}

}  // namespace northstar::inline v0::sql
