// Evaluates SQL/JSON paths: each accessor passes its items on to the next one, depth first.

#include "sql/error.hpp"
#include "sql/jsonpath.hpp"
#include "sql/jsonpath_datetime.hpp"
#include "sql/regex.hpp"
#include "sql/scalar_text.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>

namespace northstar::inline v0::sql {

namespace jsonpath_evaluate {

/// The document that an object lies in; keyvalue() tells its objects apart by it.
struct Base {
    JsonView root;
    std::int64_t number = 0;
};

struct Item {
    JsonView node;                 ///< of a time: nothing
    std::optional<PathTime> time;
    Base base;
};
using Items = std::vector<Item>;

/// Went on or found something; nothing was there; an error that is kept quiet.
enum class Outcome : std::uint8_t { found, nothing, failed };

bool is_array(const Item& item) { return !item.time && item.node.kind() == JsonKind::array; }
bool is_object(const Item& item) { return !item.time && item.node.kind() == JsonKind::object; }
bool is_number(const Item& item) { return !item.time && item.node.kind() == JsonKind::number; }
bool is_string(const Item& item) { return !item.time && item.node.kind() == JsonKind::string; }

/// Where an object begins in PostgreSQL's layout of the document (a header, an entry for each child, the children;
/// numbers and containers at multiples of four): keyvalue() shows that as its id.
class Layout {
public:
    Layout(JsonView root, const char* wanted) : wanted_(wanted) { container(root, 0); }
    std::int64_t offset() const { return found_; }

private:
    static std::int64_t aligned(std::int64_t at) { return (at + 3) / 4 * 4; }
    static std::int64_t number_size(JsonView node) {
        Arena arena;
        std::string digits;
        numeric_to_text(numeric_abs(node.number(arena), arena), digits);
        const std::size_t point = std::min(digits.find('.'), digits.size());
        // Groups of four digits around the point, without groups of zeros at either end.
        std::string whole = digits.substr(0, point), part = point < digits.size() ? digits.substr(point + 1) : "";
        while (whole.size() % 4 != 0) whole.insert(0, 1, '0');
        while (part.size() % 4 != 0) part += '0';
        std::string all = whole + part;
        while (all.size() >= 4 && all.compare(0, 4, "0000") == 0) all.erase(0, 4);
        while (all.size() >= 4 && all.compare(all.size() - 4, 4, "0000") == 0) all.erase(all.size() - 4);
        return 6 + static_cast<std::int64_t>(all.size() / 4) * 2;
    }
    std::int64_t child(JsonView node, std::int64_t at) {
        switch (node.kind()) {
            case JsonKind::string: return at + static_cast<std::int64_t>(node.string().size());
            case JsonKind::number: return aligned(at) + number_size(node);
            case JsonKind::array:
            case JsonKind::object: return container(node, aligned(at));
            default: return at;
        }
    }
    std::int64_t container(JsonView node, std::int64_t at) {
        if (node.bytes().data() == wanted_) found_ = at;
        const std::size_t count = node.is_scalar() ? 0 : node.size();
        if (node.kind() == JsonKind::array) {
            std::int64_t end = at + 4 + 4 * static_cast<std::int64_t>(count);
            for (std::size_t i = 0; i < count && found_ < 0; ++i) end = child(node.element(i), end);
            return end;
        }
        std::int64_t end = at + 4 + 8 * static_cast<std::int64_t>(count);
        for (std::size_t i = 0; i < count; ++i) end += static_cast<std::int64_t>(node.key(i).size());
        for (std::size_t i = 0; i < count && found_ < 0; ++i) end = child(node.value(i), end);
        return end;
    }
    const char* wanted_;
    std::int64_t found_ = -1;
};

class Evaluator {
public:
    Evaluator(const PathQuestion& question, Session& session)
        : path_(question.path), variables_(question.variables), session_(session), raising_(!question.silent),
          zones_(question.zones), tolerant_(question.path.lax) {
        root_.node = question.target;
        root_.base = {question.target, 0};
    }

    Outcome run(Items* found) {
        current_ = root_;
        return item(path_.start, root_, found, path_.lax);
    }

private:
    const PathNode& at(std::int32_t id) const { return path_.nodes[static_cast<std::size_t>(id)]; }

    Outcome fail(SqlState state, const std::string& message) const {
        if (raising_) raise(state, message);
        return Outcome::failed;
    }

    Outcome pass(const PathNode& node, const Item& value, Items* found) {
        if (node.next != k_no_path_node) return item(node.next, value, found, path_.lax);
        if (found != nullptr) found->push_back(value);
        return Outcome::found;
    }
    Outcome pass_node(const PathNode& node, std::string bytes, Items* found) {
        Item value;
        value.node = JsonView(arena_.copy(bytes));
        value.base = {value.node, ++generated_};
        return pass(node, value, found);
    }

    /// `step` for every child of a container until one fails, or one is found where a first one is enough.
    template <class Step>
    Outcome each_child(const Item& container, Items* found, Step&& step) {
        Outcome result = Outcome::nothing;
        const bool array = is_array(container);
        const std::size_t count = container.node.size();
        for (std::size_t i = 0; i < count; ++i) {
            Item child;
            child.node = array ? container.node.element(i) : container.node.value(i);
            child.base = container.base;
            const Outcome one = step(child);
            if (one == Outcome::failed) return one;
            if (one == Outcome::found) {
                result = one;
                if (found == nullptr) return one;
            }
        }
        return result;
    }
    Outcome each_element(std::int32_t id, const Item& array, Items* found) {
        return each_child(array, found, [&](const Item& element) { return item(id, element, found, false); });
    }

    struct Deeper {
        explicit Deeper(Evaluator& evaluator) : evaluator_(evaluator) {
            if (++evaluator_.depth_ > k_json_max_depth)
                raise(sqlstate::statement_too_complex, "jsonpath is nested too deeply");
        }
        ~Deeper() { --evaluator_.depth_; }
        Deeper(const Deeper&) = delete;
        Deeper& operator=(const Deeper&) = delete;
        Evaluator& evaluator_;
    };

    /// `unwrap`: an array that an accessor of objects or scalars meets is opened.
    Outcome item(std::int32_t id, const Item& value, Items* found, bool unwrap) {
        const Deeper deeper(*this);
        if (session_.host != nullptr && (++steps_ & 1023) == 0) session_.host->check_cancelled();
        const PathNode& node = at(id);
        switch (node.op) {
            case PathOp::null:
            case PathOp::no:
            case PathOp::yes:
            case PathOp::number:
            case PathOp::string:
            case PathOp::variable: return pass(node, literal(node), found);
            case PathOp::root: return pass(node, root_, found);
            case PathOp::current: return pass(node, current_, found);
            case PathOp::last: return pass_number(node, numeric_from_int(innermost_size_ - 1, arena_), found);
            case PathOp::key: return member(id, node, value, found, unwrap);
            case PathOp::any_key:
                if (is_object(value))
                    return each_child(value, found, [&](const Item& child) { return pass(node, child, found); });
                if (unwrap && is_array(value)) return each_element(id, value, found);
                if (tolerant_) return Outcome::nothing;
                return fail(sqlstate::sql_json_object_not_found,
                            "jsonpath wildcard member accessor can only be applied to an object");
            case PathOp::any_array:
                if (is_array(value))
                    return each_child(value, found, [&](const Item& child) { return pass(node, child, found); });
                if (path_.lax) return pass(node, value, found);
                if (tolerant_) return Outcome::nothing;
                return fail(sqlstate::sql_json_array_not_found,
                            "jsonpath wildcard array accessor can only be applied to an array");
            case PathOp::index: return subscripts(node, value, found);
            case PathOp::any_level: return levels(node, value, found);
            case PathOp::filter: {
                if (unwrap && is_array(value)) return each_element(id, value, found);
                const Item outside = std::exchange(current_, value);
                const PathTruth truth = predicate(node.left, value);
                current_ = outside;
                return truth == PathTruth::yes ? pass(node, value, found) : Outcome::nothing;
            }
            case PathOp::type: {
                std::string bytes;
                json_append_string(type_of(value), bytes);
                return pass_node(node, std::move(bytes), found);
            }
            case PathOp::size: {
                if (!is_array(value) && !path_.lax) {
                    if (tolerant_) return pass_number(node, numeric_from_int(1, arena_), found);
                    return fail(sqlstate::sql_json_array_not_found,
                                "jsonpath item method .size() can only be applied to an array");
                }
                const std::size_t size = is_array(value) ? value.node.size() : 1;
                return pass_number(node, numeric_from_int(static_cast<std::int64_t>(size), arena_), found);
            }
            case PathOp::abs:
            case PathOp::floor:
            case PathOp::ceiling:
            case PathOp::to_double:
                if (unwrap && is_array(value)) return each_element(id, value, found);
                return node.op == PathOp::to_double ? to_double(node, value, found) : number_method(node, value, found);
            case PathOp::datetime:
                if (unwrap && is_array(value)) return each_element(id, value, found);
                return datetime(node, value, found);
            case PathOp::keyvalue:
                if (unwrap && is_array(value)) return each_element(id, value, found);
                return keyvalue(node, value, found);
            case PathOp::add:
            case PathOp::subtract:
            case PathOp::multiply:
            case PathOp::divide:
            case PathOp::modulo: return arithmetic(node, value, found);
            case PathOp::plus:
            case PathOp::minus: return sign(node, value, found);
            default: break;
        }
        std::string bytes;
        const PathTruth truth = predicate(id, value);
        if (truth == PathTruth::unknown) json_append_null(bytes);
        else json_append_boolean(truth == PathTruth::yes, bytes);
        return pass_node(node, std::move(bytes), found);
    }

    Item literal(const PathNode& node) {
        Item value;
        if (node.op == PathOp::variable) {
            const std::optional<JsonView> found =
                variables_.kind() == JsonKind::object ? variables_.find(node.text) : std::nullopt;
            if (!found)
                raise(sqlstate::undefined_object, "could not find jsonpath variable \"" + node.text + "\"");
            value.node = *found;
            value.base = {variables_, 1};
            return value;
        }
        std::string bytes;
        switch (node.op) {
            case PathOp::number: json_append_number(numeric_from_text(node.text, arena_), bytes); break;
            case PathOp::string: json_append_string(node.text, bytes); break;
            case PathOp::null: json_append_null(bytes); break;
            default: json_append_boolean(node.op == PathOp::yes, bytes); break;
        }
        value.node = JsonView(arena_.copy(bytes));
        value.base = {value.node, 0};
        return value;
    }
    Outcome pass_number(const PathNode& node, const Numeric& number, Items* found) {
        if (node.next == k_no_path_node && found == nullptr) return Outcome::found;
        std::string bytes;
        json_append_number(number, bytes);
        return pass_node(node, std::move(bytes), found);
    }
    static const char* type_of(const Item& value) {
        if (value.time) return path_time_type(*value.time);
        switch (value.node.kind()) {
            case JsonKind::null: return "null";
            case JsonKind::no:
            case JsonKind::yes: return "boolean";
            case JsonKind::number: return "number";
            case JsonKind::string: return "string";
            case JsonKind::array: return "array";
            default: return "object";
        }
    }

    Outcome member(std::int32_t id, const PathNode& node, const Item& value, Items* found, bool unwrap) {
        if (is_object(value)) {
            if (const std::optional<JsonView> child = value.node.find(node.text)) {
                Item next;
                next.node = *child;
                next.base = value.base;
                return pass(node, next, found);
            }
            if (tolerant_) return Outcome::nothing;
            return fail(sqlstate::sql_json_member_not_found,
                        "JSON object does not contain key \"" + node.text + "\"");
        }
        if (unwrap && is_array(value)) return each_element(id, value, found);
        if (tolerant_) return Outcome::nothing;
        return fail(sqlstate::sql_json_member_not_found, "jsonpath member accessor can only be applied to an object");
    }

    Outcome subscripts(const PathNode& node, const Item& value, Items* found) {
        if (!is_array(value) && !path_.lax) {
            if (tolerant_) return Outcome::nothing;
            return fail(sqlstate::sql_json_array_not_found,
                        "jsonpath array accessor can only be applied to an array");
        }
        const std::int64_t size = is_array(value) ? static_cast<std::int64_t>(value.node.size()) : 1;
        const std::int64_t outside = std::exchange(innermost_size_, size);
        const Outcome result = subscripts_of(node, value, size, found);
        innermost_size_ = outside;
        return result;
    }
    Outcome subscripts_of(const PathNode& node, const Item& value, std::int64_t size, Items* found) {
        Outcome result = Outcome::nothing;
        for (const auto& [from_id, to_id] : node.subscripts) {
            std::int64_t from = 0, to = 0;
            if (subscript(from_id, value, from) == Outcome::failed) return Outcome::failed;
            to = from;
            if (to_id != k_no_path_node && subscript(to_id, value, to) == Outcome::failed) return Outcome::failed;
            if (!tolerant_ && (from < 0 || from > to || to >= size))
                return fail(sqlstate::invalid_sql_json_subscript, "jsonpath array subscript is out of bounds");
            for (std::int64_t i = std::max<std::int64_t>(from, 0); i <= to && i < size; ++i) {
                Item element = value;
                if (is_array(value)) {
                    element = Item();
                    element.node = value.node.element(static_cast<std::size_t>(i));
                    element.base = value.base;
                }
                const Outcome one = pass(node, element, found);
                if (one == Outcome::failed) return one;
                if (one != Outcome::found) continue;
                result = one;
                if (found == nullptr) return one;
            }
        }
        return result;
    }
    Outcome subscript(std::int32_t id, const Item& value, std::int64_t& to) {
        Items items;
        if (item(id, value, &items, path_.lax) == Outcome::failed) return Outcome::failed;
        if (items.size() != 1 || !is_number(items[0]))
            return fail(sqlstate::invalid_sql_json_subscript, "jsonpath array subscript is not a single numeric value");
        const Numeric whole = numeric_truncate(items[0].node.number(arena_), 0, arena_);
        const std::optional<std::int64_t> exact = numeric_to_int_exactly(whole);
        if (!exact || *exact > 0x7fffffff || *exact < -0x7fffffff - 1)
            return fail(sqlstate::invalid_sql_json_subscript, "jsonpath array subscript is out of integer range");
        to = *exact;
        return Outcome::found;
    }

    Outcome levels(const PathNode& node, const Item& value, Items* found) {
        Outcome result = Outcome::nothing;
        const bool strict = std::exchange(tolerant_, true);
        if (node.first == 0) result = pass(node, value, found);
        // Of a container that fails by itself, what it holds is read all the same.
        if (!(result == Outcome::found && found == nullptr) && (is_array(value) || is_object(value))) {
            const Outcome below = level(node, value, 1, found);
            if (below != Outcome::nothing || result == Outcome::failed) result = below;
        }
        tolerant_ = strict;
        return result;
    }
    Outcome level(const PathNode& node, const Item& container, std::uint32_t depth, Items* found) {
        if (depth > node.end) return Outcome::nothing;
        const Deeper deeper(*this);
        return each_child(container, found, [&](const Item& child) {
            const bool inner = is_array(child) || is_object(child);
            Outcome result = Outcome::nothing;
            if (depth >= node.first || (node.first == k_last_level && node.end == k_last_level && !inner))
                result = pass(node, child, found);
            if (result == Outcome::failed || (result == Outcome::found && found == nullptr)) return result;
            if (depth < node.end && inner) {
                const Outcome below = level(node, child, depth + 1, found);
                if (below != Outcome::nothing) result = below;
            }
            return result;
        });
    }

    static const char* name_of(PathOp op) {
        switch (op) {
            case PathOp::abs: return "abs";
            case PathOp::floor: return "floor";
            case PathOp::ceiling: return "ceiling";
            case PathOp::to_double: return "double";
            case PathOp::add:
            case PathOp::plus: return "+";
            case PathOp::subtract:
            case PathOp::minus: return "-";
            case PathOp::multiply: return "*";
            case PathOp::divide: return "/";
            default: return "%";
        }
    }
    Outcome number_method(const PathNode& node, const Item& value, Items* found) {
        if (!is_number(value)) {
            return fail(sqlstate::non_numeric_sql_json_item, std::string("jsonpath item method .") + name_of(node.op) +
                                                                 "() can only be applied to a numeric value");
        }
        const Numeric number = value.node.number(arena_);
        return pass_number(node,
                           node.op == PathOp::abs     ? numeric_abs(number, arena_)
                           : node.op == PathOp::floor ? numeric_floor(number, arena_)
                                                      : numeric_ceil(number, arena_),
                           found);
    }
    Outcome to_double(const PathNode& node, const Item& value, Items* found) {
        if (!is_number(value) && !is_string(value)) {
            return fail(sqlstate::non_numeric_sql_json_item,
                        "jsonpath item method .double() can only be applied to a string or numeric value");
        }
        std::string text;
        if (is_number(value)) numeric_to_text(value.node.number(arena_), text);
        else text = value.node.string();
        double number = 0;
        try {
            number = float8_from_text(text);
        } catch (const SqlError&) {
            return fail(sqlstate::non_numeric_sql_json_item,
                        std::string(is_number(value) ? "numeric" : "string") +
                            " argument of jsonpath item method .double() is out of range for type double precision");
        }
        if (!std::isfinite(number)) {
            return fail(sqlstate::non_numeric_sql_json_item,
                        "NaN or Infinity is not allowed for jsonpath item method .double()");
        }
        if (is_number(value)) return pass(node, value, found);
        text.clear();
        float8_to_text(number, text, 1);
        return pass_number(node, numeric_from_text(text, arena_), found);
    }
    Outcome datetime(const PathNode& node, const Item& value, Items* found) {
        if (!is_string(value)) {
            return fail(sqlstate::invalid_argument_for_sql_json_datetime_function,
                        "jsonpath item method .datetime() can only be applied to a string");
        }
        Item result;
        if (node.left != k_no_path_node) {
            PathTimeError error{sqlstate::invalid_datetime_format, {}};
            result.time = path_time_from_text(value.node.string(), at(node.left).text, session_, error);
            if (!result.time) return fail(error.state, error.message);
        } else {
            result.time = path_time_from_iso(value.node.string(), session_);
            if (!result.time) {
                return fail(sqlstate::invalid_argument_for_sql_json_datetime_function,
                            "datetime format is not recognized: \"" + std::string(value.node.string()) + "\"");
            }
        }
        return pass(node, result, found);
    }
    Outcome keyvalue(const PathNode& node, const Item& value, Items* found) {
        if (!is_object(value)) {
            return fail(sqlstate::sql_json_object_not_found,
                        "jsonpath item method .keyvalue() can only be applied to an object");
        }
        const std::size_t count = value.node.size();
        if (count == 0) return Outcome::nothing;
        if (node.next == k_no_path_node && found == nullptr) return Outcome::found;
        const std::int64_t offset = Layout(value.base.root, value.node.bytes().data()).offset();
        std::string id;
        json_append_number(numeric_from_int(offset + value.base.number * 10'000'000'000, arena_), id);
        Outcome result = Outcome::nothing;
        for (std::size_t i = 0; i < count; ++i) {
            std::string key, object;
            json_append_string(value.node.key(i), key);
            std::vector<JsonMember> members = {{"key", key}, {"value", value.node.value(i).bytes()}, {"id", id}};
            json_append_object(members, object);
            const Outcome one = pass_node(node, std::move(object), found);
            if (one == Outcome::failed) return one;
            if (one != Outcome::found) continue;
            result = one;
            if (found == nullptr) return one;
        }
        return result;
    }

    /// The items of an operand; in lax mode elements in place of arrays.
    Outcome operand(std::int32_t id, const Item& value, bool unwrap, Items& items) {
        Items raw;
        const Outcome result = item(id, value, &raw, path_.lax);
        if (result == Outcome::failed) return result;
        for (Item& one : raw) {
            if (unwrap && path_.lax && is_array(one)) {
                each_child(one, &raw, [&](const Item& element) {
                    items.push_back(element);
                    return Outcome::found;
                });
            } else {
                items.push_back(std::move(one));
            }
        }
        return result;
    }
    /// The same; errors in it are not raised.
    Outcome operand_quietly(std::int32_t id, const Item& value, bool unwrap, Items& items) {
        const bool outside = std::exchange(raising_, false);
        const Outcome result = operand(id, value, unwrap, items);
        raising_ = outside;
        return result;
    }

    Outcome arithmetic(const PathNode& node, const Item& value, Items* found) {
        Items left, right;
        if (operand(node.left, value, true, left) == Outcome::failed) return Outcome::failed;
        if (operand(node.right, value, true, right) == Outcome::failed) return Outcome::failed;
        const auto not_single = [&](const char* side) {
            return fail(sqlstate::singleton_sql_json_item_required,
                        std::string(side) + " operand of jsonpath operator " + name_of(node.op) +
                            " is not a single numeric value");
        };
        if (left.size() != 1 || !is_number(left[0])) return not_single("left");
        if (right.size() != 1 || !is_number(right[0])) return not_single("right");
        const Numeric a = left[0].node.number(arena_), b = right[0].node.number(arena_);
        Numeric result = a;
        try {
            result = node.op == PathOp::add        ? numeric_add(a, b, arena_)
                     : node.op == PathOp::subtract ? numeric_subtract(a, b, arena_)
                     : node.op == PathOp::multiply ? numeric_multiply(a, b, arena_)
                     : node.op == PathOp::divide   ? numeric_divide(a, b, arena_)
                                                   : numeric_modulo(a, b, arena_);
        } catch (const SqlError&) {  // division by zero, too many digits
            if (raising_) throw;
            return Outcome::failed;
        }
        return pass_number(node, result, found);
    }
    Outcome sign(const PathNode& node, const Item& value, Items* found) {
        Items items;
        if (operand(node.left, value, true, items) == Outcome::failed) return Outcome::failed;
        Outcome result = Outcome::nothing;
        const bool look_only = found == nullptr && node.next == k_no_path_node;
        for (const Item& one : items) {
            if (!is_number(one)) {
                if (look_only) continue;
                return fail(sqlstate::sql_json_number_not_found, std::string("operand of unary jsonpath operator ") +
                                                                     name_of(node.op) + " is not a numeric value");
            }
            if (look_only) return Outcome::found;
            const Numeric number = one.node.number(arena_);
            const Outcome passed =
                pass_number(node, node.op == PathOp::minus ? numeric_negate(number, arena_) : number, found);
            if (passed == Outcome::failed) return passed;
            if (passed != Outcome::found) continue;
            result = passed;
            if (found == nullptr) return passed;
        }
        return result;
    }

    // ---- predicates ----

    PathTruth predicate(std::int32_t id, const Item& value) {
        const Deeper deeper(*this);
        const PathNode& node = at(id);
        switch (node.op) {
            case PathOp::both: {
                const PathTruth left = predicate(node.left, value);
                if (left == PathTruth::no) return left;
                const PathTruth right = predicate(node.right, value);
                return right == PathTruth::yes ? left : right;
            }
            case PathOp::either: {
                const PathTruth left = predicate(node.left, value);
                if (left == PathTruth::yes) return left;
                const PathTruth right = predicate(node.right, value);
                return right == PathTruth::no ? left : right;
            }
            case PathOp::negation: {
                const PathTruth inside = predicate(node.left, value);
                if (inside == PathTruth::unknown) return inside;
                return inside == PathTruth::yes ? PathTruth::no : PathTruth::yes;
            }
            case PathOp::is_unknown:
                return predicate(node.left, value) == PathTruth::unknown ? PathTruth::yes : PathTruth::no;
            case PathOp::exists: {
                Items items;
                const bool outside = std::exchange(raising_, false);
                const Outcome result = item(node.left, value, path_.lax ? nullptr : &items, path_.lax);
                raising_ = outside;
                if (result == Outcome::failed) return PathTruth::unknown;
                return (path_.lax ? result == Outcome::found : !items.empty()) ? PathTruth::yes : PathTruth::no;
            }
            case PathOp::starts_with:
                return pairs(node, value, false, [](const Item& a, const Item& b) {
                    if (!is_string(a) || !is_string(b)) return PathTruth::unknown;
                    return a.node.string().starts_with(b.node.string()) ? PathTruth::yes : PathTruth::no;
                });
            case PathOp::like_regex: {
                const Regex& regex = pattern(id, node);
                return pairs(node, value, false, [&](const Item& a, const Item&) {
                    if (!is_string(a)) return PathTruth::unknown;
                    std::vector<RegexGroup> groups;
                    return regex.search(RegexText(a.node.string()), 0, false, groups) ? PathTruth::yes : PathTruth::no;
                });
            }
            default:
                return pairs(node, value, true,
                             [&](const Item& a, const Item& b) { return compare(node.op, a, b); });
        }
    }
    const Regex& pattern(std::int32_t id, const PathNode& node) {
        for (const auto& [known, regex] : patterns_) {
            if (known == id) return *regex;
        }
        patterns_.emplace_back(id, std::make_unique<Regex>(node.text, jsonpath_regex_options(node.flags)));
        return *patterns_.back().second;
    }

    /// Whether it holds for some pair of items of both operands.
    template <class Test>
    PathTruth pairs(const PathNode& node, const Item& value, bool unwrap_right, Test&& test) {
        Items left, right;
        if (operand_quietly(node.left, value, true, left) == Outcome::failed) return PathTruth::unknown;
        if (node.right == k_no_path_node) right.emplace_back();
        else if (operand_quietly(node.right, value, unwrap_right, right) == Outcome::failed) return PathTruth::unknown;
        bool found = false, unknown = false;
        for (const Item& a : left) {
            for (const Item& b : right) {
                const PathTruth truth = test(a, b);
                if (truth == PathTruth::unknown) {
                    if (!path_.lax) return truth;
                    unknown = true;
                } else if (truth == PathTruth::yes) {
                    if (path_.lax) return truth;
                    found = true;
                }
            }
        }
        return found ? PathTruth::yes : unknown ? PathTruth::unknown : PathTruth::no;
    }

    PathTruth compare(PathOp op, const Item& a, const Item& b) {
        const auto truth = [](bool holds) { return holds ? PathTruth::yes : PathTruth::no; };
        int order = 0;
        if (a.time || b.time) {
            if (!a.time || !b.time) return null_beside(op, a, b);
            const std::optional<int> known = path_time_compare(*a.time, *b.time, zones_, session_);
            if (!known) return PathTruth::unknown;
            order = *known;
        } else {
            const bool booleans = a.node.is_boolean() && b.node.is_boolean();
            if (!booleans && a.node.kind() != b.node.kind()) return null_beside(op, a, b);
            switch (a.node.kind()) {
                case JsonKind::array:
                case JsonKind::object: return PathTruth::unknown;
                case JsonKind::null: break;
                case JsonKind::number:
                    order = numeric_compare(a.node.number(arena_), b.node.number(arena_));
                    break;
                case JsonKind::string: order = a.node.string().compare(b.node.string()); break;
                default: order = static_cast<int>(a.node.kind()) - static_cast<int>(b.node.kind()); break;
            }
        }
        switch (op) {
            case PathOp::equal: return truth(order == 0);
            case PathOp::not_equal: return truth(order != 0);
            case PathOp::less: return truth(order < 0);
            case PathOp::less_equal: return truth(order <= 0);
            case PathOp::greater: return truth(order > 0);
            default: return truth(order >= 0);
        }
    }
    /// Of different types: null is unequal to everything else, other pairs cannot be compared.
    static PathTruth null_beside(PathOp op, const Item& a, const Item& b) {
        const bool null = (!a.time && a.node.kind() == JsonKind::null) || (!b.time && b.node.kind() == JsonKind::null);
        if (!null) return PathTruth::unknown;
        return op == PathOp::not_equal ? PathTruth::yes : PathTruth::no;
    }

    const JsonPath& path_;
    JsonView variables_;
    Session& session_;
    Arena arena_;
    Item root_, current_;
    bool raising_, zones_;
    bool tolerant_;  ///< errors of structure are empty sequences: in lax mode, and below .**
    std::int64_t innermost_size_ = 0, generated_ = 1;
    int depth_ = 0;
    std::uint64_t steps_ = 0;
    std::vector<std::pair<std::int32_t, std::unique_ptr<Regex>>> patterns_;
};

}  // namespace jsonpath_evaluate

PathAnswer jsonpath_query(const PathQuestion& question, Session& session) {
    using namespace jsonpath_evaluate;
    Evaluator evaluator(question, session);
    Items items;
    PathAnswer answer;
    answer.failed = evaluator.run(&items) == Outcome::failed;
    for (const Item& item : items) {
        if (!item.time) {
            answer.items.emplace_back(item.node.bytes());
            continue;
        }
        json_append_string(path_time_to_text(*item.time), answer.items.emplace_back());
    }
    return answer;
}

PathTruth jsonpath_exists(const PathQuestion& question, Session& session) {
    using namespace jsonpath_evaluate;
    if (!question.path.lax) {  // only the whole list shows that there is no error in it
        const PathAnswer answer = jsonpath_query(question, session);
        return answer.failed ? PathTruth::unknown : answer.items.empty() ? PathTruth::no : PathTruth::yes;
    }
    Evaluator evaluator(question, session);
    const Outcome outcome = evaluator.run(nullptr);
    return outcome == Outcome::failed ? PathTruth::unknown
           : outcome == Outcome::found ? PathTruth::yes
                                       : PathTruth::no;
}

}  // namespace northstar::inline v0::sql
