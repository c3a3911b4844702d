// partition_files.hpp -- rows put aside by the hash of a key, to be read file by file when those in memory are done.
// Layer: sql.
//
// Hash partitioning with recursion (Graefe, "Query Evaluation Techniques for Large Databases", ACM Computing Surveys
// 25(2), 1993, section 4.2): who reads rows and runs out of memory puts those of keys that are not in memory aside, by
// some bits of the hash; each file is an input of its own later, divided by other bits where it is too large again.
//
// [PARTITION-1] All rows of one key that were put aside while one input was read lie in one file, in their order.
#pragma once

#include "sql/execute/spill_file.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace northstar::inline v0::sql {

class PartitionFiles {
public:
    static constexpr unsigned k_fan_bits = 5;

    /// Forgets what there is; `width` values in a row, 2^fan_bits files for an input.
    void reset(std::size_t width, unsigned fan_bits = k_fan_bits) {
        width_ = width;
        fan_bits_ = fan_bits;
        depth_ = 0;
        files_.clear();
        pending_.clear();
        current_.reset();
    }
    /// Rows of the present input may be put aside. Behind five divisions what is left has to fit.
    bool can_divide() const { return depth_ < k_deepest; }
    void add(const Batch& batch, std::size_t row, std::uint64_t hash) { file(hash).add(batch, row); }
    void add(const Value* row, std::uint64_t hash) { file(hash).add(row); }
    /// A row of that hash was put aside while the present input was read.
    bool has(std::uint64_t hash) const { return !files_.empty() && files_[number(hash)] != nullptr; }
    /// The present input has ended: the next one, valid until the next call; nullptr: there is none.
    SpillFile* next() {
        for (auto& file : files_)
            if (file != nullptr) pending_.push_back(std::move(file));
        files_.clear();
        current_.reset();
        if (pending_.empty()) return nullptr;
        current_ = std::move(pending_.back());
        pending_.pop_back();
        depth_ = current_->depth;
        current_->rows.rewind();
        return &current_->rows;
    }

private:
    static constexpr unsigned k_deepest = 5;
    struct File {
        SpillFile rows;
        unsigned depth;
    };

    /// Other bits of the hash at each depth: those of one file are equal in the bits before.
    std::size_t number(std::uint64_t hash) const {
        return hash * 0x9e3779b97f4a7c15u >> (64 - fan_bits_ * (depth_ + 1)) & ((std::size_t{1} << fan_bits_) - 1);
    }
    SpillFile& file(std::uint64_t hash) {
        if (files_.empty()) files_.resize(std::size_t{1} << fan_bits_);
        auto& file = files_[number(hash)];
        if (file == nullptr) file.reset(new File{SpillFile(width_), depth_ + 1});
        return file->rows;
    }

    std::size_t width_ = 0;
    unsigned fan_bits_ = k_fan_bits;
    unsigned depth_ = 0;                          // how often the present input was divided
    std::vector<std::unique_ptr<File>> files_;    // of the present input, by hash
    std::vector<std::unique_ptr<File>> pending_;  // to be read
    std::unique_ptr<File> current_;               // being read
};

}  // namespace northstar::inline v0::sql
