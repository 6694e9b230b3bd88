#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace gpukeeper::site {

/// A file of the web page, as it lies in the program.
struct File {
  std::string_view path;    ///< of its address: "/assets/index-Dk3f.js"; "/index.html" is the page itself
  std::string_view type;    ///< "text/javascript; charset=utf-8"
  std::string_view hash;    ///< of its content, in hexadecimal digits
  std::string_view packed;  ///< one gzip member (RFC 1952) without a name and a time
  std::size_t size = 0;     ///< unpacked
};

/// The page, or why there is none.
struct Site {
  std::span<const File> files;
  std::string_view left_out;  ///< a sentence for who looks for the page; empty where it is there

  /// The file of that path; null where there is none.
  const File* find(std::string_view path) const;
};

/// What was built into this program. All that it names lives as long as the program.
const Site& built_in();

/// The type that a browser takes a file for, by the end of its name. "application/octet-stream" for what no page has.
std::string_view type_of(std::string_view path);

/// The content, for a client that does not take gzip. Empty where the packed bytes are damaged or of another size:
/// they are ours, so that is a mistake of the build, and a test looks for it.
std::string unpacked(const File& file);

}  // namespace gpukeeper::site
