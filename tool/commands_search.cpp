// search: documents by words, best first, with the piece of text that a question is about
#include "commands.hpp"
#include "json.hpp"
#include "output.hpp"
#include "session.hpp"

#include <cstdio>

namespace northstar_tool {
namespace search_impl {

using northstar::Cartridge;
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
TextQuery question_of(const Arguments& arguments) {
    std::string text;
    for (std::size_t i = 1; i < arguments.operands().size(); ++i) text += (i > 1 ? " " : "") + arguments.operand(i);
    return arguments.has("plain") ? TextQuery::words(text) : TextQuery::parse(text);
}

class Search {
public:
    Search(const Arguments& arguments, Output& output)
        : arguments_(arguments), output_(output), query_(question_of(arguments)),
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
        const std::vector<TextHit> hits = text_.search(query_, most);
        for (const TextHit& hit : hits) {
            if (arguments_.has("json")) print_json(hit);
            else print_line(hit);
        }
        return hits.empty() ? k_exit_negative : k_exit_ok;
    }

private:
    TextSnippet snippet_of(const TextHit& hit) const {
        const std::uint64_t words = arguments_.number("words").value_or(k_default_words);
        if (words == 0) return {};
        const northstar::CartridgeParameters& parameters = cartridge_.info().parameters;
        const auto tree = parameters.find("tree");
        const std::string name = tree != parameters.end() ? tree->second : "documents";
        // With --freshness stale the document may be gone by now.
        const std::optional<std::string_view> value = snapshot_.tree(name).get(hit.key);
        return value ? text_.snippet(query_, *value, static_cast<std::size_t>(words)) : TextSnippet();
    }

    void print_line(const TextHit& hit) {
        std::string line = decimal(hit.score) + "\t" + display(hit.key, arguments_.encoding());
        const TextSnippet snippet = snippet_of(hit);
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

    void print_json(const TextHit& hit) {
        json::Writer writer;
        writer.begin_object().name("key").bytes(hit.key).name("score").raw(decimal(hit.score));
        const TextSnippet snippet = snippet_of(hit);
        if (!snippet.pieces.empty()) {
            if (!snippet.field.empty()) writer.name("field").bytes(snippet.field);
            writer.name("cut_before").boolean(snippet.cut_before).name("cut_after").boolean(snippet.cut_after);
            writer.name("snippet").begin_array();
            for (const TextSnippet::Piece& piece : snippet.pieces) {
                writer.begin_object().name("text").bytes(piece.text).name("hit").boolean(piece.hit).end_object();
            }
            writer.end_array();
        }
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

int run(const Arguments& arguments, Output& output) { return Search(arguments, output).run(); }

}  // namespace search_impl

std::vector<Command> search_commands() {
    return {
        {.name = "search",
         .group = k_group_cartridges,
         .operands = "DATABASE QUESTION...",
         .least = 2,
         .most = k_any_number,
         .summary = "find documents by words, best first",
         .description = "Asks a cartridge of kind text (northstar cartridge build DATABASE text text). A question is "
                        "words, \"phrases\", prefixes (nav*) and FIELD:WORD; any of them is enough, and more is "
                        "better. +WORD must be there, -WORD must not; AND, OR, NOT and parentheses join them. Put -- "
                        "before a question that begins with -. A line is score, key, and the piece of the document "
                        "that has most of the question. Answers are those of the newest state, or of --as-of, "
                        "whenever the cartridge was built. Exit code 1: nothing was found.",
         .options = {{"cartridge", 'c', "NAME", "to ask (default: text)"},
                     k_option_as_of,
                     {"freshness", 0, "HOW", "overlay (default), exact, or stale:N commits"},
                     {"limit", 'n', "N", "at most N documents (default: 10)"},
                     {"words", 'w', "N", "show at most N words of each (default: 24; 0: none)"},
                     {"plain", 0, "", "the question is plain text, in which no character means anything"},
                     {"count", 0, "", "only say how many documents there are"},
                     {"explain", 'e', "", "also say what each word adds to a score"},
                     k_option_json,
                     k_option_hex,
                     k_option_base64,
                     k_option_pread,
                     k_option_exclusive},
         .examples = {"northstar search notes.db 'heat +transfer \"boundary layer\"'",
                      "northstar search notes.db 'title:wing*' --as-of 2h-ago --explain",
                      "northstar search notes.db --plain --json \"what is (not) known?\""},
         .run = search_impl::run},
    };
}

}  // namespace northstar_tool
