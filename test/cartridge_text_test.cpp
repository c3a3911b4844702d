// The kind "text": the answers of a search through every document, to the last bit, whatever changed behind the
// artifact.
#include "text_support.hpp"

#include "cartridge/container.hpp"
#include "cartridge/registry.hpp"
#include "cartridge/text_data.hpp"

#include <atomic>
#include <cmath>

using namespace text_test;
using txn_test::code_of;
using txn_test::Dice;

namespace {

/// A random question, as text for the library and as a tree for the model.
class Asker {
public:
    Asker(Dice& dice, const CartridgeParameters& parameters, std::uint64_t words)
        : dice_(dice), options_(parameters), words_(words) {}

    Question ask(std::string& text) {
        Question question;
        question.kind = Question::Kind::group;
        const std::uint64_t shape = dice_.below(4);
        if (shape == 0) any(question, text);
        else if (shape == 1) all(question, text);
        else mixed(question, text, 0);
        return question;
    }

private:
    Question leaf(std::string& text) {
        Question one;
        const std::uint64_t kind = dice_.below(10);
        std::string word = random_word(dice_, words_);
        if (options_.objects && options_.fields.size() > 1 && dice_.chance(30)) {
            one.leaf.field = static_cast<int>(dice_.below(options_.fields.size()));
            text += options_.fields[static_cast<std::size_t>(one.leaf.field)].name + ":";
        }
        if (kind == 0) {
            word.resize(3 + dice_.below(word.size() - 2));
            one.leaf.prefix = true;
            detail::WordReader reader(word);
            reader.next();
            one.leaf.terms.emplace_back(reader.word());
            text += word + "*";
            return one;
        }
        const bool phrase = kind < 3 && options_.positions;
        if (phrase) word += " " + random_word(dice_, 8);
        detail::WordReader reader(word);
        while (reader.next()) one.leaf.terms.push_back(detail::text_term(options_, reader.word()));
        text += phrase ? '"' + word + '"' : word;
        return one;
    }
    void any(Question& question, std::string& text) {
        for (std::uint64_t i = 1 + dice_.below(5); i != 0; --i) {
            question.should.push_back(leaf(text));
            text += i % 2 == 0 ? " OR " : " ";
            if (i == 1) text += random_tail(question);
        }
    }
    /// One more, so that OR has something behind it.
    std::string random_tail(Question& question) {
        std::string text;
        question.should.push_back(leaf(text));
        return text;
    }
    void all(Question& question, std::string& text) {
        for (std::uint64_t i = 2 + dice_.below(2); i != 0; --i) {
            question.must.push_back(leaf(text));
            if (i != 1) text += " AND ";
        }
    }
    void mixed(Question& question, std::string& text, int level) {
        const std::uint64_t parts = 2 + dice_.below(3);
        bool positive = false;
        for (std::uint64_t i = 0; i < parts; ++i) {
            if (i != 0) text += ' ';
            const std::uint64_t sign = positive || i + 1 != parts ? dice_.below(4) : 0;
            std::vector<Question>* list = &question.should;
            if (sign == 1) {
                text += '+';
                list = &question.must;
            } else if (sign == 2) {
                text += dice_.chance(50) ? "-" : "NOT ";
                list = &question.never;
            }
            positive = positive || sign != 2;
            if (level == 0 && dice_.chance(25)) {
                Question group;
                group.kind = Question::Kind::group;
                text += '(';
                mixed(group, text, level + 1);
                text += ')';
                list->push_back(std::move(group));
            } else {
                list->push_back(leaf(text));
            }
        }
        if (!positive) {
            text += ' ';
            question.should.push_back(leaf(text));
        }
    }

    Dice& dice_;
    detail::TextOptions options_;
    std::uint64_t words_;
};

void compare(const Text& text, const Model& model, Asker& asker, Dice& dice, int questions) {
    REQUIRE(text.document_count() == model.size());
    for (int i = 0; i < questions; ++i) {
        std::string written;
        const Question question = asker.ask(written);
        const std::size_t most = 1 + dice.below(20);
        INFO("question " << written << ", best " << most);
        const TextQuery query = TextQuery::parse(written);
        const std::vector<TextHit> expected = model.search(question, ~std::size_t{0});
        const auto end = expected.begin() + static_cast<std::ptrdiff_t>(std::min(most, expected.size()));
        const std::vector<TextHit> best(expected.begin(), end);
        const std::vector<TextHit> found = text.search(query, most);
        INFO("found\n" << shown(found) << "expected\n" << shown(best));
        REQUIRE(same(found, best));
        REQUIRE(text.count(query) == expected.size());
        REQUIRE(TextQuery::parse(query.text()).text() == query.text());
        REQUIRE(same(text.search(TextQuery::parse(query.text()), most), best));
        if (best.empty()) continue;
        const TextHit& hit = best[dice.below(best.size())];
        const TextExplanation why = text.explain(query, hit.key);
        REQUIRE(why.matches);
        REQUIRE(why.score == hit.score);
        double sum = 0;
        for (const TextExplanation::Part& part : why.parts) sum += part.score;
        REQUIRE(sum == hit.score);
    }
}

void compare_through_history(const CartridgeParameters& parameters, std::uint64_t seed, std::uint64_t most_words) {
    INFO("seed " << seed);
    Dice dice(seed);
    const std::uint64_t words = 60 + dice.below(200);
    Asker asker(dice, parameters, words);
    Database db = Database::open(":memory:");
    Cartridges cartridges(db);
    std::map<Txn, Model> states;
    Model model(parameters);
    const bool objects = parameters.contains("fields");
    for (int step = 0; step < txn_test::scaled(24); ++step) {
        Transaction tx = db.begin_write();
        WritableTree tree = tx.tree("documents");
        for (std::uint64_t i = step == 0 ? 400 : 1 + dice.below(12); i != 0; --i) {
            const std::string key = "d" + std::to_string(dice.below(600));
            if (dice.chance(25)) {
                tree.erase(key);
                model.erase(key);
                continue;
            }
            const std::string value =
                objects ? random_object(dice, words, most_words) : random_text(dice, words, most_words);
            tree.put(key, value);
            model.put(key, value);
        }
        if (const Commit commit = tx.commit(); commit.txn != 0) states.insert_or_assign(commit.txn, model);
        if (step % 8 == 0) {
            cartridges.build("t", "text", parameters);
            compare(Text(cartridges.open("t", Freshness::exact())), model, asker, dice, 30);
        }
        compare(Text(cartridges.open("t")), model, asker, dice, 8);
        if (!dice.chance(30)) continue;
        auto then = states.begin();
        std::advance(then, static_cast<std::ptrdiff_t>(dice.below(states.size())));
        INFO("as of " << then->first);
        const Snapshot past = db.begin_read(AsOf::txn(then->first));
        compare(Text(cartridges.open(past, "t")), then->second, asker, dice, 8);
    }
    for (const Problem& problem : cartridges.verify("t", {.rebuild = true})) FAIL(problem.what);
}

}  // namespace

TEST_CASE("Plain texts with changes behind their artifact are found as a search through all of them finds",
          "[CART-24][CART-25][TEXT-4][TEXT-6][TEXT-8][TEXT-9][TEXT-12]") {
    compare_through_history({}, txn_test::seed(8100), 40);
    compare_through_history({{"stemming", "porter"}}, txn_test::seed(8101), 12);
    compare_through_history({{"positions", "no"}}, txn_test::seed(8102), 40);
}

TEST_CASE("Objects with fields and weights are found as a search through all of them finds",
          "[CART-24][TEXT-3][TEXT-11]") {
    compare_through_history({{"fields", "title^3,body"}}, txn_test::seed(8110), 30);
    compare_through_history({{"fields", "body"}, {"stemming", "porter"}}, txn_test::seed(8111), 30);
    compare_through_history({{"fields", "title,body^7,missing"}, {"positions", "no"}}, txn_test::seed(8112), 30);
}

namespace {

void fill(Database& db, std::uint64_t seed, int documents, std::uint64_t most_words) {
    Dice dice(seed);
    Transaction tx = db.begin_write();
    for (int i = 0; i < documents; ++i) {
        tx.tree("documents").put("d" + std::to_string(i), random_text(dice, 3000, most_words));
    }
    tx.commit();
}

std::string artifact(const Database& db, const Cartridges& cartridges) {
    const CartridgeInfo info = *cartridges.find("t");
    const Snapshot now = db.begin_read();
    return std::string(now.tree(detail::k_cartridges_tree).get(detail::artifact_key("t", info.built_at)).value());
}

}  // namespace

TEST_CASE("A text has the same bytes for any number of threads", "[CART-1]") {
    // Several chunks, and terms of several tasks.
    Database db = Database::open(":memory:");
    fill(db, txn_test::seed(8300), 12000, 120);
    for (const CartridgeParameters& parameters :
         {CartridgeParameters{}, {{"stemming", "porter"}, {"positions", "no"}}}) {
        Cartridges cartridges(db);
        std::string bytes;
        for (const unsigned threads : {1u, 2u, 7u, 16u}) {
            cartridges.build("t", "text", parameters, {.at = 1, .threads = threads, .progress = {}});
            if (bytes.empty()) bytes = artifact(db, cartridges);
            INFO(threads << " threads");
            REQUIRE(artifact(db, cartridges) == bytes);
        }
    }
}

TEST_CASE("An empty tree, and documents without words, can be asked", "[text]") {
    Database db = Database::open(":memory:");
    Cartridges cartridges(db);
    Transaction tx = db.begin_write();
    tx.tree("quiet").put("a", "...");
    tx.commit();
    for (const char* const tree : {"documents", "quiet"}) {
        cartridges.build("t", "text", {{"tree", tree}});
        const Text text(cartridges.open("t"));
        CHECK(text.search(TextQuery::parse("a b* \"c d\" -e")).empty());
        CHECK(text.count(TextQuery::parse("a")) == 0);
        CHECK(text.average_length() == 0);
        CHECK(cartridges.verify("t", {.rebuild = true}).empty());
    }
}

TEST_CASE("Documents that come and go behind a cartridge are searched at once", "[TEXT-8]") {
    Database db = Database::open(":memory:");
    Cartridges cartridges(db);
    const auto put = [&](const char* key, const char* text) {
        Transaction tx = db.begin_write();
        if (text != nullptr) tx.tree("documents").put(key, text);
        else tx.tree("documents").erase(key);
        tx.commit();
    };
    const auto find = [&](const Cartridge& cartridge) {
        std::string keys;
        for (const TextHit& hit : Text(cartridge).search(TextQuery::parse("wing"))) keys += hit.key;
        return keys;
    };
    put("a", "a wing");
    put("b", "the other wing of two");
    cartridges.build("t", "text", {});
    put("c", "wing wing");
    put("a", nullptr);
    put("b", "no more");
    CHECK(find(cartridges.open("t")) == "c");
    CHECK(find(cartridges.open(db.begin_read(AsOf::txn(4)), "t")) == "cab");
    CHECK(find(cartridges.open(db.begin_read(AsOf::txn(1)), "t")) == "a");
    CHECK(Text(cartridges.open("t")).document_count() == 2);
}

TEST_CASE("Damage in any section of a text is found by verify, and never a wrong answer", "[CART-2][TEXT-7]") {
    const txn_test::Workplace place;
    Database db = Database::open(place / "db");
    fill(db, txn_test::seed(8310), 600, 60);
    Cartridges cartridges(db);
    cartridges.build("t", "text", {});
    const std::string file = place / "t.cartridge";
    cartridges.export_to("t", file);
    cartridges.attach("t", file);
    std::ifstream in(file, std::ios::binary);
    std::ostringstream read;
    read << in.rdbuf();
    const std::string whole = read.str();
    const TextQuery query = TextQuery::parse("wing* \"flow1 heat2\" heat3 flow1");
    const std::vector<TextHit> right = Text(cartridges.open("t")).search(query);
    REQUIRE_FALSE(right.empty());
    const std::atomic<std::uint64_t> ticket{1};
    const detail::CartridgeContainer container(whole, ticket, 1);
    REQUIRE(container.header().sections.size() == 13);
    for (const detail::CartridgeSection& section : container.header().sections) {
        if (section.count == 0) continue;
        INFO("section " << section.number);
        std::string damaged = whole;
        char& byte = damaged[static_cast<std::size_t>(section.offset + section.bytes() / 2)];
        byte = static_cast<char>(byte ^ 16);
        std::ofstream(file, std::ios::binary) << damaged;
        Cartridges others(db);  // which has nothing open yet
        CHECK_FALSE(others.verify("t").empty());
        std::optional<std::vector<TextHit>> found;
        const std::optional<Errc> code = code_of([&] { found = Text(others.open("t")).search(query); });
        if (found) CHECK(same(*found, right));
        else CHECK(code == Errc::corrupt);
    }
}

TEST_CASE("An artifact whose checksums fit but which contradicts itself is found by verify", "[TEXT-7]") {
    Database db = Database::open(":memory:");
    fill(db, txn_test::seed(8320), 300, 60);
    Cartridges cartridges(db);
    cartridges.build("t", "text", {});
    // A document's length is what its words are.
    class Liar final : public CartridgeKind {
    public:
        std::string name() const override { return "text_liar"; }
        std::uint32_t version() const override { return 1; }
        void check(const CartridgeParameters&) const override {}
        std::vector<std::string> trees(const CartridgeParameters&) const override { return {}; }
        void extract(const CartridgeParameters&, std::string_view, std::string_view, std::string_view,
                     const FactSink&) const override {}
        void build(CartridgeBuild& build) const override {
            build.add(16, std::vector<std::uint64_t>{1, 0, 5, 5});
            build.add(17, std::vector<std::uint32_t>{0, 0, 0, 0});
            for (const std::uint32_t empty : {18u, 19u, 22u, 23u}) build.add(empty, std::vector<std::uint8_t>());
            for (const std::uint32_t empty : {20u, 21u, 24u}) build.add(empty, std::vector<std::uint32_t>());
            build.add(25, std::vector<std::uint8_t>{5});
            build.add(26, std::vector<std::uint32_t>{0, 2});
            build.add(27, std::vector<std::uint8_t>{0x10, 'a'});
        }
        std::string problem_of(const Cartridge& cartridge) const override { return detail::problem_of_text(cartridge); }
    };
    register_cartridge_kind(std::make_shared<Liar>());
    cartridges.build("l", "text_liar", {});
    const std::vector<Problem> problems = cartridges.verify("l");
    REQUIRE(problems.size() == 1);
    CHECK(problems[0].what == "a document has another length than its words");
}

TEST_CASE("Judged questions are answered as well as they were", "[text][slow]") {
    if (shared_texts().empty()) NORTHSTAR_SKIP("../shared/data is not here");
    const JudgedTexts judged = JudgedTexts::cranfield();
    REQUIRE(judged.questions.size() > 200);
    Database db = Database::open(":memory:");
    db.update([&](Transaction& tx) {
        for (const auto& [key, text] : judged.documents) tx.tree("documents").put(key, text);
    });
    Cartridges cartridges(db);
    cartridges.build("t", "text", {{"stemming", "porter"}, {"positions", "no"}});
    const Text text(cartridges.open("t"));
    const double ndcg = judged.ndcg([&](const std::string& question) {
        std::vector<std::string> keys;
        for (const TextHit& hit : text.search(TextQuery::words(question), 10)) keys.push_back(hit.key);
        return keys;
    });
    CHECK(ndcg > 0.33);  // FTS5 with porter has 0.334
}
