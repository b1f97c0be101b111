// SPDX-License-Identifier: Apache-2.0
//
// TLS towards one backend: what it trusts, which name it insists on, and the sessions to resume.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <type_traits>

#include "sluice/base/result.hpp"

typedef struct ssl_st SSL;
typedef struct ssl_ctx_st SSL_CTX;

namespace sluice::net {

struct ClientTlsSettings {
    std::filesystem::path ca_file{};  ///< empty = the system's store
    std::string server_name{};        ///< SNI and verified name; empty = the target's host
    /// Any issuer will do, a self-signed certificate too. What it says must still hold: dates,
    /// host name, and a chain that ends in a root (aws-semantics 7.6).
    bool insecure_skip_verification = false;
};

/// Immutable once made, shared by all workers. Sessions of earlier connections are kept inside,
/// one per host.
class ClientTls {
public:
    using Made = Result<std::shared_ptr<const ClientTls>>;

    static Made make(const ClientTlsSettings&);

    /// From config::BackendTls, which lives on a higher floor and is known here by shape only.
    template <class Backend>
    requires(!std::is_same_v<Backend, ClientTlsSettings>) static Made make(const Backend& backend) {
        return make(
            ClientTlsSettings{.ca_file = backend.ca_file,
                              .server_name = backend.server_name,
                              .insecure_skip_verification = backend.insecure_skip_verification});
    }

    /// A session in connect state towards `host`, a name or an address (IPv6 with or without
    /// brackets), the caller's to SSL_free; null when the name cannot be one or memory is short.
    /// Without a descriptor the caller attaches a BIO of its own.
    SSL* new_session(int fd, const std::string& host) const;
    SSL* new_session(const std::string& host) const { return new_session(-1, host); }

private:
    struct ContextFree {
        void operator()(SSL_CTX*) const;
    };
    ClientTls() = default;

    std::unique_ptr<SSL_CTX, ContextFree> context_{};
    std::string server_name_{};
};

/// Why the peer's certificate was refused ("hostname mismatch"); empty when it was not.
std::string refused_certificate(const SSL*);

}  // namespace sluice::net
