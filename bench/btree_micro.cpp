// btree_micro.cpp -- the tree alone against LMDB, interleaved in one process. For development: built by hand
// from src/{base,os/blocks,format/node*,pager/frames,btree} with -Isrc -llmdb, no part of northstar-bench.
//
//   btree_micro [entries] [page size] [key kind: hex | int | user | url] [file]
//
// Each measure runs in short blocks, ours and LMDB's in turn; printed are the medians per operation and LMDB / ours.
// "file" reads our tree from an image of the file instead of memory pages.
#include "base/random.hpp"
#include "btree/cursor.hpp"
#include "btree/tree.hpp"
#include "btree/tree_check.hpp"

#include <lmdb.h>
#include <sys/mman.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

namespace {

using namespace northstar::detail;

double now_ns() {
    timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
}

/// Serves memory pages, or an image where every page counts as verified.
class Source : public PageSource {
public:
    explicit Source(std::size_t page_size) { page_size_ = page_size; }
    Ref place(Ref ref, bool leaves) {
        // Leaves in key order, as a checkpoint lays them out.
        std::vector<std::byte> page(ref.address(), ref.address() + page_size_);
        if (!Node(page.data()).leaf()) {
            for_each_ref(page.data(), page_size_, false,
                         [&](Ref& child, bool) { child = place(child, leaves); });
        }
        std::memcpy(image_ + used_ * page_size_, page.data(), page_size_);
        return Ref::file(used_++, 0);
    }
    Ref make_image(Ref root, std::size_t pages) {
        const std::size_t size = (pages + 2) * page_size_;
        image_ = static_cast<std::byte*>(
            mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        madvise(image_, size, MADV_NOHUGEPAGE);
        const Ref placed = place(root, true);
        base_ = image_;
        bits_ = std::vector<std::atomic<std::uint64_t>>(used_ / 64 + 1);
        for (auto& word : bits_) word = ~std::uint64_t{0};
        verified_ = bits_.data();
        verified_pages_ = used_;
        return placed;
    }

protected:
    const std::byte* verify_page(Ref) const override { std::abort(); }
    const std::byte* verify_run(Ref, std::uint64_t) const override { std::abort(); }

private:
    std::byte* image_ = nullptr;
    std::uint64_t used_ = 1;
    std::vector<std::atomic<std::uint64_t>> bits_;
};

void check(int code) {
    if (code == MDB_SUCCESS) return;
    std::fprintf(stderr, "lmdb: %s\n", mdb_strerror(code));
    std::exit(1);
}
MDB_val val(std::string_view text) { return {text.size(), const_cast<char*>(text.data())}; }

double median(std::vector<double> times) {
    std::sort(times.begin(), times.end());
    return times[times.size() / 3];
}

/// Runs both in turn, each `rounds` times over `count` operations.
template <class Ours, class Theirs>
void measure(const char* name, unsigned rounds, std::size_t count, Ours&& ours, Theirs&& theirs) {
    std::vector<double> a;
    std::vector<double> b;
    for (unsigned i = 0; i < rounds; ++i) {
        double t = now_ns();
        theirs(i);
        b.push_back((now_ns() - t) / static_cast<double>(count));
        t = now_ns();
        ours(i);
        a.push_back((now_ns() - t) / static_cast<double>(count));
    }
    std::printf("%-26s ours %8.1f ns   lmdb %8.1f ns   ratio %5.2f\n", name, median(a), median(b),
                median(b) / median(a));
    std::fflush(stdout);
}

std::string make_key(const std::string& kind, std::uint64_t i, Random& random) {
    char text[100];
    if (kind == "int") {
        std::uint64_t big = __builtin_bswap64(i * 7);
        return {reinterpret_cast<const char*>(&big), 8};
    }
    if (kind == "user") {
        std::snprintf(text, sizeof text, "user:%012llu", static_cast<unsigned long long>(i * 7));
    } else if (kind == "url") {
        std::snprintf(text, sizeof text, "https://www.%s.example.org/articles/%llu/%06llx.html",
                      i % 3 == 0   ? "news"
                      : i % 3 == 1 ? "shop"
                                   : "documentation",
                      static_cast<unsigned long long>(i % 400),
                      static_cast<unsigned long long>(random.next() >> 24));
    } else {
        std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(random.next()));
    }
    return text;
}

std::uint64_t sink = 0;

}  // namespace

int main(int argc, char** argv) {
    const std::size_t entries = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1000000;
    const std::size_t page_size = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 4096;
    const std::string kind = argc > 3 ? argv[3] : "hex";
    const bool in_file = argc > 4 && std::string(argv[4]) == "file";
    const std::size_t per_txn = 1000;
    Random random(42);
    std::vector<std::string> keys;
    keys.reserve(entries);
    for (std::size_t i = 0; i < entries; ++i) keys.push_back(make_key(kind, i, random));
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    const std::size_t n = keys.size();
    for (std::size_t i = n; i > 1; --i) std::swap(keys[i - 1], keys[random.below(i)]);
    const std::string value(100, 'v');

    const std::string path = "/dev/shm/btree_micro_lmdb";
    std::filesystem::remove_all(path);
    std::filesystem::create_directory(path);
    MDB_env* env = nullptr;
    check(mdb_env_create(&env));
    check(mdb_env_set_mapsize(env, std::size_t{4} << 30));
    check(mdb_env_open(env, path.c_str(), MDB_NOSYNC | MDB_NOMETASYNC, 0600));
    MDB_txn* txn = nullptr;
    MDB_dbi dbi = 0;
    check(mdb_txn_begin(env, nullptr, 0, &txn));
    check(mdb_dbi_open(txn, nullptr, 0, &dbi));
    check(mdb_txn_commit(txn));

    Source source(page_size);
    FrameArena arena(page_size);
    PageWriter writer(arena, source);
    TreeRoot tree;
    std::uint64_t number = 0;
    const auto commit = [&] {
        // What the store does: nobody holds older roots, so dropped frames are free at once.
        writer.settle();
        for (const auto& dropped : writer.dropped()) {
            Frame* frame = Frame::of(dropped.ref);
            arena.give(frame, frame, 1);
        }
        for (Frame* frame : writer.frames()) {
            if (frame != nullptr) frame->birth = number;
        }
        writer.forget();
    };
    const auto ours_txn = [&](auto&& change) {
        writer.set_txn(++number);
        change();
        commit();
    };

    const std::size_t batch = n / 20;
    measure("insert random, 1000/txn", 20, batch,
            [&](unsigned round) {
                for (std::size_t i = 0; i < batch; i += per_txn) {
                    ours_txn([&] {
                        for (std::size_t k = i; k < std::min(i + per_txn, batch); ++k) {
                            tree_put(writer, tree, keys[round * batch + k], value);
                        }
                    });
                }
            },
            [&](unsigned round) {
                for (std::size_t i = 0; i < batch; i += per_txn) {
                    check(mdb_txn_begin(env, nullptr, 0, &txn));
                    for (std::size_t k = i; k < std::min(i + per_txn, batch); ++k) {
                        MDB_val key = val(keys[round * batch + k]);
                        MDB_val data = val(value);
                        check(mdb_put(txn, dbi, &key, &data, 0));
                    }
                    check(mdb_txn_commit(txn));
                }
            });
    const std::size_t present = 20 * batch;
    {
        const TreeStatistics seen =
            check_tree(source, tree, [](const TreeProblem& p) { std::puts(p.what.c_str()); });
        std::size_t payload = 0;
        for (std::size_t i = 0; i < present; ++i) payload += keys[i].size() + value.size();
        MDB_stat stat;
        check(mdb_txn_begin(env, nullptr, MDB_RDONLY, &txn));
        check(mdb_stat(txn, dbi, &stat));
        mdb_txn_abort(txn);
        const double pages = static_cast<double>(seen.leaves + seen.inner_pages);
        std::printf(
            "random load: depth %u, %llu leaves, %llu inner, leaf fill %.1f%%, %.1f bytes overhead per entry"
            " (used %.1f); lmdb depth %u, %.1f\n",
            seen.depth, static_cast<unsigned long long>(seen.leaves),
            static_cast<unsigned long long>(seen.inner_pages),
            100.0 * static_cast<double>(seen.used_bytes) / static_cast<double>(seen.leaves * page_size),
            (pages * static_cast<double>(page_size) - static_cast<double>(payload)) /
                static_cast<double>(present),
            (static_cast<double>(seen.used_bytes) - static_cast<double>(payload)) /
                static_cast<double>(present),
            stat.ms_depth,
            (static_cast<double>(stat.ms_leaf_pages + stat.ms_branch_pages) * 4096 -
             static_cast<double>(payload)) /
                static_cast<double>(present));
        const auto time_validation = [&](const char* name, const std::byte* page) {
            const double t = now_ns();
            for (int i = 0; i < 2000; ++i) sink += validate_node(page, page_size, false) != nullptr ? 1 : 0;
            std::printf("validate_node, %s of %u: %.0f ns\n", name, Node(page).count(),
                        (now_ns() - t) / 2000);
        };
        const Node root(source.page(tree.root));
        time_validation("inner", source.page(root.child(0)));
        TreeCursor cursor(source, tree.root);
        cursor.first();
        time_validation("leaf", source.page(cursor.page_ref(cursor.depth())));
        if (in_file) tree.root = source.make_image(tree.root, seen.leaves + seen.inner_pages);
    }
    check(mdb_txn_begin(env, nullptr, MDB_RDONLY, &txn));
    const std::size_t gets = 20000;
    std::vector<std::string> probes(gets * 40);
    for (auto& probe : probes) probe = keys[random.below(present)];
    measure("get hit", 40, gets,
            [&](unsigned round) {
                for (std::size_t i = 0; i < gets; ++i) {
                    const auto found = tree_get(source, tree.root, probes[round * gets + i]);
                    sink += static_cast<unsigned char>(found->value[0]);
                }
            },
            [&](unsigned round) {
                for (std::size_t i = 0; i < gets; ++i) {
                    MDB_val key = val(probes[(39 - round) * gets + i]);
                    MDB_val data;
                    check(mdb_get(txn, dbi, &key, &data));
                    sink += *static_cast<unsigned char*>(data.mv_data);
                }
            });
    for (auto& probe : probes) probe.back() = static_cast<char>(probe.back() ^ 0x40);
    measure(
        "get miss", 40, gets,
        [&](unsigned round) {
            for (std::size_t i = 0; i < gets; ++i)
                sink += tree_get(source, tree.root, probes[round * gets + i]) ? 1 : 0;
        },
        [&](unsigned round) {
            for (std::size_t i = 0; i < gets; ++i) {
                MDB_val key = val(probes[(39 - round) * gets + i]);
                MDB_val data;
                sink += mdb_get(txn, dbi, &key, &data) == 0 ? 1 : 0;
            }
        });
    for (auto& probe : probes) probe.back() = static_cast<char>(probe.back() ^ 0x40);
    measure("multi_get of 32, per key", 40, gets,
            [&](unsigned round) {
                std::string_view group[32];
                std::optional<TreeValue> out[32];
                for (std::size_t i = 0; i < gets; i += 32) {
                    for (std::size_t k = 0; k < 32; ++k) group[k] = probes[round * gets + i + k];
                    tree_multi_get(source, tree.root, group, out);
                    for (const auto& found : out) sink += static_cast<unsigned char>(found->value[0]);
                }
            },
            [&](unsigned round) {
                for (std::size_t i = 0; i < gets; ++i) {
                    MDB_val key = val(probes[(39 - round) * gets + i]);
                    MDB_val data;
                    check(mdb_get(txn, dbi, &key, &data));
                    sink += *static_cast<unsigned char*>(data.mv_data);
                }
            });
    const std::size_t seeks = 5000;
    measure("seek + 10 entries", 20, seeks,
            [&](unsigned round) {
                TreeCursor cursor(source, tree.root);
                for (std::size_t i = 0; i < seeks; ++i) {
                    bool on = cursor.lower_bound(probes[round * gets + i]);
                    for (int k = 0; k < 10 && on; ++k, on = cursor.next())
                        sink += cursor.key().size() + cursor.value().size();
                }
            },
            [&](unsigned round) {
                MDB_cursor* cursor = nullptr;
                check(mdb_cursor_open(txn, dbi, &cursor));
                for (std::size_t i = 0; i < seeks; ++i) {
                    MDB_val key = val(probes[(39 - round) * gets + i]);
                    MDB_val data;
                    int code = mdb_cursor_get(cursor, &key, &data, MDB_SET_RANGE);
                    for (int k = 0; k < 10 && code == 0; ++k) {
                        sink += key.mv_size + data.mv_size;
                        code = mdb_cursor_get(cursor, &key, &data, MDB_NEXT);
                    }
                }
                mdb_cursor_close(cursor);
            });
    measure("full scan, per entry", 6, present,
            [&](unsigned) {
                TreeCursor cursor(source, tree.root);
                for (bool on = cursor.first(); on; on = cursor.next()) {
                    sink += static_cast<unsigned char>(cursor.key()[3]) +
                            static_cast<unsigned char>(cursor.value()[0]);
                }
            },
            [&](unsigned) {
                MDB_cursor* cursor = nullptr;
                check(mdb_cursor_open(txn, dbi, &cursor));
                MDB_val key;
                MDB_val data;
                while (mdb_cursor_get(cursor, &key, &data, MDB_NEXT) == 0) {
                    sink += static_cast<unsigned char*>(key.mv_data)[3] +
                            *static_cast<unsigned char*>(data.mv_data);
                }
                mdb_cursor_close(cursor);
            });
    mdb_txn_abort(txn);
    if (!in_file) {
        const std::size_t updates = 2000;
        measure("update, 1/txn", 20, updates,
                [&](unsigned round) {
                    for (std::size_t i = 0; i < updates; ++i) {
                        ours_txn([&] { tree_put(writer, tree, probes[round * gets + i], value); });
                    }
                },
                [&](unsigned round) {
                    for (std::size_t i = 0; i < updates; ++i) {
                        check(mdb_txn_begin(env, nullptr, 0, &txn));
                        MDB_val key = val(probes[round * gets + i]);
                        MDB_val data = val(value);
                        check(mdb_put(txn, dbi, &key, &data, 0));
                        check(mdb_txn_commit(txn));
                    }
                });
        const std::size_t erases = present / 40;
        measure("erase random, 1000/txn", 20, erases,
                [&](unsigned round) {
                    for (std::size_t i = 0; i < erases; i += per_txn) {
                        ours_txn([&] {
                            for (std::size_t k = i; k < std::min(i + per_txn, erases); ++k) {
                                tree_erase(writer, tree, keys[round * erases + k]);
                            }
                        });
                    }
                },
                [&](unsigned round) {
                    for (std::size_t i = 0; i < erases; i += per_txn) {
                        check(mdb_txn_begin(env, nullptr, 0, &txn));
                        for (std::size_t k = i; k < std::min(i + per_txn, erases); ++k) {
                            MDB_val key = val(keys[round * erases + k]);
                            check(mdb_del(txn, dbi, &key, nullptr));
                        }
                        check(mdb_txn_commit(txn));
                    }
                });
    }
    // Sorted load, in one transaction.
    std::sort(keys.begin(), keys.end());
    TreeRoot sorted;
    measure("append sorted", 1, n,
            [&](unsigned) {
                ours_txn([&] {
                    TreeAppender appender(writer, sorted);
                    for (const auto& key : keys) appender.append(key, value);
                });
            },
            [&](unsigned) {
                MDB_env* other = nullptr;
                std::filesystem::remove_all(path + "2");
                std::filesystem::create_directory(path + "2");
                check(mdb_env_create(&other));
                check(mdb_env_set_mapsize(other, std::size_t{4} << 30));
                check(mdb_env_open(other, (path + "2").c_str(), MDB_NOSYNC | MDB_NOMETASYNC, 0600));
                MDB_dbi table = 0;
                check(mdb_txn_begin(other, nullptr, 0, &txn));
                check(mdb_dbi_open(txn, nullptr, 0, &table));
                for (const auto& text : keys) {
                    MDB_val key = val(text);
                    MDB_val data = val(value);
                    check(mdb_put(txn, table, &key, &data, MDB_APPEND));
                }
                check(mdb_txn_commit(txn));
                mdb_env_close(other);
            });
    const TreeStatistics seen =
        check_tree(source, sorted, [](const TreeProblem& p) { std::puts(p.what.c_str()); });
    std::size_t payload = 0;
    for (const auto& key : keys) payload += key.size() + value.size();
    std::printf(
        "sorted load: depth %u, leaf fill %.1f%%, %.1f bytes overhead per entry\n", seen.depth,
        100.0 * static_cast<double>(seen.used_bytes) / static_cast<double>(seen.leaves * page_size),
        (static_cast<double>((seen.leaves + seen.inner_pages) * page_size) - static_cast<double>(payload)) /
            static_cast<double>(n));
    mdb_env_close(env);
    std::filesystem::remove_all(path);
    std::filesystem::remove_all(path + "2");
    return sink == 1 ? 1 : 0;
}
