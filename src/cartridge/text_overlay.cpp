#include "cartridge/text_overlay.hpp"

#include "base/error.hpp"

#include <algorithm>

namespace northstar::inline v0::detail {

namespace text_overlay_impl {

bool contains(std::span<const std::uint32_t> sorted, std::uint32_t number) {
    return std::binary_search(sorted.begin(), sorted.end(), number);
}

/// Documents and lengths of a state can only be negative where an artifact is not the one of its state.
std::uint64_t difference(std::uint64_t all, std::uint64_t gone) {
    if (gone > all) {
        fail(Errc::corrupt, "a cartridge of kind text has less than was taken from it; drop it, or build it again");
    }
    return all - gone;
}

std::uint64_t documents_now(const TextSections& base, const std::optional<TextOverlay>& overlay) {
    return overlay ? difference(base.documents, overlay->then.documents()) + overlay->now.documents()
                   : base.documents;
}

std::uint64_t length_now(const TextSections& base, const std::optional<TextOverlay>& overlay) {
    const std::uint64_t all = base.total(k_total_length);
    return overlay ? difference(all, overlay->then.total_length()) + overlay->now.total_length() : all;
}

std::optional<TextOverlay> overlay_of(const TextSections& base, const Cartridge& cartridge) {
    if (cartridge.answers() != Cartridge::Answers::overlay) return std::nullopt;
    return std::optional<TextOverlay>(std::in_place, base, cartridge.changes());
}

}  // namespace text_overlay_impl

TextOverlay::TextOverlay(const TextSections& base, const std::vector<FactChange>& changes)
    : now(base.options), then(base.options) {
    for (const FactChange& change : changes) {
        if (change.after) now.add(change.key, *change.after);
        if (!change.before) continue;
        then.add(change.key, *change.before);
        const std::optional<std::uint32_t> document = base.find_document(change.key);
        if (!document) text_overlay_impl::difference(0, 1);
        removed.push_back(*document);
    }
    now.index();
    then.index();
    for (std::uint32_t i = 0; i < now.documents(); ++i) lengths.push_back(length_code(now.length(i)));
}

bool TextSide::has(std::uint32_t document) const {
    return removed.empty() || !text_overlay_impl::contains(removed, document);
}

TextData::TextData(const Cartridge& cartridge)
    : base(cartridge),
      overlay(text_overlay_impl::overlay_of(base, cartridge)),
      documents(text_overlay_impl::documents_now(base, overlay)),
      total_length(text_overlay_impl::length_now(base, overlay)),
      table(documents, total_length) {
    if (overlay) slack = saturation_slack(LengthTable(base.documents, base.total(k_total_length)), table);
}

std::shared_ptr<const TextData> TextData::of(const Cartridge& cartridge) {
    // What a cartridge keeps must not keep the cartridge, so both are kept by who holds the pointer.
    struct Kept {
        Cartridge cartridge;
        std::shared_ptr<const TextData> data;
    };
    const auto make = [&]() -> std::shared_ptr<const void> { return std::make_shared<TextData>(cartridge); };
    auto kept = std::make_shared<Kept>(
        Kept{cartridge, std::static_pointer_cast<const TextData>(cartridge.derived("text", make))});
    const TextData* const data = kept->data.get();
    return {std::move(kept), data};
}

TextSide TextData::base_side() const {
    TextSide side{base.documents, base.lengths.all(), {}};
    if (overlay) side.removed = overlay->removed;
    return side;
}

TextSide TextData::overlay_side() const {
    if (!overlay) return {};
    return {overlay->now.documents(), overlay->lengths, {}};
}

std::uint64_t TextData::document_frequency(std::string_view term, const std::optional<TermList>& in_base) const {
    const std::uint64_t there = in_base ? in_base->documents : 0;
    if (!overlay) return there;
    const auto count = [&](const TextChunk& chunk) -> std::uint64_t {
        const std::optional<std::uint32_t> number = chunk.find(term);
        return number ? chunk.document_frequency(*number) : 0;
    };
    return text_overlay_impl::difference(there, count(overlay->then)) + count(overlay->now);
}

std::optional<TextData::Place> TextData::find(std::string_view key) const {
    if (overlay) {
        const TextChunk& now = overlay->now;
        std::uint32_t low = 0;
        std::uint32_t high = now.documents();
        while (low < high) {
            const std::uint32_t middle = low + (high - low) / 2;
            if (now.key(middle) < key) low = middle + 1;
            else high = middle;
        }
        if (low < now.documents() && now.key(low) == key) return Place{true, low};
    }
    const std::optional<std::uint32_t> document = base.find_document(key);
    if (!document || !base_side().has(*document)) return std::nullopt;
    return Place{false, *document};
}

}  // namespace northstar::inline v0::detail
