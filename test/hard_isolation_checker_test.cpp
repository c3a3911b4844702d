// The checker of histories must find each anomaly that is planted, name it, and let correct histories pass.
#include "hard/isolation/checker.hpp"

#include "base/random.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>

using namespace northstar;
using namespace northstar::hard;

namespace {

Step append(Key key, Element element) { return {Step::Kind::append, key, element, {}}; }
Step reads(Key key, std::vector<Element> list) { return {Step::Kind::read_list, key, 0, std::move(list)}; }
Step last(Key key, Element element) { return {Step::Kind::read_last, key, element, {}}; }
Step put(Key key, Element element) { return {Step::Kind::put, key, element, {}}; }
Step shows(Key key, Element element) { return {Step::Kind::read_register, key, element, {}}; }

/// All at the same time, unless said otherwise.
Deed deed(std::uint64_t name, std::vector<Step> steps, DeedKind kind = DeedKind::optimistic) {
    Deed deed;
    deed.name = name;
    deed.kind = kind;
    deed.begin_ns = 1;
    deed.end_ns = 1000;
    deed.steps = std::move(steps);
    return deed;
}
Deed at(Deed deed, std::uint64_t begin, std::uint64_t end) {
    deed.begin_ns = begin;
    deed.end_ns = end;
    return deed;
}
Deed numbered(Deed deed, std::uint64_t txn) {
    deed.txn = txn;
    return deed;
}
Deed with(Deed deed, Outcome outcome) {
    deed.outcome = outcome;
    return deed;
}

std::vector<std::string> names(const std::vector<Anomaly>& anomalies) {
    std::vector<std::string> names;
    for (const Anomaly& anomaly : anomalies) names.push_back(anomaly.name);
    return names;
}
using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("two deeds that append around each other are G0") {
    const std::vector<Deed> deeds = {deed(1, {append(1, 11), append(2, 12)}), deed(2, {append(1, 21), append(2, 22)}),
                                     deed(3, {reads(1, {11, 21}), reads(2, {22, 12})})};
    CHECK(names(check_history(deeds)) == Names{"G0"});
}

TEST_CASE("two deeds that read each other's writes are G1c") {
    const std::vector<Deed> deeds = {deed(1, {append(1, 11), reads(2, {22})}),
                                     deed(2, {append(2, 22), reads(1, {11})})};
    CHECK(names(check_history(deeds)) == Names{"G1c"});
}

TEST_CASE("a read of an aborted write is G1a") {
    const std::vector<Deed> deeds = {with(deed(1, {append(1, 11)}), Outcome::aborted), deed(2, {reads(1, {11})})};
    CHECK(names(check_history(deeds)) == Names{"G1a"});
}

TEST_CASE("a read of an intermediate write is G1b") {
    const std::vector<Deed> deeds = {deed(1, {append(1, 11), append(1, 12)}), deed(2, {reads(1, {11})}),
                                     deed(3, {reads(1, {11, 12})})};
    CHECK(names(check_history(deeds)).front() == "G1b");
}

TEST_CASE("a lost update is G-single") {
    // Both read the empty list; the second one appends to what it did not see.
    const std::vector<Deed> deeds = {deed(1, {reads(1, {}), append(1, 11)}), deed(2, {reads(1, {}), append(1, 21)}),
                                     deed(3, {reads(1, {11, 21})})};
    CHECK(names(check_history(deeds)) == Names{"G-single"});
}

TEST_CASE("a read skew is G-single, and the report is the cycle of two") {
    const std::vector<Deed> deeds = {deed(1, {append(1, 11), append(2, 12)}), deed(2, {reads(1, {}), reads(2, {12})}),
                                     deed(3, {reads(1, {11})})};
    const std::vector<Anomaly> anomalies = check_history(deeds);
    REQUIRE(names(anomalies) == Names{"G-single"});
    CHECK(anomalies[0].report == "optimistic 0/2 --rw 1--> optimistic 0/1 --wr 2--> optimistic 0/2");
}

TEST_CASE("a write skew is G2") {
    const std::vector<Deed> deeds = {deed(1, {reads(1, {}), append(2, 12)}), deed(2, {reads(2, {}), append(1, 21)}),
                                     deed(3, {reads(1, {21}), reads(2, {12})})};
    CHECK(names(check_history(deeds)) == Names{"G2"});
}

TEST_CASE("a register that was read before another write is G-single too") {
    const std::vector<Deed> deeds = {deed(1, {last(1, 0), append(1, 11)}), deed(2, {last(1, 0), append(1, 21)}),
                                     deed(3, {reads(1, {11, 21})})};
    CHECK(names(check_history(deeds)) == Names{"G-single"});
}

TEST_CASE("two readers that see two writes in different orders are G2") {
    const std::vector<Deed> deeds = {deed(1, {append(1, 11)}), deed(2, {append(2, 22)}),
                                     deed(3, {reads(1, {11}), reads(2, {})}, DeedKind::snapshot),
                                     deed(4, {reads(1, {}), reads(2, {22})}, DeedKind::exclusive)};
    CHECK(names(check_history(deeds)) == Names{"G2"});
}

TEST_CASE("a state that lacks a commit which had returned is stale") {
    const std::vector<Deed> deeds = {at(deed(1, {append(1, 11)}), 1, 10),
                                     at(deed(2, {reads(1, {})}, DeedKind::snapshot), 20, 30),
                                     at(deed(3, {reads(1, {11})}), 1, 100)};
    const std::vector<Anomaly> anomalies = check_history(deeds);
    REQUIRE(names(anomalies) == Names{"stale read"});
    CHECK(anomalies[0].report == "snapshot 0/2 --rw 1--> optimistic 0/1 --rt--> snapshot 0/2");
}

TEST_CASE("a transaction that lacks a commit which had returned breaks real time") {
    const std::vector<Deed> deeds = {at(deed(1, {append(1, 11)}), 1, 10),
                                     at(deed(2, {reads(1, {}), append(2, 22)}), 20, 30),
                                     at(deed(3, {reads(1, {11}), reads(2, {22})}), 1, 100)};
    CHECK(names(check_history(deeds)) == Names{"G-single-realtime"});
}

TEST_CASE("commits in another order than they returned are G0 in real time") {
    const std::vector<Deed> deeds = {at(deed(1, {append(1, 11)}), 1, 10), at(deed(2, {append(1, 21)}), 20, 30),
                                     at(deed(3, {reads(1, {21, 11})}), 1, 100)};
    CHECK(names(check_history(deeds)) == Names{"G0-realtime"});
}

TEST_CASE("real time reaches over a deed that ended in between") {
    // 1 ends before 2 begins, 2 before 3: an edge from 1 to 3 is not drawn, and follows all the same.
    const std::vector<Deed> deeds = {at(deed(1, {append(1, 11)}), 1, 10), at(deed(2, {append(5, 51)}), 20, 30),
                                     at(deed(3, {reads(1, {})}, DeedKind::snapshot), 40, 50),
                                     at(deed(4, {reads(1, {11})}), 1, 100)};
    CHECK(names(check_history(deeds)) == Names{"stale read"});
}

TEST_CASE("a read of a write that had not been asked for is a future read") {
    const std::vector<Deed> deeds = {at(deed(1, {append(1, 11)}), 50, 60), at(deed(2, {reads(1, {11})}), 1, 10)};
    CHECK(names(check_history(deeds)).front() == "future read");
}

TEST_CASE("a snapshot that changes is not a snapshot") {
    const std::vector<Deed> deeds = {deed(1, {append(1, 11)}),
                                     deed(2, {reads(1, {}), reads(1, {11})}, DeedKind::snapshot)};
    CHECK(names(check_history(deeds)).front() == "internal");
}

TEST_CASE("a transaction that does not see its own write is internally wrong") {
    CHECK(names(check_history({deed(1, {append(1, 11), reads(1, {})})})) == Names{"internal"});
}

TEST_CASE("two lists of a key of which neither begins with the other are incompatible") {
    const std::vector<Deed> deeds = {deed(1, {append(1, 11)}), deed(2, {append(1, 21)}), deed(3, {reads(1, {11})}),
                                     deed(4, {reads(1, {21})})};
    CHECK(names(check_history(deeds)).front() == "incompatible order");
}

TEST_CASE("a committed write that is gone in the end is lost") {
    const std::vector<Deed> deeds = {at(deed(1, {append(1, 11)}), 1, 10),
                                     at(deed(2, {reads(1, {})}, DeedKind::snapshot), 5, 50)};
    CHECK(names(check_history(deeds)) == Names{"lost write"});
}

TEST_CASE("a write of unknown outcome may be there or not") {
    const Deed writer = with(at(deed(1, {append(1, 11)}), 1, ~std::uint64_t{0}), Outcome::unknown);
    CHECK(check_history({writer, deed(2, {reads(1, {11})}, DeedKind::snapshot)}).empty());
    CHECK(check_history({writer, deed(2, {reads(1, {})}, DeedKind::snapshot)}).empty());
}

TEST_CASE("a write of unknown outcome that was read cannot be missing later") {
    const std::vector<Deed> deeds = {with(at(deed(1, {append(1, 11)}), 1, ~std::uint64_t{0}), Outcome::unknown),
                                     at(deed(2, {reads(1, {11})}, DeedKind::snapshot), 1, 10),
                                     at(deed(3, {reads(1, {})}, DeedKind::snapshot), 20, 30)};
    CHECK(names(check_history(deeds)) == Names{"stale read"});
}

TEST_CASE("a state AS OF another commit than it names is found by its number") {
    const std::vector<Deed> deeds = {numbered(deed(1, {append(1, 11)}), 1), numbered(deed(2, {append(1, 21)}), 2),
                                     numbered(deed(3, {reads(1, {11, 21})}, DeedKind::as_of), 1)};
    CHECK(check_history(deeds).empty());
    CHECK(names(check_numbers(deeds)) == Names{"not the state of its number"});
}

TEST_CASE("a transaction that read another state than its number says is found") {
    const std::vector<Deed> deeds = {numbered(deed(1, {append(1, 11)}), 1),
                                     numbered(deed(2, {reads(1, {}), append(2, 22)}), 2)};
    CHECK(check_history(deeds).empty());
    CHECK(names(check_numbers(deeds)) == Names{"not the state of its number"});
}

TEST_CASE("two commits with one number are found") {
    const std::vector<Deed> deeds = {numbered(deed(1, {append(1, 11)}), 1), numbered(deed(2, {append(2, 21)}), 1)};
    CHECK(names(check_numbers(deeds)) == Names{"one number for two"});
}

// ---- registers: writes that depend on nothing ----

TEST_CASE("a register's write that was aborted and read is G1a") {
    const std::vector<Deed> deeds = {with(deed(1, {put(1, 11)}), Outcome::aborted), deed(2, {shows(1, 11)})};
    CHECK(names(check_history(deeds)) == Names{"G1a"});
}

TEST_CASE("a register's write that its own deed wrote over and another one read is G1b") {
    const std::vector<Deed> deeds = {deed(1, {put(1, 11), put(1, 12)}), deed(2, {shows(1, 11)})};
    CHECK(names(check_history(deeds)) == Names{"G1b"});
}

TEST_CASE("two deeds that read what the other one put are G1c") {
    const std::vector<Deed> deeds = {deed(1, {put(1, 11), shows(2, 22)}), deed(2, {put(2, 22), shows(1, 11)})};
    CHECK(names(check_history(deeds)) == Names{"G1c"});
}

TEST_CASE("a lost update of a register is G-single") {
    const std::vector<Deed> deeds = {numbered(deed(1, {shows(1, 0), put(1, 11)}), 1),
                                     numbered(deed(2, {shows(1, 0), put(1, 21)}), 2)};
    CHECK(names(check_history(deeds)) == Names{"G-single"});
}

TEST_CASE("a lost update of a register is found without numbers, as a cycle of two that wrote over one state") {
    const std::vector<Deed> deeds = {deed(1, {put(1, 5)}), deed(2, {shows(1, 5), put(1, 11)}),
                                     deed(3, {shows(1, 5), put(1, 21)})};
    CHECK(names(check_history(deeds)) == Names{"G2"});
}

TEST_CASE("a read skew between a register and a list is G-single") {
    const std::vector<Deed> deeds = {numbered(deed(1, {put(1, 11), append(1, 12)}), 1),
                                     deed(2, {shows(1, 0), reads(1, {12})}, DeedKind::snapshot)};
    CHECK(names(check_history(deeds)) == Names{"G-single"});
}

TEST_CASE("a write skew over registers is G2") {
    const std::vector<Deed> deeds = {deed(1, {shows(1, 0), put(2, 12)}), deed(2, {shows(2, 0), put(1, 21)})};
    CHECK(names(check_history(deeds)) == Names{"G2"});
}

TEST_CASE("a state that shows a register as it was before a put that had returned is stale") {
    const std::vector<Deed> deeds = {numbered(at(deed(1, {put(1, 11)}), 1, 10), 1),
                                     at(deed(2, {shows(1, 0)}, DeedKind::snapshot), 20, 30)};
    const std::vector<Anomaly> anomalies = check_history(deeds);
    REQUIRE(names(anomalies) == Names{"stale read"});
    CHECK(anomalies[0].report == "snapshot 0/2 --rw 1--> optimistic 0/1 (txn 1) --rt--> snapshot 0/2");
}

TEST_CASE("a read of what somebody had read and written over is stale without numbers") {
    const std::vector<Deed> deeds = {at(deed(1, {put(1, 11)}), 1, 5), at(deed(2, {shows(1, 11), put(1, 21)}), 6, 10),
                                     at(deed(3, {shows(1, 11)}, DeedKind::snapshot), 20, 30)};
    CHECK(names(check_history(deeds)) == Names{"stale read"});
}

TEST_CASE("puts numbered in another order than they returned are G0 in real time") {
    const std::vector<Deed> deeds = {numbered(at(deed(1, {put(1, 11)}), 1, 10), 2),
                                     numbered(at(deed(2, {put(1, 21)}), 20, 30), 1)};
    CHECK(names(check_history(deeds)) == Names{"G0-realtime"});
}

TEST_CASE("a read of a put that had not been asked for is a future read") {
    const std::vector<Deed> deeds = {at(deed(1, {put(1, 11)}), 50, 60), at(deed(2, {shows(1, 11)}), 1, 10)};
    CHECK(names(check_history(deeds)).front() == "future read");
}

TEST_CASE("a register that changes in a snapshot, or lacks the deed's own put, is internally wrong") {
    CHECK(names(check_history({deed(1, {put(1, 11)}), deed(2, {shows(1, 0), shows(1, 11)}, DeedKind::snapshot)}))
              .front() == "internal");
    CHECK(names(check_history({deed(1, {put(1, 11), shows(1, 0)})})) == Names{"internal"});
}

TEST_CASE("a number of a list in a register is a garbage read") {
    CHECK(names(check_history({deed(1, {append(1, 11)}), deed(2, {shows(1, 11)})})).front() == "garbage read");
}

TEST_CASE("blind puts in any order of their numbers pass") {
    const std::vector<Deed> deeds = {numbered(deed(1, {put(1, 11)}), 2), numbered(deed(2, {put(1, 21)}), 1),
                                     numbered(deed(3, {shows(1, 11)}, DeedKind::snapshot), 2)};
    CHECK(check_history(deeds).empty());
    CHECK(check_numbers(deeds).empty());
}

TEST_CASE("a put of unknown outcome may be there or not, but not come and go") {
    const Deed writer = with(at(deed(1, {put(1, 11)}), 1, ~std::uint64_t{0}), Outcome::unknown);
    CHECK(check_history({writer, deed(2, {shows(1, 11)}, DeedKind::snapshot)}).empty());
    CHECK(check_history({writer, deed(2, {shows(1, 0)}, DeedKind::snapshot)}).empty());
    CHECK(names(check_history({writer, at(deed(2, {shows(1, 11)}, DeedKind::snapshot), 1, 10),
                               at(deed(3, {shows(1, 0)}, DeedKind::snapshot), 20, 30)})) == Names{"stale read"});
}

TEST_CASE("a register in a state of another number than it names is found by its number") {
    const std::vector<Deed> deeds = {numbered(deed(1, {put(1, 11)}), 1), numbered(deed(2, {put(1, 21)}), 2),
                                     numbered(deed(3, {shows(1, 21)}, DeedKind::as_of), 1)};
    CHECK(check_history(deeds).empty());
    CHECK(names(check_numbers(deeds)) == Names{"not the state of its number"});
}

TEST_CASE("histories that were done one after the other pass, and single changes to them do not go unseen") {
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        INFO("seed " << seed);
        detail::Random random(seed);
        std::map<Key, std::vector<Element>> state;
        std::map<Key, Element> registers;
        std::vector<Deed> deeds;
        Element element = 0;
        for (std::uint64_t txn = 1; txn <= 80; ++txn) {
            // It takes effect at 100 * txn, and began up to some commits before.
            Deed one = at(deed(txn, {}), 100 * txn - random.below(400), 100 * txn + random.below(400));
            one.begin_ns = std::max<std::uint64_t>(one.begin_ns > 100 * txn ? 1 : one.begin_ns, 1);
            for (std::uint64_t steps = random.between(1, 4); steps > 0; --steps) {
                const Key key = static_cast<Key>(random.below(3));
                switch (random.below(4)) {
                    case 0:
                        one.steps.push_back(append(key, ++element));
                        state[key].push_back(element);
                        break;
                    case 1:
                        one.steps.push_back(put(key, ++element));
                        registers[key] = element;
                        break;
                    case 2: one.steps.push_back(reads(key, state[key])); break;
                    default: one.steps.push_back(shows(key, registers[key])); break;
                }
            }
            one.txn = txn;
            deeds.push_back(one);
            deeds.push_back(numbered(at(deed(1000 + txn, {}, DeedKind::snapshot), 100 * txn - 1, 100 * txn + 1), txn));
            for (Key key = 0; key < 3; ++key) deeds.back().steps.push_back(reads(key, state[key]));
            for (Key key = 0; key < 3; ++key) deeds.back().steps.push_back(shows(key, registers[key]));
        }
        CHECK(names(check_history(deeds)).empty());
        CHECK(names(check_numbers(deeds)).empty());
        // One snapshot in the middle shows an older list of the key that the last deed before it appended to.
        std::size_t changed = deeds.size() / 2 | 1;
        while (deeds[changed].steps[0].list.size() < 6) changed += 2;
        deeds[changed].steps[0].list.resize(deeds[changed].steps[0].list.size() - 5);
        CHECK_FALSE(check_history(deeds).empty());
        CHECK_FALSE(check_numbers(deeds).empty());
    }
}
