// The rows of the race and what Northstar has to reach in each.
#include <tuple>

#include "race.hpp"

namespace bench {
namespace race_rows_impl {

Target times(const char* subject, double factor) { return {{{"", subject, factor}}, 0}; }
Target times(const char* subject, double factor, const char* second, double second_factor) {
    return {{{"", subject, factor}, {"", second, second_factor}}, 0};
}
Target of_row(const char* row, const char* subject, double factor) { return {{{row, subject, factor}}, 0}; }
Target at_most(double limit) { return {{}, limit}; }

constexpr double k_us = 1e3;
constexpr double k_ms = 1e6;
constexpr double k_s = 1e9;
constexpr double k_mb = 1e6;

std::vector<RowSpec> make() {
    const char* const lazy = "lazy";
    const char* const full = "full";
    const char* const own_history = "northstar_no_history";
    std::vector<RowSpec> rows;
    const auto add = [&](const char* name, const char* title, const char* unit, double unit_ns,
                         const char* durability, Target must, Target aim) -> RowSpec& {
        rows.push_back(
            {name, title, unit, unit_ns, durability, std::move(must), std::move(aim), "northstar", ""});
        return rows.back();
    };
    add("get_hit", "point get, random hit", "ns", 1, "", times("lmdb", 1.3), times("lmdb", 2));
    add("get_miss", "point get, miss", "ns", 1, "", times("lmdb", 1.5), times("lmdb", 2));
    add("multi_get_32", "multi_get of 32, random hits, per key", "ns", 1, "", times("lmdb", 2.5),
        times("lmdb", 4))
        .note = "LMDB, SQLite and LevelDB have no such call: a loop of gets";
    add("scan", "full scan, per entry", "ns", 1, "", times("lmdb", 1.0), times("lmdb", 1.5));
    add("scan_100", "scan of 100 from a random key, per scan", "us", k_us, "", {}, {});
    add("scan_100_back", "the same backwards, per scan", "us", k_us, "", {}, {});
    add("snapshot", "snapshot open + close", "ns", 1, "", times("lmdb", 1.5), at_most(20));
    add("load_random", "load, random order, 1000 per txn, per put", "ns", 1, lazy,
        times("lmdb", 1.5, "rocksdb", 1.0), times("lmdb", 3));
    add("load_ascending", "load, key order, 1000 per txn, per put", "ns", 1, lazy, times("lmdb", 1.0),
        times("lmdb", 2))
        .note = "through put, which finds the order itself";
    add("load_append", "the same, told that keys come in order, per put", "ns", 1, lazy, {},
        times("lmdb", 1.0))
        .note = "LMDB with MDB_APPEND, Northstar with append; the others have no such call";
    for (const auto& [size, bytes, batch] :
         {std::tuple{"4k", "4 kB", "20"}, {"64k", "64 kB", "4"}, {"1m", "1 MB", "1"}}) {
        const std::string name = std::string("value_") + size;
        const std::string values = std::string("values of ") + bytes;
        const std::string puts = values + ", " + batch + " per txn, ";
        add((name + "_put").c_str(), (puts + "put into an empty database and synced, per put").c_str(), "us", k_us,
            lazy, {}, {});
        add((name + "_overwrite").c_str(), (puts + "overwritten and synced, per put").c_str(), "us", k_us, lazy, {},
            {});
        add((name + "_get").c_str(), (values + ", read, per get").c_str(), "us", k_us, "", {}, {});
    }
    for (const auto& [name, does] : {std::tuple{"a", "half reads, half updates"},
                                     {"b", "95 % reads, 5 % updates"},
                                     {"c", "reads"},
                                     {"f", "half reads, half read and then updated"},
                                     {"d", "95 % reads of the latest, 5 % inserts"},
                                     {"e", "95 % scans of up to 100, 5 % inserts"}}) {
        for (const char* threads : {"1", "8"}) {
            RowSpec& row = add((std::string("ycsb_") + name + "_" + threads).c_str(),
                               (std::string("YCSB ") + static_cast<char>(*name - 'a' + 'A') + ", " + does + "; " +
                                threads + (*threads == '1' ? " thread" : " threads") + ", per operation")
                                   .c_str(),
                               "us", k_us, lazy, {}, {});
            if (row.name == "ycsb_a_1") row.note = "records of 1000 bytes, each operation a transaction of its own";
        }
    }
    add("erase_100", "records of 1000 bytes erased in random order, 100 per txn, per erasure", "us", k_us, lazy, {},
        {});
    add("put_again_100", "the same records put again, 100 per txn, per put", "us", k_us, lazy, {}, {});
    add("update_1_lazy", "1 update per txn", "us", k_us, lazy, times("lmdb", 3, "rocksdb", 1.5),
        at_most(1.5 * k_us));
    add("update_100_lazy", "100 updates per txn, per update", "us", k_us, lazy,
        times("lmdb", 2, "rocksdb", 1.5), at_most(1.2 * k_us));
    add("update_1_durable", "1 update per durable txn", "us", k_us, full, times("lmdb", 2, "rocksdb", 1.2),
        times("bare_4k", 1 / 1.15));
    add("update_100_durable", "100 updates per durable txn, per txn", "us", k_us, full,
        times("lmdb", 8, "rocksdb", 1.5), times("bare_16k", 1 / 1.3));
    add("threads_16_durable", "durable txns, 16 threads, per txn", "us", k_us, full,
        times("rocksdb", 0.9, "lmdb", 8), times("rocksdb", 1.5));
    add("reads_alone", "reads, no writer, per get", "ns", 1, "", {}, {}).note =
        "the snapshot is renewed every 1000 gets";
    add("reads_beside_writer", "reads beside a busy writer, per get", "ns", 1, lazy,
        of_row("reads_alone", "northstar", 0.8), of_row("reads_alone", "northstar", 0.95));
    add("writes_beside_reader", "the writer beside them, per txn", "us", k_us, lazy, {}, {});
    for (const char* versions : {"10", "1000", "100000"}) {
        add((std::string("as_of_") + versions).c_str(),
            (std::string("AS OF get, ") + versions + " versions of a key").c_str(), "ns", 1, "",
            times("present", 1 / 3.0), times("present", 1 / 1.5))
            .note = "present: a random hit in the loaded database, as in the first row";
    }
    add("as_of_open", "open + close an AS OF snapshot", "us", k_us, "", {}, {});
    add("open", "open after a clean close, first get", "us", k_us, "", at_most(2 * k_ms),
        at_most(0.2 * k_ms));
    add("recovery", "recovery after kill -9, 64 MiB of log", "s", k_s, lazy, at_most(1.5 * k_s),
        at_most(0.5 * k_s));
    add("file_size", "file after random load, no history", "MB", k_mb, "", times("sqlite", 1.0),
        times("sqlite", 1 / 0.9))
        .subject = own_history;
    add("history_1", "1 update per txn, history on against off", "us", k_us, lazy, times(own_history, 0.85),
        times(own_history, 0.95));
    add("history_100", "100 updates per txn, history on against off, per update", "us", k_us, lazy,
        times(own_history, 0.85), times(own_history, 0.95));
    add("attached_0", "1 update per txn, no other process attached", "us", k_us, lazy, {}, {});
    add("attached_1", "1 update per txn, 1 other process attached", "us", k_us, lazy, {}, {});
    add("attached_4", "1 update per txn, 4 other processes attached", "us", k_us, lazy, {}, {});
    add("attached_16", "1 update per txn, 16 other processes attached", "us", k_us, lazy, {},
        of_row("attached_1", "northstar", 0.7));
    for (RowSpec& row : rows) {
        const std::string_view name = row.name;
        row.by_cpu = name.starts_with("get_") || name.starts_with("multi_get") || name.starts_with("scan") ||
                     (name.starts_with("ycsb_") && name.ends_with("_1")) || name.ends_with("_100") ||
                     name == "snapshot" || name.starts_with("load_") || name.ends_with("_lazy") ||
                     name.starts_with("reads_") || name.starts_with("as_of") || name.starts_with("history_") ||
                     name.starts_with("attached_");
    }
    add("latency_p999", "commit latency p99.9 under sustained load", "us", k_us, lazy, at_most(10 * k_ms),
        at_most(2 * k_ms));
    return rows;
}

}  // namespace race_rows_impl

const std::vector<RowSpec>& race_rows() {
    static const std::vector<RowSpec> rows = race_rows_impl::make();
    return rows;
}

}  // namespace bench
