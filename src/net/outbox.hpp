// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/transport.hpp"
#include "sluice/base/buffer.hpp"

namespace sluice::net {

/// Bytes on their way out: sent at once when possible, what is not taken is kept in order.
class Outbox {
public:
    explicit Outbox(Transport& transport) : transport_{transport} {}

    bool is_empty() const { return backlog_.empty(); }
    std::uint64_t sent() const { return sent_; }
    void reset_count() { sent_ = 0; }
    /// False: the peer is gone.
    bool write(std::span<const iovec> parts);
    bool write(std::string_view bytes) {
        const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
        return write({&part, 1});
    }
    /// Tries to send what was kept. False: the peer is gone.
    bool flush();

private:
    Transport& transport_;
    Buffer backlog_{};
    std::uint64_t sent_ = 0;
};

}  // namespace sluice::net
