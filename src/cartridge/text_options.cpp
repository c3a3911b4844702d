#include "cartridge/text_options.hpp"

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "cartridge/json_strings.hpp"
#include "cartridge/text_stem.hpp"

#include <algorithm>
#include <charconv>

namespace northstar::inline v0::detail {

namespace text_options_impl {

[[noreturn]] void refuse(const std::string& sentence) { fail(Errc::invalid_argument, sentence); }

/// "title^3,body"
std::vector<TextOptions::Field> parse_fields(std::string_view list) {
    std::vector<TextOptions::Field> fields;
    for (std::string_view rest = list;;) {
        const std::size_t comma = std::min(rest.find(','), rest.size());
        const std::string_view part = rest.substr(0, comma);
        const std::size_t mark = std::min(part.rfind('^'), part.size());
        TextOptions::Field field{std::string(part.substr(0, mark)), 1};
        if (mark != part.size()) {
            const char* const end = part.data() + part.size();
            const auto [stop, error] = std::from_chars(part.data() + mark + 1, end, field.weight);
            if (error != std::errc() || stop != end || field.weight == 0 || field.weight > k_text_most_weight) {
                refuse("the weight of a field is 1 to " + std::to_string(k_text_most_weight) + ", not that of '" +
                       std::string(part) + "'");
            }
        }
        const bool again =
            std::any_of(fields.begin(), fields.end(), [&](const auto& f) { return f.name == field.name; });
        if (field.name.empty() || again || fields.size() == k_text_most_fields) {
            refuse("the parameter fields is 1 to " + std::to_string(k_text_most_fields) +
                   " different names between commas, each with ^WEIGHT behind it or not, not '" + std::string(list) +
                   "'");
        }
        fields.push_back(std::move(field));
        if (comma == rest.size()) return fields;
        rest.remove_prefix(comma + 1);
    }
}

bool one_of(const std::string& name, const std::string& value, std::string_view yes, std::string_view no) {
    if (value != yes && value != no) {
        refuse("the parameter " + name + " is " + std::string(yes) + " or " + std::string(no) + ", not '" + value +
               "'");
    }
    return value == yes;
}

}  // namespace text_options_impl

TextOptions::TextOptions(const CartridgeParameters& parameters) {
    using namespace text_options_impl;
    for (const auto& [name, value] : parameters) {
        if (name == "tree") {
            if (value.empty() || value.find('\0') != std::string::npos) {
                refuse("the parameter tree is empty, or holds a zero byte");
            }
            tree = value;
        } else if (name == "fields") {
            fields = parse_fields(value);
            objects = true;
        } else if (name == "positions") {
            positions = one_of(name, value, "yes", "no");
        } else if (name == "stemming") {
            porter = one_of(name, value, "porter", "none");
        } else {
            refuse("texts have the parameters tree, fields, positions and stemming, not '" + name + "'");
        }
    }
}

bool fields_of_value(const TextOptions& options, std::string_view value, std::vector<std::string>& fields) {
    fields.assign(options.fields.size(), std::string());
    if (!options.objects) {
        fields[0] = value;
        return true;
    }
    return read_json_strings(value, [&](std::string_view name) -> std::string* {
        for (std::size_t i = 0; i < fields.size(); ++i) {
            if (options.fields[i].name == name) return &fields[i];
        }
        return nullptr;
    });
}

std::string encode_fields(const std::vector<std::string>& fields) {
    std::string out;
    ByteWriter writer(out);
    for (const std::string& field : fields) writer.counted_text(field);
    return out;
}

std::vector<std::string_view> fields_of_fact(const TextOptions& options, std::string_view fact) {
    if (!options.objects) return {fact};
    std::vector<std::string_view> fields;
    ByteReader reader(fact, "document of a cartridge");
    for (std::size_t i = 0; i < options.fields.size(); ++i) fields.push_back(reader.counted_text());
    reader.expect_end();
    return fields;
}

std::string text_term(const TextOptions& options, std::string_view word) {
    return options.porter ? porter_stem(word) : std::string(word);
}

}  // namespace northstar::inline v0::detail
