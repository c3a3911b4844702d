// read.cpp -- opening and closing snapshots of the present.
#include "base/error.hpp"
#include "txn/core.hpp"
#include "txn/past.hpp"

#include <memory>
#include <utility>

namespace northstar::inline v0::detail {

ReadView* DatabaseCore::open_view() {
    check_usable();
    if (alone_.load(std::memory_order_relaxed)) [[unlikely]] look_for_writers();
    const Root* root = roots_->visible();
    if (processes_->load(Word::visible_txn) > root->txn.load(std::memory_order_relaxed)) [[unlikely]] {
        catch_up();
        root = roots_->visible();
    }
    return pin_root(root, roots_->visible_word());
}

OpenView::~OpenView() { DatabaseCore::close_view(view); }

/// The newest built root: what an optimistic transaction begins on. What was visible before is in it.
ReadView* DatabaseCore::open_built_view() {
    check_usable();
    const Txn visible = processes_->load(Word::visible_txn);
    for (;;) {
        if (roots_->built_word().load()->txn.load(std::memory_order_relaxed) >= visible) {
            ReadView* view = pin_root(roots_->built_word().load(), roots_->built_word());
            if (view->root->txn.load(std::memory_order_relaxed) >= visible) return view;
            close_view(view);
        }
        // Somebody moves to a newer base and has not replayed what lies behind it.
        follow(visible);
    }
}

/// Registers a root and makes sure that it was still the current one afterwards. [VIEW-1]
ReadView* DatabaseCore::pin_root(const Root* root, const std::atomic<const Root*>& current) {
    std::uint64_t number = root->number.load(std::memory_order_relaxed);
    ReadView* view = views_->claim(number);
    for (;;) {
        const Root* now = current.load(std::memory_order_seq_cst);
        if (now == root && now->number.load(std::memory_order_relaxed) == number) [[likely]] break;
        root = now;
        number = root->number.load(std::memory_order_relaxed);
        view->number.store(number, std::memory_order_seq_cst);
    }
    view->root = root;
    view->core = this;
    view->opened_us.store(coarse_us_.load(std::memory_order_relaxed), std::memory_order_relaxed);
    return view;
}

void DatabaseCore::close_view(ReadView* view) noexcept {
    if (view->past != nullptr) [[unlikely]] {
        std::unique_ptr<PastState> past(std::exchange(view->past, nullptr));
        if (past->root != 0) view->core->kept_pasts_->give(std::move(past));
    }
    ViewTable::release(view);
}

}  // namespace northstar::inline v0::detail
