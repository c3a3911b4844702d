#include "sql/session/column_storage.hpp"

#include "sql/error.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace column_storage_impl {

struct Word {
    std::string_view word;
    char letter;
};
constexpr Word k_storage[] = {{"plain", 'p'}, {"external", 'e'}, {"main", 'm'}, {"extended", 'x'}};
constexpr Word k_compression[] = {{"pglz", 'p'}, {"lz4", 'l'}, {"default", 0}};

template <std::size_t N>
const Word* find(const Word (&words)[N], std::string_view word) {
    const auto* const found =
        std::find_if(std::begin(words), std::end(words), [&](const Word& known) { return known.word == word; });
    return found == std::end(words) ? nullptr : found;
}

template <std::size_t N>
std::string word_of(const Word (&words)[N], char letter) {
    const auto* const found =
        std::find_if(std::begin(words), std::end(words), [&](const Word& known) { return known.letter == letter; });
    return std::string(found->word);
}

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c); });
    return out;
}
std::string upper(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](char c) { return static_cast<char>(c >= 'a' && c <= 'z' ? c - ('a' - 'A') : c); });
    return text;
}

}  // namespace column_storage_impl

char default_storage(const TypeInfo& type) {
    if (type.length >= 0) return 'p';
    return type.form == Form::numeric ? 'm' : 'x';
}

char storage_named(std::string_view word, Oid type, const TypeCatalog* types) {
    using namespace column_storage_impl;
    const Word* const known = find(k_storage, lower(word));
    if (known == nullptr)
        raise(sqlstate::invalid_parameter_value, "invalid storage type \"" + std::string(word) + "\"");
    if (known->letter != 'p' && default_storage(type_info(type, types)) == 'p')
        raise(sqlstate::feature_not_supported, "column data type " + format_type(type, k_no_typmod, types) +
                                                   " can only have storage PLAIN");
    return known->letter;
}

char compression_named(std::string_view word, Oid type, const TypeCatalog* types) {
    using namespace column_storage_impl;
    const Word* const known = find(k_compression, word);
    if (word == "default") return 0;
    if (default_storage(type_info(type, types)) == 'p')
        raise(sqlstate::feature_not_supported,
              "column data type " + format_type(type, k_no_typmod, types) + " does not support compression");
    if (known == nullptr)
        raise(sqlstate::invalid_parameter_value, "invalid compression method \"" + std::string(word) + "\"");
    return known->letter;
}

void set_column_storage(Column& column, const syntax::AlterAction& action, const TypeCatalog* types) {
    const bool storage = action.kind == syntax::AlterKind::set_storage;
    if (storage) column.storage = storage_named(action.source, column.type, types);
    else column.compression = compression_named(action.source, column.type, types);
}

void merge_storage(Column& column, const Column& other, bool inherited, const TypeCatalog* types) {
    using namespace column_storage_impl;
    const char usual = default_storage(type_info(column.type, types));
    const char have = column.storage != 0 ? column.storage : usual;
    const char said = other.storage != 0 || !inherited ? other.storage : usual;
    const std::string name = "column \"" + column.name + "\" has a ";
    if (said != 0 && have != said)
        raise(sqlstate::datatype_mismatch, (inherited ? "inherited " : "") + name + "storage parameter conflict",
              upper(word_of(k_storage, have)) + " versus " + upper(word_of(k_storage, said)));
    if (column.storage == 0) column.storage = other.storage;
    if (column.compression != 0 && other.compression != 0 && column.compression != other.compression)
        raise(sqlstate::datatype_mismatch, name + "compression method conflict",
              word_of(k_compression, column.compression) + " versus " + word_of(k_compression, other.compression));
    if (column.compression == 0) column.compression = other.compression;
}

}  // namespace northstar::inline v0::sql
