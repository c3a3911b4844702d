/* capi_cartridge_test.c -- cartridges, search and the queue of tasks by the C interface, compiled as C99. */
#include "capi_support.h"

#define DIMENSIONS 32u

static void put(northstar_txn* tx, const char* tree, const char* key, const void* value, size_t size) {
    OK(northstar_put(tx, tree, strlen(tree), key, strlen(key), value, size));
}

static void put_edge(northstar_txn* tx, const char* from, const char* to) {
    void* key = NULL;
    size_t size = 0;
    OK(northstar_edge_key(from, strlen(from), S("calls"), to, strlen(to), &key, &size));
    OK(northstar_put(tx, S("graph"), key, size, S("")));
    northstar_free(key);
}

/* Documents about wings and heat, their vectors, and a graph a -> b -> c. */
static northstar_db* open_filled(void) {
    static const char* const texts[3][2] = {
        {"one", "{\"body\": \"lift of a wing\", \"seen\": \"2020-01-01\"}"},
        {"two", "{\"body\": \"lift of a wing\", \"seen\": \"2024-01-01\"}"},
        {"three", "{\"body\": \"heat in slabs\", \"seen\": \"2024-01-01\"}"}};
    northstar_db* db = open_memory();
    northstar_txn* tx = NULL;
    northstar_space space;
    float elements[DIMENSIONS];
    void* value = NULL;
    size_t size = 0;
    int i;
    memset(&space, 0, sizeof space);
    space.size = sizeof space;
    space.model = "hashed-words-1";
    space.dimensions = DIMENSIONS;
    space.element = NORTHSTAR_F32;
    space.normalised = 1;
    OK(northstar_begin_write(db, NORTHSTAR_FOREVER, NORTHSTAR_DURABILITY_DEFAULT, &tx));
    for (i = 0; i < 3; ++i) {
        put(tx, "documents", texts[i][0], texts[i][1], strlen(texts[i][1]));
        OK(northstar_hashed_embedding(texts[i][1] + 10, 14, elements, DIMENSIONS));
        OK(northstar_vector_value(&space, elements, &value, &size));
        put(tx, "vectors", texts[i][0], value, size);
        northstar_free(value);
    }
    put_edge(tx, "a", "b");
    put_edge(tx, "b", "c");
    OK(northstar_commit(tx, NULL, NULL));
    return db;
}

static northstar_cartridge* open_cartridge(northstar_db* db, northstar_snapshot* snapshot, const char* name) {
    northstar_cartridge* cartridge = NULL;
    OK(northstar_cartridge_open(db, snapshot, name, strlen(name), NORTHSTAR_OVERLAY, 0, &cartridge));
    return cartridge;
}

static void build_all(northstar_db* db) {
    const northstar_parameter fields = {S("fields"), S("body")};
    const northstar_parameter space[3] = {
        {S("model"), S("hashed-words-1")}, {S("dimensions"), S("32")}, {S("normalised"), S("yes")}};
    uint64_t built_at = 0;
    OK(northstar_cartridge_build(db, S("text"), "text", &fields, 1, 1, &built_at));
    CHECK(built_at == 1);
    OK(northstar_cartridge_build(db, S("vectors"), "vectors", space, 3, 0, NULL));
    OK(northstar_cartridge_build(db, S("graph"), "graph", NULL, 0, 1, NULL));
    OK(northstar_cartridge_build(db, S("closure"), "closure", NULL, 0, 1, NULL));
}

static void test_building_and_dropping(void) {
    northstar_db* db = open_filled();
    northstar_names* names = NULL;
    northstar_report* report = NULL;
    northstar_report_numbers numbers;
    northstar_cartridge_info info;
    size_t count = 0;
    uint64_t built_at = 0, before;
    build_all(db);
    OK(northstar_cartridge_names(db, &names));
    OK(northstar_names_count(names, &count));
    CHECK(count == 4);
    OK(northstar_names_close(names));

    info.size = sizeof info;
    OK(northstar_cartridge_find(db, S("graph"), &info));
    CHECK(info.built_at >= 1 && info.bytes > 0 && strcmp(info.kind, "graph") == 0);
    before = info.built_at;
    CODE(NORTHSTAR_ABSENT, northstar_cartridge_find(db, S("none"), &info));
    info.size = 0;
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_cartridge_find(db, S("graph"), &info));

    /* Nothing that concerns it changed: nothing is built. */
    OK(northstar_cartridge_refresh(db, S("graph"), 1, &built_at));
    CHECK(built_at == before);
    {
        northstar_txn* tx = NULL;
        OK(northstar_begin_write(db, NORTHSTAR_FOREVER, NORTHSTAR_DURABILITY_DEFAULT, &tx));
        put_edge(tx, "c", "d");
        OK(northstar_commit(tx, NULL, NULL));
    }
    OK(northstar_cartridge_refresh(db, S("graph"), 1, &built_at));
    CHECK(built_at > before);

    OK(northstar_cartridge_verify(db, S(""), 1, &report));
    numbers.size = sizeof numbers;
    OK(northstar_report_counts(report, &numbers));
    CHECK(numbers.problems == 0);
    OK(northstar_report_close(report));

    OK(northstar_cartridge_drop(db, S("graph")));
    CODE(NORTHSTAR_ABSENT, northstar_cartridge_drop(db, S("graph")));
    CODE(NORTHSTAR_NOT_FOUND, northstar_cartridge_refresh(db, S("graph"), 1, NULL));
    CODE(NORTHSTAR_UNSUPPORTED, northstar_cartridge_build(db, S("x"), "no kind", NULL, 0, 1, NULL));
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_cartridge_build(db, S("x"), NULL, NULL, 0, 1, NULL));
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_cartridge_build(db, S("x"), "graph", NULL, 1, 1, NULL));
    OK(northstar_close(db));
}

static void test_graphs(void) {
    northstar_db* db = open_filled();
    northstar_snapshot* snapshot = NULL;
    northstar_cartridge* graph = NULL;
    northstar_cartridge* closure = NULL;
    const uint32_t* nodes = NULL;
    const void* name = NULL;
    size_t count = 0, size = 0;
    uint64_t all = 0, edges = 0;
    uint32_t a = 0, c = 0;
    int reaches = -1;
    build_all(db);
    OK(northstar_begin_read(db, &snapshot));
    graph = open_cartridge(db, snapshot, "graph");
    closure = open_cartridge(db, snapshot, "closure");
    OK(northstar_graph_size(graph, &all, &edges));
    CHECK(all == 3 && edges == 2);
    OK(northstar_graph_node(graph, S("a"), &a));
    CODE(NORTHSTAR_ABSENT, northstar_graph_node(graph, S("z"), &c));
    OK(northstar_graph_neighbours(graph, a, NORTHSTAR_OUT, &nodes, &count));
    if (CHECK(count == 1)) {
        OK(northstar_graph_name(graph, nodes[0], &name, &size));
        CHECK(same(name, size, "b"));
    }
    OK(northstar_graph_neighbours(graph, a, NORTHSTAR_IN, &nodes, &count));
    CHECK(count == 0);
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_graph_neighbours(graph, a, 7, &nodes, &count));
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_graph_neighbours(graph, 1000, NORTHSTAR_OUT, &nodes, &count));

    OK(northstar_graph_node(closure, S("a"), &a));
    OK(northstar_graph_node(closure, S("c"), &c));
    OK(northstar_graph_reaches(closure, a, c, &reaches));
    CHECK(reaches == 1);
    OK(northstar_graph_reaches(closure, c, a, &reaches));
    CHECK(reaches == 0);
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_graph_reaches(graph, a, c, &reaches));
    OK(northstar_cartridge_close(graph));
    CODE(NORTHSTAR_MISUSE, northstar_graph_size(graph, &all, &edges));
    OK(northstar_cartridge_close(closure));
    OK(northstar_snapshot_close(snapshot));
    OK(northstar_close(db));
}

/* The keys of hits with blanks between them; closes the hits. */
static const char* keys_of(northstar_hits* hits, northstar_hit* first) {
    static char keys[64];
    size_t count = 0, i;
    keys[0] = '\0';
    OK(northstar_hits_count(hits, &count));
    for (i = 0; i < count; ++i) {
        northstar_hit hit;
        hit.size = sizeof hit;
        OK(northstar_hits_get(hits, i, &hit));
        if (strlen(keys) + hit.key_size + 2 > sizeof keys) break;
        if (i != 0) strcat(keys, " ");
        strncat(keys, (const char*)hit.key, hit.key_size);
        if (i == 0 && first != NULL) {
            *first = hit;
            first->key = NULL;
        }
    }
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_hits_get(hits, count, first));
    OK(northstar_hits_close(hits));
    return keys;
}

static void test_searching(void) {
    northstar_db* db = open_filled();
    northstar_snapshot* snapshot = NULL;
    northstar_cartridge* text = NULL;
    northstar_cartridge* vectors = NULL;
    northstar_hits* hits = NULL;
    northstar_hybrid_options options;
    northstar_hit first;
    float elements[DIMENSIONS];
    build_all(db);
    OK(northstar_begin_read(db, &snapshot));
    text = open_cartridge(db, snapshot, "text");
    vectors = open_cartridge(db, snapshot, "vectors");
    first.size = sizeof first;

    OK(northstar_text_search(text, S("+lift -heat"), 0, 10, &hits));
    CHECK(strcmp(keys_of(hits, &first), "one two") == 0);
    CHECK(first.score > 0 && first.recency == 1);
    OK(northstar_text_search(text, S("(heat"), 1, 10, &hits));
    CHECK(strcmp(keys_of(hits, &first), "three") == 0);
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_text_search(text, S("(heat"), 0, 10, &hits));
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_text_search(vectors, S("heat"), 0, 10, &hits));

    OK(northstar_hashed_embedding(S("slabs of heat"), elements, DIMENSIONS));
    OK(northstar_vector_search(vectors, elements, 1, 0.98, NULL, 0, &hits));
    CHECK(strcmp(keys_of(hits, &first), "three") == 0);
    CHECK(first.distance < 1);
    OK(northstar_vector_search(vectors, elements, 9, 1, S("t"), &hits));
    CHECK(strcmp(keys_of(hits, NULL), "three two") == 0);
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_vector_search(vectors, elements, 0, 1, NULL, 0, &hits));
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_vector_search(vectors, NULL, 1, 1, NULL, 0, &hits));
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_vector_search(text, elements, 1, 1, NULL, 0, &hits));

    OK(northstar_hybrid_search(snapshot, text, vectors, S("wing lift"), NULL, NULL, &hits));
    CHECK(strcmp(keys_of(hits, &first), "one two three") == 0);
    CHECK(first.text_rank == 1 && first.vector_rank == 1 && first.score == first.text_part + first.vector_part);
    OK(northstar_hybrid_search(snapshot, text, vectors, S("wing lift"), elements, NULL, &hits));
    CHECK(strncmp(keys_of(hits, NULL), "one", 3) == 0);
    OK(northstar_hybrid_options_init(&options, sizeof options));
    CHECK(options.most == 10 && options.recall > 0.9 && options.text_weight == -1);
    options.recency = NORTHSTAR_RECENCY_FIELD;
    options.field = "seen";
    options.field_size = 4;
    options.half_life_us = (uint64_t)3650 * 24 * 60 * 60 * 1000000;
    options.most = 2;
    OK(northstar_hybrid_search(snapshot, text, vectors, S("wing lift"), NULL, &options, &hits));
    CHECK(strcmp(keys_of(hits, &first), "two one") == 0);
    CHECK(first.recency > 0 && first.recency < 1);
    options.prefix = "th";
    options.prefix_size = 2;
    OK(northstar_hybrid_search(snapshot, text, vectors, S("wing lift"), NULL, &options, &hits));
    CHECK(strcmp(keys_of(hits, NULL), "three") == 0);
    options.recency = 9;
    CODE(NORTHSTAR_INVALID_ARGUMENT,
         northstar_hybrid_search(snapshot, text, vectors, S("wing"), NULL, &options, &hits));
    options.size = 1;
    CODE(NORTHSTAR_INVALID_ARGUMENT,
         northstar_hybrid_search(snapshot, text, vectors, S("wing"), NULL, &options, &hits));
    CODE(NORTHSTAR_INVALID_ARGUMENT,
         northstar_hybrid_search(snapshot, text, text, S("wing"), NULL, NULL, &hits));
    CODE(NORTHSTAR_MISUSE, northstar_hybrid_search(NULL, text, vectors, S("wing"), NULL, NULL, &hits));
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_hashed_embedding(S("wing"), elements, 1));
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_hashed_embedding(S("wing"), NULL, DIMENSIONS));

    /* A cartridge outlives its snapshot, but not the database. */
    OK(northstar_snapshot_close(snapshot));
    OK(northstar_text_search(text, S("heat"), 0, 10, &hits));
    OK(northstar_hits_close(hits));
    OK(northstar_close(db));
    CODE(NORTHSTAR_SNAPSHOT_CLOSED, northstar_text_search(text, S("heat"), 0, 10, &hits));
    OK(northstar_cartridge_close(text));
    OK(northstar_cartridge_close(vectors));
}

static void test_cartridges_of_the_past(void) {
    northstar_db* db = open_filled();
    northstar_db* other = open_memory();
    northstar_snapshot* past = NULL;
    northstar_snapshot* foreign = NULL;
    northstar_cartridge* text = NULL;
    northstar_hits* hits = NULL;
    northstar_txn* tx = NULL;
    build_all(db);
    OK(northstar_begin_write(db, NORTHSTAR_FOREVER, NORTHSTAR_DURABILITY_DEFAULT, &tx));
    put(tx, "documents", "four", S("{\"body\": \"more heat\"}"));
    OK(northstar_commit(tx, NULL, NULL));
    OK(northstar_begin_read_as_of_txn(db, 1, &past));
    text = open_cartridge(db, past, "text");
    OK(northstar_text_search(text, S("heat"), 0, 10, &hits));
    CHECK(strcmp(keys_of(hits, NULL), "three") == 0);
    OK(northstar_cartridge_close(text));
    OK(northstar_snapshot_close(past));

    OK(northstar_begin_read(db, &past));
    text = open_cartridge(db, past, "text");
    OK(northstar_text_search(text, S("heat"), 0, 10, &hits));
    CHECK(strcmp(keys_of(hits, NULL), "four three") == 0);
    OK(northstar_cartridge_close(text));
    text = NULL;
    CODE(NORTHSTAR_STALE, northstar_cartridge_open(db, past, S("text"), NORTHSTAR_EXACT, 0, &text));
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_cartridge_open(db, past, S("text"), 9, 0, &text));
    CODE(NORTHSTAR_NOT_FOUND, northstar_cartridge_open(db, past, S("none"), NORTHSTAR_OVERLAY, 0, &text));
    OK(northstar_begin_read(other, &foreign));
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_cartridge_open(db, foreign, S("text"), NORTHSTAR_OVERLAY, 0, &text));
    CHECK(text == NULL);
    OK(northstar_cartridge_open(db, past, S("text"), NORTHSTAR_STALE_OK, 100, &text));
    OK(northstar_text_search(text, S("heat"), 0, 10, &hits));
    CHECK(strcmp(keys_of(hits, NULL), "three") == 0);
    OK(northstar_cartridge_close(text));
    OK(northstar_snapshot_close(past));
    OK(northstar_snapshot_close(foreign));
    OK(northstar_close(other));
    OK(northstar_close(db));
}

static uint64_t enqueue(northstar_queue* queue, const char* payload, uint32_t priority) {
    northstar_task task;
    uint64_t id = 0;
    int created = -1;
    OK(northstar_task_init(&task, sizeof task));
    CHECK(task.max_attempts == 5 && task.backoff_us == 1000000);
    task.type = "mail";
    task.type_size = 4;
    task.payload = payload;
    task.payload_size = strlen(payload);
    task.priority = priority;
    OK(northstar_enqueue(queue, &task, &id, &created));
    CHECK(created == 1);
    return id;
}

static void test_tasks(void) {
    northstar_db* db = open_memory();
    northstar_queue* queue = NULL;
    northstar_claims* claims = NULL;
    northstar_claims* again = NULL;
    northstar_claim claim;
    northstar_task task;
    char* token = NULL;
    size_t count = 0;
    uint64_t low, high, id = 0, until = 0;
    int became = 0, created = 1;
    const uint64_t minute = 60 * 1000000;
    OK(northstar_queue_open(db, NORTHSTAR_DURABILITY_LAZY, &queue));
    CODE(NORTHSTAR_ABSENT, northstar_claim_tasks(queue, S("mail"), 1, minute, S("w"), 0, &claims));
    low = enqueue(queue, "low", 0);
    high = enqueue(queue, "high", 9);
    OK(northstar_claim_tasks(queue, S("mail"), 5, minute, S("w"), 0, &claims));
    OK(northstar_claims_count(claims, &count));
    CHECK(count == 2);
    claim.size = sizeof claim;
    OK(northstar_claims_get(claims, 0, &claim));
    CHECK(claim.id == high && claim.priority == 9 && claim.attempt == 1 && claim.txn > 0);
    CHECK(same(claim.payload, claim.payload_size, "high") && same(claim.type, claim.type_size, "mail"));
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_claims_get(claims, 2, &claim));

    OK(northstar_heartbeat(queue, claims, 0, 10 * minute, &until));
    CHECK(until > claim.lease_until_us);
    OK(northstar_complete(queue, claims, 0));
    CODE(NORTHSTAR_ABSENT, northstar_complete(queue, claims, 0));
    CODE(NORTHSTAR_ABSENT, northstar_heartbeat(queue, claims, 0, minute, NULL));

    /* A token is as good as the claim, until the task was given to somebody else. */
    OK(northstar_claims_token(claims, 1, &token));
    OK(northstar_heartbeat_token(queue, token, minute, &until));
    OK(northstar_fail_token(queue, token, S("no network"), 0, 0, &became));
    CHECK(became == NORTHSTAR_TASK_RETRIED);
    OK(northstar_claim_tasks(queue, NULL, 0, 1, minute, NULL, 0, 0, &again));
    CODE(NORTHSTAR_ABSENT, northstar_complete_token(queue, token));
    CODE(NORTHSTAR_ABSENT, northstar_fail(queue, claims, 1, NULL, 0, NORTHSTAR_BACKOFF, 0, NULL));
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_complete_token(queue, "no token"));
    northstar_free(token);
    OK(northstar_fail(queue, again, 0, S("broken"), NORTHSTAR_BACKOFF, 1, &became));
    CHECK(became == NORTHSTAR_TASK_DEAD);
    OK(northstar_requeue(queue, low));
    CODE(NORTHSTAR_ABSENT, northstar_requeue(queue, low));
    OK(northstar_claims_close(again));
    OK(northstar_claim_tasks(queue, S("mail"), 1, minute, S("w"), 0, &again));
    OK(northstar_fail(queue, again, 0, NULL, 0, NORTHSTAR_BACKOFF, 1, NULL));
    OK(northstar_drop_task(queue, low));
    CODE(NORTHSTAR_ABSENT, northstar_drop_task(queue, low));

    OK(northstar_task_init(&task, sizeof task));
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_enqueue(queue, &task, &id, NULL)); /* no type */
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_enqueue(queue, NULL, &id, NULL));
    task.type = "mail";
    task.type_size = 4;
    task.dedup_key = "once";
    task.dedup_key_size = 4;
    OK(northstar_enqueue(queue, &task, &id, NULL));
    OK(northstar_enqueue(queue, &task, &low, &created));
    CHECK(created == 0 && low == id);
    task.priority = 256;
    CODE(NORTHSTAR_INVALID_ARGUMENT, northstar_enqueue(queue, &task, &id, NULL));
    OK(northstar_claims_close(again));
    OK(northstar_claims_close(claims));
    OK(northstar_queue_close(queue));
    CODE(NORTHSTAR_MISUSE, northstar_enqueue(queue, &task, &id, NULL));
    OK(northstar_close(db));
}

int main(void) {
    test_building_and_dropping();
    test_graphs();
    test_searching();
    test_cartridges_of_the_past();
    test_tasks();
    printf("%d passed, %d failed\n", passed, failed);
    return failed == 0 ? 0 : 1;
}
