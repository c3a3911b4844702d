#include "cartridge/vector_space.hpp"

#include "api/handles.hpp"
#include "base/bytes.hpp"
#include "base/error.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

namespace northstar::inline v0 {

namespace detail {

namespace vector_space_impl {

constexpr std::uint8_t k_mark = 'v';
constexpr std::uint8_t k_version = 1;
constexpr double k_length_tolerance = 1e-3;
constexpr std::uint32_t k_default_links = 32;
constexpr std::uint32_t k_most_links = 256;
constexpr std::uint32_t k_default_build_width = 200;
constexpr std::uint32_t k_most_build_width = 4096;

const char* name_of(VectorElement element) {
    switch (element) {
    case VectorElement::f32: return "f32";
    case VectorElement::i8: return "i8";
    case VectorElement::u8: break;
    }
    return "u8";
}

[[noreturn]] void no_vector(const std::string& what) {
    fail(Errc::invalid_argument, "a value is no vector: it " + what + "; values of vectors are made by Embedding");
}

void check_space(const EmbeddingSpace& space) {
    if (space.model.empty() || space.model.size() > k_longest_model_name) {
        fail(Errc::invalid_argument, "the model of an embedding space has a name of 1 to 200 bytes");
    }
    if (space.dimensions == 0 || space.dimensions > k_most_dimensions) {
        fail(Errc::invalid_argument, "an embedding space has 1 to " + std::to_string(k_most_dimensions) +
                                         " dimensions, not " + std::to_string(space.dimensions));
    }
    if (space.normalised && space.element != VectorElement::f32) {
        fail(Errc::invalid_argument, std::string("vectors of ") + name_of(space.element) +
                                         " have no length of 1; say that the space is not normalised");
    }
}

float load_float(const char* from) { return std::bit_cast<float>(load_u32(from)); }

double length_squared(std::string_view elements) {
    double sum = 0;
    for (std::size_t i = 0; i < elements.size(); i += 4) {
        const double value = load_float(elements.data() + i);
        sum += value * value;
    }
    return sum;
}

void check_floats(std::string_view elements, bool normalised) {
    for (std::size_t i = 0; i < elements.size(); i += 4) {
        if (!std::isfinite(load_float(elements.data() + i))) no_vector("has a number that is not finite");
    }
    if (normalised && std::abs(length_squared(elements) - 1) > 2 * k_length_tolerance) {
        no_vector("is of a normalised space, and its length is not 1");
    }
}

std::uint32_t number(const CartridgeParameters& parameters, const std::string& name, std::uint32_t otherwise,
                     std::uint32_t least, std::uint32_t most) {
    const auto found = parameters.find(name);
    if (found == parameters.end()) return otherwise;
    const std::string& text = found->second;
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < least || value > most) {
        fail(Errc::invalid_argument, "the parameter " + name + " is a number from " + std::to_string(least) + " to " +
                                         std::to_string(most) + ", not '" + text + "'");
    }
    return value;
}

/// The place of a parameter's text among its choices.
std::size_t choice(const CartridgeParameters& parameters, const std::string& name, std::size_t otherwise,
                   std::span<const char* const> choices) {
    const auto found = parameters.find(name);
    if (found == parameters.end()) return otherwise;
    std::string all;
    for (std::size_t i = 0; i < choices.size(); ++i) {
        if (found->second == choices[i]) return i;
        all += (i == 0 ? "" : i + 1 == choices.size() ? " or " : ", ") + std::string(choices[i]);
    }
    fail(Errc::invalid_argument, "the parameter " + name + " is " + all + ", not '" + found->second + "'");
}

void check_names(const CartridgeParameters& parameters) {
    constexpr std::string_view known[] = {"tree",   "model", "dimensions", "element", "normalised",
                                          "metric", "codes", "rerank",     "links",   "build_width"};
    for (const auto& [name, value] : parameters) {
        if (std::find(std::begin(known), std::end(known), name) == std::end(known)) {
            fail(Errc::invalid_argument, "vectors have no parameter '" + name + "'; they have tree, model, dimensions, "
                                         "element, normalised, metric, codes, rerank, links and build_width");
        }
    }
}

}  // namespace vector_space_impl

VectorValue parse_vector_value(std::string_view value) {
    using namespace vector_space_impl;
    VectorValue parsed;
    try {
        ByteReader reader(value, "value of a vector");
        if (reader.u8() != k_mark || reader.u8() != k_version) no_vector("does not begin as vectors do");
        const std::uint8_t element = reader.u8();
        const std::uint8_t normalised = reader.u8();
        if (element > 2 || normalised > 1) no_vector("is of an element that is none");
        parsed.element = static_cast<VectorElement>(element);
        parsed.normalised = normalised != 0;
        const std::uint64_t dimensions = reader.varint();
        if (dimensions == 0 || dimensions > k_most_dimensions) no_vector("has no dimensions, or too many");
        parsed.dimensions = static_cast<std::uint32_t>(dimensions);
        parsed.model = reader.counted_text();
        if (parsed.model.empty() || parsed.model.size() > k_longest_model_name) no_vector("names no model");
        parsed.elements = reader.text(reader.remaining());
    } catch (const Error& error) {
        if (error.code() != Errc::corrupt) throw;
        no_vector("ends too early");
    }
    if (parsed.normalised && parsed.element != VectorElement::f32) no_vector("is of a space that is none");
    if (parsed.elements.size() != parsed.dimensions * element_size(parsed.element)) {
        no_vector("has not as many numbers as its space has dimensions");
    }
    if (parsed.element == VectorElement::f32) check_floats(parsed.elements, parsed.normalised);
    return parsed;
}

void vector_floats(VectorElement element, std::string_view elements, std::vector<float>& out) {
    out.resize(elements.size() / element_size(element));
    for (std::size_t i = 0; i < out.size(); ++i) {
        switch (element) {
        case VectorElement::f32: out[i] = vector_space_impl::load_float(elements.data() + 4 * i); break;
        case VectorElement::i8: out[i] = static_cast<float>(static_cast<signed char>(elements[i])); break;
        case VectorElement::u8: out[i] = static_cast<float>(static_cast<unsigned char>(elements[i])); break;
        }
    }
}

void normalise_vector(std::vector<float>& elements) {
    double sum = 0;
    for (const float element : elements) sum += static_cast<double>(element) * static_cast<double>(element);
    if (!(sum > 0)) return;
    const double length = std::sqrt(sum);
    for (float& element : elements) element = static_cast<float>(static_cast<double>(element) / length);
}

VectorParameters read_vector_parameters(const CartridgeParameters& parameters) {
    using namespace vector_space_impl;
    check_names(parameters);
    constexpr const char* elements[] = {"f32", "i8", "u8"};
    constexpr const char* metrics[] = {"l2", "ip", "cosine"};
    constexpr const char* codes[] = {"none", "f32", "bf16", "i8", "u8", "bit"};
    constexpr const char* answers[] = {"no", "yes"};
    const auto text = [&](const std::string& name, const std::string& otherwise) {
        const auto found = parameters.find(name);
        return found != parameters.end() ? found->second : otherwise;
    };
    VectorParameters read;
    read.tree = text("tree", "vectors");
    if (read.tree.empty() || read.tree.find('\0') != std::string::npos) {
        fail(Errc::invalid_argument, "the parameter tree is empty, or holds a zero byte");
    }
    read.space.model = text("model", "");
    read.space.dimensions = number(parameters, "dimensions", 0, 1, k_most_dimensions);
    read.space.element = static_cast<VectorElement>(choice(parameters, "element", 0, elements));
    read.space.normalised = choice(parameters, "normalised", 0, answers) == 1;
    if (read.space.model.empty() || read.space.dimensions == 0) {
        fail(Errc::invalid_argument, "vectors are of a space: give the parameters model and dimensions");
    }
    check_space(read.space);
    const bool floats = read.space.element == VectorElement::f32;
    read.metric = static_cast<VectorMetric>(choice(parameters, "metric", floats ? 2 : 0, metrics));
    const VectorCodes own = read.space.element == VectorElement::u8 ? VectorCodes::u8 : VectorCodes::i8;
    const bool few = read.space.dimensions <= k_few_dimensions;
    const VectorCodes default_codes = read.native() ? own : few ? VectorCodes::f32 : VectorCodes::i8;
    read.codes = static_cast<VectorCodes>(choice(parameters, "codes", static_cast<std::size_t>(default_codes), codes));
    const bool fits = read.native() ? read.codes == own
                                    : read.codes != VectorCodes::none && read.codes != VectorCodes::u8;
    if (!fits) {
        fail(Errc::invalid_argument, std::string("vectors of ") + elements[static_cast<int>(read.space.element)] +
                                         " under " + metrics[static_cast<int>(read.metric)] + " have the codes " +
                                         (read.native() ? codes[static_cast<int>(own)] : "i8, f32, bf16 or bit"));
    }
    const bool lossless = read.native() || read.codes == VectorCodes::f32;
    const VectorCodes default_rerank = lossless ? VectorCodes::none : VectorCodes::f32;
    read.rerank =
        static_cast<VectorCodes>(choice(parameters, "rerank", static_cast<std::size_t>(default_rerank), codes));
    const bool again = read.rerank == VectorCodes::f32 || (read.rerank == VectorCodes::bf16 &&
                                                          read.codes != VectorCodes::bf16);
    if (read.rerank != VectorCodes::none && (lossless || !again)) {
        fail(Errc::invalid_argument, "the parameter rerank is f32, bf16 or none, and gives more than the codes do");
    }
    if (read.codes == VectorCodes::bit && read.rerank == VectorCodes::none) {
        fail(Errc::invalid_argument, "bits are too little to answer by; choose rerank f32 or bf16");
    }
    read.links = number(parameters, "links", k_default_links, 4, k_most_links);
    read.build_width = number(parameters, "build_width", k_default_build_width, 8, k_most_build_width);
    return read;
}

}  // namespace detail

std::string to_string(const EmbeddingSpace& space) {
    return space.model + ", " + std::to_string(space.dimensions) + " x " +
           detail::vector_space_impl::name_of(space.element) + (space.normalised ? ", normalised" : "");
}

Embedding::Embedding(const EmbeddingSpace& space, VectorElement element, const void* elements, std::size_t count) try
    : space_(space) {
    using namespace detail;
    vector_space_impl::check_space(space);
    if (element != space.element || count != space.dimensions) {
        fail(Errc::invalid_argument, "a vector of " + std::to_string(count) + " x " +
                                         vector_space_impl::name_of(element) + " is not of the space " +
                                         to_string(space));
    }
    ByteWriter writer(value_);
    writer.u8(vector_space_impl::k_mark);
    writer.u8(vector_space_impl::k_version);
    writer.u8(static_cast<std::uint8_t>(element));
    writer.u8(space.normalised ? 1 : 0);
    writer.varint(space.dimensions);
    writer.counted_text(space.model);
    offset_ = value_.size();
    if (element == VectorElement::f32) {
        for (std::size_t i = 0; i < count; ++i) {
            writer.u32(std::bit_cast<std::uint32_t>(static_cast<const float*>(elements)[i]));
        }
        vector_space_impl::check_floats(this->elements(), space.normalised);
    } else {
        writer.text({static_cast<const char*>(elements), count});
    }
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

Embedding::Embedding(const EmbeddingSpace& space, std::span<const float> elements)
    : Embedding(space, VectorElement::f32, elements.data(), elements.size()) {}
Embedding::Embedding(const EmbeddingSpace& space, std::span<const std::int8_t> elements)
    : Embedding(space, VectorElement::i8, elements.data(), elements.size()) {}
Embedding::Embedding(const EmbeddingSpace& space, std::span<const std::uint8_t> elements)
    : Embedding(space, VectorElement::u8, elements.data(), elements.size()) {}

Embedding Embedding::of_value(std::string_view value) try {
    const detail::VectorValue parsed = detail::parse_vector_value(value);
    Embedding embedding;
    embedding.space_ = parsed.space();
    embedding.value_ = value;
    embedding.offset_ = value.size() - parsed.elements.size();
    return embedding;
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

std::vector<float> Embedding::floats() const try {
    std::vector<float> out;
    detail::vector_floats(space_.element, elements(), out);
    return out;
} catch (const std::bad_alloc&) {
    detail::no_memory();
}

}  // namespace northstar::inline v0
