// text_verify.cpp -- problem_of_text: does all of an artifact say the same?
#include "cartridge/text_data.hpp"

#include <algorithm>

namespace northstar::inline v0::detail {

namespace text_verify_impl {

/// Throws Error(corrupt), as reading does, where something does not lie where it should.
class TextCheck {
public:
    explicit TextCheck(const TextSections& text)
        : text_(text), table_(text.documents, text.total(k_total_length)), lengths_(text.documents, 0) {}

    std::string problem() {
        std::string found = problem_of_keys();
        if (found.empty()) found = problem_of_terms();
        if (!found.empty()) return found;
        std::uint64_t total = 0;
        for (std::uint32_t document = 0; document < text_.documents; ++document) {
            if (length_code(lengths_[document]) != text_.lengths[document]) {
                return "a document has another length than its words";
            }
            total += lengths_[document];
        }
        const bool counted = text_.total(k_total_documents) == text_.documents &&
                             text_.total(k_total_length) == total && text_.total(k_total_words) == words_ &&
                             text_.total(k_total_terms) == terms_;
        return counted ? std::string() : "its totals are not those of its documents";
    }

private:
    std::string problem_of_keys() const {
        std::string before;
        for (std::uint32_t document = 0; document < text_.documents; ++document) {
            std::string key = text_.key(document);
            if (document != 0 && key <= before) return "its keys are not in order";
            before = std::move(key);
        }
        return {};
    }

    std::string problem_of_terms() {
        TermCursor cursor(text_);
        std::string before;
        std::uint64_t postings = 0;
        std::uint64_t positions = 0;
        std::uint64_t blocks = 0;
        for (bool there = cursor.first(); there; there = cursor.next()) {
            const TermList& list = cursor.list();
            if (terms_ != 0 && cursor.term() <= before) return "its terms are not in order";
            before = cursor.term();
            const bool follows = list.postings_begin == postings && list.positions_begin == positions &&
                                 list.first_block == blocks;
            if (!follows) return "the postings of a term are not where those before end";
            postings += list.postings_size;
            positions += list.positions_size;
            if (list.blocks() > 1) blocks += list.blocks();
            std::string found = problem_of_list(list);
            if (!found.empty()) return found;
            ++terms_;
        }
        const bool filled = postings == text_.postings.size() && positions == text_.positions.size() &&
                            blocks == text_.block_last.size();
        return filled ? std::string() : "its postings do not fill their place";
    }

    std::string problem_of_list(const TermList& list) {
        const ListBlocks blocks(text_, list);
        std::uint32_t documents[k_text_block];
        std::uint32_t frequencies[k_text_block];
        for (std::uint32_t block = 0; block < blocks.blocks(); ++block) {
            const std::size_t count = blocks.size(block);
            blocks.read_documents(block, documents);
            if (blocks.blocks() > 1 && documents[count - 1] != blocks.last(block)) {
                return "a block of postings ends with another document than its entry says";
            }
            for (std::uint32_t field = 0; field < text_.options.fields.size(); ++field) {
                const std::uint32_t weight = text_.options.fields[field].weight;
                blocks.read_counts(block, field, frequencies);
                for (std::size_t i = 0; i < count; ++i) {
                    lengths_[documents[i]] += std::uint64_t{frequencies[i]} * weight;
                    words_ += frequencies[i];
                }
            }
            blocks.read_frequencies(block, frequencies);
            std::uint8_t best = 0;
            for (std::size_t i = 0; i < count; ++i) {
                if (frequencies[i] == 0) return "a posting stands for no word";
                const std::uint8_t code = text_.lengths[documents[i]];
                best = std::max(best, saturation(frequencies[i], table_.at[code]));
            }
            if (text_.options.positions) blocks.check_positions(block);
            if (blocks.blocks() > 1 && blocks.best(block) != best) {
                return "a block of postings has another best one than its entry says";
            }
        }
        return {};
    }

    const TextSections& text_;
    LengthTable table_;
    std::vector<std::uint64_t> lengths_;
    std::uint64_t terms_ = 0;
    std::uint64_t words_ = 0;
};

}  // namespace text_verify_impl

std::string problem_of_text(const Cartridge& cartridge) {
    return text_verify_impl::TextCheck(TextSections(cartridge)).problem();
}

}  // namespace northstar::inline v0::detail
