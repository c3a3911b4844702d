// worker.hpp -- one thread of a run: transactions of all kinds and states of all times, each noted in its journal.
#pragma once

#include "hard/isolation/journal.hpp"

#include "api/northstar.hpp"
#include "base/random.hpp"

#include <functional>
#include <string>

namespace northstar::hard {

inline constexpr const char* k_list_tree = "lists";
inline constexpr const char* k_register_tree = "registers";
/// Annotation of a commit: the name of the deed.
inline constexpr const char* k_deed_annotation = "deed";
/// Keys that are in use at the same time; they give way to others so that lists stay short.
inline constexpr Key k_keys = 6;
inline constexpr std::uint64_t k_deeds_per_key_set = 24;

std::string key_text(Key key);
std::vector<Element> read_elements(const Tree& tree, Key key);
Element read_register(const Tree& tree, Key key);

class Worker {
public:
    /// `number`: of the thread in its run, from 1; it names its deeds and its elements.
    Worker(Database& db, Journal& journal, std::uint64_t number, std::uint64_t seed)
        : db_(db), journal_(journal), number_(number), random_(seed) {}

    /// One deed. Throws what is not an outcome that a transaction may have.
    void work();
    std::uint64_t conflicts() const { return conflicts_; }

private:
    Deed begin(DeedKind kind);
    Key pick();
    void transaction(DeedKind kind);
    void fill(Transaction& tx, Deed& deed);
    void read(const Tree& tree, Deed& deed, Key key);
    static void look_at_register(const Tree& tree, Deed& deed, Key key);
    void touch_register(Transaction& tx, Deed& deed, Key key);
    void present();
    void past();

    Database& db_;
    Journal& journal_;
    const std::uint64_t number_;
    detail::Random random_;
    std::uint64_t deeds_ = 0;
    std::uint64_t elements_ = 0;
    std::uint64_t conflicts_ = 0;
    Txn newest_ = 0;
};

}  // namespace northstar::hard
