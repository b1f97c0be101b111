// SPDX-License-Identifier: Apache-2.0
//
// Certificates made on the spot (P-256), for tests that shake hands.
#pragma once

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace sluice::net::test {

/// A directory that goes away with its object.
class TempDir {
public:
    TempDir() {
        std::string name = (std::filesystem::temp_directory_path() / "sluice-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
        path_ = name;
    }
    ~TempDir() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;

    std::filesystem::path write(const std::string& name, const std::string& text) const {
        const auto path = path_ / name;
        std::ofstream{path, std::ios::binary | std::ios::trunc} << text;
        return path;
    }
    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

struct CertificateFree {
    void operator()(X509* c) const { X509_free(c); }
    void operator()(EVP_PKEY* k) const { EVP_PKEY_free(k); }
    void operator()(BIO* b) const { BIO_free_all(b); }
};

struct Certificate {
    std::shared_ptr<X509> x509{};
    std::shared_ptr<EVP_PKEY> key{};

    std::string pem() const {
        const std::unique_ptr<BIO, CertificateFree> out{BIO_new(BIO_s_mem())};
        PEM_write_bio_X509(out.get(), x509.get());
        return text(out.get());
    }
    /// With a password: encrypted.
    std::string key_pem(const std::string& password = {}) const {
        const std::unique_ptr<BIO, CertificateFree> out{BIO_new(BIO_s_mem())};
        PEM_write_bio_PrivateKey(out.get(), key.get(),
                                 password.empty() ? nullptr : EVP_aes_128_cbc(), nullptr, 0,
                                 nullptr, const_cast<char*>(password.c_str()));
        return text(out.get());
    }

private:
    static std::string text(BIO* bio) {
        char* bytes = nullptr;
        const long size = BIO_get_mem_data(bio, &bytes);
        return {bytes, static_cast<std::size_t>(size)};
    }
};

struct CertificateWish {
    std::string common_name{};
    std::string alternatives{};  ///< OpenSSL's notation: "DNS:a.example,IP:127.0.0.1"
    long valid_from = -3600;     ///< seconds from now
    long valid_to = 86'400;
    bool is_ca = false;
    const Certificate* issuer = nullptr;  ///< null = self-signed
};

inline void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
    X509V3_CTX context{};
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* const e = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
    if (e == nullptr) throw std::runtime_error("bad extension " + value);
    X509_add_ext(certificate, e, -1);
    X509_EXTENSION_free(e);
}

inline Certificate make_certificate(const CertificateWish& wish) {
    static std::atomic<long> serial{1};
    Certificate out{{X509_new(), CertificateFree{}}, {EVP_EC_gen("P-256"), CertificateFree{}}};
    X509* const c = out.x509.get();
    X509_set_version(c, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(c), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(c), wish.valid_from);
    X509_gmtime_adj(X509_getm_notAfter(c), wish.valid_to);
    X509_set_pubkey(c, out.key.get());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(wish.common_name.c_str()), -1,
                               -1, 0);
    const Certificate& issuer = wish.issuer != nullptr ? *wish.issuer : out;
    X509_set_issuer_name(c, X509_get_subject_name(issuer.x509.get()));
    add_extension(c, issuer.x509.get(), NID_basic_constraints,
                  wish.is_ca ? "critical,CA:TRUE" : "CA:FALSE");
    if (!wish.alternatives.empty()) {
        add_extension(c, issuer.x509.get(), NID_subject_alt_name, wish.alternatives);
    }
    if (X509_sign(c, issuer.key.get(), EVP_sha256()) == 0) throw std::runtime_error("X509_sign");
    return out;
}

}  // namespace sluice::net::test
