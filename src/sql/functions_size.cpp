// Sizes: what relations and the database take in the file, and sizes as people write them.
#include "sql/catalog/catalog.hpp"
#include "sql/catalog/system_relations.hpp"
#include "sql/numeric.hpp"
#include "sql/registry.hpp"
#include "sql/scalar_text.hpp"
#include "sql/text_io.hpp"

#include <optional>

namespace northstar::inline v0::sql {

namespace size_functions_file {

/// What is stored for a relation, or for one index.
struct Stored {
    std::shared_ptr<const Relation> relation;
    std::optional<Index> index;  ///< of that relation, which was meant alone
};

/// Nothing: there is no such relation, or its rows lie among those of a table that it is a part of.
std::optional<Stored> stored_as(Call& call, const Value& value) {
    const Catalog* const catalog = call.session.host == nullptr ? nullptr : call.session.host->objects();
    if (catalog == nullptr) return std::nullopt;
    const auto oid = static_cast<Oid>(value.integer());
    Stored found{catalog->relation(oid), std::nullopt};
    for (const auto& [name, relation] : catalog->relations()) {
        if (found.relation != nullptr) break;
        for (const Index& index : relation->indexes)
            if (index.oid == oid) found = {relation, index};
    }
    if (found.relation == nullptr || found.relation->is_partition()) return std::nullopt;
    return found;
}

StoredBytes bytes_of_rows(Call& call, const Relation& relation) {
    if (!relation.stores_rows()) return {};
    return call.session.host->stored_bytes(relation.tree(), relation.temporary);
}

/// An index that the rows themselves lie under takes nothing besides.
StoredBytes bytes_of_index(Call& call, const Relation& relation, const Index& index) {
    const int under = relation.row_key();
    if (under >= 0 && relation.indexes[static_cast<std::size_t>(under)].name == index.name) return {};
    return call.session.host->stored_bytes(relation.index_tree(index), relation.temporary);
}

std::int64_t bytes_of_indexes(Call& call, const Relation& relation) {
    std::int64_t bytes = 0;
    for (const Index& index : relation.indexes) {
        const StoredBytes stored = bytes_of_index(call, relation, index);
        bytes += stored.pages + stored.large_values;
    }
    return bytes;
}

StoredBytes bytes_of(Call& call, const Stored& stored) {
    if (stored.index) return bytes_of_index(call, *stored.relation, *stored.index);
    return bytes_of_rows(call, *stored.relation);
}

Value relation_size(Call& call, const Value* a, std::size_t count) {
    if (count > 1) {
        const std::string_view fork = a[1].bytes();
        if (fork != "main" && fork != "fsm" && fork != "vm" && fork != "init")
            raise(sqlstate::invalid_parameter_value, "invalid fork name", {},
                  "Valid fork names are \"main\", \"fsm\", \"vm\", and \"init\".");
        if (fork != "main") return Value::int8(0);
    }
    const auto stored = stored_as(call, a[0]);
    return stored ? Value::int8(bytes_of(call, *stored).pages) : Value::null(type::int8);
}

Value table_size(Call& call, const Value* a, std::size_t) {
    const auto stored = stored_as(call, a[0]);
    if (!stored) return Value::null(type::int8);
    const StoredBytes bytes = bytes_of(call, *stored);
    return Value::int8(bytes.pages + bytes.large_values);
}

Value indexes_size(Call& call, const Value* a, std::size_t) {
    const auto stored = stored_as(call, a[0]);
    if (!stored) return Value::null(type::int8);
    return Value::int8(stored->index ? 0 : bytes_of_indexes(call, *stored->relation));
}

Value total_size(Call& call, const Value* a, std::size_t) {
    const auto stored = stored_as(call, a[0]);
    if (!stored) return Value::null(type::int8);
    const StoredBytes bytes = bytes_of(call, *stored);
    const std::int64_t indexes = stored->index ? 0 : bytes_of_indexes(call, *stored->relation);
    return Value::int8(bytes.pages + bytes.large_values + indexes);
}

Value database_size(Call& call, const Value* a, std::size_t) {
    if (a[0].bytes() != call.session.host->current_database())
        raise(sqlstate::invalid_catalog_name, "database \"" + std::string(a[0].bytes()) + "\" does not exist");
    return Value::int8(call.session.host->bytes_of_file());
}

Value database_size_by_oid(Call& call, const Value* a, std::size_t) {
    if (a[0].integer() != k_database_oid) return Value::null(type::int8);
    return Value::int8(call.session.host->bytes_of_file());
}

/// PostgreSQL's steps: bytes up to 10 kB, then halves rounded away from zero in each larger unit.
Value size_pretty(Call& call, const Value* a, std::size_t) {
    std::int64_t size = a[0].integer();
    static constexpr const char* k_units[] = {"bytes", "kB", "MB", "GB", "TB", "PB"};
    std::size_t unit = 0;
    const auto magnitude = [&] {
        const auto bits = static_cast<std::uint64_t>(size);
        return size < 0 ? 0 - bits : bits;
    };
    if (magnitude() < 10 * 1024) return Value::text(call.arena.copy(std::to_string(size) + " bytes"));
    size /= 512;  // keeps one bit for rounding
    for (unit = 1; unit + 1 < std::size(k_units) && magnitude() >= 20 * 1024 - 1; ++unit) size /= 1024;
    size = (size + (size < 0 ? -1 : 1)) / 2;
    return Value::text(call.arena.copy(std::to_string(size) + " " + k_units[unit]));
}

/// The same steps for numbers of any size: each larger unit is the quotient towards zero.
Value size_pretty_numeric(Call& call, const Value* a, std::size_t) {
    static constexpr const char* k_units[] = {"bytes", "kB", "MB", "GB", "TB", "PB"};
    Numeric size = a[0].numeric();
    const auto is_below = [&](std::int64_t limit) {
        return numeric_compare(numeric_abs(size, call.arena), Numeric::of(limit)) < 0;
    };
    const auto divide = [&](std::int64_t by) {
        size = numeric_divide_whole(size, Numeric::of(by), call.arena);
    };
    std::string text;
    std::size_t unit = 0;
    if (!is_below(10 * 1024)) {
        divide(512);  // keeps one bit for rounding
        for (unit = 1; unit + 1 < std::size(k_units) && !is_below(20 * 1024 - 1); ++unit) divide(1024);
        size = numeric_add(size, Numeric::of(size.sign() < 0 ? -1 : 1), call.arena);
        divide(2);
    }
    numeric_to_text(size, text);
    return Value::text(call.arena.copy(text + " " + k_units[unit]));
}

/// "10 GB" as bytes. Raises 22023.
Value size_in_bytes(Call& call, const Value* a, std::size_t) {
    const std::string text(trim_blanks(a[0].bytes()));
    const auto refuse = [&](const std::string& detail) {
        raise(sqlstate::invalid_parameter_value, "invalid size: \"" + std::string(a[0].bytes()) + "\"", detail,
              "Valid units are \"bytes\", \"kB\", \"MB\", \"GB\", \"TB\", and \"PB\".");
    };
    std::size_t end = text.find_first_not_of("0123456789.+-eE");
    if (end == std::string::npos) end = text.size();
    std::string unit(trim_blanks(std::string_view(text).substr(end)));
    for (char& c : unit) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    static constexpr std::string_view k_units[] = {"bytes", "kb", "mb", "gb", "tb", "pb"};
    int shift = -1;
    for (int i = 0; i < 6; ++i)
        if (unit == k_units[i] || (i == 0 && (unit.empty() || unit == "b"))) shift = 10 * i;
    if (shift < 0) refuse("Invalid size unit: \"" + text.substr(end) + "\".");
    try {
        const Numeric number = numeric_from_text(trim_blanks(std::string_view(text).substr(0, end)), call.arena);
        const Numeric factor = numeric_from_int(std::int64_t{1} << shift, call.arena);
        std::string bytes;
        numeric_to_text(numeric_round(numeric_multiply(number, factor, call.arena), 0, call.arena), bytes);
        return value_from_text(type::int8, k_no_typmod, bytes, call.arena, call.session);
    } catch (const SqlError& error) {
        if (!(error.state() == sqlstate::invalid_text_representation)) throw;
    }
    refuse("");
    return {};
}

constexpr FunctionSource k_functions[] = {
    {"pg_table_size(regclass) int8 volatile", &table_size},
    {"pg_relation_size(regclass) int8 volatile", &relation_size},
    {"pg_relation_size(regclass,text) int8 volatile", &relation_size},
    {"pg_indexes_size(regclass) int8 volatile", &indexes_size},
    {"pg_total_relation_size(regclass) int8 volatile", &total_size},
    {"pg_database_size(name) int8 volatile", &database_size},
    {"pg_database_size(oid) int8 volatile", &database_size_by_oid},
    {"pg_size_pretty(int8) text", &size_pretty},
    {"pg_size_pretty(numeric) text", &size_pretty_numeric},
    {"pg_size_bytes(text) int8", &size_in_bytes},
};

}  // namespace size_functions_file

std::span<const FunctionSource> size_functions() { return size_functions_file::k_functions; }

}  // namespace northstar::inline v0::sql
