#include "service/tls_context.hpp"

#include <gtest/gtest.h>

#include "fakes/certificates.hpp"

namespace gpukeeper::service {
namespace {

using namespace std::chrono_literals;

TlsMaterial material(const MadeCertificate& made) {
  return {.certificate = {"/c.pem", made.certificate}, .key = {"/k.pem", made.key}, .client_ca = std::nullopt};
}

std::string refusal(const TlsMaterial& material) {
  const auto context = TlsContext::make(material);
  if (context) return "taken";
  EXPECT_EQ(context.error().code, Errc::invalid_argument);
  return context.error().message;
}

TEST(TlsContextTest, ItSaysWhatItsCertificateSays) {
  const WallTime expires(1'800'000'000s);
  const auto made = make_certificate("gpu1", "DNS:gpu1.example,IP:10.0.0.1,IP:::1,URI:spiffe://x/y,email:a@b.example",
                                     nullptr, false, expires);
  const auto context = TlsContext::make(material(made));
  ASSERT_TRUE(context) << context.error().message;
  const auth::Certificate& own = (*context)->certificate();
  EXPECT_EQ(own.common_name, "gpu1");
  EXPECT_EQ(own.names, (std::vector<std::string>{"DNS:gpu1.example", "IP:10.0.0.1", "IP:::1", "URI:spiffe://x/y",
                                                 "email:a@b.example"}));
  EXPECT_TRUE(auth::is_fingerprint(own.fingerprint));
  EXPECT_EQ(own.expires, expires);
}

TEST(TlsContextTest, ANameWithANulInItIsNobodys) {
  const auto made = make_certificate(std::string("admin\0.evil.example", 19));
  const auto context = TlsContext::make(material(made));
  ASSERT_TRUE(context) << context.error().message;
  EXPECT_EQ((*context)->certificate().common_name, "");
}

TEST(TlsContextTest, WhatDoesNotDoIsSaidWithWhatWould) {
  const auto made = make_certificate("a");
  const auto other = make_certificate("b");
  auto wrong = material(made);
  wrong.certificate.text = "no PEM";
  EXPECT_EQ(refusal(wrong),
            "tls.certificate: /c.pem: there is no certificate in it: it must be PEM, which begins with -----BEGIN "
            "CERTIFICATE-----");
  wrong.certificate.text = made.certificate.substr(0, made.certificate.size() / 2);
  EXPECT_EQ(refusal(wrong), "tls.certificate: /c.pem: a certificate in it is damaged");
  wrong = material(made);
  wrong.key.text = "";
  EXPECT_EQ(refusal(wrong),
            "tls.key: /k.pem: there is no key in it: it must be PEM, which begins with -----BEGIN PRIVATE KEY-----");
  wrong.key.text = other.key;
  EXPECT_EQ(refusal(wrong), "tls.key: /k.pem: the key is not that of the certificate in /c.pem");
  wrong = material(made);
  wrong.client_ca = {"/ca.pem", ""};
  EXPECT_EQ(refusal(wrong),
            "tls.client_ca: /ca.pem: there is no certificate in it: it must be PEM, which begins with -----BEGIN "
            "CERTIFICATE-----");
  wrong.client_ca->text = made.certificate + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  EXPECT_EQ(refusal(wrong), "tls.client_ca: /ca.pem: a certificate in it is damaged");
}

TEST(TlsContextTest, AKeyWithAPasswordIsNotWaitedFor) {
  const auto made = make_certificate("a");
  const std::unique_ptr<BIO, decltype(&BIO_free)> in(
      BIO_new_mem_buf(made.key.data(), static_cast<int>(made.key.size())), BIO_free);
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), BIO_free);
  unsigned char password[] = "secret";
  PEM_write_bio_PrivateKey(out.get(), key.get(), EVP_aes_128_cbc(), password, 6, nullptr, nullptr);
  auto locked = material(made);
  locked.key.text = pem_text(out.get());
  EXPECT_EQ(refusal(locked),
            "tls.key: /k.pem: the key has a password, and nobody is there to type it: 'openssl pkey -in FILE -out "
            "OTHER' takes it off");
}

TEST(TlsContextTest, AChainAndSeveralAuthoritiesAreTaken) {
  const auto root = make_certificate("root", "", nullptr, true);
  const auto own = make_certificate("gpu1", "", &root);
  auto all = material(own);
  all.certificate.text += root.certificate;
  all.client_ca = {"/ca.pem", root.certificate + make_certificate("other", "", nullptr, true).certificate};
  all.client_required = true;
  all.min_version = config::TlsVersion::v1_3;
  EXPECT_TRUE(TlsContext::make(all));
}

}  // namespace
}  // namespace gpukeeper::service
