// Questions: how they are read, what they refuse, what they find and show.
#include "text_support.hpp"

using namespace text_test;
using txn_test::code_of;

namespace {

std::string parsed(std::string_view text) { return TextQuery::parse(text).text(); }

/// Six documents; the keys that a question finds, by rank.
class Library {
public:
    explicit Library(const CartridgeParameters& parameters = {}) : db_(Database::open(":memory:")), cartridges_(db_) {
        Transaction tx = db_.begin_write();
        const std::pair<const char*, const char*> documents[] = {
            {"a", "The boundary layer of a flat plate."},
            {"b", "Heat transfer in the boundary layer, layer by layer."},
            {"c", "A flat earth; heat, heat and more heat!"},
            {"d", "Supersonic flow past a cone"},
            {"e", "Transfers of heated flows"},
            {"f", ""}};
        for (const auto& [key, text] : documents) tx.tree("documents").put(key, text);
        tx.commit();
        cartridges_.build("t", "text", parameters);
    }
    Text text() const { return Text(cartridges_.open("t")); }
    std::string find(std::string_view question, std::size_t most = 10) const {
        std::string keys;
        for (const TextHit& hit : text().search(TextQuery::parse(question), most)) keys += hit.key;
        return keys;
    }
    /// Keys in their own order.
    std::string all(std::string_view question) const {
        std::string keys = find(question);
        std::sort(keys.begin(), keys.end());
        return keys;
    }
    std::string value(std::string_view key) const {
        return std::string(db_.begin_read().tree("documents").get(key).value());
    }

private:
    Database db_;
    Cartridges cartridges_;
};

std::string marked(const TextSnippet& snippet) {
    std::string out = snippet.cut_before ? "..." : "";
    for (const TextSnippet::Piece& piece : snippet.pieces) out += piece.hit ? '[' + piece.text + ']' : piece.text;
    return out + (snippet.cut_after ? "..." : "");
}

}  // namespace

TEST_CASE("A question is read as its grammar says", "[TEXT-10]") {
    CHECK(parsed("a b c") == "a b c");
    CHECK(parsed("a OR b") == "a b");
    CHECK(parsed("a AND b") == "+a +b");
    CHECK(parsed("a OR b AND c") == "a (+b +c)");
    CHECK(parsed("(a OR b) AND NOT c") == "+(a b) -c");
    CHECK(parsed("+a -b c") == "+a c -b");
    CHECK(parsed("a NOT b") == "a -b");
    CHECK(parsed("title:a \"b c\" body:\"d\"  nav*") == "title:a \"b c\" body:\"d\" nav*");
    CHECK(parsed("title:(a b*) c") == "(title:a title:b*) c");
    CHECK(parsed("http://x.org 12:30 (a)") == "http.//x.org 12.30 a");
    CHECK(parsed("--a b") == "b -a");
    CHECK(parsed("and, or. (not)").find("and") == 0);
    CHECK(parsed("").empty());
    CHECK(TextQuery::words("AND \"(+x").text() == "and x");
}

TEST_CASE("A question written again is the same", "[TEXT-10]") {
    for (const char* const text :
         {"+AND", "+-a", "x --", "- a", "a:(/b)", "a:(//b)", "a:b:c", "a:(b:c)", "** *", "a** b*c",
          "\"...\" x", "(())", "+(a) -(b c)", "+OR, +NOT.", ",t:x", "t:,x", "a:\"b\" a:(\"c\")", "\xc3\x84:\xc3\x96",
          "x +( ) y"}) {
        INFO(text);
        const std::string once = parsed(text);
        INFO(once);
        CHECK(parsed(once) == once);
    }
}

TEST_CASE("A question that says nothing sensible is refused with a sentence", "[text]") {
    std::string deep(100, '(');
    deep += "a" + std::string(100, ')');
    std::string long_one;
    for (int i = 0; i < 600; ++i) long_one += "w" + std::to_string(i) + " ";
    for (const std::string& text :
         {std::string("(a"), std::string("a)"), std::string("\"a"), std::string("OR a"), std::string("a OR"),
          std::string("a AND"), std::string("AND a"), std::string("NOT"), std::string("-a"),
          std::string("NOT a AND NOT b"), std::string("b (-a)"), std::string("a OR OR b"), deep, long_one}) {
        INFO(text.substr(0, 40));
        CHECK(code_of([&] { TextQuery::parse(text); }) == Errc::invalid_argument);
    }
    CHECK(code_of([&] { TextQuery::words(long_one); }) == Errc::invalid_argument);
    const Library library;
    CHECK(code_of([&] { library.find("title:heat"); }) == Errc::invalid_argument);
}

TEST_CASE("Words, phrases, prefixes and what must or must not be there find what they say", "[text]") {
    const Library library;
    CHECK(library.all("heat") == "bc");
    CHECK(library.find("heat") == "cb");  // three times in as many words
    CHECK(library.all("HEAT flow") == "bcd");
    CHECK(library.all("+heat +layer") == "b");
    CHECK(library.all("heat AND NOT boundary") == "c");
    CHECK(library.all("flat -heat") == "a");
    CHECK(library.all("\"boundary layer\"") == "ab");
    CHECK(library.all("\"layer boundary\"").empty());
    CHECK(library.all("boundary-layer") == "ab");
    CHECK(library.all("heat*") == "bce");
    CHECK(library.all("f*") == "acde");
    CHECK(library.all("(flat OR cone) AND (plate OR flow)") == "ad");
    CHECK(library.all("nothing").empty());
    CHECK(library.all("...").empty());
    CHECK(library.all("+heat ...") == "bc");
    CHECK(library.find("heat", 1) == "c");
    CHECK(library.find("heat", 0).empty());
    CHECK(library.text().count(TextQuery::parse("flat OR flow")) == 3);
    CHECK(library.text().document_count() == 6);
}

TEST_CASE("Stems find other forms of a word", "[text]") {
    const Library library(CartridgeParameters{{"stemming", "porter"}});
    CHECK(library.all("heating") == "bce");
    CHECK(library.all("\"heat flow\"") == "e");
    CHECK(library.all("flows") == "de");
}

TEST_CASE("Without positions phrases are refused, and words that are several want all of them", "[text]") {
    const Library library(CartridgeParameters{{"positions", "no"}});
    CHECK(code_of([&] { library.find("\"boundary layer\""); }) == Errc::unsupported);
    CHECK(library.all("layer-boundary") == "ab");
    CHECK(library.all("\"heat\"") == "bc");
}

TEST_CASE("Equal scores are in the order of keys, whichever side they come from", "[TEXT-9]") {
    Database db = Database::open(":memory:");
    Cartridges cartridges(db);
    const auto put = [&](const std::string& key) {
        Transaction tx = db.begin_write();
        tx.tree("documents").put(key, "same words here");
        tx.commit();
    };
    for (const char* const key : {"k1", "k3", "k5", "k7"}) put(key);
    cartridges.build("t", "text", {});
    for (const char* const key : {"k0", "k4", "k9"}) put(key);
    std::string keys;
    for (const TextHit& hit : Text(cartridges.open("t")).search(TextQuery::parse("same"), 5)) keys += hit.key + " ";
    CHECK(keys == "k0 k1 k3 k4 k5 ");
}

TEST_CASE("An explanation says why, and nothing of what is not found", "[text]") {
    const Library library;
    const TextQuery query = TextQuery::parse("heat \"boundary layer\" trans*");
    const TextExplanation why = library.text().explain(query, "b");
    REQUIRE(why.matches);
    CHECK(why.documents == 6);
    CHECK(why.length == 9);
    REQUIRE(why.parts.size() == 3);
    CHECK(why.parts[0].word == "heat");
    CHECK(why.parts[0].document_frequency == 2);
    CHECK(why.parts[1].word == "\"boundary layer\"");
    CHECK(why.parts[1].frequency == 1);
    CHECK(why.parts[2].word == "trans*");
    CHECK(why.parts[0].score + why.parts[1].score + why.parts[2].score == why.score);
    CHECK(why.parts[0].score < why.parts[0].weight);
    CHECK_FALSE(library.text().explain(query, "d").matches);
    CHECK_FALSE(library.text().explain(query, "none").matches);
}

TEST_CASE("A snippet shows the piece that has most of the question", "[text]") {
    const Library library;
    const auto snippet = [&](const char* question, const char* key, std::size_t words) {
        return marked(library.text().snippet(TextQuery::parse(question), library.value(key), words));
    };
    CHECK(snippet("flat plate", "a", 24) == "The boundary layer of a [flat] [plate].");
    CHECK(snippet("\"boundary layer\"", "b", 4) == "...the [boundary layer], layer...");
    CHECK(snippet("layer", "b", 4) == "...[layer], [layer] by [layer].");
    CHECK(snippet("heat*", "c", 3) == "...[heat], [heat] and...");
    CHECK(snippet("nothing", "d", 3) == "Supersonic flow past...");
    CHECK(snippet("a -heat", "c", 2) == "[A] flat...");
    CHECK(snippet("x", "f", 5).empty());
    const Library stems(CartridgeParameters{{"stemming", "porter"}});
    CHECK(marked(stems.text().snippet(TextQuery::parse("heat transfer"), stems.value("e"))) ==
          "[Transfers] of [heated] flows");
}

TEST_CASE("A snippet of an object comes out of the field that has most of the question", "[TEXT-3]") {
    Database db = Database::open(":memory:");
    Cartridges cartridges(db);
    const std::string value = "{\"title\":\"Heat\",\"body\":\"Transfer of heat.\"}";
    Transaction tx = db.begin_write();
    tx.tree("documents").put("a", value);
    tx.commit();
    cartridges.build("t", "text", {{"fields", "title,body"}});
    const Text text(cartridges.open("t"));
    CHECK(text.fields() == std::vector<std::string>{"title", "body"});
    const TextSnippet body = text.snippet(TextQuery::parse("heat transfer"), value);
    CHECK(body.field == "body");
    CHECK(marked(body) == "[Transfer] of [heat].");
    CHECK(text.snippet(TextQuery::parse("title:heat"), value).field == "title");
    CHECK(text.snippet(TextQuery::parse("heat"), "no object").pieces.empty());
}
