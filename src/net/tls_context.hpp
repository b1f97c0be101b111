// SPDX-License-Identifier: Apache-2.0
//
// What a TLS listener presents: its certificates, chosen by the name the client asks for.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "net/file_stamp.hpp"
#include "sluice/base/result.hpp"

typedef struct ssl_st SSL;
typedef struct ssl_ctx_st SSL_CTX;

namespace sluice::net {

struct ServerTlsFiles {
    struct Pair {
        std::filesystem::path certificate{};
        std::filesystem::path private_key{};
    };
    std::vector<Pair> certificates{};  ///< the first one answers names no other one covers
    bool tls1_3_only = false;
};

/// Immutable once made, shared by all workers. A changed certificate means a new ServerTls;
/// connections begun with this one keep what they need of it, so it may go at any time.
class ServerTls {
public:
    using Made = Result<std::shared_ptr<const ServerTls>>;

    static Made make(const ServerTlsFiles&);

    /// From config::ListenerTls, which lives on a higher floor and is known here by shape only.
    template <class Listener>
    requires requires(const Listener& l) { l.certificates.front().certificate_file; }
    static Made make(const Listener& listener) {
        using Version = std::remove_cvref_t<decltype(listener.min_version)>;
        ServerTlsFiles files{.certificates = {},
                             .tls1_3_only = listener.min_version == Version::tls1_3};
        for (const auto& c : listener.certificates) {
            files.certificates.push_back({c.certificate_file, c.private_key_file});
        }
        return make(files);
    }

    /// A session in accept state, the caller's to SSL_free; null when memory is short. Without a
    /// descriptor the caller attaches a BIO of its own; with one, SIGPIPE has to be ignored.
    SSL* new_session(int fd = -1) const;

    /// Expired or not yet valid certificates, as sentences for the log.
    const std::vector<std::string>& warnings() const { return warnings_; }
    /// Any of the files is not what it was when this was made: time for a new ServerTls.
    bool certificate_changed() const;

private:
    struct ContextFree {
        void operator()(SSL_CTX*) const;
    };
    using Context = std::unique_ptr<SSL_CTX, ContextFree>;
    ServerTls() = default;

    Context context_{};  ///< the first certificate's; owns those of the others
    std::vector<std::string> warnings_{};
    std::vector<FileStamp> files_{};
};

/// What both ends of TLS have in common here: buffers given back when idle, partial writes, read
/// ahead, and a cut connection that counts as cut.
void set_stream_modes(SSL_CTX*);

/// The oldest entry of OpenSSL's error queue of this thread as text; empties the queue.
std::string take_tls_error();

}  // namespace sluice::net
