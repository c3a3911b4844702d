// macro/telemetry: points of many series as they arrive, the newest of each, windows, daily means, and what is too
// old.
//
// Tree points: series, time -> value. Series beyond those of the input repeat them, shifted; points of all series come
// in the order of their time, a transaction for each tick.
#include <algorithm>
#include <cstring>

#include "dataset.hpp"
#include "macro.hpp"

namespace bench {
namespace macro_telemetry_impl {

using northstar::Database;
using northstar::Durability;
using northstar::Snapshot;
using northstar::Transaction;
using northstar::Tree;
using northstar::WritableTree;

const std::string k_name = "macro/telemetry";
constexpr const char* k_tree = "points";
constexpr std::uint64_t k_series = 100;
constexpr std::uint64_t k_hour_s = 3600;
constexpr std::uint64_t k_day_s = 86400;

std::string key_of(std::uint64_t series, std::uint64_t time_s) { return big_endian(series) + big_endian(time_s); }

std::string bytes_of(double value) {
    std::string bytes(sizeof value, '\0');
    std::memcpy(bytes.data(), &value, sizeof value);
    return bytes;
}

double value_of(std::string_view bytes) {
    double value = 0;
    must_hold(bytes.size() == sizeof value, "a point is no number");
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
}

/// So many series made of fewer, all with points at the same ticks.
struct Fleet {
    const TimeSeries& input;
    std::uint64_t series;
    std::uint64_t ticks;
    std::uint64_t begin_s;
    std::uint64_t step_s = 300;
    double value(std::uint64_t s, std::uint64_t tick) const {
        const auto& points = input.series[static_cast<std::size_t>(s % input.series.size())];
        return points[static_cast<std::size_t>((tick + s * 7) % points.size())].value;
    }
    std::uint64_t time(std::uint64_t tick) const { return begin_s + tick * step_s; }
    std::uint64_t end_s() const { return time(ticks); }
};

void ingest(Macro& macro, Database& db, const Fleet& fleet) {
    Stage stage(macro, {k_name + "/ingest", "lazy", "transaction of a tick", fleet.input.input}, db);
    for (std::uint64_t tick = 0; tick < fleet.ticks; ++tick) {
        Transaction tx = db.begin_write(write_with(Durability::lazy));
        WritableTree points = tx.tree(k_tree);
        for (std::uint64_t s = 0; s < fleet.series; ++s)
            points.put(key_of(s, fleet.time(tick)), bytes_of(fleet.value(s, tick)));
        tx.commit();
        stage.lap();
    }
    db.sync();
    stage.done(fleet.ticks * fleet.series);
}

void latest(Macro& macro, Database& db, const Fleet& fleet, std::uint64_t queries) {
    Random random(macro.options().seed + 51);
    std::uint64_t wrong = 0;
    Stage stage(macro, {k_name + "/latest", "", "query", fleet.input.input}, db);
    for (std::uint64_t i = 0; i < queries; ++i) {
        const std::uint64_t s = random.below(fleet.series);
        const Snapshot snapshot = db.begin_read();
        northstar::Cursor cursor = snapshot.tree(k_tree).cursor();
        const bool behind = cursor.lower_bound(key_of(s + 1, 0));
        const bool found = behind ? cursor.prev() : cursor.last();
        wrong += found && cursor.key() == key_of(s, fleet.time(fleet.ticks - 1)) ? 0 : 1;
        stage.lap();
    }
    stage.done(queries);
    must_hold(wrong == 0, "the newest point of a series is another one");
}

/// One hour of one series.
void windows(Macro& macro, Database& db, const Fleet& fleet, std::uint64_t queries) {
    Random random(macro.options().seed + 52);
    std::uint64_t points = 0;
    double sum = 0;
    Stage stage(macro, {k_name + "/window", "", "query of an hour", fleet.input.input}, db);
    for (std::uint64_t i = 0; i < queries; ++i) {
        const std::uint64_t s = random.below(fleet.series);
        const std::uint64_t from = fleet.time(random.below(fleet.ticks));
        const Snapshot snapshot = db.begin_read();
        for (const auto [key, value] : snapshot.tree(k_tree).range(key_of(s, from), key_of(s, from + k_hour_s))) {
            sum += value_of(value);
            ++points;
        }
        stage.lap();
    }
    stage.done(queries);
    must_hold(points >= queries && sum == sum, "a window is empty");
}

/// Means of each day of one series.
void daily_means(Macro& macro, Database& db, const Fleet& fleet, std::uint64_t queries) {
    Random random(macro.options().seed + 53);
    std::uint64_t points = 0;
    std::vector<double> means;
    Stage stage(macro, {k_name + "/daily_means", "", "query of a series", fleet.input.input}, db);
    for (std::uint64_t i = 0; i < queries; ++i) {
        const std::uint64_t s = random.below(fleet.series);
        means.assign(static_cast<std::size_t>((fleet.end_s() - fleet.begin_s) / k_day_s + 1), 0);
        const Snapshot snapshot = db.begin_read();
        for (const auto [key, value] : snapshot.tree(k_tree).prefix(big_endian(s))) {
            const std::uint64_t day = (from_big_endian(key.substr(8)) - fleet.begin_s) / k_day_s;
            means.at(static_cast<std::size_t>(day)) += value_of(value) * static_cast<double>(fleet.step_s) / k_day_s;
            ++points;
        }
        stage.lap();
    }
    stage.done(points);
    must_hold(points == queries * fleet.ticks, "points of a series are missing");
}

/// The older half of every series goes, one range for each.
void expire(Macro& macro, Database& db, const Fleet& fleet) {
    const std::uint64_t horizon = fleet.time(fleet.ticks / 2);
    std::uint64_t gone = 0;
    Stage stage(macro, {k_name + "/expire", "full", "range deletion of a series", fleet.input.input}, db);
    for (std::uint64_t s = 0; s < fleet.series; ++s) {
        Transaction tx = db.begin_write(write_with(Durability::full));
        gone += tx.tree(k_tree).erase_range(key_of(s, 0), key_of(s, horizon));
        tx.commit();
        stage.lap();
    }
    stage.done(fleet.series);
    must_hold(gone == fleet.series * (fleet.ticks / 2), "other points went than were too old");
    must_hold(db.begin_read().tree(k_tree).size() == fleet.series * (fleet.ticks - fleet.ticks / 2),
              "points are missing behind the expiry");
}

void run(Macro& macro) {
    const TimeSeries input = macro.inputs().time_series(17, 4000);
    const Fleet fleet{input, k_series, macro.scaled(2000, 30), input.series.front().front().time_s};
    const std::string path = macro.fresh_path();
    Database db = Database::open(path);
    ingest(macro, db, fleet);
    latest(macro, db, fleet, macro.scaled(50'000, 50));
    windows(macro, db, fleet, macro.scaled(20'000, 50));
    daily_means(macro, db, fleet, macro.scaled(300, 5));
    expire(macro, db, fleet);
    db.close();
    remove_database(path);
}

const RegisterMacro registered({k_name, {"ingest", "latest", "window", "daily_means", "expire"}, run});

}  // namespace macro_telemetry_impl
}  // namespace bench
