// cartridge_promises_test.cpp -- what the framework promises of every kind: builds that hold nobody up and can be given
// up at any step, refreshing by policy, answers that may be old, files of their own.
#include "cartridge_answers.hpp"
#include "txn_support.hpp"

#include <algorithm>
#include <future>

using namespace northstar;
using cartridge_answers::Kind;
using cartridge_answers::kinds;
using cartridge_answers::Question;
using detail::Random;
using txn_test::code_of;
using txn_test::Workplace;

namespace {

void change(Database& db, Random& random) {
    Transaction tx = db.begin_write();
    // All of them, so that it concerns every kind.
    tx.tree("graph").put(cartridge_answers::some_edge(random), std::to_string(random.next()));
    tx.tree("graph").put(edge_key("new", "calls", std::to_string(random.next())), "");
    tx.tree("vectors").put("v" + std::to_string(random.below(300)), cartridge_answers::some_vector(random).value());
    tx.tree("documents").put("d" + std::to_string(random.below(300)), cartridge_answers::some_text(random) + " new");
    tx.commit();
}

}  // namespace

TEST_CASE("At every step of a build of every kind another thread commits", "[CART-14]") {
    Random random(txn_test::seed(9500));
    const Workplace place;
    Database db = Database::open(place / "db");
    Cartridges cartridges(db);
    cartridge_answers::fill(db, random, 100);
    for (const Kind& kind : kinds()) {
        INFO(kind.name);
        int steps = 0;
        BuildOptions options;
        options.threads = 2;
        options.progress = [&](const BuildProgress&) {
            ++steps;
            // It ends before the build goes on, or never.
            std::async(std::launch::async, [&] { change(db, random); }).get();
            return true;
        };
        const Txn before = db.begin_read().txn();
        const CartridgeInfo info = cartridges.build(kind.name, kind.name, kind.parameters, options);
        CHECK(steps > 2);
        CHECK(info.built_at == before);
        CHECK(db.begin_read().txn() == before + static_cast<Txn>(steps) + 1);
        CHECK(cartridges.verify(kind.name, {.rebuild = true}).empty());
    }
}

TEST_CASE("A build of any kind is given up at whichever step, and leaves what was there", "[CART-14]") {
    Random random(txn_test::seed(9600));
    Database db = Database::open(":memory:");
    Cartridges cartridges(db);
    cartridge_answers::fill(db, random, 60);
    for (const Kind& kind : kinds()) {
        INFO(kind.name);
        cartridges.build(kind.name, kind.name, kind.parameters);
        change(db, random);
        const Txn before = db.begin_read().txn();
        const Hash digest = cartridges.find(kind.name)->digest;
        int most = 0;
        for (;; ++most) {
            int looks = 0;
            BuildOptions options;
            options.progress = [&](const BuildProgress&) { return looks++ < most; };
            const std::optional<Errc> code =
                code_of([&] { cartridges.build(kind.name, kind.name, kind.parameters, options); });
            if (!code) break;
            REQUIRE(code == Errc::cancelled);
            REQUIRE(db.begin_read().txn() == before);
            REQUIRE(cartridges.find(kind.name)->digest == digest);
        }
        CHECK(most > 2);
        CHECK(cartridges.find(kind.name)->digest != digest);
    }
}

TEST_CASE("What a build says of its progress never goes back within a stage, nor beyond its end", "[CART-14]") {
    Random random(txn_test::seed(9700));
    Database db = Database::open(":memory:");
    Cartridges cartridges(db);
    cartridge_answers::fill(db, random, 300);
    for (const Kind& kind : kinds()) {
        for (const unsigned threads : {1u, 4u}) {
            INFO(kind.name << " with " << threads << " threads");
            std::string stage;
            std::uint64_t done = 0;
            bool regular = true;
            BuildOptions options;
            options.threads = threads;
            options.progress = [&](const BuildProgress& progress) {
                if (progress.stage != stage) done = 0;
                stage = progress.stage;
                regular = regular && !stage.empty() && progress.done >= done &&
                          (progress.total == 0 || progress.done <= progress.total);
                done = progress.done;
                return true;
            };
            cartridges.build(kind.name, kind.name, kind.parameters, options);
            CHECK(regular);
            CHECK(stage == "writing");
        }
    }
}

TEST_CASE("Every kind is refreshed as its policy says", "[CART-14]") {
    Random random(txn_test::seed(9800));
    Database db = Database::open(":memory:");
    Cartridges cartridges(db);
    cartridge_answers::fill(db, random, 60);
    std::vector<std::string> all;
    for (const Kind& kind : kinds()) {
        all.emplace_back(kind.name);
        cartridges.build(kind.name, kind.name, kind.parameters);
    }
    std::sort(all.begin(), all.end());
    // By hand: nothing happens by itself.
    change(db, random);
    CHECK(cartridges.refresh_due().empty());
    // Every so many commits: not before, and then all of them.
    for (const std::string& name : all) {
        cartridges.refresh(name);
        cartridges.set_refresh(name, RefreshPolicy::every(20));
    }
    change(db, random);
    CHECK(cartridges.refresh_due().empty());
    for (int i = 0; i < 20; ++i) change(db, random);
    CHECK(cartridges.refresh_due() == all);
    // In the background: a keeper does it, in the end from the newest state.
    for (const std::string& name : all) cartridges.set_refresh(name, RefreshPolicy::background());
    {
        CartridgeKeeper keeper(db, 2);
        for (int i = 0; i < 10; ++i) change(db, random);
        REQUIRE(keeper.wait_idle(120'000));
        CHECK(keeper.last_error() == "");
        for (const std::string& name : all) {
            CHECK(cartridges.open(name, Freshness::exact()).answers() == Cartridge::Answers::exact);
        }
    }
    // Gone, and nobody does it any more.
    const Txn last = db.begin_read().txn();
    change(db, random);
    CHECK(db.begin_read().txn() == last + 1);
}

TEST_CASE("Answers of every kind may be as old as allowed, and say how old they are", "[CART-12]") {
    Random random(txn_test::seed(9900));
    Database db = Database::open(":memory:");
    Cartridges cartridges(db);
    cartridge_answers::fill(db, random, 60);
    for (const Kind& kind : kinds()) {
        INFO(kind.name);
        const std::vector<Question> questions = cartridge_answers::questions(kind.name, random.next(), 12);
        const auto answers = [&](const Cartridge& cartridge) {
            std::vector<std::string> texts;
            for (const Question& question : questions) texts.push_back(question(cartridge));
            return texts;
        };
        cartridges.build(kind.name, kind.name, kind.parameters);
        const std::vector<std::string> old = answers(cartridges.open(kind.name, Freshness::exact()));
        for (int i = 0; i < 6; ++i) change(db, random);
        const Cartridge newest = cartridges.open(kind.name);
        REQUIRE(newest.answers() == Cartridge::Answers::overlay);
        const std::uint64_t lag = newest.lag();
        CHECK(lag == 7);  // and the commit that installed it
        const Cartridge stale = cartridges.open(kind.name, Freshness::stale_ok(lag));
        CHECK(stale.answers() == Cartridge::Answers::stale);
        CHECK(stale.lag() == lag);
        CHECK(answers(stale) == old);
        const Cartridge fresh = cartridges.open(kind.name, Freshness::stale_ok(lag - 1));
        CHECK(fresh.answers() == Cartridge::Answers::overlay);
        CHECK(answers(fresh) == answers(newest));
        CHECK(code_of([&] { cartridges.open(kind.name, Freshness::exact()); }) == Errc::stale);
    }
}

TEST_CASE("An artifact of any kind answers from a file of its own as from the database", "[CART-16]") {
    Random random(txn_test::seed(10000));
    const Workplace place;
    Database db = Database::open(place / "db");
    Cartridges cartridges(db);
    cartridge_answers::fill(db, random, 60);
    for (const Kind& kind : kinds()) {
        INFO(kind.name);
        const std::string file = place / (std::string(kind.name) + ".cartridge");
        const std::vector<Question> questions = cartridge_answers::questions(kind.name, random.next(), 12);
        cartridges.build(kind.name, kind.name, kind.parameters);
        std::vector<std::string> expected;
        for (const Question& question : questions) expected.push_back(question(cartridges.open(kind.name)));
        cartridges.export_to(kind.name, file);
        CHECK(cartridges.attach(kind.name, file).file == file);
        CHECK(cartridges.verify(kind.name, {.rebuild = true}).empty());
        const Cartridge open = cartridges.open(kind.name, Freshness::exact());
        for (std::size_t i = 0; i < questions.size(); ++i) CHECK(questions[i](open) == expected[i]);
        // What changes behind it is there as well.
        change(db, random);
        CHECK(cartridges.open(kind.name).answers() == Cartridge::Answers::overlay);
        cartridges.drop(kind.name);
    }
}
