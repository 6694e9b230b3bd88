#include <string>
#include <string_view>

#include <fmt/format.h>

#include "core/rfc3339.hpp"
#include "report/csv_cells.hpp"
#include "report/figures.hpp"
#include "report/report_json.hpp"

namespace gpukeeper::report {
namespace {

class Csv {
 public:
  explicit Csv(const Report& report) : report_(report) {
    text_ = "host,from,to,origin,by,name";
    for (const UsageFigure& figure : usage_figures()) text_ += fmt::format(",{}", figure.name);
    for (const DeviceFigure& figure : device_figures()) text_ += fmt::format(",device_{}", figure.name);
    text_ += '\n';
    const std::string_view origin = report.simulated ? "simulated" : report.recorded ? "recorded" : "";
    head_ = fmt::format("{},{},{},{}", name_cell(report.host), rfc3339(report.from), rfc3339(report.to), origin);
  }

  // Whose it is and what it is stands in columns of their own: nothing can be added up twice.
  void add_devices() {
    for (const DeviceRow& row : report_.devices) {
      begin("gpu", fmt::format("{} {}", row.device.index, row.device.name));
      text_.append(usage_figures().size(), ',');
      for (const DeviceFigure& figure : device_figures()) add(figure.value(row.use, report_.tariff));
      text_ += '\n';
    }
  }

  void add(std::string_view by, const std::vector<PartyRow>& rows) {
    for (const PartyRow& row : rows) {
      begin(by, row.name);
      for (const UsageFigure& figure : usage_figures()) add(figure.value(row.usage, report_.tariff));
      text_.append(device_figures().size(), ',');
      text_ += '\n';
    }
  }

  std::string take() { return std::move(text_); }

 private:
  void begin(std::string_view by, std::string_view name) {
    text_ += fmt::format("{},{},{}", head_, by, name_cell(name));
  }
  void add(const std::optional<double>& value) { text_ += "," + number_cell(value); }

  const Report& report_;
  std::string head_;
  std::string text_;
};

}  // namespace

std::string report_csv(const Report& report) {
  Csv csv(report);
  csv.add_devices();
  csv.add("user", report.users);
  csv.add("service", report.services);
  csv.add("container", report.containers);
  csv.add("pod", report.pods);
  csv.add("job", report.jobs);
  csv.add("lease", report.by_lease);
  return csv.take();
}

}  // namespace gpukeeper::report
