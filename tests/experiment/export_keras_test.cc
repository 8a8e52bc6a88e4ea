// Files of weights for Keras, read back.
#include "serval/experiment/export_keras.h"

#include <filesystem>

#include <gmock/gmock.h>

#include "serval/store/hdf5.h"

#include "tests/deploy/onnx_support.h"

namespace serval::experiment {
namespace {

namespace fs = std::filesystem;
using corpus::TempFolder;
using deploy::Bundle;
using testing::ElementsAre;
using testing::HasSubstr;

Bundle two_members(deploy::WeightForm form = deploy::WeightForm::kFloat32) {
  deploy::testing_support::MadeBundle made;
  made.network = R"({"layers": [{"type": "gru", "hidden": 5, "bidirectional": true}, {"type": "last_pool"},
                                {"type": "dense", "name": "head"}]})";
  Bundle bundle = make_bundle(made);
  deploy::testing_support::add_member(bundle, 2);
  bundle.stamps = {"synthetic speech"};
  bundle.weights = form;
  return bundle;
}

TEST(ExportKeras, FilesHoldWhatTheMembersHave) {
  const TempFolder folder;
  const Bundle bundle = two_members();
  write_bundle(folder / "bundle", bundle, {});
  const std::vector<std::string> files = export_keras(folder / "bundle", folder / "w.h5");
  ASSERT_THAT(files, ElementsAre(folder / "w.m_fold-01_seed-1.h5", folder / "w.m_fold-01_seed-2.h5"));
  for (std::size_t m = 0; m < 2; ++m) {
    const store::Hdf5File file = store::Hdf5File::open(files[m]);
    EXPECT_THAT(file.read_texts_attribute_of("/", "layer_names"), ElementsAre("bidirectional", "head"));
    EXPECT_EQ(file.read_text_attribute("backend"), "tensorflow");
    EXPECT_EQ(file.read_text_attribute("keras_version"), "2.15.0");
    EXPECT_EQ(file.read_texts_attribute_of("/", "classes"), bundle.classes);
    EXPECT_THAT(file.read_texts_attribute_of("/", "stamps"), ElementsAre("synthetic speech"));
    EXPECT_EQ(file.read_text_attribute("member"), bundle.members[m].file);
    EXPECT_THAT(file.read_text_attribute("network"), HasSubstr("\"head\""));
    EXPECT_THAT(file.read_text_attribute("features"), HasSubstr("log_mel"));
    EXPECT_THAT(file.read_texts_attribute_of("head", "weight_names"),
                ElementsAre("head/kernel:0", "head/bias:0"));
    EXPECT_EQ(file.read_text_attribute_of("bidirectional", "class_name"), "Bidirectional");
    EXPECT_THAT(file.read_text_attribute_of("bidirectional", "serval_settings"), HasSubstr("\"hidden\": 5"));

    EXPECT_EQ(file.read_floats("head/head/bias:0"), bundle.members[m].array("head.b").values);
    const std::string bias = "bidirectional/bidirectional/backward_gru/bias:0";
    EXPECT_EQ(file.shape(bias), (Shape{2, 15}));
    EXPECT_EQ(file.read_floats(bias)[0], bundle.members[m].array("layer0.reversed.b").values[5]);
    EXPECT_EQ(file.read_floats("serval/normaliser/input/mean"),
              bundle.members[m].array("input/input/mean").values);
    EXPECT_EQ(file.read_floats("serval/normaliser/input/scale"),
              bundle.members[m].array("input/input/scale").values);
  }
  // The same bundle gives the same bytes, and a file that is there is replaced as a whole.
  const std::string before = read_text(files[0]);
  export_keras(folder / "bundle", folder / "w.h5");
  EXPECT_EQ(read_text(files[0]), before);
}

TEST(ExportKeras, RoundedWeightsAreFloat32Again) {
  for (const deploy::WeightForm form : {deploy::WeightForm::kFloat16, deploy::WeightForm::kInt8}) {
    const TempFolder folder;
    write_bundle(folder / "bundle", two_members(form), {});
    const Bundle read = deploy::read_bundle(folder / "bundle");
    const std::string first = export_keras(folder / "bundle", folder / "w.h5").front();
    const store::Hdf5File file = store::Hdf5File::open(first);
    const std::vector<float> kernel = file.read_floats("head/head/kernel:0");
    const NamedArray& w = read.members[0].array("head.w");
    ASSERT_EQ(file.shape("head/head/kernel:0"), (Shape{10, 3}));
    EXPECT_EQ(kernel[1], w.values[10]);
    EXPECT_NE(kernel[1], two_members().members[0].array("head.w").values[10]);
  }
}

TEST(ExportKeras, RefusedBeforeAnythingIsWritten) {
  const TempFolder folder;
  Bundle bundle = two_members();
  write_bundle(folder / "bundle", bundle, {});
  EXPECT_THAT(corpus::message_of<ConfigError>([&] { export_keras(folder / "bundle", folder / "w.keras"); }),
              HasSubstr("must end in .h5"));
  EXPECT_THAT(
      corpus::message_of<ConfigError>([&] { export_keras(folder / "bundle", folder / "w.weights.h5"); }),
      HasSubstr("leave .weights out"));
  EXPECT_THAT(corpus::message_of<DataError>([&] { export_keras(folder / "nothing", folder / "w.h5"); }),
              HasSubstr("nothing"));
  for (const auto& entry : fs::directory_iterator(folder / ".")) EXPECT_EQ(entry.path().filename(), "bundle");
}

}  // namespace
}  // namespace serval::experiment
