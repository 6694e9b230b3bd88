#include "actuators/change_journal.hpp"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "core/display_text.hpp"
#include "core/files.hpp"
#include "core/rfc3339.hpp"
#include "format/json_text.hpp"

namespace gpukeeper {
namespace {

constexpr std::size_t kMostBytes = 8 << 20;  // a line is some 300; the rest of it is over

Error failure(int error, const std::string& path, std::string_view what) {
  return {errc_from_errno(error), fmt::format("{} {}: {}", what, path, std::generic_category().message(error))};
}

Json name_json(const ActuatorName& name) {
  return {{"kind", to_string(name.kind)}, {"device", name.device.text}, {"place", name.place}};
}

std::string text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::optional<ActuatorName> read_name(const Json& object) {
  const auto kind = parse_actuator_kind(text_of(object, "kind"));
  ActuatorName name;
  name.device.text = text_of(object, "device");
  name.place = text_of(object, "place");
  if (!kind || name.device.text.empty() || name.place.empty()) return std::nullopt;
  name.kind = *kind;
  return name;
}

void drop(std::vector<HeldChange>& held, const ActuatorName& name) {
  std::erase_if(held, [&](const HeldChange& change) { return change.name == name; });
}

std::string line_of(const HeldChange& change) {
  Json line = name_json(change.name);
  line["event"] = "changed";
  line["found"] = change.found;
  line["set"] = change.set;
  if (!change.before.empty()) line["before"] = change.before;
  line["reason"] = change.reason;
  line["boot"] = change.boot;
  line["at"] = rfc3339(change.at);
  return dump(line, false) + "\n";
}

// Whether it was understood.
bool take_line(std::string_view line, std::vector<HeldChange>& held) {
  const Json object = Json::parse(line, nullptr, false);
  if (!object.is_object()) return false;
  const auto name = read_name(object);
  if (!name) return false;
  drop(held, *name);
  if (text_of(object, "event") == "given_back") return true;
  HeldChange change{*name,
                    text_of(object, "found"),
                    text_of(object, "set"),
                    text_of(object, "before"),
                    text_of(object, "reason"),
                    text_of(object, "boot"),
                    parse_rfc3339(text_of(object, "at")).value_or(WallTime())};
  const bool whole = !change.found.empty() && !change.set.empty() && !change.boot.empty();
  if (whole) held.push_back(std::move(change));
  return whole;
}

// Whether the next process reads the names and values that are meant.
bool is_kept(const HeldChange& change, std::string_view line) {
  std::vector<HeldChange> read;
  return take_line(line, read) && read.front().name == change.name && read.front().found == change.found &&
         read.front().set == change.set;
}

// How much of it was written, and 0 or an errno.
std::pair<std::size_t, int> write_at(int file, std::string_view text, std::uint64_t offset) {
  std::size_t done = 0;
  while (done < text.size()) {
    const auto wrote = ::pwrite(file, text.data() + done, text.size() - done, static_cast<off_t>(offset + done));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return {done, wrote == 0 ? ENOSPC : errno};
    done += static_cast<std::size_t>(wrote);
  }
  return {done, ::fdatasync(file) == 0 ? 0 : errno};
}

}  // namespace

ChangeJournal::ChangeJournal(std::string path, int file, std::uint64_t size, std::vector<HeldChange> held)
    : path_(std::move(path)), file_(file), size_(size), held_(std::move(held)) {}

ChangeJournal::ChangeJournal(ChangeJournal&& other) noexcept
    : path_(std::move(other.path_)),
      file_(std::exchange(other.file_, -1)),
      size_(other.size_),
      held_(std::move(other.held_)) {}

ChangeJournal::~ChangeJournal() {
  if (file_ >= 0) ::close(file_);
}

Result<ChangeJournal> ChangeJournal::open(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (file < 0) return tl::make_unexpected(failure(errno, path, "open"));
  ChangeJournal journal(path, file, 0, {});
  const auto text = read_file(path, kMostBytes);
  if (!text) return tl::make_unexpected(text.error());
  std::size_t begin = 0;
  for (std::size_t end = text->find('\n'); end != std::string::npos; end = text->find('\n', begin)) {
    if (!take_line(std::string_view(*text).substr(begin, end - begin), journal.held_)) {
      return fail(Errc::invalid_argument,
                  fmt::format("{} is damaged at byte {}: it says what gpukeeper changed and has to give back; look at "
                              "it, put the values back by hand, and delete it",
                              path, begin));
    }
    begin = end + 1;
  }
  journal.size_ = begin;
  if (begin < text->size() && ::ftruncate(file, static_cast<off_t>(begin)) != 0) {  // a torn line
    return tl::make_unexpected(failure(errno, path, "truncate"));
  }
  return journal;
}

Result<void> ChangeJournal::will_change(HeldChange change) {
  for (const HeldChange& earlier : held_) {
    if (earlier.name != change.name) continue;
    change.found = earlier.found;
    change.before = earlier.set;
  }
  const std::string line = line_of(change);
  if (!is_kept(change, line)) {
    return fail(Errc::invalid_argument, fmt::format("{} cannot be written to {}, so it is not changed",
                                                    harmless(change.name.to_string()), path_));
  }
  if (auto written = append(line); !written) return written;
  drop(held_, change.name);
  held_.push_back(std::move(change));
  write_anew();
  return {};
}

Result<void> ChangeJournal::given_back(const ActuatorName& name) {
  Json line = name_json(name);
  line["event"] = "given_back";
  const bool last = std::ranges::all_of(held_, [&](const HeldChange& change) { return change.name == name; });
  auto written = last ? empty() : append(dump(line, false) + "\n");
  if (!written) return written;
  drop(held_, name);
  write_anew();
  return {};
}

// A line that could not be written whole is cut off again: what follows it would not be understood.
Result<void> ChangeJournal::append(const std::string& line) {
  auto [done, error] = write_at(file_, line, size_);
  if (error == 0) {
    size_ += done;
    return {};
  }
  if (::ftruncate(file_, static_cast<off_t>(size_)) != 0) error = errno;
  return tl::make_unexpected(failure(error, path_, "write"));
}

Result<void> ChangeJournal::empty() {
  if (::ftruncate(file_, 0) != 0 || ::fdatasync(file_) != 0) {
    return tl::make_unexpected(failure(errno, path_, "truncate"));
  }
  size_ = 0;
  return {};
}

// A new file takes the old one's place at once, or not at all: where that fails the old one, which says the same,
// stays, and it is tried again with the next line.
void ChangeJournal::write_anew() {
  std::string text;
  for (const HeldChange& change : held_) text += line_of(change);
  if (size_ <= text.size() + kMostOver) return;
  const std::string beside = path_ + ".new";
  ::unlink(beside.c_str());  // of a process that was killed
  const int file = ::open(beside.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
  if (file < 0) return;
  if (write_at(file, text, 0).second != 0 || ::rename(beside.c_str(), path_.c_str()) != 0) {
    ::unlink(beside.c_str());
    ::close(file);
    return;
  }
  ::close(std::exchange(file_, file));
  size_ = text.size();
}

}  // namespace gpukeeper
