// Where windows begin and end, whatever the pieces are.
#include "serval/deploy/stream_windows.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace serval::deploy {
namespace {

struct Cut {
  std::vector<StreamWindow> windows;
  StreamWindow rest;
};

// Sample i has the value i.
Cut cut(std::int64_t total, std::int64_t window, std::int64_t hop, std::size_t piece) {
  std::vector<float> samples;
  for (std::int64_t i = 0; i < total; ++i) samples.push_back(static_cast<float>(i));
  StreamWindows windows(window, hop);
  Cut out;
  for (std::size_t at = 0; at < samples.size(); at += piece) {
    std::span<const float> left = std::span(samples).subspan(at, std::min(piece, samples.size() - at));
    while (!left.empty()) {
      left = left.subspan(windows.feed(left));
      if (windows.due()) out.windows.push_back(windows.take());
    }
  }
  EXPECT_EQ(windows.fed(), total);
  out.rest = windows.rest();
  return out;
}

void expect_range(const StreamWindow& window, std::int64_t begin, std::int64_t end) {
  EXPECT_EQ(window.begin, begin);
  ASSERT_EQ(window.end(), end);
  for (std::size_t i = 0; i < window.samples.size(); ++i)
    ASSERT_EQ(window.samples[i], static_cast<float>(begin + static_cast<std::int64_t>(i)));
}

TEST(StreamWindowsTest, EachIsItsSamplesWhateverThePieces) {
  for (const std::int64_t hop : {1, 3, 10, 17}) {
    for (const std::size_t piece : {1, 7, 10, 1000}) {
      const Cut said = cut(101, 10, hop, piece);
      ASSERT_EQ(said.windows.size(), static_cast<std::size_t>((101 - 10) / hop + 1));
      for (std::size_t k = 0; k < said.windows.size(); ++k) {
        const std::int64_t begin = static_cast<std::int64_t>(k) * hop;
        expect_range(said.windows[k], begin, begin + 10);
        EXPECT_FALSE(said.windows[k].last);
      }
    }
  }
}

TEST(StreamWindowsTest, WhatIsLeftBeginsWhereTheNextWindowWould) {
  expect_range(cut(25, 10, 4, 7).rest, 16, 25);
  EXPECT_TRUE(cut(25, 10, 4, 7).rest.last);
  expect_range(cut(9, 10, 4, 7).rest, 0, 9);
  EXPECT_TRUE(cut(22, 10, 4, 7).rest.samples.empty());  // the last window ended with the stream
  EXPECT_TRUE(cut(0, 10, 4, 7).rest.samples.empty());
  EXPECT_TRUE(cut(15, 10, 20, 7).rest.samples.empty());  // between two windows
  expect_range(cut(24, 10, 20, 7).rest, 20, 24);
}

}  // namespace
}  // namespace serval::deploy
