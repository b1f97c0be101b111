// SPDX-License-Identifier: Apache-2.0
#include "net/ticket_keys.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cstring>

namespace sluice::net {
namespace {

std::optional<TicketKey> draw(TimePoint now) {
    TicketKey key{.created = now};
    if (RAND_bytes(key.name.data(), static_cast<int>(key.name.size())) != 1 ||
        RAND_priv_bytes(key.cipher.data(), static_cast<int>(key.cipher.size())) != 1 ||
        RAND_priv_bytes(key.mac.data(), static_cast<int>(key.mac.size())) != 1) {
        return std::nullopt;
    }
    return key;
}

void wipe(TicketKey& key) {
    OPENSSL_cleanse(key.cipher.data(), key.cipher.size());
    OPENSSL_cleanse(key.mac.data(), key.mac.size());
}

bool key_mac(EVP_MAC_CTX* mac, TicketKey& key) {
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.mac.data(), key.mac.size()),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end()};
    return EVP_MAC_CTX_set_params(mac, params) == 1;
}

int seal(unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac) {
    auto key = TicketKeys::process().current(std::chrono::steady_clock::now());
    if (!key || RAND_bytes(iv, EVP_MAX_IV_LENGTH) != 1) return 0;  // no ticket, no harm
    std::memcpy(name, key->name.data(), key->name.size());
    const bool ready =
        EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key->cipher.data(), iv) == 1 &&
        key_mac(mac, *key);
    wipe(*key);
    return ready ? 1 : -1;
}

/// Clients use a TLS 1.3 ticket once (RFC 8446 C.4), so every one that is used is replaced.
bool wants_another(const SSL* ssl) { return SSL_version(ssl) >= TLS1_3_VERSION; }

int open(const SSL* ssl, const unsigned char (&name)[16], unsigned char* iv, EVP_CIPHER_CTX* cipher,
         EVP_MAC_CTX* mac) {
    auto found = TicketKeys::process().find(name, std::chrono::steady_clock::now());
    if (!found) return 0;  // a full handshake
    const bool ready =
        EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, found->key.cipher.data(), iv) == 1 &&
        key_mac(mac, found->key);
    wipe(found->key);
    if (!ready) return -1;
    return found->renew || wants_another(ssl) ? 2 : 1;
}

/// SSL_CTX_set_tlsext_ticket_key_evp_cb(3): 1 = use, 2 = use and renew, 0 = none.
int on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
              EVP_MAC_CTX* mac, int sealing) {
    if (sealing != 0) return seal(name, iv, cipher, mac);
    unsigned char copy[16];
    std::memcpy(copy, name, sizeof copy);
    return open(ssl, copy, iv, cipher, mac);
}

}  // namespace

TicketKeys::~TicketKeys() {
    for (TicketKey& key : keys_)
        wipe(key);
}

/// A key seals for one lifetime and opens for two more, also when nobody came by in between.
void TicketKeys::retire(TimePoint now) {
    while (!keys_.empty() && (keys_.size() > kAccepted ||
                              now - keys_.back().created >= lifetime_ * std::int64_t{kAccepted})) {
        wipe(keys_.back());
        keys_.pop_back();
    }
}

std::optional<TicketKey> TicketKeys::current(TimePoint now) {
    const std::lock_guard lock{mutex_};
    if (keys_.empty() || now - keys_.front().created >= lifetime_) {
        auto fresh = draw(now);
        if (!fresh) return std::nullopt;
        // Room for one more than is kept: growing would leave copies of keys in freed memory.
        keys_.reserve(kAccepted + 1);
        keys_.insert(keys_.begin(), *fresh);
        wipe(*fresh);
    }
    retire(now);
    return keys_.front();
}

std::optional<TicketKeys::Found> TicketKeys::find(const unsigned char (&name)[16], TimePoint now) {
    const std::lock_guard lock{mutex_};
    retire(now);
    const auto key = std::ranges::find_if(keys_, [&](const TicketKey& k) {
        return std::memcmp(k.name.data(), name, sizeof name) == 0;
    });
    if (key == keys_.end()) return std::nullopt;
    return Found{*key, key != keys_.begin() || now - key->created >= lifetime_};
}

TicketKeys& TicketKeys::process() {
    static TicketKeys keys;
    return keys;
}

void TicketKeys::use_in(SSL_CTX* context) {
    SSL_CTX_set_tlsext_ticket_key_evp_cb(context, &on_ticket);
}

}  // namespace sluice::net
