#include "serval/train/initial_weights.h"

#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/json.h"
#include "serval/core/settings_io.h"
#include "serval/store/hdf5.h"
#include "serval/train/trainer.h"

#include "tests/corpus/corpus_fixtures.h"
#include "tests/train/training_task.h"

namespace serval::train {
namespace {

using corpus::message_of;
using corpus::TempFolder;
using testing::ElementsAre;
using testing::HasSubstr;

// Single-precision arrays, named and shaped, as a safetensors file.
std::string safetensors(const std::vector<std::pair<std::string, std::string>>& shapes,
                        std::vector<float> values) {
  std::string header = "{";
  std::size_t at = 0;
  for (const auto& [name, shape] : shapes) {
    std::size_t bytes = 4;
    for (const JsonValue& dim : parse_json(shape, "shape").items)
      bytes *= static_cast<std::size_t>(dim.integer);
    header += cat(at == 0 ? "" : ",", "\"", name, R"(":{"dtype":"F32","shape":)", shape,
                  R"(,"data_offsets":[)", at, ",", at + bytes, "]}");
    at += bytes;
  }
  header += "}";
  std::string out;
  for (std::size_t i = 0; i < 8; ++i) out.push_back(static_cast<char>(header.size() >> 8 * i & 0xFF));
  out += header + std::string(at, '\0');
  std::memcpy(out.data() + out.size() - at, values.data(), std::min(at, 4 * values.size()));
  return out;
}

std::vector<nn::ParameterBlock> two_blocks() {
  std::vector<nn::ParameterBlock> blocks(2);
  blocks[0].name = "a.w";
  blocks[0].shape = {2, 3};
  blocks[1].name = "a.b";
  blocks[1].shape = {2};
  blocks[1].offset = 6;
  return blocks;
}

TEST(InitialWeights, OwnNamesMapsAndRules) {
  const TempFolder folder;
  const std::string own = folder.write(
      "own.safetensors",
      safetensors({{"a.w", "[2,3]"}, {"a.b", "[1,2,1]"}, {"rest", "[4]"}}, {1, 2, 3, 4, 5, 6, 7, 8}));
  std::vector<float> values(8, -1.0f);
  load_initial_weights(own, {}, two_blocks(), values);
  EXPECT_THAT(values, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8));
  values.assign(8, -1.0f);
  load_initial_weights(own, {{"a.b", "a.b"}}, two_blocks(), values);
  EXPECT_THAT(values, ElementsAre(-1, -1, -1, -1, -1, -1, 7, 8));
  const std::string other = folder.write(
      "other.safetensors", safetensors({{"m.w.weight", "[2,3]"}, {"bias", "[2]"}}, {1, 2, 3, 4, 5, 6, 7, 8}));
  load_initial_weights(other, {{"a.*", "m.*.weight"}, {"a.b", "bias"}}, two_blocks(), values);
  EXPECT_THAT(values, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8));
}

TEST(InitialWeights, EverythingThatDoesNotFitIsListed) {
  const TempFolder folder;
  const std::string path = folder.write("w.safetensors", safetensors({{"a.w", "[3,2]"}, {"x", "[2]"}}, {}));
  std::vector<float> values(8);
  const auto error_of = [&](const NamedList<std::string>& map) {
    return message_of<ConfigError>([&] { load_initial_weights(path, map, two_blocks(), values); });
  };
  EXPECT_THAT(error_of({}), HasSubstr("a.w is [2, 3], but \"a.w\" is [3, 2]; a.b: the file has no \"a.b\""));
  EXPECT_THAT(error_of({{"b.w", "x"}, {"a.b", "x"}}), HasSubstr("the network has no block b.w"));
  EXPECT_THAT(error_of({{"c.*", "*"}}), HasSubstr("the map fits no block"));
  EXPECT_THROW(load_initial_weights(folder.write("w.h5", "no HDF5"), {}, two_blocks(), values), DataError);
}

TEST(InitialWeights, SettingsSayWhatIsWrong) {
  const auto error_of = [](const char* json) {
    std::vector<std::string> errors;
    read_settings<InitialWeightsSettings>(parse_json(json, "w.json"), errors);
    return errors.empty() ? "" : errors.front();
  };
  EXPECT_THAT(error_of(R"({"file": "a.pt"})"), HasSubstr("must end with .safetensors, .h5 or .hdf5"));
  EXPECT_THAT(error_of(R"({"file": "a.h5", "map": {"a.*": "b"}})"), HasSubstr("the same number of *"));
  EXPECT_EQ(error_of(R"({"file": "a.h5", "map": {"a.*": "b.*", "c": "d"}})"), "");
  const InitialWeightsSettings settings{.file = "fold-{fold}_seed-{seed}/checkpoint.h5", .map = {}};
  EXPECT_EQ(settings.path(2, 14), "fold-03_seed-14/checkpoint.h5");
}

// A checkpoint starts another training: its best weights give the same scores before a step is made.
TEST(InitialWeights, ACheckpointStartsAnotherTraining) {
  const TempFolder folder;
  const Context context;
  Task task = small_task({}, folder.str());
  Trainer first(context, task);
  while (!first.finished()) first.run_epoch();
  first.save(folder / "fold-01.h5");
  task.initial_weights =
      InitialWeightsSettings{.file = folder / "fold-{fold}.h5", .map = {{"*", "selected/*"}}};
  task.settings.select = Select::kLast;
  task.settings.epochs = 1;
  task.settings.optimizer.learning_rate = 1e-30;  // moves nothing
  Trainer second(context, task);
  second.run_epoch();
  EXPECT_EQ(second.predict(task.sides.test), first.predict(task.sides.test));
  task.fold = 1;
  EXPECT_THROW(Trainer(context, task), DataError);  // there is no fold-02.h5
}

TEST(InitialWeights, ADamagedCheckpointStartsNothing) {
  const TempFolder folder;
  const Context context;
  const Task task = small_task({}, folder.str());
  Trainer first(context, task);
  first.run_epoch();
  const std::string path = folder / "checkpoint.h5";
  first.save(path);
  std::string bytes = read_text(path);
  bytes[bytes.size() - 9] ^= 1;
  std::vector<float> values(8);
  EXPECT_THAT(message_of<DataError>(
                  [&] { load_initial_weights(folder.write("damaged.h5", bytes), {}, two_blocks(), values); }),
              HasSubstr("corrupt"));
}

TEST(InitialWeights, Hdf5ArraysHaveTheirPaths) {
  const TempFolder folder;
  store::Hdf5File file = store::Hdf5File::create(folder / "w.h5");
  file.write("deep/er/w", std::vector<float>{1, 2, 3, 4, 5, 6}, Shape{2, 3});
  file.write("deep/er/b", std::vector<float>{7, 8}, Shape{2});
  file.close();
  std::vector<float> values(8);
  load_initial_weights(folder / "w.h5", {{"a.*", "deep/er/*"}}, two_blocks(), values);
  EXPECT_THAT(values, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8));
  EXPECT_THAT(message_of<ConfigError>([&] {
                load_initial_weights(folder / "w.h5", {{"a.*", "none/*"}}, two_blocks(), values);
              }),
              HasSubstr("a.w: the file has no \"none/w\"; a.b: the file has no \"none/b\""));
}

}  // namespace
}  // namespace serval::train
