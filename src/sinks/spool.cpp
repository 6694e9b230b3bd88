#include "sinks/spool.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "core/files.hpp"
#include "core/text.hpp"
#include "format/json_text.hpp"

namespace gpukeeper {
namespace {

constexpr std::size_t kLargestFile = std::size_t{64} << 20;  // far above what a full queue comes to

std::uint64_t number_of(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

// What a notice that was accepted makes known to the receiver.
void follow(const AlertNotice& notice, std::set<std::string>& open) {
  if (notice.kind == AlertNotice::Kind::resolved) {
    open.erase(notice.alert.id);
  } else if (notice.kind != AlertNotice::Kind::test) {
    open.insert(notice.alert.id);
  }
}

bool read_open(const Json& ids, std::set<std::string>& open) {
  if (!ids.is_array()) return false;
  for (const Json& id : ids) {
    if (id.is_string()) open.insert(id.get<std::string>());
  }
  return true;
}

bool read_line(std::string_view line, SpoolContents& contents) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) return false;
  if (const auto ids = json.find("open"); ids != json.end()) return read_open(*ids, contents.open);
  if (const auto done = number_of(json, "done"); done > 0) {
    std::erase_if(contents.waiting, [&](const WaitingNotice& each) { return each.number == done; });
    contents.last_number = std::max(contents.last_number, done);
    return true;
  }
  const auto number = number_of(json, "n");
  const auto document = json.find("notice");
  if (number <= contents.last_number || document == json.end()) return false;
  auto notice = parse_notice(dump(*document, false));
  if (!notice) return false;
  follow(*notice, contents.open);
  contents.last_number = number;
  contents.waiting.push_back({number, std::make_shared<const AlertNotice>(std::move(*notice))});
  return true;
}

tl::unexpected<Error> trouble(std::string_view what, const std::string& path, int error) {
  const Errc code =
      error == ENOSPC || error == EDQUOT || error == EFBIG ? Errc::resource_exhausted : errc_from_errno(error);
  return fail(code, fmt::format("{} {}: {}", what, path, std::strerror(error)));
}

// 0, or an errno.
int write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return ::fdatasync(file) == 0 ? 0 : errno;
}

// A name that was given is on the disk only when its folder is.
void sync_folder_of(const std::string& path) {
  const std::string folder = path.substr(0, path.rfind('/'));
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  static_cast<void>(::fsync(descriptor));
  ::close(descriptor);
}

}  // namespace

std::string spool_line(const WaitingNotice& waiting) {
  return fmt::format("{{\"n\":{},\"notice\":{}}}\n", waiting.number, notice_json(*waiting.notice));
}

std::string done_line(std::uint64_t number) {
  return fmt::format("{{\"done\":{}}}\n", number);
}

std::string spool_text(const SpoolContents& contents) {
  std::string text;
  // So that numbers go on rising, whatever was done.
  const std::uint64_t before = contents.waiting.empty() ? contents.last_number : contents.waiting.front().number - 1;
  if (before > 0) text += done_line(before);
  // The ids of what waits are found from its lines again; those that wait to be resolved must come before.
  std::set<std::string> open = contents.open;
  for (const WaitingNotice& each : contents.waiting) {
    if (each.notice->kind == AlertNotice::Kind::resolved) open.insert(each.notice->alert.id);
  }
  if (!open.empty()) text += dump(Json{{"open", open}}, false) + "\n";
  for (const WaitingNotice& each : contents.waiting) text += spool_line(each);
  return text;
}

SpoolContents parse_spool(std::string_view text) {
  SpoolContents contents;
  for (const std::string_view line : lines(text)) {
    if (!line.empty() && !read_line(line, contents)) ++contents.damaged;
  }
  return contents;
}

FileSpoolStore::~FileSpoolStore() {
  close();
}

void FileSpoolStore::close() {
  if (file_ >= 0) ::close(file_);
  file_ = -1;
}

Result<std::string> FileSpoolStore::load() {
  auto text = read_file(path_, kLargestFile);
  if (text) return text;
  if (text.error().code == Errc::not_found) return std::string();
  const std::string aside = path_ + ".unreadable";  // begun anew, but what stood there is kept for who can read it
  if (::rename(path_.c_str(), aside.c_str()) != 0) return text;
  return fail(text.error().code, fmt::format("{}; it is kept as {}", text.error().message, aside));
}

Result<void> FileSpoolStore::append(std::string_view lines) {
  const bool opened = file_ >= 0;
  if (!opened) file_ = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file_ < 0) return trouble("open", path_, errno);
  if (!opened) sync_folder_of(path_);  // it may have been made
  if (const int error = write_all(file_, lines); error != 0) return trouble("write", path_, error);
  return {};
}

Result<void> FileSpoolStore::replace(std::string_view text) {
  close();
  const std::string beside = path_ + ".new";
  ::unlink(beside.c_str());  // of a process that was killed
  const int file = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return trouble("open", beside, errno);
  const int error = write_all(file, text);
  ::close(file);
  if (error != 0) {
    ::unlink(beside.c_str());
    return trouble("write", beside, error);
  }
  if (::rename(beside.c_str(), path_.c_str()) != 0) return trouble("rename", beside, errno);
  sync_folder_of(path_);
  return {};
}

}  // namespace gpukeeper
