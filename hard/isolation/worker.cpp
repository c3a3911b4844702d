#include "hard/isolation/worker.hpp"

#include "base/bytes.hpp"

#include <thread>

namespace northstar::hard {

std::string key_text(Key key) { return "list/" + std::to_string(key); }

std::vector<Element> read_elements(const Tree& tree, Key key) {
    std::vector<Element> list;
    if (const auto value = tree.get(key_text(key))) {
        for (std::size_t at = 0; at + sizeof(Element) <= value->size(); at += sizeof(Element)) {
            list.push_back(detail::load_u64(value->data() + at));
        }
    }
    return list;
}

Element read_register(const Tree& tree, Key key) {
    const auto value = tree.get(key_text(key));
    return value && value->size() == sizeof(Element) ? detail::load_u64(value->data()) : 0;
}

Deed Worker::begin(DeedKind kind) {
    Deed deed;
    deed.name = number_ << 32 | ++deeds_;
    deed.kind = kind;
    deed.begin_ns = now_ns();
    return deed;
}

Key Worker::pick() {
    return static_cast<Key>(deeds_ / k_deeds_per_key_set * k_keys + random_.below(k_keys));
}

void Worker::work() {
    switch (random_.below(8)) {
        case 0:
        case 1: transaction(DeedKind::exclusive); break;
        case 2:
        case 3:
        case 4: transaction(DeedKind::optimistic); break;
        case 5:
        case 6: present(); break;
        default: past(); break;
    }
}

void Worker::read(const Tree& tree, Deed& deed, Key key) {
    Step step;
    step.key = key;
    step.list = read_elements(tree, key);
    step.kind = random_.chance(1, 4) ? Step::Kind::read_last : Step::Kind::read_list;
    if (step.kind == Step::Kind::read_last) {
        step.element = step.list.empty() ? 0 : step.list.back();
        step.list.clear();
    }
    deed.steps.push_back(std::move(step));
}

void Worker::look_at_register(const Tree& tree, Deed& deed, Key key) {
    deed.steps.push_back({Step::Kind::read_register, key, read_register(tree, key), {}});
}

void Worker::touch_register(Transaction& tx, Deed& deed, Key key) {
    WritableTree tree = tx.tree(k_register_tree);
    if (random_.chance(1, 2)) {
        look_at_register(tree, deed, key);
        return;
    }
    // Nothing is read, so that no validation sees it.
    const Element element = number_ << 32 | ++elements_;
    std::byte bytes[sizeof(Element)];
    detail::store_u64(bytes, element);
    tree.put(key_text(key), {reinterpret_cast<const char*>(bytes), sizeof bytes});
    deed.steps.push_back({Step::Kind::put, key, element, {}});
}

void Worker::fill(Transaction& tx, Deed& deed) {
    WritableTree tree = tx.tree(k_list_tree);
    for (std::uint64_t left = random_.between(1, 5); left > 0; --left) {
        const Key key = pick();
        if (random_.chance(1, 3)) {
            touch_register(tx, deed, key);
            continue;
        }
        if (random_.chance(1, 2)) {
            read(tree, deed, key);
            continue;
        }
        // Its place in the list is read, whether that is noted or not.
        std::string value(tree.get(key_text(key)).value_or(std::string_view()));
        Step step;
        step.key = key;
        step.element = number_ << 32 | ++elements_;
        std::byte bytes[sizeof(Element)];
        detail::store_u64(bytes, step.element);
        value.append(reinterpret_cast<const char*>(bytes), sizeof bytes);
        tree.put(key_text(key), value);
        deed.steps.push_back(std::move(step));
        if (random_.chance(1, 4)) std::this_thread::yield();
    }
}

void Worker::transaction(DeedKind kind) {
    Deed deed = begin(kind);
    WriteOptions how;
    how.durability = random_.chance(1, 6) ? Durability::full : Durability::lazy;
    try {
        Transaction tx = kind == DeedKind::exclusive ? db_.begin_write(how) : db_.begin_optimistic(how);
        fill(tx, deed);
        tx.annotate(k_deed_annotation, std::to_string(deed.name));
        if (random_.chance(1, 12)) {
            tx.rollback();
            deed.outcome = Outcome::aborted;
        } else {
            journal_.intend(deed);
            deed.txn = tx.commit().txn;
        }
    } catch (const Error& error) {
        if (error.code() != Errc::conflict) throw;
        deed.outcome = Outcome::aborted;
        ++conflicts_;
    }
    deed.end_ns = now_ns();
    journal_.finish(deed);
    if (deed.txn != 0) newest_ = deed.txn;
}

void Worker::present() {
    Deed deed = begin(DeedKind::snapshot);
    const Snapshot now = db_.begin_read();
    deed.txn = newest_ = now.txn();
    const Tree tree = now.tree(k_list_tree);
    const Tree registers = now.tree(k_register_tree);
    const Key first = pick();
    // The same keys twice: a snapshot does not change.
    for (int round = 0; round < 2; ++round) {
        for (Key i = 0; i < 3; ++i) read(tree, deed, first + i);
        for (Key i = 0; i < 3; ++i) look_at_register(registers, deed, first + i);
        if (random_.chance(1, 2)) std::this_thread::yield();
    }
    deed.end_ns = now_ns();
    journal_.finish(deed);
}

void Worker::past() {
    Deed deed = begin(DeedKind::as_of);
    const Txn back = random_.below(random_.chance(1, 2) ? 4 : newest_ + 1);
    deed.txn = newest_ > back ? newest_ - back : 0;
    const Snapshot then = db_.begin_read(AsOf::txn(deed.txn));
    const Tree tree = then.tree(k_list_tree);
    const Tree registers = then.tree(k_register_tree);
    for (int i = 0; i < 4; ++i) {
        const Key key = static_cast<Key>(random_.below((deeds_ / k_deeds_per_key_set + 1) * k_keys));
        read(tree, deed, key);
        look_at_register(registers, deed, key);
    }
    deed.end_ns = now_ns();
    journal_.finish(deed);
    if (random_.chance(1, 40)) db_.checkpoint();
}

}  // namespace northstar::hard
