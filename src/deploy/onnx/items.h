// What a model reads of each recording: whole feature sets, or segments. All recordings get as many places as the one with
// most segments; `used` tells those that hold one.
#pragma once

#include "serval/features/model_inputs.h"

#include "features.h"

namespace serval::deploy::onnx {

// One input's frames of each item, as they are in the feature set.
struct ItemFrames {
  Name values;  // [item, frame, column]; items are batch times places, those of a recording side by side
  Name real;    // [item], frames that the recording has; at least 1
  Name frames;  // [item], with the padding behind them
};

// Made to `frames` frames each.
ItemFrames padded_or_cut(Graph& graph, const ItemFrames& items, std::int64_t frames);

// Of one length of segments.
struct Items {
  std::vector<ItemFrames> inputs;
  Name used;  // bool [batch, place]
};

// One for each length that recordings are cut into. `sheets` are those of the inputs.
std::vector<Items> write_items(Graph& graph, const std::string& model,
                               const NamedList<features::InputSettings>& inputs,
                               const std::vector<Sheet>& sheets, Problems& problems);

// Items as a network reads them: [item, ...], or [time, item, feature] with lengths. `mean` and `scale` are those of the
// member's normaliser.
NetworkInput write_sequence(Graph& graph, const ItemFrames& items, const NamedArray& mean,
                            const NamedArray& scale);
NetworkInput write_vector(Graph& graph, const ItemFrames& items, const NamedArray& mean,
                          const NamedArray& scale);
NetworkInput write_image(Graph& graph, const features::SegmentImage& image, const ItemFrames& items,
                         const NamedArray& mean, const NamedArray& scale);

}  // namespace serval::deploy::onnx
