// search: documents by words, or by words and vectors, best first, with the piece of text that a question is about
#include "commands.hpp"
#include "json.hpp"
#include "output.hpp"
#include "session.hpp"
#include "vectors.hpp"

#include <cstdio>

namespace northstar_tool {
namespace search_impl {

using northstar::Cartridge;
using northstar::Embedding;
using northstar::HybridHit;
using northstar::HybridRecency;
using northstar::HybridSearch;
using northstar::Text;
using northstar::TextExplanation;
using northstar::TextHit;
using northstar::TextQuery;
using northstar::TextSnippet;

constexpr std::uint64_t k_default_limit = 10;
constexpr std::uint64_t k_default_words = 24;

std::string decimal(double number) {
    char text[64];
    std::snprintf(text, sizeof text, "%.6f", number);
    return text;
}

/// Several operands are one question.
std::string question_of(const Arguments& arguments) {
    std::string text;
    for (std::size_t i = 1; i < arguments.operands().size(); ++i) text += (i > 1 ? " " : "") + arguments.operand(i);
    return text;
}

TextQuery query_of(const Arguments& arguments) {
    const std::string text = question_of(arguments);
    return arguments.has("plain") ? TextQuery::words(text) : TextQuery::parse(text);
}

/// commit, or the member of a document that is its time.
HybridRecency recency_of(const Arguments& arguments) {
    HybridRecency recency;
    const std::optional<std::string> half_life = arguments.value("half-life");
    if (!half_life) {
        if (arguments.has("recency")) throw UsageError("--recency needs --half-life");
        return recency;
    }
    const std::optional<std::uint64_t> parsed = parse_duration(*half_life);
    if (!parsed || *parsed == 0) throw UsageError("--half-life is a duration like 90d or 12h");
    recency.half_life_us = *parsed;
    const std::string by = arguments.value_or("recency", "commit");
    recency.time = by == "commit" ? HybridRecency::Time::commit : HybridRecency::Time::field;
    if (by.starts_with("member:")) recency.field = by.substr(7);
    if (by != "commit" && recency.field.empty()) throw UsageError("--recency is commit or member:NAME");
    return recency;
}

/// --weights TEXT:VECTORS, and the rest.
HybridSearch hybrid_of(const Arguments& arguments) {
    HybridSearch options;
    if (const auto weights = arguments.value("weights")) {
        const std::size_t colon = weights->find(':');
        const auto text = parse_unsigned(weights->substr(0, colon));
        const auto vectors =
            colon != std::string::npos ? parse_unsigned(weights->substr(colon + 1)) : std::optional<std::uint64_t>();
        if (!text || !vectors || *text > 1000 || *vectors > 1000 || *text + *vectors == 0) {
            throw UsageError("--weights are two numbers from 0 to 1000, not both 0, e.g. 6:1");
        }
        options.text_weight = static_cast<std::uint32_t>(*text);
        options.vector_weight = static_cast<std::uint32_t>(*vectors);
    }
    if (const auto depth = arguments.number("depth")) options.depth = static_cast<std::size_t>(*depth);
    options.recency = recency_of(arguments);
    return options;
}

/// Options that say how both legs are joined mean nothing without the second.
void check(const Arguments& arguments) {
    constexpr std::string_view hybrid_only[] = {"vectors", "vector",    "near",   "weights",
                                                "depth",   "half-life", "recency"};
    if (arguments.has("hybrid")) {
        if (arguments.has("count")) throw UsageError("--count is of a search by words alone");
        if (arguments.has("vector") && arguments.has("near")) {
            throw UsageError("--vector and --near exclude each other");
        }
        return;
    }
    for (const std::string_view option : hybrid_only) {
        if (arguments.has(option)) throw UsageError("--" + std::string(option) + " needs --hybrid");
    }
}

class Search {
public:
    Search(const Arguments& arguments, Output& output)
        : arguments_(arguments), output_(output), query_(query_of(arguments)),
          database_(open_reading(arguments.operand(0), arguments)), snapshot_(snapshot_for(database_, arguments)),
          cartridge_(northstar::Cartridges(database_).open(snapshot_, arguments.value_or("cartridge", "text"),
                                                           freshness(arguments))),
          text_(cartridge_) {}

    int run() {
        if (arguments_.has("count")) {
            const std::uint64_t count = text_.count(query_);
            output_.line(arguments_.has("json") ? "{\"count\":" + std::to_string(count) + "}" : std::to_string(count));
            return count != 0 ? k_exit_ok : k_exit_negative;
        }
        const auto most = static_cast<std::size_t>(arguments_.number("limit").value_or(k_default_limit));
        if (arguments_.has("hybrid")) return run_hybrid(most);
        const std::vector<TextHit> hits = text_.search(query_, most);
        for (const TextHit& hit : hits) {
            if (arguments_.has("json")) print_json(hit);
            else print_line(hit);
        }
        return hits.empty() ? k_exit_negative : k_exit_ok;
    }

private:
    int run_hybrid(std::size_t most) {
        const Cartridge cartridge = northstar::Cartridges(database_).open(
            snapshot_, arguments_.value_or("vectors", "vectors"), freshness(arguments_));
        const northstar::Hybrid hybrid(snapshot_, cartridge_, cartridge);
        HybridSearch options = hybrid_of(arguments_);
        options.most = most;
        const std::vector<HybridHit> hits = hybrid.search(query_, vector_of(hybrid, cartridge), options);
        for (const HybridHit& hit : hits) {
            if (arguments_.has("json")) print_json(hit);
            else print_line(hit);
        }
        return hits.empty() ? k_exit_negative : k_exit_ok;
    }

    /// --vector, --near, or the hashed embedding of the question.
    Embedding vector_of(const northstar::Hybrid& hybrid, const Cartridge& cartridge) const {
        const northstar::EmbeddingSpace& space = hybrid.vectors().space();
        if (const auto text = arguments_.value("vector")) return parse_vector(space, *text, "--vector");
        if (const auto near = arguments_.bytes_of("near")) {
            const auto value = snapshot_.tree(tree_of(cartridge.info(), "vectors")).get(*near);
            if (value) return Embedding::of_value(*value);
            throw Failure(k_exit_negative, "there is no vector '" + display(*near, arguments_.encoding()) + "'");
        }
        if (!is_hashed(space)) {
            throw UsageError("the vectors are of " + printable(northstar::to_string(space)) +
                             "; give that of the question by --vector, or --near KEY");
        }
        return northstar::hashed_embedding(question_of(arguments_), {.dimensions = space.dimensions});
    }

    TextSnippet snippet_of(const std::string& key) const {
        const std::uint64_t words = arguments_.number("words").value_or(k_default_words);
        if (words == 0) return {};
        // With --freshness stale the document may be gone by now, and a vector need not have one.
        const std::optional<std::string_view> value =
            snapshot_.tree(tree_of(cartridge_.info(), "documents")).get(key);
        return value ? text_.snippet(query_, *value, static_cast<std::size_t>(words)) : TextSnippet();
    }

    /// Score, key, and a piece of the document.
    void print_found(double score, const std::string& key) {
        std::string line = decimal(score) + "\t" + display(key, arguments_.encoding());
        const TextSnippet snippet = snippet_of(key);
        if (!snippet.pieces.empty()) {
            line += "\t";
            if (!snippet.field.empty()) line += output_.paint(Colour::faint, printable(snippet.field) + ": ");
            if (snippet.cut_before) line += "... ";
            for (const TextSnippet::Piece& piece : snippet.pieces) {
                const std::string text = printable(piece.text);
                line += piece.hit ? output_.paint(Colour::bold, text) : text;
            }
            if (snippet.cut_after) line += " ...";
        }
        output_.line(line);
    }

    void print_line(const HybridHit& hit) {
        print_found(hit.score, hit.key);
        if (!arguments_.has("explain")) return;
        if (hit.text_rank != 0) {
            output_.line("    " + decimal(hit.text_part) + "\tplace " + std::to_string(hit.text_rank) +
                         " by words, score " + decimal(hit.text_score));
        }
        if (hit.vector_rank != 0) {
            output_.line("    " + decimal(hit.vector_part) + "\tplace " + std::to_string(hit.vector_rank) +
                         " by vectors, distance " + decimal(hit.vector_distance));
        }
        if (hit.time_us) output_.line("    x " + decimal(hit.recency) + "\tof " + format_time(*hit.time_us));
    }

    void print_line(const TextHit& hit) {
        print_found(hit.score, hit.key);
        if (!arguments_.has("explain")) return;
        const TextExplanation why = text_.explain(query_, hit.key);
        for (const TextExplanation::Part& part : why.parts) {
            output_.line("    " + decimal(part.score) + "\t" +
                         (part.field.empty() ? std::string() : printable(part.field) + ":") + printable(part.word) +
                         "\tin " + counted(part.document_frequency, "document", "documents") + " of " +
                         std::to_string(why.documents) + ", here " + std::to_string(part.frequency) + " in " +
                         counted(why.length, "word", "words") + " (mean " + decimal(why.average_length) +
                         "), at most " + decimal(part.weight));
        }
    }

    void write_found(json::Writer& writer, double score, const std::string& key) const {
        writer.begin_object().name("key").bytes(key).name("score").raw(decimal(score));
        const TextSnippet snippet = snippet_of(key);
        if (!snippet.pieces.empty()) {
            if (!snippet.field.empty()) writer.name("field").bytes(snippet.field);
            writer.name("cut_before").boolean(snippet.cut_before).name("cut_after").boolean(snippet.cut_after);
            writer.name("snippet").begin_array();
            for (const TextSnippet::Piece& piece : snippet.pieces) {
                writer.begin_object().name("text").bytes(piece.text).name("hit").boolean(piece.hit).end_object();
            }
            writer.end_array();
        }
    }

    void print_json(const HybridHit& hit) {
        json::Writer writer;
        write_found(writer, hit.score, hit.key);
        if (hit.text_rank != 0) {
            writer.name("text_rank").number(hit.text_rank).name("text_score").raw(decimal(hit.text_score));
            writer.name("text_part").raw(decimal(hit.text_part));
        }
        if (hit.vector_rank != 0) {
            writer.name("vector_rank").number(hit.vector_rank);
            writer.name("vector_distance").raw(decimal(hit.vector_distance));
            writer.name("vector_part").raw(decimal(hit.vector_part));
        }
        if (hit.time_us) writer.name("recency").raw(decimal(hit.recency)).name("time_us").number(*hit.time_us);
        output_.line(writer.end_object().text());
    }

    void print_json(const TextHit& hit) {
        json::Writer writer;
        write_found(writer, hit.score, hit.key);
        if (arguments_.has("explain")) {
            const TextExplanation why = text_.explain(query_, hit.key);
            writer.name("documents").number(why.documents).name("length").number(why.length);
            writer.name("average_length").raw(decimal(why.average_length)).name("parts").begin_array();
            for (const TextExplanation::Part& part : why.parts) {
                writer.begin_object().name("word").bytes(part.word).name("field").bytes(part.field);
                writer.name("document_frequency").number(part.document_frequency);
                writer.name("frequency").number(part.frequency).name("times").number(part.times);
                writer.name("weight").raw(decimal(part.weight)).name("score").raw(decimal(part.score)).end_object();
            }
            writer.end_array();
        }
        output_.line(writer.end_object().text());
    }

    const Arguments& arguments_;
    Output& output_;
    TextQuery query_;
    northstar::Database database_;
    northstar::Snapshot snapshot_;
    Cartridge cartridge_;
    Text text_;
};

int run(const Arguments& arguments, Output& output) {
    check(arguments);
    return Search(arguments, output).run();
}

}  // namespace search_impl

std::vector<Command> search_commands() {
    return {
        {.name = "search",
         .group = k_group_cartridges,
         .operands = "DATABASE QUESTION...",
         .least = 2,
         .most = k_any_number,
         .summary = "find documents by words, or by words and vectors",
         .description = "Asks a cartridge of kind text (northstar cartridge build DATABASE text text). A question is "
                        "words, \"phrases\", prefixes (nav*) and FIELD:WORD; any of them is enough, and more is "
                        "better. +WORD must be there, -WORD must not; AND, OR, NOT and parentheses join them. Put -- "
                        "before a question that begins with -. A line is score, key, and the piece of the document "
                        "that has most of the question. Answers are those of the newest state, or of --as-of, "
                        "whenever the cartridge was built. --hybrid also asks a cartridge of kind vectors, whose "
                        "keys are those of the documents, and fuses the ranks of both: by the vector given, that of "
                        "a key, or the question's hashed embedding (northstar vector embed). Exit code 1: nothing was "
                        "found.",
         .options = {{"cartridge", 'c', "NAME", "to ask (default: text)"},
                     k_option_as_of,
                     {"freshness", 0, "HOW", "overlay (default), exact, or stale:N commits"},
                     {"limit", 'n', "N", "at most N documents (default: 10)"},
                     {"words", 'w', "N", "show at most N words of each (default: 24; 0: none)"},
                     {"plain", 0, "", "the question is plain text, in which no character means anything"},
                     {"count", 0, "", "only say how many documents there are"},
                     {"explain", 'e', "", "also say what each word, or each of both searches, adds to a score"},
                     {"hybrid", 'y', "", "by words and by vectors"},
                     {"vectors", 0, "NAME", "cartridge of vectors to ask (default: vectors)"},
                     {"vector", 0, "NUMBERS", "vector of the question, between commas or blanks"},
                     {"near", 0, "KEY", "the vector of KEY is that of the question"},
                     {"weights", 0, "TEXT:VECTORS", "how much each counts (default: 1:1; 6:1 beside hashed vectors)"},
                     {"depth", 0, "N", "fuse the best N of each (default: 100 or 4 times the limit)"},
                     {"half-life", 0, "DURATION", "a score is halved with this age"},
                     {"recency", 0, "HOW", "age by commit (default), or member:NAME of JSON objects, a date"},
                     k_option_json,
                     k_option_hex,
                     k_option_base64,
                     k_option_pread,
                     k_option_exclusive},
         .examples = {"northstar search notes.db 'heat +transfer \"boundary layer\"'",
                      "northstar search notes.db 'title:wing*' --as-of 2h-ago --explain",
                      "northstar search notes.db --hybrid --half-life 90d 'boundary layer' --explain",
                      "northstar search notes.db --plain --json \"what is (not) known?\""},
         .run = search_impl::run},
    };
}

}  // namespace northstar_tool
