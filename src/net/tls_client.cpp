// SPDX-License-Identifier: Apache-2.0
#include "net/tls_client.hpp"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <mutex>
#include <unordered_map>

#include "net/tls_context.hpp"

namespace sluice::net {
namespace {

// A backend has a handful of hosts; more than this means names made up per request.
constexpr std::size_t kMaxSessions = 1024;

struct SessionFree {
    void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};
using SessionPtr = std::unique_ptr<SSL_SESSION, SessionFree>;

/// A resumed session shows no certificate again: the one it was begun with still has to hold.
bool is_usable(const SSL_SESSION* session) {
    const X509* const peer = SSL_SESSION_get0_peer(const_cast<SSL_SESSION*>(session));
    return SSL_SESSION_is_resumable(session) == 1 && peer != nullptr &&
           X509_cmp_current_time(X509_get0_notAfter(peer)) > 0;
}

/// The last session per host. Lives in the context's ex_data, so that a connection that outlives
/// its ClientTls can still leave its ticket.
class Sessions {
public:
    void keep(const std::string& host, SessionPtr session) {
        const std::lock_guard lock{mutex_};
        if (sessions_.size() >= kMaxSessions && !sessions_.contains(host)) sessions_.clear();
        sessions_[host] = std::move(session);
    }
    void resume(SSL* ssl, const std::string& host) {
        const std::lock_guard lock{mutex_};
        const auto found = sessions_.find(host);
        if (found == sessions_.end()) return;
        if (is_usable(found->second.get())) {
            SSL_set_session(ssl, found->second.get());
        } else {
            sessions_.erase(found);
        }
    }

private:
    std::mutex mutex_;
    std::unordered_map<std::string, SessionPtr> sessions_;
};

void free_sessions(void*, void* sessions, CRYPTO_EX_DATA*, int, long, void*) {
    delete static_cast<Sessions*>(sessions);
}
void free_host(void*, void* host, CRYPTO_EX_DATA*, int, long, void*) {
    delete static_cast<std::string*>(host);
}
int sessions_index() {
    static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, &free_sessions);
    return index;
}
int host_index() {
    static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, &free_host);
    return index;
}
Sessions& sessions_of(const SSL_CTX* context) {
    return *static_cast<Sessions*>(SSL_CTX_get_ex_data(context, sessions_index()));
}

/// Called when a session may be resumed: with TLS 1.3 when its ticket arrives. 1 = we keep it.
int on_new_session(SSL* ssl, SSL_SESSION* session) {
    const auto* const host = static_cast<const std::string*>(SSL_get_ex_data(ssl, host_index()));
    if (host == nullptr) return 0;
    sessions_of(SSL_get_SSL_CTX(ssl)).keep(*host, SessionPtr{session});
    return 1;
}

/// Forgives an issuer that nobody vouches for, if it is there: both errors are reported for a
/// chain that ends in a self-signed certificate. A chain without its root stays an error, and so
/// do dates, names and bad signatures, which are checked after this (aws-semantics 7.6).
int forgive_issuer(int ok, X509_STORE_CTX* chain) {
    const int error = X509_STORE_CTX_get_error(chain);
    if (error != X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT &&
        error != X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN) {
        return ok;
    }
    X509_STORE_CTX_set_error(chain, X509_V_OK);
    return 1;
}

Error failure(std::string detail) {
    return {Origin::internal, "tls_backend", std::move(detail), Retry::never};
}

std::string without_brackets(const std::string& host) {
    const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    return bracketed ? host.substr(1, host.size() - 2) : host;
}

bool is_address(const std::string& name) {
    unsigned char bytes[sizeof(in6_addr)];
    return inet_pton(AF_INET, name.c_str(), bytes) == 1 ||
           inet_pton(AF_INET6, name.c_str(), bytes) == 1;
}

/// What the certificate must say. Addresses are matched with the certificate's addresses and are
/// never sent as SNI (RFC 6066 3).
bool insist_on(SSL* ssl, std::string name) {
    if (name.ends_with('.')) name.pop_back();
    // An empty name would turn the check off, a NUL would cut it short.
    if (name.empty() || name.find('\0') != std::string::npos) return false;
    if (is_address(name)) {
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str()) == 1;
    }
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(ssl, name.c_str()) == 1 &&
           SSL_set_tlsext_host_name(ssl, name.c_str()) == 1;
}

bool remember_host(SSL* ssl, const std::string& host) {
    auto copy = std::make_unique<std::string>(host);
    if (SSL_set_ex_data(ssl, host_index(), copy.get()) != 1) return false;
    (void)copy.release();
    return true;
}

}  // namespace

void ClientTls::ContextFree::operator()(SSL_CTX* context) const { SSL_CTX_free(context); }

ClientTls::Made ClientTls::make(const ClientTlsSettings& settings) {
    const std::shared_ptr<ClientTls> made{new ClientTls};
    made->server_name_ = settings.server_name;
    made->context_.reset(SSL_CTX_new(TLS_client_method()));
    SSL_CTX* const c = made->context_.get();
    if (c == nullptr) return failure("cannot set up TLS: " + take_tls_error());
    set_stream_modes(c);
    SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION);
    static constexpr unsigned char kProtocols[] = "\x08http/1.1";
    SSL_CTX_set_alpn_protos(c, kProtocols, sizeof kProtocols - 1);

    const int trusted = settings.ca_file.empty()
                            ? SSL_CTX_set_default_verify_paths(c)
                            : SSL_CTX_load_verify_file(c, settings.ca_file.c_str());
    if (trusted != 1) {
        return failure("caFile " + settings.ca_file.string() +
                       " cannot be used: " + take_tls_error());
    }
    // Whatever the operator put into the file is trusted, an intermediate or a leaf too.
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(c), X509_V_FLAG_PARTIAL_CHAIN);
    SSL_CTX_set_verify(c, SSL_VERIFY_PEER,
                       settings.insecure_skip_verification ? &forgive_issuer : nullptr);

    auto sessions = std::make_unique<Sessions>();
    if (SSL_CTX_set_ex_data(c, sessions_index(), sessions.get()) != 1) {
        return failure("cannot set up TLS: " + take_tls_error());
    }
    (void)sessions.release();  // the context's now
    SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(c, &on_new_session);
    return std::shared_ptr<const ClientTls>{made};
}

SSL* ClientTls::new_session(int fd, const std::string& host) const {
    SSL* const ssl = SSL_new(context_.get());
    const std::string& name = server_name_.empty() ? host : server_name_;
    if (ssl == nullptr || !remember_host(ssl, host) || !insist_on(ssl, without_brackets(name)) ||
        (fd >= 0 && SSL_set_fd(ssl, fd) != 1)) {
        SSL_free(ssl);
        ERR_clear_error();
        return nullptr;
    }
    sessions_of(context_.get()).resume(ssl, host);
    SSL_set_connect_state(ssl);
    return ssl;
}

std::string refused_certificate(const SSL* ssl) {
    const long result = SSL_get_verify_result(ssl);
    return result == X509_V_OK ? std::string{} : X509_verify_cert_error_string(result);
}

}  // namespace sluice::net
