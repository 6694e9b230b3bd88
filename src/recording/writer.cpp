#include "recording/writer.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "recording/frames.hpp"
#include "recording/gzip.hpp"
#include "recording/output_file.hpp"

namespace gpukeeper::recording {
namespace {

// A key frame of eight GPUs packs to some 3 KB, a second of changes to a tenth of that; and a moment is found by
// reading on from the key frame before it.
constexpr auto kMemberLength = std::chrono::seconds(120);
// Where frames are rare, a member holds as many all the same: it is frames that reading on costs, and a key frame for
// each two of a day would be most of the file.
constexpr std::size_t kMemberFrames = 30;
// As many bytes of text as a reader unpacks without care (reader.cpp), by far.
constexpr std::size_t kMemberBytes = 8 << 20;
// What is lost when the program is killed; with the machine, what the system has not yet written (some 30 s).
// Each flush costs a hundred bytes.
constexpr auto kFlushPeriod = std::chrono::seconds(5);

}  // namespace

struct Writer::File {
  File(std::string p, Options o, OutputFile f) : path(std::move(p)), options(std::move(o)), out(std::move(f)) {}

  const std::string path;
  const Options options;
  OutputFile out;

  MemberWriter packer;
  FrameWriter lines;
  bool in_member = false;
  Offset member_begin{0};
  std::size_t member_bytes = 0;
  std::size_t member_frames = 0;
  Offset flushed{0};
  std::vector<std::pair<Offset, std::uint64_t>> index;  // where each member's first frame stands

  std::uint64_t frames = 0;
  std::uint64_t bytes = 0;
  Offset last{0};
  std::optional<Error> broken;

  Result<void> write_packed() {
    const std::string packed = packer.take();
    if (auto written = out.write(packed); !written) return give_up(written.error());
    bytes += packed.size();
    return {};
  }

  // The lines that a member begins with.
  std::string begin_member(const Frame& frame) {
    index.emplace_back(frame.at, bytes);
    packer.begin({MemberKind::frames, static_cast<std::uint64_t>(frame.at.count())});
    in_member = true;
    member_begin = frame.at;
    member_bytes = 0;
    member_frames = 0;
    const auto is_simulated = [](const SourceCalls& source) {
      return source.list.outcome && *source.list.outcome &&
             std::ranges::any_of(**source.list.outcome, &Device::simulated);
    };
    Header header{.started = frame.wall - frame.at,
                  .host = options.host,
                  .program = options.program,
                  .simulated = std::ranges::any_of(frame.state.sources, is_simulated)};
    for (const SourceCalls& source : frame.state.sources) header.sources.push_back(source.name);
    for (const EventCalls& source : frame.state.event_sources) header.event_sources.push_back(source.name);
    return lines.first(header, frame);
  }

  Result<void> end_member() {
    packer.finish();
    in_member = false;
    return write_packed();
  }

  Result<void> give_up(Error error) {
    error.message += "; what was written before can be replayed";
    broken = std::move(error);
    return tl::make_unexpected(*broken);
  }
};

Writer::Writer(std::unique_ptr<File> file) : file_(std::move(file)) {}
Writer::Writer(Writer&&) noexcept = default;
Writer& Writer::operator=(Writer&&) noexcept = default;
Writer::~Writer() = default;

Result<Writer> Writer::create(const std::string& path, Options options) {
  auto out = OutputFile::create(path, options.force);
  if (!out) return tl::make_unexpected(out.error());
  return Writer(std::make_unique<File>(path, std::move(options), std::move(*out)));
}

Result<void> Writer::add(Frame frame) {
  File& file = *file_;
  if (file.broken) return tl::make_unexpected(*file.broken);
  if (file.frames > 0) frame.at = std::max(frame.at, file.last + Offset(1));
  const bool long_enough = frame.at - file.member_begin >= kMemberLength && file.member_frames >= kMemberFrames;
  const bool full = long_enough || file.member_bytes >= kMemberBytes;
  if (file.in_member && full) {
    if (auto ended = file.end_member(); !ended) return ended;
  }
  const std::string text = file.in_member ? file.lines.next(frame) : file.begin_member(frame);
  file.packer.add(text);
  file.member_bytes += text.size();
  ++file.member_frames;
  file.last = frame.at;
  if (file.frames++ == 0 || frame.at - file.flushed >= kFlushPeriod) {
    file.packer.flush();
    file.flushed = frame.at;
    return file.write_packed();
  }
  return {};
}

Result<void> Writer::close() {
  File& file = *file_;
  if (file.broken) return tl::make_unexpected(*file.broken);
  if (file.in_member) {
    if (auto ended = file.end_member(); !ended) return ended;
  }
  Json members = Json::array();
  for (const auto& [at, offset] : file.index) members.push_back({at.count(), offset});
  const auto index_at = file.bytes;
  file.packer.begin({MemberKind::index, 0});
  file.packer.add(Json{{"index", std::move(members)}, {"end", file.last.count()}}.dump() + "\n");
  file.packer.finish();
  file.packer.begin({MemberKind::end, index_at});
  file.packer.finish();
  if (auto written = file.write_packed(); !written) return written;
  if (auto closed = file.out.close(); !closed) return file.give_up(closed.error());
  file.broken = Error{Errc::internal, fmt::format("write {}: it is closed", file.path)};
  return {};
}

std::uint64_t Writer::frames() const {
  return file_->frames;
}

std::uint64_t Writer::bytes() const {
  return file_->bytes;
}

}  // namespace gpukeeper::recording
