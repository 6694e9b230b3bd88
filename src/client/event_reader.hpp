#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace gpukeeper::client {

/// A Server-Sent Event.
struct StreamEvent {
  std::string type;  ///< "message" where it says none
  std::string id;    ///< empty where it has none
  std::string data;

  friend bool operator==(const StreamEvent&, const StreamEvent&) = default;
};

/// Reads a text/event-stream (HTML Living Standard, 9.2.5 and 9.2.6) that comes in pieces of any size.
class EventReader {
 public:
  /// `most`: bytes that an event may take.
  explicit EventReader(std::size_t most) : most_(most) {}

  /// The events that this piece completes, in order. Comments and events without data are none.
  /// Errors: resource_exhausted for an event that is too long, after which there is no reading on.
  Result<std::vector<StreamEvent>> take(std::string_view piece);

 private:
  void end_line(std::vector<StreamEvent>& complete);

  const std::size_t most_;
  std::string line_;       // that has not ended
  bool after_cr_ = false;  // the line ended with CR: an LF belongs to it
  StreamEvent event_;      // that has not ended
  bool has_data_ = false;
};

}  // namespace gpukeeper::client
