// Hybrid search: what fusing two naive searches by hand gives, of any state, with any filter and age.
#include "text_support.hpp"
#include "vector_support.hpp"

#include "cartridge/valid_time.hpp"

#include <cmath>

using namespace northstar;
using txn_test::code_of;
using txn_test::Dice;

namespace {

constexpr std::uint64_t k_day_us = std::uint64_t{24} * 60 * 60 * 1000 * 1000;
constexpr std::uint64_t k_one = std::uint64_t{1} << 40;

/// One state, as maps.
struct State {
    text_test::Model text;
    vector_test::Model vectors;
    std::map<std::string, std::uint64_t> text_times;  ///< of the commits that wrote them
    std::map<std::string, std::uint64_t> vector_times;
};

const EmbeddingSpace k_space{"test", 8, VectorElement::u8, false};

text_test::Question question_of(const std::string& text) {
    text_test::Question question;
    question.kind = text_test::Question::Kind::group;
    detail::WordReader reader(text);
    while (reader.next()) {
        text_test::Question& leaf = question.should.emplace_back();
        leaf.leaf.terms.emplace_back(reader.word());
    }
    return question;
}

/// The answer without any index. Weights, k and depth are given.
std::vector<HybridHit> expected_hits(const State& state, const std::string& text, const vector_test::Numbers& vector,
                                     const HybridSearch& options) {
    const auto accepts = [&](std::string_view key) { return !options.accepts || options.accepts(key); };
    std::map<std::string, HybridHit> found;
    std::map<std::string, std::uint64_t> units;
    if (*options.text_weight != 0) {
        std::uint32_t rank = 0;
        for (const TextHit& hit : state.text.search(question_of(text), ~std::size_t{0})) {
            if (!accepts(hit.key) || rank == options.depth) continue;
            found[hit.key].text_rank = ++rank;
            found[hit.key].text_score = hit.score;
            units[hit.key] += *options.text_weight * k_one / (*options.k + rank);
        }
    }
    if (*options.vector_weight != 0) {
        std::uint32_t rank = 0;
        for (const vector_test::Near& near :
             vector_test::nearest(state.vectors, VectorMetric::l2, vector, options.depth, accepts)) {
            found[near.key].vector_rank = ++rank;
            found[near.key].vector_distance = near.distance;
            units[near.key] += *options.vector_weight * k_one / (*options.k + rank);
        }
    }
    std::vector<HybridHit> hits;
    for (auto& [key, hit] : found) {
        hit.key = key;
        hit.score = static_cast<double>(units[key]) / static_cast<double>(k_one);
        if (options.recency.time == HybridRecency::Time::commit) {
            const auto document = state.text_times.find(key);
            hit.time_us = document != state.text_times.end() ? document->second : state.vector_times.at(key);
            const std::uint64_t now = options.recency.now_us.value();
            const double age = now > *hit.time_us ? static_cast<double>(now - *hit.time_us) : 0;
            hit.recency = std::exp2(-age / static_cast<double>(options.recency.half_life_us));
            hit.score *= hit.recency;
        }
        hits.push_back(hit);
    }
    std::stable_sort(hits.begin(), hits.end(),
                     [](const HybridHit& a, const HybridHit& b) { return a.score > b.score; });
    if (hits.size() > options.most) hits.resize(options.most);
    return hits;
}

void compare(const std::vector<HybridHit>& hits, const std::vector<HybridHit>& expected) {
    REQUIRE(hits.size() == expected.size());
    for (std::size_t i = 0; i < hits.size(); ++i) {
        INFO("place " << i << ", key " << hits[i].key);
        REQUIRE(hits[i].key == expected[i].key);
        REQUIRE(hits[i].score == expected[i].score);
        REQUIRE(hits[i].text_rank == expected[i].text_rank);
        REQUIRE(hits[i].vector_rank == expected[i].vector_rank);
        REQUIRE(hits[i].text_score == expected[i].text_score);
        REQUIRE(hits[i].vector_distance == expected[i].vector_distance);
        REQUIRE(hits[i].text_part + hits[i].vector_part == hits[i].score);
        REQUIRE(hits[i].recency == 1);
    }
}

/// Ages are powers to a part in 4096, so that neighbours may change places.
void compare_aged(const std::vector<HybridHit>& hits, const std::vector<HybridHit>& expected,
                  const std::map<std::string, HybridHit>& all) {
    REQUIRE(hits.size() == expected.size());
    for (std::size_t i = 0; i < hits.size(); ++i) {
        INFO("place " << i << ", key " << hits[i].key);
        const HybridHit& naive = all.at(hits[i].key);
        REQUIRE(hits[i].time_us == naive.time_us);
        REQUIRE(std::abs(hits[i].recency - naive.recency) < 4e-4);
        REQUIRE(std::abs(hits[i].score - expected[i].score) < 4e-4 * (expected[i].score + 1e-3));
        REQUIRE(std::abs((hits[i].text_part + hits[i].vector_part) * hits[i].recency - hits[i].score) < 1e-6);
        if (i != 0) {
            REQUIRE((hits[i - 1].score > hits[i].score ||
                     (hits[i - 1].score == hits[i].score && hits[i - 1].key < hits[i].key)));
        }
    }
}

void ask(const Cartridges& cartridges, const Snapshot& snapshot, const State& state, Dice& dice,
         vector_test::Clouds& clouds) {
    const Hybrid hybrid(snapshot, cartridges.open(snapshot, "t"), cartridges.open(snapshot, "v"));
    const std::string text = text_test::random_text(dice, 60, 5);
    const vector_test::Numbers vector = clouds.draw();
    HybridSearch options;
    options.most = 1 + dice.below(25);
    options.depth = 1 + dice.below(30);
    options.text_weight = static_cast<std::uint32_t>(dice.below(4));
    options.vector_weight = static_cast<std::uint32_t>(1 + dice.below(3));
    options.k = static_cast<std::uint32_t>(1 + dice.below(80));
    if (dice.chance(40)) {
        const auto last = static_cast<char>('0' + dice.below(10));
        options.accepts = [last](std::string_view key) { return key.back() <= last; };
    }
    INFO("question " << text << ", depth " << options.depth);
    const Embedding query = vector_test::embedding(k_space, vector);
    compare(hybrid.search(TextQuery::words(text), query, options), expected_hits(state, text, vector, options));

    options.recency.time = HybridRecency::Time::commit;
    options.recency.half_life_us = k_day_us * (1 + dice.below(20));
    options.recency.now_us = snapshot.time_us();
    HybridSearch whole = options;
    whole.most = ~std::size_t{0};
    std::map<std::string, HybridHit> all;
    for (const HybridHit& hit : expected_hits(state, text, vector, whole)) all[hit.key] = hit;
    const std::vector<HybridHit> expected = expected_hits(state, text, vector, options);
    compare_aged(hybrid.search(TextQuery::words(text), query, options), expected, all);
    options.recency.now_us.reset();
    compare_aged(hybrid.search(TextQuery::words(text), query, options), expected, all);
}

}  // namespace

TEST_CASE("A hybrid answer is that of two naive searches fused by hand, whatever changed behind the cartridges",
          "[hybrid]") {
    const std::uint64_t seed = txn_test::seed(9100);
    INFO("seed " << seed);
    Dice dice(seed);
    vector_test::Clouds clouds(seed + 1, k_space.dimensions, 6, k_space.element);
    const txn_test::Workplace place;
    Database db = Database::open(place / "db");
    Cartridges cartridges(db);
    State state;
    std::map<Txn, State> states;
    std::uint64_t now = 4'000'000'000'000'000;  // later than the clock, which times the builds
    for (int step = 0; step < txn_test::scaled(20); ++step) {
        INFO("step " << step);
        now += dice.below(3 * k_day_us);
        Transaction tx = db.begin_write();
        tx.set_time_us(now);
        WritableTree documents = tx.tree("documents");
        WritableTree vectors = tx.tree("vectors");
        for (std::uint64_t i = step == 0 ? 120 : 1 + dice.below(15); i != 0; --i) {
            const std::string key = "d" + std::to_string(dice.below(150));
            const bool gone = dice.chance(20);
            if (dice.chance(80)) {  // some keys are in one tree only
                state.text.erase(key);
                state.text_times.erase(key);
                documents.erase(key);
                if (!gone) {
                    const std::string value = text_test::random_text(dice, 60, 20);
                    documents.put(key, value);
                    state.text.put(key, value);
                    state.text_times[key] = now;
                }
            }
            if (dice.chance(80)) {
                state.vectors.erase(key);
                state.vector_times.erase(key);
                vectors.erase(key);
                if (!gone) {
                    const vector_test::Numbers numbers = clouds.draw();
                    vectors.put(key, vector_test::embedding(k_space, numbers).value());
                    state.vectors[key] = numbers;
                    state.vector_times[key] = now;
                }
            }
        }
        if (const Commit commit = tx.commit(); commit.txn != 0) states.insert_or_assign(commit.txn, state);
        if (step % 6 == 0) cartridges.build("t", "text", {});
        if (step % 5 == 0) cartridges.build("v", "vectors", vector_test::parameters(k_space));
        for (int i = 0; i < 4; ++i) ask(cartridges, db.begin_read(), state, dice, clouds);
        auto then = states.begin();
        std::advance(then, static_cast<std::ptrdiff_t>(dice.below(states.size())));
        INFO("as of " << then->first);
        ask(cartridges, db.begin_read(AsOf::txn(then->first)), then->second, dice, clouds);
    }
}

namespace {

/// Three documents alike but for their times, with hashed embeddings of 64 dimensions.
class Alike {
public:
    explicit Alike(const std::vector<std::string>& values) {
        Transaction tx = db_.begin_write();
        tx.set_time_us(1'700'000'000'000'000);
        for (std::size_t i = 0; i < values.size(); ++i) {
            const std::string key(1, static_cast<char>('a' + i));
            tx.tree("documents").put(key, values[i]);
            tx.tree("vectors").put(key, hashed_embedding("wing", {.dimensions = 64}).value());
        }
        tx.commit();
        cartridges_.build("t", "text", {{"fields", "body"}});
        cartridges_.build("v", "vectors",
                          {{"model", hashed_embedding_space().model}, {"dimensions", "64"}, {"normalised", "yes"}});
    }
    std::string order(const HybridRecency& recency) const {
        const Snapshot now = db_.begin_read();
        const Hybrid hybrid(now, cartridges_.open(now, "t"), cartridges_.open(now, "v"));
        HybridSearch options;
        options.recency = recency;
        std::string keys;
        for (const HybridHit& hit : hybrid.search("wing", options)) keys += hit.key;
        return keys;
    }

private:
    Database db_ = Database::open(":memory:");
    Cartridges cartridges_{db_};
};

}  // namespace

TEST_CASE("Valid time is a member of the document, as a number or as a date", "[hybrid]") {
    const Alike alike({R"({"body": "wing", "seen": 1699000000000000})", R"({"body": "wing", "seen": "2023-11-13"})",
                       R"({"body": "wing", "seen": "2023-11-14T09:30:00+01:00"})"});
    HybridRecency recency;
    CHECK(alike.order(recency) == "abc");
    recency = {.time = HybridRecency::Time::field, .half_life_us = k_day_us, .field = "seen"};
    recency.now_us = 1'700'000'000'000'000;  // 2023-11-14T22:13:20Z
    CHECK(alike.order(recency) == "cba");
    // What has no time, or one to come, has no age.
    recency.field = "missing";
    CHECK(alike.order(recency) == "abc");
    recency.field = "seen";
    recency.now_us = 1;
    CHECK(alike.order(recency) == "abc");
}

TEST_CASE("Valid time may be given by a function of key and value", "[hybrid]") {
    const Alike alike({R"({"body": "wing"})", R"({"body": "wing"})", R"({"body": "wing"})"});
    HybridRecency recency{.time = HybridRecency::Time::given, .half_life_us = k_day_us};
    recency.now_us = 10 * k_day_us;
    std::string asked;
    recency.valid_time_us = [&](std::string_view key, std::optional<std::string_view> value) {
        CHECK(value == R"({"body": "wing"})");
        asked += key;
        return key == "b" ? std::optional<std::uint64_t>(9 * k_day_us) : k_day_us;
    };
    CHECK(alike.order(recency) == "bac");
    CHECK(asked == "abc");
}

TEST_CASE("Times of documents are read as RFC 3339 writes them", "[hybrid]") {
    using detail::parse_time;
    CHECK(parse_time("1970-01-01") == 0);
    CHECK(parse_time("1970-01-02T00:00:01Z") == k_day_us + 1'000'000);
    CHECK(parse_time("2024-02-29T12:30:15.25Z") == 1'709'209'815'250'000);
    CHECK(parse_time("2024-02-29 12:30:15.1234567z") == 1'709'209'815'123'456);
    CHECK(parse_time("2024-02-29t14:30:15+02:00") == 1'709'209'815'000'000);
    CHECK(parse_time("2024-02-28T23:30:15-13:00") == 1'709'209'815'000'000);
    CHECK(parse_time("9999-12-31") == 253'402'214'400'000'000);
    for (const char* const none : {"", "2024", "2024-02-30", "2023-02-29", "2024-13-01", "2024-00-01", "1969-12-31",
                                   "2024-02-29T", "2024-02-29T24:00:00Z", "2024-02-29T12:30Z", "2024-02-29T12:30:15",
                                   "2024-02-29T12:30:15.Z", "2024-02-29T12:30:15Zx", "2024-02-29x", " 2024-02-29",
                                   "1970-01-01T00:00:00+01:00", "2024-2-29", "2024-02-29T12:30:15+1:00"}) {
        INFO(none);
        CHECK(!parse_time(none));
    }
    using detail::time_of_member;
    CHECK(time_of_member(R"({"t": 17, "u": "1970-01-01"})", "t") == 17);
    CHECK(time_of_member(R"({"t": 17, "u": "1970-01-01"})", "u") == 0);
    CHECK(time_of_member(R"({"t": 17, "t": 18})", "t") == 18);
    for (const char* const none : {R"({"t": -1})", R"({"t": 1.5})", R"({"t": 1e3})", R"({"t": null})",
                                   R"({"t": "soon"})", R"({"s": 1})", R"({"t": 99999999999999999999})", "[1]", "{"}) {
        INFO(none);
        CHECK(!time_of_member(none, "t"));
    }
}

TEST_CASE("A hybrid search that makes no sense is refused", "[hybrid]") {
    Database db = Database::open(":memory:");
    Cartridges cartridges(db);
    vector_test::Clouds clouds(1, k_space.dimensions, 2, k_space.element);
    vector_test::fill(db, k_space, clouds, 20);
    db.update([](Transaction& tx) { tx.tree("documents").put("v000001", "wing"); });
    cartridges.build("t", "text", {});
    cartridges.build("v", "vectors", vector_test::parameters(k_space));
    const Snapshot now = db.begin_read();
    const Hybrid hybrid(now, cartridges.open(now, "t"), cartridges.open(now, "v"));
    const TextQuery words = TextQuery::words("wing");
    const Embedding vector = vector_test::embedding(k_space, clouds.draw());
    CHECK(hybrid.search(words, vector).size() == 10);
    const auto refused = [&](const HybridSearch& options) {
        return code_of([&] { hybrid.search(words, vector, options); }) == Errc::invalid_argument;
    };
    CHECK(refused({.text_weight = 1001}));
    CHECK(refused({.vector_weight = 1001}));
    CHECK(refused({.text_weight = 0, .vector_weight = 0}));
    CHECK(refused({.k = 0}));
    CHECK(refused({.recency = {.time = HybridRecency::Time::commit}}));
    CHECK(refused({.recency = {.time = HybridRecency::Time::field, .half_life_us = 1}}));
    CHECK(refused({.recency = {.time = HybridRecency::Time::given, .half_life_us = 1}}));
    // No text becomes a vector of this space.
    CHECK(code_of([&] { hybrid.search("wing"); }) == Errc::invalid_argument);
    CHECK(code_of([&] { hybrid.search(words, hashed_embedding("wing")); }) == Errc::invalid_argument);
    CHECK(code_of([&] { Hybrid(now, cartridges.open(now, "v"), cartridges.open(now, "v")); }) ==
          Errc::invalid_argument);
    CHECK(code_of([&] { Hybrid(now, cartridges.open(now, "t"), cartridges.open(now, "t")); }) ==
          Errc::invalid_argument);
    const Snapshot past = db.begin_read(AsOf::txn(2));
    CHECK(code_of([&] { Hybrid(past, cartridges.open(past, "t"), cartridges.open(now, "v")); }) ==
          Errc::invalid_argument);
}

namespace {

/// Exchanges two letters in about half of the longer words.
std::string misspelt(const std::string& text, Dice& dice) {
    std::istringstream in(text);
    std::string out;
    for (std::string word; in >> word;) {
        if (word.size() > 4 && dice.chance(50)) {
            const std::size_t at = 1 + dice.below(word.size() - 2);
            std::swap(word[at], word[at + 1 < word.size() ? at + 1 : at - 1]);
        }
        out += word + ' ';
    }
    return out;
}

struct Legs {
    double text = 0, vectors = 0, hybrid = 0;
};

Legs judge(const text_test::JudgedTexts& judged, const Hybrid& hybrid) {
    const auto ndcg = [&](std::optional<std::uint32_t> text, std::optional<std::uint32_t> vectors) {
        HybridSearch options;
        options.text_weight = text;
        options.vector_weight = vectors;
        return judged.ndcg([&](const std::string& question) {
            std::vector<std::string> keys;
            for (const HybridHit& hit : hybrid.search(question, options)) keys.push_back(hit.key);
            return keys;
        });
    };
    return {ndcg(1, 0), ndcg(0, 1), ndcg(std::nullopt, std::nullopt)};
}

}  // namespace

TEST_CASE("Judged questions are answered better by words and vectors together than by either", "[hybrid][slow]") {
    if (text_test::shared_texts().empty()) NORTHSTAR_SKIP("../shared/data is not here");
    text_test::JudgedTexts judged = text_test::JudgedTexts::cranfield();
    Database db = Database::open(":memory:");
    db.update([&](Transaction& tx) {
        for (const auto& [key, text] : judged.documents) {
            tx.tree("documents").put(key, text);
            tx.tree("vectors").put(key, hashed_embedding(text).value());
        }
    });
    Cartridges cartridges(db);
    cartridges.build("t", "text", {{"stemming", "porter"}, {"positions", "no"}});
    const EmbeddingSpace space = hashed_embedding_space();
    cartridges.build("v", "vectors",
                     {{"model", space.model}, {"dimensions", std::to_string(space.dimensions)}, {"normalised", "yes"}});
    const Snapshot now = db.begin_read();
    const Hybrid hybrid(now, cartridges.open(now, "t"), cartridges.open(now, "v"));
    const Legs asked = judge(judged, hybrid);
    INFO("text " << asked.text << ", vectors " << asked.vectors << ", hybrid " << asked.hybrid);
    CHECK(asked.vectors > 0.28);
    CHECK(asked.hybrid > std::max(asked.text, asked.vectors));

    const std::uint64_t seed = txn_test::seed(9200);
    Dice dice(seed);
    for (auto& [question, text] : judged.questions) text = misspelt(text, dice);
    const Legs again = judge(judged, hybrid);
    INFO("misspelt, seed " << seed << ": text " << again.text << ", vectors " << again.vectors << ", hybrid "
                           << again.hybrid);
    CHECK(again.hybrid > std::max(again.text, again.vectors) + 0.01);
}
