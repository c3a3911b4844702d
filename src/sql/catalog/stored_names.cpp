#include "sql/catalog/stored_names.hpp"

#include "sql/arena.hpp"
#include "sql/syntax/lexer.hpp"
#include "sql/syntax/parser.hpp"

#include <optional>

namespace northstar::inline v0::sql {

namespace stored_names {

class Finder {
public:
    Finder(const Catalog& catalog, std::string_view text, SearchPath path)
        : catalog_(catalog), path_(path), tokens_(lex(text, arena_)) {}

    std::vector<StoredName> run() {
        std::vector<bool> casts;  // of each parenthesis that is open: is it that of CAST?
        for (std::size_t i = 0; tokens_[i].kind != TokenKind::end; ++i) {
            if (tokens_[i].is('(')) casts.push_back(i > 0 && is_word(i - 1, "cast"));
            if (tokens_[i].is(')') && !casts.empty()) casts.pop_back();
            const bool in_cast = !casts.empty() && casts.back();
            if (tokens_[i].kind == TokenKind::string) literal(i, in_cast);
            else if (is_name(i) && (i == 0 || !tokens_[i - 1].is('.'))) type_name(i, in_cast);
        }
        return std::move(found_);
    }

private:
    bool is_name(std::size_t i) const {
        return tokens_[i].kind == TokenKind::identifier || tokens_[i].kind == TokenKind::quoted;
    }
    bool is_word(std::size_t i, std::string_view word) const {
        return tokens_[i].kind == TokenKind::identifier && tokens_[i].text == word;
    }
    /// The type that a literal is cast to by what begins here, where that makes it mean an object; 0: it does not.
    Oid object_type(std::size_t i) const {
        if (is_word(i, "pg_catalog") && tokens_[i + 1].is('.')) i += 2;
        return is_word(i, "regclass") ? type::regclass : is_word(i, "regtype") ? type::regtype : 0;
    }

    void literal(std::size_t i, bool in_cast) {
        const Token& token = tokens_[i];
        const bool cast = tokens_[i + 1].kind == TokenKind::type_cast;
        Oid kind = 0;
        bool bare = false;
        if (cast) kind = object_type(i + 2);
        else if (in_cast && is_word(i + 1, "as")) kind = object_type(i + 2);
        else if (i > 0 && is_name(i - 1)) kind = object_type(i - 1);
        // A name that is a text is looked up at each call and means whatever has it then.
        else if (i > 1 && tokens_[i - 1].is('('))
            for (const char* const function : {"nextval", "currval", "setval"})
                if (is_word(i - 2, function)) kind = type::regclass, bare = true;
        const bool number = token.text.find_first_not_of("0123456789") == token.text.npos;
        if (kind == 0 || number || token.text == "-") return;
        if (const auto oid = catalog_.object_oid(kind, token.text, path_); oid && *oid >= k_first_user_oid)
            found_.push_back({token.begin, token.end, kind, *oid, true, bare});
    }

    void type_name(std::size_t i, bool in_cast) {
        std::size_t last = i;
        while (tokens_[last + 1].is('.') && is_name(last + 2)) last += 2;
        const bool cast = i > 0 && (tokens_[i - 1].kind == TokenKind::type_cast || (in_cast && is_word(i - 1, "as")));
        if (!cast && tokens_[last + 1].kind != TokenKind::string) return;
        std::string name = quote_identifier(tokens_[last].text);
        if (last != i) name = quote_identifier(tokens_[last - 2].text) + "." + name;
        else if (find_builtin_type(tokens_[i].text) != nullptr) return;
        if (const auto oid = catalog_.object_oid(type::regtype, name, path_))
            found_.push_back({tokens_[i].begin, tokens_[last].end, type::regtype, *oid, false, false});
    }

    const Catalog& catalog_;
    SearchPath path_;
    Arena arena_;
    std::vector<Token> tokens_;
    std::vector<StoredName> found_;
};

std::string replace(std::string_view text, const StoredName& place, const std::string& written) {
    std::string name = place.literal ? quote_literal(written) : written;
    if (place.bare) name += "::regclass";
    return std::string(text).replace(place.begin, place.end - place.begin, name);
}

}  // namespace stored_names

std::vector<StoredName> names_in_text(const Catalog& catalog, std::string_view text, SearchPath path) {
    if (text.find('\'') == text.npos && text.find(':') == text.npos && text.find('(') == text.npos) return {};
    return stored_names::Finder(catalog, text, path).run();
}

bool text_names(const Catalog& catalog, std::string_view text, Oid kind, Oid oid) {
    for (const StoredName& name : names_in_text(catalog, text, catalog.stored_path()))
        if (name.kind == kind && name.oid == oid) return true;
    return false;
}

std::string rename_in_text(const Catalog& catalog, std::string_view text, Oid kind, Oid oid,
                           const std::string& written) {
    std::string result(text);
    const std::vector<StoredName> names = names_in_text(catalog, text, catalog.stored_path());
    for (auto name = names.rbegin(); name != names.rend(); ++name)
        if (name->kind == kind && name->oid == oid) result = stored_names::replace(result, *name, written);
    return result;
}

std::string respell_names(const Catalog& catalog, std::string_view text, SearchPath read, SearchPath write) {
    std::string result(text);
    const std::vector<StoredName> names = names_in_text(catalog, text, read);
    for (auto name = names.rbegin(); name != names.rend(); ++name)
        result = stored_names::replace(result, *name, catalog.object_name(name->kind, name->oid, write));
    return result;
}

std::string shown_text(const Catalog& catalog, std::string_view text, SearchPath path) {
    return respell_names(catalog, text, catalog.stored_path(), path);
}

}  // namespace northstar::inline v0::sql
