#include "site/site.hpp"

#include <algorithm>
#include <utility>

#include <zlib.h>

namespace gpukeeper::site {
namespace {

constexpr int kGzip = 15 + 16;  // inflateInit2's largest window, and the header of gzip around it

// What Vite makes of a page.
constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".ico", "image/x-icon"},
    {".woff2", "font/woff2"},
    {".json", "application/json"},
};

}  // namespace

const File* Site::find(std::string_view path) const {
  const auto found = std::ranges::find(files, path, &File::path);
  return found == files.end() ? nullptr : &*found;
}

std::string_view type_of(std::string_view path) {
  for (const auto& [end, type] : kTypes) {
    if (path.ends_with(end)) return type;
  }
  return "application/octet-stream";
}

std::string unpacked(const File& file) {
  std::string text(file.size, '\0');
  z_stream stream{};
  if (::inflateInit2(&stream, kGzip) != Z_OK) return {};
  // zlib's interface is not const; it does not write there.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(file.packed.data()));
  stream.avail_in = static_cast<uInt>(file.packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(text.data());
  stream.avail_out = static_cast<uInt>(text.size());
  const bool whole = ::inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.total_out == text.size();
  ::inflateEnd(&stream);
  return whole ? text : std::string();
}

}  // namespace gpukeeper::site
