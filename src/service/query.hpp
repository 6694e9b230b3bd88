#pragma once

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "service/http.hpp"

// What stands behind the '?' of a target, read the same way by every answer.
namespace gpukeeper::service {

/// Errors: invalid_argument for a parameter that is none of these; the message lists those that there are.
Result<void> check_parameters(const Request& request, std::initializer_list<std::string_view> known);

/// Nothing for one that is not there, or is empty.
std::optional<std::string> parameter(const Request& request, const std::string& name);

/// The names between the commas, without blanks around them; none where there is no such parameter.
/// Errors: invalid_argument for more than 64.
Result<std::vector<std::string>> list_parameter(const Request& request, const std::string& name);

/// A page of a list, as a client asks for it: ?limit= and ?cursor=.
struct PageWish {
  std::optional<std::size_t> limit;  ///< how many; nothing: as many as there are
  std::optional<std::string> after;  ///< the key of the last one of the page before; nothing: from the beginning
};

/// `list` is the name of the list: a cursor is good for the list alone that gave it. `most` bounds the limit.
/// Errors: invalid_argument, with what would be right.
Result<PageWish> page_wish(const Request& request, std::string_view list, std::size_t most);

/// Tells where the list goes on behind the element of that key (RFC 8288): Link: <…>; rel="next", with all else that
/// was asked for.
void link_next(Response& response, const Request& request, std::string_view list, std::string_view key);

/// The refusal of a query: 404 for what there is not, 503 before the first snapshot, else 400.
Response refused_query(const Error& error);

}  // namespace gpukeeper::service
