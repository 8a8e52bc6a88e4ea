// Times of convolutions and of a training step of a network of images, one thread of the CPU, a round at a time: for each
// line on the standard input one line of milliseconds goes out. tools/bench/torch_conv.py asks for rounds in turn with
// PyTorch's.
//   serval_conv_bench [network.json batch]
// Without a network: for each layer of kLayers forward, gradient of the weights, gradient of the input.
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include "serval/core/log.h"
#include "serval/core/philox.h"
#include "serval/core/settings_io.h"
#include "serval/nn/conv.h"
#include "serval/nn/network.h"

namespace {

using namespace serval;

constexpr std::int64_t kBatch = 8;
struct LayerCase {
  std::int64_t in, height, width, out, kernel, stride;
};
// The three convolutions of the CNN-LSTM on maps of MFCCs, and forms that other networks have.
constexpr LayerCase kLayers[] = {{1, 40, 250, 128, 3, 1}, {128, 20, 125, 256, 3, 1}, {256, 10, 62, 512, 3, 1},
                                 {3, 112, 112, 64, 7, 2}, {64, 28, 28, 128, 1, 1},   {96, 13, 13, 256, 5, 1}};

Tensor random_tensor(std::int64_t size, float scale, std::uint32_t which) {
  const RandomStream random{.seed = 1, .layer = which};
  std::vector<float> values(static_cast<std::size_t>(size));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = scale * (2 * random.uniform(i) - 1);
  return Tensor::from_host({}, values);
}

double milliseconds(const std::function<void()>& work) {
  const double start_s = monotonic_s();
  work();
  return 1e3 * (monotonic_s() - start_s);
}

class LayerBench {
 public:
  LayerBench(const Context& context, const LayerCase& c)
      : context_(context),
        shape_{.batch = kBatch,
               .in_channels = c.in,
               .height = c.height,
               .width = c.width,
               .out_channels = c.out,
               .kernel_height = c.kernel,
               .kernel_width = c.kernel,
               .stride_height = c.stride,
               .stride_width = c.stride,
               .top = c.kernel / 2,
               .bottom = c.kernel / 2,
               .left = c.kernel / 2,
               .right = c.kernel / 2},
        x_(random_tensor(shape_.input_size(), 1, 1)),
        dx_({}, {shape_.input_size()}),
        w_(random_tensor(shape_.weight_size(), 0.1f, 2)),
        dw_({}, {shape_.weight_size()}),
        b_(random_tensor(c.out, 1, 3)),
        db_({}, {c.out}),
        y_({}, {shape_.output_size()}),
        dy_(random_tensor(shape_.output_size(), 1, 4)),
        workspace_({}, {nn::conv2d_workspace_size(context, shape_, true)}) {}

  void round() {
    std::printf(" %.4f", milliseconds([&] {
                  nn::conv2d_forward(context_, {.shape = shape_,
                                                .x = x_.view(),
                                                .weights = w_.view(),
                                                .bias = b_.view(),
                                                .y = y_.view(),
                                                .activation = nn::Activation::kRelu,
                                                .workspace = workspace_.view()});
                }));
    std::printf(" %.4f", milliseconds([&] {
                  nn::conv2d_backward_weights(context_, {.shape = shape_,
                                                         .x = x_.view(),
                                                         .dy = dy_.view(),
                                                         .dweights = dw_.view(),
                                                         .dbias = db_.view(),
                                                         .workspace = workspace_.view()});
                }));
    std::printf(" %.4f", milliseconds([&] {
                  nn::conv2d_backward_input(context_, {.shape = shape_,
                                                       .dy = dy_.view(),
                                                       .weights = w_.view(),
                                                       .dx = dx_.view(),
                                                       .workspace = workspace_.view()});
                }));
  }

 private:
  const Context& context_;
  nn::ConvShape shape_;
  Tensor x_, dx_, w_, dw_, b_, db_, y_, dy_, workspace_;
};

// Forward and backward of a network with one image as input.
class NetworkBench {
 public:
  NetworkBench(const Context& context, const std::string& path, std::int64_t batch) : context_(context) {
    std::vector<std::string> errors;
    const auto settings = read_settings<nn::NetworkSettings>(parse_json_file(path), errors);
    for (const std::string& error : errors) throw ConfigError(error);
    nn::NetworkSizes sizes = nn::declared_sizes(settings);
    sizes.max_batch = batch;
    network_ = std::make_unique<nn::Network>(context, settings, sizes);
    network_->initialise(1, 0);
    x_ = random_tensor(batch * sizes.inputs[0].item.size(), 1, 1);
    dy_ = random_tensor(batch * sizes.classes, 0.1f, 2);
    batch_.size = batch;
    batch_.inputs.push_back({});
    batch_.inputs[0].x = x_.view();
  }

  void round() {
    std::printf(" %.4f", milliseconds([&] {
                  network_->forward(context_, batch_, nn::Mode::kTrain, {});
                  network_->backward(context_, batch_, dy_.view());
                }));
  }

 private:
  const Context& context_;
  std::unique_ptr<nn::Network> network_;
  Tensor x_, dy_;
  nn::Batch batch_;
};

}  // namespace

int main(int argc, char** argv) {
  const Context context;
  std::vector<std::unique_ptr<LayerBench>> layers;
  std::unique_ptr<NetworkBench> network;
  if (argc > 2) {
    network = std::make_unique<NetworkBench>(context, argv[1], std::atol(argv[2]));
  } else {
    for (const LayerCase& c : kLayers) layers.push_back(std::make_unique<LayerBench>(context, c));
  }
  for (std::string line; std::getline(std::cin, line);) {
    for (const auto& layer : layers) layer->round();
    if (network) network->round();
    std::printf("\n");
    std::fflush(stdout);
  }
  return 0;
}
