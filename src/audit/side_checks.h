// Checks of the plan: who is on which side.
#pragma once

#include <vector>

#include "serval/audit/audit.h"

namespace serval::audit {

using Folds = std::vector<folds::Fold>;

Check check_actors(const corpus::Manifest& manifest, const Folds& folds,
                   const folds::ProtocolSettings& protocol);
Check check_validation_actors(const corpus::Manifest& manifest, const Folds& folds,
                              const folds::ProtocolSettings& protocol);
Check check_recordings(const corpus::Manifest& manifest, const Folds& folds,
                       const folds::ProtocolSettings& protocol);
Check check_tested_once(const corpus::Manifest& manifest, const Folds& folds);
Check check_sentences(const corpus::Manifest& manifest, const Folds& folds);
Check check_derived(const corpus::Manifest& manifest, const Folds& folds,
                    const folds::ProtocolSettings& protocol);
Check check_identical_audio(const corpus::Manifest& manifest, const Folds& folds,
                            const std::vector<std::string>& hashes, const folds::ProtocolSettings& protocol);
Check check_near_duplicates(const corpus::Manifest& manifest, const Folds& folds,
                            const std::vector<NearDuplicate>& pairs, const folds::ProtocolSettings& protocol);
Check check_copies(const corpus::Manifest& manifest, const Folds& folds,
                   const std::vector<TrainingSources>& copied, const folds::ProtocolSettings& protocol);

}  // namespace serval::audit
