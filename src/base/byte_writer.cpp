// SPDX-License-Identifier: Apache-2.0
#include "sluice/base/byte_writer.hpp"

#include <utility>

namespace sluice {

void ByteWriter::grow(std::size_t n) {
    const std::size_t bigger = (size_ + n) * 2;
    auto data = std::make_unique_for_overwrite<char[]>(bigger);
    std::memcpy(data.get(), data_.get(), size_);
    data_ = std::move(data);
    capacity_ = bigger;
}

}  // namespace sluice
