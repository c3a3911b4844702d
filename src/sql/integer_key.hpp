// integer_key.hpp -- integers and moments out of keys, by columns whose type is looked up once.  Layer: sql.
//
// In a key, behind the tag that says that there is a value, lies the number, the most significant byte first, with its
// sign turned round so that keys compare as bytes (key_encoding.hpp); of a descending column every bit is turned round.
#pragma once

#include "base/bytes.hpp"
#include "sql/key_encoding.hpp"

namespace northstar::inline v0::sql {

class IntegerKey {
public:
    IntegerKey() = default;
    /// A type of Form::integer.
    IntegerKey(Oid type, bool descending);

    /// Bytes of the number, without the tag.
    std::size_t width() const { return width_; }
    /// The number of the width() bytes from here on.
    Value take(const char* bytes) const {
        std::uint64_t number = 0;
        switch (width_) {
            case 8: number = __builtin_bswap64(detail::load_u64(bytes)); break;
            case 4: number = std::uint64_t{__builtin_bswap32(detail::load_u32(bytes))} << 32; break;
            default:
                for (std::uint32_t i = 0; i < width_; ++i)
                    number |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (56 - i * 8);
        }
        // Above it now lies the number, with nothing below.
        number ^= turned_;
        const unsigned unused = 64 - width_ * 8;
        return Value::integer(type_, unsigned_ ? static_cast<std::int64_t>(number >> unused)
                                               : static_cast<std::int64_t>(number) >> unused);
    }

private:
    Oid type_ = 0;
    std::uint32_t width_ = 8;
    bool unsigned_ = false;
    std::uint64_t turned_ = 0;  ///< bits that are turned round in the key, at the top
};

}  // namespace northstar::inline v0::sql
