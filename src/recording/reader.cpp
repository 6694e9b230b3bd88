#include "recording/reader.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "core/files.hpp"
#include "core/rfc3339.hpp"
#include "recording/frames.hpp"
#include "recording/gzip.hpp"

namespace gpukeeper::recording {
namespace {

// A member of ours has at most some 8 MiB of text and packs it tenfold. More is no recording but an attack on our
// memory.
constexpr std::size_t kMostText = 64 << 20;
constexpr std::size_t kMostPacked = 64 << 20;
constexpr std::size_t kScanPiece = 1 << 20;

/// Bytes of a file at any place.
class Bytes {
 public:
  Bytes(int descriptor, std::uint64_t size) : descriptor_(descriptor), size_(size) {}
  ~Bytes() { ::close(descriptor_); }
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;

  std::uint64_t size() const { return size_; }

  /// Fewer than asked for at the end of the file, and where the disk fails.
  std::string read(std::uint64_t at, std::size_t count) const {
    std::string bytes(at < size_ ? static_cast<std::size_t>(std::min<std::uint64_t>(count, size_ - at)) : 0, '\0');
    std::size_t done = 0;
    while (done < bytes.size()) {
      const auto got = ::pread(descriptor_, bytes.data() + done, bytes.size() - done, static_cast<off_t>(at + done));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) break;
      done += static_cast<std::size_t>(got);
    }
    bytes.resize(done);
    return bytes;
  }

 private:
  int descriptor_;
  std::uint64_t size_;
};

struct Member {
  Offset at{0};  // of its first frame, as its head says
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

// The members by the index at the file's end; none when the file was not closed or the index does not fit it.
std::vector<Member> indexed_members(const Bytes& bytes) {
  constexpr std::size_t kEndBytes = kHeadBytes + 10;  // deflate's empty block (2) and gzip's trailer (8)
  if (bytes.size() < kEndBytes) return {};
  const auto end = read_head(bytes.read(bytes.size() - kEndBytes, kEndBytes));
  if (!end || end->kind != MemberKind::end || end->value >= bytes.size()) return {};
  const auto packed = bytes.read(end->value, kMostPacked);
  const auto head = read_head(packed);
  if (!head || head->kind != MemberKind::index) return {};
  const auto unpacked = unpack(packed, kMostText);
  if (unpacked.end != Unpacked::End::whole) return {};
  const Json json = Json::parse(unpacked.text, nullptr, false);
  const Json* index = member(json, "index");
  if (index == nullptr || !index->is_array()) return {};
  std::vector<Member> members;
  for (const Json& each : *index) {
    if (!each.is_array() || each.size() != 2 || !each[0].is_number_unsigned() || !each[1].is_number_unsigned())
      return {};
    const auto at = each[0].get<std::uint64_t>();
    const auto begin = each[1].get<std::uint64_t>();
    const auto real = read_head(bytes.read(begin, kHeadBytes));
    if (!real || real->kind != MemberKind::frames || real->value != at || begin >= end->value) return {};
    if (!members.empty() && (begin <= members.back().begin || Offset(at) <= members.back().at)) return {};
    if (!members.empty()) members.back().end = begin;
    members.push_back({Offset(at), begin, end->value});
  }
  return members;
}

// The members by their heads, looked for in the whole file. Bytes that look like one by chance would have to do so in
// ten places.
std::vector<Member> found_members(const Bytes& bytes) {
  std::vector<Member> members;
  const auto found = [&](std::uint64_t at, const MemberHead& head) {
    if (!members.empty() && members.back().end == 0) members.back().end = at;
    // No checksum covers the kind: one that is damaged stands before frames, as nearly all members do.
    if (head.kind != MemberKind::index && head.kind != MemberKind::end) members.push_back({Offset(head.value), at, 0});
  };
  for (std::uint64_t piece = 0; piece < bytes.size(); piece += kScanPiece) {
    const std::string text = bytes.read(piece, kScanPiece + kHeadBytes - 1);
    for (auto at = text.find("\x1f\x8b"); at != std::string::npos && at < kScanPiece;
         at = text.find("\x1f\x8b", at + 1)) {
      if (const auto head = read_head(std::string_view(text).substr(at))) found(piece + at, *head);
    }
  }
  // Packed by another hand: as one member, or as some that do not say what they hold.
  if (members.empty() || members.front().begin != 0) {
    const auto first = members.empty() ? bytes.size() : members.front().begin;
    members.insert(members.begin(), {Offset(0), 0, first});
  }
  if (members.back().end == 0) members.back().end = bytes.size();
  return members;
}

}  // namespace

struct Reader::State {
  State(std::string p, int descriptor, std::uint64_t size) : path(std::move(p)), bytes(descriptor, size) {}

  const std::string path;
  const Bytes bytes;
  std::vector<Member> members;
  Notes notes;
  std::optional<FrameReader> frames;
  Offset begin{0};
  Offset end{0};
  Header header;
  std::optional<Error> refused;  // a header that cannot be read

  std::size_t next_member = 0;
  std::size_t members_to_read = 0;
  std::string text;      // of the member before
  std::size_t line = 0;  // where the next line begins in it
  bool held = false;     // the frame that is applied was not handed out yet

  void start_at(std::size_t member) {
    frames.emplace(notes);
    next_member = member;
    text.clear();
    line = 0;
    held = false;
  }

  /// Unpacks the next member that has something to read. False behind the last.
  bool load() {
    while (next_member < members_to_read) {
      const Member& member = members[next_member++];
      auto unpacked =
          unpack(bytes.read(member.begin,
                            static_cast<std::size_t>(std::min<std::uint64_t>(member.end - member.begin, kMostPacked))),
                 kMostText);
      line = 0;
      text = std::move(unpacked.text);
      switch (unpacked.end) {
        case Unpacked::End::whole: return true;
        case Unpacked::End::cut_off:
          text.resize(text.rfind('\n') + 1);  // npos + 1 is 0: no whole line
          notes.say("it was cut off; it is read up to its last whole frame");
          if (!text.empty()) return true;
          break;
        case Unpacked::End::damaged:
          notes.say(
              fmt::format("damaged at byte {} ({}): the frames from {} s on are left out, up to the next that "
                          "stand alone",
                          member.begin + unpacked.at, unpacked.message, member.at.count() / 1000));
          if (!text.empty()) return true;
          break;
        case Unpacked::End::bomb:
          notes.say(
              fmt::format("the part at byte {} unpacks to more than {} MiB, which no recording does: it is left "
                          "out",
                          member.begin, kMostText >> 20));
          break;
      }
      text.clear();
    }
    return false;
  }

  /// Goes on to the next frame, so that it is pending. False behind the last.
  bool look() {
    while (!frames->pending()) {
      if (line >= text.size()) {
        if (refused || !load()) return false;
        continue;
      }
      const auto end_of_line = std::min(text.find('\n', line), text.size());
      const auto looked = frames->look(std::string_view(text).substr(line, end_of_line - line));
      line = end_of_line + 1;
      if (looked) continue;
      if (looked.error().code == Errc::not_supported) {
        refused = looked.error();
        return false;
      }
      notes.say(fmt::format("{} in the part at byte {}: the rest of it is left out", looked.error().message,
                            members[next_member - 1].begin));
      line = text.size();
    }
    return true;
  }

  /// The time of the last whole frame: the members from the end on, until one has any.
  std::optional<Offset> find_end() {
    std::optional<Offset> last;
    for (members_to_read = members.size(); members_to_read > 0 && !last; --members_to_read) {
      start_at(members_to_read - 1);
      for (; look(); frames->apply()) last = frames->pending();
    }
    members_to_read = members.size();
    return last;
  }
};

Reader::Reader(std::unique_ptr<State> state) : state_(std::move(state)) {}
Reader::~Reader() = default;

Result<std::unique_ptr<Reader>> Reader::open(const std::string& path) {
  const auto refuse = [&](Errc code, std::string_view why) { return fail(code, fmt::format("{}: {}", path, why)); };
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return refuse(errc_from_errno(errno), std::system_category().message(errno));
  struct stat status {};
  ::fstat(descriptor, &status);
  auto state =
      std::make_unique<State>(path, descriptor, static_cast<std::uint64_t>(std::max<off_t>(status.st_size, 0)));
  State& s = *state;
  if (!S_ISREG(status.st_mode)) return refuse(Errc::invalid_argument, "a recording is a plain file, and this is none");
  if (!s.bytes.read(0, 2).starts_with("\x1f\x8b")) {
    return refuse(Errc::invalid_argument, "this is no recording of gpukeeper: it does not begin as a gzip file");
  }
  s.members = indexed_members(s.bytes);
  if (s.members.empty()) s.members = found_members(s.bytes);

  s.members_to_read = s.members.size();
  s.start_at(0);
  const bool any = s.look();
  if (s.refused) return refuse(s.refused->code, s.refused->message);
  if (!s.frames->header()) {
    return refuse(Errc::invalid_argument, "this is no recording of gpukeeper: its first line does not name its format");
  }
  s.header = *s.frames->header();
  if (!any) return refuse(Errc::unavailable, "the recording holds no whole frame");
  s.begin = *s.frames->pending();
  s.end = s.find_end().value_or(s.begin);
  auto reader = std::unique_ptr<Reader>(new Reader(std::move(state)));
  reader->seek(s.begin);
  return reader;
}

const Header& Reader::header() const {
  return state_->header;
}

Offset Reader::begin() const {
  return state_->begin;
}

Offset Reader::end() const {
  return state_->end;
}

void Reader::seek(Offset at) {
  State& s = *state_;
  const auto later = std::ranges::upper_bound(s.members, at, {}, &Member::at);
  auto member = later == s.members.begin() ? 0 : static_cast<std::size_t>(later - s.members.begin()) - 1;
  // A member that is damaged gives nothing: the moment is then that of the one before.
  for (;; --member) {
    s.start_at(member);
    if ((s.look() && *s.frames->pending() <= at) || member == 0) break;
  }
  while (s.look() && (!s.held || *s.frames->pending() <= at)) {
    s.frames->apply();
    s.held = true;
  }
}

std::optional<Offset> Reader::next_at() {
  State& s = *state_;
  if (s.held) return s.frames->frame().at;
  return s.look() ? s.frames->pending() : std::nullopt;
}

const Frame* Reader::next() {
  State& s = *state_;
  if (!std::exchange(s.held, false)) {
    if (!s.look()) return nullptr;
    s.frames->apply();
  }
  return &s.frames->frame();
}

std::vector<std::string> Reader::notes() const {
  return state_->notes.sentences();
}

}  // namespace gpukeeper::recording
