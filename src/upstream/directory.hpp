// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "net/resolver.hpp"
#include "sluice/base/result.hpp"
#include "sluice/config/model.hpp"
#include "upstream/backend.hpp"

namespace sluice::upstream {

/// Turns backends of the configuration into what workers use, and keeps numbers, name look-ups
/// and TLS sessions across reloads. Control thread only.
class Directory {
public:
    Directory(net::Resolver& resolver, telemetry::Metrics& metrics)
        : resolver_{resolver}, metrics_{metrics} {}

    /// Starts a new configuration: what no later find() asks for is forgotten by finish().
    Result<void> begin(const config::Config&);
    /// The backend of that name, or one made for this address.
    std::shared_ptr<const Backend> find(std::string_view authority, std::string_view host,
                                        std::uint16_t port, bool secure);
    void finish();

private:
    struct Watched {
        net::Resolver::Watch watch{};
        std::uint64_t generation = 0;
    };
    Result<Backend> make(const config::Backend&);
    Target target(const std::string& host, std::uint16_t port, bool secure,
                  std::shared_ptr<const net::ClientTls> tls, std::string_view tls_identity);
    std::uint32_t number(std::map<std::string, std::uint32_t>&, const std::string& identity);

    net::Resolver& resolver_;
    telemetry::Metrics& metrics_;
    std::uint64_t generation_ = 0;
    std::map<std::string, std::uint32_t> target_numbers_;
    std::map<std::string, std::uint32_t> backend_numbers_;
    std::map<std::string, Watched> watched_;
    std::map<std::string, std::shared_ptr<const Backend>, std::less<>> backends_;
    std::shared_ptr<const net::ClientTls> default_tls_;
};

}  // namespace sluice::upstream
