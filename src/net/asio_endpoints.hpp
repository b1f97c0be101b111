// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <vector>

#include "net/resolver.hpp"

namespace sluice::net {

/// For what connects through Asio, off the data path.
inline std::vector<boost::asio::ip::tcp::endpoint> to_asio(const Endpoints& endpoints) {
    std::vector<boost::asio::ip::tcp::endpoint> out;
    for (const Endpoint& e : endpoints) {
        boost::asio::ip::tcp::endpoint one;
        one.resize(e.size);
        std::copy_n(reinterpret_cast<const char*>(&e.address), e.size,
                    reinterpret_cast<char*>(one.data()));
        out.push_back(one);
    }
    return out;
}

}  // namespace sluice::net
