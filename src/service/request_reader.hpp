#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "service/http.hpp"

namespace gpukeeper::service {

struct ReaderLimits {
  std::size_t head = 16 << 10;  ///< bytes of request line and headers; then 431
  std::size_t body = 64 << 10;  ///< bytes; then 413
};

/// Reads requests out of the bytes of one connection, one after the other, however the bytes are cut.
///
/// Foreign input: what cannot be understood without guessing (two lengths, a coding that we do not know) is refused,
/// since a proxy before us may have guessed otherwise.
/// Threads: one at a time.
class RequestReader {
 public:
  enum class State { reading, complete, refused };

  explicit RequestReader(ReaderLimits limits = {});
  ~RequestReader();
  RequestReader(const RequestReader&) = delete;
  RequestReader& operator=(const RequestReader&) = delete;

  /// Takes bytes and says how many it is done with. The others must be given again with those that follow; after
  /// State::complete they belong to the next request.
  std::size_t put(std::string_view bytes);

  State state() const;

  /// Whether anything of a request has come yet: a connection that ends before is no fault.
  bool begun() const;

  /// Whether the client waits for "100 Continue" before it sends the body; true once a request.
  bool take_expectation();

  /// In State::complete: the request. Then the reader is ready for the next.
  Request take();

  /// In State::refused: what to answer before the connection is closed.
  Response refusal() const;

 private:
  struct Parser;
  void fail(unsigned status, std::string_view code, std::string_view detail);
  void check_head();
  void complete();

  const ReaderLimits limits_;
  std::unique_ptr<Parser> parser_;
  std::size_t taken_ = 0;  // bytes of this request
  State state_ = State::reading;
  bool begun_ = false;
  bool head_checked_ = false;
  bool expects_continue_ = false;
  Request request_;
  Response refusal_;
};

}  // namespace gpukeeper::service
