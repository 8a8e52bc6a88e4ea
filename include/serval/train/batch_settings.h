// What is done to training batches, and to no others.
#pragma once

#include "serval/core/settings.h"

namespace serval::train {

// shuffled: each item once an epoch. Balanced: as many items as that, drawn with replacement, each class or corpus
// equally often (but for a remainder).
enum class Sampling { kShuffled, kClassBalanced, kCorpusBalanced };

// Stretching first, then noise, then mixup, then the masks (nn/batch_augment.h). Scores are those of the items as they are.
struct BatchAugmentSettings {
  double time_stretch = 0;  // an item takes up to 1 + time_stretch times as long, or as little
  double band_stretch =
      0;             // its bands move by a factor of up to 1 + band_stretch, or down to 1 - band_stretch
  double noise = 0;  // standard deviation, in units of normalised features
  double mixup_alpha =
      0;  // 0: none; items mix with their neighbours in the batch, shares are Beta(alpha, alpha)
  int time_masks = 0, time_width = 20;
  double time_share = 1;
  int band_masks = 0, band_width = 8;
  int bands = 0;  // 0: the features
  bool fill_mean = false;

  bool masks() const { return time_masks > 0 || band_masks > 0; }
  bool stretches() const { return time_stretch > 0 || band_stretch > 0; }
  bool enabled() const { return stretches() || noise > 0 || mixup_alpha > 0 || masks(); }
};
void describe(SettingsVisitor& v, BatchAugmentSettings& settings);

}  // namespace serval::train
