// Time zones: the system's database (TZif files, RFC 8536), POSIX rules and fixed offsets.

#include "sql/datetime.hpp"
#include "sql/error.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <map>
#include <mutex>
#include <vector>

namespace northstar::inline v0::sql {

namespace timezone_file {

constexpr std::int64_t k_unix_epoch = -946'684'800;  // 1970-01-01 in seconds since 2000
constexpr const char* k_database = "/usr/share/zoneinfo/";

std::int64_t seconds_of(std::int64_t timestamp) {
    return timestamp >= 0 ? timestamp / k_microseconds_per_second
                          : -((-timestamp + k_microseconds_per_second - 1) / k_microseconds_per_second);
}

class FixedZone : public TimeZone {
public:
    FixedZone(std::string name, std::int32_t east, std::string abbreviation)
        : name_(std::move(name)), east_(east), abbreviation_(std::move(abbreviation)) {}
    std::string name() const override { return name_; }
    Offset at(std::int64_t) const override { return {east_, abbreviation_, false}; }

private:
    std::string name_;
    std::int32_t east_;
    std::string abbreviation_;
};

/// "EST5EDT,M3.2.0,M11.1.0": a standard offset and perhaps daylight time between two days of the year.
struct PosixRule {
    TimeZone::Offset standard;
    TimeZone::Offset daylight;
    bool has_daylight = false;
    struct Day {
        char kind = 'M';  // M: month.week.day, J: day 1 to 365 without 29 February, N: day 0 to 365
        int month = 0;
        int week = 0;
        int day = 0;
        std::int64_t seconds = 7200;
    };
    Day start;
    Day end;

    static std::int64_t moment(const Day& day, std::int64_t year) {
        std::int64_t days = 0;
        if (day.kind == 'M') {
            const std::int64_t first = days_from_civil({year, day.month, 1});
            int date = 1 + (day.day - day_of_week(first) + 7) % 7 + (day.week - 1) * 7;
            while (date > days_in_month(year, day.month)) date -= 7;
            days = first + date - 1;
        } else {
            days = days_from_civil({year, 1, 1}) + day.day;
            if (day.kind == 'J') days += -1 + (days_in_month(year, 2) == 29 && day.day >= 60 ? 1 : 0);
        }
        return days * 86400 + day.seconds;
    }
    /// At seconds since 2000, UTC.
    const TimeZone::Offset& at(std::int64_t seconds) const {
        if (!has_daylight) return standard;
        const std::int64_t local_days = (seconds + standard.seconds_east) / 86400 -
                                        ((seconds + standard.seconds_east) % 86400 < 0 ? 1 : 0);
        const std::int64_t year = civil_from_days(local_days).year;
        const std::int64_t begins = moment(start, year) - standard.seconds_east;
        const std::int64_t ends = moment(end, year) - daylight.seconds_east;
        const bool within =
            begins < ends ? seconds >= begins && seconds < ends : seconds >= begins || seconds < ends;
        return within ? daylight : standard;
    }
};

class RuleReader {
public:
    explicit RuleReader(std::string_view text) : rest_(text) {}
    bool read(PosixRule& rule) {
        std::int64_t west = 0;
        if (!name(rule.standard.abbreviation) || !offset(west)) return false;
        rule.standard.seconds_east = static_cast<std::int32_t>(-west);
        if (rest_.empty()) return true;
        rule.has_daylight = true;
        rule.daylight.daylight = true;
        if (!name(rule.daylight.abbreviation)) return false;
        rule.daylight.seconds_east = rule.standard.seconds_east + 3600;
        if (!rest_.empty() && rest_[0] != ',') {
            if (!offset(west)) return false;
            rule.daylight.seconds_east = static_cast<std::int32_t>(-west);
        }
        if (rest_.empty()) {
            // Without days: those of the United States, as POSIX systems do.
            rule.start = {'M', 3, 2, 0, 7200};
            rule.end = {'M', 11, 1, 0, 7200};
            return true;
        }
        return day(rule.start) && day(rule.end) && rest_.empty();
    }

private:
    bool name(std::string& to) {
        if (!rest_.empty() && rest_[0] == '<') {
            const std::size_t end = rest_.find('>');
            if (end == std::string_view::npos) return false;
            to = rest_.substr(1, end - 1);
            rest_.remove_prefix(end + 1);
            return true;
        }
        std::size_t end = 0;
        while (end < rest_.size() && ((rest_[end] | 0x20) >= 'a' && (rest_[end] | 0x20) <= 'z')) ++end;
        to = rest_.substr(0, end);
        rest_.remove_prefix(end);
        // A bare offset is a zone without a name.
        return end >= 3 || (end == 0 && !rest_.empty() && (rest_[0] == '+' || rest_[0] == '-'));
    }
    bool number(int& to) {
        std::size_t end = 0;
        to = 0;
        while (end < rest_.size() && end < 4 && rest_[end] >= '0' && rest_[end] <= '9')
            to = to * 10 + (rest_[end++] - '0');
        rest_.remove_prefix(end);
        return end > 0;
    }
    bool take(char c) {
        if (rest_.empty() || rest_[0] != c) return false;
        rest_.remove_prefix(1);
        return true;
    }
    bool offset(std::int64_t& seconds) {
        const bool negative = take('-');
        if (!negative) take('+');
        int hours = 0;
        int minutes = 0;
        int rest = 0;
        if (!number(hours)) return false;
        if (take(':') && !number(minutes)) return false;
        if (take(':') && !number(rest)) return false;
        seconds = (hours * std::int64_t{60} + minutes) * 60 + rest;
        if (negative) seconds = -seconds;
        return true;
    }
    bool day(PosixRule::Day& to) {
        if (!take(',')) return false;
        if (take('M')) {
            to.kind = 'M';
            if (!number(to.month) || !take('.') || !number(to.week) || !take('.') || !number(to.day))
                return false;
            if (to.month < 1 || to.month > 12 || to.week < 1 || to.week > 5 || to.day > 6) return false;
        } else {
            to.kind = take('J') ? 'J' : 'N';
            if (!number(to.day)) return false;
        }
        return !take('/') || offset(to.seconds);
    }
    std::string_view rest_;
};

class RuleZone : public TimeZone {
public:
    RuleZone(std::string name, PosixRule rule) : name_(std::move(name)), rule_(std::move(rule)) {}
    std::string name() const override { return name_; }
    Offset at(std::int64_t timestamp) const override { return rule_.at(seconds_of(timestamp)); }

private:
    std::string name_;
    PosixRule rule_;
};

class FileZone : public TimeZone {
public:
    /// Null: the bytes are no TZif file of version 2 or later.
    static std::shared_ptr<const TimeZone> read(std::string name, std::string_view bytes) {
        auto zone = std::make_shared<FileZone>();
        zone->name_ = std::move(name);
        return zone->parse(bytes) ? zone : nullptr;
    }
    std::string name() const override { return name_; }
    Offset at(std::int64_t timestamp) const override {
        const std::int64_t seconds = seconds_of(timestamp);
        const auto next = std::upper_bound(times_.begin(), times_.end(), seconds);
        if (next == times_.begin()) return offsets_[first_];
        if (next == times_.end() && has_rule_) return rule_.at(seconds);
        return offsets_[kinds_[static_cast<std::size_t>(next - times_.begin()) - 1]];
    }

    std::optional<Offset> meaning_of(std::string_view abbreviation, std::int64_t timestamp) const override {
        const auto next = static_cast<std::size_t>(
            std::upper_bound(times_.begin(), times_.end(), seconds_of(timestamp)) - times_.begin());
        const auto kind = [&](std::size_t i) -> const Offset& { return offsets_[kinds_[i]]; };
        const auto named = [&](const Offset& offset) { return offset.abbreviation == abbreviation; };
        const Offset* by_rule = nullptr;
        if (has_rule_ && named(rule_.standard)) by_rule = &rule_.standard;
        else if (has_rule_ && rule_.has_daylight && named(rule_.daylight)) by_rule = &rule_.daylight;
        if (by_rule != nullptr && next == kinds_.size()) return *by_rule;
        for (std::size_t i = next; i > 0; --i)
            if (named(kind(i - 1))) return kind(i - 1);
        for (std::size_t i = next; i < kinds_.size(); ++i)
            if (named(kind(i))) return kind(i);
        return by_rule == nullptr ? std::nullopt : std::optional<Offset>(*by_rule);
    }

private:
    static std::int64_t big_endian(std::string_view bytes, std::size_t at, std::size_t size) {
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < size; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
        return size == 4 ? static_cast<std::int32_t>(static_cast<std::uint32_t>(value))
                         : static_cast<std::int64_t>(value);
    }
    bool parse(std::string_view bytes) {
        constexpr std::size_t k_header = 44;
        if (bytes.size() < k_header || bytes.substr(0, 4) != "TZif" || bytes[4] < '2') return false;
        const auto count = [&](std::size_t base, std::size_t i) {
            return static_cast<std::size_t>(big_endian(bytes, base + 20 + i * 4, 4));
        };
        // The first block has 32-bit times and is stepped over.
        const std::size_t skipped =
            count(0, 3) * 5 + count(0, 4) * 6 + count(0, 5) + count(0, 2) * 8 + count(0, 1) + count(0, 0);
        const std::size_t base = k_header + skipped;
        if (bytes.size() < base + k_header) return false;
        const std::size_t indicators_utc = count(base, 0);
        const std::size_t indicators_standard = count(base, 1);
        const std::size_t leaps = count(base, 2);
        const std::size_t transitions = count(base, 3);
        const std::size_t types = count(base, 4);
        const std::size_t characters = count(base, 5);
        const std::size_t data = base + k_header;
        const std::size_t size =
            transitions * 9 + types * 6 + characters + leaps * 12 + indicators_standard + indicators_utc;
        if (types == 0 || types > 256 || bytes.size() < data + size) return false;
        const std::size_t type_table = data + transitions * 9;
        const std::size_t names = type_table + types * 6;
        for (std::size_t i = 0; i < types; ++i) {
            Offset offset;
            offset.seconds_east = static_cast<std::int32_t>(big_endian(bytes, type_table + i * 6, 4));
            offset.daylight = bytes[type_table + i * 6 + 4] != 0;
            const std::size_t name = static_cast<unsigned char>(bytes[type_table + i * 6 + 5]);
            if (name >= characters) return false;
            const std::string_view text = bytes.substr(names + name, characters - name);
            offset.abbreviation = text.substr(0, std::min(text.find('\0'), text.size()));
            offsets_.push_back(std::move(offset));
        }
        for (std::size_t i = 0; i < transitions; ++i) {
            const std::size_t kind = static_cast<unsigned char>(bytes[data + transitions * 8 + i]);
            if (kind >= types) return false;
            times_.push_back(big_endian(bytes, data + i * 8, 8) + k_unix_epoch);
            kinds_.push_back(kind);
        }
        std::string_view footer = bytes.substr(data + size);
        if (footer.size() > 2 && footer.front() == '\n' && footer.back() == '\n') {
            footer = footer.substr(1, footer.size() - 2);
            has_rule_ = RuleReader(footer).read(rule_);
        }
        return true;
    }

    std::string name_;
    std::vector<std::int64_t> times_;
    std::vector<std::size_t> kinds_;
    std::vector<Offset> offsets_;
    std::size_t first_ = 0;
    bool has_rule_ = false;
    PosixRule rule_;
};

std::string lower_case(std::string_view text) {
    std::string result(text);
    for (char& c : result) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    }
    return result;
}

/// The whole file, or nothing where it cannot be read.
std::string read_zone_file(const std::string& name) {
    std::string bytes;
    std::FILE* file = std::fopen((k_database + name).c_str(), "rb");
    if (file == nullptr) return bytes;
    char buffer[4096];
    for (std::size_t got = 0;
         (got = std::fread(buffer, 1, sizeof buffer, file)) > 0 && bytes.size() < 1 << 20;)
        bytes.append(buffer, got);
    std::fclose(file);
    return bytes;
}

/// The name as the files have it, whatever the case of its letters; empty where no file has it.
std::string spelling_of(std::string_view name) {
    namespace files = std::filesystem;
    std::string found;
    while (!name.empty()) {
        const std::size_t end = std::min(name.find('/'), name.size());
        const std::string wanted = lower_case(name.substr(0, end));
        name.remove_prefix(std::min(end + 1, name.size()));
        std::error_code none;
        const std::string folder = k_database + found;
        const std::size_t before = found.size();
        for (files::directory_iterator at(folder, none), last; !none && at != last; at.increment(none)) {
            const std::string entry = at->path().filename().generic_string();
            if (lower_case(entry) != wanted) continue;
            found += entry;
            break;
        }
        if (found.size() == before) return {};
        if (!name.empty()) found += '/';
    }
    return found;
}

std::shared_ptr<const TimeZone> load(const std::string& name) {
    const bool safe = !name.empty() && name[0] != '/' && name[0] != '.' &&
                      name.find("..") == std::string::npos && name.find('\0') == std::string::npos;
    if (safe) {
        for (const bool as_given : {true, false}) {
            const std::string spelling = as_given ? name : spelling_of(name);
            const std::string bytes = spelling.empty() ? std::string() : read_zone_file(spelling);
            if (auto zone = bytes.empty() ? nullptr : FileZone::read(spelling, bytes)) return zone;
        }
    }
    PosixRule rule;
    std::string shown = name;
    for (char& c : shown) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
    }
    if (RuleReader(name).read(rule)) return std::make_shared<RuleZone>(shown, std::move(rule));
    return nullptr;
}

}  // namespace timezone_file

std::int32_t TimeZone::offset_of_local(std::int64_t local) const {
    const std::int64_t early = local - k_microseconds_per_day;
    const std::int64_t late = local + k_microseconds_per_day;
    const std::int32_t before = at(early).seconds_east;
    const std::int32_t after = at(late).seconds_east;
    if (before == after) return before;
    // The instant of the change, to the second.
    std::int64_t low = early;
    std::int64_t high = late;
    while (high - low > k_microseconds_per_second) {
        const std::int64_t middle = low + (high - low) / 2;
        (at(middle).seconds_east == before ? low : high) = middle;
    }
    std::int64_t change = high - high % k_microseconds_per_second;
    if (change > high) change -= k_microseconds_per_second;
    const std::int64_t as_before = local - before * k_microseconds_per_second;
    const std::int64_t as_after = local - after * k_microseconds_per_second;
    if (as_before < change && as_after < change) return before;
    if (as_before >= change && as_after >= change) return after;
    return as_before > as_after ? before : after;
}

std::optional<TimeZone::Offset> TimeZone::meaning_of(std::string_view, std::int64_t) const { return std::nullopt; }

std::shared_ptr<const TimeZone> fixed_time_zone(std::int32_t seconds_east) {
    const std::int32_t size = seconds_east < 0 ? -seconds_east : seconds_east;
    // POSIX turns the sign around: <+02>-02 lies east.
    char digits[32];
    std::snprintf(digits, sizeof digits, size % 3600 == 0 ? "%02d" : "%02d:%02d", size / 3600,
                  size / 60 % 60);
    const std::string shown = std::string(seconds_east < 0 ? "-" : "+") + digits;
    return std::make_shared<timezone_file::FixedZone>(
        '<' + shown + '>' + (seconds_east < 0 ? '+' : '-') + digits, seconds_east, shown);
}

std::shared_ptr<const TimeZone> find_time_zone(std::string_view name) {
    static std::mutex mutex;
    static std::map<std::string, std::shared_ptr<const TimeZone>> known;
    const std::string key = timezone_file::lower_case(name);
    const auto fixed = [](const char* called, const char* abbreviation) {
        return std::make_shared<const timezone_file::FixedZone>(called, 0, abbreviation);
    };
    static const std::map<std::string, std::shared_ptr<const TimeZone>> k_fixed = {
        {"utc", fixed("UTC", "UTC")}, {"gmt", fixed("GMT", "GMT")}, {"etc/utc", fixed("Etc/UTC", "UTC")},
        {"zulu", fixed("Zulu", "UTC")}};
    if (const auto there = k_fixed.find(key); there != k_fixed.end()) return there->second;
    const std::lock_guard<std::mutex> lock(mutex);
    const auto found = known.find(key);
    if (found != known.end()) return found->second;
    std::shared_ptr<const TimeZone> zone = timezone_file::load(std::string(name));
    if (zone != nullptr) known.emplace(key, zone);
    return zone;
}

std::vector<std::string> time_zone_names() {
    namespace files = std::filesystem;
    std::vector<std::string> names;
    std::error_code none;
    const files::path top(timezone_file::k_database);
    for (files::recursive_directory_iterator at(top, none), end; !none && at != end; at.increment(none)) {
        const std::string name = at->path().lexically_relative(top).generic_string();
        // The same zones again, and with leap seconds.
        if (name == "posix" || name == "right") at.disable_recursion_pending();
        else if (at->is_regular_file(none) && timezone_file::read_zone_file(name).substr(0, 4) == "TZif")
            names.push_back(name);
    }
    return names;
}

std::int64_t to_utc(std::int64_t local, const TimeZone* zone) {
    if (!is_finite_timestamp(local)) return local;
    if (zone == nullptr) return local;
    const std::int64_t result = local - zone->offset_of_local(local) * k_microseconds_per_second;
    check_timestamp(result);
    return result;
}

std::int64_t to_local(std::int64_t timestamp, const TimeZone* zone, TimeZone::Offset* offset) {
    if (zone == nullptr || !is_finite_timestamp(timestamp)) {
        if (offset != nullptr) *offset = {0, "UTC", false};
        return timestamp;
    }
    const TimeZone::Offset found = zone->at(timestamp);
    if (offset != nullptr) *offset = found;
    return timestamp + found.seconds_east * k_microseconds_per_second;
}

}  // namespace northstar::inline v0::sql
