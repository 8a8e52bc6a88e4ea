// Where recordings are cut: rules, provenance, and settings that cannot be.
#include "serval/features/segments.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/error.h"
#include "serval/core/json.h"
#include "serval/core/settings_io.h"

namespace serval::features {

void PrintTo(const Segment& s, std::ostream* out) {
  *out << "{" << s.recording << ", " << s.scale << ", " << s.first_frame << ", " << s.real_frames << ", "
       << s.frames << "}";
}
void PrintTo(const DroppedFrames& d, std::ostream* out) {
  *out << "{" << d.recording << ", " << d.scale << ", " << d.first_frame << ", " << d.frames << "}";
}

namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using Segments = std::vector<Segment>;
using Dropped = std::vector<DroppedFrames>;

std::vector<std::int64_t> offsets_of(const std::vector<std::int64_t>& frames) {
  std::vector<std::int64_t> offsets{7};  // the first recording need not be at 0
  for (const std::int64_t n : frames) offsets.push_back(offsets.back() + n);
  return offsets;
}

SegmentSettings cut(std::vector<std::int64_t> lengths, std::vector<std::int64_t> shift,
                    Tail tail = Tail::kPad) {
  SegmentSettings settings;
  settings.segment_frames = std::move(lengths);
  settings.shift_frames = std::move(shift);
  settings.tail = tail;
  return settings;
}

TEST(Segments, ATailIsPaddedDroppedOrMovedBack) {
  const auto offsets = offsets_of({11});
  const SegmentIndex padded = plan_segments(offsets, cut({4}, {3}));
  EXPECT_EQ(padded.segments, (Segments{{0, 0, 0, 4, 4}, {0, 0, 3, 4, 4}, {0, 0, 6, 4, 4}, {0, 0, 9, 2, 4}}));
  EXPECT_THAT(padded.dropped, IsEmpty());
  const SegmentIndex dropped = plan_segments(offsets, cut({4}, {3}, Tail::kDrop));
  EXPECT_EQ(dropped.segments, (Segments{{0, 0, 0, 4, 4}, {0, 0, 3, 4, 4}, {0, 0, 6, 4, 4}}));
  EXPECT_EQ(dropped.dropped, (Dropped{{0, 0, 10, 1}}));
  const SegmentIndex back = plan_segments(offsets, cut({4}, {3}, Tail::kShiftBack));
  EXPECT_EQ(back.segments, (Segments{{0, 0, 0, 4, 4}, {0, 0, 3, 4, 4}, {0, 0, 6, 4, 4}, {0, 0, 7, 4, 4}}));
  EXPECT_THAT(back.dropped, IsEmpty());
}

TEST(Segments, ARecordingThatSegmentsFillHasNoTail) {
  for (const Tail tail : {Tail::kPad, Tail::kDrop, Tail::kShiftBack}) {
    const SegmentIndex index = plan_segments(offsets_of({10, 4}), cut({4}, {3}, tail));
    EXPECT_EQ(index.segments, (Segments{{0, 0, 0, 4, 4}, {0, 0, 3, 4, 4}, {0, 0, 6, 4, 4}, {1, 0, 0, 4, 4}}));
    EXPECT_THAT(index.offsets, ElementsAre(0, 3, 4));
    EXPECT_THAT(index.dropped, IsEmpty());
  }
}

TEST(Segments, AThinTailIsDropped) {
  SegmentSettings settings = cut({4}, {4});
  settings.min_real_share = 0.5;
  const SegmentIndex index = plan_segments(offsets_of({9, 10}), settings);
  EXPECT_EQ(index.segments,
            (Segments{{0, 0, 0, 4, 4}, {0, 0, 4, 4, 4}, {1, 0, 0, 4, 4}, {1, 0, 4, 4, 4}, {1, 0, 8, 2, 4}}));
  EXPECT_EQ(index.dropped, (Dropped{{0, 0, 8, 1}}));
}

TEST(Segments, ShortRecordingsArePaddedStretchedOrDropped) {
  const auto offsets = offsets_of({1, 4, 3});
  SegmentSettings settings = cut({4}, {2});
  settings.min_real_share = 1;  // says nothing of short recordings
  EXPECT_EQ(plan_segments(offsets, settings).segments,
            (Segments{{0, 0, 0, 1, 4}, {1, 0, 0, 4, 4}, {2, 0, 0, 3, 4}}));
  settings.short_recordings = ShortRecording::kStretch;
  EXPECT_EQ(plan_segments(offsets, settings).segments,
            (Segments{{0, 0, 0, 1, 1}, {1, 0, 0, 4, 4}, {2, 0, 0, 3, 3}}));
  settings.short_recordings = ShortRecording::kDrop;
  const SegmentIndex index = plan_segments(offsets, settings);
  EXPECT_EQ(index.segments, (Segments{{1, 0, 0, 4, 4}}));
  EXPECT_THAT(index.offsets, ElementsAre(0, 0, 1, 1));
  EXPECT_EQ(index.dropped, (Dropped{{0, 0, 0, 1}, {2, 0, 0, 3}}));
}

TEST(Segments, SeveralLengthsComeOneBehindTheOther) {
  const SegmentIndex index = plan_segments(offsets_of({5, 2}), cut({2, 4}, {2, 1}));
  EXPECT_EQ(index.segments, (Segments{{0, 0, 0, 2, 2},
                                      {0, 0, 2, 2, 2},
                                      {0, 0, 4, 1, 2},
                                      {0, 1, 0, 4, 4},
                                      {0, 1, 1, 4, 4},
                                      {1, 0, 0, 2, 2},
                                      {1, 1, 0, 2, 4}}));
  EXPECT_THAT(index.lengths, ElementsAre(2, 4));
  EXPECT_THAT(index.offsets, ElementsAre(0, 5, 7));
}

TEST(Segments, TheUsualShiftIsThirtyFramesOrHalfASegment) {
  EXPECT_THAT(shifts(cut({16, 30, 31, 32, 128, 1}, {})), ElementsAre(8, 15, 30, 30, 30, 1));
  EXPECT_THAT(shifts(cut({16, 32}, {5})), ElementsAre(5, 5));
}

// By plain marking of frames: what is in no segment is in `dropped`, and nothing else is.
TEST(Segments, EveryFrameIsInASegmentOrStatedAsDropped) {
  int cases = 0;
  for (const Tail tail : {Tail::kPad, Tail::kDrop, Tail::kShiftBack}) {
    for (const ShortRecording rule :
         {ShortRecording::kPad, ShortRecording::kStretch, ShortRecording::kDrop}) {
      for (std::int64_t length = 1; length <= 9; ++length) {
        for (std::int64_t shift = 1; shift <= length; ++shift) {
          SegmentSettings settings = cut({length, 20}, {shift, 7}, tail);
          if (shift > 7) settings.min_real_share = 0.4;
          settings.short_recordings = rule;
          const std::vector<std::int64_t> frames{1, 2, 8, 9, 10, 19, 23, 40};
          const SegmentIndex index = plan_segments(offsets_of(frames), settings);
          ASSERT_EQ(index.offsets.size(), frames.size() + 1);
          for (std::size_t r = 0; r < frames.size(); ++r) {
            for (int scale = 0; scale < 2; ++scale) {
              std::vector<int> seen(static_cast<std::size_t>(frames[r]), 0), lost = seen;
              for (std::int64_t k = 0; k < static_cast<std::int64_t>(index.segments.size()); ++k) {
                const Segment& s = index.segments[static_cast<std::size_t>(k)];
                const bool here = k >= index.offsets[r] && k < index.offsets[r + 1];
                ASSERT_EQ(s.recording == static_cast<std::int64_t>(r), here);
                if (!here || s.scale != scale) continue;
                ASSERT_GE(s.real_frames, 1);
                ASSERT_GE(s.frames, s.real_frames);
                for (std::int64_t t = 0; t < s.real_frames; ++t)
                  seen.at(static_cast<std::size_t>(s.first_frame + t)) = 1;
              }
              for (const DroppedFrames& d : index.dropped) {
                if (d.recording != static_cast<std::int64_t>(r) || d.scale != scale) continue;
                for (std::int64_t t = 0; t < d.frames; ++t)
                  ++lost.at(static_cast<std::size_t>(d.first_frame + t));
              }
              for (std::size_t t = 0; t < seen.size(); ++t) ASSERT_EQ(seen[t] + lost[t], 1);
              ++cases;
            }
          }
        }
      }
    }
  }
  EXPECT_EQ(cases, 3 * 3 * 45 * 8 * 2);
}

TEST(Segments, WholeRecordingsArePaddedAndCutOrResampled) {
  const auto offsets = offsets_of({3, 8, 5});
  const SegmentIndex cut_or_padded = plan_whole(offsets, {5, Fit::kPadOrCut});
  EXPECT_EQ(cut_or_padded.segments, (Segments{{0, 0, 0, 3, 5}, {1, 0, 0, 5, 5}, {2, 0, 0, 5, 5}}));
  EXPECT_EQ(cut_or_padded.dropped, (Dropped{{1, 0, 5, 3}}));
  EXPECT_THAT(cut_or_padded.offsets, ElementsAre(0, 1, 2, 3));
  const SegmentIndex resampled = plan_whole(offsets, {5, Fit::kNearest});
  EXPECT_EQ(resampled.segments, (Segments{{0, 0, 0, 3, 3}, {1, 0, 0, 8, 8}, {2, 0, 0, 5, 5}}));
  EXPECT_THAT(resampled.dropped, IsEmpty());
}

TEST(Segments, ARecordingWithoutFramesIsNamed) {
  try {
    plan_segments(offsets_of({4, 0}), cut({2}, {1}));
    FAIL() << "accepted";
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr("recording 1 has no frames"));
  }
  EXPECT_THROW(plan_whole(offsets_of({0}), {}), DataError);
}

TEST(Segments, ThePlannerRefusesWhatSettingsRefuse) {
  try {
    plan_segments(offsets_of({4}), cut({2}, {3}));
    FAIL() << "accepted";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), testing::StartsWith("shift_frames: 3 is more than the segment's 2 frames"));
  }
  EXPECT_THROW(plan_segments(offsets_of({4}), cut({}, {})), ConfigError);
  EXPECT_THROW(plan_segments(offsets_of({4}), cut({2}, {0})), ConfigError);
  EXPECT_THROW(plan_whole(offsets_of({4}), {0, Fit::kPadOrCut}), ConfigError);
}

template <class Settings>
std::vector<std::string> errors_of(const std::string& json) {
  std::vector<std::string> errors;
  read_settings<Settings>(parse_json(json, "s.json"), errors);
  return errors;
}

TEST(SegmentSettings, ReadTheirFieldsAndAreWrittenBack) {
  std::vector<std::string> errors;
  const auto s = read_settings<SegmentSettings>(
      parse_json(R"({"segment_frames": 32, "shift_frames": [16], "tail": "pad", "min_real_share": 0.5,
                     "short_recordings": "stretch"})",
                 "s.json"),
      errors);
  EXPECT_THAT(errors, IsEmpty());
  EXPECT_THAT(s.segment_frames, ElementsAre(32));
  EXPECT_THAT(s.shift_frames, ElementsAre(16));
  EXPECT_EQ(s.min_real_share, 0.5);
  EXPECT_EQ(s.short_recordings, ShortRecording::kStretch);
  const auto again =
      read_settings<SegmentSettings>(parse_json(write_json(settings_to_json(s)), "s.json"), errors);
  EXPECT_THAT(errors, IsEmpty());
  EXPECT_EQ(write_json(settings_to_json(again)), write_json(settings_to_json(s)));
}

TEST(SegmentSettings, BadOnesAreNamed) {
  const auto errors = [](const std::string& json) { return errors_of<SegmentSettings>(json); };
  EXPECT_THAT(errors(R"({"segment_frames": []})"), ElementsAre(HasSubstr("at least one length is needed")));
  EXPECT_THAT(errors(R"({"segment_frames": [0, 4]})"),
              ElementsAre(HasSubstr("segment_frames[0]: 0 is out of range [1, 65536]")));
  EXPECT_THAT(errors(R"({"segment_frames": [8, 8]})"), ElementsAre(HasSubstr("a length is named twice")));
  EXPECT_THAT(errors(R"({"segment_frames": 8, "shift_frames": 0})"),
              ElementsAre(HasSubstr("shift_frames: 0 is out of range [1, 65536]")));
  EXPECT_THAT(
      errors(R"({"segment_frames": [16, 8], "shift_frames": 9})"),
      ElementsAre(HasSubstr("shift_frames: 9 is more than the segment's 8 frames: no segment would hold "
                            "the frames between two segments")));
  EXPECT_THAT(errors(R"({"segment_frames": [8, 16, 32], "shift_frames": [4, 8]})"),
              ElementsAre(HasSubstr("one number for all lengths or one for each: 2 numbers for 3 lengths")));
  EXPECT_THAT(errors(R"({"min_real_share": 1.5})"),
              ElementsAre(HasSubstr("min_real_share: 1.5 is out of range [0, 1]")));
  EXPECT_THAT(errors(R"({"tail": "drop", "min_real_share": 0.5})"),
              ElementsAre(HasSubstr("min_real_share: unknown key")));
  EXPECT_THAT(errors(R"({"tail": "shiftback"})"), ElementsAre(HasSubstr("did you mean \"shift_back\"?")));
  EXPECT_THAT(errors_of<FitSettings>(R"({"fit": "bilinear"})"), ElementsAre(HasSubstr("frames: is missing")));
  EXPECT_THAT(errors_of<FitSettings>(R"({"frames": 0})"),
              ElementsAre(HasSubstr("frames: 0 is out of range [1, 65536]")));
}

}  // namespace
}  // namespace serval::features
