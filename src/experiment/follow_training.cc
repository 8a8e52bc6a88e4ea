#include "follow_training.h"

#include <chrono>
#include <memory>

#include "serval/report/tensorboard.h"

namespace serval::experiment {

namespace {

report::ScalarEvent event_of(const train::Epoch& epoch, bool validates, double wall_s) {
  report::ScalarEvent event{wall_s, epoch.epoch, {{"train/loss", epoch.train_loss}}};
  if (validates) {
    event.scalars.push_back({"validation/loss", epoch.validation_loss});
    event.scalars.push_back({"validation/uar", epoch.validation_uar});
    event.scalars.push_back({"validation/ccc", epoch.validation_ccc});
  }
  event.scalars.push_back({"learning_rate", epoch.learning_rate});
  return event;
}

double now_s() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

train::MakeFollower write_event_files() {
  return [](const train::Task& task, const std::vector<train::Epoch>& before) -> train::Follower {
    const bool validates = !task.sides.validation.empty();
    // Epochs from before an interruption stand as if there had been none: one after the other, up to now.
    std::vector<report::ScalarEvent> events;
    double wall_s = now_s();
    for (const train::Epoch& epoch : before) wall_s -= epoch.seconds;
    for (const train::Epoch& epoch : before) {
      wall_s += epoch.seconds;
      events.push_back(event_of(epoch, validates, wall_s));
    }
    const auto file = std::make_shared<report::EventFile>(task.folder, events);
    return [file, validates](const train::Epoch& epoch) { file->add(event_of(epoch, validates, now_s())); };
  };
}

}  // namespace serval::experiment
