#include "auth/certificate.hpp"

#include <gtest/gtest.h>

namespace gpukeeper::auth {
namespace {

const std::string kFingerprint = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

const Certificate kCi{.common_name = "ci",
                      .names = {"DNS:ci.example", "URI:spiffe://example/ci", "IP:10.0.0.1"},
                      .fingerprint = kFingerprint,
                      .expires = {}};

bool fits(CertificateRule rule, const Certificate& certificate = kCi) {
  const std::vector<CertificateRule> rules = {std::move(rule)};
  return find_rule(rules, certificate) != nullptr;
}

TEST(CertificateTest, ARuleIsAboutACertificateThatHasAllOfIt) {
  EXPECT_TRUE(fits({.common_name = "ci"}));
  EXPECT_TRUE(fits({.san = "ci.example"}));
  EXPECT_TRUE(fits({.san = "DNS:CI.Example"}));
  EXPECT_TRUE(fits({.san = "URI:spiffe://example/ci"}));
  EXPECT_TRUE(fits({.fingerprint = kFingerprint}));
  EXPECT_TRUE(fits({.common_name = "ci", .san = "IP:10.0.0.1", .fingerprint = kFingerprint}));
  for (const CertificateRule& rule : std::vector<CertificateRule>{{},  // about nothing, not about everything
                                                                  {.common_name = "CI"},
                                                                  {.common_name = "c"},
                                                                  {.common_name = "*"},
                                                                  {.san = "ci"},
                                                                  {.san = "10.0.0.1"},  // a name without a kind is DNS
                                                                  {.san = "spiffe://example/ci"},  // as well
                                                                  {.san = "URI:spiffe://EXAMPLE/ci"},
                                                                  {.san = "example"},
                                                                  {.fingerprint = kFingerprint.substr(0, 62) + "00"},
                                                                  {.common_name = "other", .san = "ci.example"},
                                                                  {.common_name = "ci", .san = "other.example"}}) {
    EXPECT_FALSE(fits(rule)) << rule.common_name << " " << rule.san << " " << rule.fingerprint;
  }
  EXPECT_FALSE(fits({.common_name = ""}, {}));
}

TEST(CertificateTest, AFingerprintMayBeWrittenAsOpensslSaysIt) {
  std::string with_colons;
  for (std::size_t i = 0; i < kFingerprint.size(); i += 2) {
    with_colons += (i == 0 ? "" : ":") + kFingerprint.substr(i, 2);
  }
  for (char& c : with_colons) c = static_cast<char>(std::toupper(c));
  EXPECT_TRUE(is_fingerprint(with_colons));
  EXPECT_TRUE(fits({.fingerprint = with_colons}));
  EXPECT_FALSE(is_fingerprint(""));
  EXPECT_FALSE(is_fingerprint(kFingerprint + "0"));
  EXPECT_FALSE(is_fingerprint("g" + kFingerprint.substr(1)));
}

TEST(CertificateTest, TheFirstRuleThatFitsCounts) {
  const std::vector<CertificateRule> rules = {{.common_name = "ci", .role = Role::operator_},
                                              {.san = "ci.example", .role = Role::admin}};
  EXPECT_EQ(find_rule(rules, kCi), &rules[0]);
  EXPECT_EQ(find_rule({}, kCi), nullptr);
}

TEST(CertificateTest, ItIsCalledByWhatItHas) {
  EXPECT_EQ(title(kCi), "certificate ci (01234567)");
  EXPECT_EQ(title({.common_name = {}, .names = {"DNS:a.example"}, .fingerprint = kFingerprint}),
            "certificate DNS:a.example (01234567)");
  EXPECT_EQ(title({.common_name = {}, .names = {}, .fingerprint = kFingerprint}), "certificate 01234567");
}

}  // namespace
}  // namespace gpukeeper::auth
