// The answers that need no recording, and what all answers have in common.
#pragma once

#include <string>

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include "server_state.h"

namespace serval::deploy {

using Request = boost::beast::http::request<boost::beast::http::string_body>;
using Response = boost::beast::http::response<boost::beast::http::string_body>;

inline constexpr const char* kPredictPath = "/predict";
inline constexpr const char* kStreamPath = "/stream";

std::string path_of(const Request& request);  // without what follows '?'
bool is_endpoint(const std::string& path);

Response answer(const Request& request, int status, const std::string& type, std::string body);
Response json_answer(const Request& request, int status, std::string json);
// "error" as JSON. Where asking again later makes sense, it says when.
Response refusal(const Request& request, int status, const std::string& what);

// To GET and HEAD of what is always there: the page, health, metrics, info. 404 and 405 for the rest.
Response plain_answer(const Request& request, const ServerState& state);

}  // namespace serval::deploy
