#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "device/event.hpp"

namespace gpukeeper {

/// What a line of the kernel's log says of a device.
struct KernelMessage {
  /// `kind`, `code`, `count`, `pci`, `pid`, `process` and `detail` are set. The detail is one printable line of at most
  /// kMaxDetail columns, the process's name likewise; the address is that of a GPU, or of any PCI function where
  /// `of_pci` says so.
  DeviceEvent event;
  std::string driver;           ///< "amdgpu": whose device it is where the line names no address
  bool of_pci = false;          ///< the PCI core speaks: of a network card, or of a port above a GPU, just as well
  bool names_process = false;   ///< no event of its own: it names the process of the one before
  bool awaits_process = false;  ///< the next line may name the process
};

inline constexpr std::size_t kMaxDetail = 300;
inline constexpr std::size_t kMaxProcessName = 64;

/// Reads a line's text; nothing where it says nothing of a GPU or a PCIe link that an operator should see. `device` is
/// what the record itself says the line is about.
std::optional<KernelMessage> read_message(std::string_view text, std::optional<PciAddress> device = {});

/// A line taken apart: who speaks, of what, and what. "amdgpu 0000:03:00.0: amdgpu: [drm] *ERROR* ring …".
struct KernelLine {
  std::string_view driver;  ///< "amdgpu", "pcieport"; "NVRM" for NVIDIA's; "drm" where only that is known
  std::optional<PciAddress> pci;
  std::string_view text;  ///< without these and the marks of DRM
};
std::optional<KernelLine> split_line(std::string_view text);

/// The lines of one driver; nothing for those without news.
std::optional<KernelMessage> read_nvidia(const KernelLine& line);
std::optional<KernelMessage> read_amd(const KernelLine& line);
std::optional<KernelMessage> read_intel(const KernelLine& line);
std::optional<KernelMessage> read_nouveau(const KernelLine& line);
std::optional<KernelMessage> read_pci(const KernelLine& line);

// What the readers share.

/// What follows the first `mark`; nothing where it is not there.
std::optional<std::string_view> after(std::string_view text, std::string_view mark);

/// Takes a prefix away; false where it is not there.
bool skip(std::string_view& text, std::string_view prefix);

/// Takes the decimal number that the text starts with away.
std::optional<std::uint64_t> take_number(std::string_view& text);

/// An event of that kind whose detail is the line's text.
KernelMessage message(const KernelLine& line, EventKind kind);

/// Names the process. Without a pid it is unknown, whatever the name.
void blame(DeviceEvent& event, std::string_view name, std::optional<std::uint64_t> pid);

/// A row of a table of messages: the line starts with `start` and then holds `words`.
struct MessageRow {
  std::string_view start;
  std::string_view words;
  EventKind kind;
};

}  // namespace gpukeeper
