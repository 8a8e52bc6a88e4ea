// Several outputs with targets of their own: against the same arithmetic in double, in the plainest way.
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serval/core/error.h"
#include "serval/train/cohort.h"
#include "serval/train/task_result.h"
#include "serval/train/trainer.h"

#include "src/train/head_targets.h"
#include "tests/corpus/corpus_fixtures.h"
#include "tests/support/devices.h"
#include "tests/train/continued.h"
#include "tests/train/training_task.h"

namespace serval::train {
namespace {

using corpus::message_of;
using corpus::TempFolder;
using testing::ElementsAre;
using testing::HasSubstr;

using Rows = std::vector<std::vector<double>>;

std::shared_ptr<Target> votes() {
  auto target = std::make_shared<Target>();
  target->name = "votes";
  target->names = {"a", "b", "c"};
  for (int r = 0; r < 24; ++r) {
    target->labels.push_back(r % 3);
    for (int c = 0; c < 3; ++c) target->rows.push_back(c == r % 3 ? 0.75f : 0.125f);
  }
  return target;
}

// Numbers that follow the class, in a unit of their own.
std::shared_ptr<Target> affect() {
  auto target = std::make_shared<Target>();
  target->name = "affect";
  target->kind = TargetKind::kNumbers;
  target->names = {"valence", "arousal"};
  for (int r = 0; r < 24; ++r) {
    target->rows.push_back(40.0f + static_cast<float>(10 * (r % 3)) + static_cast<float>(r % 5));
    target->rows.push_back(-2.0f * static_cast<float>(r % 3) + 0.25f * static_cast<float>(r % 7));
  }
  return target;
}

std::shared_ptr<Target> voice() {
  auto target = std::make_shared<Target>();
  target->name = "voice";
  target->kind = TargetKind::kOtherClasses;
  target->names = {"female", "male"};
  for (int r = 0; r < 24; ++r) target->labels.push_back(r % 3 == 0 ? 0 : 1);
  return target;
}

const folds::Normaliser kScaling{{52, -1.5f}, {0.125f, 0.8f}, {"x/1"}};

class HeadsTest : public testing_support::DeviceTest {
 protected:
  Task task() {
    Task task = small_task(device(), folder_.str());
    task.network = testing_support::network_of(R"({"layers": [{"type": "mean_pool", "name": "pooled"},
        {"type": "dense", "name": "emotion", "input": "pooled"},
        {"type": "dense", "name": "dims", "units": 2, "input": "pooled"},
        {"type": "dense", "name": "who", "units": 2, "input": "pooled"}]})");
    OutputLoss focal{.type = LossType::kFocal, .gamma = 1.5};
    task.heads = {{.output = "emotion", .target = votes(), .loss = {.label_smoothing = 0.1}},
                  {.output = "dims", .target = affect(), .scaling = kScaling, .loss = {}, .weight = 0.5},
                  {.output = "who", .target = voice(), .loss = focal, .weight = 2}};
    task.heads[1].loss.type = LossType::kConcordance;
    task.settings.optimizer = {.type = nn::OptimiserType::kSgd, .learning_rate = 0.2};
    task.settings.clip_norm = 0;
    task.settings.select = Select::kLast;
    task.settings.batch_size = 64;  // one step an epoch
    task.settings.epochs = 4;
    return task;
  }
  TempFolder folder_;
};

// Linear heads on the mean of the normalised frames, with plain gradient descent.
class Reference {
 public:
  explicit Reference(const Task& task) : task_(task) {
    const TrainingData& data = task.data();
    const std::vector<float> values = data.values.to_host();
    const folds::Normaliser& normaliser = task.first().normaliser;
    for (std::int64_t r = 0; r < 24; ++r) {
      std::vector<double>& mean = x_.emplace_back(3, 0.0);
      const std::int64_t first = data.offsets[static_cast<std::size_t>(r)];
      for (std::int64_t t = 0; t < data.frames(r); ++t) {
        for (std::size_t f = 0; f < 3; ++f) {
          const double value = static_cast<double>(values[static_cast<std::size_t>(first + t) * 3 + f]) -
                               static_cast<double>(normaliser.mean[f]);
          mean[f] += value * static_cast<double>(normaliser.scale[f]) / static_cast<double>(data.frames(r));
        }
      }
    }
    nn::Network network(Context(), *task.network, nn::sequence_sizes(3, 3, 1, 9));
    network.initialise(task.seed, 0);
    const std::vector<float> drawn = network.parameters().to_host();
    for (const nn::ParameterBlock& block : network.blocks()) {
      const auto begin = drawn.begin() + block.offset;
      (block.shape.rank() == 2 ? w_ : b_).emplace_back(begin, begin + block.shape.size());
    }
  }

  std::vector<double> output(std::size_t head, std::int64_t r) const {
    std::vector<double> y = b_[head];
    for (std::size_t k = 0; k < y.size(); ++k) {
      for (std::size_t f = 0; f < 3; ++f) y[k] += w_[head][k * 3 + f] * x_[static_cast<std::size_t>(r)][f];
    }
    return y;
  }
  static std::vector<double> softmax(const std::vector<double>& z) {
    std::vector<double> p;
    double sum = 0;
    for (const double value : z) sum += std::exp(value);
    for (const double value : z) p.push_back(std::exp(value) / sum);
    return p;
  }

  // The loss of `side` as the heads' settings say it.
  double loss(const std::vector<std::int64_t>& side) const {
    double cross_entropy = 0, focal = 0;
    for (const std::int64_t r : side) {
      const std::vector<double> p = softmax(output(0, r)), q = softmax(output(2, r));
      for (int c = 0; c < 3; ++c) {
        const double share = 0.9 * (c == r % 3 ? 0.75 : 0.125) + 0.1 / 3;
        cross_entropy -= share * std::log(p[static_cast<std::size_t>(c)]);
      }
      const double right = q[r % 3 == 0 ? 0 : 1];
      focal -= std::pow(1 - right, 1.5) * std::log(right);
    }
    const auto n = static_cast<double>(side.size());
    return cross_entropy / n + 0.5 * concordance(side) + 2 * focal / n;
  }
  double concordance(const std::vector<std::int64_t>& side) const {
    const std::shared_ptr<Target> target = affect();
    const auto n = static_cast<double>(side.size());
    double sum = 0;
    for (std::size_t k = 0; k < 2; ++k) {
      double y = 0, t = 0, yy = 0, tt = 0, yt = 0;
      for (const std::int64_t r : side) {
        const double own = output(1, r)[k];
        const double wanted = (static_cast<double>(target->rows[static_cast<std::size_t>(r) * 2 + k]) -
                               static_cast<double>(kScaling.mean[k])) *
                              static_cast<double>(kScaling.scale[k]);
        y += own / n;
        t += wanted / n;
        yy += own * own / n;
        tt += wanted * wanted / n;
        yt += own * wanted / n;
      }
      sum += 2 * (yt - y * t) / (yy - y * y + tt - t * t + (y - t) * (y - t));
    }
    return 1 - sum / 2;
  }

  void step(double rate) {
    std::vector<std::vector<double>*> all;
    for (auto* list : {&w_, &b_}) {
      for (std::vector<double>& values : *list) all.push_back(&values);
    }
    std::vector<std::vector<double>> gradients;
    for (std::vector<double>* values : all) {
      std::vector<double>& gradient = gradients.emplace_back();
      for (double& value : *values) {
        const double kept = value;
        value = kept + 1e-5;
        const double above = loss(task_.sides.train);
        value = kept - 1e-5;
        gradient.push_back((above - loss(task_.sides.train)) / 2e-5);
        value = kept;
      }
    }
    for (std::size_t i = 0; i < all.size(); ++i) {
      for (std::size_t k = 0; k < all[i]->size(); ++k) (*all[i])[k] -= rate * gradients[i][k];
    }
  }

 private:
  const Task& task_;
  Rows x_, w_, b_;
};

TEST_P(HeadsTest, LossStepsAndScoresAreThoseOfPlainArithmetic) {
  const Context context(device());
  const Task task = this->task();
  Trainer trainer(context, task);
  Reference reference(task);
  for (int epoch = 0; epoch < 4; ++epoch) {
    const double before = reference.loss(task.sides.train);
    reference.step(0.2);
    const Epoch& record = trainer.run_epoch();
    EXPECT_NEAR(record.train_loss, before, 2e-5);
    EXPECT_NEAR(record.validation_loss, reference.loss(task.sides.validation), 5e-5);
    EXPECT_NEAR(record.validation_ccc, 1 - reference.concordance(task.sides.validation), 2e-5);
  }
  const std::vector<HeadResult> heads = trainer.predict_heads(task.sides.test);
  ASSERT_EQ(heads.size(), 3u);
  EXPECT_EQ(trainer.predict(task.sides.test), heads[0].values);
  for (std::size_t i = 0; i < task.sides.test.size(); ++i) {
    const std::int64_t r = task.sides.test[i];
    const std::vector<double> emotion = Reference::softmax(reference.output(0, r));
    const std::vector<double> who = Reference::softmax(reference.output(2, r));
    for (std::size_t c = 0; c < 3; ++c) EXPECT_NEAR(heads[0].values[i][c], emotion[c], 2e-5);
    for (std::size_t c = 0; c < 2; ++c) EXPECT_NEAR(heads[2].values[i][c], who[c], 2e-5);
    for (std::size_t k = 0; k < 2; ++k) {  // in the target's unit
      const double number = reference.output(1, r)[k] / static_cast<double>(kScaling.scale[k]) +
                            static_cast<double>(kScaling.mean[k]);
      EXPECT_NEAR(heads[1].values[i][k], number, 5e-4);
    }
  }
}

// Every kind of head, in the first place and behind others, cut into segments and mixed.
std::vector<Task> kinds(const Task& base) {
  std::vector<Task> out;
  const auto add = [&](const std::function<void(Task&)>& change) {
    Task task = base;
    task.settings.optimizer = {.learning_rate = 0.05};
    task.settings.batch_size = 5;
    task.settings.epochs = 8;
    change(task);
    out.push_back(std::move(task));
  };
  add([](Task&) {});
  add([](Task& t) { t.heads[1].loss.type = LossType::kMeanSquare; });
  add([](Task& t) { std::swap(t.heads[0], t.heads[2]); });
  add([](Task& t) { t.settings.augment_batch.mixup_alpha = 0.3; });
  add([](Task& t) { t.first().items = std::make_shared<const Items>(segments_of(t.data())); });
  add([](Task& t) { t.heads.erase(t.heads.begin()); });
  add([](Task& t) { t.heads[0].loss.type = LossType::kMeanSquare; });
  add([](Task& t) {  // its loss takes labels
    auto hard = std::make_shared<Target>(*t.heads[0].target);
    hard->rows.clear();
    t.heads[0].target = hard;
    t.settings.class_weights = ClassWeights::kBalanced;
  });
  add([](Task& t) {
    t.network = testing_support::network_of(
        R"({"layers": [{"type": "lstm", "hidden": 4}, {"type": "mean_pool"}, {"type": "dense", "units": 2}]})");
    t.heads = {{.output = "", .target = affect(), .scaling = kScaling, .loss = {}}};
    t.heads[0].loss.type = LossType::kMeanSquare;
  });
  for (Task& task : out) {
    if (HeadTargets(task).class_head() < 0) task.settings.monitor = Monitor::kValidationCcc;
    task.settings.select = Select::kBestValidation;
  }
  return out;
}

std::vector<std::vector<std::vector<float>>> values_of(std::vector<HeadResult> heads) {
  std::vector<std::vector<std::vector<float>>> out;
  for (HeadResult& head : heads) out.push_back(std::move(head.values));
  return out;
}

TEST_P(HeadsTest, EachLearnsAndContinuesWithTheSameBits) {
  const Context context(device());
  const std::vector<Task> tasks = kinds(task());
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    SCOPED_TRACE(cat("kind ", i));
    const Task& task = tasks[i];
    Trainer whole(context, task);
    run_to_end(whole);
    EXPECT_LT(whole.history().back().train_loss, 0.95 * whole.history().front().train_loss);
    const auto expected = values_of(whole.predict_heads(task.sides.test));
    for (const int stop : {1, 5}) {
      const std::string path = folder_ / "checkpoint.h5";
      const auto continued = stopped_and_continued(context, task, stop, path);
      Trainer& second = *continued;
      EXPECT_EQ(values_of(second.predict_heads(task.sides.test)), expected) << "stopped after epoch " << stop;
      EXPECT_EQ(second.selected_epoch(), whole.selected_epoch());
      EXPECT_EQ(second.history().front().validation_ccc, whole.history().front().validation_ccc);
    }
  }
}

TEST_P(HeadsTest, ACohortGivesEachTheBitsItHasAloneAndKeepsThem) {
  std::vector<Task> tasks = kinds(task());
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    tasks[i].folder = folder_ / ("together" + std::to_string(i));
    if (tasks[i].heads.front().output.empty()) tasks[i].heads.front().output = "layer2";
  }
  const std::vector<TaskResult> together = run_cohort(tasks, {device(), 3});
  const std::vector<TaskResult> read = run_cohort(tasks, {device(), 3});  // of the finished tasks' files
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    Task alone = tasks[i];
    alone.folder = folder_ / ("alone" + std::to_string(i));
    const TaskResult own = run_cohort({alone}, {device(), 1}).front();
    EXPECT_EQ(own.probabilities, together[i].probabilities);
    EXPECT_EQ(own.probabilities.empty(), HeadTargets(alone).class_head() < 0);
    EXPECT_EQ(values_of(own.heads), values_of(together[i].heads));
    EXPECT_EQ(values_of(own.heads), values_of(read[i].heads));
    EXPECT_EQ(read[i].heads.front().output, together[i].heads.front().output);
    EXPECT_EQ(read[i].history.back().validation_ccc, own.history.back().validation_ccc);
    EXPECT_EQ(std::isnan(read[i].history.front().validation_uar),
              std::isnan(own.history.front().validation_uar));
  }
}

TEST_P(HeadsTest, TheEpochWithTheBestCccIsTested) {
  const Context context(device());
  Task task = this->task();
  task.settings.select = Select::kBestValidation;
  task.settings.monitor = Monitor::kValidationCcc;
  task.settings.optimizer.learning_rate = 2;  // so that it does not get better all the time
  task.settings.epochs = 12;
  Trainer trainer(context, task);
  run_to_end(trainer);
  double best = -2;
  for (const Epoch& epoch : trainer.history()) best = std::max(best, epoch.validation_ccc);
  const auto selected = static_cast<std::size_t>(trainer.selected_epoch() - 1);
  EXPECT_EQ(trainer.history()[selected].validation_ccc, best);
  const HeadScores scores = score_head(*task.heads[1].target, task.sides.validation,
                                       trainer.predict_heads(task.sides.validation)[1].values);
  EXPECT_DOUBLE_EQ((scores.numbers[0].ccc + scores.numbers[1].ccc) / 2, best);
}

TEST_P(HeadsTest, AResultHasTheScoresOfItsHeads) {
  const Task task = this->task();
  const TaskResult result = run_cohort({task}, {device(), 1}).front();
  const JsonValue json = parse_json_file(folder_ / "result.json");
  const JsonValue& heads = *json.find("heads");
  ASSERT_EQ(heads.members.size(), 2u);  // the class head's scores are `probabilities`
  const HeadScores dims = score_head(*task.heads[1].target, task.sides.test, result.heads[0].values);
  const JsonValue& scores = *heads.find("dims")->find("scores");
  EXPECT_EQ(scores.find("valence")->find("ccc")->real, dims.numbers[0].ccc);
  EXPECT_EQ(scores.find("arousal")->find("rmse")->real, dims.numbers[1].rmse);
  EXPECT_EQ(heads.find("dims")->find("target")->text, "affect");
  EXPECT_EQ(heads.find("who")->find("scores")->find("uar")->real,
            score_head(*task.heads[2].target, task.sides.test, result.heads[1].values).classes.uar);
}

TEST(HeadTargets, RowsAreThoseOfTheRecordingThatACopyIsMadeFrom) {
  Task task = small_task(Device{}, "");
  task.heads = {{.output = "a", .target = affect(), .scaling = kScaling, .loss = {}},
                {.output = "b", .target = voice(), .loss = {}},
                {.output = "c", .target = votes(), .loss = {}}};
  task.heads[0].loss.type = LossType::kMeanSquare;
  const HeadTargets targets(task);
  EXPECT_THAT(targets.widths(), ElementsAre(2, 2, 3));
  EXPECT_EQ(targets.class_head(), 2);
  EpochPlan plan;
  plan.recordings = {3, 24};
  std::vector<std::int64_t> origins(25);
  for (std::size_t i = 0; i < 25; ++i) origins[i] = static_cast<std::int64_t>(i);
  origins[24] = 1;  // a copy
  targets.fill(plan, origins);
  EXPECT_THAT(plan.targets[0], ElementsAre((43 - 52) * 0.125f, (0.75f + 1.5f) * 0.8f, (51 - 52) * 0.125f,
                                           (-1.75f + 1.5f) * 0.8f));
  EXPECT_THAT(plan.targets[1], ElementsAre(1, 0, 0, 1));
  EXPECT_THAT(plan.targets[2], ElementsAre(0.75f, 0.125f, 0.125f, 0.125f, 0.75f, 0.125f));
}

// Soft labels that are hard ones are those labels, but for rounding.
TEST_P(HeadsTest, SoftLabelsContainHardOnes) {
  const Context context(device());
  Task hard = small_task(device(), folder_.str());
  Task soft = hard;
  auto target = votes();
  for (float& share : target->rows) share = share > 0.5f ? 1.0f : 0.0f;
  soft.heads = {{.output = "", .target = target, .loss = {}}};
  Trainer one(context, hard), other(context, soft);
  for (int e = 0; e < 3; ++e) {
    EXPECT_NEAR(one.run_epoch().train_loss, other.run_epoch().train_loss, 1e-4);
    EXPECT_NEAR(one.history().back().validation_loss, other.history().back().validation_loss, 1e-4);
  }
}

TEST_P(HeadsTest, OutputsThatDoNotFitTheirTargetsAreNamed) {
  const Context context(device());
  const auto error_of = [&](const std::function<void(Task&)>& change) {
    Task task = this->task();
    change(task);
    return message_of<ConfigError>([&] { Trainer trainer(context, task); });
  };
  EXPECT_THAT(error_of([](Task& t) { t.heads[1].output = "emotion"; }),
              HasSubstr("model m: heads.emotion: outputs[0] (emotion) gives [3], but target \"affect\" has 2 "
                        "numbers: valence, arousal"));
  EXPECT_THAT(error_of([](Task& t) { t.heads[2].output = "pooled"; }),
              HasSubstr("gives [3], but target \"voice\" has 2 classes: female, male"));
  EXPECT_THAT(error_of([](Task& t) { t.heads[0].output = "who"; }), HasSubstr("but there are 3 classes"));
  EXPECT_THAT(error_of([](Task& t) { t.heads[1].output = "nowhere"; }), HasSubstr("reads \"nowhere\""));
}

SERVAL_DEVICE_TESTS(HeadsTest);

}  // namespace
}  // namespace serval::train
