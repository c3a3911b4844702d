#include "sql/resolve.hpp"

#include "sql/cast.hpp"
#include "sql/error.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace resolve_file {

Category category_of(Oid type, const TypeCatalog* catalog) {
    if (type == type::none) return Category::none;
    return type_info(type, catalog).category;
}

bool is_preferred(Oid type, const TypeCatalog* catalog) {
    return type != type::none && type_info(type, catalog).preferred;
}

Oid array_of(Oid element, const TypeCatalog* catalog) {
    return element == type::none ? type::none : type_info(element, catalog).array;
}

/// The element type, or none for what is no array.
Oid element_of(Oid type, const TypeCatalog* catalog) {
    const TypeInfo& info = type_info(type, catalog);
    return info.form == Form::array ? info.element : type::none;
}

Oid range_of(Oid subtype) {
    for (const TypeInfo& info : builtin_types()) {
        if (info.form == Form::range && info.element == subtype) return info.oid;
    }
    return type::none;
}

bool is_any_family(Oid type) {
    return type == type::anyelement || type == type::anyarray || type == type::anynonarray ||
           type == type::anyenum || type == type::anyrange;
}
bool is_compatible_family(Oid type) { return is_pseudo_polymorphic(type) && !is_any_family(type); }

/// What the polymorphic types of one call stand for (PostgreSQL's rules of section 38.2.5).
struct Polymorphs {
    Oid element = type::none;
    Oid range = type::none;
    Oid compatible = type::none;
    Oid array = type::none;  ///< of a domain over arrays, which is not the array type of what that is made of
    bool consistent = true;
};

Polymorphs bind_polymorphs(std::span<const Oid> declared, std::span<const Oid> given,
                           const TypeCatalog* catalog) {
    Polymorphs result;
    std::vector<Oid> compatibles;
    bool want_non_array = false;
    bool want_enum = false;
    bool any_seen = false;
    const auto take = [&](Oid& place, Oid type) {
        if (place == type::none) {
            place = type;
        } else if (place != type) {
            result.consistent = false;
        }
    };
    for (std::size_t i = 0; i < declared.size(); ++i) {
        const Oid want = declared[i];
        const Oid have = given[i];
        if (!is_pseudo_polymorphic(want)) continue;
        any_seen = any_seen || is_any_family(want);
        want_non_array = want_non_array || want == type::anynonarray;
        want_enum = want_enum || want == type::anyenum;
        if (have == type::unknown) continue;
        const Oid element = element_of(have, catalog);
        const bool of_arrays = element != type::none && element_of(element, catalog) != type::none;
        if (of_arrays && (want == type::anyarray || want == type::anycompatiblearray)) result.array = have;
        switch (want) {
            case type::anyelement:
            case type::anynonarray:
            case type::anyenum:
                take(result.element, have);
                break;
            case type::anyarray:
                if (have == type::anyarray) break;
                if (element == type::none) {
                    result.consistent = false;
                } else {
                    take(result.element, element);
                }
                break;
            case type::anyrange: {
                const TypeInfo& info = type_info(have, catalog);
                if (info.form != Form::range) {
                    result.consistent = false;
                } else {
                    take(result.range, have);
                    take(result.element, info.element);
                }
                break;
            }
            case type::anycompatible:
            case type::anycompatiblenonarray:
                compatibles.push_back(have);
                break;
            case type::anycompatiblearray:
                if (element == type::none) {
                    result.consistent = false;
                } else {
                    compatibles.push_back(element);
                }
                break;
            default:
                result.consistent = false;
        }
    }
    if (!result.consistent) return result;
    if (result.element != type::none) {
        if (want_non_array && element_of(result.element, catalog) != type::none) result.consistent = false;
        if (want_enum && type_info(result.element, catalog).type_kind != 'e') result.consistent = false;
        if (result.range == type::none) result.range = range_of(result.element);
    }
    if (!compatibles.empty()) {
        const std::optional<Oid> common = find_common_type(compatibles, catalog);
        if (!common) {
            result.consistent = false;
        } else {
            result.compatible = *common;
        }
    }
    return result;
}

Oid replace_polymorphic(Oid declared, const Polymorphs& bound, const TypeCatalog* catalog) {
    switch (declared) {
        case type::anyelement:
        case type::anynonarray:
        case type::anyenum:
            return bound.element;
        case type::anyarray:
            return bound.array != type::none ? bound.array : array_of(bound.element, catalog);
        case type::anyrange:
            return bound.range;
        case type::anycompatible:
        case type::anycompatiblenonarray:
            return bound.compatible == type::none ? type::text : bound.compatible;
        case type::anycompatiblearray:
            if (bound.array != type::none) return bound.array;
            return array_of(bound.compatible == type::none ? type::text : bound.compatible, catalog);
        default:
            return declared;
    }
}

/// A candidate with a type for each argument of the call.
template <class Entry>
struct Candidate {
    const Entry* entry = nullptr;
    std::vector<Oid> types;
    std::vector<int> order;
    bool variadic = false;
};

template <class Entry>
bool accepts(const Candidate<Entry>& candidate, std::span<const Oid> given, const TypeCatalog* catalog) {
    for (std::size_t i = 0; i < given.size(); ++i) {
        if (!can_coerce(given[i], candidate.types[i], CastContext::implicit, catalog)) return false;
    }
    const Polymorphs bound = bind_polymorphs(candidate.types, given, catalog);
    if (!bound.consistent) return false;
    for (std::size_t i = 0; i < given.size(); ++i) {
        if (!is_compatible_family(candidate.types[i])) continue;
        if (!can_coerce(given[i], replace_polymorphic(candidate.types[i], bound, catalog),
                        CastContext::implicit, catalog))
            return false;
    }
    return true;
}

template <class Entry>
using Candidates = std::vector<const Candidate<Entry>*>;

/// Keeps the candidates for which `score` is highest.
template <class Entry, class Score>
void keep_best(Candidates<Entry>& candidates, Score score) {
    int best = -1;
    Candidates<Entry> kept;
    for (const Candidate<Entry>* candidate : candidates) {
        const int value = score(*candidate);
        if (value > best) {
            best = value;
            kept.clear();
        }
        if (value == best) kept.push_back(candidate);
    }
    candidates = std::move(kept);
}

/// Manual, section 10.3 step 4 (and 10.2 step 3): exact matches, preferred types, categories of unknown
/// literals, and at last the one type that the known arguments share. nullptr: no candidate is the best.
template <class Entry>
const Candidate<Entry>* select(Candidates<Entry> candidates, std::span<const Oid> given,
                               const TypeCatalog* catalog) {
    if (candidates.empty()) return nullptr;
    if (candidates.size() == 1) return candidates[0];
    const std::size_t unknowns =
        static_cast<std::size_t>(std::count(given.begin(), given.end(), type::unknown));
    keep_best(candidates, [&](const Candidate<Entry>& candidate) {
        int exact = 0;
        for (std::size_t i = 0; i < given.size(); ++i)
            exact += given[i] != type::unknown && given[i] == candidate.types[i];
        return exact;
    });
    if (candidates.size() == 1) return candidates[0];
    keep_best(candidates, [&](const Candidate<Entry>& candidate) {
        int matches = 0;
        for (std::size_t i = 0; i < given.size(); ++i) {
            if (given[i] == type::unknown) continue;
            matches += given[i] == candidate.types[i] ||
                       (category_of(given[i], catalog) == category_of(candidate.types[i], catalog) &&
                        is_preferred(candidate.types[i], catalog));
        }
        return matches;
    });
    if (candidates.size() == 1) return candidates[0];
    if (unknowns == 0) return nullptr;
    // A category for each unknown argument: string where any candidate takes one, else the one that all agree
    // on.
    std::vector<Category> categories(given.size(), Category::none);
    std::vector<bool> preferred(given.size(), false);
    bool resolved = true;
    for (std::size_t i = 0; i < given.size() && resolved; ++i) {
        if (given[i] != type::unknown) continue;
        bool conflict = false;
        for (const Candidate<Entry>* candidate : candidates) {
            const Category category = category_of(candidate->types[i], catalog);
            const bool is_first = candidate == candidates.front();
            if (is_first) {
                categories[i] = category;
                preferred[i] = is_preferred(candidate->types[i], catalog);
            } else if (category == categories[i]) {
                preferred[i] = preferred[i] || is_preferred(candidate->types[i], catalog);
            } else if (category == Category::string) {
                categories[i] = category;
                preferred[i] = is_preferred(candidate->types[i], catalog);
            } else {
                conflict = true;
            }
        }
        if (conflict && categories[i] != Category::string) resolved = false;
    }
    if (resolved) {
        Candidates<Entry> kept;
        for (const Candidate<Entry>* candidate : candidates) {
            bool keep = true;
            for (std::size_t i = 0; i < given.size(); ++i) {
                if (given[i] != type::unknown) continue;
                if (category_of(candidate->types[i], catalog) != categories[i]) keep = false;
                if (preferred[i] && !is_preferred(candidate->types[i], catalog)) keep = false;
            }
            if (keep) kept.push_back(candidate);
        }
        if (!kept.empty()) candidates = std::move(kept);
        if (candidates.size() == 1) return candidates[0];
    }
    // All known arguments of one type: try the unknown ones as that type.
    if (unknowns < given.size()) {
        Oid known = type::none;
        for (const Oid type : given) {
            if (type == type::unknown) continue;
            if (known == type::none) {
                known = type;
            } else if (known != type) {
                return nullptr;
            }
        }
        const std::vector<Oid> same(given.size(), known);
        Candidates<Entry> kept;
        for (const Candidate<Entry>* candidate : candidates) {
            if (accepts(*candidate, same, catalog)) kept.push_back(candidate);
        }
        if (kept.size() == 1) return kept[0];
    }
    return nullptr;
}

}  // namespace resolve_file

// ---- operators ----

namespace resolve_file {

enum class Failure { none, nothing, several };

std::optional<OperatorMatch> operator_match(std::string_view name, Oid left, Oid right,
                                            const TypeCatalog* catalog, Failure& failure) {
    const std::span<const OperatorEntry* const> entries = find_operators(name);
    const auto finish = [&](const OperatorEntry& entry, Oid given_left, Oid given_right) {
        OperatorMatch match;
        match.entry = &entry;
        const Oid declared[] = {entry.left, entry.right};
        const Oid given[] = {given_left, given_right};
        const Polymorphs bound = bind_polymorphs(declared, given, catalog);
        match.left = replace_polymorphic(entry.left, bound, catalog);
        match.right = replace_polymorphic(entry.right, bound, catalog);
        match.result = replace_polymorphic(entry.result, bound, catalog);
        if (is_pseudo_polymorphic(entry.left) && match.left == type::none) match.left = type::text;
        if (is_pseudo_polymorphic(entry.right) && match.right == type::none) match.right = type::text;
        return match;
    };
    const auto exact = [&](Oid l, Oid r) -> const OperatorEntry* {
        for (const OperatorEntry* entry : entries) {
            if (entry->left == l && entry->right == r) return entry;
        }
        return nullptr;
    };
    // An unknown literal is first taken for the type of the other side.
    if (left != type::none) {
        const Oid l = left == type::unknown ? right : left;
        const Oid r = right == type::unknown ? left : right;
        if (const OperatorEntry* found = exact(l, r)) return finish(*found, l, r);
    } else if (const OperatorEntry* found = exact(left, right)) {
        return finish(*found, left, right);
    }
    std::vector<Candidate<OperatorEntry>> all;
    const std::vector<Oid> given =
        left == type::none ? std::vector<Oid>{right} : std::vector<Oid>{left, right};
    for (const OperatorEntry* entry : entries) {
        if ((entry->left == type::none) != (left == type::none)) continue;
        Candidate<OperatorEntry> candidate;
        candidate.entry = entry;
        candidate.types =
            left == type::none ? std::vector<Oid>{entry->right} : std::vector<Oid>{entry->left, entry->right};
        if (accepts(candidate, given, catalog)) all.push_back(std::move(candidate));
    }
    Candidates<OperatorEntry> pointers;
    for (const Candidate<OperatorEntry>& candidate : all) pointers.push_back(&candidate);
    const Candidate<OperatorEntry>* best = select<OperatorEntry>(pointers, given, catalog);
    if (best == nullptr) {
        failure = all.empty() ? Failure::nothing : Failure::several;
        return std::nullopt;
    }
    return finish(*best->entry, left, right);
}

}  // namespace resolve_file

std::optional<OperatorMatch> find_operator(std::string_view name, Oid left, Oid right,
                                           const TypeCatalog* catalog) {
    resolve_file::Failure failure = resolve_file::Failure::none;
    return resolve_file::operator_match(name, left, right, catalog, failure);
}

OperatorMatch resolve_operator(std::string_view name, Oid left, Oid right, const TypeCatalog* catalog) {
    resolve_file::Failure failure = resolve_file::Failure::none;
    const std::optional<OperatorMatch> match =
        resolve_file::operator_match(name, left, right, catalog, failure);
    if (match) return *match;
    std::string text = left == type::none ? std::string() : format_type(left, k_no_typmod, catalog) + ' ';
    text += name;
    text += ' ' + format_type(right, k_no_typmod, catalog);
    if (failure == resolve_file::Failure::several) {
        raise(sqlstate::ambiguous_function, "operator is not unique: " + text, "",
              "Could not choose a best candidate operator. You might need to add explicit type casts.");
    }
    raise(sqlstate::undefined_function, "operator does not exist: " + text, "",
          left == type::none
              ? "No operator matches the given name and argument type. You might need to add an explicit type cast."
              : "No operator matches the given name and argument types. You might need to add explicit type casts.");
}

// ---- functions ----

namespace resolve_file {

std::vector<std::string_view> split_names(std::string_view names) {
    std::vector<std::string_view> result;
    while (!names.empty()) {
        const std::size_t comma = std::min(names.find(','), names.size());
        result.push_back(names.substr(0, comma));
        names.remove_prefix(std::min(comma + 1, names.size()));
    }
    return result;
}

/// Places the arguments of a call on the declared ones; false: the call does not fit.
bool arrange(const FunctionEntry& entry, const FunctionCall& call, Candidate<FunctionEntry>& candidate) {
    const std::size_t given = call.arguments.size();
    const std::size_t declared = entry.argument_count;
    candidate.entry = &entry;
    if (call.star) return entry.kind == FunctionKind::aggregate && declared == 0;
    if (entry.variadic != 0 && !call.variadic) {
        if (given + 1 < declared || given == 0 || !call.names.empty()) return false;
        if (given + 1 == declared) return false;
        for (std::size_t i = 0; i < given; ++i)
            candidate.types.push_back(i + 1 < declared ? entry.arguments[i] : entry.variadic);
        candidate.variadic = true;
        return true;
    }
    if (call.variadic && entry.variadic == 0) return false;
    if (given > declared || given + entry.default_count < declared) return false;
    candidate.order.assign(declared, -1);
    const std::vector<std::string_view> names = split_names(entry.argument_names);
    for (std::size_t i = 0; i < given; ++i) {
        std::size_t place = i;
        if (i < call.names.size() && !call.names[i].empty()) {
            const auto found = std::find(names.begin(), names.end(), call.names[i]);
            if (found == names.end()) return false;
            place = static_cast<std::size_t>(found - names.begin());
        }
        if (place >= declared || candidate.order[place] != -1) return false;
        candidate.order[place] = static_cast<int>(i);
        candidate.types.push_back(entry.arguments[place]);
    }
    for (std::size_t i = 0; i + entry.default_count < declared; ++i) {
        if (candidate.order[i] == -1) return false;
    }
    return true;
}

std::optional<FunctionMatch> function_match(const FunctionCall& call, const TypeCatalog* catalog,
                                            Failure& failure) {
    std::vector<Candidate<FunctionEntry>> all;
    for (const FunctionEntry* entry : find_functions(call.name)) {
        Candidate<FunctionEntry> candidate;
        if (arrange(*entry, call, candidate)) all.push_back(std::move(candidate));
    }
    const auto finish = [&](const Candidate<FunctionEntry>& candidate) {
        const FunctionEntry& entry = *candidate.entry;
        FunctionMatch match;
        match.entry = &entry;
        const Polymorphs bound = bind_polymorphs(candidate.types, call.arguments, catalog);
        for (std::size_t i = 0; i < candidate.types.size(); ++i) {
            const Oid replaced = replace_polymorphic(candidate.types[i], bound, catalog);
            if (replaced == type::none) {
                raise(sqlstate::datatype_mismatch,
                      "could not determine polymorphic type because input has type unknown");
            }
            match.arguments.push_back(candidate.types[i] == type::any ? call.arguments[i] : replaced);
        }
        match.order = candidate.order;
        for (std::size_t i = 0; i < candidate.order.size(); ++i) {
            if (candidate.order[i] == -1) match.arguments.push_back(entry.arguments[i]);
        }
        match.variadic_call = candidate.variadic;
        match.result = replace_polymorphic(entry.result, bound, catalog);
        if (match.result == type::none && entry.result != type::none) {
            raise(sqlstate::datatype_mismatch,
                  "could not determine polymorphic type because input has type unknown");
        }
        return match;
    };
    // The same types exactly, without variadic expansion first.
    for (const bool variadic : {false, true}) {
        for (const Candidate<FunctionEntry>& candidate : all) {
            if (candidate.variadic != variadic) continue;
            if (std::equal(candidate.types.begin(), candidate.types.end(), call.arguments.begin(),
                           call.arguments.end()))
                return finish(candidate);
        }
    }
    // float8('1.5'): the name of a type with one argument is a cast.
    if (call.arguments.size() == 1 && call.names.empty() && !call.variadic && !call.star) {
        const TypeInfo* target = find_builtin_type(call.name);
        const bool by_name = target != nullptr && call.name == target->name;
        if (target == nullptr && catalog != nullptr) target = catalog->find_type(call.name);
        // Rows have columns that are called like types: text(row) is no cast.
        const bool row_as_text = target != nullptr && target->category == Category::string &&
                                 call.arguments[0] != type::unknown &&
                                 type_info(call.arguments[0], catalog).form == Form::record;
        if (target != nullptr && !row_as_text && (by_name || target->oid >= k_first_user_oid) &&
            target->type_kind != 'p' &&
            can_coerce(call.arguments[0], target->oid, CastContext::explicit_, catalog)) {
            FunctionMatch match;
            match.arguments.assign(1, call.arguments[0]);
            match.order.assign(1, 0);
            match.cast_to = target->oid;
            match.result = target->oid;
            return match;
        }
    }
    Candidates<FunctionEntry> fitting;
    for (const Candidate<FunctionEntry>& candidate : all) {
        if (accepts(candidate, call.arguments, catalog)) fitting.push_back(&candidate);
    }
    // Of the same types, a function that takes them one by one goes before a variadic one.
    if (std::any_of(fitting.begin(), fitting.end(), [](const auto* c) { return !c->variadic; })) {
        Candidates<FunctionEntry> kept;
        for (const Candidate<FunctionEntry>* candidate : fitting) {
            const bool shadowed =
                candidate->variadic && std::any_of(fitting.begin(), fitting.end(), [&](const auto* other) {
                    return !other->variadic && other->types == candidate->types;
                });
            if (!shadowed) kept.push_back(candidate);
        }
        fitting = std::move(kept);
    }
    const Candidate<FunctionEntry>* best = select<FunctionEntry>(fitting, call.arguments, catalog);
    if (best == nullptr) {
        failure = fitting.empty() ? Failure::nothing : Failure::several;
        return std::nullopt;
    }
    return finish(*best);
}

}  // namespace resolve_file

std::optional<FunctionMatch> find_function(const FunctionCall& call, const TypeCatalog* catalog) {
    resolve_file::Failure failure = resolve_file::Failure::none;
    return resolve_file::function_match(call, catalog, failure);
}

FunctionMatch resolve_function(const FunctionCall& call, const TypeCatalog* catalog) {
    resolve_file::Failure failure = resolve_file::Failure::none;
    std::optional<FunctionMatch> match = resolve_file::function_match(call, catalog, failure);
    if (match) return std::move(*match);
    std::string text(call.name);
    text += '(';
    for (std::size_t i = 0; i < call.arguments.size(); ++i) {
        if (i > 0) text += ", ";
        if (i < call.names.size() && !call.names[i].empty()) text += std::string(call.names[i]) + " => ";
        text += format_type(call.arguments[i], k_no_typmod, catalog);
    }
    if (call.star) text += '*';
    text += ')';
    if (failure == resolve_file::Failure::several) {
        raise(sqlstate::ambiguous_function, "function " + text + " is not unique", "",
              "Could not choose a best candidate function. You might need to add explicit type casts.");
    }
    raise(
        sqlstate::undefined_function, "function " + text + " does not exist", "",
        "No function matches the given name and argument types. You might need to add explicit type casts.");
}

// ---- common types ----

namespace resolve_file {

/// The common type, or the first type that does not fit in `mismatch` (and what it does not fit to in
/// `reached`).
std::optional<Oid> common_type(std::span<const Oid> types, const TypeCatalog* catalog, Oid& reached,
                               Oid& mismatch) {
    Oid result = type::unknown;
    for (const Oid next : types) {
        if (next == type::unknown || next == result) continue;
        if (result == type::unknown) {
            result = next;
            continue;
        }
        const TypeInfo& have = type_info(result, catalog);
        const TypeInfo& more = type_info(next, catalog);
        if (have.category != more.category) {
            reached = result;
            mismatch = next;
            return std::nullopt;
        }
        if (!have.preferred && can_coerce(result, next, CastContext::implicit, catalog) &&
            !can_coerce(next, result, CastContext::implicit, catalog)) {
            result = next;
        }
    }
    return result == type::unknown ? type::text : result;
}

}  // namespace resolve_file

std::optional<Oid> find_common_type(std::span<const Oid> types, const TypeCatalog* catalog) {
    Oid reached = type::none;
    Oid mismatch = type::none;
    return resolve_file::common_type(types, catalog, reached, mismatch);
}

Oid select_common_type(std::span<const Oid> types, std::string_view construct, const TypeCatalog* catalog) {
    Oid reached = type::none;
    Oid mismatch = type::none;
    const std::optional<Oid> result = resolve_file::common_type(types, catalog, reached, mismatch);
    if (result) return *result;
    raise(sqlstate::datatype_mismatch,
          std::string(construct) + " types " + format_type(reached, k_no_typmod, catalog) + " and " +
              format_type(mismatch, k_no_typmod, catalog) + " cannot be matched");
}

}  // namespace northstar::inline v0::sql
