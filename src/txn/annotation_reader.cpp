#include "txn/annotation_reader.hpp"

#include <utility>

namespace northstar::inline v0::detail {

AnnotationReader::AnnotationReader(std::shared_ptr<DatabaseCore> core, std::string_view key)
    : core_(std::move(core)), key_(key) {
    const OpenView view(core_->open_view());
    stand_on(*view.view->root);
}

void AnnotationReader::stand_on(const Root& root) {
    txn_ = root.txn.load(std::memory_order_relaxed);
    position_ = root.log_position;
}

std::optional<AnnotationReader::Missed> AnnotationReader::read(
    const std::function<void(Txn txn, std::string_view value)>& found) {
    // What is read stays where it is as long as its generation is in use.
    const OpenView view(core_->open_view());
    const Root& newest = *view.view->root;
    const Txn last = newest.txn.load(std::memory_order_relaxed);
    if (txn_ >= last) return std::nullopt;
    const std::optional<std::uint64_t> begin = next_position(*view.view);
    if (!begin) {
        const Missed missed{txn_ + 1, last};
        stand_on(newest);
        return missed;
    }
    for (std::uint64_t at = *begin; txn_ < last;) {
        const RecordView record = core_->log().read(at);
        at = record.kind() == RecordKind::next ? record.continues_at() : record.end();
        if (record.kind() != RecordKind::commit || record.txn() <= txn_) continue;
        record.each_annotation([&](std::string_view key, std::string_view value) {
            if (key == key_) found(record.txn(), value);
        });
        txn_ = record.txn();
        position_ = at;
    }
    return std::nullopt;
}

/// Where to look for the commit behind txn_; nullopt: it is not kept any more.
std::optional<std::uint64_t> AnnotationReader::next_position(const ReadView& view) const {
    const Base& base = *view.root->base;
    if (txn_ + 1 < core_->first_readable(view)) return std::nullopt;
    if (position_ >= base.meta.log_begin) return position_;
    return core_->find_position(base, txn_ + 1);
}

}  // namespace northstar::inline v0::detail
