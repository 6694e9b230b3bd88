#pragma once

#include <string_view>
#include <vector>

#include "service/http.hpp"
#include "service/router.hpp"
#include "site/site.hpp"

// The web page. It holds no readings: whoever can ask gets it, also who has yet to say who he is; what it shows it asks
// for by itself, as he who looks at it.
namespace gpukeeper::service {

/// Whether a client would rather be answered with a page for people than with JSON: it says so of text/html (Accept),
/// as browsers do where an address is typed or a link is followed.
bool wants_page(const Request& request);

/// The page itself: index.html, whatever the address, as its own script looks at that. 304 for who has it (ETag).
/// Where it was left out, a page that says why: 200, as somebody typed this program's address and it is there.
Response page_answer(const Request& request, const site::Site& site);

/// The addresses of its views (/gpu/0, /leases …), and /assets/{file}: what it is made of, named after its content, so
/// that a browser keeps it for good. 404 for a file that is of no page, or of another version's.
/// `site` outlives them.
std::vector<Route> site_routes(const site::Site& site);

}  // namespace gpukeeper::service
