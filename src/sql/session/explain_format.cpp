#include "sql/session/explain_format.hpp"

#include <cstddef>
#include <string_view>

namespace northstar::inline v0::sql {

namespace explain_format {

using Kind = Document::Kind;

std::string blanks(std::size_t count) { return std::string(count, ' '); }

/// A value that is neither list nor object, without quotes.
std::string plain(const Document& value) { return value.kind() == Kind::string ? value.as_string() : value.text(); }

/// "Plan" of "Plans": what one of several is called.
std::string_view one_of(std::string_view name) { return name.ends_with('s') ? name.substr(0, name.size() - 1) : name; }

// ---- XML ----

std::string tag_of(std::string_view name) {
    std::string tag;
    for (const char c : name) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        tag += letter || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' ? c : '-';
    }
    return tag;
}

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '\r': out += "&#x0d;"; break;
            default: out += c;
        }
    }
    return out;
}

void write_xml(const Document& value, std::string_view name, std::size_t indent, std::string& out) {
    const std::string tag = tag_of(name);
    out += blanks(indent) + "<" + tag + ">";
    if (value.kind() != Kind::object && value.kind() != Kind::array) {
        out += escaped(plain(value)) + "</" + tag + ">\n";
        return;
    }
    out += "\n";
    for (std::size_t i = 0; i < value.items().size(); ++i) {
        const Document& item = value.items()[i];
        std::string_view item_name = "Item";
        if (value.kind() == Kind::object) item_name = value.names()[i];
        else if (item.kind() == Kind::object || item.kind() == Kind::array) item_name = one_of(name);
        write_xml(item, item_name, indent + 2, out);
    }
    out += blanks(indent) + "</" + tag + ">\n";
}

// ---- YAML ----

void write_members(const Document& object, std::size_t indent, std::string& out);

/// What stands behind "name: ".
void write_yaml(const Document& value, std::size_t indent, std::string& out) {
    if (value.kind() == Kind::object) {
        out += "\n" + blanks(indent + 2);
        write_members(value, indent + 2, out);
    } else if (value.kind() == Kind::array) {
        out += "\n";
        for (const Document& item : value.items()) {
            out += blanks(indent + 2) + "- ";
            if (item.kind() == Kind::object) {
                write_members(item, indent + 4, out);
            } else if (item.kind() == Kind::array) {
                std::string list;
                for (const Document& part : item.items()) list += (list.empty() ? "" : ", ") + part.text();
                out += "[" + list + "]\n";
            } else {
                out += item.text() + "\n";
            }
        }
    } else {
        out += value.text() + "\n";
    }
}

/// The first member goes on with the line that is there.
void write_members(const Document& object, std::size_t indent, std::string& out) {
    if (object.items().empty()) out += "\n";
    for (std::size_t i = 0; i < object.items().size(); ++i) {
        if (i > 0) out += blanks(indent);
        out += object.names()[i] + ": ";
        write_yaml(object.items()[i], indent, out);
    }
}

}  // namespace explain_format

std::string explained_as_xml(const Document& explained) {
    std::string out = "<explain xmlns=\"http://www.postgresql.org/2009/explain\">\n";
    explain_format::write_xml(explained, "Query", 2, out);
    return out + "</explain>";
}

std::string explained_as_yaml(const Document& explained) {
    std::string out = "- ";
    explain_format::write_members(explained, 2, out);
    out.pop_back();
    return out;
}

}  // namespace northstar::inline v0::sql
