#include "backup/digest.hpp"

#include <array>

#include <fmt/format.h>
#include <openssl/evp.h>

namespace gpukeeper::backup {

void Digest::Free::operator()(evp_md_ctx_st* context) const {
  ::EVP_MD_CTX_free(context);
}

Digest::Digest() : context_(::EVP_MD_CTX_new()) {
  well_ = context_ && ::EVP_DigestInit_ex(context_.get(), ::EVP_sha256(), nullptr) == 1;
}

void Digest::add(std::span<const char> bytes) {
  well_ = well_ && ::EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1;
}

std::string Digest::text() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (!well_ || ::EVP_DigestFinal_ex(context_.get(), digest.data(), &size) != 1) return {};
  std::string text;
  for (unsigned int i = 0; i < size; ++i) text += fmt::format("{:02x}", digest[i]);
  return text;
}

}  // namespace gpukeeper::backup
