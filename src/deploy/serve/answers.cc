#include "answers.h"

#include <algorithm>
#include <array>
#include <utility>

#include "serval/core/error.h"
#include "serval/core/json_line.h"
#include "serval/core/version.h"

#include "page_assets.h"
#include "score_upload.h"

namespace serval::deploy {
namespace http = boost::beast::http;

namespace {

constexpr int kOk = 200, kNotFound = 404, kNotAllowed = 405, kTooMany = 503;
constexpr const char* kJson = "application/json";
constexpr const char* kRetry_s = "1";

// Nothing from elsewhere, nothing written in the page, no page around it.
constexpr const char* kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

struct Asset {
  const char* path;
  const char* type;
  const char* text;
};

const Asset* asset_of(const std::string& path) {
  static const std::array<Asset, 5> assets = {
      {{"/", "text/html; charset=utf-8", kLiveHtml},
       {"/live.css", "text/css; charset=utf-8", kLiveCss},
       {"/live.js", "text/javascript; charset=utf-8", kLiveJs},
       {"/sound.js", "text/javascript; charset=utf-8", kSoundJs},
       {"/capture.js", "text/javascript; charset=utf-8", kCaptureJs}}};
  const auto found =
      std::find_if(assets.begin(), assets.end(), [&](const Asset& asset) { return path == asset.path; });
  return found == assets.end() ? nullptr : &*found;
}

JsonValue info(const ServerState& state) {
  const ServerOptions& options = state.options;
  JsonValue limits = JsonValue::object();
  limits.set("max_body_mib", JsonValue::of(options.max_body_mib));
  limits.set("max_duration_s", JsonValue::of(options.max_duration_s));
  limits.set("max_window_s", JsonValue::of(options.max_window_s));
  limits.set("min_hop_s", JsonValue::of(options.min_hop_s));
  limits.set("max_stream_kib_per_s", JsonValue::of(options.max_stream_kib_per_s));
  limits.set("max_streams", JsonValue::of(options.max_streams));
  limits.set("max_uploads", JsonValue::of(options.max_uploads));
  JsonValue out = JsonValue::object();
  out.set("name", JsonValue::of(state.predictor.name()));
  out.set("classes", JsonValue::of(state.predictor.classes()));
  out.set("stamps", JsonValue::of(state.predictor.stamps()));
  out.set("sample_rate_hz", JsonValue::of(state.predictor.sample_rate_hz()));
  out.set("version", JsonValue::of(kVersion));
  out.set("limits", std::move(limits));
  return out;
}

}  // namespace

std::string path_of(const Request& request) {
  const std::string target(request.target().data(), request.target().size());
  return target.substr(0, target.find('?'));
}

bool is_endpoint(const std::string& path) {
  return path == kPredictPath || path == kStreamPath || path == "/health" || path == "/metrics" ||
         path == "/info" || asset_of(path) != nullptr;
}

Response answer(const Request& request, int status, const std::string& type, std::string body) {
  Response out{static_cast<http::status>(status), request.version()};
  out.set(http::field::server, "serval");
  out.set(http::field::content_type, type);
  out.set(http::field::cache_control, "no-store");
  out.set("Content-Security-Policy", kPolicy);
  out.set("X-Content-Type-Options", "nosniff");
  out.set("Referrer-Policy", "no-referrer");
  out.set("Cross-Origin-Resource-Policy", "same-origin");
  out.set("Cross-Origin-Opener-Policy", "same-origin");
  out.set("Permissions-Policy", "microphone=(self), camera=(), geolocation=()");
  if (status == kTooMany) out.set(http::field::retry_after, kRetry_s);
  out.keep_alive(request.keep_alive());
  out.body() = std::move(body);
  out.prepare_payload();
  // A HEAD has the head of what a GET would have.
  if (request.method() == http::verb::head) out.body().clear();
  return out;
}

Response json_answer(const Request& request, int status, std::string json) {
  return answer(request, status, kJson, std::move(json));
}

Response refusal(const Request& request, int status, const std::string& what) {
  return json_answer(request, status, error_json(what));
}

Response plain_answer(const Request& request, const ServerState& state) {
  const std::string path = path_of(request);
  const bool reads = request.method() == http::verb::get || request.method() == http::verb::head;
  const auto not_allowed = [&](const char* methods) {
    Response out = refusal(request, kNotAllowed, cat(path, " is for ", methods));
    out.set(http::field::allow, methods);
    return out;
  };
  if (path == kPredictPath) return not_allowed("POST");
  const Asset* asset = asset_of(path);
  if (!is_endpoint(path))
    return refusal(request, kNotFound, "there is /, /predict, /stream, /info, /health and /metrics");
  if (!reads) return not_allowed("GET, HEAD");
  if (asset != nullptr) return answer(request, kOk, asset->type, asset->text);
  if (path == "/info") return json_answer(request, kOk, write_json_line(info(state)));
  if (path == "/metrics")
    return answer(request, kOk, "text/plain; version=0.0.4; charset=utf-8", state.metrics.text(state.now()));
  JsonValue health = JsonValue::object();
  health.set("status", JsonValue::of(state.draining ? "draining" : "ok"));
  return json_answer(request, state.draining ? kTooMany : kOk, write_json_line(health));
}

}  // namespace serval::deploy
