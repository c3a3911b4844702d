// What a call means: the rules of spec/code_knowledge.md, section "What a call means".
#include <algorithm>

#include "code_model.hpp"

namespace northstar_tool::code {
namespace code_resolve_impl {

bool has_component(std::string_view path, std::string_view component) {
    for (std::size_t at = 0; at <= path.size();) {
        const std::size_t end = std::min(path.find("::", at), path.size());
        if (path.substr(at, end - at) == component) return true;
        at = end + 2;
    }
    return false;
}

/// A namespace that the caller's own lies in, or is.
bool encloses(std::string_view outer, std::string_view inner) {
    return outer.empty() || (inner.substr(0, outer.size()) == outer &&
                             (inner.size() == outer.size() || inner.substr(outer.size(), 2) == "::"));
}

bool is_own(std::string_view object) { return object == "this" || object == "self" || object == "cls"; }

}  // namespace code_resolve_impl

CodeModel::Candidates CodeModel::candidates(const Place& place, std::string_view name) const {
    Candidates all;
    const auto found = definitions_.find(key(place.family, name));
    if (found == definitions_.end()) return all;
    for (const auto& [id, known] : found->second) {
        const FunctionFacts& facts = *known;
        const bool hidden = facts.local && facts.file != place.path && !is_header(facts.file) &&
                            place.visible.count(facts.file) == 0;
        // A function inside another one is known in its file only.
        const bool inner = !facts.method && !facts.scope.empty() && facts.file != place.path;
        if (!hidden && !inner) all.push_back({&id, &facts});
    }
    return all;
}

CodeModel::Candidates CodeModel::nearest(const Place& place, const Candidates& all, bool& near) const {
    Candidates here;
    Candidates visible;
    for (const Definition& candidate : all) {
        const std::string& file = candidate.facts->file;
        if (file == place.path) here.push_back(candidate);
        else if (place.visible.count(file) != 0 ||
                 (place.family == Family::go && directory_of(file) == directory_of(place.path))) {
            visible.push_back(candidate);
        }
    }
    near = !here.empty() || !visible.empty();
    return !here.empty() ? here : !visible.empty() ? visible : all;
}

CodeModel::Candidates CodeModel::plain_call(const Place& place, const Candidates& all, Certainty& certainty) const {
    Candidates own;    // of the caller's class, or inside the caller
    Candidates free;   // no methods, or constructors
    Candidates others; // methods of other classes, that a subclass may call so
    const FunctionFacts* const caller = place.caller;
    for (const Definition& candidate : all) {
        const FunctionFacts& facts = *candidate.facts;
        const bool same_class = caller != nullptr && !caller->scope.empty() && facts.scope == caller->scope &&
                                (place.family == Family::c || !facts.method);
        const bool inside = caller != nullptr && facts.file == caller->file && !facts.method && !facts.scope.empty() &&
                            called_name(facts.scope) == caller->name;
        const bool constructor = facts.method && (called_name(facts.scope) == facts.name || facts.name == "__init__" ||
                                                  facts.name == "constructor");
        if (same_class || inside) own.push_back(candidate);
        else if (!facts.method || constructor) free.push_back(candidate);
        else if (place.family == Family::c) others.push_back(candidate);
    }
    certainty = Certainty::calls;
    bool near = false;
    if (!own.empty()) {
        own = nearest(place, own, near);
        return own;
    }
    if (place.family == Family::c && !free.empty()) {
        // Without a qualifier only the namespaces around the caller are looked into; others need a using or an argument
        // of a type of theirs.
        const std::string_view space = caller != nullptr ? std::string_view(caller->space) : std::string_view();
        Candidates reachable;
        for (const Definition& candidate : free) {
            if (code_resolve_impl::encloses(candidate.facts->space, space)) reachable.push_back(candidate);
        }
        if (reachable.empty()) certainty = Certainty::maybe;
        else free = std::move(reachable);
    }
    if (!free.empty()) {
        free = nearest(place, free, near);
        if (free.size() > 1) certainty = Certainty::maybe;
        else if (near) certainty = Certainty::calls;
        return free;
    }
    certainty = Certainty::maybe;
    return nearest(place, others, near);
}

CodeModel::Candidates CodeModel::qualified_call(const Place& place, std::string_view qualifier, const Candidates& all,
                                                Certainty& certainty) const {
    certainty = Certainty::calls;
    if (qualifier == "std") return {};
    bool near = false;
    Candidates fitting;
    const bool own = qualifier == "Self";
    for (const Definition& candidate : all) {
        const FunctionFacts& facts = *candidate.facts;
        const bool fits = own ? place.caller != nullptr && facts.scope == place.caller->scope
                          : qualifier.empty() || qualifier == "crate" || qualifier == "self" || qualifier == "super"
                              ? !facts.method
                              : called_name(facts.scope) == qualifier ||
                                    (facts.scope.empty() &&
                                     (code_resolve_impl::has_component(facts.space, qualifier) ||
                                      (place.family != Family::c && module_of(facts.file, place.family) == qualifier)));
        if (fits) fitting.push_back(candidate);
    }
    fitting = nearest(place, fitting, near);
    const bool one_class = std::all_of(fitting.begin(), fitting.end(), [&](const Definition& candidate) {
        return !candidate.facts->scope.empty() && candidate.facts->scope == fitting.front().facts->scope;
    });
    if (fitting.size() > 1 && !one_class) certainty = Certainty::maybe;
    return fitting;
}

CodeModel::Candidates CodeModel::method_call(const Place& place, std::string_view object, const Candidates& all,
                                             Certainty& certainty) const {
    Candidates methods;
    Candidates own;
    Candidates named;  // of a module or class that is called as what stands before the dot
    for (const Definition& candidate : all) {
        const FunctionFacts& facts = *candidate.facts;
        // A method that calls its own name on something else hands over to it.
        if (facts.method && &facts != place.caller) methods.push_back(candidate);
        if (place.caller != nullptr && facts.method && facts.scope == place.caller->scope) own.push_back(candidate);
        if (object.empty() || place.family == Family::c) continue;
        const bool of_class = facts.method && called_name(facts.scope) == object;
        const bool of_module = facts.scope.empty() && module_of(facts.file, place.family) == object;
        if (of_class || of_module) named.push_back(candidate);
    }
    bool near = false;
    certainty = Certainty::calls;
    if (code_resolve_impl::is_own(object) && !own.empty()) return nearest(place, own, near);
    if (!named.empty()) {
        named = nearest(place, named, near);
        if (named.size() > 1) certainty = Certainty::maybe;
        return named;
    }
    methods = nearest(place, methods, near);
    if (methods.size() != 1 || !near) certainty = Certainty::maybe;
    return methods;
}

void CodeModel::resolve(const Place& place, const std::string& written,
                        std::map<std::string, Certainty>& edges) const {
    const std::string_view name = called_name(written);
    const Candidates all = candidates(place, name);
    const std::string_view before = std::string_view(written).substr(0, written.size() - name.size());
    Certainty certainty = Certainty::calls;
    Candidates chosen;
    if (before.empty()) chosen = plain_call(place, all, certainty);
    else if (before.back() == '.') chosen = method_call(place, before.substr(0, before.size() - 1), all, certainty);
    else chosen = qualified_call(place, before.substr(0, before.size() - 2), all, certainty);
    if (chosen.empty() || chosen.size() > k_most_candidates) {
        edges.emplace("?" + std::string(name), Certainty::unplaced);
        return;
    }
    for (const Definition& definition : chosen) {
        const auto [at, added] = edges.emplace(*definition.id, certainty);
        if (!added && certainty == Certainty::calls) at->second = certainty;
    }
}

}  // namespace northstar_tool::code
