// Frames of a padded waveform and their spectra. A frame's transform is a convolution of the waveform with sines and cosines
// that already hold window, scale, removal of the mean and pre-emphasis: all of them are linear.
#pragma once

#include "serval/features/detail/frame_plan.h"

#include "features.h"

namespace serval::deploy::onnx {

class Spectra {
 public:
  Spectra(Graph& graph, const features::detail::FramePlan& plan, const Sound& sound);

  const features::detail::FramePlan& plan() const { return plan_; }
  const Name& frames() const { return frames_; }  // [batch]
  const Name& time() const { return time_; }      // [1]
  // Whether a frame is one of its recording: bool [batch, frame, 1].
  const Name& mask();
  Name power();      // |X|^2, [batch, bin, frame]
  Name magnitude();  // its root
  Name windows();    // the samples under the window of each frame, unweighed: [batch, frame, sample]

 private:
  Name padded();  // the waveform with what the padding puts around it: [batch, place]
  std::vector<float> kernels() const;

  Graph& g_;
  const features::detail::FramePlan& plan_;
  Sound sound_;
  Name frames_, time_, mask_, padded_, power_, magnitude_, windows_;
};

}  // namespace serval::deploy::onnx
