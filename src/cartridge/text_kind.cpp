// text_kind.cpp -- the kind "text": full text.
#include "cartridge/kind.hpp"
#include "cartridge/text_build.hpp"
#include "cartridge/text_data.hpp"

namespace northstar::inline v0::detail {

namespace text_kind_impl {

class TextKind final : public CartridgeKind {
public:
    std::string name() const override { return "text"; }
    std::uint32_t version() const override { return 2; }
    void check(const CartridgeParameters& parameters) const override { TextOptions{parameters}; }
    std::vector<std::string> trees(const CartridgeParameters& parameters) const override {
        return {TextOptions(parameters).tree};
    }
    void extract(const CartridgeParameters& parameters, std::string_view, std::string_view key, std::string_view value,
                 const FactSink& sink) const override {
        // Plain text is the fact as it is, by far the most usual one.
        if (!parameters.contains("fields")) return sink({key, value});
        std::vector<std::string> fields;
        if (fields_of_value(TextOptions(parameters), value, fields)) sink({key, encode_fields(fields)});
    }
    void build(CartridgeBuild& build) const override { build_text(build); }
    std::string problem_of(const Cartridge& cartridge) const override { return problem_of_text(cartridge); }
};

}  // namespace text_kind_impl

std::shared_ptr<const CartridgeKind> make_text_kind() { return std::make_shared<text_kind_impl::TextKind>(); }

}  // namespace northstar::inline v0::detail
