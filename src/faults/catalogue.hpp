#pragma once

#include <string>
#include <string_view>

#include "device/event.hpp"

namespace gpukeeper {

/// How bad an event is, by what a person must do about it.
enum class Severity {
  info,      ///< nothing is broken: for the record
  warning,   ///< one application's work may be lost, or a sign to watch
  error,     ///< work was lost or will be: act when there is time today
  critical,  ///< the device cannot be used or trusted until somebody acts
};

/// "info" and so on, as it stands in JSON and in the journal.
std::string_view to_string(Severity severity);

/// An event in words for the person who must act; none of them empty.
struct Explanation {
  Severity severity;
  std::string title;        ///< a few words: "XID 79: the GPU has fallen off the bus"
  std::string explanation;  ///< what it means, and whether hardware, driver or application is the likely cause
  std::string action;       ///< what to do, as a request: "Drain the machine and …"
};

/// The explanation of any event. An xid is told apart by its `code`; within other kinds the words of `detail` decide
/// where they must ("failed", "pending", "fatal"); a code or kind that nobody documents gets a sentence that says so.
/// Threads: any.
Explanation explain(const DeviceEvent& event);

}  // namespace gpukeeper
