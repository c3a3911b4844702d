#include "code_model.hpp"

#include <algorithm>

namespace northstar_tool::code {

std::string_view name_of(Certainty certainty) noexcept {
    switch (certainty) {
    case Certainty::calls: return "calls";
    case Certainty::maybe: return "maybe";
    case Certainty::unplaced: break;
    }
    return "unplaced";
}

std::string CodeModel::key(Family family, std::string_view name) {
    return std::string(1, static_cast<char>('0' + static_cast<int>(family))) + std::string(name);
}

/// What callers write: a constructor of Python or JavaScript goes by the name of its class.
std::vector<std::string> CodeModel::names_of(const FunctionFacts& facts, Family family) {
    std::vector<std::string> names{facts.name};
    const bool constructor = (family == Family::python && facts.name == "__init__") ||
                             (family == Family::javascript && facts.name == "constructor");
    if (constructor && facts.method) names.emplace_back(called_name(facts.scope));
    return names;
}

CodeModel::Signature CodeModel::signature_of(const FunctionFacts& facts, Family family) {
    Signature signature;
    for (const std::string& name : names_of(facts, family)) signature.names.push_back(key(family, name));
    signature.rest = facts.scope + '\n' + facts.space + (facts.method ? "\nm" : "\n") + (facts.local ? "l" : "");
    return signature;
}

void CodeModel::note_calls(const std::string& caller, const WrittenCalls& calls, Family family, bool present) {
    for (const auto& [written, lines] : calls) {
        std::set<std::string>& callers = callers_[key(family, called_name(written))];
        if (present) callers.insert(caller);
        else callers.erase(caller);
    }
}

void CodeModel::put_file(const std::string& path, FileFacts facts, Functions functions, bool loading) {
    seen_from_.clear();
    const auto known = files_.find(path);
    const bool same_language = known != files_.end() && known->second.language == facts.language;
    if (known != files_.end() && !same_language) remove_file(path);
    std::map<std::string, Signature> before = forget(path);
    const Language language = facts.language;
    const Family family = family_of(language);
    const FileFacts& file = files_[path] = std::move(facts);
    note_calls(path, file.calls, family, true);
    for (auto& [id, function] : functions) {
        const Signature signature = signature_of(function, family);
        note_calls(id, function.calls, family, true);
        const FunctionFacts& kept = functions_.insert_or_assign(id, std::move(function)).first->second;
        for (const std::string& name : signature.names) definitions_[name].insert_or_assign(id, &kept);
        const auto old = before.find(id);
        if (old != before.end() && old->second == signature) before.erase(old);
        else if (!loading) dirty_names_.insert(signature.names.begin(), signature.names.end());
    }
    for (const auto& [id, signature] : before) dirty_names_.insert(signature.names.begin(), signature.names.end());
    if (family == Family::none) return;
    index_.add(path, language);
    for (const Import& import : file.imports) {
        for (const std::string& key : FileIndex::keys_of_import(path, language, import.written)) {
            importers_[key].insert(path);
        }
    }
    if (loading) return;
    if (!same_language) dirty_keys_.insert(FileIndex::key_of_file(path, language));
    dirty_files_.insert(path);
}

std::map<std::string, CodeModel::Signature> CodeModel::forget(const std::string& path) {
    std::map<std::string, Signature> definitions;
    const auto found = files_.find(path);
    if (found == files_.end()) return definitions;
    const Language language = found->second.language;
    const Family family = family_of(language);
    for (const std::string& name : found->second.functions) {
        const std::string id = function_id(path, name);
        const auto function = functions_.find(id);
        if (function == functions_.end()) continue;
        Signature signature = signature_of(function->second, family);
        for (const std::string& key : signature.names) definitions_[key].erase(id);
        note_calls(id, function->second.calls, family, false);
        functions_.erase(function);
        definitions.emplace(id, std::move(signature));
    }
    note_calls(path, found->second.calls, family, false);
    if (family != Family::none) {
        index_.remove(path, language);
        for (const Import& import : found->second.imports) {
            for (const std::string& key : FileIndex::keys_of_import(path, language, import.written)) {
                importers_[key].erase(path);
            }
        }
    }
    dirty_files_.erase(path);
    imports_.erase(path);
    files_.erase(found);
    return definitions;
}

void CodeModel::remove_file(const std::string& path) {
    seen_from_.clear();
    const auto found = files_.find(path);
    if (found == files_.end()) return;
    if (family_of(found->second.language) != Family::none) {
        dirty_keys_.insert(FileIndex::key_of_file(path, found->second.language));
    }
    for (const auto& [id, signature] : forget(path)) {
        dirty_names_.insert(signature.names.begin(), signature.names.end());
    }
}

const FunctionFacts* CodeModel::function(const std::string& id) const {
    const auto found = functions_.find(id);
    return found == functions_.end() ? nullptr : &found->second;
}

void CodeModel::resolve_imports(const std::string& path) {
    const FileFacts& file = files_.at(path);
    std::set<std::string> resolved;
    for (const Import& import : file.imports) {
        for (std::string& target : index_.resolve(path, file.language, import.written))
            resolved.insert(std::move(target));
    }
    imports_[path].assign(resolved.begin(), resolved.end());
}

CodeModel::Dirty CodeModel::take_dirty() {
    Dirty dirty;
    // A file that came, went or changed: its own imports and calls, and what others meant by its names.
    dirty.files = std::exchange(dirty_files_, {});
    for (const std::string& key : std::exchange(dirty_keys_, {})) {
        const auto found = importers_.find(key);
        if (found != importers_.end()) dirty.files.insert(found->second.begin(), found->second.end());
    }
    for (const std::string& path : dirty.files) {
        resolve_imports(path);
        dirty.callers.insert(path);
        for (const std::string& name : files_.at(path).functions) dirty.callers.insert(function_id(path, name));
    }
    for (const std::string& name : std::exchange(dirty_names_, {})) {
        const auto found = callers_.find(name);
        if (found != callers_.end()) dirty.callers.insert(found->second.begin(), found->second.end());
    }
    return dirty;
}

const std::vector<std::string>& CodeModel::imports_of(const std::string& path) const {
    static const std::vector<std::string> none;
    const auto found = imports_.find(path);
    return found == imports_.end() ? none : found->second;
}

std::vector<std::string> CodeModel::foreign_imports_of(const std::string& path) const {
    const FileFacts& file = files_.at(path);
    std::set<std::string> foreign;
    for (const Import& import : file.imports) {
        if (!import.optional && index_.resolve(path, file.language, import.written).empty())
            foreign.insert(import.written);
    }
    return {foreign.begin(), foreign.end()};
}

const std::set<std::string>& CodeModel::visible_from(const std::string& path) {
    if (seen_from_ == path) return visible_;
    visible_.clear();
    // What was loaded and did not change is resolved when it is needed.
    const FileFacts& file = files_.at(path);
    for (const Import& import : file.imports) {
        for (const std::string& target : index_.resolve(path, file.language, import.written)) {
            visible_.insert(target);
            if (!is_header(target)) continue;
            for (std::string& source : index_.companions(target)) visible_.insert(std::move(source));
        }
    }
    seen_from_ = path;
    return visible_;
}

std::map<std::string, Certainty> CodeModel::calls_of(const std::string& caller) {
    std::map<std::string, Certainty> edges;
    const FunctionFacts* const facts = function(caller);
    const std::string& path = facts != nullptr ? facts->file : caller;
    const auto file = files_.find(path);
    if (file == files_.end()) return edges;
    const WrittenCalls& calls = facts != nullptr ? facts->calls : file->second.calls;
    if (calls.empty()) return edges;
    const Place place{path, facts, family_of(file->second.language), visible_from(path)};
    for (const auto& [written, lines] : calls) resolve(place, written, edges);
    return edges;
}

}  // namespace northstar_tool::code
