#include "sql/jsonb.hpp"

#include "base/bytes.hpp"
#include "base/xxh64.hpp"
#include "sql/error.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace jsonb_file {

[[noreturn]] void damaged() { raise(sqlstate::data_corrupted, "a stored jsonb value is malformed"); }

void put_u32(std::string& out, std::size_t value) {
    if (value > 0xffffffffu)
        raise(sqlstate::program_limit_exceeded, "total size of jsonb value exceeds the maximum");
    char bytes[4];
    detail::store_u32(bytes, static_cast<std::uint32_t>(value));
    out.append(bytes, 4);
}

bool key_less(std::string_view a, std::string_view b) {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
}

int sign_of(int value) { return value < 0 ? -1 : value > 0; }

/// Order of kinds in PostgreSQL: null, string, number, boolean, array, object.
int rank_of(JsonKind kind) {
    switch (kind) {
        case JsonKind::null:
            return 0;
        case JsonKind::string:
            return 1;
        case JsonKind::number:
            return 2;
        case JsonKind::no:
        case JsonKind::yes:
            return 3;
        case JsonKind::array:
            return 4;
        case JsonKind::object:
            return 5;
    }
    return 0;
}

void append_number(JsonView node, std::string& out) {
    Arena arena;
    numeric_to_text(node.number(arena), out);
}

}  // namespace jsonb_file

std::size_t JsonView::size() const {
    if (bytes_.size() < 5) jsonb_file::damaged();
    return detail::load_u32(bytes_.data() + 1);
}

std::string_view JsonView::slice(std::size_t table, std::size_t index, std::size_t data) const {
    if (bytes_.size() < data || index >= size()) jsonb_file::damaged();
    const std::size_t begin = index == 0 ? 0 : detail::load_u32(bytes_.data() + table + (index - 1) * 4);
    const std::size_t end = detail::load_u32(bytes_.data() + table + index * 4);
    if (begin > end || end > bytes_.size() - data) jsonb_file::damaged();
    return bytes_.substr(data + begin, end - begin);
}

JsonView JsonView::element(std::size_t index) const { return JsonView(slice(5, index, 5 + size() * 4)); }

std::string_view JsonView::key(std::size_t index) const { return slice(5, index, 5 + size() * 8); }

JsonView JsonView::value(std::size_t index) const {
    const std::size_t count = size();
    if (bytes_.size() < 5 + count * 8) jsonb_file::damaged();
    const std::size_t keys = count == 0 ? 0 : detail::load_u32(bytes_.data() + 5 + (count - 1) * 4);
    return JsonView(slice(5 + count * 4, index, 5 + count * 8 + keys));
}

std::optional<JsonView> JsonView::find(std::string_view wanted) const {
    std::size_t low = 0;
    std::size_t high = size();
    while (low < high) {
        const std::size_t middle = (low + high) / 2;
        const std::string_view found = key(middle);
        if (found == wanted) return value(middle);
        if (jsonb_file::key_less(found, wanted)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return std::nullopt;
}

void json_append_null(std::string& out) { out += static_cast<char>(JsonKind::null); }
void json_append_boolean(bool value, std::string& out) {
    out += static_cast<char>(value ? JsonKind::yes : JsonKind::no);
}
void json_append_number(const Numeric& value, std::string& out) {
    out += static_cast<char>(JsonKind::number);
    numeric_to_stored(value, out);
}
void json_append_string(std::string_view value, std::string& out) {
    out += static_cast<char>(JsonKind::string);
    out += value;
}

void json_append_array(const std::vector<std::string_view>& elements, std::string& out) {
    out += static_cast<char>(JsonKind::array);
    jsonb_file::put_u32(out, elements.size());
    std::size_t end = 0;
    for (const std::string_view element : elements) jsonb_file::put_u32(out, end += element.size());
    for (const std::string_view element : elements) out += element;
}

void check_json_depth(JsonView node, std::size_t containers) {
    if (containers > static_cast<std::size_t>(k_json_max_depth))
        raise(sqlstate::statement_too_complex, "stack depth limit exceeded", "", "JSON is nested too deeply.");
    if (node.is_scalar()) return;
    for (std::size_t i = 0; i < node.size(); ++i) {
        const JsonView child = node.kind() == JsonKind::array ? node.element(i) : node.value(i);
        if (!child.is_scalar()) check_json_depth(child, containers + 1);
    }
}

void json_append_object(std::vector<JsonMember>& members, std::string& out) {
    const auto before = [](const JsonMember& a, const JsonMember& b) {
        return jsonb_file::key_less(a.first, b.first);
    };
    // A stable sort of many allocates; there are few as a rule.
    constexpr std::size_t k_few = 16;
    if (members.size() > k_few) {
        std::stable_sort(members.begin(), members.end(), before);
    } else {
        for (auto next = members.begin(); next != members.end(); ++next)
            std::rotate(std::upper_bound(members.begin(), next, *next, before), next, next + 1);
    }
    std::size_t kept = 0;
    for (std::size_t i = 0; i < members.size(); ++i) {
        if (kept > 0 && members[kept - 1].first == members[i].first) --kept;
        members[kept++] = members[i];
    }
    members.resize(kept);
    out += static_cast<char>(JsonKind::object);
    jsonb_file::put_u32(out, members.size());
    std::size_t end = 0;
    for (const JsonMember& member : members) jsonb_file::put_u32(out, end += member.first.size());
    end = 0;
    for (const JsonMember& member : members) jsonb_file::put_u32(out, end += member.second.size());
    for (const JsonMember& member : members) out += member.first;
    for (const JsonMember& member : members) out += member.second;
}

void json_escape(std::string_view text, std::string& out) {
    static constexpr char k_hex[] = "0123456789abcdef";
    out += '"';
    std::size_t copied = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        if (static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\') continue;
        out += text.substr(copied, at - copied);
        copied = at + 1;
        out += '\\';
        switch (c) {
            case '"':
            case '\\': out += c; break;
            case '\b': out += 'b'; break;
            case '\f': out += 'f'; break;
            case '\n': out += 'n'; break;
            case '\r': out += 'r'; break;
            case '\t': out += 't'; break;
            default:
                out += "u00";
                out += k_hex[c >> 4];
                out += k_hex[c & 15];
        }
    }
    out += text.substr(copied);
    out += '"';
}

void jsonb_to_text(JsonView node, std::string& out) {
    switch (node.kind()) {
        case JsonKind::null:
            out += "null";
            return;
        case JsonKind::no:
            out += "false";
            return;
        case JsonKind::yes:
            out += "true";
            return;
        case JsonKind::number:
            jsonb_file::append_number(node, out);
            return;
        case JsonKind::string:
            json_escape(node.string(), out);
            return;
        case JsonKind::array:
            out += '[';
            for (std::size_t i = 0; i < node.size(); ++i) {
                if (i > 0) out += ", ";
                jsonb_to_text(node.element(i), out);
            }
            out += ']';
            return;
        case JsonKind::object:
            out += '{';
            for (std::size_t i = 0; i < node.size(); ++i) {
                if (i > 0) out += ", ";
                json_escape(node.key(i), out);
                out += ": ";
                jsonb_to_text(node.value(i), out);
            }
            out += '}';
            return;
    }
    jsonb_file::damaged();
}

void jsonb_to_pretty(JsonView node, std::string& out, int depth) {
    if (node.is_scalar()) {
        jsonb_to_text(node, out);
        return;
    }
    const bool object = node.kind() == JsonKind::object;
    const auto line = [&](int level) {
        out += '\n';
        out.append(static_cast<std::size_t>(level) * 4, ' ');
    };
    out += object ? '{' : '[';
    for (std::size_t i = 0; i < node.size(); ++i) {
        if (i > 0) out += ',';
        line(depth + 1);
        if (object) {
            json_escape(node.key(i), out);
            out += ": ";
        }
        jsonb_to_pretty(object ? node.value(i) : node.element(i), out, depth + 1);
    }
    line(depth);
    out += object ? '}' : ']';
}

void jsonb_to_plain_text(JsonView node, std::string& out) {
    if (node.kind() == JsonKind::string) {
        out += node.string();
    } else {
        jsonb_to_text(node, out);
    }
}

namespace jsonb_file {

/// Nodes within documents; jsonb_compare has one rule more for whole documents.
int compare_nodes(JsonView a, JsonView b) {
    const JsonKind left = a.kind();
    const JsonKind right = b.kind();
    if (rank_of(left) != rank_of(right)) return rank_of(left) < rank_of(right) ? -1 : 1;
    switch (left) {
        case JsonKind::null:
            return 0;
        case JsonKind::no:
        case JsonKind::yes:
            return static_cast<int>(left) - static_cast<int>(right);
        case JsonKind::number: {
            Arena arena;
            return numeric_compare(a.number(arena), b.number(arena));
        }
        case JsonKind::string:
            return sign_of(a.string().compare(b.string()));
        case JsonKind::array:
        case JsonKind::object:
            break;
    }
    if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (left == JsonKind::object) {
            const int order = sign_of(a.key(i).compare(b.key(i)));
            if (order != 0) return order;
        }
        const int order = left == JsonKind::object ? compare_nodes(a.value(i), b.value(i))
                                                   : compare_nodes(a.element(i), b.element(i));
        if (order != 0) return order;
    }
    return 0;
}

}  // namespace jsonb_file

int jsonb_compare(JsonView a, JsonView b) {
    // PostgreSQL keeps a document that is a scalar as an array of one element, so an empty array comes before
    // it.
    if (a.kind() == JsonKind::array && a.size() == 0 && b.is_scalar()) return -1;
    if (b.kind() == JsonKind::array && b.size() == 0 && a.is_scalar()) return 1;
    return jsonb_file::compare_nodes(a, b);
}

std::uint64_t jsonb_hash(JsonView node) {
    switch (node.kind()) {
        case JsonKind::number: {
            Arena arena;
            return numeric_hash(node.number(arena));
        }
        case JsonKind::array:
        case JsonKind::object: {
            std::uint64_t hash = static_cast<std::uint64_t>(node.kind());
            for (std::size_t i = 0; i < node.size(); ++i) {
                const bool object = node.kind() == JsonKind::object;
                const std::uint64_t key =
                    object ? detail::xxh64(node.key(i).data(), node.key(i).size(), 0) : 0;
                hash = (hash * 31 + key) * 31 + jsonb_hash(object ? node.value(i) : node.element(i));
            }
            return hash;
        }
        default:
            return detail::xxh64(node.bytes().data(), node.bytes().size(), 0);
    }
}

bool jsonb_contains(JsonView whole, JsonView part) {
    if (part.kind() == JsonKind::object) {
        if (whole.kind() != JsonKind::object || whole.size() < part.size()) return false;
        for (std::size_t i = 0; i < part.size(); ++i) {
            const std::optional<JsonView> found = whole.find(part.key(i));
            if (!found) return false;
            const JsonView wanted = part.value(i);
            if (wanted.is_scalar() ? !found->is_scalar() || jsonb_compare(*found, wanted) != 0
                                   : !jsonb_contains(*found, wanted)) {
                return false;
            }
        }
        return true;
    }
    if (whole.kind() == JsonKind::object) return false;
    if (whole.is_scalar()) return part.is_scalar() && jsonb_compare(whole, part) == 0;
    // An array contains a scalar that is one of its elements, and an array whose elements it contains.
    const std::size_t count = part.is_scalar() ? 1 : part.size();
    for (std::size_t i = 0; i < count; ++i) {
        const JsonView wanted = part.is_scalar() ? part : part.element(i);
        bool found = false;
        for (std::size_t j = 0; j < whole.size() && !found; ++j) {
            const JsonView element = whole.element(j);
            if (wanted.is_scalar()) {
                found = element.is_scalar() && jsonb_compare(element, wanted) == 0;
            } else {
                found = !element.is_scalar() && jsonb_contains(element, wanted);
            }
        }
        if (!found) return false;
    }
    return true;
}

}  // namespace northstar::inline v0::sql
