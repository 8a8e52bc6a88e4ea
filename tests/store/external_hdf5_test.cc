// External features in HDF5: files by h5py, and what can be wrong with one.
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hdf5.h>

#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/store/hdf5.h"

#include "tests/store/external_fixtures.h"

namespace serval::store {
namespace {

using features::ExternalLayout;
using testing::AllOf;
using testing::ElementsAre;
using testing::Eq;
using testing::HasSubstr;
using testing::Not;

std::vector<float> times_eight(std::vector<float> values) {
  for (float& value : values) value *= 8;
  return values;
}

TEST(ExternalHdf5Test, OneDatasetARecordingOfAnyType) {
  const ExternalFeatures set(external(golden("datasets.h5")));
  EXPECT_EQ(set.layout(), ExternalLayout::kDatasets);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(read_named(set, cat("float_", i)), golden_values(i, 4)) << i;
  for (int i = 5; i < 9; ++i)
    EXPECT_EQ(read_named(set, cat("whole/int_", i)), times_eight(golden_values(i - 5, 4))) << i;
  EXPECT_EQ(read_named(set, "packed"), golden_values(10, 4));
  const features::FeatureMatrix vector = set.read(item_named(set, "vector"));
  EXPECT_EQ(vector.frames, 1);
  EXPECT_EQ(vector.dimension, 3);
  EXPECT_EQ(vector.values, golden_values(9, 1));
  // What a link leads to may be another file, which the content hash does not cover.
  EXPECT_THAT(set.names(), AllOf(Not(testing::Contains("soft")), Not(testing::Contains("outside"))));
}

// The content hash covers one file, so values behind a link to another would change unnoticed.
TEST(ExternalHdf5Test, LinksToOtherFilesAreRefused) {
  const corpus::TempFolder folder;
  std::filesystem::copy_file(golden("matrix.h5"), folder / "other.h5");
  const hid_t file = H5Fcreate((folder / "linked.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hid_t group = H5Gcreate2(file, "set", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  for (const char* name : {"ids", "features"})
    H5Lcreate_external("other.h5", cat("/", name).c_str(), group, name, H5P_DEFAULT, H5P_DEFAULT);
  H5Lcreate_external("other.h5", "/", file, "elsewhere", H5P_DEFAULT, H5P_DEFAULT);
  H5Lcreate_soft("/set", file, "soft", H5P_DEFAULT, H5P_DEFAULT);
  H5Gclose(group);
  H5Fclose(file);
  for (const char* name : {"set", "elsewhere", "soft", "/elsewhere/"}) {
    EXPECT_THAT(open_refusal(external(folder / "linked.h5", ExternalLayout::kMatrix, name)),
                HasSubstr("is a link; write the values themselves into this file"))
        << name;
  }
}

TEST(ExternalHdf5Test, KeepsWhatTheFileSaysOfItself) {
  const ExternalFeatures set(external(golden("datasets.h5")));
  EXPECT_THAT(
      set.provenance(),
      AllOf(HasSubstr("\"model\": \"facebook/wav2vec2-base\""), HasSubstr("\"description\": \"layer 9\""),
            HasSubstr("\"layer\": \"9\""), Not(HasSubstr("ignored")), HasSubstr(set.content_hash()),
            HasSubstr("\"layout\": \"datasets\""), HasSubstr("datasets.h5")));
}

TEST(ExternalHdf5Test, DatasetsThatARecordingCannotUse) {
  const ExternalFeatures set(external(golden("datasets.h5")));
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"bad/batch",
       "has the shape [1, 4, 3]; must be [dimension], or [time, dimension]: leave out the batch's axis"},
      {"bad/scalar", "has the shape []"},
      {"bad/flags", "holds booleans"},
      {"bad/complex", "holds no plain numbers"},
      {"bad/texts", "holds texts"},
      {"bad/empty", "has no values: its shape is [0, 3]"},
      {"bad/nan", "frame 1, value 1 is nan, not a finite number"},
      {"bad/large", "frame 0, value 1 is inf, not a finite number of float32"},
      {"bad/unfilled", "never filled"},
      {"bad/virtual", "in other files"}};
  for (const auto& [name, reason] : cases) {
    EXPECT_THAT(refusal(set, name),
                AllOf(HasSubstr("datasets.h5"), HasSubstr(cat('"', name, '"')), HasSubstr(reason)));
  }
}

TEST(ExternalHdf5Test, EveryRecordingOfAnotherDimensionIsNamed) {
  const ExternalFeatures set(external(golden("datasets.h5")));
  const std::vector<std::size_t> items = {item_named(set, "float_0"), item_named(set, "bad/wide"),
                                          item_named(set, "float_1"), item_named(set, "bad/batch")};
  const std::vector<ExternalRecording> ids = {{"d/a", ""}, {"d/b", ""}, {"d/c", ""}, {"d/d", ""}};
  const std::string message = corpus::message_of<DataError>([&] { set.dimension(items, ids); });
  EXPECT_THAT(message, AllOf(HasSubstr("2 of 4 recordings cannot be used"), HasSubstr("\n  d/b: "),
                             HasSubstr("\"bad/wide\" has 4 values a frame, but "),
                             HasSubstr("\"float_0\" has 3"), HasSubstr("\n  d/d: ")));
}

TEST(ExternalHdf5Test, RaggedWithIdsOfEitherKindAndInAGroup) {
  const ExternalFeatures variable(external(golden("ragged_variable.h5")));
  const ExternalFeatures fixed(external(golden("ragged_fixed.h5"), ExternalLayout::kAuto, "layer_9"));
  const std::vector<int> frames = {2, 5, 1};
  for (const ExternalFeatures* set : {&variable, &fixed}) {
    EXPECT_EQ(set->layout(), ExternalLayout::kRagged);
    EXPECT_THAT(set->names(), ElementsAre("demo/a", "demo/b", "demo/ü"));
    for (int i = 0; i < 3; ++i) {
      const features::FeatureMatrix item = set->read(static_cast<std::size_t>(i));
      EXPECT_EQ(item.frames, frames[static_cast<std::size_t>(i)]);
      EXPECT_EQ(item.values, golden_values(i, frames[static_cast<std::size_t>(i)]));
    }
  }
  EXPECT_THAT(fixed.provenance(),
              AllOf(HasSubstr("\"group\": \"layer_9\""), HasSubstr("\"model\": \"nine\"")));
}

TEST(ExternalHdf5Test, MatrixWithAndWithoutTime) {
  const ExternalFeatures vectors(external(golden("matrix.h5"))), frames(external(golden("matrix_time.h5")));
  EXPECT_EQ(vectors.layout(), ExternalLayout::kMatrix);
  EXPECT_THAT(vectors.names(), ElementsAre("a.wav", "b.wav", "c.wav"));
  EXPECT_THAT(frames.names(), ElementsAre("a", "b", "c"));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(vectors.read(static_cast<std::size_t>(i)).values, golden_values(i, 1));
    EXPECT_EQ(frames.read(static_cast<std::size_t>(i)).values, golden_values(i, 4));
    EXPECT_EQ(frames.read(static_cast<std::size_t>(i)).frames, 4);
  }
}

TEST(ExternalHdf5Test, ALayoutCanBeNamed) {
  const ExternalFeatures set(external(golden("matrix.h5"), ExternalLayout::kDatasets));
  EXPECT_THAT(set.names(), ElementsAre("features", "ids"));
  EXPECT_THAT(open_refusal(external(golden("matrix.h5"), ExternalLayout::kRagged)),
              HasSubstr("cannot read \"data\""));
  EXPECT_THAT(open_refusal<ConfigError>(external(golden("matrix.h5"), ExternalLayout::kTable)),
              HasSubstr("an HDF5 file has no layout \"table\"; it may be datasets, ragged or matrix"));
}

class BrokenHdf5Test : public testing::Test {
 protected:
  struct Content {
    std::vector<float> data = {1, 2, 3, 4, 5, 6};
    Shape data_shape = {3, 2};
    std::vector<std::int64_t> offsets = {0, 1, 3};
    std::vector<std::string> ids = {"a", "b"};
  };
  std::string error_of(const Content& content) {
    {
      Hdf5File file = Hdf5File::create(path_);
      file.write("data", std::span<const float>(content.data), content.data_shape);
      file.write("offsets", std::span<const std::int64_t>(content.offsets),
                 Shape{static_cast<std::int64_t>(content.offsets.size())});
      file.write_texts("ids", content.ids);
      file.close();
    }
    return open_refusal(external(path_));
  }
  corpus::TempFolder folder_;
  std::string path_ = folder_ / "set.h5";
};

TEST_F(BrokenHdf5Test, PartsThatDoNotFitTogether) {
  EXPECT_THAT(error_of({.ids = {"a", "b", "c"}}),
              AllOf(HasSubstr("set.h5: \"ids\" has 3 ids"), HasSubstr("2 items")));
  EXPECT_THAT(error_of({.ids = {"a", "a"}}), HasSubstr("items 0 and 1 are both \"a\""));
  EXPECT_THAT(error_of({.ids = {"a", ""}}), HasSubstr("the id of item 1 is empty"));
  EXPECT_THAT(error_of({.offsets = {0, 1, 4}}),
              HasSubstr("end with the 3 rows of data; it goes from 0 to 4"));
  EXPECT_THAT(error_of({.offsets = {1, 1, 3}}), HasSubstr("must begin with 0"));
  EXPECT_THAT(error_of({.offsets = {0, 5, 3}}), HasSubstr("never fall"));
  EXPECT_THAT(error_of({.data_shape = {6}}),
              HasSubstr("\"data\" has the shape [6]; must be [rows, dimension]"));
}

TEST_F(BrokenHdf5Test, NoIdsOrIdsOfAnotherKind) {
  {
    Hdf5File file = Hdf5File::create(path_);
    file.write("features", std::span<const float>(std::vector<float>{1, 2}), {2, 1});
    file.close();
  }
  EXPECT_THAT(open_refusal(external(path_)), HasSubstr("\"features\" is there, but no \"ids\""));
  {
    Hdf5File file = Hdf5File::create(path_);
    file.write("features", std::span<const float>(std::vector<float>{1, 2}), {2, 1});
    file.write("ids", std::span<const std::int64_t>(std::vector<std::int64_t>{1, 2}), {2});
    file.close();
  }
  EXPECT_THAT(open_refusal(external(path_)), HasSubstr("\"ids\" must be a list of texts"));
}

TEST_F(BrokenHdf5Test, FilesThatAreNotThereOrNotHdf5) {
  EXPECT_THAT(open_refusal<ConfigError>(external(path_)),
              HasSubstr("set.h5: there is no such file or folder"));
  folder_.write("set.h5", "");
  EXPECT_THAT(open_refusal(external(path_)), HasSubstr("set.h5: is empty"));
  folder_.write("set.h5", "Dear diary, this is no HDF5");
  EXPECT_THAT(open_refusal(external(path_)), HasSubstr("set.h5: cannot be read as HDF5: "));
  folder_.write("set.h5", read_text(golden("matrix.h5")).substr(0, 1500));
  EXPECT_THAT(open_refusal(external(path_)), HasSubstr("set.h5: cannot be read as HDF5: "));
  EXPECT_THAT(open_refusal(external(golden("matrix.h5"), ExternalLayout::kAuto, "layer_1")),
              HasSubstr("has no group \"layer_1\""));
  EXPECT_THAT(open_refusal<ConfigError>(external(folder_.write("set.txt", "x"))),
              HasSubstr("its ending says nothing"));
}

}  // namespace
}  // namespace serval::store
