#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "sinks/curl_library.hpp"
#include "sinks/transport.hpp"

namespace gpukeeper {

/// Sends with libcurl, which is loaded when first something is sent, and looked for again as long as it is not there.
class CurlTransport final : public Transport {
 public:
  /// `path` as for curl::load_library.
  explicit CurlTransport(std::string path = "") : path_(std::move(path)) {}
  explicit CurlTransport(std::shared_ptr<const curl::Library> library) : library_(std::move(library)) {}

  Result<HttpAnswer> post(const HttpPost& post, const std::stop_token& stop) override;
  Result<void> mail(const MailPost& post, const std::stop_token& stop) override;

  /// "libcurl/7.88.1 OpenSSL/3.0.17 …". Errors: as for curl::load_library.
  Result<std::string> version();

 private:
  Result<std::shared_ptr<const curl::Library>> library();

  const std::string path_;
  std::mutex mutex_;
  std::shared_ptr<const curl::Library> library_;  // guarded by mutex_; null until it is loaded
};

}  // namespace gpukeeper
