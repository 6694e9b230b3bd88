#pragma once

#include <string>
#include <string_view>

#include "service/elsewhere.hpp"

namespace gpukeeper::service {

/// Whether an Accept-Encoding (RFC 9110, 12.5.3) takes gzip, and wants the text as it is no more than that.
bool takes_gzip(std::string_view accept_encoding);

/// The text as one gzip member (RFC 1952); packed for speed, as the client is waiting.
std::string gzip(std::string_view text);

/// The answer, packed for clients that take that, where its body is larger than a packet. A body that others share (the
/// snapshot of a tick) is packed once for all of them. A weak ETag stays true of it; a strong one becomes weak.
/// An answer that comes later, and a stream of events, stay as they are.
Answer compressed(Answer answer);

}  // namespace gpukeeper::service
