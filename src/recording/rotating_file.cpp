#include "recording/rotating_file.hpp"

#include <array>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "recording/gzip.hpp"
#include "recording/output_file.hpp"

namespace gpukeeper::recording {
namespace {

constexpr std::string_view kPacked = ".gz";

// NAME.N.EXT
std::string ended_name(const std::filesystem::path& path, std::size_t number) {
  auto name = path;
  name.replace_filename(fmt::format("{}.{}{}", path.stem().string(), number, path.extension().string()));
  return name.string();
}

// PATH becomes PATH.gz, at once: before that, nobody sees a half of it.
Result<void> pack(const std::string& path) {
  const std::string packed = path + std::string(kPacked);
  const std::string part = packed + ".part";
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(Errc::internal, fmt::format("pack {}: it cannot be read", path));
  auto out = OutputFile::create(part, true);
  if (!out) return tl::make_unexpected(out.error());
  MemberWriter packer;
  packer.begin_plain();
  std::array<char, 65536> room;
  while (in.read(room.data(), room.size()), in.gcount() > 0) {
    packer.add({room.data(), static_cast<std::size_t>(in.gcount())});
    if (auto written = out->write(packer.take()); !written) return written;
  }
  if (in.bad()) return fail(Errc::internal, fmt::format("pack {}: it cannot be read to its end", path));
  packer.finish();
  if (auto written = out->write(packer.take()); !written) return written;
  if (auto synced = out->sync(); !synced) return synced;  // before the original goes
  if (auto closed = out->close(); !closed) return closed;
  std::error_code error;
  std::filesystem::rename(part, packed, error);
  if (!error) std::filesystem::remove(path, error);
  if (error) return fail(Errc::internal, fmt::format("pack {}: {}", path, error.message()));
  return {};
}

}  // namespace

struct RotatingFile::File {
  File(Options o, OutputFile f) : options(std::move(o)), out(std::move(f)) {}
  ~File() {
    if (packer.joinable()) packer.join();
  }

  Options options;
  OutputFile out;
  std::uint64_t in_file = 0;
  std::optional<MonotonicTime> begun;
  std::uint64_t bytes = 0;
  std::size_t files = 1;
  std::thread packer;
  Result<void> pack_result;  // of the packer; read when it was joined

  Result<void> wait_for_packer() {
    if (packer.joinable()) packer.join();
    return std::exchange(pack_result, Result<void>());
  }

  // Every ended file takes the next number; the last one goes.
  void shift() {
    std::error_code ignored;  // what is not there needs no shift
    for (std::size_t number = options.keep; number > 0; --number) {
      for (const std::string_view suffix : {std::string_view(), kPacked}) {
        const std::string name = ended_name(options.path, number) + std::string(suffix);
        if (number == options.keep) {
          std::filesystem::remove(name, ignored);
        } else {
          std::filesystem::rename(name, ended_name(options.path, number + 1) + std::string(suffix), ignored);
        }
      }
    }
  }

  Result<void> rotate() {
    if (auto packed = wait_for_packer(); !packed) return packed;
    if (auto closed = out.close(); !closed) return closed;
    shift();
    const std::string ended = ended_name(options.path, 1);
    std::error_code error;
    std::filesystem::rename(options.path, ended, error);
    if (error) return fail(Errc::internal, fmt::format("rename {} to {}: {}", options.path, ended, error.message()));
    auto next = OutputFile::create(options.path, true);
    if (!next) return tl::make_unexpected(next.error());
    out = std::move(*next);
    in_file = 0;
    begun.reset();
    ++files;
    if (options.pack) packer = std::thread([this, ended] { pack_result = pack(ended); });
    return {};
  }
};

RotatingFile::RotatingFile(std::unique_ptr<File> file) : file_(std::move(file)) {}
RotatingFile::RotatingFile(RotatingFile&&) noexcept = default;
RotatingFile& RotatingFile::operator=(RotatingFile&&) noexcept = default;
RotatingFile::~RotatingFile() = default;

Result<RotatingFile> RotatingFile::create(Options options) {
  auto out = OutputFile::create(options.path, options.force);
  if (!out) return tl::make_unexpected(out.error());
  return RotatingFile(std::make_unique<File>(std::move(options), std::move(*out)));
}

Result<bool> RotatingFile::make_room(std::size_t bytes, MonotonicTime now) {
  File& file = *file_;
  const Options& options = file.options;
  const bool large = options.size && file.in_file + bytes > *options.size;
  const bool old = options.every && file.begun && now - *file.begun >= *options.every;
  if (file.in_file > 0 && (large || old)) {
    if (auto rotated = file.rotate(); !rotated) return tl::make_unexpected(rotated.error());
  }
  if (!file.begun) file.begun = now;
  return file.in_file == 0;
}

Result<void> RotatingFile::write(std::string_view text) {
  auto written = file_->out.write(text);
  if (!written) return written;
  file_->in_file += text.size();
  file_->bytes += text.size();
  return {};
}

Result<void> RotatingFile::close() {
  if (auto packed = file_->wait_for_packer(); !packed) return packed;
  return file_->out.close();
}

std::uint64_t RotatingFile::bytes() const {
  return file_->bytes;
}

std::size_t RotatingFile::files() const {
  return file_->files;
}

}  // namespace gpukeeper::recording
