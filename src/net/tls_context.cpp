// SPDX-License-Identifier: Apache-2.0
#include "net/tls_context.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <unordered_map>
#include <utility>

#include "net/ticket_keys.hpp"

namespace sluice::net {
namespace {

// Forward secrecy and AEAD only (Mozilla "intermediate" without finite-field DH); AES-128 first
// because it is the cheapest on any CPU with AES instructions.
constexpr const char* kCiphers1_2 =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* kCiphers1_3 =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* kGroups = "X25519:P-256:P-384";
// One name for all contexts: a session begun with one may go on with any other.
constexpr unsigned char kSessionContext[] = "sluice";

template <auto Free>
struct Freed {
    template <class T>
    void operator()(T* object) const {
        Free(object);
    }
};
using BioPtr = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using NamesPtr = std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES_free>>;
using ContextPtr = std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>>;

std::string lower(std::string_view text) {
    std::string out{text};
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return out;
}

/// Which context answers for which name. Lives in the first context's ex_data, so that every
/// session keeps it alive; therefore it holds no reference to that context itself.
struct NameTable {
    std::unordered_map<std::string, SSL_CTX*> exact{};
    std::unordered_map<std::string, SSL_CTX*> wildcard{};  ///< ".example.com" for "*.example.com"
    std::vector<ContextPtr> others{};

    /// The first certificate with a name keeps it.
    void add(std::string_view name, SSL_CTX* context) {
        if (name.ends_with('.')) name.remove_suffix(1);
        if (name.starts_with("*.")) {
            wildcard.try_emplace(lower(name.substr(1)), context);
        } else {
            exact.try_emplace(lower(name), context);
        }
    }
    SSL_CTX* find(std::string_view asked) const {
        if (asked.ends_with('.')) asked.remove_suffix(1);
        const std::string name = lower(asked);
        if (const auto it = exact.find(name); it != exact.end()) return it->second;
        const auto dot = name.find('.');
        if (dot == std::string::npos || dot == 0) return nullptr;
        const auto it = wildcard.find(name.substr(dot));
        return it == wildcard.end() ? nullptr : it->second;
    }
};

void free_table(void*, void* table, CRYPTO_EX_DATA*, int, long, void*) {
    delete static_cast<NameTable*>(table);
}

int table_index() {
    static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, &free_table);
    return index;
}

int on_server_name(SSL* ssl, int*, void*) {
    const char* const name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (name == nullptr) return SSL_TLSEXT_ERR_NOACK;
    const auto* const table =
        static_cast<const NameTable*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), table_index()));
    if (table == nullptr) return SSL_TLSEXT_ERR_OK;  // already switched
    SSL_CTX* const context = table->find(name);
    if (context == nullptr) return SSL_TLSEXT_ERR_NOACK;  // the first certificate answers
    if (context != SSL_get_SSL_CTX(ssl)) SSL_set_SSL_CTX(ssl, context);
    return SSL_TLSEXT_ERR_OK;
}

/// RFC 7301 3.2: no protocol in common ends the handshake.
int on_alpn(SSL*, const unsigned char** chosen, unsigned char* length, const unsigned char* offered,
            unsigned offered_size, void*) {
    static constexpr unsigned char kOurs[] = "\x08http/1.1\x08http/1.0";
    unsigned char* selected = nullptr;
    if (SSL_select_next_proto(&selected, length, kOurs, sizeof kOurs - 1, offered, offered_size) !=
        OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    *chosen = selected;
    return SSL_TLSEXT_ERR_OK;
}

Error failure(std::string detail) {
    return {Origin::internal, "tls_certificate", std::move(detail), Retry::never};
}

Result<BioPtr> open_file(const std::filesystem::path& path, std::string_view what) {
    BioPtr file{BIO_new_file(path.c_str(), "r")};
    if (file) return file;
    const int why = errno;
    ERR_clear_error();
    return failure("cannot read " + std::string{what} + " " + path.string() + ": " +
                   std::strerror(why));
}

/// Without it OpenSSL would ask for the password on the terminal.
int no_password(char*, int, int, void*) { return 0; }

Result<KeyPtr> load_key(const std::filesystem::path& path) {
    const auto file = open_file(path, "private key");
    if (!file) return file.error();
    KeyPtr key{PEM_read_bio_PrivateKey(file->get(), nullptr, &no_password, nullptr)};
    if (key) return key;
    return failure("private key " + path.string() +
                   " is not an unencrypted PEM key: " + take_tls_error());
}

ContextPtr new_context(bool tls1_3_only) {
    ContextPtr context{SSL_CTX_new(TLS_server_method())};
    if (!context) return nullptr;
    SSL_CTX* const c = context.get();
    set_stream_modes(c);
    SSL_CTX_set_options(
        c, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    const bool set =
        SSL_CTX_set_min_proto_version(c, tls1_3_only ? TLS1_3_VERSION : TLS1_2_VERSION) == 1 &&
        SSL_CTX_set_cipher_list(c, kCiphers1_2) == 1 &&
        SSL_CTX_set_ciphersuites(c, kCiphers1_3) == 1 &&
        SSL_CTX_set1_groups_list(c, kGroups) == 1 &&
        SSL_CTX_set_session_id_context(c, kSessionContext, sizeof kSessionContext - 1) == 1;
    if (!set) return nullptr;
    // Tickets hold the session: nothing to keep here, and one ticket is enough for HTTP/1.1.
    SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(c, 1);
    TicketKeys::use_in(c);
    SSL_CTX_set_alpn_select_cb(c, &on_alpn, nullptr);
    return context;
}

Result<ContextPtr> load_pair(const ServerTlsFiles::Pair& files, bool tls1_3_only) {
    if (const auto file = open_file(files.certificate, "certificate"); !file) return file.error();
    auto key = load_key(files.private_key);
    if (!key) return key.error();
    ContextPtr context = new_context(tls1_3_only);
    if (!context) return failure("cannot set up TLS: " + take_tls_error());
    if (SSL_CTX_use_certificate_chain_file(context.get(), files.certificate.c_str()) != 1) {
        return failure("certificate " + files.certificate.string() +
                       " cannot be used: " + take_tls_error());
    }
    if (X509_check_private_key(SSL_CTX_get0_certificate(context.get()), key->get()) != 1) {
        ERR_clear_error();
        return failure("private key " + files.private_key.string() +
                       " does not match certificate " + files.certificate.string());
    }
    if (SSL_CTX_use_PrivateKey(context.get(), key->get()) != 1) {
        return failure("private key " + files.private_key.string() +
                       " cannot be used: " + take_tls_error());
    }
    return context;
}

/// Names with a NUL inside are somebody's trick ("good.example\0.evil.example"): no names.
std::string text_of(const ASN1_STRING* string) {
    const auto* const bytes = reinterpret_cast<const char*>(ASN1_STRING_get0_data(string));
    std::string text(bytes, static_cast<std::size_t>(ASN1_STRING_length(string)));
    return text.find('\0') == std::string::npos ? text : std::string{};
}

/// The DNS names of the subject alternative name; only without any the common name (RFC 6125 6.4).
std::vector<std::string> names_of(const X509* certificate) {
    std::vector<std::string> names;
    const NamesPtr alternatives{static_cast<GENERAL_NAMES*>(
        X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr))};
    for (int i = 0; i < sk_GENERAL_NAME_num(alternatives.get()); ++i) {
        const GENERAL_NAME* const name = sk_GENERAL_NAME_value(alternatives.get(), i);
        if (name->type == GEN_DNS) names.push_back(text_of(name->d.dNSName));
    }
    if (names.empty()) {
        const X509_NAME* const subject = X509_get_subject_name(certificate);
        const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
        if (at >= 0) {
            names.push_back(text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at))));
        }
    }
    std::erase(names, "");
    return names;
}

std::string to_text(const ASN1_TIME* time) {
    const BioPtr out{BIO_new(BIO_s_mem())};
    char text[64] = "";
    if (out && ASN1_TIME_print(out.get(), time) == 1) BIO_gets(out.get(), text, sizeof text);
    return text;
}

std::optional<std::string> validity_warning(const X509* certificate,
                                            const std::filesystem::path& path) {
    const ASN1_TIME* const begin = X509_get0_notBefore(certificate);
    const ASN1_TIME* const end = X509_get0_notAfter(certificate);
    if (X509_cmp_current_time(end) < 0) {
        return "certificate " + path.string() + " expired on " + to_text(end);
    }
    if (X509_cmp_current_time(begin) > 0) {
        return "certificate " + path.string() + " is not valid before " + to_text(begin);
    }
    return std::nullopt;
}

}  // namespace

void ServerTls::ContextFree::operator()(SSL_CTX* context) const { SSL_CTX_free(context); }

void set_stream_modes(SSL_CTX* context) {
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION);
    // A connection cut without close_notify is an error, not an end: truncation must show.
    SSL_CTX_clear_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
}

ServerTls::Made ServerTls::make(const ServerTlsFiles& files) {
    if (files.certificates.empty()) return failure("a TLS listener needs a certificate");
    const std::shared_ptr<ServerTls> made{new ServerTls};
    auto table = std::make_unique<NameTable>();
    for (const auto& pair : files.certificates) {
        made->files_.emplace_back(pair.certificate);
        made->files_.emplace_back(pair.private_key);
        auto context = load_pair(pair, files.tls1_3_only);
        if (!context) return context.error();
        const X509* const certificate = SSL_CTX_get0_certificate(context->get());
        for (const std::string& name : names_of(certificate))
            table->add(name, context->get());
        if (auto warning = validity_warning(certificate, pair.certificate)) {
            made->warnings_.push_back(std::move(*warning));
        }
        if (!made->context_) {
            made->context_.reset(context->release());
        } else {
            table->others.push_back(std::move(*context));
        }
    }
    SSL_CTX* const first = made->context_.get();
    SSL_CTX_set_tlsext_servername_callback(first, &on_server_name);
    if (SSL_CTX_set_ex_data(first, table_index(), table.get()) != 1) {
        return failure("cannot set up TLS: " + take_tls_error());
    }
    (void)table.release();  // the context's now
    return std::shared_ptr<const ServerTls>{made};
}

SSL* ServerTls::new_session(int fd) const {
    SSL* const ssl = SSL_new(context_.get());
    if (ssl == nullptr || (fd >= 0 && SSL_set_fd(ssl, fd) != 1)) {
        SSL_free(ssl);
        ERR_clear_error();
        return nullptr;
    }
    SSL_set_accept_state(ssl);
    return ssl;
}

bool ServerTls::certificate_changed() const {
    return std::ranges::any_of(files_, [](const FileStamp& file) { return file.changed(); });
}

std::string take_tls_error() {
    const unsigned long code = ERR_get_error();
    ERR_clear_error();
    const char* const reason = ERR_reason_error_string(code);
    if (reason != nullptr) return reason;
    return code == 0 ? "unknown reason" : "error " + std::to_string(code);
}

}  // namespace sluice::net
