#include "cartridge/build.hpp"

#include "base/error.hpp"
#include "cartridge/container.hpp"
#include "cartridge/kind.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

namespace northstar::inline v0 {

namespace detail {

namespace build_impl {

constexpr unsigned k_most_threads = 64;
/// Facts between two questions whether the build is still wanted.
constexpr std::uint64_t k_facts_per_look = 4096;

class Build final : public CartridgeBuild {
public:
    Build(const CartridgeKind& kind, const CartridgeParameters& parameters, const Snapshot& snapshot,
          const BuildOptions& options, CartridgeWriter& writer)
        : CartridgeBuild(writer), kind_(kind), parameters_(parameters), snapshot_(snapshot), options_(options) {
        threads_ = options.threads != 0 ? options.threads : std::thread::hardware_concurrency();
        threads_ = std::clamp(threads_, 1u, k_most_threads);
    }

    const CartridgeParameters& parameters() const override { return parameters_; }

    void each_fact(const std::function<void(const Fact&)>& fn) override {
        std::uint64_t seen = 0;
        detail::each_fact(kind_, parameters_, snapshot_, [&](const Fact& fact) {
            if (++seen % k_facts_per_look == 0) progress("reading", seen, 0);
            fn(fact);
        });
    }

    void parallel(std::size_t tasks, const std::function<void(std::size_t)>& fn) override {
        const std::size_t count = std::min<std::size_t>(threads_, tasks);
        std::atomic<std::size_t> next{0};
        std::exception_ptr failure;
        std::mutex failure_mutex;
        const auto work = [&] {
            try {
                for (std::size_t task; (task = next.fetch_add(1)) < tasks;) fn(task);
            } catch (...) {
                next.store(tasks);  // the others stop at their next task
                const std::lock_guard lock(failure_mutex);
                if (failure == nullptr) failure = std::current_exception();
            }
        };
        std::vector<std::thread> helpers;
        try {
            for (std::size_t i = 1; i < count; ++i) helpers.emplace_back(work);
        } catch (const std::exception&) {
            // Fewer threads than wanted: the result is the same.
        }
        work();
        for (std::thread& helper : helpers) helper.join();
        if (failure != nullptr) std::rethrow_exception(failure);
    }

    unsigned threads() const override { return threads_; }

    void progress(std::string_view stage, std::uint64_t done, std::uint64_t total) override {
        if (!options_.progress) return;
        const std::lock_guard lock(progress_mutex_);
        if (!options_.progress({stage, done, total})) {
            fail(Errc::cancelled, "the build of a cartridge was cancelled; what was there is still in force");
        }
    }

private:
    const CartridgeKind& kind_;
    const CartridgeParameters& parameters_;
    const Snapshot& snapshot_;
    const BuildOptions& options_;
    unsigned threads_ = 1;
    std::mutex progress_mutex_;
};

}  // namespace build_impl

std::string build_artifact(const CartridgeKind& kind, const CartridgeParameters& parameters, const Snapshot& snapshot,
                           const Hash& chain, const BuildOptions& options) {
    CartridgeWriter writer;
    build_impl::Build build(kind, parameters, snapshot, options, writer);
    build.progress("reading", 0, 0);
    kind.build(build);
    build.progress("writing", 0, 0);
    CartridgeHeader header;
    header.kind = kind.name();
    header.kind_version = kind.version();
    header.builder = std::string("northstar ") + version();
    header.built_at = snapshot.txn();
    header.chain = chain;
    return writer.finish(std::move(header), parameters);
}

}  // namespace detail

void CartridgeBuild::add(std::uint32_t section, std::vector<std::uint8_t> values) {
    writer_.add(section, std::move(values));
}
void CartridgeBuild::add(std::uint32_t section, std::vector<std::uint16_t> values) {
    writer_.add(section, std::move(values));
}
void CartridgeBuild::add(std::uint32_t section, std::vector<std::uint32_t> values) {
    writer_.add(section, std::move(values));
}
void CartridgeBuild::add(std::uint32_t section, std::vector<std::uint64_t> values) {
    writer_.add(section, std::move(values));
}

}  // namespace northstar::inline v0
