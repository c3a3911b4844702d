// libfuzzer_entry.cpp -- what libFuzzer calls; NORTHSTAR_FUZZ_TARGET names the target that a program is made for.
#include "hard/fuzz/mutate.hpp"
#include "hard/fuzz/target.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

using northstar::hard::Bytes;
using northstar::hard::Target;

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace {

const Target& target() {
    static const Target* const found = northstar::hard::find_target(NORTHSTAR_FUZZ_TARGET);
    if (found == nullptr) std::abort();
    return *found;
}

/// Made by the library itself; every run gets a part of its inputs from there.
const std::vector<Bytes>& seeds() {
    static const std::vector<Bytes> made = target().seeds();
    return made;
}

std::size_t give(const Bytes& from, std::uint8_t* to, std::size_t max_size) {
    const std::size_t size = std::min(from.size(), max_size);
    if (size != 0) std::memcpy(to, from.data(), size);
    return size;
}

}  // namespace

/// What making the seeds runs must not be taken for what the first input reaches.
extern "C" int LLVMFuzzerInitialize(int*, char***) {
    seeds();
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    target().run(std::as_bytes(std::span(data, size)));
    return 0;
}

/// One mutation in eight leaves checksums as they are: they must be checked too.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
    northstar::detail::Random random(seed);
    if (size <= 1 || random.chance(1, 64)) {
        const Bytes& begin = seeds()[static_cast<std::size_t>(random.below(seeds().size()))];
        size = give(begin, data, max_size);
    }
    if (random.chance(1, 2)) {
        size = LLVMFuzzerMutate(data, size, max_size);
    } else {
        Bytes changed(reinterpret_cast<const std::byte*>(data), reinterpret_cast<const std::byte*>(data) + size);
        const Bytes& other = seeds()[static_cast<std::size_t>(random.below(seeds().size()))];
        northstar::hard::mutate(changed, other, max_size, random);
        size = give(changed, data, max_size);
    }
    if (target().mend != nullptr && !random.chance(1, 8)) {
        Bytes mended(reinterpret_cast<const std::byte*>(data), reinterpret_cast<const std::byte*>(data) + size);
        target().mend(mended);
        size = give(mended, data, max_size);
    }
    return size;
}
