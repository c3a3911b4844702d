#include "vectors.hpp"

#include "failure.hpp"
#include "text.hpp"

#include <charconv>
#include <span>
#include <vector>

namespace northstar_tool {

using northstar::Embedding;
using northstar::EmbeddingSpace;
using northstar::VectorElement;

namespace vectors_impl {

[[noreturn]] void malformed(const std::string& where, const std::string& what) {
    throw Failure(k_exit_bad_input, where + ": " + what);
}

}  // namespace vectors_impl

Embedding parse_vector(const EmbeddingSpace& space, std::string_view text, const std::string& where) {
    std::vector<float> floats;
    std::vector<std::int8_t> signed_bytes;
    std::vector<std::uint8_t> bytes;
    const auto add = [&](std::string_view word) {
        const char* const end = word.data() + word.size();
        if (space.element == VectorElement::f32) {
            float number = 0;
            const auto [at, error] = std::from_chars(word.data(), end, number);
            if (error != std::errc() || at != end) {
                vectors_impl::malformed(where, "'" + printable(word) + "' is no number");
            }
            floats.push_back(number);
            return;
        }
        int number = 0;
        const auto [at, error] = std::from_chars(word.data(), end, number);
        const bool is_signed = space.element == VectorElement::i8;
        if (error != std::errc() || at != end || number < (is_signed ? -128 : 0) || number > (is_signed ? 127 : 255)) {
            vectors_impl::malformed(where, "'" + printable(word) + "' is no number of type " +
                                               element_name(space.element));
        }
        signed_bytes.push_back(static_cast<std::int8_t>(number));
        bytes.push_back(static_cast<std::uint8_t>(number));
    };
    constexpr std::string_view between = " \t\r\n,[]";
    for (std::size_t at = text.find_first_not_of(between); at != std::string_view::npos;) {
        const std::size_t end = std::min(text.find_first_of(between, at), text.size());
        add(text.substr(at, end - at));
        at = text.find_first_not_of(between, end);
    }
    try {
        if (space.element == VectorElement::f32) return {space, std::span<const float>(floats)};
        if (space.element == VectorElement::i8) return {space, std::span<const std::int8_t>(signed_bytes)};
        return {space, std::span<const std::uint8_t>(bytes)};
    } catch (const northstar::Error& error) {
        vectors_impl::malformed(where, error.what());
    }
}

const char* element_name(VectorElement element) {
    constexpr const char* names[] = {"f32", "i8", "u8"};
    return names[static_cast<std::size_t>(element)];
}

bool is_hashed(const EmbeddingSpace& space) {
    const EmbeddingSpace usual = northstar::hashed_embedding_space();
    return space.model == usual.model && space.element == usual.element && space.normalised == usual.normalised;
}

std::string tree_of(const northstar::CartridgeInfo& info, const char* otherwise) {
    const auto found = info.parameters.find("tree");
    return found != info.parameters.end() ? found->second : otherwise;
}

}  // namespace northstar_tool
