// api_neighbours_test.cpp -- puts near each other, with erasures, savepoints and other trees in between.
#include "txn_support.hpp"

#include <map>

using namespace northstar;

TEST_CASE("Keys near those before go where they belong, whatever came between them", "[KV-2][TX-6]") {
    Database db = Database::open(":memory:");
    txn_test::Dice dice(11);
    std::map<std::string, std::string> model;
    const auto key = [](std::uint64_t number) { return "key " + std::to_string(100'000 + number); };
    const auto fill = [&](WritableTree tree) {
        for (std::uint64_t i = 0; i < 4000; ++i) {
            model[key(i)] = std::string(100, 'a');
            tree.put(key(i), model[key(i)]);
        }
    };
    for (int round = 0; round < 30; ++round) {
        INFO("round " << round);
        Transaction tx = db.begin_write();
        WritableTree tree = tx.tree("t");
        WritableTree other = tx.tree("u");
        if (round % 10 == 0) fill(tree);
        for (int step = 0; step < 40; ++step) {
            std::uint64_t at = dice.below(4000);
            const auto put_some = [&] {
                // The first two lie on one page as a rule, so that the third is not looked for from the root.
                for (int i = 0; i < 3; ++i, ++at) {
                    model[key(at)] = std::string(80 + dice.below(40), 'b');
                    tree.put(key(at), model[key(at)]);
                }
            };
            put_some();
            const auto kept = model;
            const std::uint64_t from = at > 200 ? at - dice.below(200) : at;
            switch (dice.below(4)) {
                case 0:
                    for (std::uint64_t i = from; i < from + 300; ++i)
                        CHECK(tree.erase(key(i)) == (model.erase(key(i)) != 0));
                    break;
                case 1:
                    tree.erase_range(key(from), key(from + 300));
                    model.erase(model.lower_bound(key(from)), model.lower_bound(key(from + 300)));
                    break;
                case 2: {
                    const Savepoint savepoint = tx.savepoint();
                    put_some();
                    tx.rollback_to(savepoint);
                    model = kept;
                    break;
                }
                default: other.put(key(at), "elsewhere");
            }
            at -= dice.below(3);
            put_some();
        }
        std::vector<std::pair<std::string, std::string>> found;
        Cursor cursor = tree.cursor();
        for (bool there = cursor.first(); there; there = cursor.next())
            found.emplace_back(cursor.key(), cursor.value());
        CHECK(found == std::vector<std::pair<std::string, std::string>>(model.begin(), model.end()));
        tx.commit();
    }
    CHECK(db.verify().ok());
}
