#include "sql/type.hpp"

#include "sql/error.hpp"

#include <algorithm>
#include <iterator>

namespace northstar::inline v0::sql {

namespace type_file {

/// In the order of the OIDs. Numbers, categories and lengths are those of PostgreSQL 15's pg_type.
constexpr TypeInfo k_types[] = {
    {16, "bool", "boolean", Form::boolean, Category::boolean, true, 1, 1000, 0, 'b'},
    {17, "bytea", "bytea", Form::bytes, Category::user, false, -1, 1001, 0, 'b'},
    {18, "char", "\"char\"", Form::bytes, Category::internal, false, 1, 1002, 0, 'b'},
    {19, "name", "name", Form::bytes, Category::string, false, 64, 1003, 0, 'b'},
    {20, "int8", "bigint", Form::integer, Category::numeric, false, 8, 1016, 0, 'b'},
    {21, "int2", "smallint", Form::integer, Category::numeric, false, 2, 1005, 0, 'b'},
    {22, "int2vector", "int2vector", Form::array, Category::array, false, -1, 1006, 21, 'b'},
    {23, "int4", "integer", Form::integer, Category::numeric, false, 4, 1007, 0, 'b'},
    {24, "regproc", "regproc", Form::integer, Category::numeric, false, 4, 1008, 0, 'b'},
    {25, "text", "text", Form::bytes, Category::string, true, -1, 1009, 0, 'b'},
    {26, "oid", "oid", Form::integer, Category::numeric, true, 4, 1028, 0, 'b'},
    {27, "tid", "tid", Form::bytes, Category::user, false, 6, 1010, 0, 'b'},
    {28, "xid", "xid", Form::integer, Category::user, false, 4, 1011, 0, 'b'},
    {29, "cid", "cid", Form::integer, Category::user, false, 4, 1012, 0, 'b'},
    {30, "oidvector", "oidvector", Form::array, Category::array, false, -1, 1013, 26, 'b'},
    {114, "json", "json", Form::bytes, Category::user, false, -1, 199, 0, 'b'},
    {194, "pg_node_tree", "pg_node_tree", Form::bytes, Category::internal, false, -1, 0, 0, 'b'},
    {199, "_json", "json[]", Form::array, Category::array, false, -1, 0, 114, 'b'},
    {650, "cidr", "cidr", Form::bytes, Category::network, false, -1, 651, 0, 'b'},
    {651, "_cidr", "cidr[]", Form::array, Category::array, false, -1, 0, 650, 'b'},
    {700, "float4", "real", Form::real, Category::numeric, false, 4, 1021, 0, 'b'},
    {701, "float8", "double precision", Form::real, Category::numeric, true, 8, 1022, 0, 'b'},
    {705, "unknown", "unknown", Form::bytes, Category::unknown, false, -2, 0, 0, 'p'},
    {829, "macaddr", "macaddr", Form::bytes, Category::user, false, 6, 1040, 0, 'b'},
    {869, "inet", "inet", Form::bytes, Category::network, true, -1, 1041, 0, 'b'},
    {1000, "_bool", "boolean[]", Form::array, Category::array, false, -1, 0, 16, 'b'},
    {1001, "_bytea", "bytea[]", Form::array, Category::array, false, -1, 0, 17, 'b'},
    {1002, "_char", "\"char\"[]", Form::array, Category::array, false, -1, 0, 18, 'b'},
    {1003, "_name", "name[]", Form::array, Category::array, false, -1, 0, 19, 'b'},
    {1005, "_int2", "smallint[]", Form::array, Category::array, false, -1, 0, 21, 'b'},
    {1006, "_int2vector", "int2vector[]", Form::array, Category::array, false, -1, 0, 22, 'b'},
    {1007, "_int4", "integer[]", Form::array, Category::array, false, -1, 0, 23, 'b'},
    {1008, "_regproc", "regproc[]", Form::array, Category::array, false, -1, 0, 24, 'b'},
    {1009, "_text", "text[]", Form::array, Category::array, false, -1, 0, 25, 'b'},
    {1010, "_tid", "tid[]", Form::array, Category::array, false, -1, 0, 27, 'b'},
    {1011, "_xid", "xid[]", Form::array, Category::array, false, -1, 0, 28, 'b'},
    {1012, "_cid", "cid[]", Form::array, Category::array, false, -1, 0, 29, 'b'},
    {1013, "_oidvector", "oidvector[]", Form::array, Category::array, false, -1, 0, 30, 'b'},
    {1014, "_bpchar", "character[]", Form::array, Category::array, false, -1, 0, 1042, 'b'},
    {1015, "_varchar", "character varying[]", Form::array, Category::array, false, -1, 0, 1043, 'b'},
    {1016, "_int8", "bigint[]", Form::array, Category::array, false, -1, 0, 20, 'b'},
    {1021, "_float4", "real[]", Form::array, Category::array, false, -1, 0, 700, 'b'},
    {1022, "_float8", "double precision[]", Form::array, Category::array, false, -1, 0, 701, 'b'},
    {1028, "_oid", "oid[]", Form::array, Category::array, false, -1, 0, 26, 'b'},
    {1033, "aclitem", "aclitem", Form::bytes, Category::user, false, 12, 1034, 0, 'b'},
    {1034, "_aclitem", "aclitem[]", Form::array, Category::array, false, -1, 0, 1033, 'b'},
    {1040, "_macaddr", "macaddr[]", Form::array, Category::array, false, -1, 0, 829, 'b'},
    {1041, "_inet", "inet[]", Form::array, Category::array, false, -1, 0, 869, 'b'},
    {1042, "bpchar", "character", Form::bytes, Category::string, false, -1, 1014, 0, 'b'},
    {1043, "varchar", "character varying", Form::bytes, Category::string, false, -1, 1015, 0, 'b'},
    {1082, "date", "date", Form::integer, Category::date_time, false, 4, 1182, 0, 'b'},
    {1083, "time", "time without time zone", Form::integer, Category::date_time, false, 8, 1183, 0, 'b'},
    {1114, "timestamp", "timestamp without time zone", Form::integer, Category::date_time, false, 8, 1115, 0,
     'b'},
    {1115, "_timestamp", "timestamp without time zone[]", Form::array, Category::array, false, -1, 0, 1114,
     'b'},
    {1182, "_date", "date[]", Form::array, Category::array, false, -1, 0, 1082, 'b'},
    {1183, "_time", "time without time zone[]", Form::array, Category::array, false, -1, 0, 1083, 'b'},
    {1184, "timestamptz", "timestamp with time zone", Form::integer, Category::date_time, true, 8, 1185, 0,
     'b'},
    {1185, "_timestamptz", "timestamp with time zone[]", Form::array, Category::array, false, -1, 0, 1184,
     'b'},
    {1186, "interval", "interval", Form::interval, Category::timespan, true, 16, 1187, 0, 'b'},
    {1187, "_interval", "interval[]", Form::array, Category::array, false, -1, 0, 1186, 'b'},
    {1231, "_numeric", "numeric[]", Form::array, Category::array, false, -1, 0, 1700, 'b'},
    {1263, "_cstring", "cstring[]", Form::array, Category::array, false, -1, 0, 2275, 'b'},
    {1266, "timetz", "time with time zone", Form::timetz, Category::date_time, false, 12, 1270, 0, 'b'},
    {1270, "_timetz", "time with time zone[]", Form::array, Category::array, false, -1, 0, 1266, 'b'},
    {1560, "bit", "bit", Form::bytes, Category::bit_string, false, -1, 1561, 0, 'b'},
    {1561, "_bit", "bit[]", Form::array, Category::array, false, -1, 0, 1560, 'b'},
    {1562, "varbit", "bit varying", Form::bytes, Category::bit_string, true, -1, 1563, 0, 'b'},
    {1563, "_varbit", "bit varying[]", Form::array, Category::array, false, -1, 0, 1562, 'b'},
    {1700, "numeric", "numeric", Form::numeric, Category::numeric, false, -1, 1231, 0, 'b'},
    {271, "_xid8", "xid8[]", Form::array, Category::array, false, -1, 0, 5069, 'b'},
    {5069, "xid8", "xid8", Form::integer, Category::user, false, 8, 271, 0, 'b'},
    {2202, "regprocedure", "regprocedure", Form::integer, Category::numeric, false, 4, 2207, 0, 'b'},
    {2205, "regclass", "regclass", Form::integer, Category::numeric, false, 4, 2210, 0, 'b'},
    {2206, "regtype", "regtype", Form::integer, Category::numeric, false, 4, 2211, 0, 'b'},
    {2207, "_regprocedure", "regprocedure[]", Form::array, Category::array, false, -1, 0, 2202, 'b'},
    {2210, "_regclass", "regclass[]", Form::array, Category::array, false, -1, 0, 2205, 'b'},
    {2211, "_regtype", "regtype[]", Form::array, Category::array, false, -1, 0, 2206, 'b'},
    {2249, "record", "record", Form::record, Category::pseudo, false, -1, 2287, 0, 'p'},
    {2275, "cstring", "cstring", Form::bytes, Category::pseudo, false, -2, 1263, 0, 'p'},
    {2276, "any", "\"any\"", Form::nothing, Category::pseudo, false, 4, 0, 0, 'p'},
    {2277, "anyarray", "anyarray", Form::nothing, Category::pseudo, false, -1, 0, 0, 'p'},
    {2278, "void", "void", Form::nothing, Category::pseudo, false, 4, 0, 0, 'p'},
    {2279, "trigger", "trigger", Form::nothing, Category::pseudo, false, 4, 0, 0, 'p'},
    {2283, "anyelement", "anyelement", Form::nothing, Category::pseudo, false, 4, 0, 0, 'p'},
    {2287, "_record", "record[]", Form::array, Category::pseudo, false, -1, 0, 2249, 'p'},
    {2776, "anynonarray", "anynonarray", Form::nothing, Category::pseudo, false, 4, 0, 0, 'p'},
    {2950, "uuid", "uuid", Form::uuid, Category::user, false, 16, 2951, 0, 'b'},
    {2951, "_uuid", "uuid[]", Form::array, Category::array, false, -1, 0, 2950, 'b'},
    {3500, "anyenum", "anyenum", Form::nothing, Category::pseudo, false, 4, 0, 0, 'p'},
    {3802, "jsonb", "jsonb", Form::jsonb, Category::user, false, -1, 3807, 0, 'b'},
    {3807, "_jsonb", "jsonb[]", Form::array, Category::array, false, -1, 0, 3802, 'b'},
    {3831, "anyrange", "anyrange", Form::nothing, Category::pseudo, false, -1, 0, 0, 'p'},
    {3904, "int4range", "int4range", Form::range, Category::range, false, -1, 3905, 23, 'r'},
    {3905, "_int4range", "int4range[]", Form::array, Category::array, false, -1, 0, 3904, 'b'},
    {3906, "numrange", "numrange", Form::range, Category::range, false, -1, 3907, 1700, 'r'},
    {3907, "_numrange", "numrange[]", Form::array, Category::array, false, -1, 0, 3906, 'b'},
    {3908, "tsrange", "tsrange", Form::range, Category::range, false, -1, 3909, 1114, 'r'},
    {3909, "_tsrange", "tsrange[]", Form::array, Category::array, false, -1, 0, 3908, 'b'},
    {3910, "tstzrange", "tstzrange", Form::range, Category::range, false, -1, 3911, 1184, 'r'},
    {3911, "_tstzrange", "tstzrange[]", Form::array, Category::array, false, -1, 0, 3910, 'b'},
    {3912, "daterange", "daterange", Form::range, Category::range, false, -1, 3913, 1082, 'r'},
    {3913, "_daterange", "daterange[]", Form::array, Category::array, false, -1, 0, 3912, 'b'},
    {3926, "int8range", "int8range", Form::range, Category::range, false, -1, 3927, 20, 'r'},
    {3927, "_int8range", "int8range[]", Form::array, Category::array, false, -1, 0, 3926, 'b'},
    {4072, "jsonpath", "jsonpath", Form::bytes, Category::user, false, -1, 4073, 0, 'b'},
    {4073, "_jsonpath", "jsonpath[]", Form::array, Category::array, false, -1, 0, 4072, 'b'},
    {4089, "regnamespace", "regnamespace", Form::integer, Category::numeric, false, 4, 4090, 0, 'b'},
    {4090, "_regnamespace", "regnamespace[]", Form::array, Category::array, false, -1, 0, 4089, 'b'},
    {4096, "regrole", "regrole", Form::integer, Category::numeric, false, 4, 4097, 0, 'b'},
    {4097, "_regrole", "regrole[]", Form::array, Category::array, false, -1, 0, 4096, 'b'},
    {5077, "anycompatible", "anycompatible", Form::nothing, Category::pseudo, false, 4, 0, 0, 'p'},
    {5078, "anycompatiblearray", "anycompatiblearray", Form::nothing, Category::pseudo, false, -1, 0, 0, 'p'},
    {5079, "anycompatiblenonarray", "anycompatiblenonarray", Form::nothing, Category::pseudo, false, 4, 0, 0,
     'p'},
    {5080, "anycompatiblerange", "anycompatiblerange", Form::nothing, Category::pseudo, false, -1, 0, 0, 'p'},
};

constexpr std::size_t k_table_size = 5200;

/// OID to place in k_types plus one.
struct PlaceTable {
    std::uint8_t places[k_table_size] = {};
};
constexpr PlaceTable make_places() {
    PlaceTable table;
    for (std::size_t i = 0; i < std::size(k_types); ++i)
        table.places[k_types[i].oid] = static_cast<std::uint8_t>(i + 1);
    return table;
}
constexpr PlaceTable k_places = make_places();

struct Alias {
    std::string_view name;
    Oid oid;
};
/// Names that SQL has besides typname and what format_type shows.
constexpr Alias k_aliases[] = {
    {"int", type::int4},
    {"decimal", type::numeric},
    {"dec", type::numeric},
    {"float", type::float8},
    {"character", type::bpchar},
    {"char", type::bpchar},
    {"national character", type::bpchar},
    {"nchar", type::bpchar},
    {"bit varying", type::varbit},
    {"time with time zone", type::timetz},
    {"time", type::time},
    {"timestamp", type::timestamp},
};

bool takes_length(Oid oid) {
    return oid == type::varchar || oid == type::bpchar || oid == type::bit || oid == type::varbit;
}
bool takes_time_precision(Oid oid) {
    return oid == type::time || oid == type::timetz || oid == type::timestamp || oid == type::timestamptz;
}

std::string parenthesised(std::int64_t number) { return '(' + std::to_string(number) + ')'; }

std::string interval_fields(std::int32_t fields) {
    using namespace interval_field;
    struct Name {
        std::int32_t fields;
        const char* text;
    };
    static constexpr Name k_names[] = {
        {year, " year"},
        {month, " month"},
        {day, " day"},
        {hour, " hour"},
        {minute, " minute"},
        {second, " second"},
        {year | month, " year to month"},
        {day | hour, " day to hour"},
        {day | hour | minute, " day to minute"},
        {day | hour | minute | second, " day to second"},
        {hour | minute, " hour to minute"},
        {hour | minute | second, " hour to second"},
        {minute | second, " minute to second"},
    };
    for (const Name& name : k_names) {
        if (name.fields == fields) return name.text;
    }
    return {};
}

}  // namespace type_file

const TypeInfo* find_builtin_type(Oid oid) noexcept {
    using namespace type_file;
    if (oid >= k_table_size || k_places.places[oid] == 0) return nullptr;
    return &k_types[k_places.places[oid] - 1];
}

const TypeInfo* find_builtin_type(std::string_view name) noexcept {
    using namespace type_file;
    for (const Alias& alias : k_aliases) {
        if (alias.name == name) return find_builtin_type(alias.oid);
    }
    for (const TypeInfo& info : k_types) {
        if (name == info.name || name == info.sql_name) return &info;
    }
    return nullptr;
}

std::span<const TypeInfo> builtin_types() noexcept { return type_file::k_types; }

const TypeInfo& type_info(Oid oid, const TypeCatalog* catalog) {
    const TypeInfo* info = find_builtin_type(oid);
    if (info == nullptr && catalog != nullptr) info = catalog->find_type(oid);
    if (info == nullptr) {
        raise(sqlstate::undefined_object, "type with OID " + std::to_string(oid) + " does not exist");
    }
    return *info;
}

bool is_pseudo_polymorphic(Oid oid) noexcept {
    switch (oid) {
        case type::anyelement:
        case type::anyarray:
        case type::anynonarray:
        case type::anyenum:
        case type::anyrange:
        case type::anycompatible:
        case type::anycompatiblearray:
        case type::anycompatiblenonarray:
        case type::anycompatiblerange:
            return true;
        default:
            return false;
    }
}

bool is_array_type(const TypeInfo& info) noexcept { return info.form == Form::array; }

Form form_of(Oid oid, const TypeCatalog* catalog) { return type_info(oid, catalog).form; }

std::int32_t make_typmod(const TypeInfo& info, std::span<const std::int64_t> numbers) {
    using namespace type_file;
    const Oid oid = info.form == Form::array ? info.element : info.oid;
    const auto invalid = [](std::string message) {
        raise(sqlstate::invalid_parameter_value, std::move(message));
    };
    if (numbers.empty()) return k_no_typmod;
    if (oid == type::numeric) {
        if (numbers.size() > 2) invalid("invalid NUMERIC type modifier");
        const std::int64_t precision = numbers[0];
        const std::int64_t scale = numbers.size() > 1 ? numbers[1] : 0;
        if (precision < 1 || precision > k_max_numeric_precision) {
            invalid("NUMERIC precision " + std::to_string(precision) + " must be between 1 and 1000");
        }
        if (scale < -1000 || scale > 1000) {
            invalid("NUMERIC scale " + std::to_string(scale) + " must be between -1000 and 1000");
        }
        return numeric_typmod(static_cast<int>(precision), static_cast<int>(scale));
    }
    if (numbers.size() != 1) invalid("invalid type modifier");
    if (takes_length(oid)) {
        const char* name = oid == type::varchar  ? "varchar"
                           : oid == type::bpchar ? "char"
                           : oid == type::bit    ? "bit"
                                                 : "varbit";
        const std::int64_t limit = oid == type::bit || oid == type::varbit ? 83886080 : 10485760;
        if (numbers[0] < 1) invalid(std::string("length for type ") + name + " must be at least 1");
        if (numbers[0] > limit) {
            invalid(std::string("length for type ") + name + " cannot exceed " + std::to_string(limit));
        }
        const std::int32_t length = static_cast<std::int32_t>(numbers[0]);
        return oid == type::bit || oid == type::varbit ? length : length_typmod(length);
    }
    if (takes_time_precision(oid)) {
        if (numbers[0] < 0) {
            const char* zone = oid == type::timetz || oid == type::timestamptz ? " WITH TIME ZONE" : "";
            const char* name = oid == type::time || oid == type::timetz ? "TIME" : "TIMESTAMP";
            invalid(std::string(name) + parenthesised(numbers[0]) + zone + " precision must not be negative");
        }
        return static_cast<std::int32_t>(std::min<std::int64_t>(numbers[0], 6));
    }
    if (oid == type::interval) {
        if (numbers[0] < 0)
            invalid("INTERVAL" + parenthesised(numbers[0]) + " precision must not be negative");
        return interval_typmod(interval_field::all,
                               static_cast<std::int32_t>(std::min<std::int64_t>(numbers[0], 6)));
    }
    raise(sqlstate::syntax_error, std::string("type modifier is not allowed for type \"") + info.name + '"');
}

std::string format_type(Oid oid, std::int32_t typmod, const TypeCatalog* catalog) {
    using namespace type_file;
    if (oid == type::none) return "-";
    const TypeInfo* found = find_builtin_type(oid);
    if (found == nullptr && catalog != nullptr) found = catalog->find_type(oid);
    if (found == nullptr) return "???";
    const TypeInfo& info = *found;
    if (oid >= k_first_user_oid && catalog != nullptr) return catalog->object_name(type::regtype, oid);
    if (info.form == Form::array && info.element != 0)
        return format_type(info.element, typmod, catalog) + "[]";
    if (typmod < 0) return info.sql_name;
    if (oid == type::numeric && typmod >= 4) {
        return "numeric(" + std::to_string(numeric_precision(typmod)) + ',' +
               std::to_string(numeric_scale(typmod)) + ')';
    }
    if (oid == type::varchar || oid == type::bpchar) return info.sql_name + parenthesised(typmod - 4);
    if (oid == type::bit || oid == type::varbit) return info.sql_name + parenthesised(typmod);
    if (takes_time_precision(oid)) {
        const std::string name = info.sql_name;
        const std::size_t space = name.find(' ');
        return name.substr(0, space) + parenthesised(typmod) + name.substr(space);
    }
    if (oid == type::interval) {
        std::string name = "interval" + interval_fields(typmod >> 16 & 0x7fff);
        const std::int32_t precision = typmod & 0xffff;
        return precision == k_interval_full_precision ? name : name + parenthesised(precision);
    }
    return info.sql_name;
}

}  // namespace northstar::inline v0::sql
