#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

// A recording is a chain of gzip members (RFC 1952), which every gzip reads as one text. Each of ours says in its head
// what it holds, in an "extra field" that others skip: so members are found without unpacking what stands before them.
namespace gpukeeper::recording {

enum class MemberKind : char {
  frames = 'F',  ///< value: time of its first frame in milliseconds
  index = 'I',   ///< value: 0
  end = 'E',     ///< empty, the last of a file that was closed; value: where the index begins
};

struct MemberHead {
  MemberKind kind = MemberKind::frames;
  std::uint64_t value = 0;
};

/// Packs one member after the other.
class MemberWriter {
 public:
  MemberWriter();
  ~MemberWriter();
  MemberWriter(const MemberWriter&) = delete;
  MemberWriter& operator=(const MemberWriter&) = delete;

  void begin(MemberHead head);
  /// A member that says nothing of itself.
  void begin_plain();
  void add(std::string_view text);
  /// All that was added can be unpacked from what take() gives then. Costs some bytes.
  void flush();
  void finish();

  /// What is packed since the last call.
  std::string take();

 private:
  void deflate(std::string_view text, int mode);

  struct Stream;
  std::unique_ptr<Stream> stream_;
  std::string packed_;
};

/// The head of a member of ours that stands at the begin of these bytes.
std::optional<MemberHead> read_head(std::string_view bytes);

/// Bytes of such a head, at least.
inline constexpr std::size_t kHeadBytes = 25;

/// What came out of packed bytes.
struct Unpacked {
  enum class End {
    whole,    ///< all members came to their end, and their checksums fit
    cut_off,  ///< the bytes end inside a member
    damaged,  ///< these are not the bytes that were written; the text is that of the members before
    bomb,     ///< there is more text than the limit
  };
  End end = End::whole;
  std::string text;
  std::size_t at = 0;   ///< how far the bytes were read: where the damage was noticed
  std::string message;  ///< of damaged: what zlib says
};

/// Unpacks all members that stand in the bytes, one behind the other, to at most `limit` bytes of text.
Unpacked unpack(std::string_view bytes, std::size_t limit);

}  // namespace gpukeeper::recording
