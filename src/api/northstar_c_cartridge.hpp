// northstar_c_cartridge.hpp -- the C interface of cartridges, of search, and of the queue of tasks. What
// northstar_c.hpp says of results, bytes, handles and lifetimes holds here too.
//
// Lifetimes
//   * Neighbours and names of nodes live until their cartridge is closed; keys of hits, texts of claims until the
//     handle that they come from is closed. None of them outlives its database handle.
//   * A cartridge outlives the snapshot that it was opened for, but not the database.
//
// Threads
//   northstar_cartridge and northstar_queue may be used by any number of threads; northstar_hits and northstar_claims
//   never change (what northstar_complete and its like do is done to the queue).
#pragma once

#include "api/northstar_c.hpp"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct northstar_cartridge northstar_cartridge;
typedef struct northstar_hits northstar_hits;
typedef struct northstar_queue northstar_queue;
typedef struct northstar_claims northstar_claims;

/* ---- cartridges: artifacts built from a state ---- */

/* What a kind is told beside the data. */
typedef struct northstar_parameter {
    const void* name;
    size_t name_size;
    const void* value;
    size_t value_size;
} northstar_parameter;

/* What answers may be combined from: the artifact and what changed since; the artifact alone, NORTHSTAR_STALE where
   something changed; the artifact alone where it is at most `lag` commits away. */
enum { NORTHSTAR_OVERLAY = 0, NORTHSTAR_EXACT = 1, NORTHSTAR_STALE_OK = 2 };

/* Set size to sizeof(northstar_cartridge_info) before the call. */
typedef struct northstar_cartridge_info {
    size_t size;
    uint64_t built_at; /* the txn whose state it holds */
    uint64_t bytes;
    uint32_t kind_version;
    char kind[32];
    unsigned char digest[32]; /* equal for equal content */
} northstar_cartridge_info;

/* Builds and installs, by a commit of its own; a cartridge of that name is replaced. kind: "graph", "closure",
   "vectors", "text", or one that the application registered in C++. threads 0: as many as the processor has. built_at
   may be NULL. */
int northstar_cartridge_build(northstar_db* db, const void* name, size_t name_size, const char* kind,
                              const northstar_parameter* parameters, size_t count, unsigned threads,
                              uint64_t* built_at);
/* Builds it again with its own kind and parameters, where something that concerns it changed. */
int northstar_cartridge_refresh(northstar_db* db, const void* name, size_t name_size, unsigned threads,
                                uint64_t* built_at);
/* NORTHSTAR_ABSENT: there is none of that name. */
int northstar_cartridge_drop(northstar_db* db, const void* name, size_t name_size);
int northstar_cartridge_find(northstar_db* db, const void* name, size_t name_size, northstar_cartridge_info* info);
int northstar_cartridge_names(northstar_db* db, northstar_names** names);
/* Every byte of one cartridge, or of all (no name); rebuild 1: also builds it again and compares. The report counts
   problems only. */
int northstar_cartridge_verify(northstar_db* db, const void* name, size_t name_size, int rebuild,
                               northstar_report** report);
/* For the state of a snapshot of this database, of the present or the past. lag is of NORTHSTAR_STALE_OK. */
int northstar_cartridge_open(northstar_db* db, northstar_snapshot* snapshot, const void* name, size_t name_size,
                             int freshness, uint64_t lag, northstar_cartridge** cartridge);
int northstar_cartridge_close(northstar_cartridge* cartridge);

/* ---- kinds graph and closure ---- */

enum { NORTHSTAR_OUT = 0, NORTHSTAR_IN = 1 };

/* Key of an edge in the tree of a graph; give it to northstar_free. */
int northstar_edge_key(const void* from, size_t from_size, const void* type, size_t type_size, const void* to,
                       size_t to_size, void** key, size_t* key_size);
/* Nodes and edges; either may be NULL. */
int northstar_graph_size(northstar_cartridge* graph, uint64_t* nodes, uint64_t* edges);
/* The number of a node in this cartridge; NORTHSTAR_ABSENT: there is none of that name. */
int northstar_graph_node(northstar_cartridge* graph, const void* name, size_t name_size, uint32_t* node);
int northstar_graph_name(northstar_cartridge* graph, uint32_t node, const void** name, size_t* name_size);
/* Neighbours, by type of edge and then by number; one that several types lead to comes once for each. */
int northstar_graph_neighbours(northstar_cartridge* graph, uint32_t node, int direction, const uint32_t** nodes,
                               size_t* count);
/* Of a closure: 1 where there is a path (a node reaches itself), else 0. */
int northstar_graph_reaches(northstar_cartridge* closure, uint32_t from, uint32_t to, int* reaches);

/* ---- kinds text and vectors ---- */

enum { NORTHSTAR_F32 = 0, NORTHSTAR_I8 = 1, NORTHSTAR_U8 = 2 };

/* What makes vectors comparable. Set size to sizeof(northstar_space) before the call. */
typedef struct northstar_space {
    size_t size;
    const char* model; /* name of what made them */
    uint32_t dimensions;
    int32_t element;    /* NORTHSTAR_F32, ... */
    int32_t normalised; /* 1: every vector has length 1 (f32 only) */
} northstar_space;

/* What to put into the tree of a cartridge of vectors, of `dimensions` elements; give it to northstar_free. */
int northstar_vector_value(const northstar_space* space, const void* elements, void** value, size_t* value_size);
/* The vector of a text, without a model, into so many floats; its space is "hashed-words-1", f32, normalised. */
int northstar_hashed_embedding(const void* text, size_t text_size, float* elements, uint32_t dimensions);

/* A document or vector that was found. Set size to sizeof(northstar_hit) before the call. What a search does not know
   is 0; recency is 1 then. */
typedef struct northstar_hit {
    size_t size;
    const void* key;
    size_t key_size;
    double score;         /* of words, or of both legs; larger is better */
    double distance;      /* of vectors */
    uint32_t text_rank;   /* of a hybrid search: the rank in each leg, from 1 (0: the leg does not have it), ... */
    uint32_t vector_rank;
    double text_part;     /* ... what each adds to the score, ... */
    double vector_part;
    double recency;       /* ... and what their sum is multiplied by */
} northstar_hit;

/* The best documents, best first. plain 1: no character of the question means anything; 0: words, "phrases", prefixes
   (nav*), FIELD:WORD, +WORD, -WORD, AND, OR, NOT and parentheses. */
int northstar_text_search(northstar_cartridge* text, const void* question, size_t question_size, int plain,
                          size_t most, northstar_hits** hits);
/* The nearest vectors, nearest first, whose keys begin with a prefix (may be none). elements: as many as the space of
   the cartridge has, of its type. recall: the share of the nearest to be found, on average; 1: all. */
int northstar_vector_search(northstar_cartridge* vectors, const void* elements, uint32_t most, double recall,
                            const void* prefix, size_t prefix_size, northstar_hits** hits);

enum { NORTHSTAR_RECENCY_NONE = 0, NORTHSTAR_RECENCY_COMMIT = 1, NORTHSTAR_RECENCY_FIELD = 2 };

/* Fill it with northstar_hybrid_options_init(&options, sizeof options), then change what should differ. */
typedef struct northstar_hybrid_options {
    size_t size;
    size_t most;            /* 10 */
    size_t depth;           /* answers of each leg; 0: four times `most`, at least 100 */
    int32_t text_weight;    /* -1: 1 each, but of the text 6 where the vectors are hashed embeddings */
    int32_t vector_weight;  /* -1 */
    uint32_t k;             /* of the fusion; 0: 60, but 30 where the vectors are hashed embeddings */
    int32_t plain;          /* 0; 1: no character of the question means anything */
    double recall;          /* 0.98, of the leg of vectors */
    const void* prefix;     /* of keys that may be found; none */
    size_t prefix_size;
    int32_t recency;        /* NORTHSTAR_RECENCY_NONE; COMMIT: age by commit time; FIELD: by a member of JSON objects */
    int32_t has_now;        /* 0: ages are told from the commit time of the snapshot; 1: from now_us */
    uint64_t half_life_us;  /* the age at which a score counts half */
    uint64_t now_us;
    const void* field;      /* of NORTHSTAR_RECENCY_FIELD: name of the member */
    size_t field_size;
} northstar_hybrid_options;

int northstar_hybrid_options_init(northstar_hybrid_options* options, size_t size);
/* By words and vectors at once: ranks of both fused. The cartridges were opened for this snapshot. elements NULL: the
   hashed embedding of the question. options NULL: defaults. */
int northstar_hybrid_search(northstar_snapshot* snapshot, northstar_cartridge* text, northstar_cartridge* vectors,
                            const void* question, size_t question_size, const void* elements,
                            const northstar_hybrid_options* options, northstar_hits** hits);
int northstar_hits_count(northstar_hits* hits, size_t* count);
int northstar_hits_get(northstar_hits* hits, size_t index, northstar_hit* hit);
int northstar_hits_close(northstar_hits* hits);

/* ---- a queue of tasks: any number of workers in threads and processes ---- */

/* Fill it with northstar_task_init(&task, sizeof task), then give it a type and what else should differ. */
typedef struct northstar_task {
    size_t size;
    const void* type; /* what kind of work: 1 to 64 bytes */
    size_t type_size;
    const void* payload;
    size_t payload_size;
    const void* dedup_key; /* one unfinished task for each type and key; none */
    size_t dedup_key_size;
    uint32_t priority;     /* 0 to 255; larger comes first */
    uint32_t max_attempts; /* 5: claims until it is a dead letter */
    uint64_t run_at_us;    /* not before; 0: at once */
    uint64_t backoff_us;   /* 1 s: pause after the first failure, doubled by each further one */
    uint64_t longest_backoff_us; /* 1 h */
} northstar_task;

/* A task in somebody's hands. Set size to sizeof(northstar_claim) before the call. */
typedef struct northstar_claim {
    size_t size;
    uint64_t id;
    const void* type;
    size_t type_size;
    const void* payload;
    size_t payload_size;
    uint32_t priority;
    uint32_t attempt; /* this one: 1 for the first */
    uint32_t max_attempts;
    uint64_t lease_until_us; /* as claimed */
    uint64_t txn;            /* of the commit that claimed */
} northstar_claim;

/* What became of a task that was not done. */
enum { NORTHSTAR_TASK_RETRIED = 1, NORTHSTAR_TASK_DEAD = 2 };
/* Pause of northstar_fail: the task's own. */
#define NORTHSTAR_BACKOFF 0xffffffffffffffffu

int northstar_task_init(northstar_task* task, size_t size);
/* durability (NORTHSTAR_DURABILITY_...) of every change. One queue for each database of a process is best. It is to be
   closed before its database while no thread is inside. */
int northstar_queue_open(northstar_db* db, int durability, northstar_queue** queue);
int northstar_queue_close(northstar_queue* queue);
/* created (may be NULL) 0: an unfinished task has this dedup key already, and id is that task's. */
int northstar_enqueue(northstar_queue* queue, const northstar_task* task, uint64_t* id, int* created);
/* Up to `count` tasks of a type (of any: type_size 0), for so long as the lease lasts; waits up to wait_ms for the
   first. NORTHSTAR_ABSENT: none was ready. worker: who, kept with the lease. */
int northstar_claim_tasks(northstar_queue* queue, const void* type, size_t type_size, uint32_t count,
                          uint64_t lease_us, const void* worker, size_t worker_size, uint32_t wait_ms,
                          northstar_claims** claims);
int northstar_claims_count(northstar_claims* claims, size_t* count);
int northstar_claims_get(northstar_claims* claims, size_t index, northstar_claim* claim);
/* Proof of a claim, as text with a zero byte behind it, for a worker elsewhere; give it to northstar_free. */
int northstar_claims_token(northstar_claims* claims, size_t index, char** token);
int northstar_claims_close(northstar_claims* claims);
/* These return NORTHSTAR_ABSENT where the lease was lost: nothing was changed. until (may be NULL): the end of the
   lease. */
int northstar_heartbeat(northstar_queue* queue, northstar_claims* claims, size_t index, uint64_t lease_us,
                        uint64_t* until_us);
int northstar_complete(northstar_queue* queue, northstar_claims* claims, size_t index);
/* The task was not done: retry_after_us is its pause (NORTHSTAR_BACKOFF: its own), final 1: it is dead at once.
   became (may be NULL): NORTHSTAR_TASK_... */
int northstar_fail(northstar_queue* queue, northstar_claims* claims, size_t index, const void* reason,
                   size_t reason_size, uint64_t retry_after_us, int final, int* became);
/* The same by a token. */
int northstar_heartbeat_token(northstar_queue* queue, const char* token, uint64_t lease_us, uint64_t* until_us);
int northstar_complete_token(northstar_queue* queue, const char* token);
int northstar_fail_token(northstar_queue* queue, const char* token, const void* reason, size_t reason_size,
                         uint64_t retry_after_us, int final, int* became);
/* A dead letter becomes ready again; is forgotten. NORTHSTAR_ABSENT: there is no such one. */
int northstar_requeue(northstar_queue* queue, uint64_t id);
int northstar_drop_task(northstar_queue* queue, uint64_t id);

#ifdef __cplusplus
} /* extern "C" */
#endif
