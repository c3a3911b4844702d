#include "facts.hpp"

#include "failure.hpp"
#include "json.hpp"
#include "text.hpp"

namespace northstar_tool::code {
namespace facts_impl {

void write_calls(json::Writer& writer, const WrittenCalls& calls) {
    writer.name("calls").begin_object();
    for (const auto& [written, lines] : calls) {
        writer.name(written).begin_array();
        for (const std::uint32_t line : lines) writer.number(line);
        writer.end_array();
    }
    writer.end_object();
}

/// The numbers of "[1,2]", which the reader has checked.
std::vector<std::uint32_t> numbers(std::string_view array) {
    std::vector<std::uint32_t> all;
    bool in_number = false;
    for (const char c : array) {
        const bool digit = c >= '0' && c <= '9';
        if (digit && !in_number) all.push_back(0);
        if (digit) all.back() = all.back() * 10 + static_cast<std::uint32_t>(c - '0');
        in_number = digit;
    }
    return all;
}

WrittenCalls read_calls(json::Reader& reader) {
    WrittenCalls calls;
    std::string written;
    json::Reader members(reader.read_raw());
    for (members.begin_object(); members.next_member(written);) calls[written] = numbers(members.read_raw());
    return calls;
}

/// Calls for each element of an array of strings or objects, whose text is given.
template <class F>
void each_element(std::string_view array, F&& use) {
    // Elements are strings and objects that this file wrote: brackets and quotes tell where one ends.
    std::size_t depth = 0;
    std::size_t begin = 1;
    bool quoted = false;
    for (std::size_t i = 1; i + 1 < array.size(); ++i) {
        const char c = array[i];
        if (quoted && c == '\\') ++i;
        else if (c == '"') quoted = !quoted;
        else if (!quoted && (c == '{' || c == '[')) ++depth;
        else if (!quoted && (c == '}' || c == ']')) --depth;
        else if (!quoted && c == ',' && depth == 0) {
            use(array.substr(begin, i - begin));
            begin = i + 1;
        }
    }
    if (array.size() > 2) use(array.substr(begin, array.size() - 1 - begin));
}

std::vector<std::string> strings(std::string_view array) {
    std::vector<std::string> all;
    each_element(array, [&](std::string_view element) {
        json::Reader reader(element);
        all.push_back(json::read_bytes(reader));
    });
    return all;
}

void write_strings(json::Writer& writer, std::string_view name, const std::vector<std::string>& all) {
    if (all.empty()) return;
    writer.name(name).begin_array();
    for (const std::string& text : all) writer.bytes(text);
    writer.end_array();
}

[[noreturn]] void not_a_row(std::string_view key, const std::string& why) {
    throw Failure(k_exit_damage,
                  "the entry '" + printable(key) + "' of the code trees is none that ingest-code wrote: " + why);
}

}  // namespace facts_impl

std::string encode(const FileFacts& facts) {
    json::Writer writer;
    writer.begin_object().name("language").string(name_of(facts.language)).name("blob").bytes(facts.blob);
    if (!facts.skipped.empty()) writer.name("skipped").string(facts.skipped);
    if (facts.language != Language::none) writer.name("bytes").number(facts.bytes).name("lines").number(facts.lines);
    if (!facts.imports.empty()) {
        writer.name("imports").begin_array();
        for (const Import& import : facts.imports) {
            writer.begin_object().name("name").bytes(import.written).name("line").number(import.line);
            if (import.optional) writer.name("optional").boolean(true);
            writer.end_object();
        }
        writer.end_array();
    }
    if (!facts.calls.empty()) facts_impl::write_calls(writer, facts.calls);
    facts_impl::write_strings(writer, "functions", facts.functions);
    facts_impl::write_strings(writer, "chunks", facts.chunks);
    return writer.end_object().text();
}

std::string encode(const FunctionFacts& facts) {
    json::Writer writer;
    writer.begin_object().name("file").bytes(facts.file).name("name").string(facts.name);
    if (!facts.scope.empty()) writer.name("scope").string(facts.scope);
    if (!facts.space.empty()) writer.name("space").string(facts.space);
    writer.name("kind").string(facts.macro ? "macro" : facts.method ? "method" : "function");
    if (facts.local) writer.name("local").boolean(true);
    writer.name("lines").begin_array();
    for (const auto& [first, last] : facts.lines) writer.begin_array().number(first).number(last).end_array();
    writer.end_array();
    facts_impl::write_calls(writer, facts.calls);
    return writer.end_object().text();
}

FileFacts decode_file(std::string_view path, std::string_view row) {
    FileFacts facts;
    try {
        json::Reader reader(row);
        std::string name;
        for (reader.begin_object(); reader.next_member(name);) {
            if (name == "language") facts.language = language_named(reader.read_string());
            else if (name == "blob") facts.blob = json::read_bytes(reader);
            else if (name == "skipped") facts.skipped = reader.read_string();
            else if (name == "bytes") facts.bytes = reader.read_unsigned();
            else if (name == "lines") facts.lines = static_cast<std::uint32_t>(reader.read_unsigned());
            else if (name == "calls") facts.calls = facts_impl::read_calls(reader);
            else if (name == "functions") facts.functions = facts_impl::strings(reader.read_raw());
            else if (name == "chunks") facts.chunks = facts_impl::strings(reader.read_raw());
            else if (name == "imports") {
                facts_impl::each_element(reader.read_raw(), [&](std::string_view element) {
                    Import import;
                    json::Reader members(element);
                    std::string member;
                    for (members.begin_object(); members.next_member(member);) {
                        if (member == "name") import.written = json::read_bytes(members);
                        else if (member == "line") import.line = static_cast<std::uint32_t>(members.read_unsigned());
                        else if (member == "optional") import.optional = members.read_boolean();
                        else members.read_raw();
                    }
                    facts.imports.push_back(std::move(import));
                });
            } else {
                reader.read_raw();
            }
        }
    } catch (const json::SyntaxError& error) {
        facts_impl::not_a_row(path, error.what());
    }
    return facts;
}

FunctionFacts decode_function(std::string_view id, std::string_view row) {
    FunctionFacts facts;
    try {
        json::Reader reader(row);
        std::string name;
        for (reader.begin_object(); reader.next_member(name);) {
            if (name == "file") facts.file = json::read_bytes(reader);
            else if (name == "name") facts.name = reader.read_string();
            else if (name == "scope") facts.scope = reader.read_string();
            else if (name == "space") facts.space = reader.read_string();
            else if (name == "local") facts.local = reader.read_boolean();
            else if (name == "calls") facts.calls = facts_impl::read_calls(reader);
            else if (name == "kind") {
                const std::string kind = reader.read_string();
                facts.macro = kind == "macro";
                facts.method = kind == "method";
            } else if (name == "lines") {
                const std::vector<std::uint32_t> all = facts_impl::numbers(reader.read_raw());
                for (std::size_t i = 0; i + 1 < all.size(); i += 2) facts.lines.emplace_back(all[i], all[i + 1]);
            } else {
                reader.read_raw();
            }
        }
    } catch (const json::SyntaxError& error) {
        facts_impl::not_a_row(id, error.what());
    }
    return facts;
}

std::string node_of_path(std::string_view path) {
    std::string node;
    for (std::size_t i = 0; i < path.size(); ++i) {
        switch (path[i]) {
        case '%': node += "%25"; break;
        case ':': node += "%3A"; break;
        case '#': node += "%23"; break;
        default:
            if (i == 0 && path[i] == '?') node += "%3F";
            else node += path[i];
        }
    }
    return node;
}

std::string qualified_name(Language language, std::string_view scope, std::string_view name) {
    if (scope.empty()) return std::string(name);
    const Family family = family_of(language);
    return std::string(scope) + (family == Family::c || family == Family::rust ? "::" : ".") + std::string(name);
}

std::string function_id(std::string_view path, std::string_view qualified) {
    return std::string(path) + ":" + std::string(qualified);
}

std::string name_key(std::string_view name, std::string_view id) {
    return std::string(name) + '\0' + std::string(id);
}

std::string_view called_name(std::string_view written) {
    const std::size_t mark = written.find_last_of(":.");
    return mark == std::string_view::npos ? written : written.substr(mark + 1);
}

}  // namespace northstar_tool::code
