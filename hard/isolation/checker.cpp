#include "hard/isolation/checker.hpp"

#include "hard/isolation/dependency_graph.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

namespace northstar::hard {

const char* name_of(DeedKind kind) {
    switch (kind) {
        case DeedKind::exclusive: return "exclusive";
        case DeedKind::optimistic: return "optimistic";
        case DeedKind::snapshot: return "snapshot";
        case DeedKind::as_of: return "as of";
    }
    return "";
}

std::string describe(const Deed& deed) {
    std::string text = std::string(name_of(deed.kind)) + ' ' + std::to_string(deed.name >> 32) + '/' +
                       std::to_string(deed.name & 0xffffffffu);
    if (deed.outcome == Outcome::aborted) text += " (aborted)";
    if (deed.txn != 0) text += " (txn " + std::to_string(deed.txn) + ')';
    return text;
}

namespace {

std::string describe(Key key, const std::vector<Element>& list) {
    std::string text = "key " + std::to_string(key) + " [";
    const std::size_t from = list.size() > 8 ? list.size() - 8 : 0;
    if (from > 0) text += "... ";
    for (std::size_t i = from; i < list.size(); ++i) text += (i > from ? " " : "") + std::to_string(list[i]);
    return text + ']';
}

std::string describe(const Step& step) {
    if (!step.of_register()) return describe(step.key, step.list);
    return "register " + std::to_string(step.key) + " [" + std::to_string(step.element) + ']';
}

bool begins_with(const std::vector<Element>& list, const std::vector<Element>& front) {
    return front.size() <= list.size() && std::equal(front.begin(), front.end(), list.begin());
}

/// What a deed read of a key before its own appends, and what it must see after them.
class OwnView {
public:
    /// Nothing is known of a key until it is read: then its own appends come last.
    bool read(const Step& step) {
        if (step.of_register()) return registers_.try_emplace(step.key, step.element).first->second == step.element;
        State& state = states_[step.key];
        if (step.kind == Step::Kind::read_last) {
            if (!state.own.empty()) return step.element == state.own.back();
            if (state.list) return step.element == (state.list->empty() ? 0 : state.list->back());
            if (state.last) return *state.last == step.element;
            state.last = step.element;
            return true;
        }
        std::vector<Element> before = step.list;
        if (before.size() < state.own.size() ||
            !std::equal(state.own.begin(), state.own.end(),
                        before.end() - static_cast<std::ptrdiff_t>(state.own.size()))) {
            return false;
        }
        before.resize(before.size() - state.own.size());
        if (state.list) return *state.list == before;
        if (state.last && *state.last != (before.empty() ? 0 : before.back())) return false;
        state.list = std::move(before);
        return true;
    }
    void write(const Step& step) {
        if (step.of_register()) {
            registers_[step.key] = step.element;
            own_registers_.insert(step.key);
        } else {
            states_[step.key].own.push_back(step.element);
        }
    }
    bool has_written(const Step& step) const {
        if (step.of_register()) return own_registers_.contains(step.key);
        const auto found = states_.find(step.key);
        return found != states_.end() && !found->second.own.empty();
    }

private:
    struct State {
        std::optional<std::vector<Element>> list;
        std::optional<Element> last;
        std::vector<Element> own;
    };
    std::map<Key, State> states_;
    std::map<Key, Element> registers_;  ///< as last read or written
    std::set<Key> own_registers_;
};

class HistoryCheck {
public:
    explicit HistoryCheck(const std::vector<Deed>& deeds) : deeds_(deeds), graph_(deeds.size()) {}

    std::vector<Anomaly> run() {
        note_writers();
        look_inside();
        adopt_unknown();
        find_orders();
        look_at_reads();
        find_lost_writes();
        find_register_orders();
        add_edges();
        add_real_time();
        if (const std::optional<Cycle> cycle = graph_.worst_cycle()) {
            std::string report;
            for (std::size_t i = 0; i < cycle->edges.size(); ++i) {
                const Edge& edge = cycle->edges[i];
                report += describe(deeds_[edge.from]) + " --" + name_of(edge.kind) +
                          (edge.kind == EdgeKind::real_time ? "" : " " + std::to_string(edge.key)) + "--> ";
            }
            const Deed& first = deeds_[cycle->edges.front().from];
            const bool stale = cycle->name == "G-single-realtime" && first.reads_a_state();
            add(stale ? "stale read" : cycle->name, report + describe(first));
        }
        return std::move(anomalies_);
    }

private:
    struct Write {
        std::size_t deed = 0;
        Key key = 0;
        bool of_register = false;
        bool last = true;  ///< of the deed's writes to the key
    };
    using Place = std::pair<bool, Key>;  ///< a register or a list
    static Place place_of(const Step& step) { return {step.of_register(), step.key}; }
    /// The write whose effect a read shows: the last one of its key. 0: there was none.
    static Element shown_by(const Step& step) {
        if (step.kind != Step::Kind::read_list) return step.element;
        return step.list.empty() ? 0 : step.list.back();
    }
    static std::string name_of_key(const Step& step) {
        return (step.of_register() ? "register " : "key ") + std::to_string(step.key);
    }

    void add(std::string name, std::string report) {
        if (anomalies_.size() < 20) anomalies_.push_back({std::move(name), std::move(report)});
    }
    bool counts(std::size_t deed) const {
        const Deed& d = deeds_[deed];
        return d.outcome == Outcome::committed ||
               (d.outcome == Outcome::unknown && (d.txn != 0 || seen_.contains(deed)));
    }

    void note_writers() {
        for (std::size_t i = 0; i < deeds_.size(); ++i) {
            std::map<Place, Element> last;
            for (const Step& step : deeds_[i].steps) {
                if (!step.writes()) continue;
                const auto before = last.find(place_of(step));
                if (before != last.end()) writes_[before->second].last = false;
                last[place_of(step)] = step.element;
                if (!writes_.emplace(step.element, Write{i, step.key, step.of_register(), true}).second) {
                    add("duplicate", "two deeds write " + std::to_string(step.element));
                }
            }
        }
    }
    /// Each deed for itself.
    void look_inside() {
        for (const Deed& deed : deeds_) {
            OwnView view;
            for (const Step& step : deed.steps) {
                if (step.writes()) {
                    view.write(step);
                } else if (!view.read(step)) {
                    add("internal", describe(deed) + " reads " + describe(step) +
                                        ", which is not what it read or wrote before");
                }
            }
        }
    }
    /// A write of which nobody knows whether it was committed was, if anybody read it.
    void adopt_unknown() {
        const auto note = [&](Element element, std::size_t reader) {
            const auto found = writes_.find(element);
            if (found == writes_.end() || found->second.deed == reader) return;
            if (deeds_[found->second.deed].outcome == Outcome::unknown) seen_.insert(found->second.deed);
        };
        for (std::size_t i = 0; i < deeds_.size(); ++i) {
            if (deeds_[i].outcome != Outcome::committed) continue;
            for (const Step& step : deeds_[i].steps) {
                for (const Element element : step.list) note(element, i);
                if (!step.writes()) note(shown_by(step), i);
            }
        }
    }
    /// The longest list that was read of a key is its order; all others begin it.
    void find_orders() {
        for (std::size_t i = 0; i < deeds_.size(); ++i) {
            if (!counts(i)) continue;
            for (const Step& step : deeds_[i].steps) {
                if (step.kind != Step::Kind::read_list) continue;
                std::vector<Element>& order = orders_[step.key];
                if (begins_with(step.list, order)) {
                    order = step.list;
                } else if (!begins_with(order, step.list)) {
                    add("incompatible order", describe(deeds_[i]) + " reads " + describe(step.key, step.list) +
                                                  " where others read " + describe(step.key, order));
                }
            }
        }
        for (const auto& [key, order] : orders_) {
            for (std::size_t at = 0; at < order.size(); ++at) {
                if (!places_.emplace(order[at], at).second)
                    add("duplicate", describe(key, order) + " has one number twice");
            }
        }
    }
    void look_at_reads() {
        for (std::size_t i = 0; i < deeds_.size(); ++i) {
            if (deeds_[i].outcome == Outcome::unknown) continue;
            for (const Step& step : deeds_[i].steps) {
                for (const Element element : step.list) look_at_element(i, step, element);
                const Element last = shown_by(step);
                if (step.writes() || last == 0) continue;
                if (step.kind != Step::Kind::read_list) look_at_element(i, step, last);
                const auto found = writes_.find(last);
                if (found != writes_.end() && found->second.deed != i && !found->second.last) {
                    add("G1b", describe(deeds_[i]) + " reads " + std::to_string(last) + " of " + name_of_key(step) +
                                   ", an intermediate write of " + describe(deeds_[found->second.deed]));
                }
            }
        }
    }
    void look_at_element(std::size_t reader, const Step& step, Element element) {
        const auto found = writes_.find(element);
        if (found == writes_.end() || Place(found->second.of_register, found->second.key) != place_of(step)) {
            add("garbage read", describe(deeds_[reader]) + " reads " + std::to_string(element) + " of " +
                                    name_of_key(step) + ", which nobody wrote there");
            return;
        }
        const Deed& writer = deeds_[found->second.deed];
        if (writer.outcome == Outcome::aborted && found->second.deed != reader) {
            add("G1a", describe(deeds_[reader]) + " reads " + std::to_string(element) + " of " + name_of_key(step) +
                           ", written by " + describe(writer));
        }
        if (writer.begin_ns > deeds_[reader].end_ns) {
            add("future read", describe(deeds_[reader]) + " reads " + std::to_string(element) + " of " +
                                   name_of_key(step) + " before " + describe(writer) + " began");
        }
    }
    void find_lost_writes() {
        if (deeds_.empty() || deeds_.back().kind != DeedKind::snapshot) return;
        std::set<Key> read;
        for (const Step& step : deeds_.back().steps) {
            if (step.kind == Step::Kind::read_list) read.insert(step.key);
        }
        std::set<Element> left;
        for (const Step& step : deeds_.back().steps) left.insert(step.list.begin(), step.list.end());
        for (const auto& [element, write] : writes_) {
            // Whether a register was overwritten or lost is a matter of numbers.
            if (write.of_register) continue;
            if (deeds_[write.deed].outcome != Outcome::committed || !read.contains(write.key)) continue;
            if (left.contains(element)) continue;
            add("lost write", std::to_string(element) + " of key " + std::to_string(write.key) + ", committed by " +
                                  describe(deeds_[write.deed]) + ", is not there in the end");
        }
    }

    void add_edges() {
        for (const auto& [key, order] : orders_) {
            for (std::size_t at = 1; at < order.size(); ++at) {
                connect(writer_of(order[at - 1]), writer_of(order[at]), EdgeKind::ww, key);
            }
        }
        for (std::size_t i = 0; i < deeds_.size(); ++i) {
            if (!counts(i) || deeds_[i].kind == DeedKind::as_of) continue;
            OwnView own;
            for (const Step& step : deeds_[i].steps) {
                if (step.writes()) {
                    own.write(step);
                } else if (!own.has_written(step)) {
                    step.of_register() ? add_register_read(i, step) : add_read(i, step);
                }
            }
        }
    }
    /// The writes of each register whose place is known by the number of their commit, in order; the others.
    void find_register_orders() {
        for (const auto& [element, write] : writes_) {
            if (!write.of_register || !write.last || !counts(write.deed)) continue;
            (deeds_[write.deed].txn != 0 ? registers_ : unplaced_)[write.key].push_back(element);
        }
        for (auto& [key, elements] : registers_) {
            std::sort(elements.begin(), elements.end(), [&](Element a, Element b) {
                return deeds_[writes_.at(a).deed].txn < deeds_[writes_.at(b).deed].txn;
            });
            for (std::size_t at = 0; at < elements.size(); ++at) places_.emplace(elements[at], at);
            for (std::size_t at = 1; at < elements.size(); ++at) {
                connect(writer_of(elements[at - 1]), writer_of(elements[at]), EdgeKind::ww, key);
            }
        }
        // Whoever read a number before it wrote its own came behind it.
        for (std::size_t i = 0; i < deeds_.size(); ++i) {
            if (!counts(i)) continue;
            std::map<Key, Element> read;
            for (const Step& step : deeds_[i].steps) {
                if (step.kind == Step::Kind::read_register) read.emplace(step.key, step.element);
                if (step.kind == Step::Kind::put && read.contains(step.key)) over_[read[step.key]].push_back(i);
            }
        }
    }
    void add_register_read(std::size_t reader, const Step& step) {
        const std::vector<Element>& order = registers_[step.key];
        std::size_t next = 0;
        if (step.element != 0) {
            connect(writer_of(step.element), reader, EdgeKind::wr, step.key);
            const auto place = places_.find(step.element);
            next = place == places_.end() ? order.size() : place->second + 1;
            for (const std::size_t later : over_[step.element]) connect(reader, later, EdgeKind::rw, step.key);
        } else {
            for (const Element element : unplaced_[step.key]) {
                connect(reader, writer_of(element), EdgeKind::rw, step.key);
            }
        }
        if (next < order.size()) connect(reader, writer_of(order[next]), EdgeKind::rw, step.key);
    }
    void add_read(std::size_t reader, const Step& step) {
        const std::vector<Element>& order = orders_[step.key];
        std::size_t next = 0;
        const Element last = shown_by(step);
        if (last != 0) {
            connect(writer_of(last), reader, EdgeKind::wr, step.key);
            const auto place = places_.find(last);
            if (place == places_.end()) return;
            next = place->second + 1;
        }
        if (next < order.size()) connect(reader, writer_of(order[next]), EdgeKind::rw, step.key);
    }
    std::size_t writer_of(Element element) const {
        const auto found = writes_.find(element);
        return found == writes_.end() || !counts(found->second.deed) ? deeds_.size() : found->second.deed;
    }
    void connect(std::size_t from, std::size_t to, EdgeKind kind, Key key) {
        if (from != to && from < deeds_.size() && to < deeds_.size()) graph_.add({from, to, kind, key});
    }

    /// From each deed to those that were asked for after it had returned, but not to those that follow from
    /// others: only deeds that had returned, and that no other one which began after them had returned
    /// either, are kept as sources.
    void add_real_time() {
        std::vector<std::size_t> by_begin;
        for (std::size_t i = 0; i < deeds_.size(); ++i) {
            if (counts(i) && deeds_[i].kind != DeedKind::as_of) by_begin.push_back(i);
        }
        std::vector<std::size_t> by_end;
        for (const std::size_t i : by_begin) {
            if (deeds_[i].outcome == Outcome::committed) by_end.push_back(i);
        }
        std::sort(by_begin.begin(), by_begin.end(),
                  [&](std::size_t a, std::size_t b) { return deeds_[a].begin_ns < deeds_[b].begin_ns; });
        std::sort(by_end.begin(), by_end.end(),
                  [&](std::size_t a, std::size_t b) { return deeds_[a].end_ns < deeds_[b].end_ns; });
        std::vector<std::size_t> frontier;
        auto ended = by_end.begin();
        for (const std::size_t i : by_begin) {
            for (; ended != by_end.end() && deeds_[*ended].end_ns < deeds_[i].begin_ns; ++ended) {
                std::erase_if(frontier, [&](std::size_t f) { return deeds_[f].end_ns < deeds_[*ended].begin_ns; });
                frontier.push_back(*ended);
            }
            for (const std::size_t f : frontier) connect(f, i, EdgeKind::real_time, 0);
        }
    }

    const std::vector<Deed>& deeds_;
    DependencyGraph graph_;
    std::vector<Anomaly> anomalies_;
    std::unordered_map<Element, Write> writes_;
    std::set<std::size_t> seen_;  ///< of unknown outcome, and read by others
    std::map<Key, std::vector<Element>> orders_;
    std::unordered_map<Element, std::size_t> places_;     ///< in the order of its list or register
    std::map<Key, std::vector<Element>> registers_;       ///< in the order of their numbers
    std::map<Key, std::vector<Element>> unplaced_;        ///< of no known number
    std::map<Element, std::vector<std::size_t>> over_;    ///< deeds that read this and then wrote the register
};

}  // namespace

std::vector<Anomaly> check_history(const std::vector<Deed>& deeds) { return HistoryCheck(deeds).run(); }

std::vector<Anomaly> check_numbers(const std::vector<Deed>& deeds) {
    std::vector<Anomaly> anomalies;
    std::vector<const Deed*> ordered;
    for (const Deed& deed : deeds) {
        const bool placed = deed.reads_a_state() || deed.txn != 0;
        if (deed.outcome != Outcome::aborted && placed) ordered.push_back(&deed);
    }
    // A commit comes before the states that it made.
    std::stable_sort(ordered.begin(), ordered.end(), [](const Deed* a, const Deed* b) {
        return a->txn != b->txn ? a->txn < b->txn : a->reads_a_state() < b->reads_a_state();
    });
    std::map<Key, std::vector<Element>> state;
    std::map<Key, Element> registers;
    std::uint64_t last_commit = 0;
    for (const Deed* deed : ordered) {
        if (!deed->reads_a_state() && deed->txn == last_commit) {
            anomalies.push_back({"one number for two", describe(*deed) + " has the number of another commit"});
        }
        if (!deed->reads_a_state()) last_commit = deed->txn;
        for (const Step& step : deed->steps) {
            if (step.kind == Step::Kind::put) {
                registers[step.key] = step.element;
                continue;
            }
            if (step.kind == Step::Kind::read_register) {
                if (step.element == registers[step.key] || anomalies.size() >= 20) continue;
                anomalies.push_back({"not the state of its number",
                                     describe(*deed) + " reads " + describe(step) + " where " +
                                         std::to_string(registers[step.key]) + " was"});
                continue;
            }
            std::vector<Element>& list = state[step.key];
            if (step.kind == Step::Kind::append) {
                list.push_back(step.element);
                continue;
            }
            const bool right = step.kind == Step::Kind::read_list ? step.list == list
                                                                  : step.element == (list.empty() ? 0 : list.back());
            if (right || anomalies.size() >= 20) continue;
            anomalies.push_back({"not the state of its number", describe(*deed) + " reads " +
                                                                    describe(step.key, step.list) + " where " +
                                                                    describe(step.key, list) + " was"});
        }
    }
    return anomalies;
}

}  // namespace northstar::hard
