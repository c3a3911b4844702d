// known_types.hpp -- types of the present catalog, and of past ones that a statement reads, named along the search path
// of the session.  Layer: sql.  Threads: one.
//
// A type that was dropped is still the type of values in past states. OIDs are never used twice, but types change:
// labels and fields get other names. A statement that reads a past state as a whole takes what the types were then;
// otherwise they are what they are now.
#pragma once

#include "sql/catalog/catalog.hpp"

#include <memory>
#include <set>
#include <utility>
#include <vector>

namespace northstar::inline v0::sql {

class KnownTypes final : public TypeCatalog {
public:
    /// `path` must live as long as it is the one in force.
    explicit KnownTypes(const std::vector<std::string>& path) : path_(&path) {}

    const std::vector<std::string>& search_path() const { return *path_; }
    const std::vector<std::string>& exchange_search_path(const std::vector<std::string>& path) {
        return *std::exchange(path_, &path);
    }
    void set_present(std::shared_ptr<const Catalog> catalog) { present_ = std::move(catalog); }
    void add_past(std::shared_ptr<const Catalog> catalog) { past_.push_back(std::move(catalog)); }
    /// The state that the whole statement reads: what types were there comes before what they are now.
    void set_whole(std::shared_ptr<const Catalog> catalog) { whole_ = std::move(catalog); }
    void forget_past() {
        past_.clear();
        whole_.reset();
    }
    /// Where names of types are looked up.
    const Catalog& first() const { return whole_ != nullptr ? *whole_ : *present_; }
    bool is_whole() const { return whole_ != nullptr; }

    const TypeInfo* find_type(Oid oid) const override {
        if (whole_ != nullptr)
            if (const TypeInfo* found = whole_->find_type(oid)) return found;
        if (const TypeInfo* found = present_->find_type(oid)) return found;
        for (const auto& catalog : past_)
            if (const TypeInfo* found = catalog->find_type(oid)) return found;
        return nullptr;
    }
    const TypeInfo* find_type(std::string_view name) const override { return first().find_type(name, *path_); }
    std::span<const EnumLabel> enum_labels(Oid oid) const override { return owner(oid).enum_labels(oid); }
    bool is_uncommitted_label(Oid oid, std::int64_t number) const override {
        return uncommitted_labels_.count({oid, number}) != 0;
    }
    void add_uncommitted_label(Oid oid, std::int64_t number) { uncommitted_labels_.emplace(oid, number); }
    void forget_uncommitted_labels() { uncommitted_labels_.clear(); }
    std::span<const FieldInfo> fields(Oid oid) const override { return owner(oid).fields(oid); }
    std::string object_name(Oid kind, Oid oid) const override {
        if (whole_ != nullptr)
            if (const std::string then = whole_->object_name(kind, oid, *path_); !then.empty()) return then;
        const std::string name = present_->object_name(kind, oid, *path_);
        if (!name.empty()) return name;
        for (const auto& catalog : past_)
            if (const std::string then = catalog->object_name(kind, oid, *path_); !then.empty()) return then;
        return {};
    }
    std::optional<Oid> object_oid(Oid kind, std::string_view name) const override {
        return first().object_oid(kind, name, *path_);
    }

private:
    const Catalog& owner(Oid oid) const {
        if (whole_ != nullptr && whole_->find_type(oid) != nullptr) return *whole_;
        if (present_->find_type(oid) != nullptr) return *present_;
        for (const auto& catalog : past_)
            if (catalog->find_type(oid) != nullptr) return *catalog;
        return *present_;
    }

    const std::vector<std::string>* path_;
    std::shared_ptr<const Catalog> present_;
    std::shared_ptr<const Catalog> whole_;  ///< null: that is the present, or several states
    std::vector<std::shared_ptr<const Catalog>> past_;
    std::set<std::pair<Oid, std::int64_t>> uncommitted_labels_;
};

}  // namespace northstar::inline v0::sql
