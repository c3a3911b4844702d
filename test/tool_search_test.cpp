// search: what it prints and how it ends.
#include "tool_support.hpp"

using tool_test::ok;
using tool_test::run;
using tool_test::Workplace;

namespace {

std::string example(const Workplace& place) {
    const std::string db = place / "notes.db";
    ok(place, {"import", db, "--tree", "documents", "--format", "csv", "-"},
       "key,value\na,The boundary layer of a flat plate\nb,Heat transfer in the boundary layer\n"
       "c,\"Heat, and more heat\"\n");
    ok(place, {"cartridge", "build", db, "text", "text", "stemming=porter"});
    return db;
}

/// The keys of its lines.
std::string keys(const std::string& output) {
    std::string all;
    for (std::size_t at = 0; at < output.size(); at = output.find('\n', at) + 1) {
        const std::size_t tab = output.find('\t', at);
        all += output.substr(tab + 1, output.find_first_of("\t\n", tab + 1) - tab - 1);
    }
    return all;
}

}  // namespace

TEST_CASE("search prints score, key and snippet, best first", "[tool]") {
    const Workplace place;
    const std::string db = example(place);
    const std::string found = ok(place, {"search", db, "heating"});
    CHECK(keys(found) == "cb");
    CHECK(found.find("\tc\tHeat, and more heat\n") != std::string::npos);
    CHECK(found.find('\x1b') == std::string::npos);
    CHECK(keys(ok(place, {"search", db, "\"boundary layer\" -heat"})) == "a");
    CHECK(keys(ok(place, {"search", db, "-n", "1", "heat"})) == "c");
    CHECK(ok(place, {"search", db, "plate", "--words", "2"}).find("... flat plate") != std::string::npos);
    CHECK(ok(place, {"search", db, "plate", "-w", "0"}).find("flat") == std::string::npos);
    CHECK(ok(place, {"search", db, "heat OR plate", "--count"}) == "3\n");
    CHECK(keys(ok(place, {"search", db, "--plain", "plate \" (of"})) == "a");
    CHECK(run(place, {"search", db, "nothing"}).code == 1);
    CHECK(run(place, {"search", db, "nothing", "--count"}).code == 1);
}

TEST_CASE("search says as JSON what it says, and why", "[tool]") {
    const Workplace place;
    const std::string db = example(place);
    const std::string json = ok(place, {"search", db, "plate", "--json", "--explain", "-w", "2"});
    CHECK(json.find("{\"key\":\"a\",\"score\":") == 0);
    CHECK(json.find("\"cut_before\":true,\"cut_after\":false,\"snippet\":[{\"text\":\"flat \",\"hit\":false},"
                    "{\"text\":\"plate\",\"hit\":true}]") != std::string::npos);
    CHECK(json.find("\"documents\":3,\"length\":7") != std::string::npos);
    CHECK(json.find("\"parts\":[{\"word\":\"plate\",\"field\":\"\",\"document_frequency\":1,\"frequency\":1,"
                    "\"times\":1,") != std::string::npos);
    CHECK(ok(place, {"search", db, "heat", "--json", "--count"}) == "{\"count\":2}\n");
    const std::string lines = ok(place, {"search", db, "heat plate", "-e", "-n", "1"});
    CHECK(lines.find("plate\tin 1 document of 3, here 1 in 7 words") != std::string::npos);
}

TEST_CASE("search sees changes behind its cartridge, and the past", "[tool]") {
    const Workplace place;
    const std::string db = example(place);
    ok(place, {"put", db, "d", "heat", "--tree", "documents"});
    ok(place, {"del", db, "c", "--tree", "documents"});
    CHECK(keys(ok(place, {"search", db, "heat"})) == "db");
    CHECK(keys(ok(place, {"search", db, "heat", "--as-of", "1"})) == "cb");
    CHECK(run(place, {"search", db, "heat", "--freshness", "exact"}).code == 5);
    CHECK(keys(ok(place, {"search", db, "heat", "--freshness", "stale:9"})) == "cb");
    ok(place, {"cartridge", "refresh", db});
    CHECK(keys(ok(place, {"search", db, "heat", "--freshness", "exact"})) == "db");
    CHECK(ok(place, {"cartridge", "verify", db, "--rebuild"}) == "intact\n");
}

TEST_CASE("search looks into the fields of objects", "[tool]") {
    const Workplace place;
    const std::string db = place / "notes.db";
    ok(place, {"put", db, "a", "{\"title\":\"Wing\",\"body\":\"of a bird\"}", "--tree", "notes"});
    ok(place, {"put", db, "b", "{\"title\":\"Bird\",\"body\":\"without a wing, a bird\"}", "--tree", "notes"});
    ok(place, {"cartridge", "build", db, "text", "text", "tree=notes", "fields=title^5,body"});
    CHECK(keys(ok(place, {"search", db, "wing"})) == "ab");
    CHECK(keys(ok(place, {"search", db, "body:wing"})) == "b");
    CHECK(ok(place, {"search", db, "title:bird"}).find("\tb\ttitle: Bird\n") != std::string::npos);
    CHECK(run(place, {"search", db, "author:me"}).code == 2);
}

TEST_CASE("search says what it takes", "[tool]") {
    const Workplace place;
    const std::string db = example(place);
    CHECK(run(place, {"search", db}).code == 2);
    CHECK(run(place, {"search", db, "(heat"}).code == 2);
    CHECK(run(place, {"search", db, "heat", "-c", "none"}).code == 4);
    CHECK(run(place, {"cartridge", "build", db, "text", "text", "stemming=french"}).code == 2);
    ok(place, {"cartridge", "build", db, "text", "text", "positions=no"});
    CHECK(run(place, {"search", db, "\"flat plate\""}).code == 4);
}

namespace {

/// The same documents with hashed embeddings beside them.
std::string hybrid_example(const Workplace& place) {
    const std::string db = example(place);
    ok(place, {"vector", "create", db, "model=hashed-words-1", "dimensions=256", "normalised=yes"});
    CHECK(ok(place, {"vector", "embed", db, "documents"}) == "3 vectors\n");
    return db;
}

}  // namespace

TEST_CASE("vector embed keeps vectors as the texts are", "[tool]") {
    const Workplace place;
    const std::string db = hybrid_example(place);
    CHECK(ok(place, {"vector", "embed", db, "documents"}) == "0 vectors\n");
    ok(place, {"put", db, "b", "other words", "--tree", "documents"});
    ok(place, {"del", db, "c", "--tree", "documents"});
    CHECK(ok(place, {"vector", "embed", db, "documents"}) == "2 vectors\n");
    CHECK(run(place, {"get", db, "c", "--tree", "vectors"}).code == 1);
    ok(place, {"vector", "create", db, "model=other", "dimensions=2", "-c", "other", "--tree", "elsewhere"});
    CHECK(run(place, {"vector", "embed", db, "documents", "-c", "other"}).code == 1);
    CHECK(run(place, {"vector", "embed", db, "vectors"}).code == 2);
}

TEST_CASE("search --hybrid finds by words and by vectors, and says how", "[tool]") {
    const Workplace place;
    const std::string db = hybrid_example(place);
    // No word of the first question is in any document.
    CHECK(run(place, {"search", db, "haet tansfer boundery"}).code == 1);
    CHECK(keys(ok(place, {"search", db, "--hybrid", "haet tansfer boundery"})).front() == 'b');
    CHECK(keys(ok(place, {"search", db, "-y", "--near", "c", "plate", "--weights", "0:1", "-n", "1"})) == "c");
    CHECK(keys(ok(place, {"search", db, "-y", "plate", "--weights", "1:0"})) == "a");
    const std::string lines = ok(place, {"search", db, "-y", "plate", "-e", "-n", "1", "--half-life", "1d", "-w", "0"});
    CHECK(lines.find("\ta\n") != std::string::npos);
    CHECK(lines.find("\tplace 1 by words, score ") != std::string::npos);
    CHECK(lines.find("\tplace 1 by vectors, distance ") != std::string::npos);
    CHECK(lines.find("    x ") != std::string::npos);
    const std::string json = ok(place, {"search", db, "-y", "plate", "--json", "-n", "1", "-w", "0"});
    CHECK(json.find("{\"key\":\"a\",\"score\":") == 0);
    CHECK(json.find("\"text_rank\":1,\"text_score\":") != std::string::npos);
    CHECK(json.find("\"vector_rank\":1,\"vector_distance\":") != std::string::npos);
    CHECK(json.find("recency") == std::string::npos);
}

TEST_CASE("search --hybrid sees the past, and ages", "[tool]") {
    const Workplace place;
    const std::string db = place / "notes.db";
    ok(place, {"put", db, "a", "{\"body\":\"wing\",\"seen\":\"2024-01-01\"}", "--tree", "notes"});
    ok(place, {"put", db, "b", "{\"body\":\"wing\",\"seen\":\"2024-03-01\"}", "--tree", "notes"});
    ok(place, {"cartridge", "build", db, "text", "text", "tree=notes", "fields=body"});
    ok(place, {"vector", "create", db, "model=hashed-words-1", "dimensions=256", "normalised=yes"});
    ok(place, {"vector", "embed", db, "notes"});
    CHECK(keys(ok(place, {"search", db, "-y", "wing"})) == "ab");
    CHECK(keys(ok(place, {"search", db, "-y", "wing", "--half-life", "4w", "--recency", "member:seen"})) == "ba");
    ok(place, {"put", db, "c", "{\"body\":\"wing wing\"}", "--tree", "notes"});
    CHECK(keys(ok(place, {"search", db, "-y", "wing"})).size() == 3);
    CHECK(keys(ok(place, {"search", db, "-y", "wing", "--as-of", "latest~1"})) == "ab");
}

TEST_CASE("search --hybrid says what it takes", "[tool]") {
    const Workplace place;
    const std::string db = hybrid_example(place);
    for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
             {"--near", "a"}, {"--weights", "1:1"}, {"-y", "--count"}, {"-y", "--weights", "3"},
             {"-y", "--weights", "0:0"}, {"-y", "--recency", "commit"}, {"-y", "--half-life", "soon"},
             {"-y", "--half-life", "1d", "--recency", "seen"}, {"-y", "--near", "a", "--vector", "1"}}) {
        std::vector<std::string> all{"search", db, "heat"};
        all.insert(all.end(), words.begin(), words.end());
        CHECK(run(place, all).code == 2);
    }
    CHECK(run(place, {"search", db, "heat", "-y", "--near", "none"}).code == 1);
    CHECK(run(place, {"search", db, "heat", "-y", "--vector", "1 2"}).code == 6);
    ok(place, {"vector", "create", db, "model=other", "dimensions=2", "-c", "other", "--tree", "elsewhere"});
    CHECK(run(place, {"search", db, "heat", "-y", "--vectors", "other"}).code == 2);
    CHECK(keys(ok(place, {"search", db, "heat", "-y", "--vectors", "other", "--vector", "1 2"})) == "cb");
}
