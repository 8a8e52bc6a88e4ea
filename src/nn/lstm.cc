// The checked entries of nn/lstm.h, the same for every device.
#include "serval/nn/lstm.h"

namespace serval::nn {

namespace {

void check_shape(const LstmShape& s) {
  SERVAL_CHECK(s.time >= 1 && s.batch >= 1 && s.input >= 1 && s.hidden >= 1, "LSTM of time ", s.time,
               ", batch ", s.batch, ", input ", s.input, ", hidden ", s.hidden);
}

// What forward and backward have in common.
template <class Args>
void check_args(const Context& context, const Args& args) {
  const LstmShape& s = args.shape;
  check_shape(s);
  SERVAL_CHECK(args.x.size() == s.time * s.batch * s.input, "LSTM x ", to_string(args.x.shape),
               ", expected [", s.time, ", ", s.batch, ", ", s.input, "]");
  SERVAL_CHECK(args.weights.size() == lstm_parameter_count(s.input, s.hidden), "LSTM weights ",
               to_string(args.weights.shape));
  SERVAL_CHECK(args.y != nullptr && args.y_stride >= s.hidden, "LSTM y stride ", args.y_stride);
  SERVAL_CHECK(args.lengths.size() == s.batch && args.host_lengths != nullptr, "LSTM lengths ",
               to_string(args.lengths.shape), " for batch ", s.batch);
  const DeviceKind kind = context.device().kind;
  SERVAL_CHECK(args.x.device == kind && args.weights.device == kind && args.lengths.device == kind &&
                   args.reserve.device == kind,
               "LSTM arguments must be on ", to_string(kind));
  for (std::int64_t b = 0; b < s.batch; ++b) {
    SERVAL_CHECK(args.host_lengths[b] >= 1 && args.host_lengths[b] <= s.time, "sequence ", b, " has length ",
                 args.host_lengths[b], ", expected 1 to ", s.time);
  }
  const std::int64_t reserve = lstm_reserve_size(context, s);
  SERVAL_CHECK(args.reserve.size() >= reserve, "LSTM reserve of ", args.reserve.size(), ", expected ",
               reserve);
}

}  // namespace

std::int64_t lstm_reserve_size(const Context& context, const LstmShape& shape) {
  check_shape(shape);
  std::int64_t floats = 0;
  run<LstmReserveSize>(context, shape, &floats);
  return floats;
}

void lstm_forward(const Context& context, const LstmForwardArgs& args) {
  check_args(context, args);
  run<LstmForward>(context, args);
}

void lstm_backward(const Context& context, const LstmBackwardArgs& args) {
  check_args(context, args);
  const LstmShape& s = args.shape;
  SERVAL_CHECK(args.dy != nullptr, "LSTM dy is missing");
  SERVAL_CHECK(args.dx.empty() || args.dx.size() == args.x.size(), "LSTM dx ", to_string(args.dx.shape));
  SERVAL_CHECK(args.dweights.empty() || args.dweights.size() == lstm_parameter_count(s.input, s.hidden),
               "LSTM dweights ", to_string(args.dweights.shape));
  run<LstmBackward>(context, args);
}

}  // namespace serval::nn
