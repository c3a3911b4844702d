// The tool's CSV and TSV reader, and the line source below it.
#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include <unistd.h>

#include "../tool/csv.hpp"
#include "../tool/input.hpp"

using namespace northstar_tool;

namespace tool_csv_test {

class TemporaryFile {
public:
    explicit TemporaryFile(std::string_view content) {
        path_ = "/tmp/northstar-tool-" + std::string(6, 'X');
        const int descriptor = ::mkstemp(path_.data());
        REQUIRE(descriptor >= 0);
        std::FILE* const file = ::fdopen(descriptor, "wb");
        REQUIRE(std::fwrite(content.data(), 1, content.size(), file) == content.size());
        REQUIRE(std::fclose(file) == 0);
    }
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    ~TemporaryFile() { ::unlink(path_.c_str()); }
    const std::string& path() const { return path_; }

private:
    std::string path_;
};

using Records = std::vector<std::vector<std::string>>;

/// All records; a bad one appears as {"!", line, reason}.
Records read_all(std::string_view text, csv::Dialect dialect, std::uint64_t limit = k_default_line_limit) {
    const TemporaryFile file(text);
    LineSource source(file.path(), limit);
    csv::Reader reader(source, dialect);
    Records all;
    for (;;) {
        switch (reader.next()) {
        case csv::Reader::Result::end: return all;
        case csv::Reader::Result::record: all.push_back(reader.fields()); break;
        case csv::Reader::Result::bad:
            all.push_back({"!", std::to_string(reader.line_number()), reader.reason()});
            break;
        }
    }
}

}  // namespace tool_csv_test
using namespace tool_csv_test;

TEST_CASE("CSV records are read", "[tool][fast]") {
    using csv::Dialect;
    CHECK(read_all("", Dialect::csv).empty());
    CHECK(read_all("a,b\nc,d\n", Dialect::csv) == Records{{"a", "b"}, {"c", "d"}});
    CHECK(read_all("a,b\r\nc,d", Dialect::csv) == Records{{"a", "b"}, {"c", "d"}});
    CHECK(read_all(",\n", Dialect::csv) == Records{{"", ""}});
    CHECK(read_all("\n", Dialect::csv) == Records{{""}});
    CHECK(read_all("\"a,\"\"b\"\"\r\nc\",d\r\n", Dialect::csv) == Records{{"a,\"b\"\r\nc", "d"}});
    CHECK(read_all("\"\",\"\"", Dialect::csv) == Records{{"", ""}});
    CHECK(read_all("\"a\n\n\nb\"\nx", Dialect::csv) == Records{{"a\n\n\nb"}, {"x"}});
    CHECK(read_all(std::string("\"\0\xff\",x", 6), Dialect::csv) == Records{{std::string("\0\xff", 2), "x"}});
}

TEST_CASE("bad CSV records are named and reading goes on behind them", "[tool][fast]") {
    using csv::Dialect;
    CHECK(read_all("a,b\nc\"d,e\nf,g\n", Dialect::csv) ==
          Records{{"a", "b"}, {"!", "2", "field 1 has a quote but does not begin with one"}, {"f", "g"}});
    CHECK(read_all("a,\"b\"c\nd,e", Dialect::csv) ==
          Records{{"!", "1", "field 2 has text behind its closing quote"}, {"d", "e"}});
    CHECK(read_all("a\rb,c\nd,e", Dialect::csv) ==
          Records{{"!", "1", "field 1 has a carriage return outside quotes"}, {"d", "e"}});
    CHECK(read_all("x\n\"a\nb", Dialect::csv) == Records{{"x"}, {"!", "2", "a quoted field is never closed"}});
}

TEST_CASE("TSV records are read and bad escapes refused", "[tool][fast]") {
    using csv::Dialect;
    CHECK(read_all("a\tb\r\n\"c\t\n", Dialect::tsv) == Records{{"a", "b"}, {"\"c", ""}});
    CHECK(read_all("\\t\\n\\r\\\\\\0\tx", Dialect::tsv) == Records{{std::string("\t\n\r\\\0", 5), "x"}});
    CHECK(read_all("a\\q\nb", Dialect::tsv) ==
          Records{{"!", "1", "field 1 has a backslash that is not \\t, \\n, \\r, \\0 or \\\\"}, {"b"}});
    CHECK(read_all("a\\", Dialect::tsv)[0][0] == "!");
}

TEST_CASE("lines beyond the limit are skipped, not stored", "[tool][fast]") {
    using csv::Dialect;
    const std::string big(100'000, 'x');
    CHECK(read_all("a\n" + big + "\nb\n", Dialect::csv, 1024) ==
          Records{{"a"}, {"!", "2", "the line is longer than 1.0 KiB"}, {"b"}});
    CHECK(read_all("a\n" + big, Dialect::tsv, 1024) == Records{{"a"}, {"!", "2", "the line is longer than 1.0 KiB"}});
    const std::string huge(3'000'000, 'y');
    CHECK(read_all("a\n" + huge + "\nb\n", Dialect::csv, 1024) ==
          Records{{"a"}, {"!", "2", "the line is longer than 1.0 KiB"}, {"b"}});
    CHECK(read_all("\"" + std::string(1000, 'q') + "\n" + std::string(1000, 'q') + "\nb\n", Dialect::csv, 1024)[0] ==
          std::vector<std::string>{"!", "1", "the record is longer than 1.0 KiB"});
    CHECK(read_all(std::string(1024, 'z') + "\n", Dialect::csv, 1024) == Records{{std::string(1024, 'z')}});
}

TEST_CASE("what is written is read back, whatever the bytes", "[tool][fast]") {
    for (const csv::Dialect dialect : {csv::Dialect::csv, csv::Dialect::tsv}) {
        std::mt19937_64 random(99);
        Records records;
        std::string text;
        for (int i = 0; i < 300; ++i) {
            std::vector<std::string> fields(1 + random() % 4);
            for (std::size_t f = 0; f < fields.size(); ++f) {
                fields[f].resize(random() % 12);
                for (char& c : fields[f])
                    c = random() % 3 == 0 ? "\",\r\n\t\\\0x"[random() % 8] : static_cast<char>(random());
                if (f > 0) text += dialect == csv::Dialect::csv ? ',' : '\t';
                csv::append_field(text, dialect, fields[f], fields.size() == 1);
            }
            text += '\n';
            records.push_back(std::move(fields));
        }
        CHECK(read_all(text, dialect) == records);
    }
}

TEST_CASE("position and fingerprint depend on the bytes alone", "[tool][fast]") {
    std::mt19937_64 random(5);
    std::string text;
    for (int i = 0; i < 20'000; ++i)
        text += std::string(random() % 60, static_cast<char>('a' + random() % 26)) + "\n";
    const TemporaryFile file(text);
    LineSource by_line(file.path(), 1024);
    std::string_view line;
    std::string together;
    for (int i = 0; i < 12'345; ++i) {
        REQUIRE(by_line.next(line) == LineSource::Result::line);
        together += line;
    }
    CHECK(by_line.line_number() == 12'345);
    CHECK(by_line.offset() == together.size());
    CHECK(text.compare(0, together.size(), together) == 0);

    LineSource skipping(file.path(), 1024);
    CHECK(skipping.skip(by_line.offset()) == by_line.offset());
    CHECK(skipping.fingerprint() == by_line.fingerprint());
    std::string_view other;
    REQUIRE(by_line.next(line) == LineSource::Result::line);
    REQUIRE(skipping.next(other) == LineSource::Result::line);
    CHECK(line == other);

    Fingerprint whole;
    Fingerprint pieces;
    whole.update(text);
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t step = std::min<std::size_t>(text.size() - at, random() % 23);
        pieces.update(std::string_view(text).substr(at, step));
        at += step;
    }
    CHECK(whole.value() == pieces.value());
    Fingerprint edited;
    text[777] = '?';
    edited.update(text);
    CHECK(whole.value() != edited.value());
    CHECK(skipping.skip(1'000'000'000) < 1'000'000'000);
}

TEST_CASE("files that cannot be read are said to be so", "[tool][fast]") {
    CHECK_THROWS_WITH(LineSource("/tmp", 1024), "/tmp is a directory, not a file");
    CHECK_THROWS_WITH(LineSource("/nonexistent/file", 1024),
                      "cannot open /nonexistent/file: No such file or directory");
}
