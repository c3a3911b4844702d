// text_options.hpp -- what a text cartridge was told, and the fields of a document.  Layer: cartridge.  Threads: any.
//
// [TEXT-3] Without the parameter "fields" a value is a document's text, whatever its bytes are. With it a value that
//          is a JSON object (RFC 8259) is a document, whose fields are the strings of these names; other values are
//          none.
#pragma once

#include "api/northstar.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace northstar::inline v0::detail {

inline constexpr std::string_view k_text_default_tree = "documents";
inline constexpr std::size_t k_text_most_fields = 16;
inline constexpr std::uint32_t k_text_most_weight = 100;

struct TextOptions {
    /// Throws Error(invalid_argument).
    explicit TextOptions(const CartridgeParameters& parameters);

    struct Field {
        std::string name;
        std::uint32_t weight = 1;
    };
    std::string tree{k_text_default_tree};
    std::vector<Field> fields{Field()};  ///< one without a name where documents are plain text
    bool objects = false;                ///< documents are JSON objects
    bool positions = true;
    bool porter = false;
};

/// Has this value the parts of a document? Those of plain text are the value itself, those of an object the strings of
/// its fields, in the order of the options (the last one, where a name comes twice). false: it is no document.
bool fields_of_value(const TextOptions& options, std::string_view value, std::vector<std::string>& fields);

/// The value of a fact: plain text as it is; else each field as a counted text.
std::string encode_fields(const std::vector<std::string>& fields);
/// The other way: views of `fact`. Throws Error(corrupt).
std::vector<std::string_view> fields_of_fact(const TextOptions& options, std::string_view fact);

/// The word as the index has it.
std::string text_term(const TextOptions& options, std::string_view word);

}  // namespace northstar::inline v0::detail
