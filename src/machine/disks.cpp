#include "machine/disks.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "core/text.hpp"
#include "machine/rate.hpp"

namespace gpukeeper {
namespace {

constexpr std::size_t kMostMounts = 256;
constexpr std::uint64_t kSector = 512;  // in which /proc/diskstats counts, whatever the disk's own are

std::vector<std::string_view> words(std::string_view line) {
  auto result = split(line, ' ');
  std::erase(result, std::string_view());
  return result;
}

// The kernel writes blank, tab, line end and backslash as \040, \011, \012 and \134.
std::string without_escapes(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto code = text[i] == '\\' && i + 4 <= text.size() ? parse_u64(text.substr(i + 1, 3), 8) : std::nullopt;
    if (code && *code > 0 && *code < 256) {
      result += static_cast<char>(*code);
      i += 3;
    } else {
      result += text[i];
    }
  }
  return result;
}

// "nodev	sysfs" and "	ext4": what needs a block device has nothing before it.
std::set<std::string_view> on_block_devices(std::string_view filesystems) {
  std::set<std::string_view> result = {"zfs", "btrfs", "bcachefs"};  // these say nodev, or may, and lie on disks
  for (const std::string_view line : lines(filesystems)) {
    if (!line.starts_with("nodev") && !trim(line).empty()) result.insert(trim(line));
  }
  return result;
}

struct FoundMount {
  Mount mount;
  bool whole = false;  // not a folder of it that is mounted elsewhere
};

// "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw" (proc_pid_mountinfo(5)).
std::optional<FoundMount> parse_mount(std::string_view line) {
  const auto all = words(line);
  const auto dash = std::ranges::find(all, std::string_view("-"));
  if (all.size() < 6 || all.end() - dash < 3 || dash - all.begin() < 6) return std::nullopt;
  FoundMount found;
  found.mount.number = all[2];
  found.mount.mount_point = without_escapes(all[4]);
  found.mount.file_system = *(dash + 1);
  found.mount.device = without_escapes(*(dash + 2));
  found.whole = all[3] == "/";
  return found;
}

bool is_better(const FoundMount& a, const FoundMount& b) {
  if (a.whole != b.whole) return a.whole;
  return a.mount.mount_point.size() < b.mount.mount_point.size();
}

}  // namespace

std::vector<Mount> parse_mounts(std::string_view mountinfo, std::string_view filesystems) {
  const auto wanted = on_block_devices(filesystems);
  std::vector<FoundMount> all;
  for (const std::string_view line : lines(mountinfo)) {
    auto found = parse_mount(line);
    if (!found || !wanted.contains(found->mount.file_system)) continue;
    const auto same =
        std::ranges::find_if(all, [&](const FoundMount& each) { return each.mount.number == found->mount.number; });
    if (same == all.end()) {
      if (all.size() < kMostMounts) all.push_back(std::move(*found));
    } else if (is_better(*found, *same)) {
      *same = std::move(*found);
    }
  }
  std::vector<Mount> result;
  for (FoundMount& each : all) result.push_back(std::move(each.mount));
  return result;
}

std::map<std::string, DiskCounters> parse_disk_counters(std::string_view diskstats) {
  std::map<std::string, DiskCounters> result;
  for (const std::string_view line : lines(diskstats)) {
    const auto fields = words(line);  // major minor name reads merged sectors ms writes merged sectors …
    if (fields.size() < 10) continue;
    const auto reads = parse_u64(fields[3]);
    const auto sectors_read = parse_u64(fields[5]);
    const auto writes = parse_u64(fields[7]);
    const auto sectors_written = parse_u64(fields[9]);
    if (!parse_u64(fields[0]) || !parse_u64(fields[1]) || !reads || !sectors_read || !writes || !sectors_written) {
      continue;
    }
    result[std::string(fields[0]) + ":" + std::string(fields[1])] = {*reads, *sectors_read * kSector, *writes,
                                                                     *sectors_written * kSector};
  }
  return result;
}

std::optional<Percent> DiskFacts::used_share() const {
  const double all = static_cast<double>((space.used + space.free).value());
  if (!(all > 0)) return std::nullopt;
  return Percent(100.0 * static_cast<double>(space.used.value()) / all);
}

std::vector<DiskFacts> disk_facts(const Files& files, const KernelCalls& calls, const DiskLook& before,
                                  const DiskLook& now, std::chrono::nanoseconds between) {
  std::vector<DiskFacts> result;
  const auto mountinfo = files.read("/proc/self/mountinfo");
  const auto filesystems = files.read("/proc/filesystems");
  if (!mountinfo || !filesystems) return result;
  for (Mount& mount : parse_mounts(*mountinfo, *filesystems)) {
    const auto space = calls.space(mount.mount_point);
    if (!space || space->total.value() == 0) continue;
    DiskFacts facts{.mount = std::move(mount), .space = *space};
    const auto counters = now.find(facts.mount.number);
    if (counters != now.end()) {
      const auto earlier = before.find(facts.mount.number);
      const auto grown = [&](std::uint64_t DiskCounters::*counter) {
        const auto then = earlier == before.end() ? std::nullopt : std::optional(earlier->second.*counter);
        return rate(then, counters->second.*counter, between);
      };
      facts.read_bytes_per_second = grown(&DiskCounters::read_bytes);
      facts.written_bytes_per_second = grown(&DiskCounters::written_bytes);
      facts.reads_per_second = grown(&DiskCounters::reads);
      facts.writes_per_second = grown(&DiskCounters::writes);
    }
    result.push_back(std::move(facts));
  }
  return result;
}

}  // namespace gpukeeper
