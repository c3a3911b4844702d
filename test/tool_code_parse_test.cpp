// What the lexical readers find in small files of each language, and that no bytes harm them.
#include <catch2/catch.hpp>

#include <algorithm>

#include "base/random.hpp"
#include "tool/code/code_model.hpp"
#include "tool/code/chunks.hpp"
#include "tool/code/parsed_source.hpp"

using namespace northstar_tool::code;

namespace {

std::string calls_of(const std::vector<Call>& calls) {
    std::string text;
    for (const Call& call : calls) text += " " + call.written + "@" + std::to_string(call.line);
    return text;
}

/// "scope|name 3-7: called@4 ...", a line for each function, and one for the calls outside.
std::string functions_of(Language language, std::string_view text) {
    const ParsedSource source = parse_source(language, text);
    std::string all;
    for (const Function& function : source.functions) {
        all += function.scope + (function.scope.empty() ? "" : "|") + function.name + " " +
               std::to_string(function.line) + "-" + std::to_string(function.end_line) + ":" +
               calls_of(function.calls) + "\n";
    }
    if (!source.calls.empty()) all += "outside:" + calls_of(source.calls) + "\n";
    return all;
}

std::string imports_of(Language language, std::string_view text) {
    std::string all;
    for (const Import& import : parse_source(language, text).imports) {
        all += (all.empty() ? "" : " ") + import.written + (import.optional ? "?" : "");
    }
    return all;
}

std::string comments_of(Language language, std::string_view text) {
    std::string all;
    for (const Comment& comment : parse_source(language, text).comments) {
        all += std::to_string(comment.line) + "-" + std::to_string(comment.end_line) + " " + comment.text + "|";
    }
    return all;
}

constexpr Language k_all[] = {Language::c,    Language::cpp,        Language::python,     Language::go,
                              Language::rust, Language::javascript, Language::typescript, Language::markdown};

}  // namespace

TEST_CASE("functions of C with their lines and calls", "[tool][code]") {
    CHECK(functions_of(Language::c, R"(#include <stdio.h>
static int twice(int x) { return x + x; }
struct point *make(int x,
                   int y)
{
    struct point *p = malloc(sizeof(*p));
    if (twice(x)) p->set(y);
    for (;;) while (0) return (struct point *)p;
}
int table[] = { N(1), 2 };
int declared(int);
typedef struct { int a; } t;
void (*hook)(int) = pick(3);
)") == "twice 2-2:\nmake 3-9: malloc@6 twice@7 .set@7\noutside: N@10 pick@13\n");
}

TEST_CASE("macros with parameters are functions, and other directives are passed over", "[tool][code]") {
    CHECK(functions_of(Language::c,
                       "#define TWICE(x) add(x, \\\n    copy(x))\n#define FLAG (1)\n"
                       "void f(void) {\n#if 0\n    never();\n#else\n    TWICE(1);\n#endif\n"
                       "#ifdef A\n    first();\n#elif B\n    second() {\n#else\n    third() {\n#endif\n}\n") ==
          "TWICE 1-2: add@1 copy@2\nf 4-17: TWICE@8 first@11\n");
}

TEST_CASE("methods, constructors and operators of C++ have their class", "[tool][code]") {
    CHECK(functions_of(Language::cpp, R"(namespace a::b {
template <class T, class = enable<(sizeof(T) > 1)>>
class Box final : public Base<T> {
public:
    Box(int x) : Base<T>(x), list_{1, 2}, text_("a") { grow(); }
    ~Box() { shrink(); }
    int size() const noexcept override { return list_.size(); }
    Box& operator=(const Box&) = default;
    bool operator==(const Box& other) const { return same(other); }
    int later(int x);
    int start_ = first();
};
template <class T>
int Box<T>::later(int x) { return this->size() + Box::make<int>(x) + std::move(x); }
namespace {
auto hidden() -> std::vector<int> { std::vector<int> list(size_of()); return list; }
}
}
extern "C" {
int plain(void) { auto f = [](int x) { return inner(x); }; Thing thing(arg()); return new_one<Thing>(f); }
}
)") == "Box|Box 5-5: grow@5\nBox|~Box 6-6: shrink@6\nBox|size 7-7: .size@7\nBox|operator== 9-9: same@9\n"
       "Box|later 14-14: this.size@14 Box::make@14 std::move@14\nhidden 16-16: size_of@16\n"
       "plain 20-20: inner@20 arg@20 new_one@20\noutside: first@11\n");
}

TEST_CASE("functions of C++ know their namespace and whether they are local", "[tool][code]") {
    const ParsedSource source = parse_source(
        Language::cpp,
        "namespace n { inline namespace v0 { void f() {} namespace { void g() {} } } }\nstatic void h() {}");
    REQUIRE(source.functions.size() == 3);
    CHECK(source.functions[0].space == "n::v0");
    CHECK_FALSE(source.functions[0].local);
    CHECK(source.functions[1].local);
    CHECK(source.functions[2].local);
}

TEST_CASE("strings, characters and raw strings hide what looks like code", "[tool][code]") {
    CHECK(functions_of(Language::cpp, "void f() {\n    g(\"} h(1) \\\" \", '}', '\"', R\"x(} i() )\" )x\", 1'000);\n"
                                      "    /* j( */ k(); // l(\n}\nvoid m() {}\n") == "f 1-4: g@2 k@3\nm 5-5:\n");
}

TEST_CASE("a file of C whose braces do not match loses one function, not the rest", "[tool][code]") {
    CHECK(functions_of(Language::c, "void f(void)\n{\n    if (x) {\n    g();\n}\nvoid h(void)\n{\n    i();\n}\n") ==
          "f 1-5: g@4\nh 6-9: i@8\n");
}

TEST_CASE("functions of Python by indentation", "[tool][code]") {
    CHECK(functions_of(Language::python, R"(import os
@decorated(1)
class Box(Base):
    """A box."""
    def __init__(self, x=default()):
        super().__init__(x)
        self.grow(
x)  # not indented, but inside parentheses
    async def load(self): return await os.read(x)

    def nested(self):
        def inner(y):
            return helper(y) if check(y) else f"{not_seen(y)}"
        return inner(2)
print("def no(): pass")
def last():
    pass
)") == "Box|__init__ 5-8: super@6 .__init__@6 self.grow@7\nBox|load 9-9: os.read@9\nBox|nested 11-14: inner@14\n"
       "Box.nested|inner 12-13: helper@13 check@13\nlast 16-17:\noutside: decorated@2 default@5 print@15\n");
}

TEST_CASE("functions of Go with their receivers", "[tool][code]") {
    CHECK(functions_of(Language::go, R"(package main
func (b *Box[T]) Size(x int) (n int, err error) { return len(b.items), nil }
func Map[T any](f func(T) T, m map[string]interface{}) struct{ n int } {
    go func() { run(`raw } "`) }()
    return pkg.Call(f)
}
type F func(int) int
var x = start('}')
)") == "Box|Size 2-2: len@2\nMap 3-6: run@4 pkg.Call@5\noutside: start@8\n");
    // Functions may be what comes out; one without a body ends where its line does.
    CHECK(functions_of(Language::go, R"(package main
func Logged(h Handler) func(Request) (func() error, error) {
    return func(r Request) (func() error, error) { return wrap(h, r), nil }
}
func (s *Server) Option(n int) (func(*Server), error) { return with(n), nil }
func assembled(x int) int
func last() func() { return nil }
)") == "Logged 2-4: wrap@3\nServer|Option 5-5: with@5\nlast 7-7:\n");
}

TEST_CASE("functions of Rust with their types and macros", "[tool][code]") {
    CHECK(functions_of(Language::rust, R"(use std::fmt;
impl<'a, T: Copy> fmt::Display for Box<'a, T> where T: Sized {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result { write!(f, "{}", self.size()) }
}
trait Shape { fn area(&self) -> f64; fn twice(&self) -> f64 { 2.0 * self.area() } }
mod inner { pub fn build<F>(f: F) -> impl Fn(u8) where F: Fn(u8) { let c = 'a'; helper::<u8>(c); Self::go(r#"}"#) } }
macro_rules! twice { ($x:expr) => { double($x) }; }
)") == "Box|fmt 3-3: write@3 self.size@3\nShape|twice 5-5: self.area@5\nbuild 6-6: helper@6 Self::go@6\n"
       "twice 7-7: double@7\n");
}

TEST_CASE("functions of JavaScript and TypeScript by their names", "[tool][code]") {
    CHECK(functions_of(Language::javascript, R"(function plain(a) { return /[/"]x(/.test(a) && helper(a); }
class Box extends Base {
  constructor(x) { super(x); this.grow(); }
  static async load() { await fetch(`a ${skipped(`b`)} }`); }
  #hidden() {}
  arrow = (x) => this.size(x);
}
const twice = x => double(x);
const make = function () { return new Box(1); };
const object = { method(a) { run(a); }, other: async (b) => { stop(b); } };
if (plain(1)) { plain(2); }
)") == "plain 1-1: .test@1 helper@1\nBox|constructor 3-3: super@3 this.grow@3\nBox|load 4-4: fetch@4\n"
       "Box|hidden 5-5:\nBox|arrow 6-6: this.size@6\ntwice 8-8: double@8\nmake 9-9: Box@9\nmethod 10-10: run@10\n"
       "other 10-10: stop@10\noutside: plain@11 plain@11\n");
    CHECK(functions_of(Language::typescript,
                       "export function f<T>(x: T, y?: number): Map<string, T> { return g<T>(x); }\n"
                       "abstract class A { abstract h(): void; i(): { n: number } { return this.j(); } }\n"
                       "const k: Handler = async (e: Event): Promise<void> => { l(e); };\n") ==
          "f 1-1: g@1\nA|i 2-2: this.j@2\nk 3-3: l@3\n");
}

TEST_CASE("imports as they are written", "[tool][code]") {
    CHECK(imports_of(Language::c, "#include <a.h>\n# include \"b/c.h\"\n#if 0\n#include \"no.h\"\n#endif\n") ==
          "a.h b/c.h");
    CHECK(imports_of(Language::python, "import a.b as c, d\nfrom .e import (f,\n g as h)\nfrom . import i\n") ==
          "a.b d .e .e.f? .e.g? .i?");
    CHECK(imports_of(Language::go, "import \"fmt\"\nimport (\n x \"a/b\"\n \"c\"\n)\n") == "fmt a/b c");
    CHECK(imports_of(Language::rust, "mod a;\nuse crate::b::{c, d::{self, E as F}, g::*};\n") ==
          "self::a crate::b::c? crate::b::d? crate::b::d::E? crate::b::g?");
    CHECK(imports_of(Language::javascript,
                     "import a, {b} from './c';\nimport 'd';\nexport * from \"e\";\n"
                     "const f = require('g'); import('h');\nexport const i = 1;\n") == "./c d e g h");
}

TEST_CASE("comments lose their marks, and neighbouring lines are one", "[tool][code]") {
    CHECK(comments_of(Language::cpp,
                      "// One\n// two.\n\n/// Three\nint x; // behind\n/* ---- */\n/** Four\n * five */\n//\n") ==
          "1-2 One\ntwo.|4-4 Three|5-5 behind|7-8 Four\nfive|");
    CHECK(comments_of(Language::python, "# one\n# two\ndef f():\n    '''Says\n    much.'''\n") ==
          "1-2 one\ntwo|4-5 Says\nmuch.|");
    CHECK(comments_of(Language::rust, "/* a /* bcd */ efg */ fn f() {}\n") == "1-1 a /* bcd */ efg|");
    CHECK(comments_of(Language::markdown, "intro\n# One\ntext\n```\n# no heading\n```\n## Two\n") ==
          "1-1 intro|2-6 One\ntext\n```\n# no heading\n```|7-7 Two|");
}

TEST_CASE("a function's piece of text has its head and what is said about it", "[tool][code]") {
    const std::string text = "// Adds\n// numbers.\nint add(int a,\n        int b) { return a + b; }\n\n// Alone\n";
    const std::vector<Chunk> chunks = chunks_of("m.c", Language::c, text, parse_source(Language::c, text));
    REQUIRE(chunks.size() == 2);
    CHECK(chunks[0].key.substr(0, 4) == "m.c#");
    CHECK(decode_chunk("", chunks[0].row).text == "Alone");
    CHECK(chunks[1].key == "m.c:add");
    CHECK(decode_chunk("", chunks[1].row).text == "int add(int a, int b)\nAdds\nnumbers.");
    CHECK(decode_chunk("", chunks[1].row).line == 3);
}

TEST_CASE("no input harms a reader", "[tool][code]") {
    std::vector<std::string> hostile = {"",
                                        "\"",
                                        "'",
                                        "`",
                                        "/*",
                                        "R\"(",
                                        "r#\"",
                                        "'''",
                                        "\"\"\"",
                                        "#",
                                        "\\",
                                        "#define",
                                        "#define F(",
                                        "#if",
                                        "#include",
                                        "(",
                                        ")",
                                        "{",
                                        "}",
                                        "<",
                                        ">",
                                        "::",
                                        "operator",
                                        "template<",
                                        "class",
                                        "def",
                                        "def f",
                                        "fn",
                                        "fn f",
                                        "func",
                                        "func (",
                                        "import",
                                        "from",
                                        "use",
                                        "impl",
                                        "import {",
                                        "function",
                                        "=>",
                                        "x =",
                                        "$",
                                        std::string(3, '\0'),
                                        "\xff\xfe(",
                                        "\xc3(x)",
                                        "`${`${`",
                                        "namespace",
                                        "macro_rules!",
                                        "macro_rules! x",
                                        "mod",
                                        "=",
                                        "f(",
                                        "-> x",
                                        "?"};
    const std::string code = "void f(int a) { g(a < b > (c)); }\n";
    hostile.push_back(std::string(1 << 20, 'x') + "(1);");                 // one line of a megabyte
    hostile.push_back("int f() { return " + std::string(1 << 17, '(') + "; }");
    hostile.push_back(std::string(1 << 17, '{') + code + std::string(1 << 17, '}'));
    hostile.push_back("f" + std::string(1 << 17, '<') + code);
    hostile.push_back("f" + std::string(1 << 17, '>') + "(" + code);
    hostile.push_back(std::string(1 << 17, ')') + code);
    for (const char* piece : {"a::",      "a.",      "({",       "([)]",     "<a,",    "f(",         "def f():\n ",
                              "use a::{", "\"\n",    "//\n",     "class a{", "enum{}", "/[",         "f():a{}",
                              "x=(y)=>",  "#if 1\n", "operator", "fn f<",    "`${",    "impl a for "}) {
        std::string many;
        while (many.size() < (60u << 10)) many += piece;
        hostile.push_back(many + code);
    }
    for (const Language language : k_all) {
        for (const std::string& text : hostile) {
            const ParsedSource source = parse_source(language, text);
            for (const Function& function : source.functions) {
                REQUIRE(function.begin <= function.body);
                REQUIRE(function.body <= function.end);
                REQUIRE(function.end <= text.size());
                REQUIRE(function.line >= 1);
                REQUIRE(function.line <= function.end_line);
            }
            (void)chunks_of("file", language, text, source);
        }
    }
}

TEST_CASE("no mixture of pieces of code harms a reader", "[tool][code]") {
    const std::vector<std::string_view> pieces = {"(",         ")",        "{",
                                                  "}",         "[",        "]",
                                                  "<",         ">",        ";",
                                                  ":",         "::",       ",",
                                                  ".",         "->",       "=>",
                                                  "=",         "\"",       "'",
                                                  "`",         "/*",       "*/",
                                                  "//",        "#",        "#if 0\n",
                                                  "#else\n",   "#endif\n", "#define F(x) ",
                                                  "\n",        "\n    ",   "\\\n",
                                                  " ",         "f",        "operator",
                                                  "template",  "class",    "struct A",
                                                  "namespace", "def ",     "async ",
                                                  "fn ",       "impl ",    "for",
                                                  "where ",    "func ",    "import ",
                                                  "from ",     "use ",     "mod ",
                                                  "function ", "static ",  "const ",
                                                  "return ",   "this",     "self",
                                                  "${",        "\xc3",     "\xe2\x82\xac",
                                                  "R\"x(",     ")x\"",     "r#\"",
                                                  "'''",       "0x1",      "1.5e+3",
                                                  "!",         "|",        "&",
                                                  "*",         "~"};
    constexpr std::uint64_t k_seed = 20240501;
    INFO("seed " << k_seed);
    northstar::detail::Random random(k_seed);
    for (int round = 0; round < 2000; ++round) {
        std::string text;
        for (std::uint64_t i = random.below(60); i > 0; --i) text += pieces[random.below(pieces.size())];
        INFO(text);
        for (const Language language : k_all) {
            const ParsedSource source = parse_source(language, text);
            for (const Function& function : source.functions) {
                REQUIRE(function.begin <= function.body);
                REQUIRE(function.body <= function.end);
                REQUIRE(function.end <= text.size());
            }
            (void)chunks_of("file", language, text, source);
        }
    }
}

// ---- what names mean ----------------------------------------------------------------------------------------------

namespace {

/// Puts a file of text into a model.
void put(CodeModel& model, const std::string& path, const std::string& text) {
    FileFacts file;
    file.language = language_of(path);
    CodeModel::Functions functions;
    const ParsedSource source = parse_source(file.language, text);
    file.imports = source.imports;
    for (const Call& call : source.calls) file.calls[call.written].push_back(call.line);
    for (const Function& function : source.functions) {
        const std::string name = qualified_name(file.language, function.scope, function.name);
        FunctionFacts& facts = functions[function_id(path, name)];
        facts = {path,         function.name, function.scope, function.space, function.macro, function.method,
                 function.local, {{function.line, function.end_line}}, facts.calls};
        for (const Call& call : function.calls) facts.calls[call.written].push_back(call.line);
        file.functions.push_back(name);
    }
    model.put_file(path, std::move(file), std::move(functions), false);
}

std::string edges_of(CodeModel& model, const std::string& caller) {
    std::string all;
    for (const auto& [target, certainty] : model.calls_of(caller)) {
        all += (all.empty() ? "" : " ") + std::string(name_of(certainty)) + "=" + target;
    }
    return all;
}

std::string joined(const std::vector<std::string>& words) {
    std::string all;
    for (const std::string& word : words) all += (all.empty() ? "" : " ") + word;
    return all;
}

}  // namespace

TEST_CASE("a call means the definition in the file, then in what is included, then anywhere", "[tool][code]") {
    CodeModel model;
    put(model, "a.c",
        "#include \"b.h\"\nvoid here(void) {}\nvoid both(void) {}\nvoid f(void) { here(); there(); both(); far(); "
        "none(); }");
    put(model, "b.h", "void there(void);");
    put(model, "b.c", "void there(void) {}\nvoid both(void) {}");
    put(model, "x/c.c", "void far(void) {}\nvoid there(void) {}");
    CHECK(edges_of(model, "a.c:f") == "unplaced=?none calls=a.c:both calls=a.c:here calls=b.c:there calls=x/c.c:far");
}

TEST_CASE("a call with several equal meanings may mean each, and one with too many means none", "[tool][code]") {
    CodeModel model;
    put(model, "a.c", "void f(void) { g(); h(); }");
    put(model, "b.c", "void g(void) {}\nstatic void h(void) {}");
    put(model, "c.c", "void g(void) {}\nvoid h(void) {}");
    CHECK(edges_of(model, "a.c:f") == "maybe=b.c:g maybe=c.c:g calls=c.c:h");
    for (int i = 0; i < 8; ++i) put(model, "d" + std::to_string(i) + ".c", "void g(void) {}");
    CHECK(edges_of(model, "a.c:f") == "unplaced=?g calls=c.c:h");
}

TEST_CASE("methods are told from functions", "[tool][code]") {
    CodeModel model;
    put(model, "a.hpp",
        "namespace n { struct A { void run() { step(); this->step(); other.step(); B::make(); } void step() {} }; }");
    put(model, "b.cpp", "#include \"a.hpp\"\nnamespace n { struct B { void step() {} static void make() {} };\n"
                        "void use(A& a) { a.run(); a.unknown(); step(); std::make(); n::use(a); A(1); } }");
    put(model, "c.cpp", "namespace n { struct C { void close() { inner_.close(); } }; }");
    CHECK(edges_of(model, "c.cpp:C::close") == "unplaced=?close");
    CHECK(edges_of(model, "a.hpp:A::run") == "calls=a.hpp:A::step calls=b.cpp:B::make");
    CHECK(edges_of(model, "b.cpp:use") ==
          "unplaced=?A unplaced=?make unplaced=?unknown calls=a.hpp:A::run maybe=b.cpp:B::step calls=b.cpp:use");
}

TEST_CASE("a module's name before the dot tells which function is meant", "[tool][code]") {
    CodeModel model;
    put(model, "p/a.py",
        "from . import util\nfrom p.box import Box\ndef f():\n    util.run()\n    Box(1).open()\n    run()\n");
    put(model, "p/util.py", "def run(): pass\n");
    put(model, "q/other.py", "def run(): pass\n");
    put(model, "p/box.py", "class Box:\n    def __init__(self, x): self.open()\n    def open(self): pass\n");
    CHECK(edges_of(model, "p/a.py:f") == "calls=p/box.py:Box.__init__ calls=p/box.py:Box.open calls=p/util.py:run");
    CHECK(edges_of(model, "p/box.py:Box.__init__") == "calls=p/box.py:Box.open");
}

TEST_CASE("imports find files by their paths", "[tool][code]") {
    CodeModel model;
    for (const char* path : {"src/x/a.hpp", "src/y/a.hpp", "src/x/m.cpp", "pkg/__init__.py", "pkg/sub/mod.py",
                             "go/util/a.go", "go/util/b.go", "go/main.go", "web/index.js", "web/lib/index.ts",
                             "web/lib/one.ts", "rs/lib.rs", "rs/net/mod.rs", "rs/net/tcp.rs", "pkg/sub/peer.py"}) {
        put(model, path, "");
    }
    FileIndex index;
    for (const auto& [path, facts] : model.files()) index.add(path, facts.language);
    const auto find = [&](const std::string& importer, const std::string& written) {
        return joined(index.resolve(importer, language_of(importer), written));
    };
    CHECK(find("src/x/m.cpp", "a.hpp") == "src/x/a.hpp");
    CHECK(find("src/x/m.cpp", "y/a.hpp") == "src/y/a.hpp");
    CHECK(find("src/x/m.cpp", "../y/a.hpp") == "src/y/a.hpp");
    CHECK(find("src/x/m.cpp", "vector") == "");
    CHECK(find("pkg/sub/mod.py", ".peer") == "pkg/sub/peer.py");
    CHECK(find("pkg/sub/mod.py", "..") == "pkg/__init__.py");
    CHECK(find("pkg/sub/mod.py", "pkg") == "pkg/__init__.py");
    CHECK(find("pkg/__init__.py", "pkg.sub.mod") == "pkg/sub/mod.py");
    CHECK(find("go/main.go", "example.org/me/go/util") == "go/util/a.go go/util/b.go");
    CHECK(find("go/main.go", "fmt") == "");
    CHECK(find("web/index.js", "./lib") == "web/lib/index.ts");
    CHECK(find("web/lib/index.ts", "./one.js") == "web/lib/one.ts");
    CHECK(find("web/lib/one.ts", "react") == "");
    CHECK(find("rs/lib.rs", "self::net") == "rs/net/mod.rs");
    CHECK(find("rs/net/mod.rs", "self::tcp") == "rs/net/tcp.rs");
    CHECK(find("rs/lib.rs", "crate::net::tcp::Stream") == "rs/net/tcp.rs");
    CHECK(find("rs/net/tcp.rs", "std::fmt") == "");
}

TEST_CASE("a change says which calls may mean something else now", "[tool][code]") {
    CodeModel model;
    put(model, "a.c", "#include \"b.h\"\nvoid f(void) { g(); }\nvoid k(void) { l(); }");
    put(model, "c.c", "void m(void) { g(); }");
    model.take_dirty();
    put(model, "b.c", "void g(void) {}");
    CodeModel::Dirty dirty = model.take_dirty();
    CHECK(dirty.callers == std::set<std::string>{"a.c:f", "b.c", "b.c:g", "c.c:m"});
    put(model, "b.h", "");
    dirty = model.take_dirty();
    CHECK(dirty.files == std::set<std::string>{"a.c", "b.h"});
    put(model, "b.c", "void g(void) { n(); }");  // only its body
    CHECK(model.take_dirty().callers == std::set<std::string>{"b.c", "b.c:g"});
    model.remove_file("b.c");
    CHECK(model.take_dirty().callers == std::set<std::string>{"a.c:f", "c.c:m"});
}
