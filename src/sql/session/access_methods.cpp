#include "sql/session/access_methods.hpp"

#include "sql/bind/binder.hpp"
#include "sql/cast.hpp"

#include <algorithm>
#include <string>

namespace northstar::inline v0::sql {

namespace access_methods_impl {

/// Operator classes of a method: `int4` is int4_ops, of the type int4; `varchar=text` is varchar_ops, of the type text.
struct Method {
    std::string_view name;
    bool unique, several_columns, include, order;
    std::string_view classes;
};

constexpr std::string_view k_ordered =
    "array=anyarray bit bool bpchar bpchar_pattern=bpchar bytea char cidr=inet date enum=anyenum float4 float8 inet "
    "int2 int4 int8 interval jsonb macaddr8 macaddr money multirange=anymultirange name numeric oid oidvector pg_lsn "
    "range=anyrange record_image=record record text text_pattern=text tid time timestamp timestamptz timetz tsquery "
    "tsvector uuid varbit varchar=text varchar_pattern=text xid8";
constexpr std::string_view k_hashed =
    "aclitem array=anyarray bool bpchar bpchar_pattern=bpchar bytea char cid cidr=inet date enum=anyenum float4 float8 "
    "inet int2 int4 int8 interval jsonb macaddr8 macaddr multirange=anymultirange name numeric oid oidvector pg_lsn "
    "range=anyrange record text text_pattern=text tid time timestamp timestamptz timetz uuid varchar=text "
    "varchar_pattern=text xid8 xid";
constexpr std::string_view k_searched =
    "box circle inet multirange=anymultirange point poly=polygon range=anyrange tsquery tsvector";
constexpr std::string_view k_inverted = "array=anyarray jsonb jsonb_path=jsonb tsvector";
constexpr std::string_view k_partitioned =
    "box inet kd_point=point poly=polygon quad_point=point range=anyrange text";
constexpr std::string_view k_summarized =
    "bit_minmax=bit box_inclusion=box bpchar_bloom=bpchar bpchar_minmax=bpchar bytea_bloom=bytea bytea_minmax=bytea "
    "char_bloom=char char_minmax=char date_bloom=date date_minmax_multi=date date_minmax=date float4_bloom=float4 "
    "float4_minmax_multi=float4 float4_minmax=float4 float8_bloom=float8 float8_minmax_multi=float8 "
    "float8_minmax=float8 inet_bloom=inet inet_inclusion=inet inet_minmax_multi=inet inet_minmax=inet int2_bloom=int2 "
    "int2_minmax_multi=int2 int2_minmax=int2 int4_bloom=int4 int4_minmax_multi=int4 int4_minmax=int4 int8_bloom=int8 "
    "int8_minmax_multi=int8 int8_minmax=int8 interval_bloom=interval interval_minmax_multi=interval "
    "interval_minmax=interval macaddr8_bloom=macaddr8 macaddr8_minmax_multi=macaddr8 macaddr8_minmax=macaddr8 "
    "macaddr_bloom=macaddr macaddr_minmax_multi=macaddr macaddr_minmax=macaddr name_bloom=name name_minmax=name "
    "numeric_bloom=numeric numeric_minmax_multi=numeric numeric_minmax=numeric oid_bloom=oid oid_minmax_multi=oid "
    "oid_minmax=oid pg_lsn_bloom=pg_lsn pg_lsn_minmax_multi=pg_lsn pg_lsn_minmax=pg_lsn range_inclusion=anyrange "
    "text_bloom=text text_minmax=text tid_bloom=tid tid_minmax_multi=tid tid_minmax=tid time_bloom=time "
    "time_minmax_multi=time time_minmax=time timestamp_bloom=timestamp timestamp_minmax_multi=timestamp "
    "timestamp_minmax=timestamp timestamptz_bloom=timestamptz timestamptz_minmax_multi=timestamptz "
    "timestamptz_minmax=timestamptz timetz_bloom=timetz timetz_minmax_multi=timetz timetz_minmax=timetz "
    "uuid_bloom=uuid uuid_minmax_multi=uuid uuid_minmax=uuid varbit_minmax=varbit";

constexpr Method k_methods[] = {
    {"btree", true, true, true, true, k_ordered},    {"hash", false, false, false, false, k_hashed},
    {"gist", false, true, true, false, k_searched},  {"gin", false, true, false, false, k_inverted},
    {"spgist", false, false, true, false, k_partitioned}, {"brin", false, true, false, false, k_summarized},
    {"rtree", false, true, true, false, k_searched},
};

const Method* find_method(std::string_view name) {
    const auto* const found = std::find_if(std::begin(k_methods), std::end(k_methods),
                                           [&](const Method& method) { return method.name == name; });
    return found == std::end(k_methods) ? nullptr : found;
}

[[noreturn]] void no_method(std::string_view name) {
    raise(sqlstate::undefined_object, "access method \"" + std::string(name) + "\" does not exist");
}

/// The type that a class of the list is of; empty: the list has no such class.
std::string_view type_of_class(std::string_view classes, std::string_view name) {
    constexpr std::string_view k_end = "_ops";
    if (!name.ends_with(k_end)) return {};
    name.remove_suffix(k_end.size());
    while (!classes.empty()) {
        const std::string_view word = classes.substr(0, classes.find(' '));
        const std::size_t equal = word.find('=');
        if (word.substr(0, equal) == name) return equal == std::string_view::npos ? word : word.substr(equal + 1);
        classes.remove_prefix(std::min(word.size() + 1, classes.size()));
    }
    return {};
}

/// Are values of a type values of the class's type as they are?
bool accepts(std::string_view class_type, Oid type, const TypeCatalog* types) {
    const TypeInfo& info = type_info(type, types);
    if (class_type == "anyarray") return info.form == Form::array;
    if (class_type == "anyenum") return info.type_kind == 'e';
    if (class_type == "anyrange" || class_type == "anymultirange")
        return info.type_kind == (class_type == "anyrange" ? 'r' : 'm');
    if (class_type == "record") return info.type_kind == 'c' || type == type::record;
    const TypeInfo* const wanted =
        class_type == "char" ? &type_info(type::char_internal, types) : find_builtin_type(class_type);
    if (wanted == nullptr) return false;
    if (wanted->oid == type::oid && type == type::int4) return true;  // a number is an OID as it is, in PostgreSQL
    const auto path = find_cast(type, wanted->oid, CastContext::implicit, types);
    return path && (path->method == CastMethod::none || path->method == CastMethod::relabel);
}

}  // namespace access_methods_impl

void check_table_method(std::string_view name, bool partitioned) {
    using namespace access_methods_impl;
    if (!name.empty() && partitioned)
        raise(sqlstate::feature_not_supported,
              "specifying a table access method is not supported on a partitioned table");
    if (name.empty() || name == "heap") return;
    if (find_method(name) == nullptr || name == "rtree") no_method(name);
    raise(sqlstate::object_not_in_prerequisite_state,
          "access method \"" + std::string(name) + "\" is not of type TABLE");
}

void check_index_method(const syntax::CreateIndex& index) {
    using namespace access_methods_impl;
    const std::string_view name = index.method.empty() ? std::string_view("btree") : index.method;
    const Method* const method = find_method(name);
    if (method == nullptr) no_method(name);
    const auto refuse = [&](const char* what) {
        raise(sqlstate::feature_not_supported,
              "access method \"" + std::string(name) + "\" does not support " + what);
    };
    if (index.unique && !method->unique) refuse("unique indexes");
    if (!index.include.empty() && !method->include) refuse("included columns");
    if (index.columns.size() > 1 && !method->several_columns) refuse("multicolumn indexes");
    for (const syntax::SortItem& column : index.columns) {
        if (column.descending && !method->order) refuse("ASC/DESC options");
        if (column.nulls != syntax::NullsOrder::standard && !method->order) refuse("NULLS FIRST/LAST options");
    }
}

void check_operator_class(const syntax::QualifiedName& name, std::string_view method, Oid type,
                          const TypeCatalog* types) {
    using namespace access_methods_impl;
    if (name.parts.empty()) return;
    const std::string_view known = method.empty() ? std::string_view("btree") : method;
    const bool elsewhere = !name.schema().empty() && name.schema() != "pg_catalog";
    const std::string_view of =
        elsewhere ? std::string_view() : type_of_class(find_method(known)->classes, name.last());
    std::string written;
    for (const syntax::Name part : name.parts) written += (written.empty() ? "" : ".") + std::string(part);
    if (of.empty())
        raise_at(sqlstate::undefined_object,
                 "operator class \"" + written + "\" does not exist for access method \"" + std::string(known) + "\"",
                 name.position);
    if (!accepts(of, type, types))
        raise_at(sqlstate::datatype_mismatch,
                 "operator class \"" + written + "\" does not accept data type " +
                     format_type(type, k_no_typmod, types),
                 name.position);
}

}  // namespace northstar::inline v0::sql
