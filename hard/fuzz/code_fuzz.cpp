// code_fuzz.cpp -- any bytes as a source file of each language: readers never fail, what they find lies in the
// text and is the same again, and the rows that are made of it are read as what they say.
//
// Input: a byte with the language; then the file.
#include "hard/fuzz/target.hpp"

#include "tool/code/chunks.hpp"
#include "tool/code/facts.hpp"
#include "tool/text.hpp"

namespace northstar::hard {

namespace {

using namespace northstar_tool::code;

constexpr Language k_languages[] = {Language::c,    Language::cpp,        Language::python,     Language::go,
                                    Language::rust, Language::javascript, Language::typescript, Language::markdown};

void check_places(const ParsedSource& source, std::string_view text) {
    std::size_t before = 0;
    for (const Function& function : source.functions) {
        if (function.begin > function.body || function.body > function.end || function.end > text.size()) {
            finding("a function does not lie in its file");
        }
        if (function.begin < before) finding("functions are not in the order of their heads");
        before = function.begin;
        if (function.line == 0 || function.line > function.end_line || function.end_line > source.lines) {
            finding("a function has no lines");
        }
        if (function.name.empty()) finding("a function has no name");
    }
    for (const Comment& comment : source.comments) {
        if (comment.line == 0 || comment.line > comment.end_line) finding("a comment has no lines");
    }
}

bool same(const ParsedSource& a, const ParsedSource& b) {
    if (a.functions.size() != b.functions.size() || a.calls.size() != b.calls.size()) return false;
    for (std::size_t i = 0; i < a.functions.size(); ++i) {
        if (a.functions[i].name != b.functions[i].name || a.functions[i].end != b.functions[i].end) return false;
    }
    return a.imports.size() == b.imports.size() && a.comments.size() == b.comments.size() && a.lines == b.lines;
}

void rows_again(const ParsedSource& source, Language language) {
    for (const Function& function : source.functions) {
        FunctionFacts facts;
        facts.file = "file";
        facts.name = as_utf8(function.name);
        facts.scope = as_utf8(function.scope);
        facts.space = as_utf8(function.space);
        facts.method = function.method;
        facts.lines.emplace_back(function.line, function.end_line);
        for (const Call& call : function.calls) facts.calls[as_utf8(call.written)].push_back(call.line);
        const std::string row = encode(facts);
        if (encode(decode_function("file:f", row)) != row) finding("the row of a function is read as another one");
    }
    FileFacts file;
    file.language = language;
    file.blob = "bytes:0";
    file.lines = source.lines;
    for (const Import& import : source.imports) {
        file.imports.push_back(import);
        file.imports.back().written = as_utf8(import.written);
    }
    const std::string row = encode(file);
    if (encode(decode_file("file", row)) != row) finding("the row of a file is read as another one");
}

void run(std::span<const std::byte> input) {
    InputReader reader(input);
    const Language language = k_languages[reader.u8() % std::size(k_languages)];
    const std::span<const std::byte> rest = reader.rest();
    const std::string_view text(reinterpret_cast<const char*>(rest.data()), rest.size());
    const ParsedSource source = parse_source(language, text);
    check_places(source, text);
    if (text.size() < 5000 && !same(source, parse_source(language, text))) finding("a file is read in two ways");
    rows_again(source, language);
    for (const Chunk& chunk : chunks_of("dir/file", language, text, source)) {
        const ChunkRow row = decode_chunk(chunk.key, chunk.row);
        if (!northstar_tool::valid_utf8(row.text)) finding("a piece of text is not UTF-8");
        if (row.file != "dir/file" || row.line == 0) finding("a piece of text does not say where it is from");
    }
}

std::vector<Bytes> seeds() {
    std::vector<Bytes> result;
    const auto add = [&](std::uint8_t language, std::string_view text) {
        const std::string whole = static_cast<char>(language) + std::string(text);
        const std::span<const std::byte> bytes = std::as_bytes(std::span(whole));
        result.emplace_back(bytes.begin(), bytes.end());
    };
    static constexpr std::string_view k_c = R"X(#include <a.h>
#include "b.h"
#define F(x) g(x)
/* says
 * what */
static int f(int (*p)(void), char *s)
{
    return p() + h(s, '\'', "}\"");
}
#if 0
void {
#else
struct s { int (*q)(int); };
#endif
)X";
    add(0, k_c);
    add(1, k_c);
    add(1, R"X(namespace a::b { template <class T, int N = (1 > 2)> class C : public D<T> {
public:
  C() : x(f()), y{g()} {}
  auto operator()(int v) const noexcept -> T { return [&](auto z) { return h<int>(z >> 1); }(v); }
  ~C() = default;
};
}
const char* r = R"x(f() { )" )x";  // R
template <> void C<int>::m() & { p->q(); }
)X");
    add(2, R"X(import a.b as c, d
from .e import (f, g)

@dec(x)
async def f(a, b='''x
y''', *c: int) -> str:
    """Says what."""
    def inner(): return g(f"{h(1)}")
    class K(L):
        def m(self): self.n().o()
)X");
    add(3, R"X(package p
import (
    x "a/b"
    . "c"
)
// F says.
func (r *T[K]) F(a func(int) string) (b map[string]int, err error) {
    go func() { defer g(`raw }`) }()
    return h[int](r.x.y(1)), nil
}
)X");
    add(4, R"X(use a::{b, c::{self, d as e}, *};
mod m { pub(crate) unsafe fn f<'a, T: Fn(u8) -> u8>(x: &'a T) -> u8 where T: 'a {
    g!(x, 'c', b'\'', r#"}"#); x.h::<u8>(1) } }
impl<T> Tr for S<T> { fn i(&self) {} }
/* a /* b */ c */
)X");
    for (const std::uint8_t language : {std::uint8_t{5}, std::uint8_t{6}}) {
        add(language, R"X(import a, { b as c } from './d.js';
const e = require('f');
/** Says. */
export default async function* g(x = {a: 1}) {
  return `a ${h(`b ${i()}`)} c` + x / 2 / /re[/]g\/ex}/g.exec(j());
}
class K extends L { #p = () => q(); static async m() { super.m?.(); } get n() { return 1 } }
interface I<T> { o(x: T): void }
)X");
    }
    add(7, "# Title\n\ntext\n\n```c\nint f() { }\n```\nSub\n---\n* item\n\n## Two #\n<!-- no -->\n");
    return result;
}

}  // namespace

const Target k_code_target = {"code", run, nullptr, seeds};

}  // namespace northstar::hard
