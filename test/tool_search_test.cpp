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
