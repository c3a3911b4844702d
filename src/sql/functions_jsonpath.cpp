// Functions and operators that evaluate SQL/JSON paths.

#include "sql/error.hpp"
#include "sql/jsonpath.hpp"
#include "sql/registry.hpp"

#include <memory>

namespace northstar::inline v0::sql {

namespace jsonpath_functions_file {

/// A path and the text it was read from.
struct Parsed {
    std::string text;
    JsonPath path;
};

/// The arguments: document, path and, of functions, variables and whether to be silent.
class Arguments {
public:
    Arguments(Call& call, const Value* a, std::size_t count, bool zones)
        : parsed_(parse(call, a[1].bytes())), question_{parsed_->path, JsonView(a[0].bytes()), {}, true, zones} {
        if (count == 2) return;  // an operator
        question_.variables = JsonView(a[2].bytes());
        question_.silent = a[3].boolean();
        if (question_.variables.kind() != JsonKind::object) {
            raise(sqlstate::invalid_parameter_value, "\"vars\" argument is not an object",
                  "Jsonpath parameters should be encoded as key-value pairs of \"vars\" object.");
        }
    }
    const PathQuestion& question() const { return question_; }

private:
    std::shared_ptr<const Parsed> parse(Call& call, std::string_view text) {
        // The cache of this call expression holds nothing but what this file put there.
        auto* entry = call.cache == nullptr ? nullptr : static_cast<Kept*>(call.cache->entry.get());
        if (entry != nullptr && entry->parsed->text == text) return entry->parsed;
        auto fresh = std::make_shared<Parsed>();
        fresh->text = text;
        fresh->path = jsonpath_from_text(text);
        if (call.cache != nullptr) {
            auto kept = std::make_unique<Kept>();
            kept->parsed = fresh;
            call.cache->entry = std::move(kept);
        }
        return fresh;
    }
    struct Kept : CallCache::Entry {
        std::shared_ptr<const Parsed> parsed;
    };
    std::shared_ptr<const Parsed> parsed_;
    PathQuestion question_;
};

template <bool Zones>
Value exists(Call& call, const Value* a, std::size_t count) {
    const Arguments arguments(call, a, count, Zones);
    const PathTruth truth = jsonpath_exists(arguments.question(), call.session);
    return truth == PathTruth::unknown ? Value::null(type::boolean) : Value::boolean(truth == PathTruth::yes);
}

template <bool Zones>
Value match(Call& call, const Value* a, std::size_t count) {
    const Arguments arguments(call, a, count, Zones);
    const PathAnswer answer = jsonpath_query(arguments.question(), call.session);
    if (answer.items.size() == 1) {
        const JsonView item(answer.items[0]);
        if (item.is_boolean()) return Value::boolean(item.kind() == JsonKind::yes);
        if (item.kind() == JsonKind::null) return Value::null(type::boolean);
    }
    if (!arguments.question().silent)
        raise(sqlstate::singleton_sql_json_item_required, "single boolean result is expected");
    return Value::null(type::boolean);
}

template <bool Zones>
void query(Call& call, const Value* a, std::size_t count, RowSink& rows) {
    const Arguments arguments(call, a, count, Zones);
    const PathAnswer answer = jsonpath_query(arguments.question(), call.session);
    for (const std::string& item : answer.items) {
        const Value row = Value::jsonb(call.arena.copy(item));
        if (!rows.row({&row, 1})) return;
    }
}

template <bool Zones>
Value query_array(Call& call, const Value* a, std::size_t count) {
    const Arguments arguments(call, a, count, Zones);
    const PathAnswer answer = jsonpath_query(arguments.question(), call.session);
    const std::vector<std::string_view> elements(answer.items.begin(), answer.items.end());
    for (const std::string_view element : elements) check_json_depth(JsonView(element), 1);
    std::string array;
    json_append_array(elements, array);
    return Value::jsonb(call.arena.copy(array));
}

template <bool Zones>
Value query_first(Call& call, const Value* a, std::size_t count) {
    const Arguments arguments(call, a, count, Zones);
    const PathAnswer answer = jsonpath_query(arguments.question(), call.session);
    if (answer.items.empty()) return Value::null(type::jsonb);
    return Value::jsonb(call.arena.copy(answer.items[0]));
}

constexpr FunctionSource k_functions[] = {
    {"jsonb_path_exists(jsonb,jsonpath,jsonb,bool) bool"
     " names=target,path,vars,silent defaults={}|false",
     &exists<false>},
    {"jsonb_path_exists_tz(jsonb,jsonpath,jsonb,bool) bool stable"
     " names=target,path,vars,silent defaults={}|false",
     &exists<true>},
    {"jsonb_path_match(jsonb,jsonpath,jsonb,bool) bool"
     " names=target,path,vars,silent defaults={}|false",
     &match<false>},
    {"jsonb_path_match_tz(jsonb,jsonpath,jsonb,bool) bool stable"
     " names=target,path,vars,silent defaults={}|false",
     &match<true>},
    {"jsonb_path_query(jsonb,jsonpath,jsonb,bool) jsonb"
     " names=target,path,vars,silent defaults={}|false",
     &query<false>},
    {"jsonb_path_query_tz(jsonb,jsonpath,jsonb,bool) jsonb stable"
     " names=target,path,vars,silent defaults={}|false",
     &query<true>},
    {"jsonb_path_query_array(jsonb,jsonpath,jsonb,bool) jsonb"
     " names=target,path,vars,silent defaults={}|false",
     &query_array<false>},
    {"jsonb_path_query_array_tz(jsonb,jsonpath,jsonb,bool) jsonb stable"
     " names=target,path,vars,silent defaults={}|false",
     &query_array<true>},
    {"jsonb_path_query_first(jsonb,jsonpath,jsonb,bool) jsonb"
     " names=target,path,vars,silent defaults={}|false",
     &query_first<false>},
    {"jsonb_path_query_first_tz(jsonb,jsonpath,jsonb,bool) jsonb stable"
     " names=target,path,vars,silent defaults={}|false",
     &query_first<true>},
};

constexpr OperatorSource k_operators[] = {
    {"jsonb @? jsonpath bool", &exists<false>, "jsonb_path_exists_opr"},
    {"jsonb @@ jsonpath bool", &match<false>, "jsonb_path_match_opr"},
};

}  // namespace jsonpath_functions_file

std::span<const FunctionSource> jsonpath_functions() { return jsonpath_functions_file::k_functions; }
std::span<const OperatorSource> jsonpath_operators() { return jsonpath_functions_file::k_operators; }

}  // namespace northstar::inline v0::sql
