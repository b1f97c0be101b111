// SPDX-License-Identifier: Apache-2.0
#include "support/certificate.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <stdexcept>

namespace test {

namespace {

constexpr long kDay = 24 * 60 * 60;

struct FileClose {
    void operator()(std::FILE* f) const { std::fclose(f); }
};
using File = std::unique_ptr<std::FILE, FileClose>;

File open_to_write(const std::filesystem::path& path) {
    File file{std::fopen(path.c_str(), "w")};
    if (!file) throw std::runtime_error("cannot write " + path.string());
    return file;
}

EVP_PKEY* new_key() {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    if (key == nullptr) throw std::runtime_error("no key");
    return key;
}

void extend(X509* certificate, int id, const std::string& value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, id, value.c_str());
    if (extension == nullptr) throw std::runtime_error("bad extension " + value);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

X509* new_certificate(const std::string& name, EVP_PKEY* key, const X509* issuer) {
    static std::atomic<long> serial{1000};
    X509* certificate = X509_new();
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -kDay);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 10 * kDay);
    X509_set_pubkey(certificate, key);
    X509_NAME* subject = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer ? issuer : certificate));
    return certificate;
}

bool is_address(const std::string& name) {
    return name.find_first_not_of("0123456789.") == std::string::npos;
}

}  // namespace

Authority::Authority() : key_{new_key()}, certificate_{new_certificate("test CA", key_, nullptr)} {
    extend(certificate_, NID_basic_constraints, "critical,CA:TRUE");
    extend(certificate_, NID_key_usage, "critical,keyCertSign,cRLSign");
    X509_sign(certificate_, key_, EVP_sha256());
}

Authority::~Authority() {
    X509_free(certificate_);
    EVP_PKEY_free(key_);
}

void Authority::write(const std::filesystem::path& path) const {
    PEM_write_X509(open_to_write(path).get(), certificate_);
}

void Authority::issue(const std::vector<std::string>& names, const std::filesystem::path& path,
                      const std::filesystem::path& key_path) const {
    EVP_PKEY* key = new_key();
    X509* certificate = new_certificate(names.front(), key, certificate_);
    std::string alternatives;
    for (const std::string& name : names) {
        if (!alternatives.empty()) alternatives += ',';
        alternatives += (is_address(name) ? "IP:" : "DNS:") + name;
    }
    extend(certificate, NID_subject_alt_name, alternatives);
    X509_sign(certificate, key_, EVP_sha256());
    PEM_write_X509(open_to_write(path).get(), certificate);
    PEM_write_PrivateKey(open_to_write(key_path).get(), key, nullptr, nullptr, 0, nullptr, nullptr);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

SslContext server_context(const std::filesystem::path& certificate,
                          const std::filesystem::path& key) {
    SslContext context{SSL_CTX_new(TLS_server_method())};
    if (SSL_CTX_use_certificate_chain_file(context.get(), certificate.c_str()) != 1 ||
        SSL_CTX_use_PrivateKey_file(context.get(), key.c_str(), SSL_FILETYPE_PEM) != 1)
        throw std::runtime_error("cannot load " + certificate.string());
    return context;
}

std::string peer_name(SSL* ssl) {
    const X509* certificate = SSL_get0_peer_certificate(ssl);
    std::array<char, 256> name{};
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name.data(),
                              static_cast<int>(name.size()));
    return name.data();
}

long peer_serial(SSL* ssl) {
    return ASN1_INTEGER_get(X509_get0_serialNumber(SSL_get0_peer_certificate(ssl)));
}

}  // namespace test
