// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/ssl.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace test {

struct ContextFree {
    void operator()(SSL_CTX* c) const { SSL_CTX_free(c); }
};
using SslContext = std::unique_ptr<SSL_CTX, ContextFree>;

/// A certificate authority that lives as long as the test.
class Authority {
public:
    Authority();
    ~Authority();
    Authority(const Authority&) = delete;
    Authority& operator=(const Authority&) = delete;

    /// The authority's own certificate as PEM.
    void write(const std::filesystem::path& certificate) const;
    /// A new certificate for these DNS names (or "127.0.0.1"), with its key.
    void issue(const std::vector<std::string>& names, const std::filesystem::path& certificate,
               const std::filesystem::path& key) const;

private:
    EVP_PKEY* key_;
    X509* certificate_;
};

/// A server context with this certificate, for Origin.
SslContext server_context(const std::filesystem::path& certificate,
                          const std::filesystem::path& key);

/// First common name of the peer's certificate.
std::string peer_name(SSL*);
/// Serial number of the peer's certificate.
long peer_serial(SSL*);

}  // namespace test
