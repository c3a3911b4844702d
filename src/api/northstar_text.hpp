// northstar_text.hpp -- the cartridge kind "text": ranked search by words, and fusion of ranked lists.
//
// Documents are the entries of a tree: the key names one, the value is its text, or (parameter "fields") a JSON
// object some of whose strings are its text. Words are runs of letters and numbers, whatever their case and accents;
// scores are BM25 (k1 = 1.2, b = 0.75), a word in a field of weight w counts as w words. Equal scores are in the
// order of keys. The answers are those of the snapshot that the cartridge was opened for, to the last bit of every
// score, whenever it was built.
//
// Parameters: "tree" (default "documents"); "fields", e.g. "title^3,body" (1 to 16 names, weights 1 to 100);
// "stemming", none (default) or porter (English); "positions", yes (default) or no: smaller, and phrases cannot be
// asked for.
#pragma once

#include "api/northstar_cartridge.hpp"

namespace northstar {
inline namespace v0 {

namespace detail {
struct QueryNode;
struct TextData;
}  // namespace detail

/// A question. Immutable; may be used by several threads.
class TextQuery {
public:
    /// Words, "phrases", prefixes (nav*), FIELD: before any of them or before (a group). Of what stands side by side
    /// one must be there, and more is better; +x must be there, -x (or NOT x) must not. x AND y: both; x OR y: as
    /// side by side. NOT binds more tightly than AND, AND than OR. A word that is several (e-mail) is a phrase.
    /// Error(invalid_argument): a parenthesis or quote is not closed, an operator has nothing beside it, a group
    /// says only what must not be there, more than 64 levels or 512 words.
    static TextQuery parse(std::string_view text);
    /// Any of the words of a text, in which no character means anything. Error(invalid_argument): more than 512.
    static TextQuery words(std::string_view text);
    /// The question in the notation of parse(): parsed again it is the same.
    std::string text() const;

private:
    friend class Text;
    explicit TextQuery(std::shared_ptr<const detail::QueryNode> root) : root_(std::move(root)) {}
    std::shared_ptr<const detail::QueryNode> root_;
};

/// A document that a question found.
struct TextHit {
    std::string key;
    double score = 0;  ///< a whole number of 65536ths
};

/// Why a document has its score: what each word of the question adds to it.
struct TextExplanation {
    struct Part {
        std::string word;                      ///< as the index has it; "a b" a phrase, a* a prefix
        std::string field;                     ///< empty: any
        std::uint64_t document_frequency = 0;  ///< documents that have it
        std::uint64_t frequency = 0;           ///< in this document, with the weights of fields
        std::uint32_t times = 1;               ///< in the question
        double weight = 0;                     ///< most that it can add
        double score = 0;                      ///< what it adds; the parts' sum is the score, exactly
    };
    bool matches = false;  ///< false: the document is not among the answers, and there are no parts
    double score = 0;
    std::uint64_t length = 0;      ///< words of the document as they are counted: rounded, with the weights of fields
    double average_length = 0;     ///< of all documents
    std::uint64_t documents = 0;   ///< that there are
    std::vector<Part> parts;
};

/// A piece of a document's text, cut at words.
struct TextSnippet {
    struct Piece {
        std::string text;  ///< bytes of the document
        bool hit = false;  ///< the question asks for it
    };
    std::string field;  ///< that it is out of; empty where documents are plain text
    bool cut_before = false;
    bool cut_after = false;
    std::vector<Piece> pieces;
};

/// What documents say, by words.
class Text {
public:
    /// Of a cartridge of kind "text", else Error(invalid_argument). With changes behind it: costs in proportion to
    /// them, once.
    explicit Text(const Cartridge& cartridge);

    std::uint64_t document_count() const;
    /// Mean number of words, with the weights of fields.
    double average_length() const;
    /// Different terms of the artifact.
    std::uint64_t term_count() const;
    /// Names of fields; one empty name where documents are plain text.
    std::vector<std::string> fields() const;

    /// The best answers, best first. Costs in proportion to the postings of the question's words that may matter, less
    /// where whole blocks cannot. Error(unsupported): a phrase, and positions are not kept; invalid_argument: there
    /// is no such field.
    std::vector<TextHit> search(const TextQuery& query, std::size_t most = 10) const;
    /// Documents that the question finds. Looks at all of them.
    std::uint64_t count(const TextQuery& query) const;
    TextExplanation explain(const TextQuery& query, std::string_view key) const;
    /// The piece of at most `most_words` words, of a document's value, that has most of what the question asks for: the
    /// earliest of the best. Asks no artifact.
    TextSnippet snippet(const TextQuery& query, std::string_view value, std::size_t most_words = 24) const;

private:
    std::shared_ptr<const detail::TextData> data_;
};

/// One list of answers, best first, each key once.
struct RankedList {
    std::vector<std::string_view> keys;
    std::uint32_t weight = 1;  ///< how much it counts beside the others, at most 1000
};

struct FusionOptions {
    std::uint32_t k = 60;  ///< larger: the first places count less; at least 1
    std::size_t most = 10;
    /// Age of a key, in any unit, and the age at which it counts half; 0: age does not matter. Called once for each
    /// key.
    std::function<std::uint64_t(std::string_view)> age = {};
    std::uint64_t half_life = 0;
};

struct FusedHit {
    std::string key;
    double score = 0;
};

/// Reciprocal rank fusion: a key scores the sum, over the lists that have it, of weight / (k + rank), ranks from 1,
/// times 2^(-age / half_life); equal scores in the order of keys. In whole numbers: the same everywhere. G. Cormack,
/// C. Clarke, S. Buettcher, Reciprocal rank fusion outperforms Condorcet and individual rank learning methods, 2009.
/// Error(invalid_argument): a weight or k is out of range, or a list names a key twice.
std::vector<FusedHit> reciprocal_rank_fusion(std::span<const RankedList> lists, const FusionOptions& options = {});

}  // namespace v0
}  // namespace northstar
