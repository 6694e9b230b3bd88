#include "service/compression.hpp"

#include <array>
#include <cstddef>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <utility>

#include <zlib.h>

#include "core/text.hpp"

namespace gpukeeper::service {
namespace {

constexpr std::size_t kWorthIt = 1400;  // bytes: what fits into one Ethernet packet arrives no sooner packed
constexpr int kGzip = 15 + 16;          // deflateInit2's largest window, and the header of gzip around it
constexpr int kMemory = 8;              // its default

// "gzip;q=0.5" into its name and its weight; 1 where none is told, 0 where it is no number.
std::pair<std::string, double> coding_of(std::string_view text) {
  const auto semicolon = text.find(';');
  double weight = 1;
  if (semicolon != text.npos) {
    const auto parameter = trim(text.substr(semicolon + 1));
    const bool is_weight = parameter.starts_with("q=") || parameter.starts_with("Q=");
    weight = is_weight ? parse_double(parameter.substr(2)).value_or(0) : 0;
  }
  return {to_lower(trim(text.substr(0, semicolon))), weight};
}

bool is_text(const Response& response) {
  const std::string_view type = response.content_type;
  if (type.starts_with("text/event-stream")) return false;
  return type.starts_with("application/json") || type.starts_with("application/problem+json") ||
         type.starts_with("application/openmetrics-text") || type.starts_with("text/");
}

// What was packed last. Two kinds of readers may ask in turn (with and without command lines), so a few are kept.
class Packed {
 public:
  std::shared_ptr<const std::string> of(const std::shared_ptr<const std::string>& plain) {
    if (plain.use_count() == 1)
      return std::make_shared<const std::string>(gzip(*plain));  // nobody will ask for it again
    std::scoped_lock lock(mutex_);  // over the packing, too: who comes meanwhile gets the same
    for (const auto& [text, packed] : kept_) {
      if (text == plain) return packed;
    }
    auto& place = kept_.at(next_++ % kept_.size());
    place = {plain, std::make_shared<const std::string>(gzip(*plain))};
    return place.second;
  }

 private:
  using Text = std::shared_ptr<const std::string>;
  std::mutex mutex_;
  std::array<std::pair<Text, Text>, 2> kept_;  // guarded by mutex_
  std::size_t next_ = 0;                       // as well
};

// A cache must tell the two forms apart.
void vary(Response& response) {
  for (auto& [name, value] : response.headers) {
    if (name != "Vary") continue;
    value += ", Accept-Encoding";
    return;
  }
  response.headers.emplace_back("Vary", "Accept-Encoding");
}

void pack(Response& response, Packed& packed) {
  response.body = packed.of(response.body);
  for (auto& [name, value] : response.headers) {
    if (name == "ETag" && !value.starts_with("W/")) value.insert(0, "W/");
  }
  response.headers.emplace_back("Content-Encoding", "gzip");
}

}  // namespace

bool takes_gzip(std::string_view accept_encoding) {
  std::optional<double> gzip;
  double any = 0;
  double identity = 0;
  for (const auto piece : split(accept_encoding, ',')) {
    const auto [name, weight] = coding_of(piece);
    if (name == "gzip" || name == "x-gzip") gzip = weight;
    if (name == "*") any = weight;
    if (name == "identity") identity = weight;
  }
  const double wanted = gzip.value_or(any);
  return wanted > 0 && wanted >= identity;
}

std::string gzip(std::string_view text) {
  z_stream stream{};
  if (::deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzip, kMemory, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::bad_alloc();
  }
  std::string packed(::deflateBound(&stream, text.size()), '\0');
  // zlib's interface is not const; it does not write there.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  ::deflate(&stream, Z_FINISH);  // all at once: there is room for all of it
  packed.resize(stream.total_out);
  ::deflateEnd(&stream);
  return packed;
}

Answer compressed(Answer answer) {
  return [answer = std::move(answer), packed = std::make_shared<Packed>()](const Request& request) {
    Response response = answer(request);
    if (response.later || response.body_size() < kWorthIt || !is_text(response)) return response;
    vary(response);
    const auto accepted = request.header("Accept-Encoding");
    if (accepted && takes_gzip(*accepted)) pack(response, *packed);
    return response;
  };
}

}  // namespace gpukeeper::service
