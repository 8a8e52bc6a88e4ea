#include "serval/store/hdf5.h"

#include <numeric>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/error.h"
#include "serval/core/files.h"

#include "store_fixtures.h"

namespace serval::store {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

template <class Body>
std::string data_error_of(Body body) {
  try {
    body();
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

TEST(Hdf5, ArraysOfEveryTypeAndRankComeBack) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "x.h5";
  const std::vector<float> floats = noise(1, 24);
  const std::vector<double> doubles = {1.0 / 3, -2e300};
  const std::vector<std::int64_t> one = {-5};
  const std::vector<std::int64_t> longs = {std::int64_t{1} << 60, -1, 0};
  Hdf5File out = Hdf5File::create(path);
  out.write("network/layer0/weight", std::span(floats), Shape{2, 3, 4});
  out.write("network/layer0/bias", std::span<const float>(), Shape{0});
  out.write("deep/er/doubles", std::span(doubles), Shape{2});
  out.write("scalar", std::span(one), Shape{});
  out.write("longs", std::span(longs), Shape{3, 1, 1, 1});
  out.close();

  const Hdf5File in = Hdf5File::open(path);
  EXPECT_EQ(in.read_floats("network/layer0/weight"), floats);
  EXPECT_EQ(in.shape("network/layer0/weight"), (Shape{2, 3, 4}));
  EXPECT_TRUE(in.read_floats("network/layer0/bias").empty());
  EXPECT_EQ(in.read_doubles("deep/er/doubles"), doubles);
  EXPECT_EQ(in.read_int64s("scalar"), one);
  EXPECT_EQ(in.shape("scalar"), Shape{});
  EXPECT_EQ(in.read_int64s("longs"), longs);
  EXPECT_EQ(in.shape("longs"), (Shape{3, 1, 1, 1}));
  EXPECT_TRUE(in.has("network/layer0/weight"));
  EXPECT_TRUE(in.has("network"));
  EXPECT_FALSE(in.has("network/layer1/weight"));
  EXPECT_FALSE(in.has("nothing"));
}

TEST(Hdf5, AttributesOfGroupsAndDatasetsComeBack) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "x.h5";
  const std::vector<float> values = noise(1, 6);
  const std::vector<std::string> names = {"lstm/kernel:0", "ä"};
  Hdf5File out = Hdf5File::create(path, 0);
  out.write("layer/weights", std::span(values), Shape{2, 3});
  out.write_attribute_of("layer", "weight_names", names);
  out.write_attribute_of("layer/weights", "unit", "dB");
  out.write_attribute_of("/", "none", std::vector<std::string>{});
  out.close();

  const Hdf5File in = Hdf5File::open(path);
  EXPECT_EQ(in.read_texts_attribute_of("layer", "weight_names"), names);
  EXPECT_EQ(in.read_text_attribute_of("layer/weights", "unit"), "dB");
  EXPECT_TRUE(in.read_texts_attribute_of("/", "none").empty());
  EXPECT_THAT(data_error_of([&] { (void)in.read_text_attribute_of("layer", "weight_names"); }),
              HasSubstr("\"weight_names\" holds 2 texts, not one"));
  EXPECT_THAT(data_error_of([&] { (void)in.read_text_attribute_of("layer/weights", "shape"); }),
              AllOf(HasSubstr("x.h5"), HasSubstr("\"shape\"")));
  // Without a user block the file begins as every HDF5 file.
  EXPECT_EQ(read_text(path).substr(1, 3), "HDF");
}

TEST(Hdf5, TextOfAnyLengthComesBack) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "x.h5";
  const std::string long_text(200 * 1024,
                              'j');  // beyond the 64 KiB that HDF5's older format allows an attribute
  const std::vector<std::string> list = {"", "Grüße", "ravdess/03-01-05-01-01-01-12"};
  Hdf5File out = Hdf5File::create(path);
  out.write_text("a/history", long_text);
  out.write_text("empty", "");
  out.write_texts("ids", list);
  out.write_texts("none", {});
  out.write_attribute("settings", long_text);
  out.write_attribute("blank", "");
  out.write_attribute("epoch", std::int64_t{-7});
  EXPECT_THROW(out.write_text("nul", std::string("a\0b", 3)), InternalError);
  out.close();

  const Hdf5File in = Hdf5File::open(path);
  EXPECT_EQ(in.read_text("a/history"), long_text);
  EXPECT_EQ(in.read_text("empty"), "");
  EXPECT_EQ(in.read_texts("ids"), list);
  EXPECT_TRUE(in.read_texts("none").empty());
  EXPECT_EQ(in.read_text_attribute("settings"), long_text);
  EXPECT_EQ(in.read_text_attribute("blank"), "");
  EXPECT_EQ(in.read_integer_attribute("epoch"), -7);
}

TEST(Hdf5, RowsGrowAndAreReadInParts) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "x.h5";
  constexpr std::int64_t kWidth = 100;
  const std::vector<float> values = noise(3, 5000 * kWidth);  // several chunks
  Hdf5File out = Hdf5File::create(path);
  out.create_rows("data", Element::kFloat32, kWidth);
  const std::span<const float> all(values);
  out.append_rows("data", all.subspan(0, 0));
  out.append_rows("data", all.subspan(0, kWidth));
  out.append_rows("data", all.subspan(kWidth, 3333 * kWidth));
  out.append_rows("data", all.subspan(3334 * kWidth));
  EXPECT_THROW(out.append_rows("data", all.subspan(0, kWidth - 1)), InternalError);
  EXPECT_THROW(out.append_rows("data", std::span<const std::int16_t>(std::vector<std::int16_t>(kWidth))),
               DataError);
  out.close();

  const Hdf5File in = Hdf5File::open(path);
  EXPECT_EQ(in.shape("data"), (Shape{5000, kWidth}));
  EXPECT_EQ(in.read_floats("data"), values);
  std::vector<float> some(17 * kWidth);
  in.read_rows("data", 4983, std::span(some));
  EXPECT_TRUE(std::equal(some.begin(), some.end(), values.end() - 17 * kWidth));
  EXPECT_THROW(in.read_rows("data", 4984, std::span(some)), InternalError);
}

TEST(Hdf5, ErrorsNameTheFileAndTheReasonAndPrintNothing) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "x.h5";
  ::testing::internal::CaptureStderr();
  EXPECT_THAT(data_error_of([&] { Hdf5File::open(path); }),
              AllOf(HasSubstr(path.string()), HasSubstr("No such file")));
  EXPECT_THAT(data_error_of([&] { Hdf5File::create(path / "below"); }), HasSubstr("cannot be created"));
  overwrite(path, "this is no HDF5 file");
  EXPECT_THAT(data_error_of([&] { Hdf5File::open(path); }), HasSubstr("signature"));
  Hdf5File file = Hdf5File::create(path);
  file.write_text("text", "x");
  EXPECT_THAT(data_error_of([&] { file.read_floats("absent"); }), HasSubstr("\"absent\""));
  EXPECT_THAT(data_error_of([&] { file.read_floats("text"); }), HasSubstr("\"text\" does not hold float32"));
  EXPECT_THAT(data_error_of([&] { file.write_text("text", "y"); }), HasSubstr("\"text\""));
  EXPECT_THAT(data_error_of([&] { file.read_text_attribute("none"); }), HasSubstr("attribute \"none\""));
  EXPECT_THROW(file.write("f", std::span<const float>(), Shape{2}), InternalError);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST(Hdf5, EqualContentGivesEqualBytes) {
  const TemporaryFolder folder;
  const auto write = [&](const std::string& name) {
    Hdf5File file = Hdf5File::create(folder.path() / name);
    const std::vector<float> values = noise(1, 100);
    file.write("group/values", std::span(values), Shape{100});
    file.write_text("group/inner/text", "same");
    file.write_attribute("note", "same");
    file.close();
    return read_text(folder.path() / name);
  };
  const std::string first = write("a.h5");
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));  // HDF5's times have a second's resolution
  EXPECT_TRUE(first == write("b.h5"));
}

TEST(Hdf5, ThreadsMayWorkOnTheirOwnFiles) {
  const TemporaryFolder folder;
  std::vector<std::thread> threads;
  std::vector<int> right(4);
  for (std::size_t t = 0; t < right.size(); ++t) {
    threads.emplace_back([&, t] {
      for (int round = 0; round < 10; ++round) {
        const std::filesystem::path path = folder.path() / cat(t, ".h5");
        const std::vector<float> values = noise(t, 1000);
        Hdf5File out = Hdf5File::create(path);
        out.write("v", std::span(values), Shape{1000});
        out.close();
        right[t] += Hdf5File::open(path).read_floats("v") == values;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, std::vector<int>(4, 10));
}

}  // namespace
}  // namespace serval::store
