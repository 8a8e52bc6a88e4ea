#include "http_session.h"

#include <utility>

#include <boost/asio/post.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/websocket/rfc6455.hpp>

#include "serval/core/error.h"
#include "serval/core/log.h"

#include "access.h"
#include "score_upload.h"
#include "stream_session.h"

namespace serval::deploy {
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;

namespace {

constexpr std::size_t kKib = 1024, kMib = kKib * kKib;
// More than a head may have, so that one that is too long is told from a full buffer.
constexpr std::size_t kBufferMore = 4 * kKib;
// So long a connection that is one too many may take to say what it wants, and be told that it gets nothing.
constexpr double kRefusal_s = 2;
constexpr double kLinger_s = 2;

constexpr int kBadRequest = 400, kForbidden = 403, kTimeout = 408, kTooLarge = 413, kWrongType = 415,
              kUpgrade = 426, kHeadTooLarge = 431, kTooMany = 503;

// What a request that could not be read is told; 0: nothing.
int status_of(const boost::beast::error_code& error) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) return kHeadTooLarge;
  if (error == http::error::body_limit) return kTooLarge;
  if (error == http::error::end_of_stream) return 0;
  // What remains of this family is wrong in the request; others are of the network.
  return error.category() == make_error_code(http::error::bad_version).category() ? kBadRequest : 0;
}

}  // namespace

HttpSession::HttpSession(ServerState& state, boost::asio::ip::tcp::socket&& socket)
    : state_(state),
      stream_(std::move(socket)),
      timer_(state.io),
      buffer_(static_cast<std::size_t>(state.options.max_header_kib) * kKib + kBufferMore) {
  state_.connections.insert(this);
  refused_ = state_.full();
}
HttpSession::~HttpSession() { state_.connections.erase(this); }

void HttpSession::start() { read_head(); }

void HttpSession::drain() {
  closing_ = true;
  if (waiting_) abort();
}

void HttpSession::abort() {
  ErrorCode ignored;
  timer_.cancel();
  stream_.socket().close(ignored);
}

void HttpSession::limit_time(double seconds) {
  timer_.expires_after(std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000)));
  timer_.async_wait([self = weak_from_this()](const ErrorCode& error) {
    const auto session = self.lock();
    if (error || !session) return;
    session->timed_out_ = true;
    session->stream_.cancel();
  });
}

void HttpSession::read_head() {
  const ServerOptions& options = state_.options;
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(options.max_header_kib * kKib));
  parser_->body_limit(static_cast<std::uint64_t>(options.max_body_mib) * kMib);
  waiting_ = buffer_.size() == 0;
  timed_out_ = false;
  limit_time(refused_ ? kRefusal_s : options.header_s);
  http::async_read_header(
      stream_, buffer_, *parser_,
      [self = shared_from_this()](ErrorCode error, std::size_t) { self->on_head(error); });
}

void HttpSession::on_head(ErrorCode error) {
  timer_.cancel();
  if (!stream_.socket().is_open()) return;
  const bool begun = parser_->got_some() || buffer_.size() > 0;
  waiting_ = false;
  if (!error) return route();
  closing_ = true;
  // One that never said a word needs no answer.
  if (timed_out_ && begun) return send(refusal(parser_->get(), kTimeout, "the request took too long"));
  if (const int status = status_of(error); status != 0)
    return send(refusal(parser_->get(), status, error.message()));
}

bool HttpSession::body_follows() const {
  return !parser_->is_done() && (parser_->chunked() || parser_->content_length().value_or(0) > 0);
}

void HttpSession::route() {
  const Request& request = parser_->get();
  const auto refuse = [&](int status, const std::string& what) {
    closing_ = closing_ || body_follows();
    send(refusal(request, status, what));
  };
  const auto host = request[http::field::host];
  if (host.empty()) return refuse(kBadRequest, "the request has no Host");
  if (!host_allowed({host.data(), host.size()}, state_.options.names))
    return refuse(kForbidden, "Host is neither an address nor a name that this server goes by");
  const auto origin = request[http::field::origin];
  if (!origin_allowed({origin.data(), origin.size()}, {host.data(), host.size()}))
    return refuse(kForbidden, "Origin is another site");
  if (refused_) {
    closing_ = true;
    ++state_.metrics.refused["connections"];
    return refuse(kTooMany, "there are too many connections");
  }
  const std::string path = path_of(request);
  if (path == kStreamPath) {
    if (!websocket::is_upgrade(request)) {
      Response out = refusal(request, kUpgrade, "/stream is for WebSocket");
      out.set(http::field::upgrade, "websocket");
      closing_ = closing_ || body_follows();
      return send(std::move(out));
    }
    if (state_.draining) return refuse(kTooMany, "the server is about to end");
    if (state_.streams >= state_.options.max_streams) {
      ++state_.metrics.refused["streams"];
      return refuse(kTooMany, cat("there are ", state_.streams, " streams, as many as may be"));
    }
    return std::make_shared<StreamSession>(state_, std::move(stream_))->start(request);
  }
  if (path == kPredictPath && request.method() == http::verb::post) return begin_upload();
  closing_ = closing_ || body_follows();
  send(plain_answer(request, state_));
}

void HttpSession::begin_upload() {
  const Request& request = parser_->get();
  const auto refuse = [&](int status, const std::string& what) {
    closing_ = true;
    send(refusal(request, status, what));
  };
  if (state_.draining) return refuse(kTooMany, "the server is about to end");
  const auto type = request[http::field::content_type];
  if (type.starts_with("multipart/"))
    return refuse(kWrongType, "the body is the recording's own bytes, not a form: curl --data-binary @file");
  if (state_.uploads >= state_.options.max_uploads) {
    ++state_.metrics.refused["uploads"];
    return refuse(kTooMany, cat(state_.uploads, " recordings are being scored, as many as may be"));
  }
  upload_.emplace(state_.uploads);
  if (request[http::field::expect] != "100-continue") return read_body();
  response_ = Response{http::status::continue_, request.version()};
  http::async_write(stream_, response_, [self = shared_from_this()](ErrorCode error, std::size_t) {
    if (!error) self->read_body();
  });
}

void HttpSession::read_body() {
  limit_time(state_.options.body_s);
  http::async_read(stream_, buffer_, *parser_,
                   [self = shared_from_this()](ErrorCode error, std::size_t) { self->on_body(error); });
}

void HttpSession::on_body(ErrorCode error) {
  timer_.cancel();
  if (!stream_.socket().is_open()) return;
  if (!error) return score();
  upload_.reset();
  closing_ = true;
  if (timed_out_) return send(refusal(parser_->get(), kTimeout, "the body took too long"));
  if (const int status = status_of(error); status != 0)
    return send(refusal(parser_->get(), status, error.message()));
}

void HttpSession::score() {
  auto content = std::make_shared<std::string>(std::move(parser_->get().body()));
  parser_->get().body() = {};
  // Handed on whole: a connection ends on its own thread, not on that which scored.
  state_.pool.submit(
      Urgency::kUpload, [self = shared_from_this(), content, begun_s = monotonic_s()]() mutable {
        ServerState& state = self->state_;
        UploadAnswer said = score_upload(state.predictor, std::move(*content), state.options.max_duration_s);
        boost::asio::post(state.io, [self = std::move(self), said = std::move(said), begun_s]() mutable {
          Metrics& metrics = self->state_.metrics;
          metrics.upload_s.add(monotonic_s() - begun_s);
          metrics.upload_audio_s += said.seconds;
          self->upload_.reset();
          self->send(json_answer(self->parser_->get(), said.status, std::move(said.json)));
        });
      });
}

void HttpSession::send(Response response) {
  const std::string path = path_of(parser_->get());
  // Requests must not choose how many names the metrics hold.
  ++state_.metrics.answers[{is_endpoint(path) ? path : "other", static_cast<int>(response.result_int())}];
  response_ = std::move(response);
  if (closing_ || state_.draining) response_.keep_alive(false);
  limit_time(state_.options.idle_s);
  http::async_write(stream_, response_, [self = shared_from_this()](ErrorCode error, std::size_t) {
    self->timer_.cancel();
    if (error) return;
    if (self->response_.need_eof() || !self->response_.keep_alive()) return self->linger();
    self->read_head();
  });
}

// What the other side still sends is read for a while; otherwise the system would take back the answer.
void HttpSession::linger() {
  ErrorCode ignored;
  stream_.socket().shutdown(boost::asio::ip::tcp::socket::shutdown_send, ignored);
  parser_.reset();
  buffer_.clear();
  limit_time(kLinger_s);
  discard();
}

void HttpSession::discard() {
  constexpr std::size_t kPiece = 4 * kKib;
  buffer_.clear();
  stream_.async_read_some(buffer_.prepare(kPiece), [self = shared_from_this()](ErrorCode error, std::size_t) {
    if (!error && !self->timed_out_) self->discard();
  });
}

}  // namespace serval::deploy
