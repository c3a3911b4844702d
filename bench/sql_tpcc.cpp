// TPC-C's mix of transactions (specification revision 5.11, clause 2), simplified: one warehouse, no think times, fewer
// columns. New orders 45 %, payments 43 %, order status, delivery and stock level 4 % each.
#include <string>

#include "dataset.hpp"
#include "sql.hpp"

namespace bench {
namespace sql_tpcc_impl {

constexpr std::int64_t k_districts = 10;

struct Sizes {
    std::int64_t customers;  // of a district
    std::int64_t items;
};

void load(SqlEngine& engine, const Sizes& sizes) {
    engine.run("CREATE TABLE warehouse (w_id integer PRIMARY KEY, w_ytd bigint NOT NULL);"
               "CREATE TABLE district (d_id integer PRIMARY KEY, d_ytd bigint NOT NULL, d_next integer NOT NULL);"
               "CREATE TABLE customer (c_d_id integer, c_id integer, c_balance bigint NOT NULL, c_last text NOT NULL, "
               "c_payments integer NOT NULL, PRIMARY KEY (c_d_id, c_id));"
               "CREATE TABLE item (i_id integer PRIMARY KEY, i_price integer NOT NULL, i_name text NOT NULL);"
               "CREATE TABLE stock (s_i_id integer PRIMARY KEY, s_quantity integer NOT NULL, s_ytd bigint NOT NULL);"
               "CREATE TABLE orders (o_d_id integer, o_id integer, o_c_id integer NOT NULL, o_carrier integer, "
               "o_lines integer NOT NULL, PRIMARY KEY (o_d_id, o_id));"
               "CREATE INDEX orders_customer ON orders (o_d_id, o_c_id, o_id);"
               "CREATE TABLE new_order (n_d_id integer, n_o_id integer, PRIMARY KEY (n_d_id, n_o_id));"
               "CREATE TABLE order_line (l_d_id integer, l_o_id integer, l_number integer, l_i_id integer NOT NULL, "
               "l_quantity integer NOT NULL, l_amount bigint NOT NULL, PRIMARY KEY (l_d_id, l_o_id, l_number));"
               "CREATE TABLE payment_log (p_d_id integer, p_c_id integer, p_amount bigint)");
    engine.run("BEGIN");
    engine.run("INSERT INTO warehouse VALUES (1, 0)");
    const auto district = engine.prepare("INSERT INTO district VALUES ($1, 0, 1)");
    const auto customer = engine.prepare("INSERT INTO customer VALUES ($1, $2, 0, $3, 0)");
    for (std::int64_t d = 1; d <= k_districts; ++d) {
        district->bind(1, d);
        district->run();
        for (std::int64_t c = 1; c <= sizes.customers; ++c) {
            customer->bind(1, d);
            customer->bind(2, c);
            customer->bind(3, "LAST" + std::to_string(mix(static_cast<std::uint64_t>(c)) % 100));
            customer->run();
        }
    }
    const auto item = engine.prepare("INSERT INTO item VALUES ($1, $2, $3)");
    const auto stock = engine.prepare("INSERT INTO stock VALUES ($1, $2, 0)");
    for (std::int64_t i = 1; i <= sizes.items; ++i) {
        item->bind(1, i);
        item->bind(2, static_cast<std::int64_t>(mix(static_cast<std::uint64_t>(i)) % 10000 + 100));
        item->bind(3, "item " + std::to_string(i));
        item->run();
        stock->bind(1, i);
        stock->bind(2, std::int64_t{50});
        stock->run();
    }
    engine.run("COMMIT");
}

/// The statements of one session.
class Terminal {
public:
    Terminal(SqlEngine& engine, const Sizes& sizes, std::uint64_t seed) : sizes_(sizes), random_(seed) {
        begin_ = engine.prepare("BEGIN");
        commit_ = engine.prepare("COMMIT");
        next_order_ = engine.prepare("SELECT d_next FROM district WHERE d_id = $1");
        take_order_ = engine.prepare("UPDATE district SET d_next = d_next + 1 WHERE d_id = $1");
        add_order_ = engine.prepare("INSERT INTO orders VALUES ($1, $2, $3, NULL, $4)");
        add_new_ = engine.prepare("INSERT INTO new_order VALUES ($1, $2)");
        price_ = engine.prepare("SELECT i_price, i_name FROM item WHERE i_id = $1");
        stock_ = engine.prepare("SELECT s_quantity FROM stock WHERE s_i_id = $1");
        set_stock_ = engine.prepare("UPDATE stock SET s_quantity = $1, s_ytd = s_ytd + $2 WHERE s_i_id = $3");
        add_line_ = engine.prepare("INSERT INTO order_line VALUES ($1, $2, $3, $4, $5, $6)");
        pay_warehouse_ = engine.prepare("UPDATE warehouse SET w_ytd = w_ytd + $1 WHERE w_id = 1");
        pay_district_ = engine.prepare("UPDATE district SET d_ytd = d_ytd + $1 WHERE d_id = $2");
        pay_customer_ = engine.prepare("UPDATE customer SET c_balance = c_balance - $1, c_payments = c_payments + 1 "
                                       "WHERE c_d_id = $2 AND c_id = $3");
        log_payment_ = engine.prepare("INSERT INTO payment_log VALUES ($1, $2, $3)");
        balance_ = engine.prepare("SELECT c_balance, c_last FROM customer WHERE c_d_id = $1 AND c_id = $2");
        last_order_ = engine.prepare("SELECT o_id FROM orders WHERE o_d_id = $1 AND o_c_id = $2 "
                                     "ORDER BY o_id DESC LIMIT 1");
        lines_ = engine.prepare("SELECT l_i_id, l_amount FROM order_line WHERE l_d_id = $1 AND l_o_id = $2");
        oldest_ = engine.prepare("SELECT n_o_id FROM new_order WHERE n_d_id = $1 ORDER BY n_o_id LIMIT 1");
        drop_new_ = engine.prepare("DELETE FROM new_order WHERE n_d_id = $1 AND n_o_id = $2");
        carrier_ = engine.prepare("UPDATE orders SET o_carrier = $1 WHERE o_d_id = $2 AND o_id = $3");
        low_stock_ = engine.prepare("SELECT count(DISTINCT s_i_id) FROM order_line JOIN stock ON s_i_id = l_i_id "
                                    "WHERE l_d_id = $1 AND l_o_id >= $2 AND l_o_id < $3 AND s_quantity < 15");
    }

    void transaction() {
        const std::uint64_t kind = random_.below(100);
        begin_->run();
        if (kind < 45) new_order();
        else if (kind < 88) payment();
        else if (kind < 92) order_status();
        else if (kind < 96) delivery();
        else stock_level();
        commit_->run();
    }
    double read() const { return read_; }

private:
    std::int64_t any(std::int64_t count) {
        return static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(count))) + 1;
    }
    template <class... Values>
    std::int64_t one(SqlQuery& query, Values... values) {
        int n = 0;
        (query.bind(++n, values), ...);
        std::int64_t result = 0;
        while (query.step()) result += query.integer(0);
        read_ += static_cast<double>(result);
        return result;
    }
    template <class... Values>
    void change(SqlQuery& query, Values... values) {
        int n = 0;
        (query.bind(++n, values), ...);
        query.run();
    }

    void new_order() {
        const std::int64_t d = any(k_districts), c = any(sizes_.customers), lines = any(11) + 4;
        const std::int64_t order = one(*next_order_, d);
        change(*take_order_, d);
        change(*add_order_, d, order, c, lines);
        change(*add_new_, d, order);
        for (std::int64_t line = 1; line <= lines; ++line) {
            const std::int64_t item = any(sizes_.items), quantity = any(10);
            const std::int64_t price = one(*price_, item);
            const std::int64_t stock = one(*stock_, item);
            change(*set_stock_, stock > quantity + 10 ? stock - quantity : stock - quantity + 91, quantity, item);
            change(*add_line_, d, order, line, item, quantity, quantity * price);
        }
    }
    void payment() {
        const std::int64_t d = any(k_districts), c = any(sizes_.customers), amount = any(5000);
        change(*pay_warehouse_, amount);
        change(*pay_district_, amount, d);
        change(*pay_customer_, amount, d, c);
        change(*log_payment_, d, c, amount);
        one(*balance_, d, c);
    }
    void order_status() {
        const std::int64_t d = any(k_districts), c = any(sizes_.customers);
        one(*balance_, d, c);
        const std::int64_t order = one(*last_order_, d, c);
        if (order > 0) one(*lines_, d, order);
    }
    void delivery() {
        for (std::int64_t d = 1; d <= k_districts; ++d) {
            const std::int64_t order = one(*oldest_, d);
            if (order == 0) continue;
            change(*drop_new_, d, order);
            change(*carrier_, any(10), d, order);
            one(*lines_, d, order);
        }
    }
    void stock_level() {
        const std::int64_t d = any(k_districts);
        const std::int64_t next = one(*next_order_, d);
        one(*low_stock_, d, next - 20, next);
    }

    Sizes sizes_;
    Random random_;
    double read_ = 0;
    std::unique_ptr<SqlQuery> begin_, commit_, next_order_, take_order_, add_order_, add_new_, price_, stock_,
        set_stock_, add_line_, pay_warehouse_, pay_district_, pay_customer_, log_payment_, balance_,
        last_order_, lines_, oldest_, drop_new_, carrier_, low_stock_;
};

}  // namespace sql_tpcc_impl

void bench_sql_tpcc(SqlBench& bench) {
    using namespace sql_tpcc_impl;
    const std::string name = "B10 TPC-C-lite, one session";
    if (!bench.wanted(name)) return;
    const bool large = bench.options().rows >= 1'000'000;
    const Sizes sizes{large ? 3000 : 100, large ? 100'000 : 1000};
    const std::uint64_t transactions = large ? 5000 : 200;
    SqlBench::Pair pair = bench.open("tpcc");
    for (auto& engine : pair.engines) {
        load(*engine, sizes);
        engine->settle();
    }
    bench.race(name, 1.2, pair, [&](SqlEngine& engine, unsigned round) {
        Terminal terminal(engine, sizes, bench.options().seed * 1000 + round);
        for (std::uint64_t i = 0; i < transactions; ++i) terminal.transaction();
        SqlChecksum checksum;
        checksum.add(terminal.read());
        return SqlSlice{transactions, checksum.value()};
    });
}

}  // namespace bench
