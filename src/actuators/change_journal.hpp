#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "actuators/actuator.hpp"
#include "core/clock.hpp"
#include "core/result.hpp"

namespace gpukeeper {

/// A change that was made and not yet given back.
struct HeldChange {
  ActuatorName name;
  std::string found;   ///< what stood there before the first change
  std::string set;     ///< ours
  std::string before;  ///< ours before that, which stands still if setting failed or was not come to; else empty
  std::string reason;  ///< a sentence
  std::string boot;    ///< the boot in which it was made: another one has none of our changes
  WallTime at{};

  friend bool operator==(const HeldChange&, const HeldChange&) = default;
};

/// The record of what was changed, written before it is changed, so that whoever comes after a crash can give it back.
///
/// A file of JSON lines, each of them on the disk before the call returns; the last may be torn by a crash and is then
/// nothing, as its change was not made. Once nothing is held the file is emptied; one that has grown while something
/// was held all the time is written anew, without what is over. Threads: one.
class ChangeJournal {
 public:
  static constexpr std::size_t kMostOver = 64 << 10;  ///< bytes of lines that are over, before it is written anew

  /// Opens or makes it. Errors: as the disk says, with the path; invalid_argument for a file that is none of ours.
  static Result<ChangeJournal> open(const std::string& path);

  ChangeJournal(ChangeJournal&& other) noexcept;
  ChangeJournal& operator=(ChangeJournal&&) = delete;
  ~ChangeJournal();

  /// What earlier processes, or this one, hold.
  const std::vector<HeldChange>& held() const { return held_; }

  /// To be called before the change is made. Takes the place of an earlier one of the same name, whose `found` stays
  /// and whose `set` is what was set before. Errors: as the disk says; invalid_argument for what a line cannot hold,
  /// such as a path that is no UTF-8. Then the change must not be made.
  Result<void> will_change(HeldChange change);

  /// To be called after it was given back, or is not ours any more. Errors: as the disk says; then it is held still.
  Result<void> given_back(const ActuatorName& name);

 private:
  ChangeJournal(std::string path, int file, std::uint64_t size, std::vector<HeldChange> held);
  Result<void> append(const std::string& line);
  Result<void> empty();
  void write_anew();

  std::string path_;
  int file_;
  std::uint64_t size_;  // of what is whole in the file
  std::vector<HeldChange> held_;
};

}  // namespace gpukeeper
