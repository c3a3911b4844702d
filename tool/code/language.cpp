#include "language.hpp"

#include <array>
#include <utility>

namespace northstar_tool::code {
namespace language_impl {

constexpr std::array<std::pair<std::string_view, Language>, 29> k_endings = {{
    {"c", Language::c},          {"h", Language::cpp},         {"cpp", Language::cpp},
    {"cc", Language::cpp},       {"cxx", Language::cpp},       {"c++", Language::cpp},
    {"hpp", Language::cpp},      {"hh", Language::cpp},        {"hxx", Language::cpp},
    {"h++", Language::cpp},      {"inl", Language::cpp},       {"ipp", Language::cpp},
    {"tpp", Language::cpp},      {"cu", Language::cpp},        {"cuh", Language::cpp},
    {"py", Language::python},    {"pyi", Language::python},    {"go", Language::go},
    {"rs", Language::rust},      {"js", Language::javascript}, {"jsx", Language::javascript},
    {"mjs", Language::javascript}, {"cjs", Language::javascript}, {"ts", Language::typescript},
    {"tsx", Language::typescript}, {"mts", Language::typescript}, {"cts", Language::typescript},
    {"md", Language::markdown},  {"markdown", Language::markdown},
}};

constexpr std::array<std::string_view, 9> k_names = {"",     "c",          "c++",        "python",  "go",
                                                     "rust", "javascript", "typescript", "markdown"};

std::string_view ending_of(std::string_view path) noexcept {
    const std::string_view name = path.substr(path.rfind('/') + 1);
    const std::size_t dot = name.rfind('.');
    return dot == std::string_view::npos ? std::string_view() : name.substr(dot + 1);
}

}  // namespace language_impl

Language language_of(std::string_view path) noexcept {
    const std::string_view ending = language_impl::ending_of(path);
    for (const auto& [known, language] : language_impl::k_endings) {
        if (known == ending) return language;
    }
    return Language::none;
}

std::string_view name_of(Language language) noexcept {
    return language_impl::k_names[static_cast<std::size_t>(language)];
}

Language language_named(std::string_view name) noexcept {
    for (std::size_t i = 0; i < language_impl::k_names.size(); ++i) {
        if (language_impl::k_names[i] == name) return static_cast<Language>(i);
    }
    return Language::none;
}

Family family_of(Language language) noexcept {
    switch (language) {
    case Language::c:
    case Language::cpp: return Family::c;
    case Language::python: return Family::python;
    case Language::go: return Family::go;
    case Language::rust: return Family::rust;
    case Language::javascript:
    case Language::typescript: return Family::javascript;
    case Language::none:
    case Language::markdown: break;
    }
    return Family::none;
}

bool is_header(std::string_view path) noexcept {
    const std::string_view ending = language_impl::ending_of(path);
    return family_of(language_of(path)) == Family::c && !ending.empty() && (ending[0] == 'h' || ending[0] == 'i' ||
                                                                            ending == "tpp" || ending == "cuh");
}

}  // namespace northstar_tool::code
