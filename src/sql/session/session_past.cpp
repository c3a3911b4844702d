// States of the past: what AS OF means, the snapshots behind it, and their catalogs.
#include "sql/session/sql_session.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace session_past {

constexpr std::size_t k_known_catalogs = 64;

}  // namespace session_past

Tree PastPoint::tree(const std::string& name, bool) { return snapshot->tree(name); }

double PastPoint::row_count(const std::string&, bool) { return 1000; }

std::uint64_t SqlSession::commit_of(const PointExpr& point) {
    if (point.value == nullptr) return present_.txn;
    Arena arena;
    Value value;
    if (point.value->kind == BoundKind::constant) {
        value = point.value->value;
    } else {
        Execution execution(session_, *this, *parameters_);
        value = point.value->kind == BoundKind::parameter
                    ? execution.parameter(point.value->number)
                    : copy_value(Evaluator(*point.value, {}, execution).evaluate(arena), arena);
    }
    if (value.is_null() && (describing_ || making_plan_)) return present_.txn;
    if (point.value->type == type::timestamptz) {
        if (value.is_null())
            raise_at(sqlstate::invalid_parameter_value, "a point in time must not be null", point.position);
        return commit_at(value.integer());
    }
    if (point.value->type == type::text) {
        if (value.is_null()) raise_at(sqlstate::invalid_parameter_value, "a tag must not be null", point.position);
        const std::optional<std::uint64_t> commit = tagged_commit(value.bytes());
        if (!commit)
            raise_at(sqlstate::undefined_object, "tag \"" + std::string(value.bytes()) + "\" does not exist",
                     point.position);
        return *commit;
    }
    if (value.is_null() || value.integer() < 0)
        raise_at(sqlstate::invalid_parameter_value, "a commit number must not be negative or null", point.position);
    return static_cast<std::uint64_t>(value.integer());
}

ReadPoint& SqlSession::past(std::uint64_t txn) {
    ++outside_uses_;
    std::unique_ptr<PastPoint>& point = past_[txn];
    if (point != nullptr) return *point;
    auto made = std::make_unique<PastPoint>();
    open_past(*made, txn);
    point = std::move(made);
    return *point;
}

ReadPoint& SqlSession::past(const PointExpr& point) {
    const std::uint64_t txn = commit_of(point);
    if (binding_ == nullptr) return past(txn);
    auto made = std::make_shared<MovingPoint>();
    made->point = point;
    open_past(*made, txn);
    binding_->points.push_back(made);
    open_points_.push_back(made);
    return *made;
}

void SqlSession::read_whole_at(const ReadPoint& point) {
    if (!takes_past_types_) return;
    types_.set_whole(point.catalog);
    if (binding_ == nullptr) return;
    for (const std::shared_ptr<MovingPoint>& moving : binding_->points)
        if (moving.get() == &point) moving->whole = true;
}

void SqlSession::open_past(PastPoint& point, std::uint64_t txn) {
    try {
        point.snapshot.emplace(database_.begin_read(AsOf::txn(txn)));
    } catch (const Error& error) {
        if (error.code() == Errc::in_the_future)
            raise(sqlstate::invalid_parameter_value, "commit " + std::to_string(txn) + " does not exist yet");
        if (error.code() == Errc::before_horizon)
            raise(sqlstate::snapshot_too_old, "commit " + std::to_string(txn) + " is no longer retained");
        throw;
    }
    point.past = true;
    point.txn = txn;
    point.catalog = catalog_of(point);
    types_.add_past(point.catalog);
}

std::shared_ptr<const Catalog> SqlSession::catalog_of(const PastPoint& point) {
    for (const PastCatalog& known : past_catalogs_)
        if (known.from <= point.txn && point.txn <= known.to) return known.catalog;
    const Tree tree = point.snapshot->tree(k_catalog_tree);
    const std::string version = "past:" + std::string(tree.get("version").value_or(""));
    std::shared_ptr<const Catalog>& cached = kept_catalog(version);
    if (cached == nullptr) cached = Catalog::load(tree, nullptr, present_.catalog.get());
    // From the commit that wrote the version to this one there was no other.
    const std::uint64_t from = tree.txn_of("version").value_or(point.txn);
    const auto known = std::find_if(past_catalogs_.begin(), past_catalogs_.end(),
                                    [&](const PastCatalog& item) { return item.catalog == cached; });
    if (known != past_catalogs_.end()) {
        known->from = std::min(known->from, from);
        known->to = std::max(known->to, point.txn);
        return cached;
    }
    if (past_catalogs_.size() >= session_past::k_known_catalogs) past_catalogs_.clear();
    past_catalogs_.push_back({from, point.txn, cached});
    return cached;
}

bool SqlSession::move_points(BoundStatement& bound) {
    for (const std::shared_ptr<MovingPoint>& point : bound.points) {
        const std::uint64_t txn = commit_of(point->point);
        const std::shared_ptr<const Catalog> before = point->catalog;
        if (!point->snapshot || point->txn != txn) {
            open_past(*point, txn);
            open_points_.push_back(point);
        }
        if (point->whole) types_.set_whole(point->catalog);
        if (point->catalog == before) continue;
        bound.reusable = false;
        return false;
    }
    return true;
}

void SqlSession::close_past() noexcept {
    past_.clear();
    for (const std::shared_ptr<MovingPoint>& point : open_points_) point->snapshot.reset();
    open_points_.clear();
}

}  // namespace northstar::inline v0::sql
