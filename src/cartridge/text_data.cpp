#include "cartridge/text_data.hpp"

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "cartridge/front_code.hpp"
#include "cartridge/text_rice.hpp"

#include <algorithm>

namespace northstar::inline v0::detail {

namespace text_data_impl {

[[noreturn]] void damaged(const char* what) {
    fail(Errc::corrupt, std::string("a cartridge of kind text ") + what + "; drop it, or build it again");
}

std::string_view text_of_bytes(std::span<const std::uint8_t> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Keys of a group, one after the other.
class KeyReader {
public:
    explicit KeyReader(std::span<const std::uint8_t> group) : reader_(text_of_bytes(group), "list of keys") {}
    bool next() {
        if (reader_.at_end()) return false;
        read_front_coded(reader_, key_);
        return true;
    }
    const std::string& key() const { return key_; }

private:
    ByteReader reader_;
    std::string key_;
};

std::span<const std::uint8_t> key_group(const TextSections& text, std::uint64_t group) {
    const std::span<const std::uint32_t> bounds = text.key_groups.span(group, 2);
    if (bounds[0] > bounds[1]) damaged("has keys that are not in order");
    return text.keys.span(bounds[0], bounds[1] - bounds[0]);
}

}  // namespace text_data_impl

TextSections::TextSections(const Cartridge& cartridge)
    : options(cartridge.info().parameters),
      totals(cartridge.section<std::uint64_t>(k_text_totals)),
      term_groups(cartridge.section<std::uint32_t>(k_text_term_groups)),
      terms(cartridge.section<std::uint8_t>(k_text_terms)),
      postings(cartridge.section<std::uint8_t>(k_text_postings)),
      block_last(cartridge.section<std::uint32_t>(k_text_block_last)),
      block_place(cartridge.section<std::uint32_t>(k_text_block_place)),
      block_best(cartridge.section<std::uint8_t>(k_text_block_best)),
      positions(cartridge.section<std::uint8_t>(k_text_positions)),
      position_place(cartridge.section<std::uint32_t>(k_text_position_place)),
      lengths(cartridge.section<std::uint8_t>(k_text_lengths)),
      key_groups(cartridge.section<std::uint32_t>(k_text_key_groups)),
      keys(cartridge.section<std::uint8_t>(k_text_keys)) {
    const std::uint64_t count = lengths.size();
    const std::uint64_t blocks = block_last.size();
    const bool fits = totals.size() == k_text_totals_count && count <= k_text_most_documents &&
                      term_groups.size() != 0 && term_groups.size() % k_text_group_places == 0 &&
                      key_groups.size() == (count + k_text_group - 1) / k_text_group + 1 &&
                      block_place.size() == blocks && block_best.size() == blocks &&
                      position_place.size() == (options.positions ? blocks : 0);
    if (!fits) text_data_impl::damaged("has sections that do not belong together");
    documents = static_cast<std::uint32_t>(count);
}

std::optional<TermList> TextSections::find(std::string_view term) const {
    TermCursor cursor(*this);
    if (!cursor.lower_bound(term) || cursor.term() != term) return std::nullopt;
    return cursor.list();
}

std::string TextSections::key(std::uint32_t document) const {
    text_data_impl::KeyReader reader(text_data_impl::key_group(*this, document / k_text_group));
    for (std::size_t i = 0; i <= document % k_text_group; ++i) {
        if (!reader.next()) text_data_impl::damaged("names a document that it does not have");
    }
    return reader.key();
}

std::optional<std::uint32_t> TextSections::find_document(std::string_view key) const {
    using namespace text_data_impl;
    // The last group whose first key is not larger.
    std::uint64_t low = 0;
    std::uint64_t high = key_groups.size() - 1;
    while (low < high) {
        const std::uint64_t middle = low + (high - low) / 2;
        KeyReader reader(key_group(*this, middle));
        if (!reader.next()) damaged("has a group of keys without one");
        if (std::string_view(reader.key()) <= key) low = middle + 1;
        else high = middle;
    }
    if (low == 0) return std::nullopt;
    KeyReader reader(key_group(*this, low - 1));
    for (std::uint64_t i = 0; reader.next(); ++i) {
        if (reader.key() != key) continue;
        const std::uint64_t document = (low - 1) * k_text_group + i;
        if (i >= k_text_group || document >= documents) damaged("has more keys than documents");
        return static_cast<std::uint32_t>(document);
    }
    return std::nullopt;
}

bool TermCursor::open_group(std::uint64_t group) {
    if (group >= groups()) return false;
    const std::span<const std::uint32_t> places =
        text_.term_groups.span(group * k_text_group_places, 2 * k_text_group_places);
    if (places[0] > places[k_text_group_places]) text_data_impl::damaged("has terms that are not in order");
    group_ = group;
    bytes_ = text_.terms.span(places[0], places[k_text_group_places] - places[0]);
    next_postings_ = places[1];
    next_positions_ = places[2];
    next_block_ = places[3];
    term_.clear();
    return true;
}

bool TermCursor::next() {
    using text_data_impl::damaged;
    if (bytes_.empty()) {
        const std::uint32_t ends[] = {next_postings_, next_positions_, next_block_};
        if (!open_group(group_ + 1)) return false;
        if (bytes_.empty()) damaged("has a group of terms without one");
        if (ends[0] != next_postings_ || ends[1] != next_positions_ || ends[2] != next_block_) {
            damaged("has a group of terms that does not begin where the one before ends");
        }
    }
    ByteReader reader(text_data_impl::text_of_bytes(bytes_), "list of terms");
    read_front_coded(reader, term_);
    const std::uint64_t head = reader.varint();
    const std::uint64_t documents = head >> 1;
    const bool no_list = head == 2;
    const std::uint64_t second = reader.varint();
    const std::uint64_t postings = no_list ? 0 : second;
    const std::uint64_t positions = text_.options.positions ? reader.varint() : 0;
    // A bit at least for each posting.
    const std::uint64_t least = no_list ? 0 : (documents + 7) / 8;
    if (no_list && second >= text_.documents) damaged("has a term in a document that is not there");
    if (documents == 0 || documents > text_.documents || postings < least ||
        postings + next_postings_ > text_.postings.size() || positions + next_positions_ > text_.positions.size()) {
        damaged("has a term whose postings are not there");
    }
    list_.documents = static_cast<std::uint32_t>(documents);
    list_.only = no_list ? static_cast<std::uint32_t>(second) : k_no_document;
    list_.counts_follow = (head & 1) != 0;
    list_.postings_begin = next_postings_;
    list_.postings_size = static_cast<std::uint32_t>(postings);
    list_.positions_begin = next_positions_;
    list_.positions_size = static_cast<std::uint32_t>(positions);
    list_.first_block = next_block_;
    next_postings_ += list_.postings_size;
    next_positions_ += list_.positions_size;
    if (list_.blocks() > 1) next_block_ += list_.blocks();
    bytes_ = bytes_.subspan(reader.position());
    return true;
}

bool TermCursor::lower_bound(std::string_view wanted) {
    std::uint64_t low = 0;
    std::uint64_t high = groups();
    while (low < high) {
        const std::uint64_t middle = low + (high - low) / 2;
        const std::span<const std::uint32_t> places =
            text_.term_groups.span(middle * k_text_group_places, k_text_group_places + 1);
        if (places[0] > places[k_text_group_places]) text_data_impl::damaged("has terms that are not in order");
        const std::span<const std::uint8_t> bytes =
            text_.terms.span(places[0], places[k_text_group_places] - places[0]);
        ByteReader reader(text_data_impl::text_of_bytes(bytes), "list of terms");
        term_.clear();
        read_front_coded(reader, term_);
        if (std::string_view(term_) <= wanted) low = middle + 1;
        else high = middle;
    }
    if (!open_group(low == 0 ? 0 : low - 1)) return false;
    while (next()) {
        if (std::string_view(term_) >= wanted) return true;
    }
    return false;
}

ListBlocks::ListBlocks(const TextSections& text, const TermList& list)
    : text_(&text), list_(list), blocks_(list.blocks()),
      postings_(text.postings.span(list.postings_begin, list.postings_size)) {
    if (blocks_ <= 1) return;
    lasts_ = text.block_last.span(list.first_block, blocks_);
    places_ = text.block_place.span(list.first_block, blocks_);
    bests_ = text.block_best.span(list.first_block, blocks_);
}

ListBlocks::Parts ListBlocks::parts(std::uint32_t block) const {
    Parts parts;
    if (list_.only != k_no_document) return parts;
    std::span<const std::uint8_t> rest = postings_;
    parts.end = postings_.data() + postings_.size();
    bool counts_follow = list_.counts_follow;
    const auto next = [&] {
        if (rest.empty()) CartridgeBlocks::outside();
        const std::uint8_t byte = rest.front();
        rest = rest.subspan(1);
        return byte;
    };
    if (blocks_ <= 1) {
        parts.width = text_width_alone(text_->documents, list_.documents);
    } else {
        if (places_[block] > rest.size()) CartridgeBlocks::outside();
        rest = rest.subspan(places_[block]);
        const std::uint8_t head = next();
        parts.width = head & k_text_width_mask;
        counts_follow = (head & k_text_counts_follow) != 0;
    }
    const std::size_t upper = counts_follow ? next() : 0;
    parts.documents = rest.data();
    parts.documents_size = counts_follow ? size(block) * parts.width / 8 + upper : rest.size();
    if (parts.documents_size > rest.size()) CartridgeBlocks::outside();
    if (counts_follow) parts.counts = parts.documents + parts.documents_size;
    return parts;
}

void ListBlocks::read_documents(std::uint32_t block, std::uint32_t* to) const {
    if (list_.only != k_no_document) {
        *to = list_.only;
        return;
    }
    const Parts at = parts(block);
    const std::size_t count = size(block);
    if (!read_rice(at.documents, at.documents_size, count, at.width, to)) CartridgeBlocks::outside();
    // The last document of the block before is where this one begins.
    const std::uint32_t before = block == 0 ? ~0u : last(block - 1);
    std::uint64_t sum = block == 0 ? 0 : std::uint64_t{before} + 1;
    for (std::size_t i = 0; i < count; ++i) sum += to[i];
    if (sum + count - 1 >= text_->documents) CartridgeBlocks::outside();
    std::uint32_t document = before;
    for (std::size_t i = 0; i < count; ++i) to[i] = document += to[i] + 1;
    // So each block begins behind the end of the one before.
    if (!lasts_.empty() && document != lasts_[block]) CartridgeBlocks::outside();
}

bool ListBlocks::all_once(std::uint32_t block) const {
    const std::vector<TextOptions::Field>& fields = text_->options.fields;
    return fields.size() == 1 && fields[0].weight == 1 && parts(block).counts == nullptr;
}

const std::uint8_t* ListBlocks::read_next_counts(const std::uint8_t* from, const Parts& parts, std::size_t count,
                                                 std::uint32_t* to) const {
    if (from == nullptr) {
        if (text_->options.fields.size() != 1) CartridgeBlocks::outside();
        std::fill_n(to, count, 1u);
        return nullptr;
    }
    from = read_sparse(from, parts.end, count, to);
    if (from == nullptr) CartridgeBlocks::outside();
    // With one field no posting has none, and what is kept is smaller by one.
    if (text_->options.fields.size() == 1) {
        for (std::size_t i = 0; i < count; ++i) ++to[i];
    }
    return from;
}

void ListBlocks::read_counts(std::uint32_t block, std::uint32_t field, std::uint32_t* to) const {
    const Parts at = parts(block);
    const std::uint8_t* from = at.counts;
    for (std::uint32_t f = 0; f <= field; ++f) from = read_next_counts(from, at, size(block), to);
}

void ListBlocks::read_frequencies(std::uint32_t block, std::uint32_t* to) const {
    const std::size_t count = size(block);
    const std::vector<TextOptions::Field>& fields = text_->options.fields;
    const Parts at = parts(block);
    const std::uint8_t* from = at.counts;
    if (fields.size() == 1 && fields[0].weight == 1) {
        read_next_counts(from, at, count, to);
        for (std::size_t i = 0; i < count; ++i) to[i] = std::min(to[i], k_most_frequent);
        return;
    }
    std::uint32_t counts[k_text_block];
    std::uint64_t sums[k_text_block] = {};
    for (const TextOptions::Field& field : fields) {
        from = read_next_counts(from, at, count, counts);
        for (std::size_t i = 0; i < count; ++i) sums[i] += std::uint64_t{counts[i]} * field.weight;
    }
    for (std::size_t i = 0; i < count; ++i) {
        to[i] = static_cast<std::uint32_t>(std::min<std::uint64_t>(sums[i], k_most_frequent));
    }
}

void ListBlocks::check_positions(std::uint32_t block) const {
    std::uint64_t all = 0;
    std::uint32_t counts[k_text_block];
    for (std::uint32_t f = 0; f < text_->options.fields.size(); ++f) {
        read_counts(block, f, counts);
        for (std::size_t i = 0; i < size(block); ++i) all += counts[i];
    }
    const Positions at = positions(block);
    if (at.width != 0 && all > std::uint64_t{at.packed.size()} * 8 / at.width) CartridgeBlocks::outside();
}

ListBlocks::Positions ListBlocks::positions(std::uint32_t block) const {
    const std::span<const std::uint8_t> all = text_->positions.span(list_.positions_begin, list_.positions_size);
    const std::size_t begin = blocks_ <= 1 ? 0 : text_->position_place[std::uint64_t{list_.first_block} + block];
    if (begin >= all.size() || all[begin] > 32) CartridgeBlocks::outside();
    return {all.subspan(begin + 1), all[begin]};
}

void ListBlocks::read_positions(std::uint32_t block, std::size_t posting,
                                std::vector<std::vector<std::uint32_t>>& to) const {
    const std::size_t fields = text_->options.fields.size();
    std::uint64_t before = 0;
    std::vector<std::uint64_t> own(fields, 0);
    std::uint32_t counts[k_text_block];
    for (std::uint32_t f = 0; f < fields; ++f) {
        read_counts(block, f, counts);
        for (std::size_t i = 0; i < posting; ++i) before += counts[i];
        own[f] = counts[posting];
    }
    const auto [packed, width] = positions(block);
    to.resize(fields);
    for (std::size_t f = 0; f < fields; ++f) {
        to[f].clear();
        if (own[f] == 0) continue;
        const std::uint64_t end = before + own[f];
        const bool there = width == 0 || end <= std::uint64_t{packed.size()} * 8 / width;
        if (own[f] > k_most_frequent || !there) CartridgeBlocks::outside();
        to[f].resize(static_cast<std::size_t>(own[f]));
        unpack_string(packed.data(), packed.size(), static_cast<std::size_t>(before), to[f].size(), width,
                      to[f].data());
        std::uint32_t last = ~0u;
        for (std::uint32_t& position : to[f]) last = position += last + 1;
        before = end;
    }
}

}  // namespace northstar::inline v0::detail
