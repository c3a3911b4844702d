// vector_index.hpp -- vectors as their artifact and the changes beside it say.  Layer: cartridge.  Threads: any.
//
// [VECTOR-8] Rows of the artifact keep its numbers; vectors that came since, or are others now, follow in the order of
//            their keys. A row whose vector changed or went is *gone*: searches walk over it and do not return it.
// [VECTOR-9] Until every block of the arrays that a search walks in is verified, each row is looked at through its
//            section; such a search verifies a few blocks more, so that this comes to an end. Then arrays are plain.
// [VECTOR-10] As many rows as are asked for are returned if so many pass the filter: where a walk did not find them, it
//            is done again, wider, and in the end every row is compared.
#pragma once

#include "api/northstar.hpp"
#include "cartridge/vector_errors.hpp"
#include "cartridge/vector_nearest.hpp"
#include "cartridge/vector_recall.hpp"
#include "cartridge/vector_walk.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace northstar::inline v0::detail {

struct VectorSections {
    explicit VectorSections(const Cartridge& cartridge);
    Section<std::uint32_t> head;
    Section<std::uint8_t> codes;
    Section<std::uint32_t> links;
    Section<std::uint32_t> upper_links;
    Section<std::uint8_t> exact;
    Section<std::uint32_t> key_offsets;
    Section<std::uint8_t> key_bytes;
    Section<std::uint32_t> places;
    Section<std::uint32_t> rows;
    Section<std::uint32_t> recall;
    Section<std::uint32_t> mean;
};

/// What came and went between the artifact and the snapshot.
struct VectorOverlay {
    std::vector<std::string_view> keys;  // of vectors that came, ascending; of the cartridge's changes
    std::vector<unsigned char> codes;    // these
    std::vector<unsigned char> exact;    // their exact form; empty where that is the codes
    std::vector<std::uint64_t> gone;     // rows of the artifact, one bit each
    std::uint32_t gone_count = 0;
    bool is_gone(std::uint32_t row) const { return (gone[row / 64] >> (row % 64) & 1) != 0; }
};

/// What one search works with.
struct QueryRoom {
    SearchRoom search;
    PreparedQuery query;
    NearestRows nearest;                // of rows that are all compared
    std::vector<std::uint64_t> coded;   // rows compared by their codes: distance in the upper half
    std::vector<std::uint32_t> limits;  // farthest codes of each group of these that may be near enough
    PreparedQuery row;                  // a row as query
    Beam best;
    std::vector<FoundRow> found;        // in the artifact
    std::vector<FoundRow> found_since;  // in the overlay
    RowSet asked;                       // rows that the filter's function was asked about
    RowSet accepted;                    // and said yes to
    std::vector<std::uint32_t> filtered;
};

/// How rows that pass a filter are looked for.
enum class VectorPlan : std::uint8_t {
    scan,     ///< each of them is compared
    two_hop,  ///< walk over rows that pass, through those that do not (Patel et al.: ACORN, SIGMOD 2024, section 5)
    walk,     ///< walk over all, wider, and drop those that do not pass
};

class VectorIndex {
public:
    explicit VectorIndex(const Cartridge& cartridge);
    /// The one of a cartridge, made once; keeps the cartridge.
    static std::shared_ptr<const VectorIndex> of(const Cartridge& cartridge);

    const VectorParameters& parameters() const { return parameters_; }
    const VectorSections& sections() const { return sections_; }
    const VectorShape& shape() const { return shape_; }
    const VectorCoder& coder() const { return coder_; }
    const std::optional<VectorOverlay>& overlay() const { return overlay_; }
    std::uint32_t limit() const { return shape_.rows + came_; }
    std::uint64_t size() const { return limit() - (overlay_ ? overlay_->gone_count : 0); }
    bool contains(VectorId id) const {
        return id < limit() && !(id < shape_.rows && overlay_ && overlay_->is_gone(id));
    }
    std::optional<VectorId> find(std::string_view key) const;
    /// Of a number below limit().
    std::string_view key(VectorId id) const;
    std::string_view key_at(std::uint32_t place) const;
    const std::vector<RecallOfWidth>& curve() const { return curve_; }
    const FarQueries& far() const { return far_; }
    std::uint32_t width_for(double recall, std::uint32_t k) const;

    VectorAnswer search(const Embedding& query, std::uint32_t k, const VectorSearch& options,
                        std::optional<VectorPlan> plan = std::nullopt) const;

private:
    template <class Arrays>
    friend class VectorSearcher;
    void add_changes(const Cartridge& cartridge);
    void verify_more() const;
    const CodeErrors* errors(std::uint64_t compared) const;
    CheckedVectors checked() const;

    const VectorParameters parameters_;
    const VectorSections sections_;
    VectorShape shape_;
    const VectorCoder coder_;
    const DistanceFunction compare_codes_;
    const DistanceFunction compare_exact_;
    std::vector<RecallOfWidth> curve_;
    FarQueries far_;
    std::optional<VectorOverlay> overlay_;
    std::uint32_t came_ = 0;
    std::uint64_t stale_by_ = 0;

    mutable std::mutex rooms_mutex_;
    mutable std::vector<std::unique_ptr<QueryRoom>> rooms_;
    mutable std::atomic<std::uint64_t> verified_{0};            // bytes of the arrays, side by side
    mutable std::atomic<std::uint64_t> compared_{0};            // rows, exactly, by searches that compared them all
    mutable std::mutex errors_mutex_;
    mutable std::unique_ptr<const CodeErrors> kept_errors_;
    mutable std::atomic<const CodeErrors*> errors_{nullptr};    // the above, as soon as it is made
    mutable std::mutex raw_mutex_;
    mutable RawVectors raw_arrays_;
    mutable std::atomic<const RawVectors*> raw_{nullptr};       // the above, as soon as all is verified
};

/// What is wrong with the sections, in a sentence; empty: nothing.
std::string problem_of_vectors(const Cartridge& cartridge);

}  // namespace northstar::inline v0::detail
