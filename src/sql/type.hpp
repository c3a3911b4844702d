// type.hpp -- the types of SQL: PostgreSQL's numbers, names, categories and modifiers.  Layer: sql.  Threads: any.
//
// [TYPE-1] A built-in type has PostgreSQL's OID; types that users make are numbered from k_first_user_oid on by the
//          catalog, which answers for them through TypeCatalog.
// [TYPE-2] A type modifier is PostgreSQL's number: -1 without one; n + 4 for varchar(n) and char(n);
//          ((precision << 16) | (scale & 0x7ff)) + 4 for numeric; the precision of seconds for times; range of fields
//          and precision for interval (interval_typmod).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace northstar::inline v0::sql {

using Oid = std::uint32_t;

namespace type {
inline constexpr Oid none = 0;  ///< no type: the missing operand of a prefix operator
inline constexpr Oid boolean = 16, bytea = 17, char_internal = 18, name = 19, int8 = 20, int2 = 21, int4 = 23,
                     regproc = 24, text = 25, oid = 26, tid = 27, xid = 28, cid = 29, json = 114,
                     float4 = 700, float8 = 701, unknown = 705, bpchar = 1042, varchar = 1043, date = 1082,
                     time = 1083, timestamp = 1114, timestamptz = 1184, interval = 1186, timetz = 1266,
                     bit = 1560, varbit = 1562, numeric = 1700, regclass = 2205, regprocedure = 2202,
                     regtype = 2206, regnamespace = 4089, regrole = 4096, int2vector = 22, oidvector = 30,
                     pg_node_tree = 194, aclitem = 1033, cidr = 650, macaddr = 829, inet = 869,
                     record = 2249, cstring = 2275, any = 2276, anyarray = 2277, void_ = 2278,
                     anyelement = 2283, anynonarray = 2776, uuid = 2950, anyenum = 3500, jsonb = 3802,
                     anyrange = 3831, int4range = 3904, numrange = 3906, tsrange = 3908, tstzrange = 3910,
                     daterange = 3912, int8range = 3926, jsonpath = 4072, anycompatible = 5077,
                     xid8 = 5069,
                     anycompatiblearray = 5078, anycompatiblenonarray = 5079, anycompatiblerange = 5080;
inline constexpr Oid bool_array = 1000, bytea_array = 1001, char_internal_array = 1002, name_array = 1003,
                     int2_array = 1005, int4_array = 1007, text_array = 1009, bpchar_array = 1014,
                     varchar_array = 1015, int8_array = 1016, float4_array = 1021, float8_array = 1022,
                     oid_array = 1028, timestamp_array = 1115, date_array = 1182, time_array = 1183,
                     timestamptz_array = 1185, interval_array = 1187, numeric_array = 1231,
                     timetz_array = 1270, bit_array = 1561, varbit_array = 1563, json_array = 199,
                     regproc_array = 1008, regclass_array = 2210, regtype_array = 2211, record_array = 2287,
                     uuid_array = 2951, jsonb_array = 3807, int4range_array = 3905, numrange_array = 3907,
                     tsrange_array = 3909, tstzrange_array = 3911, daterange_array = 3913,
                     int8range_array = 3927, jsonpath_array = 4073;
}  // namespace type

/// First OID of objects that users make, as in PostgreSQL.
inline constexpr Oid k_first_user_oid = 16384;

/// pg_type.typcategory. Implicit casts and the choice among overloaded functions go by it.
enum class Category : char {
    none = 0,
    array = 'A',
    boolean = 'B',
    composite = 'C',
    date_time = 'D',
    enumeration = 'E',
    geometric = 'G',
    network = 'I',
    numeric = 'N',
    pseudo = 'P',
    range = 'R',
    string = 'S',
    timespan = 'T',
    user = 'U',
    bit_string = 'V',
    unknown = 'X',
    internal = 'Z',
};

/// How a value of the type lies in a Value (value.hpp); one type has one form.
enum class Form : std::uint8_t {
    nothing,   ///< pseudo-types
    boolean,   ///< Value::boolean()
    integer,   ///< Value::integer(): int2, int4, int8, oid and its aliases, date, time, timestamp,
               ///< timestamptz, enum
    real,      ///< Value::real(): float8, and float4 as a double that is exactly a float
    numeric,   ///< Value::numeric() (numeric.hpp)
    interval,  ///< Value::interval()
    timetz,    ///< Value::timetz()
    uuid,      ///< Value::uuid()
    bytes,     ///< Value::bytes(): text and kin, bytea, json as its text, bit strings
    jsonb,     ///< Value::bytes(): layout of jsonb.hpp
    array,     ///< Value::bytes(): layout of array.hpp
    range,     ///< Value::bytes(): layout of range.hpp
    record,    ///< Value::bytes(): layout of record.hpp
};

struct TypeInfo {
    Oid oid = 0;
    const char* name = "";  ///< pg_type.typname, e.g. "int4"
    const char* sql_name =
        "";  ///< what format_type shows, e.g. "integer"; equal to name where SQL has no other
    Form form = Form::nothing;
    Category category = Category::none;
    bool preferred = false;
    std::int16_t length = -1;  ///< pg_type.typlen: bytes, -1 variable, -2 a C string
    Oid array = 0;             ///< the type of its arrays
    Oid element = 0;           ///< of an array: what it holds; of a range: its bound type
    char type_kind = 'b';      ///< pg_type.typtype: b base, c composite, d domain, e enum, p pseudo, r range
};

/// A field of a composite type.
struct FieldInfo {
    std::string_view name;
    Oid type = 0;
    std::int32_t typmod = -1;
    Oid domain = 0;  ///< what it was declared with, where `type` is what that is made of: a domain, or an array of one
};

/// A label of an enum and the number that stands for it. Numbers order as the labels do (value.hpp, enum).
struct EnumLabel {
    std::string_view label;
    std::int64_t number = 0;
};

/// What the catalog knows of types that users made. Implemented by the catalog; answers live as long as the
/// statement.
class TypeCatalog {
public:
    virtual ~TypeCatalog() = default;
    /// nullptr: there is no such type.
    virtual const TypeInfo* find_type(Oid oid) const = 0;
    /// By the name alone, without built-in ones; nullptr: there is none.
    virtual const TypeInfo* find_type(std::string_view name) const = 0;
    /// Labels in order; empty for what is no enum.
    virtual std::span<const EnumLabel> enum_labels(Oid oid) const = 0;
    /// Was the label added by the transaction that runs? Then nothing may use it yet.
    virtual bool is_uncommitted_label(Oid oid, std::int64_t number) const = 0;
    /// Fields of a composite type in order; empty for what is none.
    virtual std::span<const FieldInfo> fields(Oid oid) const = 0;
    /// Name of a relation, user's type, function, schema or role for the output of regclass and its kin, quoted where
    /// SQL needs that, with its schema where the name alone does not mean it; empty: unknown.
    virtual std::string object_name(Oid kind, Oid oid) const = 0;
    /// OID of a relation, user's type, function, schema or role by what names it in SQL, for the input of regclass and
    /// its kin. Raises 42602 for what is no name.
    virtual std::optional<Oid> object_oid(Oid kind, std::string_view name) const = 0;

protected:
    TypeCatalog() = default;
    TypeCatalog(const TypeCatalog&) = default;
    TypeCatalog& operator=(const TypeCatalog&) = default;
};

/// A built-in type; nullptr: not built in. O(1).
const TypeInfo* find_builtin_type(Oid oid) noexcept;
/// A built-in type by typname ("int4", "_text") or SQL name ("integer", "timestamp with time zone"), lower
/// case.
const TypeInfo* find_builtin_type(std::string_view name) noexcept;
/// All built-in types, for pg_type.
std::span<const TypeInfo> builtin_types() noexcept;
/// Any type; `catalog` may be null. Raises undefined_object (42704) where there is none.
const TypeInfo& type_info(Oid oid, const TypeCatalog* catalog);

bool is_pseudo_polymorphic(Oid oid) noexcept;  ///< anyelement and its kin
bool is_array_type(const TypeInfo& info) noexcept;
/// OIDs that stand for an object of some kind and are written as its name: regclass and its kin.
constexpr bool is_object_type(Oid oid) {
    return oid == type::regclass || oid == type::regproc || oid == type::regprocedure || oid == type::regtype ||
           oid == type::regnamespace || oid == type::regrole;
}
/// Where a value of the type lies; enum and composite types of users included. O(1) for built-in ones.
Form form_of(Oid oid, const TypeCatalog* catalog);

// ---- modifiers ----

inline constexpr std::int32_t k_no_typmod = -1;
inline constexpr int k_max_numeric_precision = 1000;
constexpr std::int32_t numeric_typmod(int precision, int scale) {
    return ((precision << 16) | (scale & 0x7ff)) + 4;
}
constexpr int numeric_precision(std::int32_t typmod) { return ((typmod - 4) >> 16) & 0xffff; }
/// Between -1000 and 1000; sign-extended from 11 bits.
constexpr int numeric_scale(std::int32_t typmod) { return (((typmod - 4) & 0x7ff) ^ 1024) - 1024; }
constexpr std::int32_t length_typmod(std::int32_t length) { return length + 4; }

/// Bits of the fields that an interval type is restricted to.
namespace interval_field {
inline constexpr std::int32_t month = 1 << 1, year = 1 << 2, day = 1 << 3, hour = 1 << 10, minute = 1 << 11,
                              second = 1 << 12, all = 0x7fff;
}
inline constexpr std::int32_t k_interval_full_precision = 0xffff;
constexpr std::int32_t interval_typmod(std::int32_t fields, std::int32_t precision) {
    return ((fields & 0x7fff) << 16) | (precision & 0xffff);
}

/// Checks the numbers between the parentheses of a type (`numeric(10,2)`) and returns the modifier. Raises
/// 22023 with PostgreSQL's words for what is out of range, 42601 for types that take none. For interval give
/// interval_typmod.
std::int32_t make_typmod(const TypeInfo& info, std::span<const std::int64_t> numbers);

/// The type as SQL spells it: "numeric(10,2)", "timestamp(3) without time zone", "character varying(5)[]".
std::string format_type(Oid oid, std::int32_t typmod, const TypeCatalog* catalog);

}  // namespace northstar::inline v0::sql
