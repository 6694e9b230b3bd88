#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

struct evp_md_ctx_st;

namespace gpukeeper::backup {

/// SHA-256 of bytes that come in pieces.
class Digest {
 public:
  Digest();
  void add(std::span<const char> bytes);
  /// In hexadecimal digits; once. Empty when it could not be computed, which only a lack of memory can bring about.
  std::string text();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
  bool well_ = false;
};

}  // namespace gpukeeper::backup
