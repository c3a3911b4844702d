// arena.hpp -- memory that is given back all at once.  Layer: sql.  Threads: one at a time.
//
// [ARENA-1] What an arena handed out stays where it is until reset() or the arena's end.
// [ARENA-2] Nothing in an arena has a destructor that matters: only bytes and trivially destructible objects go
//           there.
// [ARENA-3] No piece is larger than 1 GiB (54000): no statement asks for a value without bounds.
#pragma once

#include "sql/error.hpp"

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace northstar::inline v0::sql {

constexpr std::size_t k_largest_piece = std::size_t{1} << 30;

/// For what is put together outside of an arena, while it grows. Raises 54000.
inline void check_piece(std::size_t bytes) {
    if (bytes > k_largest_piece) [[unlikely]]
        raise(sqlstate::program_limit_exceeded, "out of memory", "A value cannot be larger than 1 GiB.");
}

class Arena {
public:
    Arena() = default;
    Arena(Arena&& other) noexcept
        : blocks_(std::move(other.blocks_)),
          at_(std::exchange(other.at_, nullptr)),
          end_(std::exchange(other.end_, nullptr)),
          size_(std::exchange(other.size_, 0)) {}
    Arena& operator=(Arena&& other) noexcept {
        blocks_ = std::move(other.blocks_);
        at_ = std::exchange(other.at_, nullptr);
        end_ = std::exchange(other.end_, nullptr);
        size_ = std::exchange(other.size_, 0);
        return *this;
    }

    /// Uninitialised bytes, aligned to 8. O(1) but for the occasional new block.
    char* allocate(std::size_t bytes) {
        const std::size_t rounded = (bytes + 7) & ~std::size_t{7};
        if (rounded > static_cast<std::size_t>(end_ - at_) || at_ == nullptr) [[unlikely]]
            return allocate_block(rounded);
        char* result = at_;
        at_ += rounded;
        return result;
    }
    template <class T>
    T* allocate_array(std::size_t count) {
        static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= 8);
        return reinterpret_cast<T*>(allocate(count * sizeof(T)));
    }
    template <class T, class... Arguments>
    T* create(Arguments&&... arguments) {
        static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= 8);
        return new (allocate(sizeof(T))) T(std::forward<Arguments>(arguments)...);
    }
    /// A copy that lives as long as the arena.
    std::string_view copy(std::string_view text) {
        char* to = allocate(text.size());
        if (!text.empty()) std::memcpy(to, text.data(), text.size());
        return {to, text.size()};
    }
    /// Forgets everything; keeps the newest block for the next use.
    void reset() {
        if (blocks_.empty()) return;
        if (blocks_.size() > 1) {
            std::swap(blocks_.front(), blocks_.back());
            blocks_.resize(1);
        }
        at_ = blocks_.front().bytes.get();
        end_ = at_ + blocks_.front().size;
        size_ = blocks_.front().size;
    }
    /// Bytes held, for limits of memory.
    std::size_t size() const { return size_; }

private:
    struct Block {
        std::unique_ptr<char[]> bytes;
        std::size_t size = 0;
    };
    char* allocate_block(std::size_t rounded) {
        check_piece(rounded);
        constexpr std::size_t k_first_block = 4096;
        constexpr std::size_t k_largest_step = std::size_t{1} << 20;
        std::size_t size = blocks_.empty() ? k_first_block : blocks_.back().size * 2;
        if (size > k_largest_step) size = k_largest_step;
        if (rounded > size / 2) {
            // A large piece has a block of its own, so that what is left of the present one stays in use.
            Block own{std::unique_ptr<char[]>(new char[rounded + 8]), rounded + 8};
            char* result = own.bytes.get();
            size_ += own.size;
            blocks_.insert(blocks_.empty() ? blocks_.end() : blocks_.end() - 1, std::move(own));
            if (blocks_.size() == 1) at_ = end_ = result + rounded;
            return result;
        }
        blocks_.push_back({std::unique_ptr<char[]>(new char[size]), size});
        size_ += size;
        at_ = blocks_.back().bytes.get() + rounded;
        end_ = blocks_.back().bytes.get() + size;
        return blocks_.back().bytes.get();
    }

    std::vector<Block> blocks_;
    char* at_ = nullptr;
    char* end_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace northstar::inline v0::sql
