#include "hard/isolation/journal.hpp"

#include <chrono>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include <fcntl.h>
#include <unistd.h>

namespace northstar::hard {

namespace {

/// A note: number of words behind it, finished, then the deed.
constexpr std::size_t k_deed_words = 7;

std::uint64_t word_at(const std::string& bytes, std::size_t index) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + index * sizeof word, sizeof word);
    return word;
}

Deed read_deed(const std::string& bytes, std::size_t at) {
    Deed deed;
    deed.name = word_at(bytes, at);
    deed.kind = static_cast<DeedKind>(word_at(bytes, at + 1));
    deed.outcome = static_cast<Outcome>(word_at(bytes, at + 2));
    deed.begin_ns = word_at(bytes, at + 3);
    deed.end_ns = word_at(bytes, at + 4);
    deed.txn = word_at(bytes, at + 5);
    std::uint64_t steps = word_at(bytes, at + 6);
    for (at += k_deed_words; steps > 0; --steps) {
        Step step;
        step.kind = static_cast<Step::Kind>(word_at(bytes, at));
        step.key = static_cast<Key>(word_at(bytes, at + 1));
        step.element = word_at(bytes, at + 2);
        step.list.resize(static_cast<std::size_t>(word_at(bytes, at + 3)));
        at += 4;
        for (Element& element : step.list) element = word_at(bytes, at++);
        deed.steps.push_back(std::move(step));
    }
    return deed;
}

}  // namespace

Journal::Journal(const std::string& path)
    : descriptor_(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600)) {
    if (descriptor_ < 0) throw std::runtime_error("cannot make the journal " + path);
}

Journal::~Journal() { ::close(descriptor_); }

void Journal::intend(const Deed& deed) { write(false, deed); }
void Journal::finish(const Deed& deed) { write(true, deed); }

void Journal::write(bool finished, const Deed& deed) {
    words_.assign({0, finished ? 1u : 0u, deed.name, static_cast<std::uint64_t>(deed.kind),
                   static_cast<std::uint64_t>(deed.outcome), deed.begin_ns, deed.end_ns, deed.txn, deed.steps.size()});
    for (const Step& step : deed.steps) {
        words_.insert(words_.end(), {static_cast<std::uint64_t>(step.kind), step.key, step.element, step.list.size()});
        words_.insert(words_.end(), step.list.begin(), step.list.end());
    }
    words_[0] = words_.size() - 1;
    const std::size_t bytes = words_.size() * sizeof(std::uint64_t);
    // One call: a process dies before it or behind it, on every file system in memory or out of it.
    if (::write(descriptor_, words_.data(), bytes) != static_cast<ssize_t>(bytes)) {
        throw std::runtime_error("cannot write a journal");
    }
}

std::vector<Deed> Journal::read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error("cannot read the journal " + path);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    const std::size_t words = bytes.size() / sizeof(std::uint64_t);
    std::vector<Deed> deeds;
    std::optional<Deed> intended;
    for (std::size_t at = 0; at < words;) {
        const auto length = static_cast<std::size_t>(word_at(bytes, at));
        if (length > words - at - 1) break;
        const bool finished = word_at(bytes, at + 1) == 1;
        Deed deed = read_deed(bytes, at + 2);
        at += length + 1;
        if (finished) {
            deeds.push_back(std::move(deed));
            intended.reset();
        } else {
            intended = std::move(deed);
        }
    }
    if (intended) {
        intended->outcome = Outcome::unknown;
        intended->end_ns = ~std::uint64_t{0};
        deeds.push_back(std::move(*intended));
    }
    return deeds;
}

std::uint64_t now_ns() {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
            .count());
}

}  // namespace northstar::hard
