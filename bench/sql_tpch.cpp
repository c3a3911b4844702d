#include "sql_tpch.hpp"

#include <algorithm>
#include <cstdio>
#include <stdexcept>

#include "dataset.hpp"

namespace bench {
namespace sql_tpch_impl {

constexpr const char* k_schema[] = {
    "CREATE TABLE region (r_regionkey integer PRIMARY KEY, r_name varchar(25) NOT NULL)",
    "CREATE TABLE nation (n_nationkey integer PRIMARY KEY, n_name varchar(25) NOT NULL, n_regionkey integer NOT NULL)",
    "CREATE TABLE supplier (s_suppkey integer PRIMARY KEY, s_name varchar(25) NOT NULL, s_address varchar(40) NOT NULL,"
    " s_nationkey integer NOT NULL, s_phone varchar(15) NOT NULL, s_acctbal decimal(15,2) NOT NULL, "
    "s_comment varchar(101) NOT NULL)",
    "CREATE TABLE part (p_partkey integer PRIMARY KEY, p_name varchar(55) NOT NULL, p_mfgr varchar(25) NOT NULL, "
    "p_brand varchar(10) NOT NULL, p_type varchar(25) NOT NULL, p_size integer NOT NULL, "
    "p_container varchar(10) NOT NULL, p_retailprice decimal(15,2) NOT NULL)",
    "CREATE TABLE partsupp (ps_partkey integer NOT NULL, ps_suppkey integer NOT NULL, ps_availqty integer NOT NULL, "
    "ps_supplycost decimal(15,2) NOT NULL, PRIMARY KEY (ps_partkey, ps_suppkey))",
    "CREATE TABLE customer (c_custkey integer PRIMARY KEY, c_name varchar(25) NOT NULL, c_address varchar(40) NOT NULL,"
    " c_nationkey integer NOT NULL, c_phone varchar(15) NOT NULL, c_acctbal decimal(15,2) NOT NULL, "
    "c_mktsegment varchar(10) NOT NULL, c_comment varchar(117) NOT NULL)",
    "CREATE TABLE orders (o_orderkey integer PRIMARY KEY, o_custkey integer NOT NULL, o_orderstatus varchar(1) NOT NULL"
    ", o_totalprice decimal(15,2) NOT NULL, o_orderdate date NOT NULL, o_orderpriority varchar(15) NOT NULL, "
    "o_clerk varchar(15) NOT NULL, o_shippriority integer NOT NULL, o_comment varchar(79) NOT NULL)",
    "CREATE TABLE lineitem (l_orderkey integer NOT NULL, l_partkey integer NOT NULL, l_suppkey integer NOT NULL, "
    "l_linenumber integer NOT NULL, l_quantity decimal(15,2) NOT NULL, l_extendedprice decimal(15,2) NOT NULL, "
    "l_discount decimal(15,2) NOT NULL, l_tax decimal(15,2) NOT NULL, l_returnflag varchar(1) NOT NULL, "
    "l_linestatus varchar(1) NOT NULL, l_shipdate date NOT NULL, l_commitdate date NOT NULL, "
    "l_receiptdate date NOT NULL, l_shipinstruct varchar(25) NOT NULL, l_shipmode varchar(10) NOT NULL, "
    "PRIMARY KEY (l_orderkey, l_linenumber))",
    "CREATE INDEX partsupp_supp ON partsupp (ps_suppkey)",
    "CREATE INDEX orders_cust ON orders (o_custkey)",
    "CREATE INDEX lineitem_part_supp ON lineitem (l_partkey, l_suppkey)",
    "CREATE INDEX lineitem_supp ON lineitem (l_suppkey)",
};

struct Nation {
    const char* name;
    int region;
};
constexpr Nation k_nations[25] = {
    {"ALGERIA", 0}, {"ARGENTINA", 1}, {"BRAZIL", 1}, {"CANADA", 1}, {"EGYPT", 4}, {"ETHIOPIA", 0}, {"FRANCE", 3},
    {"GERMANY", 3}, {"INDIA", 2}, {"INDONESIA", 2}, {"IRAN", 4}, {"IRAQ", 4}, {"JAPAN", 2}, {"JORDAN", 4}, {"KENYA", 0},
    {"MOROCCO", 0}, {"MOZAMBIQUE", 0}, {"PERU", 1}, {"CHINA", 2}, {"ROMANIA", 3}, {"SAUDI ARABIA", 4}, {"VIETNAM", 2},
    {"RUSSIA", 3}, {"UNITED KINGDOM", 3}, {"UNITED STATES", 1}};
constexpr const char* k_regions[5] = {"AFRICA", "AMERICA", "ASIA", "EUROPE", "MIDDLE EAST"};
constexpr const char* k_segments[5] = {"AUTOMOBILE", "BUILDING", "FURNITURE", "HOUSEHOLD", "MACHINERY"};
constexpr const char* k_priorities[5] = {"1-URGENT", "2-HIGH", "3-MEDIUM", "4-NOT SPECIFIED", "5-LOW"};
constexpr const char* k_modes[7] = {"REG AIR", "AIR", "RAIL", "SHIP", "TRUCK", "MAIL", "FOB"};
constexpr const char* k_instructions[4] = {"DELIVER IN PERSON", "COLLECT COD", "NONE", "TAKE BACK RETURN"};
constexpr const char* k_type_1[6] = {"STANDARD", "SMALL", "MEDIUM", "LARGE", "ECONOMY", "PROMO"};
constexpr const char* k_type_2[5] = {"ANODIZED", "BURNISHED", "PLATED", "POLISHED", "BRUSHED"};
constexpr const char* k_type_3[5] = {"TIN", "NICKEL", "BRASS", "STEEL", "COPPER"};
constexpr const char* k_container_1[5] = {"SM", "LG", "MED", "JUMBO", "WRAP"};
constexpr const char* k_container_2[8] = {"CASE", "BOX", "BAG", "JAR", "PKG", "PACK", "CAN", "DRUM"};
constexpr const char* k_colours[16] = {"almond", "azure", "beige", "blue", "chocolate", "coral", "forest", "green",
                                       "ivory", "lemon", "maroon", "navy", "olive", "plum", "red", "salmon"};
constexpr const char* k_words[12] = {"furiously", "quickly", "special", "pending", "requests", "deposits", "accounts",
                                     "Customer", "Complaints", "ideas", "packages", "final"};

/// The day number n of 1992-01-01 + n as yyyy-mm-dd (civil from days, H. Hinnant's algorithm).
std::string date_text(std::int64_t n) {
    const std::int64_t z = n + 8035 + 719468;
    const std::int64_t era = z / 146097;
    const std::int64_t day_of_era = z - era * 146097;
    const std::int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const std::int64_t month = (5 * day_of_year + 2) / 153;
    const std::int64_t day = day_of_year - (153 * month + 2) / 5 + 1;
    const std::int64_t m = month < 10 ? month + 3 : month - 9;
    char text[40];
    std::snprintf(text, sizeof text, "%04d-%02d-%02d", static_cast<int>(year_of_era + era * 400 + (m <= 2 ? 1 : 0)),
                  static_cast<int>(m), static_cast<int>(day));
    return text;
}

std::string cents(std::int64_t amount) {
    char text[40];
    const std::int64_t size = amount < 0 ? -amount : amount;
    std::snprintf(text, sizeof text, "%s%lld.%02lld", amount < 0 ? "-" : "", static_cast<long long>(size / 100),
                  static_cast<long long>(size % 100));
    return text;
}

class Generator {
public:
    Generator(SqlEngine& engine, double scale, std::uint64_t seed) : engine_(engine), random_(seed) {
        suppliers_ = std::max<std::int64_t>(10, static_cast<std::int64_t>(10'000 * scale));
        parts_ = std::max<std::int64_t>(200, static_cast<std::int64_t>(200'000 * scale));
        customers_ = std::max<std::int64_t>(150, static_cast<std::int64_t>(150'000 * scale));
        orders_ = customers_ * 10;
    }

    void run() {
        for (const char* const statement : k_schema) engine_.run(statement);
        engine_.run("BEGIN");
        nations();
        suppliers();
        parts();
        customers();
        orders();
        engine_.run("COMMIT");
    }

private:
    std::int64_t between(std::int64_t low, std::int64_t high) {
        return low + static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(high - low + 1)));
    }
    template <std::size_t N>
    const char* one_of(const char* const (&list)[N]) {
        return list[random_.below(N)];
    }
    std::string words(int count) {
        std::string text;
        for (int i = 0; i < count; ++i) text += (i == 0 ? std::string() : std::string(" ")) + one_of(k_words);
        return text;
    }
    std::string phone(std::int64_t nation) {
        char text[64];
        std::snprintf(text, sizeof text, "%02d-%03d-%03d-%04d", static_cast<int>(nation + 10),
                      static_cast<int>(between(100, 999)), static_cast<int>(between(100, 999)),
                      static_cast<int>(between(1000, 9999)));
        return text;
    }
    static std::string numbered(const char* name, std::int64_t number) {
        char text[64];
        std::snprintf(text, sizeof text, "%s#%09lld", name, static_cast<long long>(number));
        return text;
    }
    static std::int64_t price_of(std::int64_t part) { return 90000 + part / 10 % 20001 + 100 * (part % 1000); }
    /// Four different suppliers of a part, at every scale.
    std::int64_t supplier_of(std::int64_t part, std::int64_t i) const {
        return (part + i * (suppliers_ / 4) + (part - 1) / suppliers_) % suppliers_ + 1;
    }

    /// Rows come in transactions of some thousand, as programs load tables.
    template <class... Values>
    void add(SqlQuery& query, const Values&... values) {
        constexpr std::uint64_t k_rows_of_a_transaction = 4000;
        int n = 0;
        (bind(query, ++n, values), ...);
        query.run();
        if (++rows_ % k_rows_of_a_transaction != 0) return;
        engine_.run("COMMIT");
        engine_.run("BEGIN");
    }
    static void bind(SqlQuery& query, int n, std::int64_t value) { query.bind(n, value); }
    static void bind(SqlQuery& query, int n, const std::string& value) { query.bind(n, std::string_view(value)); }
    std::unique_ptr<SqlQuery> inserter(const char* table, int columns) {
        std::string text = std::string("INSERT INTO ") + table + " VALUES (";
        for (int i = 1; i <= columns; ++i) text += (i == 1 ? std::string("$") : std::string(", $")) + std::to_string(i);
        return engine_.prepare(text + ")");
    }

    void nations() {
        const auto region = inserter("region", 2);
        for (std::int64_t i = 0; i < 5; ++i) add(*region, i, std::string(k_regions[i]));
        const auto nation = inserter("nation", 3);
        for (std::int64_t i = 0; i < 25; ++i)
            add(*nation, i, std::string(k_nations[i].name), std::int64_t{k_nations[i].region});
    }
    void suppliers() {
        const auto insert = inserter("supplier", 7);
        for (std::int64_t key = 1; key <= suppliers_; ++key) {
            const std::int64_t nation = between(0, 24);
            const std::string comment = key % 200 == 1 ? "wake Customer slowly Complaints sleep" : words(6);
            add(*insert, key, numbered("Supplier", key), words(2), nation, phone(nation),
                cents(between(-99999, 999999)), comment);
        }
    }
    void parts() {
        const auto insert = inserter("part", 8);
        const auto offer = inserter("partsupp", 4);
        for (std::int64_t key = 1; key <= parts_; ++key) {
            const std::int64_t maker = between(1, 5);
            const std::string name = std::string(one_of(k_colours)) + " " + one_of(k_colours) + " " + one_of(k_colours);
            const std::string type = std::string(one_of(k_type_1)) + " " + one_of(k_type_2) + " " + one_of(k_type_3);
            add(*insert, key, name, std::string("Manufacturer#") + std::to_string(maker),
                std::string("Brand#") + std::to_string(maker * 10 + between(1, 5)), type, between(1, 50),
                std::string(one_of(k_container_1)) + " " + one_of(k_container_2), cents(price_of(key)));
            for (std::int64_t i = 0; i < 4; ++i)
                add(*offer, key, supplier_of(key, i), between(1, 9999), cents(between(100, 100000)));
        }
    }
    void customers() {
        const auto insert = inserter("customer", 8);
        for (std::int64_t key = 1; key <= customers_; ++key) {
            const std::int64_t nation = between(0, 24);
            add(*insert, key, numbered("Customer", key), words(2), nation, phone(nation),
                cents(between(-99999, 999999)), std::string(one_of(k_segments)), words(7));
        }
    }
    void orders() {
        constexpr std::int64_t k_days = 2406 - 151;         // of order dates: 1992-01-01 to 1998-08-02
        constexpr std::int64_t k_today = 1263;              // 1995-06-17
        const auto insert = inserter("orders", 9);
        const auto line = inserter("lineitem", 15);
        for (std::int64_t i = 0; i < orders_; ++i) {
            const std::int64_t key = i / 8 * 32 + i % 8 + 1;
            std::int64_t customer = between(1, customers_);
            while (customer % 3 == 0) customer = between(1, customers_);  // a third of the customers never orders
            const std::int64_t day = between(0, k_days);
            const std::int64_t lines = between(1, 7);
            std::int64_t total = 0;
            std::int64_t shipped = 0;
            for (std::int64_t number = 1; number <= lines; ++number) {
                const std::int64_t part = between(1, parts_), quantity = between(1, 50);
                const std::int64_t price = quantity * price_of(part), discount = between(0, 10), tax = between(0, 8);
                const std::int64_t ship = day + between(1, 121), commit = day + between(30, 90);
                const std::int64_t receipt = ship + between(1, 30);
                total += price * (100 - discount) / 100 * (100 + tax) / 100;
                shipped += ship <= k_today ? 1 : 0;
                add(*line, key, part, supplier_of(part, between(0, 3)), number, cents(quantity * 100), cents(price),
                    cents(discount), cents(tax),
                    std::string(receipt > k_today ? "N" : random_.below(2) == 0 ? "R" : "A"),
                    std::string(ship > k_today ? "O" : "F"), date_text(ship), date_text(commit), date_text(receipt),
                    std::string(one_of(k_instructions)), std::string(one_of(k_modes)));
            }
            add(*insert, key, customer, std::string(shipped == lines ? "F" : shipped == 0 ? "O" : "P"), cents(total),
                date_text(day), std::string(one_of(k_priorities)), numbered("Clerk", between(1, 1000)), std::int64_t{0},
                words(5));
        }
    }

    SqlEngine& engine_;
    Random random_;
    std::int64_t suppliers_, parts_, customers_, orders_;
    std::uint64_t rows_ = 0;
};

/// All answers of a query; numbers are compared to 6 digits, because SQLite adds decimals as doubles.
std::uint64_t checksum_of(SqlQuery& query) {
    SqlChecksum checksum;
    const int width = query.columns();
    while (query.step())
        for (int i = 0; i < width; ++i) {
            const std::string text = query.text(i);
            char* end = nullptr;
            const double number = std::strtod(text.c_str(), &end);
            if (text.empty() || *end != '\0') {
                checksum.add(std::string_view(text));
                continue;
            }
            char digits[40];
            std::snprintf(digits, sizeof digits, "%.5e", number == 0 ? 0.0 : number);
            checksum.add(std::string_view(digits));
        }
    return checksum.value();
}

}  // namespace sql_tpch_impl

void load_tpch(SqlEngine& engine, double scale, std::uint64_t seed) {
    sql_tpch_impl::Generator(engine, scale, seed).run();
}

void bench_sql_tpch(SqlBench& bench) {
    char name[32];
    bool any = false;
    for (int number = 1; number <= 22; ++number) {
        std::snprintf(name, sizeof name, "tpch/q%02d", number);
        any = any || bench.wanted(name);
    }
    if (!any) return;
    SqlBench::Pair pair = bench.open("tpch");
    for (auto& engine : pair.engines) {
        load_tpch(*engine, bench.options().scale, bench.options().seed);
        engine->run("ANALYZE");
        engine->settle();
    }
    for (int number = 1; number <= 22; ++number) {
        std::snprintf(name, sizeof name, "tpch/q%02d", number);
        bench.race(name, 0, pair, [&](SqlEngine& engine, unsigned) {
            const auto query = engine.prepare(tpch_query(number, engine.is_northstar()));
            return SqlSlice{1, sql_tpch_impl::checksum_of(*query)};
        });
    }
}

}  // namespace bench
