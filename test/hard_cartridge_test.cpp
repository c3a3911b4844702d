// hard_cartridge_test.cpp -- every kind of cartridge against damage in each of its sections, missing ends, and all
// states of the log [CART-12] [CART-13] [CART-17].
#include "cartridge_answers.hpp"
#include "txn_support.hpp"

#include "cartridge/container.hpp"

#include <fstream>
#include <sstream>

using namespace northstar;
using cartridge_answers::Kind;
using cartridge_answers::kinds;
using cartridge_answers::Question;
using detail::Random;
using txn_test::code_of;
using txn_test::Workplace;

namespace {

std::string read_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream bytes;
    bytes << in.rdbuf();
    return bytes.str();
}

void write_file(const std::string& path, std::string_view bytes) {
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

/// A cartridge that lies in a file of its own, where it can be damaged, and what it answers when it is whole.
struct Attached {
    Attached(Database& database, const Kind& kind, const std::string& path, std::uint64_t seed)
        : db(database), file(path), questions(cartridge_answers::questions(kind.name, seed, 24)) {
        Cartridges cartridges(db);
        cartridges.build("x", kind.name, kind.parameters);
        cartridges.export_to("x", file);
        cartridges.attach("x", file);
        whole = read_file(file);
        const Cartridge open = cartridges.open("x", Freshness::exact());
        for (const Question& question : questions) truth.push_back(question(open));
    }

    /// With these bytes `verify` reports something, and no question gets a wrong answer. Returns how many got one.
    int check_damaged(std::string_view bytes) const {
        write_file(file, bytes);
        Cartridges others(db);  // which has nothing open yet
        CHECK_FALSE(others.verify("x").empty());
        int answered = 0;
        for (std::size_t i = 0; i < questions.size(); ++i) {
            std::optional<std::string> answer;
            const std::optional<Errc> code = code_of([&] { answer = questions[i](others.open("x")); });
            if (answer) {
                CHECK(*answer == truth[i]);
                ++answered;
            } else {
                CHECK(code == Errc::corrupt);
            }
        }
        write_file(file, whole);
        return answered;
    }

    Database& db;
    const std::string file;
    const std::vector<Question> questions;
    std::vector<std::string> truth;
    std::string whole;
};

std::vector<detail::CartridgeSection> sections_of(const std::string& whole) {
    const std::atomic<std::uint64_t> ticket{1};
    return detail::CartridgeContainer(whole, ticket, 1).header().sections;
}

}  // namespace

TEST_CASE("A flipped bit in any section of any kind is found, and no answer is wrong for it", "[CART-17][CART-2]") {
    const std::uint64_t seed = txn_test::seed(9100);
    INFO("seed " << seed);
    Random random(seed);
    for (const Kind& kind : kinds()) {
        INFO(kind.name);
        const Workplace place;
        Database db = Database::open(place / "db");
        cartridge_answers::fill(db, random, 250);
        const Attached attached(db, kind, place / "x.cartridge", random.next());
        std::size_t sections = 0;
        for (const detail::CartridgeSection& section : sections_of(attached.whole)) {
            if (section.bytes() == 0) continue;
            ++sections;
            const std::uint64_t places[] = {0, section.bytes() - 1, random.below(section.bytes())};
            for (const std::uint64_t at : places) {
                INFO("byte " << at << " of section " << section.number);
                std::string damaged = attached.whole;
                char& byte = damaged[static_cast<std::size_t>(section.offset + at)];
                byte = static_cast<char>(byte ^ 1 << random.below(8));
                attached.check_damaged(damaged);
            }
        }
        CHECK(sections > 3);
        // The page that describes them, and the checksums behind them.
        for (int i = 0; i < 12; ++i) {
            const std::size_t at = i % 2 == 0 ? random.below(detail::k_cartridge_page_size)
                                              : attached.whole.size() - 1 - random.below(16);
            INFO("byte " << at);
            std::string damaged = attached.whole;
            damaged[at] = static_cast<char>(damaged[at] ^ 1 << random.below(8));
            attached.check_damaged(damaged);
        }
    }
}

TEST_CASE("An artifact of any kind that ends early is found out wherever it ends", "[CART-17][CART-3]") {
    const std::uint64_t seed = txn_test::seed(9200);
    INFO("seed " << seed);
    Random random(seed);
    for (const Kind& kind : kinds()) {
        INFO(kind.name);
        const Workplace place;
        Database db = Database::open(place / "db");
        cartridge_answers::fill(db, random, 250);
        const Attached attached(db, kind, place / "x.cartridge", random.next());
        std::vector<std::uint64_t> ends = {0, 1, 8, detail::k_cartridge_page_size - 1, detail::k_cartridge_page_size,
                                           attached.whole.size() - 1, attached.whole.size() - 8};
        for (const detail::CartridgeSection& section : sections_of(attached.whole)) {
            ends.push_back(section.offset);
            if (section.bytes() != 0) ends.push_back(section.offset + random.below(section.bytes()));
        }
        for (const std::uint64_t end : ends) {
            if (end >= attached.whole.size()) continue;
            INFO("cut to " << end << " bytes of " << attached.whole.size());
            CHECK(attached.check_damaged(std::string_view(attached.whole).substr(0, end)) == 0);
        }
        // And one that goes on where it should end.
        CHECK(attached.check_damaged(attached.whole + std::string(64, '\0')) == 0);
    }
}

TEST_CASE("At random positions of the log every kind answers with its cartridge as without", "[CART-12][CART-13]") {
    const std::uint64_t seed = txn_test::seed(9300);
    INFO("seed " << seed);
    Random random(seed);
    const Workplace place;
    const std::string path = place / "db";
    std::optional<Database> db(Database::open(path));
    cartridge_answers::fill(*db, random, 80);
    for (int step = 0; step < txn_test::scaled(120); ++step) {
        {
            Transaction tx = db->begin_write({Durability::lazy, std::nullopt});
            if (random.chance(1, 60)) {
                tx.drop_tree(random.chance(1, 2) ? "graph" : "documents");
            } else {
                cartridge_answers::change(tx, random, 1 + random.below(12));
            }
            tx.commit();
        }
        if (random.chance(1, 8)) {
            const Kind& kind = kinds()[random.below(kinds().size())];
            Cartridges(*db).build(kind.name, kind.name, kind.parameters);
        }
        if (random.chance(1, 20)) db->checkpoint();
        if (random.chance(1, 50)) {
            db.reset();
            db.emplace(Database::open(path));
        }
    }
    Cartridges cartridges(*db);
    for (const Kind& kind : kinds()) {
        if (!cartridges.find(kind.name)) cartridges.build(kind.name, kind.name, kind.parameters);
    }
    const Txn newest = db->begin_read().txn();
    std::map<Cartridge::Answers, int> ways;
    for (int round = 0; round < txn_test::scaled(40); ++round) {
        const Txn at = round == 0 ? newest : 1 + random.below(newest);
        const Kind& kind = kinds()[random.below(kinds().size())];
        INFO(kind.name << " as of " << at << " of " << newest);
        const Cartridge open = cartridges.open(db->begin_read(AsOf::txn(at)), kind.name);
        ++ways[open.answers()];
        // One that is built from that very state.
        const std::string fresh = std::string("fresh-") + kind.name;
        const BuildOptions options{.at = at, .threads = 2, .progress = {}};
        const CartridgeInfo info = cartridges.build(fresh, kind.name, kind.parameters, options);
        const Cartridge truth = cartridges.open(db->begin_read(AsOf::txn(at)), fresh, Freshness::exact());
        REQUIRE(truth.info().digest == info.digest);
        for (const Question& question : cartridge_answers::questions(kind.name, random.next(), 12)) {
            REQUIRE(question(open) == question(truth));
        }
    }
    // Both ways to answer were tried.
    CHECK(ways[Cartridge::Answers::overlay] > 5);
    CHECK(ways[Cartridge::Answers::exact] > 0);
    for (const Problem& problem : cartridges.verify({}, {.rebuild = true})) {
        FAIL_CHECK(problem.where << ": " << problem.what);
    }
}

TEST_CASE("AS OF a point between two cartridges every kind answers for that point", "[CART-12]") {
    const std::uint64_t seed = txn_test::seed(9400);
    INFO("seed " << seed);
    Random random(seed);
    Database db = Database::open(":memory:");
    Cartridges cartridges(db);
    cartridge_answers::fill(db, random, 80);
    for (const Kind& kind : kinds()) {
        INFO(kind.name);
        const Txn first = cartridges.build(kind.name, kind.name, kind.parameters).built_at;
        const auto change_all = [&] {
            for (int i = 0; i < 12; ++i) {
                Transaction tx = db.begin_write();
                cartridge_answers::change(tx, random, 6);
                tx.commit();
            }
        };
        change_all();
        const Txn between = db.begin_read().txn();
        std::vector<std::string> answers;
        const std::vector<Question> questions = cartridge_answers::questions(kind.name, random.next(), 16);
        const Cartridge then = cartridges.open(kind.name);
        REQUIRE(then.answers() == Cartridge::Answers::overlay);
        for (const Question& question : questions) answers.push_back(question(then));
        change_all();
        const Txn second = cartridges.build(kind.name, kind.name, kind.parameters).built_at;
        REQUIRE(first < between);
        REQUIRE(between < second);
        const Cartridge again = cartridges.open(db.begin_read(AsOf::txn(between)), kind.name);
        CHECK(again.info().built_at == first);
        CHECK(again.txn() == between);
        for (std::size_t i = 0; i < questions.size(); ++i) CHECK(questions[i](again) == answers[i]);
    }
}
