#include "faults/catalogue.hpp"

#include <fmt/format.h>

#include "core/text.hpp"
#include "faults/xid_table.hpp"

namespace gpukeeper {
namespace {

using enum Severity;

// One row explains the events of a kind whose detail holds the word, in any case; an empty word is any detail. Of a
// kind's rows the first that fits counts, so "uncorrect" stands before "correct" and "non-fatal" before "fatal".
struct KindRow {
  EventKind kind;
  std::string_view word;
  Severity severity;
  std::string_view title;
  std::string_view explanation;
  std::string_view action;
};

constexpr KindRow kKinds[] = {
    {EventKind::ecc_corrected, "", info, "memory errors were corrected",
     "ECC repaired errors in the GPU's memory or caches; no data was lost. Single ones are normal; many of them, or "
     "more "
     "every day, are a sign of ageing memory or heat.",
     "Watch whether they become more; take no action for single ones."},
    {EventKind::ecc_uncorrected, "before the first look", warning, "memory errors could not be corrected earlier",
     "The GPU counts errors that ECC could not repair and that happened before gpukeeper looked at it for the first "
     "time; when is not known. The hardware was the likely cause.",
     "Watch whether they become more; if they do, drain the GPU and return the card for replacement (RMA)."},
    {EventKind::ecc_uncorrected, "", critical, "memory errors could not be corrected",
     "Memory or a cache of the GPU lost data that ECC could not repair; the applications that used it have failed or "
     "their results are wrong. The hardware is the likely cause.",
     "Restart the applications, drain the GPU and reset it; if it happens again, return the card for replacement "
     "(RMA)."},

    {EventKind::row_remap, "fail", critical, "memory rows could not be replaced",
     "A row of GPU memory has errors and no spare row is left to replace it. The hardware is the cause.",
     "Drain the GPU and return the card for replacement (RMA)."},
    {EventKind::row_remap, "pending", warning, "memory rows wait to be replaced",
     "A row of GPU memory had errors and will be replaced by a spare one at the next reset; until then it may fail "
     "again. The GPU repairs itself as designed.",
     "Reset the GPU, or restart the machine, when its work allows."},
    {EventKind::row_remap, "", info, "memory rows were replaced",
     "A row of GPU memory that had errors was replaced by a spare one. The GPU repairs itself as designed; a card has "
     "a "
     "limited number of spares.",
     "Watch whether more rows follow."},

    {EventKind::page_retirement, "pending", warning, "memory pages wait to be taken out of use",
     "A page of GPU memory had errors and will no longer be used once the driver is loaded again; until then it may "
     "fail "
     "again.",
     "Restart the machine, or reload the driver, when the work on it allows."},
    {EventKind::page_retirement, "", warning, "memory pages were taken out of use",
     "A page of GPU memory had errors and is no longer used. A few are normal over a card's life; many are a sign of "
     "failing memory.",
     "Watch whether more pages follow; return the card (RMA) once its vendor's limit is reached."},

    {EventKind::ras, "poison", critical, "damaged data was about to be used",
     "The GPU met data that memory had lost and marked as damaged (poison), and stopped the application that used it. "
     "The hardware is the likely cause.",
     "Restart the application, drain the GPU and reset it; if it happens again, return the card for replacement "
     "(RMA)."},
    {EventKind::ras, "uncorrect", critical, "hardware errors could not be corrected",
     "The GPU's error reporting (RAS) found errors that could not be repaired; the driver mostly resets the GPU, and "
     "all "
     "work on it is lost. The hardware is the likely cause.",
     "Drain the GPU and restart the machine; if it happens again, return the card for replacement (RMA)."},
    {EventKind::ras, "correct", info, "hardware errors were corrected",
     "The GPU's error reporting (RAS) found errors and repaired them; no data was lost. Many of them are a sign of "
     "failing hardware.",
     "Watch whether they become more; take no action for single ones."},
    {EventKind::ras, "bad page", warning, "memory pages were taken out of use",
     "Pages of GPU memory had errors and are no longer used. A few are normal over a card's life; many are a sign of "
     "failing memory.",
     "Watch whether more pages follow; return the card (RMA) once its vendor's limit is reached."},
    {EventKind::ras, "", error, "the GPU's error reporting found a hardware error",
     "AMD's driver reported an error of the hardware (RAS). What it means for the running work stands in its message.",
     "Read the kernel's log around it; drain the GPU if work on it failed."},

    {EventKind::engine_reset, "fail", error, "an engine could not be reset",
     "Work on one engine of the GPU hung and resetting that engine failed; a reset of the whole GPU mostly follows. "
     "The "
     "application or the driver is the likely cause, rarely the hardware.",
     "Restart the application; restart the machine if the GPU does not come back."},
    {EventKind::engine_reset, "", warning, "an engine hung and was reset",
     "Work on one engine of the GPU made no progress and was thrown away; other applications go on. The application or "
     "the driver is the likely cause, rarely the hardware.",
     "Restart the application; if it hangs again, update the driver (kernel, Mesa, ROCm) and report it there."},
    {EventKind::gpu_hang, "", error, "work on the GPU hung",
     "The GPU made no progress with an application's work; the driver stops it and may reset the GPU. The application "
     "or "
     "the driver is the likely cause, rarely the hardware.",
     "Restart the application; if it hangs again, update the driver (kernel, Mesa, ROCm) and report it there."},

    {EventKind::gpu_reset, "fail", critical, "the GPU could not be reset",
     "The driver tried to reset the GPU after an error and did not succeed; it cannot be used. The driver or the "
     "hardware is the likely cause.",
     "Restart the machine; if that does not help, switch it off for a minute."},
    {EventKind::gpu_reset, "ret = -", critical, "the GPU could not be reset",
     "The driver tried to reset the GPU after an error and did not succeed; it cannot be used. The driver or the "
     "hardware is the likely cause.",
     "Restart the machine; if that does not help, switch it off for a minute."},
    {EventKind::gpu_reset, "", error, "the GPU was reset",
     "The whole GPU was reset and all work on it is lost, that of applications without fault too. An error just before "
     "it, or an administrator, is the cause.",
     "Restart the applications that used the GPU; look for the error just before it."},

    {EventKind::wedged, "", critical, "the driver gave the GPU up",
     "The GPU did not recover from an error and the driver refuses all work on it (\"wedged\"). The driver or the "
     "hardware "
     "is the likely cause.",
     "Unbind the driver and bind it again, or restart the machine; save the device's core dump before, if there is "
     "one."},
    {EventKind::devcoredump, "", info, "the driver left a dump of the GPU's state",
     "After an error the driver wrote down what the GPU was doing, for its developers. The kernel deletes the dump "
     "after "
     "a few minutes.",
     "Copy the dump's data file now if you want to report the error; then look for the error just before it."},

    {EventKind::pcie_error, "link down", critical, "the PCIe link went down",
     "The slot lost its connection to the card. The card's seat, a riser or cable, power, or the hardware is the "
     "likely "
     "cause.",
     "Check that the card sits firmly, its riser and its power; restart the machine."},
    {EventKind::pcie_error, "containment", critical, "the PCIe port was shut off after an error",
     "The port above the card met a fatal error and cut the card off to protect the machine (downstream port "
     "containment). The card's seat, a riser or the hardware is the likely cause.",
     "Drain the machine and restart it; check that the card sits firmly and its riser; move it to another slot."},
    {EventKind::pcie_error, "non-fatal", error, "PCIe errors could not be corrected (non-fatal)",
     "A transfer over PCIe was lost or refused while the link itself goes on; the work that needed it has failed. The "
     "link, the driver or the hardware is the likely cause.",
     "Check that the card sits firmly, its riser and its power; update the machine's firmware if it happens again."},
    {EventKind::pcie_error, "fatal", critical, "fatal PCIe errors",
     "The PCIe link to the card can no longer be trusted; the work on it is lost. The card's seat, a riser, power or "
     "the "
     "hardware is the likely cause.",
     "Drain the machine and restart it; check that the card sits firmly and its riser; move it to another slot."},
    {EventKind::pcie_error, "", warning, "PCIe errors were corrected",
     "Transfers over PCIe were damaged and repeated; nothing was lost, but the link is slower and not clean. The "
     "card's "
     "seat, a riser or cable, dust or power saving of the link (ASPM) is the likely cause.",
     "Watch whether they continue; if they do, seat the card anew, shorten or replace its riser, or try a lower PCIe "
     "generation."},

    {EventKind::lost, "did not answer", critical, "the GPU does not answer",
     "The driver did not answer a question about the GPU in time: it hangs, mostly as the GPU itself does. Work on it "
     "makes no progress. The hardware or the driver is the likely cause.",
     "Look for GPU errors in the kernel's log; if it does not come back, reset the GPU or restart the machine."},
    {EventKind::lost, "", critical, "the GPU is gone",
     "The GPU can no longer be read: it has left the bus, its driver was removed, or it no longer answers. If nobody "
     "took it away, the hardware, its seat, power or cooling is the likely cause.",
     "Look for the error just before it; restart the machine if nobody removed the GPU on purpose."},
    {EventKind::returned, "added", info, "a GPU was added",
     "A GPU is there that was not there before: it was plugged in, or its driver was loaded.",
     "Take no action if this was intended."},
    {EventKind::returned, "", info, "the GPU is there again", "The GPU can be read again after it was lost.",
     "Restart the applications that used it; find out why it was away."},
    {EventKind::driver_reload, "", info, "the driver was loaded",
     "The GPU's driver started: the machine booted, or the driver was loaded anew or updated. Counters that count "
     "since "
     "the driver's start begin at zero.",
     "Take no action if this was intended."},

    {EventKind::driver, "mismatch", error, "the driver's parts do not belong together",
     "The driver in the kernel and the libraries beside it are of different versions, mostly as the driver was updated "
     "and the machine still runs the old one. New applications cannot use the GPU.",
     "Restart the machine, or stop all work on the GPUs and reload the driver."},
    {EventKind::driver, " fault", warning, "a GPU memory page fault",
     "A program on the GPU used an address that is not its own, and may have been stopped. The application is the "
     "likely "
     "cause, then the driver, rarely the hardware.",
     "Restart the application; if it happens again, debug it or update the driver (kernel, Mesa, ROCm)."},
    {EventKind::driver, "init", critical, "the driver could not start the GPU",
     "The GPU did not come up when its driver set it up, so it cannot be used. The driver's version or firmware, "
     "power, "
     "the PCIe link or the hardware is the likely cause.",
     "Restart the machine; check that the card sits firmly and has its power cables, and update the driver."},
    {EventKind::driver, "records were lost", warning, "messages of the kernel were lost",
     "The kernel wrote messages faster than they were read, so faults among them may be missing here.",
     "Search the system's own log (journalctl -k) for that time; enlarge the kernel's log buffer (log_buf_len)."},
    {EventKind::driver, "", warning, "a message of the driver",
     "The GPU's driver reported something that no entry of this catalogue describes; its message says what.",
     "Read the message and the kernel's log around it."},
};

Explanation explain_xid(std::uint64_t number) {
  if (const XidRow* row = find_xid(number)) {
    return {row->severity, fmt::format("XID {}: {}", number, row->title), std::string(row->explanation),
            std::string(row->action)};
  }
  return {error, fmt::format("XID {}: unknown to this version", number),
          "NVIDIA's driver reported an error whose number is not documented, or newer than this program. Whether the "
          "application, the driver or the hardware is the cause cannot be said from the number.",
          "Read the driver's message and look the number up in NVIDIA's list of Xid errors."};
}

}  // namespace

std::string_view to_string(Severity severity) {
  switch (severity) {
    case info: return "info";
    case warning: return "warning";
    case error: return "error";
    case critical: return "critical";
  }
  return "error";
}

Explanation explain(const DeviceEvent& event) {
  if (event.kind == EventKind::xid) return explain_xid(event.code);
  const std::string detail = to_lower(event.detail);
  for (const KindRow& row : kKinds) {
    if (row.kind != event.kind || detail.find(row.word) == std::string::npos) continue;
    return {row.severity, std::string(row.title), std::string(row.explanation), std::string(row.action)};
  }
  // Every kind has a row without a word (catalogue_test), so only a kind that is none of the enum's comes here.
  return {error, "an unknown event", "This program does not know what kind of event this is.", "Read its details."};
}

}  // namespace gpukeeper
