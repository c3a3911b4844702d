// sql_support.hpp -- calling functions, operators and casts of SQL on values given as text.
#pragma once

#include "sql/cast.hpp"
#include "sql/compare.hpp"
#include "sql/error.hpp"
#include "sql/resolve.hpp"
#include "sql/text_io.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace sql_test {

using namespace northstar::sql;

/// A literal: its type's name and text; "unknown" is a literal without a type; text "NULL" is NULL.
struct Literal {
    std::string type;
    std::string text;
};

struct Engine {
    Arena arena;
    Session session;
    Host host;
    Engine() { session.host = &host; }

    Oid type_of(const std::string& name) {
        std::string base = name;
        std::int32_t ignored = k_no_typmod;
        split(base, ignored);
        const bool array = base.size() > 2 && base.ends_with("[]");
        if (array) base.resize(base.size() - 2);
        const TypeInfo* info = find_builtin_type(std::string_view(base));
        if (info == nullptr) raise(sqlstate::undefined_object, "type \"" + base + "\" does not exist");
        return array ? info->array : info->oid;
    }
    Value literal(const Literal& from) {
        const Oid type = type_of(from.type);
        if (from.text == "NULL") return Value::null(type);
        std::string base = from.type;
        std::int32_t typmod = k_no_typmod;
        split(base, typmod);
        const Value unknown = Value::bytes(type::unknown, arena.copy(from.text));
        if (type == type::unknown) return unknown;
        return cast_value(unknown, type, typmod, CastContext::explicit_, arena, session);
    }
    std::string show(const Value& value) { return value.is_null() ? "NULL" : value_to_text(value, session); }

    Value coerce(const Value& value, Oid type) {
        if (value.type() == type) return value;
        return cast_value(value, type, k_no_typmod, CastContext::implicit, arena, session);
    }
    Value run(ScalarBody body, bool strict, Oid result, std::vector<Value>& values, std::vector<Oid>& types) {
        for (const Value& value : values) {
            if (strict && value.is_null()) return Value::null(result);
        }
        Call call{arena, session, result, k_no_typmod, types, nullptr};
        return body(call, values.data(), values.size());
    }
    Value operate(const Literal& left, const std::string& name, const Literal& right) {
        std::vector<Value> values;
        if (!left.type.empty()) values.push_back(literal(left));
        values.push_back(literal(right));
        const OperatorMatch match = resolve_operator(name, left.type.empty() ? type::none : values[0].type(),
                                                     values.back().type(), nullptr);
        std::vector<Oid> types;
        if (!left.type.empty()) types.push_back(match.left);
        types.push_back(match.right);
        for (std::size_t i = 0; i < values.size(); ++i) values[i] = coerce(values[i], types[i]);
        return run(match.entry->body, match.entry->strict, match.result, values, types);
    }
    Value call(const std::string& name, const std::vector<Literal>& arguments) {
        std::vector<Value> values;
        std::vector<Oid> types;
        for (const Literal& argument : arguments) {
            values.push_back(literal(argument));
            types.push_back(values.back().type());
        }
        FunctionCall wanted;
        wanted.name = name;
        wanted.arguments = types;
        const FunctionMatch match = resolve_function(wanted, nullptr);
        if (match.cast_to != 0) {
            return cast_value(values[0], match.cast_to, k_no_typmod, CastContext::explicit_, arena, session);
        }
        std::vector<Oid> targets(match.arguments.begin(), match.arguments.end());
        for (std::size_t i = 0; i < values.size(); ++i) values[i] = coerce(values[i], targets[i]);
        for (std::size_t i = values.size(); i < targets.size(); ++i) {
            std::string_view defaults = match.entry->defaults;
            for (std::size_t skip = match.entry->default_count - (targets.size() - i); skip > 0; --skip) {
                defaults.remove_prefix(defaults.find('|') + 1);
            }
            const std::string text(defaults.substr(0, std::min(defaults.find('|'), defaults.size())));
            values.push_back(value_from_text(targets[i], k_no_typmod, text, arena, session));
        }
        if (match.entry->kind == FunctionKind::aggregate) {
            raise(sqlstate::wrong_object_type, name + " is an aggregate function");
        }
        return run(match.entry->scalar, match.entry->strict, match.result, values, targets);
    }
    Value cast(const Literal& from, const std::string& to) {
        std::string base = to;
        std::int32_t typmod = k_no_typmod;
        split(base, typmod);
        return cast_value(literal(from), type_of(to), typmod, CastContext::explicit_, arena, session);
    }
    /// An aggregate over values of one type, one argument.
    Value aggregate(const std::string& name, const std::string& type,
                    const std::vector<std::string>& inputs) {
        const Oid given[] = {type_of(type)};
        FunctionCall wanted;
        wanted.name = name;
        wanted.arguments = given;
        const FunctionMatch match = resolve_function(wanted, nullptr);
        const AggregateBody& body = *match.entry->aggregate;
        AggregateCall call{arena, session, match.result, match.arguments, {}};
        const auto state = [&]() {
            char* bytes = arena.allocate(body.state_size + 16);
            bytes += (16 - reinterpret_cast<std::uintptr_t>(bytes) % 16) % 16;
            std::memset(bytes, 0, body.state_size);
            body.init(call, bytes);
            return bytes;
        };
        char* whole = state();
        // Two halves that are combined must give the same as all rows one by one.
        char* halves[2] = {state(), state()};
        for (std::size_t i = 0; i < inputs.size(); ++i) {
            const Value value = coerce(literal({type, inputs[i]}), match.arguments[0]);
            if (match.entry->strict && value.is_null()) continue;
            body.step(call, whole, &value, 1);
            body.step(call, halves[i * 2 < inputs.size() ? 0 : 1], &value, 1);
        }
        const Value result = body.final(call, whole);
        if (body.combine != nullptr) {
            body.combine(call, halves[0], halves[1]);
            const Value combined = body.final(call, halves[0]);
            if (show(combined) != show(result)) {
                raise(sqlstate::internal_error,
                      "combined: " + show(combined) + ", row by row: " + show(result));
            }
        }
        return result;
    }

private:
    /// Takes "(10,2)" off the end of a type's name.
    void split(std::string& name, std::int32_t& typmod) {
        const std::size_t open = name.find('(');
        if (open == std::string::npos) return;
        std::vector<std::int64_t> numbers;
        std::string digits;
        for (const char c : name.substr(open + 1)) {
            if (c == ',' || c == ')') {
                numbers.push_back(std::stoll(digits));
                digits.clear();
            } else {
                digits += c;
            }
        }
        name.resize(open);
        const TypeInfo* info = find_builtin_type(std::string_view(name));
        if (info != nullptr) typmod = make_typmod(*info, numbers);
    }
};

/// The result as text, or the SQLSTATE of the error.
template <class Action>
std::string outcome(Engine& engine, Action action) {
    try {
        return engine.show(action());
    } catch (const SqlError& error) {
        return std::string(error.state().view());
    }
}

}  // namespace sql_test
