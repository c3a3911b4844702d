// vector: put vectors, and ask a cartridge of kind vectors for the nearest ones
#include "actions.hpp"
#include "commands.hpp"
#include "input.hpp"
#include "json.hpp"
#include "output.hpp"
#include "session.hpp"
#include "vectors.hpp"

#include <array>
#include <charconv>
#include <cstring>

namespace northstar_tool {
namespace vector_impl {

using northstar::Embedding;
using northstar::EmbeddingSpace;
using northstar::VectorElement;
using northstar::Vectors;

constexpr std::uint64_t k_vectors_per_commit = 20'000;

northstar::Cartridge open_cartridge(northstar::Database& database, const Arguments& arguments) {
    return northstar::Cartridges(database).open(snapshot_for(database, arguments),
                                                arguments.value_or("cartridge", "vectors"), freshness(arguments));
}

/// The space of the cartridge, as it was built for: no vector is needed yet.
EmbeddingSpace space_of(const northstar::CartridgeInfo& info) {
    const auto text = [&](const std::string& name, const std::string& otherwise) {
        const auto found = info.parameters.find(name);
        return found != info.parameters.end() ? found->second : otherwise;
    };
    if (info.kind != "vectors") {
        throw Failure(k_exit_negative, "the cartridge '" + printable(info.name) + "' is of kind " + info.kind);
    }
    EmbeddingSpace space;
    space.model = text("model", "");
    space.dimensions = static_cast<std::uint32_t>(parse_unsigned(text("dimensions", "0")).value_or(0));
    space.normalised = text("normalised", "no") == "yes";
    const std::string element = text("element", "f32");
    space.element = element == "u8" ? VectorElement::u8 : element == "i8" ? VectorElement::i8 : VectorElement::f32;
    return space;
}

/// Where vectors are to go: the space and the tree of a cartridge.
struct Destination {
    EmbeddingSpace space;
    std::string tree;
};
Destination destination(northstar::Database& database, const Arguments& arguments) {
    const std::string name = arguments.value_or("cartridge", "vectors");
    const std::optional<northstar::CartridgeInfo> info = northstar::Cartridges(database).find(name);
    if (!info) {
        throw Failure(k_exit_system, "there is no cartridge '" + printable(name) +
                                         "'; northstar vector create makes one, which says the space of its vectors");
    }
    return {space_of(*info), tree_of(*info, "vectors")};
}

[[noreturn]] void malformed(const std::string& where, const std::string& what) {
    throw Failure(k_exit_bad_input, where + ": " + what);
}

int run_create(const Arguments& arguments, Output& output) {
    northstar::CartridgeParameters parameters;
    for (std::size_t i = 2; i < arguments.operands().size(); ++i) {
        const std::string& text = arguments.operand(i);
        const std::size_t equals = text.find('=');
        if (equals == std::string::npos || equals == 0) {
            throw UsageError("a parameter is NAME=VALUE, not '" + printable(text) + "'");
        }
        parameters[text.substr(0, equals)] = text.substr(equals + 1);
    }
    if (const auto tree = arguments.value("tree")) parameters["tree"] = *tree;
    northstar::Database database = open_writing(arguments.operand(1), arguments, true);
    const std::string name = arguments.value_or("cartridge", "vectors");
    const northstar::CartridgeInfo info = northstar::Cartridges(database).build(name, "vectors", parameters);
    if (!arguments.has("quiet")) {
        output.line(printable(name) + ": vectors of " + printable(northstar::to_string(space_of(info))));
    }
    return k_exit_ok;
}

int run_put(const Arguments& arguments, Output&) {
    northstar::Database database = open_writing(arguments.operand(1), arguments, false);
    const Destination to = destination(database, arguments);
    const std::string key = arguments.bytes(arguments.operand(2), "key");
    const Embedding vector = parse_vector(to.space, arguments.operand(3), "the vector");
    northstar::Transaction transaction = database.begin_write(write_options(arguments));
    annotate(transaction, arguments);
    transaction.tree(to.tree).put(key, vector.value());
    transaction.commit();
    return k_exit_ok;
}

int run_del(const Arguments& arguments, Output&) {
    northstar::Database database = open_writing(arguments.operand(1), arguments, false);
    const Destination to = destination(database, arguments);
    const std::string key = arguments.bytes(arguments.operand(2), "key");
    northstar::Transaction transaction = database.begin_write(write_options(arguments));
    annotate(transaction, arguments);
    const bool there = transaction.tree(to.tree).erase(key);
    if (!there) return k_exit_negative;
    transaction.commit();
    return k_exit_ok;
}

struct Line {
    std::string key;
    std::string vector;
};

/// KEY, a tab, numbers; or a JSON object with the members key and vector. nullopt: a blank line.
std::optional<Line> parse_line(std::string_view line, const std::string& where) {
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
    if (line.empty()) return std::nullopt;
    Line parsed;
    if (line.front() == '{') {
        try {
            json::Reader reader(line);
            std::string name;
            for (reader.begin_object(); reader.next_member(name);) {
                if (name == "key") parsed.key = json::read_bytes(reader);
                else if (name == "vector") parsed.vector = reader.read_raw();
                else reader.read_raw();
            }
            reader.finish();
        } catch (const json::SyntaxError& error) {
            malformed(where, error.what());
        }
    } else {
        const std::size_t tab = line.find('\t');
        if (tab == std::string_view::npos) malformed(where, "a line is KEY, a tab, and the numbers of the vector");
        parsed.key = line.substr(0, tab);
        parsed.vector = line.substr(tab + 1);
    }
    if (parsed.key.empty() || parsed.vector.empty()) malformed(where, "a key or a vector is missing");
    return parsed;
}

/// Keeps changes back until there are many, so that other writers never wait for a slow pipe.
class Importer {
public:
    Importer(northstar::Database& database, const Arguments& arguments, Destination to)
        : database_(database), arguments_(arguments), to_(std::move(to)) {}
    const EmbeddingSpace& space() const { return to_.space; }
    void add(std::string key, std::string value) {
        waiting_.emplace_back(std::move(key), std::move(value));
        if (waiting_.size() == k_vectors_per_commit) flush();
    }
    void erase(std::string key) {
        waiting_.emplace_back(std::move(key), std::nullopt);
        if (waiting_.size() == k_vectors_per_commit) flush();
    }
    std::uint64_t flush() {
        if (!waiting_.empty()) {
            northstar::Transaction transaction = database_.begin_write(write_options(arguments_));
            annotate(transaction, arguments_);
            northstar::WritableTree tree = transaction.tree(to_.tree);
            for (const auto& [key, value] : waiting_) {
                if (value) tree.put(key, *value);
                else tree.erase(key);
            }
            transaction.commit();
        }
        done_ += waiting_.size();
        waiting_.clear();
        return done_;
    }

private:
    northstar::Database& database_;
    const Arguments& arguments_;
    const Destination to_;
    std::vector<std::pair<std::string, std::optional<std::string>>> waiting_;  // nullopt: to be erased
    std::uint64_t done_ = 0;
};

/// Rows of a count (32 bits) and so many numbers, which are f32 or bytes; keys are their numbers, from 0, in eight
/// digits.
void import_rows(const std::string& path, Importer& importer) {
    const EmbeddingSpace& space = importer.space();
    const bool floats = path.ends_with(".fvecs");
    if (floats != (space.element == VectorElement::f32)) {
        throw Failure(k_exit_bad_input, path + " holds another type of numbers than the space " +
                                            printable(northstar::to_string(space)));
    }
    const std::string bytes = read_whole(path, std::uint64_t{4} << 30);
    const std::size_t size = std::size_t{space.dimensions} * (floats ? 4 : 1);
    std::uint64_t row = 0;
    for (std::size_t at = 0; at < bytes.size(); at += 4 + size, ++row) {
        const std::string where = path + ", row " + std::to_string(row);
        std::uint32_t count = 0;
        if (bytes.size() - at < 4 + size) malformed(where, "it ends too early");
        std::memcpy(&count, bytes.data() + at, sizeof count);
        if (count != space.dimensions) {
            malformed(where, "it has " + std::to_string(count) + " numbers, not " + std::to_string(space.dimensions));
        }
        const std::string digits = std::to_string(row);
        std::string key = std::string(8 - std::min<std::size_t>(8, digits.size()), '0') + digits;
        const char* const numbers = bytes.data() + at + 4;
        try {
            if (floats) {
                std::vector<float> values(count);
                std::memcpy(values.data(), numbers, size);
                importer.add(std::move(key), Embedding(space, std::span<const float>(values)).value());
            } else if (space.element == VectorElement::u8) {
                const std::vector<std::uint8_t> values(numbers, numbers + count);
                importer.add(std::move(key), Embedding(space, std::span<const std::uint8_t>(values)).value());
            } else {
                const std::vector<std::int8_t> values(numbers, numbers + count);
                importer.add(std::move(key), Embedding(space, std::span<const std::int8_t>(values)).value());
            }
        } catch (const northstar::Error& error) {
            if (error.code() != northstar::Errc::invalid_argument) throw;
            malformed(where, error.what());
        }
    }
}

int run_import(const Arguments& arguments, Output& output) {
    northstar::Database database = open_writing(arguments.operand(1), arguments, false);
    Importer importer(database, arguments, destination(database, arguments));
    const std::string path = arguments.operands().size() > 2 ? arguments.operand(2) : "-";
    if (path.ends_with(".fvecs") || path.ends_with(".bvecs")) {
        import_rows(path, importer);
    } else {
        LineSource source(path, k_default_line_limit);
        std::string_view line;
        for (;;) {
            const LineSource::Result result = source.next(line);
            if (result == LineSource::Result::end) break;
            const std::string where = source.name() + ", line " + std::to_string(source.line_number());
            if (result == LineSource::Result::too_long) malformed(where, "it is too long for a vector");
            std::optional<Line> parsed = parse_line(line, where);
            if (parsed) importer.add(parsed->key, parse_vector(importer.space(), parsed->vector, where).value());
        }
    }
    const std::uint64_t count = importer.flush();
    if (!arguments.has("quiet")) output.line(counted(count, "vector", "vectors"));
    return k_exit_ok;
}

/// Makes the tree of vectors that of the hashed embeddings of another tree's values.
int run_embed(const Arguments& arguments, Output& output) {
    northstar::Database database = open_writing(arguments.operand(1), arguments, false);
    const Destination to = destination(database, arguments);
    const northstar::HashedEmbeddingOptions options{to.space.dimensions};
    if (!is_hashed(to.space)) {
        throw Failure(k_exit_negative, "the cartridge is for vectors of " + printable(northstar::to_string(to.space)) +
                                           "; one for hashed embeddings is made by northstar vector create DATABASE "
                                           "model=" + northstar::hashed_embedding_space().model +
                                           " dimensions=1024 normalised=yes");
    }
    const std::string from = arguments.operand(2);
    if (from == to.tree) throw UsageError("the vectors lie in the tree " + printable(from) + "; texts are in another");
    const northstar::Snapshot snapshot = database.begin_read();
    const northstar::Tree texts = snapshot.tree(from);
    const northstar::Tree vectors = snapshot.tree(to.tree);
    Importer importer(database, arguments, to);
    for (const auto [key, text] : texts.all()) {
        std::string value = northstar::hashed_embedding(text, options).value();
        if (vectors.get(key) != value) importer.add(std::string(key), std::move(value));
    }
    for (const auto [key, value] : vectors.all()) {
        if (!texts.contains(key)) importer.erase(std::string(key));
    }
    const std::uint64_t count = importer.flush();
    if (!arguments.has("quiet")) output.line(counted(count, "vector", "vectors"));
    return k_exit_ok;
}

std::string text_of_distance(double distance) {
    std::array<char, 32> digits;
    const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), distance,
                                            std::chars_format::general, 7);
    return error == std::errc() ? std::string(digits.data(), end) : "0";
}

northstar::VectorSearch options_of(const Arguments& arguments) {
    northstar::VectorSearch options;
    if (const auto width = arguments.number("width")) {
        if (*width == 0 || *width > 1'000'000) throw UsageError("--width is a number from 1 to 1000000");
        options.width = static_cast<std::uint32_t>(*width);
    }
    if (const auto text = arguments.value("recall")) {
        const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), options.recall);
        if (error != std::errc() || end != text->data() + text->size() || !(options.recall > 0) ||
            options.recall > 1) {
            throw UsageError("--recall is a share above 0, up to 1, e.g. 0.99");
        }
    }
    options.exhaustive = arguments.has("exhaustive");
    return options;
}

void print_answer(const northstar::VectorAnswer& answer, const Arguments& arguments, Output& output) {
    for (const northstar::VectorAnswer::Row& row : answer.rows) {
        if (arguments.has("json")) {
            json::Writer writer;
            writer.begin_object().name("key").bytes(row.key).name("distance").raw(text_of_distance(row.distance));
            output.line(writer.end_object().text());
        } else {
            output.line(text_of_distance(row.distance) + "\t" + display(row.key, arguments.encoding()));
        }
    }
    if (!arguments.has("explain")) return;
    json::Writer writer;
    writer.begin_object().name("exact").boolean(answer.exact).name("width").number(answer.width);
    writer.name("expected_recall").raw(text_of_distance(answer.expected_recall));
    output.line(writer.name("stale_by").number(answer.stale_by).end_object().text());
}

int search_for(const Vectors& vectors, const Embedding& query, const Arguments& arguments, Output& output,
               std::string_view without) {
    const std::uint64_t most = arguments.number("limit").value_or(10);
    if (most == 0 || most > 1'000'000) throw UsageError("--limit is a number from 1 to 1000000");
    northstar::VectorSearch options = options_of(arguments);
    const std::string prefix = arguments.bytes_of("prefix").value_or("");
    northstar::VectorFilter filter;
    if (!prefix.empty() || !without.empty()) {
        filter.accepts = [&](std::string_view key) { return key.starts_with(prefix) && key != without; };
        options.filter = &filter;
    }
    const northstar::VectorAnswer answer = vectors.search(query, static_cast<std::uint32_t>(most), options);
    print_answer(answer, arguments, output);
    return answer.rows.empty() ? k_exit_negative : k_exit_ok;
}

int run_search(const Arguments& arguments, Output& output) {
    northstar::Database database = open_reading(arguments.operand(1), arguments);
    const Vectors vectors(open_cartridge(database, arguments));
    const std::string text = arguments.operands().size() > 2 ? arguments.operand(2)
                                                             : read_whole("-", k_default_line_limit);
    return search_for(vectors, parse_vector(vectors.space(), text, "the query"), arguments, output, {});
}

int run_like(const Arguments& arguments, Output& output) {
    northstar::Database database = open_reading(arguments.operand(1), arguments);
    const northstar::Cartridge cartridge = open_cartridge(database, arguments);
    const Vectors vectors(cartridge);
    const std::string key = arguments.bytes(arguments.operand(2), "key");
    const northstar::Snapshot snapshot = snapshot_for(database, arguments);
    const std::optional<std::string_view> value = snapshot.tree(tree_of(cartridge.info(), "vectors")).get(key);
    if (!value) {
        throw Failure(k_exit_negative, "there is no vector '" + display(key, arguments.encoding()) + "'");
    }
    return search_for(vectors, Embedding::of_value(*value), arguments, output, key);
}

int run_info(const Arguments& arguments, Output& output) {
    northstar::Database database = open_reading(arguments.operand(1), arguments);
    const northstar::Cartridge cartridge = open_cartridge(database, arguments);
    const Vectors vectors(cartridge);
    constexpr std::array<const char*, 3> metrics = {"l2", "ip", "cosine"};
    constexpr std::array<const char*, 4> answers = {"exact", "overlay", "stale", "rebuilt"};
    const char* const metric = metrics.at(static_cast<std::size_t>(vectors.metric()));
    const char* const from = answers.at(static_cast<std::size_t>(cartridge.answers()));
    if (!arguments.has("json")) {
        output.line(counted(vectors.size(), "vector", "vectors") + " of " +
                    printable(northstar::to_string(vectors.space())) + "; " + metric + "; at txn " +
                    std::to_string(cartridge.txn()) + " (built at " + std::to_string(cartridge.info().built_at) +
                    ", " + from + ")");
        for (const Vectors::RecallPoint& point : vectors.recall_curve()) {
            output.line("width " + std::to_string(point.width) + "\trecall " + text_of_distance(point.recall));
        }
        return k_exit_ok;
    }
    json::Writer writer;
    writer.begin_object().name("vectors").number(vectors.size()).name("model").bytes(vectors.space().model);
    writer.name("dimensions").number(vectors.space().dimensions);
    writer.name("element").string(element_name(vectors.space().element));
    writer.name("normalised").boolean(vectors.space().normalised).name("metric").string(metric);
    writer.name("txn").number(cartridge.txn()).name("built_at").number(cartridge.info().built_at);
    writer.name("answers").string(from).name("changes").number(cartridge.changes().size());
    writer.name("recall").begin_array();
    for (const Vectors::RecallPoint& point : vectors.recall_curve()) {
        writer.begin_object().name("width").number(point.width);
        writer.name("recall").raw(text_of_distance(point.recall)).end_object();
    }
    output.line(writer.end_array().end_object().text());
    return k_exit_ok;
}

constexpr std::array<Action, 8> k_actions = {{
    {"create", 4, k_any_number, "create DATABASE model=NAME dimensions=N [PARAMETER=VALUE...]", run_create},
    {"put", 4, 4, "put DATABASE KEY VECTOR", run_put},
    {"del", 3, 3, "del DATABASE KEY", run_del},
    {"import", 2, 3, "import DATABASE [FILE]", run_import},
    {"embed", 3, 3, "embed DATABASE TREE", run_embed},
    {"search", 2, 3, "search DATABASE [VECTOR]", run_search},
    {"like", 3, 3, "like DATABASE KEY", run_like},
    {"info", 2, 2, "info DATABASE", run_info},
}};

int run(const Arguments& arguments, Output& output) {
    return run_action("vector", k_actions, arguments, output);
}

}  // namespace vector_impl

std::vector<Command> vector_commands() {
    return {
        {.name = "vector",
         .group = k_group_cartridges,
         .operands = "ACTION DATABASE [...]",
         .least = 2,
         .most = k_any_number,
         .summary = "put vectors; ask for the nearest ones",
         .description = "create DATABASE model=NAME dimensions=N [PARAMETER=VALUE...] builds a cartridge of kind "
                        "vectors (parameters: tree, element, normalised, metric, codes, rerank, links, "
                        "build_width), from the vectors that are there, if any. put DATABASE KEY VECTOR and import "
                        "DATABASE [FILE] add vectors of its space: numbers between commas or blanks; lines of KEY, "
                        "a tab and numbers, or JSON objects with the members key and vector; or a file of .fvecs or"
                        " .bvecs. embed DATABASE TREE makes the vectors those of the texts in TREE, without a model: "
                        "hashed embeddings (model=hashed-words-1 normalised=yes), for northstar search --hybrid. They "
                        "are found at once, and fast after northstar cartridge refresh. search "
                        "DATABASE [VECTOR] prints distance and key of the nearest; like DATABASE KEY those of "
                        "another one's vector. Exit code 1: there is none.",
         .options = {k_option_tree,
                     {"cartridge", 'c', "NAME", "to ask, and whose space vectors are of (default: vectors)"},
                     k_option_as_of,
                     {"freshness", 0, "HOW", "overlay (default), exact, or stale:N commits"},
                     {"limit", 'n', "N", "so many of the nearest (default: 10)"},
                     {"recall", 0, "SHARE", "of the nearest to be found, on average (default: 0.98); 1: all"},
                     {"width", 0, "N", "rows kept in view, instead of as many as the recall takes"},
                     {"exhaustive", 0, "", "compare every row"},
                     {"explain", 0, "", "say, in a last line, how the answer was found"},
                     k_option_prefix,
                     k_option_json,
                     k_option_hex,
                     k_option_base64,
                     k_option_annotate,
                     k_option_time,
                     k_option_durability,
                     k_option_wait,
                     k_option_quiet,
                     k_option_pread,
                     k_option_exclusive},
         .examples = {"northstar vector create notes.db model=hash-1 dimensions=3",
                      "northstar vector put notes.db first 0.1,0.2,0.3",
                      "northstar vector import notes.db vectors.jsonl && northstar cartridge refresh notes.db",
                      "northstar vector create notes.db model=hashed-words-1 dimensions=1024 normalised=yes && "
                      "northstar vector embed notes.db documents",
                      "northstar vector search notes.db '0.1 0.2 0.25' -n 5 --recall 0.99 --as-of 2h-ago"},
         .run = vector_impl::run},
    };
}

}  // namespace northstar_tool
