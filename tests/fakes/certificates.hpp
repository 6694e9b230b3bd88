#pragma once

#include <memory>
#include <string>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "core/clock.hpp"

namespace gpukeeper {

/// A certificate and its key, both PEM.
struct MadeCertificate {
  std::string certificate;
  std::string key;
};

inline std::string pem_text(BIO* bio) {
  char* bytes = nullptr;
  const auto size = BIO_get_mem_data(bio, &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

/// `names` as OpenSSL's configuration has subjectAltName: "DNS:a.example,IP:10.0.0.1"; `issuer` null: by itself.
/// `authority`: it may vouch for others.
inline MadeCertificate make_certificate(const std::string& common_name, const std::string& names = {},
                                        const MadeCertificate* issuer = nullptr, bool authority = false,
                                        WallTime expires = WallTime(std::chrono::hours(24 * 365 * 100))) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> made(X509_new(), X509_free);
  static long serial = 0;
  X509_set_version(made.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), ++serial);
  ASN1_TIME_set(X509_getm_notBefore(made.get()), 0);
  ASN1_TIME_set(X509_getm_notAfter(made.get()), std::chrono::system_clock::to_time_t(expires));
  X509_set_pubkey(made.get(), key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(common_name.data()),
                             static_cast<int>(common_name.size()), -1, 0);
  const auto extend = [&](int kind, const std::string& value) {
    X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str());
    X509_add_ext(made.get(), extension, -1);
    X509_EXTENSION_free(extension);
  };
  if (!names.empty()) extend(NID_subject_alt_name, names);
  if (authority) extend(NID_basic_constraints, "critical,CA:TRUE");

  const auto reader = [](const std::string& text) {
    return std::unique_ptr<BIO, decltype(&BIO_free)>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())),
                                                     BIO_free);
  };
  if (issuer) {
    X509* const by = PEM_read_bio_X509(reader(issuer->certificate).get(), nullptr, nullptr, nullptr);
    EVP_PKEY* const with = PEM_read_bio_PrivateKey(reader(issuer->key).get(), nullptr, nullptr, nullptr);
    X509_set_issuer_name(made.get(), X509_get_subject_name(by));
    X509_sign(made.get(), with, EVP_sha256());
    X509_free(by);
    EVP_PKEY_free(with);
  } else {
    X509_set_issuer_name(made.get(), X509_get_subject_name(made.get()));
    X509_sign(made.get(), key.get(), EVP_sha256());
  }
  const std::unique_ptr<BIO, decltype(&BIO_free)> first(BIO_new(BIO_s_mem()), BIO_free);
  const std::unique_ptr<BIO, decltype(&BIO_free)> second(BIO_new(BIO_s_mem()), BIO_free);
  PEM_write_bio_X509(first.get(), made.get());
  PEM_write_bio_PrivateKey(second.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return {pem_text(first.get()), pem_text(second.get())};
}

}  // namespace gpukeeper
