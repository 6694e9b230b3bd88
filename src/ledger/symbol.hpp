#pragma once

#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

namespace gpukeeper {

/// A text that many leases share: a service's name, a device's id. Copying one copies a pointer, so that ten thousand
/// leases of three services hold three names, and a lease that left the ledger keeps its own.
/// Threads: as for a constant.
class Symbol {
 public:
  Symbol() = default;
  explicit Symbol(std::string text) : text_(std::make_shared<const std::string>(std::move(text))) {}

  const std::string& text() const { return text_ ? *text_ : none(); }
  bool empty() const { return text().empty(); }
  explicit operator bool() const { return !empty(); }

  friend bool operator==(const Symbol& a, const Symbol& b) { return a.text_ == b.text_ || a.text() == b.text(); }
  friend bool operator==(const Symbol& a, std::string_view b) { return a.text() == b; }
  friend std::ostream& operator<<(std::ostream& out, const Symbol& symbol) { return out << symbol.text(); }

 private:
  static const std::string& none() {
    static const std::string empty;
    return empty;
  }
  std::shared_ptr<const std::string> text_;  // null for the empty one
};

}  // namespace gpukeeper
