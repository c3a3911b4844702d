// SQL/JSON paths as text, in PostgreSQL's normal form.

#include "sql/jsonpath.hpp"

namespace northstar::inline v0::sql {

namespace jsonpath_text {

int priority(PathOp op) {
    switch (op) {
        case PathOp::either: return 0;
        case PathOp::both: return 1;
        case PathOp::equal:
        case PathOp::not_equal:
        case PathOp::less:
        case PathOp::less_equal:
        case PathOp::greater:
        case PathOp::greater_equal:
        case PathOp::starts_with: return 2;
        case PathOp::add:
        case PathOp::subtract: return 3;
        case PathOp::multiply:
        case PathOp::divide:
        case PathOp::modulo: return 4;
        case PathOp::plus:
        case PathOp::minus: return 5;
        default: return 6;
    }
}

const char* symbol(PathOp op) {
    switch (op) {
        case PathOp::either: return "||";
        case PathOp::both: return "&&";
        case PathOp::equal: return "==";
        case PathOp::not_equal: return "!=";
        case PathOp::less: return "<";
        case PathOp::less_equal: return "<=";
        case PathOp::greater: return ">";
        case PathOp::greater_equal: return ">=";
        case PathOp::add: return "+";
        case PathOp::subtract: return "-";
        case PathOp::multiply: return "*";
        case PathOp::divide: return "/";
        case PathOp::modulo: return "%";
        case PathOp::starts_with: return "starts with";
        case PathOp::type: return "type";
        case PathOp::size: return "size";
        case PathOp::abs: return "abs";
        case PathOp::floor: return "floor";
        case PathOp::ceiling: return "ceiling";
        case PathOp::to_double: return "double";
        case PathOp::keyvalue: return "keyvalue";
        default: return "";
    }
}

class Writer {
public:
    explicit Writer(const JsonPath& path) : path_(path) {}

    /// `bracketed`: an operator here stands in parentheses.
    void write(std::int32_t id, bool bracketed) {
        const PathNode& node = path_.nodes[static_cast<std::size_t>(id)];
        write_one(node, bracketed || node.next != k_no_path_node);
        if (node.next != k_no_path_node) write(node.next, true);
    }
    std::string out;

private:
    void quoted(const std::string& text) { json_escape(text, out); }
    void level(std::uint32_t number) { out += number == k_last_level ? "last" : std::to_string(number); }
    void operand(std::int32_t id, PathOp of) {
        write(id, priority(path_.nodes[static_cast<std::size_t>(id)].op) <= priority(of));
    }

    void write_one(const PathNode& node, bool bracketed) {
        switch (node.op) {
            case PathOp::null: out += "null"; return;
            case PathOp::no: out += "false"; return;
            case PathOp::yes: out += "true"; return;
            case PathOp::number:
                if (node.next != k_no_path_node) out += "(" + node.text + ")";
                else out += node.text;
                return;
            case PathOp::string: quoted(node.text); return;
            case PathOp::variable: out += '$'; quoted(node.text); return;
            case PathOp::root: out += '$'; return;
            case PathOp::current: out += '@'; return;
            case PathOp::last: out += "last"; return;
            case PathOp::key: out += '.'; quoted(node.text); return;
            case PathOp::any_key: out += ".*"; return;
            case PathOp::any_array: out += "[*]"; return;
            case PathOp::index: write_subscripts(node); return;
            case PathOp::any_level: write_levels(node); return;
            case PathOp::filter: enclosed("?(", node.left, ")"); return;
            case PathOp::negation: enclosed("!(", node.left, ")"); return;
            case PathOp::exists: enclosed("exists (", node.left, ")"); return;
            case PathOp::is_unknown: enclosed("(", node.left, ") is unknown"); return;
            case PathOp::type:
            case PathOp::size:
            case PathOp::abs:
            case PathOp::floor:
            case PathOp::ceiling:
            case PathOp::to_double:
            case PathOp::keyvalue: out += std::string(".") + symbol(node.op) + "()"; return;
            case PathOp::datetime:
                out += ".datetime(";
                if (node.left != k_no_path_node) write(node.left, false);
                out += ')';
                return;
            case PathOp::plus:
            case PathOp::minus:
                if (bracketed) out += '(';
                out += node.op == PathOp::plus ? '+' : '-';
                operand(node.left, node.op);
                if (bracketed) out += ')';
                return;
            case PathOp::like_regex:
                if (bracketed) out += '(';
                operand(node.left, node.op);
                out += " like_regex ";
                quoted(node.text);
                if (!node.flags.empty()) out += " flag \"" + node.flags + "\"";
                if (bracketed) out += ')';
                return;
            default: break;
        }
        if (bracketed) out += '(';
        operand(node.left, node.op);
        out += std::string(" ") + symbol(node.op) + " ";
        operand(node.right, node.op);
        if (bracketed) out += ')';
    }
    void enclosed(const char* before, std::int32_t id, const char* behind) {
        out += before;
        write(id, false);
        out += behind;
    }
    void write_subscripts(const PathNode& node) {
        char before = '[';
        for (const auto& [from, to] : node.subscripts) {
            out += before;
            before = ',';
            write(from, false);
            if (to == k_no_path_node) continue;
            out += " to ";
            write(to, false);
        }
        out += ']';
    }
    void write_levels(const PathNode& node) {
        out += ".**";
        if (node.first == 0 && node.end == k_last_level) return;
        out += '{';
        level(node.first);
        if (node.end != node.first) {
            out += " to ";
            level(node.end);
        }
        out += '}';
    }

    const JsonPath& path_;
};

}  // namespace jsonpath_text

std::string jsonpath_to_text(const JsonPath& path) {
    jsonpath_text::Writer writer(path);
    if (!path.lax) writer.out = "strict ";
    writer.write(path.start, true);
    return std::move(writer.out);
}

}  // namespace northstar::inline v0::sql
