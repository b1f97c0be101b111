// SPDX-License-Identifier: Apache-2.0
#include "net/outbox.hpp"

#include <algorithm>

namespace sluice::net {

bool Outbox::write(std::span<const iovec> parts) {
    std::size_t skip = 0;
    if (backlog_.empty()) {
        const IoResult r = transport_.write(parts);
        if (r.state == Io::error || r.state == Io::eof) return false;
        skip = r.bytes;
        sent_ += r.bytes;
    }
    for (const iovec& part : parts) {
        const std::string_view bytes{static_cast<const char*>(part.iov_base), part.iov_len};
        const std::size_t taken = std::min(skip, bytes.size());
        skip -= taken;
        backlog_.append(bytes.substr(taken));
    }
    return true;
}

bool Outbox::flush() {
    while (!backlog_.empty()) {
        const std::string_view bytes = backlog_.view();
        const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
        const IoResult r = transport_.write({&part, 1});
        if (r.state == Io::would_block) return true;
        if (r.state != Io::done) return false;
        sent_ += r.bytes;
        backlog_.consume(r.bytes);
    }
    backlog_.release();
    return true;
}

}  // namespace sluice::net
