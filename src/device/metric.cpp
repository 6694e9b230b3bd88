#include "device/metric.hpp"

namespace gpukeeper {

std::string_view to_string(Missing reason) {
  switch (reason) {
    case Missing::not_supported: return "not_supported";
    case Missing::not_permitted: return "not_permitted";
    case Missing::not_yet_read: return "not_yet_read";
    case Missing::asleep: return "asleep";
    case Missing::failed: return "failed";
  }
  return "failed";
}

std::string_view describe(Missing reason) {
  switch (reason) {
    case Missing::not_supported: return "not reported by this device or driver";
    case Missing::not_permitted: return "this user may not read it";
    case Missing::not_yet_read: return "needs another reading";
    case Missing::asleep: return "the device is asleep and was left so";
    case Missing::failed: return "the driver answered with an error";
  }
  return "the driver answered with an error";
}

Missing missing_from(Errc code) {
  switch (code) {
    case Errc::not_found:
    case Errc::not_supported: return Missing::not_supported;
    case Errc::not_permitted: return Missing::not_permitted;
    default: return Missing::failed;
  }
}

}  // namespace gpukeeper
