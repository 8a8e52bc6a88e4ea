#include <set>

#include "serval/core/error.h"
#include "serval/features/segment_image.h"
#include "serval/features/segments.h"

namespace serval::features {

namespace {

constexpr std::int64_t kMaxSegmentFrames = 65536;

void check_cuts(SettingsVisitor& v, const SegmentSettings& s) {
  const std::set<std::int64_t> lengths(s.segment_frames.begin(), s.segment_frames.end());
  v.check(lengths.size() == s.segment_frames.size(), "segment_frames", "a length is named twice");
  const bool fits = s.shift_frames.size() <= 1 || s.shift_frames.size() == s.segment_frames.size();
  v.check(fits, "shift_frames",
          cat("must be one number for all lengths or one for each: ", s.shift_frames.size(), " numbers for ",
              s.segment_frames.size(), " lengths"));
  if (!fits || s.shift_frames.empty()) return;
  for (std::size_t i = 0; i < s.segment_frames.size(); ++i) {
    const std::int64_t shift = shifts(s)[i];
    v.check(shift <= s.segment_frames[i], "shift_frames",
            cat(shift, " is more than the segment's ", s.segment_frames[i],
                " frames: no segment would hold the frames between two segments"));
  }
}

}  // namespace

void describe_cuts(SettingsVisitor& v, SegmentSettings& s) {
  v.integers("segment_frames", s.segment_frames, {.min = 1, .max = kMaxSegmentFrames},
             {"length of a segment; with several, every recording is cut at each length", "frames"});
  v.integers(
      "shift_frames", s.shift_frames, {.min = 1, .max = kMaxSegmentFrames},
      {"from one segment's start to the next's, at most its length: one number for all lengths, or one for "
       "each; none takes 30, and half the length for lengths up to 30",
       "frames"});
  v.variants("tail", s.tail,
             Options<Tail>{{"pad", Tail::kPad}, {"drop", Tail::kDrop}, {"shift_back", Tail::kShiftBack}},
             {"frames behind the last full segment: one more segment that they do not fill (pad), none "
              "(drop), or one "
              "that ends with the recording (shift_back)"},
             [&s](SettingsVisitor& inner) {
               if (s.tail != Tail::kPad) return;
               inner.real("min_real_share", s.min_real_share, {.min = 0, .max = 1},
                          {"a tail that fills a smaller share of its segment is dropped"});
             });
  check_cuts(v, s);
}

void describe(SettingsVisitor& v, SegmentSettings& s) {
  describe_cuts(v, s);
  v.check(!s.segment_frames.empty(), "segment_frames", "at least one length is needed");
  v.choice("short_recordings", s.short_recordings,
           Options<ShortRecording>{{"pad", ShortRecording::kPad},
                                   {"stretch", ShortRecording::kStretch},
                                   {"drop", ShortRecording::kDrop}},
           {"a recording shorter than a segment: padded to one, resized to one, or left out"});
}

void describe(SettingsVisitor& v, FitSettings& s) {
  v.integer("frames", s.frames, {.min = 1, .max = kMaxSegmentFrames},
            {"length that every recording gets", "frames", Need::kRequired});
  v.choice("fit", s.fit,
           Options<Fit>{{"pad_or_cut", Fit::kPadOrCut},
                        {"nearest", Fit::kNearest},
                        {"nearest_exact", Fit::kNearestExact},
                        {"bilinear", Fit::kBilinear}},
           {"padding or cutting at the end, or resampling along time"});
}

void describe(SettingsVisitor& v, ImageSettings& s) {
  v.integer("channels", s.channels, {.min = 1, .max = 16},
            {"equal blocks of columns that become channels: 3 for values, slopes and curvatures"});
  v.choice("layout", s.layout,
           Options<Layout>{{"channel_band_time", Layout::kChannelBandTime},
                           {"channel_time_band", Layout::kChannelTimeBand},
                           {"band_time_channel", Layout::kBandTimeChannel},
                           {"time_band_channel", Layout::kTimeBandChannel}},
           {"order of the axes in memory, outermost first"});
  v.variants(
      "pad_value", s.pad_value,
      Options<PadValue>{{"zero", PadValue::kZero},
                        {"min", PadValue::kMin},
                        {"edge", PadValue::kEdge},
                        {"number", PadValue::kNumber}},
      {"padding: 0 after normalisation, the smallest value of the segment's channel, the last real frame, "
       "or pad_number"},
      [&s](SettingsVisitor& inner) {
        if (s.pad_value != PadValue::kNumber) return;
        inner.real("pad_number", s.pad_number, {.min = -1e6, .max = 1e6},
                   {"padding in the features' own unit, such as the floor of a log-mel spectrogram; "
                    "normalised like them"});
      });
  v.variants("resize", s.resize,
             Options<Resize>{{"none", Resize::kNone},
                             {"nearest", Resize::kNearest},
                             {"nearest_exact", Resize::kNearestExact},
                             {"bilinear", Resize::kBilinear},
                             {"bilinear_corners", Resize::kBilinearCorners}},
             {"how a segment becomes an image of height x width; see docs/segments.md"},
             [&s](SettingsVisitor& inner) {
               if (s.resize == Resize::kNone) return;
               inner.integer("height", s.height, {.min = 0, .max = kMaxImageSide},
                             {"of the image; 0 keeps the number of bands"});
               inner.integer("width", s.width, {.min = 0, .max = kMaxImageSide},
                             {"of the image; 0 keeps the number of frames"});
             });
  v.choice("scaling", s.scaling,
           Options<Scaling>{{"none", Scaling::kNone},
                            {"min_max_1", Scaling::kMinMax1},
                            {"min_max_255", Scaling::kMinMax255},
                            {"standardise", Scaling::kStandardise}},
           {"each channel of each segment for itself: to 0..1, to 0..255, or to mean 0 and deviation 1"});
}

}  // namespace serval::features
