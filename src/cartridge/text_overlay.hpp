// text_overlay.hpp -- a text as its artifact and the changes beside it say.  Layer: cartridge.  Threads: any.
//
// [TEXT-8] A document that changed is not asked for in the artifact. What it says now stands in a chunk in memory;
//          what it said then in another one, so that the number of documents that have a word, and the sum of
//          lengths, are those that an artifact of the snapshot's state would have.
// [TEXT-9] Documents are in the order of their keys on both sides, and results are joined by score and key: so they
//          are the same as those of such an artifact.
#pragma once

#include "cartridge/text_chunk.hpp"
#include "cartridge/text_data.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace northstar::inline v0::detail {

struct TextOverlay {
    TextOverlay(const TextSections& base, const std::vector<FactChange>& changes);
    TextChunk now;                            ///< documents as they are
    TextChunk then;                           ///< documents that the artifact has otherwise
    std::vector<std::uint32_t> removed;       ///< numbers of the latter, ascending
    std::vector<std::uint8_t> lengths;        ///< codes of those of `now`
};

/// One side of a question: the artifact, or the documents beside it.
struct TextSide {
    std::uint32_t documents = 0;
    std::span<const std::uint8_t> lengths;    ///< codes
    std::span<const std::uint32_t> removed;   ///< not asked for, ascending
    bool has(std::uint32_t document) const;
};

struct TextData {
    explicit TextData(const Cartridge& cartridge);
    /// The one of a cartridge, made once; keeps the cartridge.
    static std::shared_ptr<const TextData> of(const Cartridge& cartridge);

    TextSections base;
    std::optional<TextOverlay> overlay;
    std::uint64_t documents = 0;
    std::uint64_t total_length = 0;
    LengthTable table;
    double slack = 1;  ///< what saturations of the artifact are multiplied by

    TextSide base_side() const;
    TextSide overlay_side() const;
    /// Documents that have a term.
    std::uint64_t document_frequency(std::string_view term, const std::optional<TermList>& in_base) const;
    /// Where a document is now; nullopt: nowhere.
    struct Place {
        bool in_overlay = false;
        std::uint32_t document = 0;
    };
    std::optional<Place> find(std::string_view key) const;
};

}  // namespace northstar::inline v0::detail
