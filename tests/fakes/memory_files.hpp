#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/files.hpp"

namespace gpukeeper {

/// A tree of files in memory that remembers every access and fails where it is told to.
class MemoryFiles final : public Files {
 public:
  void write(const std::string& path, std::string content) {
    std::scoped_lock lock(mutex_);
    files_[path] = std::move(content);
    links_.erase(path);
  }
  void link(const std::string& path, std::string target) {
    std::scoped_lock lock(mutex_);
    links_[path] = std::move(target);
  }
  /// Takes away a file, or a whole folder.
  void remove(const std::string& path) {
    std::scoped_lock lock(mutex_);
    const auto below = [&](const auto& entry) { return entry.first == path || entry.first.starts_with(path + "/"); };
    std::erase_if(files_, below);
    std::erase_if(links_, below);
    std::erase_if(errors_, below);
    std::erase_if(inodes_, below);  // what comes back under the same name is another file
  }
  /// Whether stat() gives the number of names in a folder, as /proc/PID/fd does since Linux 6.2; else 0, as before.
  void count_names(bool yes) {
    std::scoped_lock lock(mutex_);
    counts_names_ = yes;
  }
  /// Gives a file or folder to another user; all are root's at first.
  void give_to(const std::string& path, std::uint32_t user) {
    std::scoped_lock lock(mutex_);
    owners_[path] = user;
  }
  /// Every later access to this path answers with an error.
  void fail(const std::string& path, Errc code) {
    std::scoped_lock lock(mutex_);
    errors_[path] = code;
  }
  /// Fails the n-th access from now (1 is the next one) with an internal error; 0 for none.
  void fail_nth(int n) {
    std::scoped_lock lock(mutex_);
    countdown_ = n;
  }

  /// Takes away a folder once n accesses below it were answered from now on, as when a process ends between two reads.
  void end_after(const std::string& folder, int n) {
    std::scoped_lock lock(mutex_);
    ending_ = {folder + "/", n};
  }

  /// Every path that was read, listed, followed or asked for its facts since the last call, in order.
  std::vector<std::string> take_accesses() {
    std::scoped_lock lock(mutex_);
    return std::exchange(accesses_, {});
  }

  Result<std::string> read(std::string_view path) const override {
    std::scoped_lock lock(mutex_);
    const std::string name(path);
    if (const auto error = access(name)) return gpukeeper::fail(*error, "read " + name + ": injected");
    const auto found = files_.find(name);
    if (found == files_.end()) return gpukeeper::fail(Errc::not_found, "open " + name + ": No such file or directory");
    return found->second;
  }

  Result<std::vector<std::string>> list(std::string_view folder) const override {
    std::scoped_lock lock(mutex_);
    const std::string name(folder);
    if (const auto error = access(name)) return gpukeeper::fail(*error, "list " + name + ": injected");
    const auto names = names_in(name);
    if (names.empty()) return gpukeeper::fail(Errc::not_found, "list " + name + ": No such file or directory");
    return std::vector<std::string>(names.begin(), names.end());
  }

  Result<std::string> read_link(std::string_view path) const override {
    std::scoped_lock lock(mutex_);
    const std::string name(path);
    if (const auto error = access(name)) return gpukeeper::fail(*error, "read link " + name + ": injected");
    const auto found = links_.find(name);
    if (found == links_.end())
      return gpukeeper::fail(Errc::not_found, "read link " + name + ": No such file or directory");
    return found->second;
  }

  Result<FileFacts> stat(std::string_view path) const override {
    std::scoped_lock lock(mutex_);
    const std::string name(path);
    if (const auto error = access(name)) return gpukeeper::fail(*error, "stat " + name + ": injected");
    FileFacts facts;
    if (const auto file = files_.find(name); file != files_.end()) {
      facts.size = file->second.size();
    } else if (!links_.contains(name)) {
      const auto names = names_in(name);
      if (names.empty()) return gpukeeper::fail(Errc::not_found, "stat " + name + ": No such file or directory");
      if (counts_names_) facts.size = names.size();
    }
    facts.inode = inodes_.try_emplace(name, ++last_inode_).first->second;
    if (const auto owner = owners_.find(name); owner != owners_.end()) facts.owner = owner->second;
    return facts;
  }

 private:
  std::set<std::string> names_in(const std::string& folder) const {
    std::set<std::string> names;
    const auto collect = [&](const auto& entries) {
      for (auto entry = entries.lower_bound(folder + "/"); entry != entries.end(); ++entry) {
        if (!entry->first.starts_with(folder + "/")) break;
        const auto rest = entry->first.substr(folder.size() + 1);
        names.insert(rest.substr(0, rest.find('/')));
      }
    };
    collect(files_);
    collect(links_);
    return names;
  }

  std::optional<Errc> access(const std::string& path) const {
    accesses_.push_back(path);
    if (!ending_.first.empty() && path.starts_with(ending_.first) && ending_.second-- <= 0) return Errc::not_found;
    if (countdown_ > 0 && --countdown_ == 0) return Errc::internal;
    const auto found = errors_.find(path);
    return found == errors_.end() ? std::nullopt : std::optional(found->second);
  }

  mutable std::mutex mutex_;
  std::map<std::string, std::string> files_;
  std::map<std::string, std::string> links_;
  std::map<std::string, Errc> errors_;
  std::map<std::string, std::uint32_t> owners_;
  mutable std::map<std::string, std::uint64_t> inodes_;  // given at the first look
  mutable std::uint64_t last_inode_ = 0;
  bool counts_names_ = true;
  mutable std::vector<std::string> accesses_;
  mutable int countdown_ = 0;
  mutable std::pair<std::string, int> ending_;
};

}  // namespace gpukeeper
