#include "auth/role.hpp"

namespace gpukeeper::auth {

std::string_view to_string(Role role) {
  switch (role) {
    case Role::none: break;
    case Role::viewer: return "viewer";
    case Role::operator_: return "operator";
    case Role::admin: return "admin";
  }
  return "none";
}

std::optional<Role> parse_role(std::string_view word) {
  for (const Role role : {Role::viewer, Role::operator_, Role::admin}) {
    if (word == to_string(role)) return role;
  }
  return std::nullopt;
}

}  // namespace gpukeeper::auth
