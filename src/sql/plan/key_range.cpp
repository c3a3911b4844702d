#include "sql/plan/key_range.hpp"

#include "sql/cast.hpp"
#include "sql/plan/index_terms.hpp"

#include <algorithm>
#include <utility>

namespace northstar::inline v0::sql {

KeyFit fit_key(Value& value, Oid type) {
    if (value.type() == type || !is_plain_integer(type)) return KeyFit::fits;
    const std::int64_t limit = type == type::int2 ? INT16_MAX : type == type::int4 ? INT32_MAX : INT64_MAX;
    if (value.integer() > limit) return KeyFit::above;
    if (value.integer() < -limit - 1) return KeyFit::below;
    value = value.as(type);
    return KeyFit::fits;
}

bool has_keys_of(Oid column, Oid value) {
    if (has_bytes_of(column, value)) return true;
    // A local time is turned into a moment, not the other way round: where clocks are set back, that has no order.
    switch (column) {
        case type::date: return value == type::timestamp || value == type::timestamptz;
        case type::timestamp: return value == type::date;
        case type::timestamptz: return value == type::date || value == type::timestamp;
        default: return false;
    }
}

KeyFit fit_moment(Value& value, Oid type, Session& session) {
    Arena arena;
    const auto as = [&](const Value& from, Oid to) {
        return cast_value(from, to, k_no_typmod, CastContext::explicit_, arena, session);
    };
    const std::int64_t before = value.integer();
    try {
        if (type != type::date) {
            value = as(value, type);
            return KeyFit::fits;
        }
        const Value moment = value;
        value = as(moment, type::date);
        const std::int64_t begin = as(value, moment.type()).integer();
        if (begin == before) return KeyFit::fits;
        if (begin > before) value = Value::integer(type::date, value.integer() - 1);
        return KeyFit::between;
    } catch (const SqlError&) {
        // Too far away for the column: behind its last moment, before infinity; or the other way round.
        value = Value::integer(type, before < 0 ? INT64_MIN : INT64_MAX - 1);
        return KeyFit::between;
    }
}

namespace key_range {

/// Makes keys of the values of one path.
class Maker {
public:
    Maker(const Plan& scan, const AccessPath& path, Session* session)
        : scan_(scan), path_(path), number_(static_cast<std::size_t>(path.index)),
          columns_(scan.relation->indexes[number_].columns), session_(session) {}

    bool make(PathValues& values, KeyRange& out) {
        prefix_.clear();
        out.lead.clear();
        out.starts.clear();
        if (!fix_columns(values, out)) return false;
        out.from = prefix_;
        out.to = key_successor(prefix_);
        return !path_.has_range() || narrow(values, out);
    }

private:
    KeyFit fit(Value& value, Oid type) const {
        return has_bytes_of(type, value.type()) ? fit_key(value, type) : fit_moment(value, type, *session_);
    }
    /// False: no column of the type has the value.
    bool append(Value value, Oid type, KeyOrder order, std::string& key) const {
        if (value.is_null() || fit(value, type) != KeyFit::fits) return false;
        encode_key(value, order, key);
        return true;
    }

    /// The columns before the range: what is equal, and members.
    bool fix_columns(const PathValues& values, KeyRange& out) {
        std::size_t list = 0;
        for (std::size_t i = 0; i <= path_.equal.size(); ++i) {
            if (path_.skipped > 0 && i == path_.skipped_behind) out.lead.swap(prefix_);
            for (; list < path_.members.size() && path_.members[list].behind == i; ++list)
                if (!add_members(values.members[list], path_.member_part(list), out.starts)) return false;
            if (i == path_.equal.size()) break;
            const std::size_t part = path_.part(i);
            const Oid type = type_of_term(scan_, number_, part);
            if (path_.equal[i] == nullptr) encode_key(Value::null(type), columns_[part].order, prefix_);
            else if (!append(values.equal[i], type, columns_[part].order, prefix_)) return false;
        }
        if (path_.members.empty()) return true;
        for (std::string& start : out.starts) start += prefix_;
        prefix_.clear();
        return true;
    }

    /// Each of the starts with each of the members behind it; false: there is none.
    bool add_members(const std::vector<Value>& members, std::size_t part, std::vector<std::string>& starts) {
        const Oid type = type_of_term(scan_, number_, part);
        std::vector<std::string> made;
        made.reserve(std::max<std::size_t>(starts.size(), 1) * members.size());
        if (starts.empty()) starts.emplace_back();
        for (std::string& start : starts) {
            start += prefix_;
            for (const Value& member : members)
                if (!append(member, type, columns_[part].order, made.emplace_back(start))) made.pop_back();
        }
        prefix_.clear();
        std::sort(made.begin(), made.end());
        made.erase(std::unique(made.begin(), made.end()), made.end());
        starts = std::move(made);
        return !starts.empty();
    }

    /// The columns behind one that an end of rows stands in, as far as they have the values.
    void append_rest(const std::vector<Value>& rest, std::string& key) const {
        std::size_t part = path_.next_part() + 1;
        for (const Value& value : rest) {
            const bool own = part < columns_.size();
            const std::size_t index = own ? number_ : static_cast<std::size_t>(scan_.relation->row_key());
            const std::size_t place = own ? part : part - columns_.size();
            const KeyOrder order = scan_.relation->indexes[index].columns[place].order;
            if (!append(value, type_of_term(scan_, index, place), order, key)) return;
            ++part;
        }
    }

    bool narrow(PathValues& values, KeyRange& out) const {
        // NULL is in no range.
        out.from.push_back(k_value_tag);
        out.to = key_successor(out.from);
        if (path_.low == nullptr && path_.high == nullptr) return true;
        const std::size_t at = path_.next_part();
        const Oid type = type_of_term(scan_, number_, at);
        const KeyOrder order = columns_[at].order;
        std::string low, high;  // empty: no such end
        bool low_inclusive = path_.low_inclusive;
        bool high_inclusive = path_.high_inclusive;
        if (path_.low != nullptr) {
            if (values.low.is_null()) return false;
            const KeyFit found = fit(values.low, type);
            if (found == KeyFit::above) return false;
            low_inclusive = low_inclusive && found == KeyFit::fits;
            if (found != KeyFit::below) {
                low = prefix_;
                encode_key(values.low, order, low);
                if (found == KeyFit::fits) append_rest(values.low_rest, low);
            }
        }
        if (path_.high != nullptr) {
            if (values.high.is_null()) return false;
            const KeyFit found = fit(values.high, type);
            if (found == KeyFit::below) return false;
            high_inclusive = high_inclusive || found == KeyFit::between;
            if (found != KeyFit::above) {
                high = prefix_;
                encode_key(values.high, order, high);
                if (found == KeyFit::fits) append_rest(values.high_rest, high);
            }
        }
        if (order.descending) {
            std::swap(low, high);
            std::swap(low_inclusive, high_inclusive);
        }
        if (!low.empty()) out.from = low_inclusive ? std::move(low) : key_successor(low);
        if (!high.empty()) out.to = high_inclusive ? key_successor(high) : std::move(high);
        return true;
    }

    const Plan& scan_;
    const AccessPath& path_;
    std::size_t number_;
    const std::vector<IndexColumn>& columns_;
    Session* session_;
    std::string prefix_;  // of the columns behind those that are skipped, or behind the last members
};

}  // namespace key_range

bool make_key_range(const Plan& scan, const AccessPath& path, PathValues& values, Session* session, KeyRange& out) {
    return key_range::Maker(scan, path, session).make(values, out);
}

}  // namespace northstar::inline v0::sql
