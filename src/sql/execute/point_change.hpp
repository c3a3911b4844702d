// point_change.hpp -- a change whose rows its values name, run without operators.  Layer: sql.
//
// INSERT .. VALUES brings its rows along, and UPDATE and DELETE of the row with a primary key look it up: neither needs
// a plan tree. What such a statement needs besides its rows, expressions made ready and the writer of the table, is
// kept from one run to the next.
//
// [POINT-2] It does what the change that it was made from would have done.
#pragma once

#include "sql/execute/change.hpp"
#include "sql/execute/execution.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace northstar::inline v0::sql {

class PointChange {
public:
    /// Has the change the shape for this? It must be optimized, and stay as long as what is made of it.
    static bool fits(const BoundChange& change);

    PointChange(BoundChange& change, Session& session, ExecutionHost& host, WriteAccess& access);
    ~PointChange();

    /// Rows of RETURNING are appended. Returns the number of rows changed. The parameters must stay until the next run.
    std::uint64_t run(const std::vector<Value>& parameters, RowStore& returned);
    /// The runner of the last run, for what it left over.
    ChangeRunner& runner();

private:
    struct Ready;
    void make_ready(const std::vector<Value>& parameters);
    void add_rows();
    void find_row();

    BoundChange& change_;
    Session& session_;
    ExecutionHost& host_;
    WriteAccess& access_;
    std::unique_ptr<Ready> ready_;  ///< made by the first run
};

}  // namespace northstar::inline v0::sql
