#include "serval/nn/detail/softmax.h"

#include "cpu_ops.h"

namespace serval::nn::cpu {

void softmax_cross_entropy(const Context&, const SoftmaxCrossEntropyArgs& args) {
  const std::int64_t classes = args.classes;
  SERVAL_CHECK(classes >= 1 && args.logits.size() == args.batch * classes &&
                   args.probabilities.size() == args.batch * classes,
               "softmax of ", to_string(args.logits.shape), " into ", to_string(args.probabilities.shape));
  if (args.labels.empty()) {
    for (std::int64_t b = 0; b < args.batch; ++b) {
      detail::softmax_row(args.logits.data + b * classes, classes, args.probabilities.data + b * classes);
    }
    return;
  }
  SERVAL_CHECK(args.labels.size() == args.batch && args.loss.size() == 2, "labels ",
               to_string(args.labels.shape));
  const auto weight_of = [&](std::int64_t b) {
    const std::int32_t label = args.labels.data[b];
    SERVAL_CHECK(label >= 0 && label < classes, "label ", label, " of ", classes, " classes");
    return args.class_weights.empty() ? 1.0f : args.class_weights.data[label];
  };
  float weight_sum = 0;
  for (std::int64_t b = 0; b < args.batch; ++b) weight_sum += weight_of(b);
  float loss_sum = 0;
  for (std::int64_t b = 0; b < args.batch; ++b) {
    const float* logits = args.logits.data + b * classes;
    float* p = args.probabilities.data + b * classes;
    const std::int64_t label = args.labels.data[b];
    const float log_sum = detail::softmax_row(logits, classes, p);
    loss_sum += weight_of(b) * (log_sum - logits[label]);
    if (args.dlogits.empty()) continue;
    const float scale = weight_of(b) / weight_sum;
    for (std::int64_t c = 0; c < classes; ++c) {
      args.dlogits.data[b * classes + c] = scale * (c == label ? p[c] - 1.0f : p[c]);
    }
  }
  args.loss.data[0] += loss_sum;
  args.loss.data[1] += weight_sum;
}

}  // namespace serval::nn::cpu
