#include "cartridge/text_chunk.hpp"

#include "base/bytes.hpp"
#include "base/release.hpp"
#include "base/xxh64.hpp"
#include "cartridge/text_stem.hpp"
#include "cartridge/text_words.hpp"

#include <algorithm>
#include <numeric>

namespace northstar::inline v0::detail {

std::uint32_t TextChunk::Words::number(std::string_view word) {
    if (ends_.size() * 2 > slots_.size()) grow();
    const std::uint32_t hash = hash_of(word);
    const std::size_t slot = slot_of(word, hash);
    if (slots_[slot].number != k_empty) return slots_[slot].number;
    slots_[slot] = {hash, size()};
    bytes_.insert(bytes_.end(), word.begin(), word.end());
    ends_.push_back(bytes_.size());
    return slots_[slot].number;
}

std::optional<std::uint32_t> TextChunk::Words::find(std::string_view word) const {
    const std::uint32_t number = slots_[slot_of(word, hash_of(word))].number;
    return number != k_empty ? std::optional(number) : std::nullopt;
}

std::uint32_t TextChunk::Words::hash_of(std::string_view word) {
    return static_cast<std::uint32_t>(xxh64(word.data(), word.size(), 0));
}

std::size_t TextChunk::Words::slot_of(std::string_view word, std::uint32_t hash) const {
    std::size_t slot = hash & (slots_.size() - 1);
    while (slots_[slot].number != k_empty) {
        if (slots_[slot].hash == hash && this->word(slots_[slot].number) == word) break;
        slot = (slot + 1) & (slots_.size() - 1);
    }
    return slot;
}

void TextChunk::Words::grow() {
    std::vector<Slot> slots(slots_.size() * 2);
    for (const Slot& old : slots_) {
        if (old.number == k_empty) continue;
        std::size_t slot = old.hash & (slots.size() - 1);
        while (slots[slot].number != k_empty) slot = (slot + 1) & (slots.size() - 1);
        slots[slot] = old;
    }
    slots_ = std::move(slots);
}

void TextChunk::add(std::string_view key, std::string_view fact) {
    keys_ += key;
    key_ends_.push_back(keys_.size());
    facts_ += fact;
    fact_ends_.push_back(facts_.size());
}

std::string_view TextChunk::key(std::uint32_t document) const {
    const std::size_t begin = document == 0 ? 0 : key_ends_[document - 1];
    return std::string_view(keys_).substr(begin, key_ends_[document] - begin);
}

std::uint32_t TextChunk::term_number(std::string_view word) {
    if (!options_->porter) return words_.number(word);
    const std::uint32_t raw = raw_words_.number(word);
    if (raw == stems_.size()) stems_.push_back(words_.number(porter_stem(word)));
    return stems_[raw];
}

void TextChunk::read_document(std::uint32_t document, std::string_view fact) {
    std::uint64_t length = 0;
    std::uint32_t field = 0;
    for (const std::string_view text : fields_of_fact(*options_, fact)) {
        std::uint32_t position = 0;
        WordReader reader(text);
        while (reader.next()) tokens_.push_back({term_number(reader.word()), document, position++, field});
        length += std::uint64_t{position} * options_->fields[field].weight;
        total_words_ += position;
        ++field;
    }
    lengths_.push_back(length);
    total_length_ += length;
}

void TextChunk::index() {
    std::size_t begin = 0;
    for (std::uint32_t document = 0; document < documents(); ++document) {
        read_document(document, std::string_view(facts_).substr(begin, fact_ends_[document] - begin));
        begin = fact_ends_[document];
    }
    release_memory(facts_);
    release_memory(fact_ends_);
    raw_words_ = {};
    release_memory(stems_);
    write_postings();
    order_.resize(words_.size());
    std::iota(order_.begin(), order_.end(), 0u);
    std::sort(order_.begin(), order_.end(), [&](std::uint32_t a, std::uint32_t b) {
        const std::string_view left = words_.word(a);
        const std::string_view right = words_.word(b);
        const std::uint32_t left_head = load_head(left);
        const std::uint32_t right_head = load_head(right);
        return left_head != right_head ? left_head < right_head : left < right;
    });
}

void TextChunk::write_postings() {
    // By term; within one they stay in the order in which they were read.
    std::vector<std::size_t> next(words_.size() + std::size_t{1}, 0);
    for (const Token& token : tokens_) ++next[token.term + std::size_t{1}];
    std::partial_sum(next.begin(), next.end(), next.begin());
    std::vector<Token> sorted(tokens_.size());
    {
        std::vector<std::size_t> place = next;
        for (const Token& token : tokens_) sorted[place[token.term]++] = token;
    }
    release_memory(tokens_);
    const auto fields = static_cast<std::uint32_t>(options_->fields.size());
    counts_.assign(words_.size(), 0);
    postings_.reserve(sorted.size() * (options_->positions ? 3 : 2));
    ByteWriter out(postings_);
    for (std::uint32_t term = 0; term < words_.size(); ++term) {
        std::uint32_t before = ~0u;
        for (std::size_t i = next[term]; i < next[term + std::size_t{1}];) {
            const std::uint32_t document = sorted[i].document;
            const std::uint32_t gap = document - before - 1;
            before = document;
            ++counts_[term];
            std::size_t end = i;
            for (std::uint32_t field = 0; field < fields; ++field) {
                const std::size_t first = end;
                while (end < next[term + std::size_t{1}] && sorted[end].document == document &&
                       sorted[end].field == field) {
                    ++end;
                }
                const std::size_t count = end - first;
                if (field == 0) out.varint(std::uint64_t{gap} << 1 | (count != 1 ? 1 : 0));
                if (field != 0 || count != 1) out.varint(count);
                std::uint32_t last = ~0u;
                for (std::size_t at = first; options_->positions && at < end; ++at) {
                    out.varint(sorted[at].position - last - 1);
                    last = sorted[at].position;
                }
            }
            i = end;
        }
        posting_ends_.push_back(postings_.size());
    }
}

std::size_t TextChunk::rank_of(std::string_view term) const {
    const auto found = std::lower_bound(order_.begin(), order_.end(), term, [&](std::uint32_t number,
                                                                                std::string_view wanted) {
        return words_.word(number) < wanted;
    });
    return static_cast<std::size_t>(found - order_.begin());
}

std::span<const std::byte> TextChunk::postings(std::uint32_t number) const {
    const std::size_t begin = number == 0 ? 0 : posting_ends_[number - 1];
    return std::span(postings_).subspan(begin, posting_ends_[number] - begin);
}

TextChunk::Walk::Walk(std::span<const std::byte> postings, const TextOptions& options)
    : at_(postings.data()),
      end_(at_ + postings.size()),
      kept_(options.positions),
      frequencies_(options.fields.size()) {}

bool TextChunk::Walk::next() {
    if (at_ == end_) return false;
    // These are bytes of our own, whole.
    const auto number = [&] {
        std::uint64_t value = 0;
        at_ = load_varint(at_, end_, value);
        return static_cast<std::uint32_t>(value);
    };
    std::uint64_t head = 0;
    at_ = load_varint(at_, end_, head);
    document_ += static_cast<std::uint32_t>(head >> 1) + 1;
    positions_.clear();
    bool once = (head & 1) == 0;  // in the first field
    for (std::uint32_t& frequency : frequencies_) {
        frequency = once ? 1 : number();
        once = false;
        std::uint32_t last = ~0u;
        for (std::uint32_t i = 0; kept_ && i < frequency; ++i) positions_.push_back(last += number() + 1);
    }
    return true;
}

}  // namespace northstar::inline v0::detail
