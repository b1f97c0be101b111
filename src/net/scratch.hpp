// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "sluice/base/byte_writer.hpp"

namespace sluice::net {

/// Large buffers of one thread, free for use between two suspensions of a coroutine: bytes are
/// read here and written on at once; only what the other side does not take is copied
/// (performance-design 2, "Large bodies").
struct Scratch {
    static constexpr std::size_t kReadSize = 256 * 1024;

    std::unique_ptr<char[]> read = std::make_unique_for_overwrite<char[]>(kReadSize);
    ByteWriter head{96 * 1024};

    static Scratch& of_thread() {
        thread_local Scratch scratch;
        return scratch;
    }
};

}  // namespace sluice::net
