// vector_kind.cpp -- the kind "vectors": entries of one embedding space, and the graph between them.
#include "base/error.hpp"
#include "cartridge/kind.hpp"
#include "cartridge/vector_build.hpp"
#include "cartridge/vector_index.hpp"

namespace northstar::inline v0::detail {

namespace vector_kind_impl {

class VectorKind final : public CartridgeKind {
public:
    std::string name() const override { return "vectors"; }
    std::uint32_t version() const override { return 3; }
    ValueUse value_use() const override { return ValueUse::by_key; }
    void check(const CartridgeParameters& parameters) const override { read_vector_parameters(parameters); }
    std::vector<std::string> trees(const CartridgeParameters& parameters) const override {
        return {read_vector_parameters(parameters).tree};
    }
    void extract(const CartridgeParameters& parameters, std::string_view tree, std::string_view key,
                 std::string_view value, const FactSink& sink) const override {
        if (value.empty()) return;  // redacted
        check_entry(read_vector_parameters(parameters), tree, key, value);
        sink({key, value});
    }
    void build(CartridgeBuild& build) const override {
        build_vectors(build, read_vector_parameters(build.parameters()));
    }
    std::string problem_of(const Cartridge& cartridge) const override { return problem_of_vectors(cartridge); }

private:
    static void check_entry(const VectorParameters& parameters, std::string_view tree, std::string_view key,
                            std::string_view value) {
        const auto refuse = [&](const std::string& what) {
            fail(Errc::invalid_argument, "the entry '" + std::string(key) + "' of the tree " + std::string(tree) + ' ' +
                                             what + "; erase it, or keep it in another tree");
        };
        VectorValue parsed;
        try {
            parsed = parse_vector_value(value);
        } catch (const Error& error) {
            if (error.code() != Errc::invalid_argument) throw;
            refuse(std::string("cannot be among vectors: ") + error.what());
        }
        if (!parsed.is_of(parameters.space)) {
            refuse("is of the space " + to_string(parsed.space()) + ", and the cartridge is of " +
                   to_string(parameters.space));
        }
    }
};

}  // namespace vector_kind_impl

std::shared_ptr<const CartridgeKind> make_vector_kind() { return std::make_shared<vector_kind_impl::VectorKind>(); }

}  // namespace northstar::inline v0::detail
