#include "service/site_answer.hpp"

#include <algorithm>
#include <memory>
#include <string>

#include <fmt/format.h>

#include "core/text.hpp"
#include "service/compression.hpp"
#include "service/entity_tag.hpp"

namespace gpukeeper::service {
namespace {

// Of the page's own views; web/src knows the same.
constexpr std::string_view kViews[] = {"/gpu/{device}", "/processes", "/leases", "/alerts",
                                       "/optimize",     "/settings",  "/about"};

// A page's address stays, and what it is made of changes with a version: it is asked for again, and not sent again.
constexpr std::string_view kAskAgain = "no-cache";
constexpr std::string_view kForGood = "public, max-age=31536000, immutable";

Response file_answer(const Request& request, const site::File& file, std::string_view cache) {
  Response response;
  const std::string tag = fmt::format("\"{}\"", file.hash);
  response.headers = {{"Cache-Control", std::string(cache)}, {"ETag", "W/" + tag}, {"Vary", "Accept, Accept-Encoding"}};
  response.content_type = file.type;  // of a 304, too: its policy takes the place of that which the browser has kept
  if (const auto known = request.header("If-None-Match"); known && has_tag(*known, tag)) {
    response.status = 304;
    return response;
  }
  const auto accepted = request.header("Accept-Encoding");
  if (accepted && takes_gzip(*accepted)) {
    response.headers.emplace_back("Content-Encoding", "gzip");
    response.body = std::make_shared<const std::string>(file.packed);
  } else {
    response.body = std::make_shared<const std::string>(site::unpacked(file));
  }
  return response;
}

// No style and no script: what is there to be said is short.
Response left_out(const site::Site& site) {
  Response response;
  response.content_type = "text/html; charset=utf-8";
  response.headers = {{"Cache-Control", "no-store"}, {"Vary", "Accept"}};
  response.body = std::make_shared<const std::string>(
      fmt::format("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>gpukeeper</title></head>"
                  "<body><h1>gpukeeper serves</h1>\n<p>Its web page is not here: {}.</p>\n<p>Everything else is: "
                  "<a href=\"/api/v1/openapi.json\">what programs may ask</a>, <a href=\"/health\">/health</a>, "
                  "<a href=\"/api/v1/snapshot\">every GPU now</a>. On the command line: gpukeeper status, "
                  "gpukeeper --help.</p></body></html>\n",
                  site.left_out));
  return response;
}

Response asset_answer(const Request& request, const site::Site& site) {
  if (const site::File* const file = site.find(request.path)) return file_answer(request, *file, kForGood);
  return problem(404, "not_found",
                 "the web page of this version has no such file: load the page again, and it asks for what there is");
}

Route open_to_all(Route route) {
  route.needs = auth::Role::none;
  return route;
}

}  // namespace

bool wants_page(const Request& request) {
  const auto accept = request.header("Accept");
  return accept && std::ranges::any_of(split(*accept, ','), [](std::string_view piece) {
           return same_ignoring_case(trim(piece.substr(0, piece.find(';'))), "text/html");
         });
}

Response page_answer(const Request& request, const site::Site& site) {
  const site::File* const page = site.find("/index.html");
  return page ? file_answer(request, *page, kAskAgain) : left_out(site);
}

std::vector<Route> site_routes(const site::Site& site) {
  std::vector<Route> table;
  for (const std::string_view view : kViews) {
    table.push_back(open_to_all({"GET", view, "A view of the web page.",
                                 [&site](const Request& request) { return page_answer(request, site); }}));
  }
  table.push_back(open_to_all({"GET", "/assets/{file}", "What the web page is made of.",
                               [&site](const Request& request) { return asset_answer(request, site); }}));
  return table;
}

}  // namespace gpukeeper::service
