// A vendor's description of its API (Swagger 2 or OpenAPI 3, as JSON) as a judge of requests.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sessionlogd::test {

// A request as it came over the wire.
struct RecordedRequest {
  std::string method;                          // "GET"
  std::string target;                          // path and query
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

class ApiSpecification {
 public:
  explicit ApiSpecification(std::string_view json);

  // What is wrong with a request, nothing when it is well. The path's version segment ("v8.1") is not compared.
  std::vector<std::string> complaints(const RecordedRequest& request) const;

  struct Parameter {
    std::string type;    // "string", "integer", "boolean"; of an array: of its elements
    std::string format;  // "date-time", ...
    bool array = false;
    bool required = false;
    std::optional<std::int64_t> minimum;
    std::vector<std::string> allowed;  // empty = any
  };
  using Parameters = std::map<std::string, Parameter, std::less<>>;

  struct Operation {
    Parameters query, headers, form;  // header names in lower case
  };

 private:
  const Operation* find(std::string_view method, std::string_view path) const;

  std::map<std::string, std::map<std::string, Operation>> paths_;  // path, method
};

}  // namespace sessionlogd::test
