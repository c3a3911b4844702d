// entry_reader.hpp -- the columns of a scan out of entries of an index.  Layer: sql.
//
// Where they lie is looked up once; an entry is walked from its front as far as it must be.
#pragma once

#include "sql/execute/batch.hpp"
#include "sql/integer_key.hpp"
#include "sql/plan/plan.hpp"

#include <string_view>
#include <vector>

namespace northstar::inline v0::sql {

class EntryReader {
public:
    /// The scan must read entries only.
    EntryReader(const Plan& scan, const TypeCatalog* catalog);

    /// Adds a row to the batch, which has room for it: an entry's key and value. Payloads are copied into the arena of
    /// the batch.
    void read(std::string_view key, std::string_view row_key, Batch& batch) const;

    /// All columns are in the values of entries: their keys need not be put together.
    bool wants_row_keys() const { return row_keys_; }
    /// Makes the rows of entries with these values. The values live as long as the batch: strings may be views of them.
    void read(const std::vector<std::string_view>& row_keys, Batch& batch) const;

private:
    struct Step {
        KeyColumn column;
        IntegerKey integer;  ///< of a column of Form::integer
        int target = -1;     ///< column of the batch; -1: stepped over
    };
    static Step step_over(Oid type, KeyOrder order, const TypeCatalog* catalog);
    /// A string may be a view of the bytes, unless they are to be copied.
    template <bool copied>
    void walk(const std::vector<Step>& steps, std::string_view bytes, std::size_t row, Batch& batch) const;
    Value hidden(std::size_t column, std::string_view row_key) const;

    const Plan& scan_;
    const TypeCatalog* catalog_;
    bool row_keys_ = false;
    std::vector<Step> key_, row_key_;
    std::vector<std::size_t> hidden_;  // columns of the batch that are no columns of the table
    std::vector<std::pair<std::size_t, std::size_t>> copies_;  // a column that is asked for twice: from, to
};

}  // namespace northstar::inline v0::sql
