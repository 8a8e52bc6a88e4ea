// Checks of what was done: whom everything that was fitted has seen.
#pragma once

#include <vector>

#include "serval/audit/audit.h"

namespace serval::audit {

Check check_statistics(const std::vector<folds::Fold>& folds, const std::vector<Statistic>& statistics,
                       const folds::ProtocolSettings& protocol);
Check check_trained_on(const corpus::Manifest& manifest, const std::vector<folds::Fold>& folds,
                       const std::vector<ModelLineage>& models, const folds::ProtocolSettings& protocol);
Check check_chosen_by(const corpus::Manifest& manifest, const std::vector<folds::Fold>& folds,
                      const std::vector<ModelLineage>& models, const folds::ProtocolSettings& protocol);
Check check_test_scored_once(const corpus::Manifest& manifest, const std::vector<folds::Fold>& folds,
                             const std::vector<ModelLineage>& models);
Check check_initial_weights(const std::vector<folds::Fold>& folds, const std::vector<ModelLineage>& models,
                            const folds::ProtocolSettings& protocol);

}  // namespace serval::audit
