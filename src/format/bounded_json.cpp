#include "format/bounded_json.hpp"

#include <string>
#include <vector>

namespace gpukeeper {
namespace {

constexpr std::size_t kMostMembers = 1000;  // of an object; ours have some hundred

// Walks through a document without keeping any of it, until one of its objects is larger than ours are.
class MemberCount final : public nlohmann::json_sax<Json> {
 public:
  bool start_object(std::size_t) override {
    members_.push_back(0);
    return true;
  }
  bool key(std::string&) override { return ++members_.back() <= kMostMembers; }
  bool end_object() override {
    members_.pop_back();
    return true;
  }
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(std::int64_t) override { return true; }
  bool number_unsigned(std::uint64_t) override { return true; }
  bool number_float(double, const std::string&) override { return true; }
  bool string(std::string&) override { return true; }
  bool binary(Json::binary_t&) override { return true; }
  bool start_array(std::size_t) override { return true; }
  bool end_array() override { return true; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

 private:
  std::vector<std::size_t> members_;  // of each object that is open
};

}  // namespace

Json parse_bounded(std::string_view json) {
  MemberCount count;
  return Json::sax_parse(json, &count) ? Json::parse(json, nullptr, false) : Json();
}

}  // namespace gpukeeper
