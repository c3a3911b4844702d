// sql_network_test.cpp -- stored addresses: what they are read as, and bytes that are none.
#include "sql/error.hpp"
#include "sql/network.hpp"

#include <catch2/catch.hpp>

#include <random>
#include <string>

using namespace northstar;

TEST_CASE("addresses that were stored are what was read", "[sql][NETWORK-1]") {
    for (const std::string text :
         {"10.1.2.3/8", "192.168.0.1", "0.0.0.0/0", "::1", "2001:db8::7/64", "::ffff:1.2.3.4"}) {
        CAPTURE(text);
        const sql::NetworkAddress address = sql::network_from_text(text, false);
        CHECK(sql::network_of_bytes(sql::network_to_bytes(address)) == address);
        std::string shown;
        sql::network_to_text(address, false, shown);
        CHECK(shown == text);
    }
}

TEST_CASE("bytes that are no address are damage", "[sql][NETWORK-1]") {
    const unsigned seed = GENERATE(1u, 2u);
    CAPTURE(seed);
    std::mt19937 random(seed);
    int damaged = 0;
    for (int i = 0; i < 20000; ++i) {
        std::string bytes(random() % 40, '\0');
        for (char& byte : bytes) byte = static_cast<char>(random() % (random() % 2 == 0 ? 4 : 256));
        try {
            const sql::NetworkAddress address = sql::network_of_bytes(bytes);
            std::string text;
            sql::network_to_text(address, true, text);
            CHECK(address.mask <= address.bits());
        } catch (const sql::SqlError& error) {
            CHECK(error.state() == sql::sqlstate::data_corrupted);
            ++damaged;
        }
    }
    CHECK(damaged > 0);
    CHECK_THROWS_AS(sql::network_of_bytes(""), sql::SqlError);
    CHECK_THROWS_AS(sql::mac_of_bytes("12345"), sql::SqlError);
    CHECK(sql::mac_of_bytes("123456") == "123456");
}
