// northstar_vector.hpp -- the cartridge kind "vectors": the nearest of many vectors, filtered or not, never stale.
//
// Vectors are entries of a tree: the key is the application's, the value is what Embedding::value() gives, which says
// of itself which embedding space it belongs to. A cartridge is built for one space; an entry or a query of another one
// is Errc::invalid_argument, and the message names both.
//
// Parameters of the kind (all text):
//   tree             where the vectors are; default "vectors"
//   model            name of the model that made them; must be given
//   dimensions       must be given, 1 to 32768
//   element          f32 (default), i8 or u8
//   normalised       yes: every vector has length 1 (f32 only); default no
//   metric           l2, ip or cosine (of zeros alone: 0); default cosine for f32, l2 for i8 and u8
//   codes            what a search compares: i8 (default for f32), f32 (default up to 8 dimensions), bf16, bit; for i8
//                    and u8 under l2 and ip the vectors themselves
//   rerank           what the best of a search are compared again by: f32 (default), bf16 or none; only where codes are
//                    not exact
//   links            of a row, at most; default 32, and half of it above level 0
//   build_width      rows that the build keeps in view while it links one; default 200
//
// VectorId numbers are those of one Vectors object: another artifact or snapshot may number the same keys differently.
#pragma once

#include "api/northstar_cartridge.hpp"

namespace northstar {
inline namespace v0 {

namespace detail {
class VectorIndex;
}  // namespace detail

enum class VectorElement : std::uint8_t { f32 = 0, i8 = 1, u8 = 2 };
enum class VectorMetric : std::uint8_t { l2 = 0, inner_product = 1, cosine = 2 };

/// What makes vectors comparable.
struct EmbeddingSpace {
    std::string model;             ///< 1 to 200 bytes
    std::uint32_t dimensions = 0;  ///< 1 to 32768
    VectorElement element = VectorElement::f32;
    bool normalised = false;       ///< every vector has length 1; f32 only
    friend bool operator==(const EmbeddingSpace&, const EmbeddingSpace&) = default;
};

/// "MODEL, 100 x f32, normalised": for messages.
std::string to_string(const EmbeddingSpace& space);

/// A vector and the space that it is of: a value.
class Embedding {
public:
    /// invalid_argument where the space is none, the numbers are not as many as it has dimensions or of another type,
    /// one of them is not finite, or a vector of a normalised space is not of length 1 (give or take 0.1 %).
    Embedding(const EmbeddingSpace& space, std::span<const float> elements);
    Embedding(const EmbeddingSpace& space, std::span<const std::int8_t> elements);
    Embedding(const EmbeddingSpace& space, std::span<const std::uint8_t> elements);
    /// Out of an entry's value; invalid_argument where it is not one.
    static Embedding of_value(std::string_view value);

    const EmbeddingSpace& space() const noexcept { return space_; }
    /// What to put into a tree; lives as long as the embedding.
    const std::string& value() const noexcept { return value_; }
    /// The numbers, as the value holds them: little-endian, without alignment.
    std::string_view elements() const noexcept { return std::string_view(value_).substr(offset_); }
    /// The numbers as floats.
    std::vector<float> floats() const;

private:
    Embedding() = default;
    Embedding(const EmbeddingSpace& space, VectorElement element, const void* elements, std::size_t count);
    EmbeddingSpace space_;
    std::string value_;
    std::size_t offset_ = 0;
};

using VectorId = std::uint32_t;

/// Which rows may be in an answer: those that pass everything that is given. A search finds as many of them as were
/// asked for, if so many pass.
struct VectorFilter {
    /// By key. A pure function; called by the searching thread, at most once for each row in each search.
    std::function<bool(std::string_view key)> accepts;
    /// By number, one bit each, lowest first, Vectors::id_limit() of them; rows behind its end do not pass.
    std::optional<std::span<const std::uint64_t>> rows;
};

struct VectorSearch {
    /// Rows kept in view during a search: more of them find more of the nearest, and cost more. nullopt: as many as
    /// `recall` needs.
    std::optional<std::uint32_t> width = std::nullopt;
    /// Share of the nearest rows to be found, on average. The build measures what width this takes on some of its own
    /// rows, each left out, so it is an estimate. Queries far from all rows (l2, cosine) get what was measured of such.
    double recall = 0.98;
    const VectorFilter* filter = nullptr;
    /// Compare every row instead.
    bool exhaustive = false;
};

struct VectorAnswer {
    struct Row {
        VectorId id = 0;
        std::string_view key;   ///< lives as long as the Vectors object
        /// l2: the square of the distance; ip: 1 minus the inner product; cosine: 1 minus the cosine.
        double distance = 0;
    };
    std::vector<Row> rows;        ///< nearest first; at equal distance by key
    /// Every row that may be in the answer was compared by its exact numbers: these are the nearest.
    bool exact = false;
    /// What the build measured for such a search; 1 if exact.
    double expected_recall = 0;
    std::uint32_t width = 0;      ///< rows kept in view; 0: all were compared
    std::uint64_t stale_by = 0;   ///< commits that the answer does not know of; not 0 only where Freshness allowed it
};

/// The vectors of a cartridge of kind "vectors". Cheap to copy; used by several threads at once.
class Vectors {
public:
    /// Of a cartridge of kind "vectors", else Error(invalid_argument).
    explicit Vectors(const Cartridge& cartridge);

    const EmbeddingSpace& space() const;
    VectorMetric metric() const;
    std::uint64_t size() const;
    /// Behind the largest number.
    VectorId id_limit() const;
    bool contains(VectorId id) const;
    std::optional<VectorId> find(std::string_view key) const;
    /// invalid_argument for a number that is not of these vectors.
    std::string_view key(VectorId id) const;

    /// The k nearest rows, or all if there are fewer.
    /// Costs about as many distances as ten to twenty times the width; in the snapshot of an overlay one more for each
    /// vector that came since. Where few rows pass a filter, and where all rows are a megabyte or less and no width is
    /// asked for, each of them is compared instead.
    /// invalid_argument: the query is of another space, k is 0, or the width is.
    VectorAnswer search(const Embedding& query, std::uint32_t k, const VectorSearch& options = {}) const;

    /// The width that this recall takes for k rows, and what was measured at build; for tables and tests.
    struct RecallPoint {
        std::uint32_t width = 0;
        double recall = 0;  ///< of the 10 nearest
    };
    std::vector<RecallPoint> recall_curve() const;
    std::uint32_t width_for(double recall, std::uint32_t k) const;

private:
    std::shared_ptr<const detail::VectorIndex> index_;
};

}  // namespace v0
}  // namespace northstar
