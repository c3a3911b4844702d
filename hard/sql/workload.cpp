#include "hard/sql/workload.hpp"

#include <iterator>

namespace northstar::hard {

namespace {

using detail::Random;

std::string number(std::uint64_t value) { return std::to_string(value); }

/// Long enough that a few hundred rows do not fit into the memory that a transaction has.
std::string padding(Random& random) {
    const std::uint64_t length = random.between(20, 400);
    return std::string(length, static_cast<char>('a' + random.below(26)));
}

std::string made(Random& random) { return "made_" + number(random.below(3)); }

std::string batch_row(std::uint64_t id, std::uint64_t size) {
    return "INSERT INTO batch VALUES (" + number(id) + ", " + number(size) + ")";
}

void insert_batch(SqlStep& step, Random& random, std::uint64_t id) {
    const std::uint64_t size = random.between(1, 150);
    step.statements = {{batch_row(id, size), {}},
                       {"INSERT INTO item SELECT " + number(id * 1000) + " + g, " + number(id) +
                            ", g, 'Item ' || g || '" + padding(random) + "', g % 200 FROM generate_series(1, " +
                            number(size) + ") g",
                        {}}};
}

void copy_batch(SqlStep& step, Random& random, std::uint64_t id) {
    const std::uint64_t size = random.between(1, 100);
    std::string lines;
    for (std::uint64_t place = 1; place <= size; ++place) {
        lines += number(id * 1000 + place) + "\t" + number(id) + "\t" + number(place) + "\t" + padding(random) + "\t" +
                 (random.chance(1, 9) ? "\\N" : number(random.below(300))) + "\n";
    }
    step.statements = {{batch_row(id, size), {}}, {"COPY item FROM STDIN", lines}};
}

void copy_alone(SqlStep& step, Random& random, std::uint64_t id) {
    step.block = false;
    std::string lines;
    for (std::uint64_t place = random.between(1, 200); place > 0; --place) {
        lines += number(id * 1000 + place) + ",\"" + padding(random) + "\"\n";
    }
    step.statements = {{"COPY loose FROM STDIN (FORMAT csv)", lines}};
}

void update_many(SqlStep& step, Random& random, std::uint64_t) {
    step.block = false;
    step.statements = {{"UPDATE item SET amount = (amount * 7 + 3) % 211, name = upper(left(name, 90)) || '" +
                            padding(random) + "' WHERE place % 4 <> " + number(random.below(4)),
                        {}}};
}

void move_amounts(SqlStep& step, Random& random, std::uint64_t) {
    const std::string amount = number(random.below(50));
    step.statements = {
        {"UPDATE account SET balance = balance - " + amount + " WHERE id = " + number(random.between(1, 10)), {}},
        {"UPDATE account SET balance = balance + " + amount + " WHERE id = " + number(random.between(1, 10)), {}}};
}

void delete_batches(SqlStep& step, Random& random, std::uint64_t) {
    step.block = random.chance(1, 2);
    step.statements = {{"DELETE FROM batch WHERE id % 3 = " + number(random.below(3)), {}}};
    if (step.block) step.statements.push_back({"DELETE FROM loose WHERE id % 2 = 0", {}});
}

void make_table(SqlStep& step, Random& random, std::uint64_t) {
    const std::string name = made(random);
    step.statements = {{"DROP TABLE IF EXISTS " + name + " CASCADE", {}},
                       {"CREATE TABLE " + name + " (a int PRIMARY KEY, b text UNIQUE, c int DEFAULT 5)", {}},
                       {"INSERT INTO " + name + " SELECT g, 'b' || g FROM generate_series(1, 60) g", {}},
                       {"CREATE INDEX ON " + name + " (b DESC, a) WHERE a > 10", {}}};
}

/// Fails where the table or the column is not there: both databases must say so.
void change_table(SqlStep& step, Random& random, std::uint64_t) {
    static constexpr const char* k_actions[] = {
        " ADD COLUMN d int NOT NULL DEFAULT 7", " DROP COLUMN c", " ALTER COLUMN a TYPE bigint",
        " ADD CONSTRAINT positive CHECK (a > 0)", " RENAME COLUMN b TO e", " ALTER COLUMN c SET DEFAULT 9",
        " ADD COLUMN f text GENERATED ALWAYS AS ('x' || a) STORED"};
    step.block = false;
    step.statements = {{"ALTER TABLE " + made(random) + k_actions[random.below(std::size(k_actions))], {}}};
}

void drop_table(SqlStep& step, Random& random, std::uint64_t) {
    step.block = random.chance(1, 2);
    step.statements = {{"DROP TABLE " + made(random) + " CASCADE", {}}};
}

void index_items(SqlStep& step, Random& random, std::uint64_t) {
    step.block = random.chance(1, 2);
    if (step.block) step.statements.push_back({"DROP INDEX IF EXISTS item_more", {}});
    const bool unique = random.chance(1, 3);  // and fails, as soon as there are two batches
    step.statements.push_back({unique ? "CREATE UNIQUE INDEX item_more ON item (place)"
                                      : "CREATE INDEX item_more ON item (place, lower(name)) INCLUDE (amount)",
                               {}});
}

void empty_table(SqlStep& step, Random&, std::uint64_t) {
    step.block = false;
    step.statements = {{"TRUNCATE loose", {}}};
}

void go_back(SqlStep& step, Random& random, std::uint64_t id) {
    step.statements = {{"INSERT INTO loose VALUES (" + number(id * 1000) + ", 'kept')", {}},
                       {"SAVEPOINT p", {}},
                       {"UPDATE loose SET name = name || '" + padding(random) + "'", {}},
                       {"CREATE TABLE gone (a int PRIMARY KEY)", {}},
                       {"ROLLBACK TO p", {}},
                       {"INSERT INTO loose VALUES (" + number(id * 1000) + ", 'again') ON CONFLICT (id) DO UPDATE SET "
                        "name = excluded.name || loose.name",
                        {}}};
}

/// The last statement fails, and with it all of them.
void fail_late(SqlStep& step, Random& random, std::uint64_t id) {
    insert_batch(step, random, id);
    step.statements.push_back({batch_row(id, 1), {}});
}

void define_by_query(SqlStep& step, Random& random, std::uint64_t) {
    const std::string name = made(random);
    step.statements = {{"DROP TABLE IF EXISTS " + name + " CASCADE", {}},
                       {"CREATE TABLE " + name + " AS SELECT id AS a, name AS b FROM item WHERE place < 30", {}},
                       {"ALTER TABLE " + name + " ADD PRIMARY KEY (a)", {}},
                       {"CREATE OR REPLACE VIEW seen AS SELECT a, b FROM " + name + " WHERE a > 5", {}}};
}

void merge_rows(SqlStep& step, Random& random, std::uint64_t id) {
    step.block = false;
    step.statements = {{"MERGE INTO loose USING (SELECT id, name FROM item WHERE place < 40) s ON loose.id = s.id + " +
                            number(random.below(2) * 1000) +
                            " WHEN MATCHED THEN UPDATE SET name = s.name WHEN NOT MATCHED THEN INSERT VALUES (s.id + " +
                            number(id) + " * 10000000, s.name)",
                        {}}};
}

struct Kind {
    const char* name;
    void (*make)(SqlStep& step, Random& random, std::uint64_t id);
    unsigned weight;
};
constexpr Kind k_kinds[] = {{"insert in bulk", insert_batch, 4}, {"COPY in a block", copy_batch, 3},
                            {"COPY alone", copy_alone, 3},       {"update of many rows", update_many, 4},
                            {"two updates", move_amounts, 2},    {"deletion that cascades", delete_batches, 2},
                            {"table made with rows", make_table, 3}, {"ALTER TABLE", change_table, 4},
                            {"DROP TABLE", drop_table, 3},       {"CREATE INDEX", index_items, 2},
                            {"TRUNCATE", empty_table, 2},        {"savepoint", go_back, 2},
                            {SqlWorkload::k_failing, fail_late, 1},  {"table made by a query", define_by_query, 2},
                            {"MERGE", merge_rows, 2}};

}  // namespace

const char* const k_workload_schema =
    "BEGIN;"
    "CREATE TABLE account (id int PRIMARY KEY, balance bigint NOT NULL);"
    "CREATE TABLE batch (id bigint PRIMARY KEY, size int NOT NULL);"
    "CREATE TABLE item (id bigint PRIMARY KEY, batch bigint NOT NULL REFERENCES batch (id) ON DELETE CASCADE, "
    "place int NOT NULL, name text NOT NULL, amount bigint CHECK (amount >= 0), UNIQUE (batch, place));"
    "CREATE INDEX item_name ON item (lower(left(name, 50)));"
    "CREATE INDEX item_amount ON item (amount DESC) WHERE amount > 100;"
    "CREATE TABLE loose (id bigint PRIMARY KEY, name text);"
    "INSERT INTO account SELECT g, 1000 FROM generate_series(1, 10) g;"
    "COMMIT";

std::vector<std::string> SqlWorkload::kinds() {
    std::vector<std::string> names;
    for (const Kind& kind : k_kinds) names.emplace_back(kind.name);
    return names;
}

SqlStep SqlWorkload::next(Random& random) {
    unsigned all = 0;
    for (const Kind& kind : k_kinds) all += kind.weight;
    auto left = static_cast<unsigned>(random.below(all));
    const Kind* chosen = k_kinds;
    for (; left >= chosen->weight; ++chosen) left -= chosen->weight;
    SqlStep step;
    step.kind = chosen->name;
    chosen->make(step, random, ++last_id_);
    return step;
}

}  // namespace northstar::hard
