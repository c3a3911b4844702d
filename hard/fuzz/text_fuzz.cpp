// text_fuzz.cpp -- the artifact of a text and the questions that it is asked: whatever the bytes are, every question
// ends with an answer or with damage reported [CART-3] [TEXT-7], a question that can be read is the same when it was
// written and read again [TEXT-10], and an artifact that `verify` calls whole gives the same answers with and
// without skipping
// [TEXT-12].
//
// The last bytes of an input, behind its last zero byte, are a question; all of it is an artifact, or only a question.
#include "hard/fuzz/artifact.hpp"

#include "base/bytes.hpp"
#include "cartridge/registry.hpp"
#include "cartridge/text_search.hpp"

#include <algorithm>

namespace northstar::hard {

using namespace detail;

namespace {

constexpr std::size_t k_longest_question = 300;

/// nullopt: it cannot be read.
std::optional<TextQuery> read_question(std::string_view text) {
    try {
        const TextQuery query = TextQuery::parse(text);
        const std::string written = query.text();
        if (TextQuery::parse(written).text() != written) finding("a question written again is another one: " + written);
        return query;
    } catch (const Error& error) {
        if (error.code() != Errc::invalid_argument) finding(std::string("a question is called ") + error.what());
        return std::nullopt;
    }
}

/// A question may also ask for what this text does not have: a field, or phrases.
template <class F>
bool asked(F&& f) {
    return whole([&] {
        try {
            f();
        } catch (const Error& error) {
            if (error.code() != Errc::invalid_argument && error.code() != Errc::unsupported) throw;
        }
    });
}

bool same(const std::vector<ScoredDocument>& a, const std::vector<ScoredDocument>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const ScoredDocument& x, const ScoredDocument& y) {
        return x.document == y.document && x.score == y.score;
    });
}

void ask(const Cartridge& cartridge, const TextQuery& query, bool valid) {
    std::vector<TextHit> hits;
    const bool found = asked([&] { hits = Text(cartridge).search(query, 5); });
    if (valid && !found) finding("a text that is whole cannot be asked");
    asked([&] {
        const Text text(cartridge);
        if (text.count(query) < hits.size() && valid) finding("a question finds more than there is");
        for (const TextHit& hit : hits) {
            const TextExplanation why = text.explain(query, hit.key);
            if (valid && (!why.matches || why.score != hit.score)) finding("a score is not what explains it");
        }
        text.explain(query, "none");
        text.snippet(query, "{\"title\":\"wing\",\"body\":\"a flow of heat, a wing\"}", 3);
    });
}

/// The same without the public interface: skipping against walking through.
void compare(const Cartridge& cartridge, bool valid) {
    asked([&] {
        const std::shared_ptr<const TextData> data = TextData::of(cartridge);
        QueryNode root;
        for (const char* const word : {"wing", "heat", "flow", "w1", "w7", "nothing"}) {
            QueryNode node;
            node.kind = QueryNode::Kind::word;
            node.text = word;
            root.should.push_back(std::move(node));
            const TextPlan plan(*data, root);
            const std::vector<ScoredDocument> skipping = search_any(plan, false, 4);
            const std::vector<ScoredDocument> walking = search_all(plan, false, 4);
            if (valid && !same(skipping, walking)) finding("skipping finds other documents than walking");
        }
    });
}

void run(std::span<const std::byte> input) {
    const std::string_view bytes = text_of(input);
    const std::string_view tail = bytes.substr(bytes.size() - std::min(bytes.size(), k_longest_question));
    const std::optional<TextQuery> query = read_question(tail.substr(tail.rfind('\0') + 1));
    TextQuery::words(tail);
    const std::optional<OpenedArtifact> opened = open_artifact("text", input);
    if (!opened) return;
    std::string problem;
    const bool checked = asked([&] { problem = problem_of_text(opened->cartridge); });
    bool usable = false;
    asked([&] { usable = Text(opened->cartridge).term_count() != ~std::uint64_t{0}; });
    const bool valid = usable && opened->intact && checked && problem.empty();
    if (query) ask(opened->cartridge, *query, valid);
    for (const char* const question : {"+wing heat \"flow of\" h* -w1", "title:wing body:f*", "wing AND flow"}) {
        ask(opened->cartridge, TextQuery::parse(question), valid);
    }
    compare(opened->cartridge, valid);
}

std::vector<Bytes> seeds() {
    std::vector<Bytes> result;
    Database db = Database::open(":memory:");
    Cartridges cartridges(db);
    Transaction tx = db.begin_write();
    for (int i = 0; i < 300; ++i) {
        std::string text = i % 3 == 0 ? "wing " : "flow of heat ";
        for (int word = i % 11; word != 0; --word) text += "w" + std::to_string(i * word % 29) + ' ';
        tx.tree("documents").put("d" + std::to_string(i), text);
        tx.tree("objects").put("o" + std::to_string(i), "{\"title\":\"" + text + "\",\"body\":\"wing wing\"}");
    }
    tx.commit();
    for (const CartridgeParameters& parameters :
         {CartridgeParameters{}, {{"positions", "no"}, {"stemming", "porter"}},
          {{"tree", "objects"}, {"fields", "title^3,body"}}, {{"tree", "nothing"}}}) {
        const CartridgeInfo info = cartridges.build("seed", "text", parameters);
        const Snapshot now = db.begin_read();
        const std::string_view bytes = now.tree(k_cartridges_tree).get(artifact_key("seed", info.built_at)).value();
        const std::span<const std::byte> as_bytes = bytes_of(bytes);
        result.emplace_back(as_bytes.begin(), as_bytes.end());
    }
    for (const char* const question :
         {"a b", "+a -b \"c d\" e*", "(a OR title:b) AND NOT (c d)", "x:\"y\" \xc3\xa9t\xc3\xa9 --a \xff",
          "a:(b:c*) OR ++d"}) {
        const std::span<const std::byte> as_bytes = bytes_of(question);
        result.emplace_back(as_bytes.begin(), as_bytes.end());
    }
    return result;
}

}  // namespace

const Target k_text_target = {"text", run, mend_artifact, seeds};

}  // namespace northstar::hard
