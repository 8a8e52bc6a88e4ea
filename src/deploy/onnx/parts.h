// Parts of feature sets: their columns [batch, frame, column] from frames and spectra.
#pragma once

#include "serval/features/detail/plan.h"

#include "spectra.h"

namespace serval::deploy::onnx {

class PartWriter {
 public:
  PartWriter(Graph& graph, const features::detail::ExtractionPlan& plan, std::vector<Spectra>& spectra,
             Problems& problems, std::string name);

  // "" where the part has no form in ONNX.
  Name write(const features::detail::PartPlan& part);

 private:
  Name of(const features::detail::PartPlan& part, const features::detail::BankPart& body);
  Name of(const features::detail::PartPlan& part, const features::detail::EnergyPart& body);
  Name of(const features::detail::PartPlan& part, const features::detail::SpectrumPart& body);
  Name of(const features::detail::PartPlan& part, const features::detail::WaveformPart& body);
  Name of(const features::detail::PartPlan& part, const features::detail::ZcrPart& body);
  Name of(const features::detail::PartPlan& part, const features::detail::RmsPart& body);
  Name of(const features::detail::PartPlan& part, const features::detail::CentroidPart& body);
  Name of(const features::detail::PartPlan& part, const features::detail::BandwidthPart& body);
  Name of(const features::detail::PartPlan& part, const features::detail::RolloffPart& body);
  Name of(const features::detail::PartPlan& part, const features::detail::FlatnessPart& body);
  Name of(const features::detail::PartPlan& part, const features::detail::TeagerPart& body);
  Name of(const features::detail::PartPlan& part, const features::detail::ChromaPart& body);
  template <class Other>
  Name of(const features::detail::PartPlan& part, const Other& body);

  Spectra& frames(const features::detail::PartPlan& part) {
    return spectra_[static_cast<std::size_t>(part.framing)];
  }
  Name bank(int index);  // mel bands on their scale, [batch, frame, band]
  Name log_scaled(const Name& values, const features::detail::LogRule& rule, Spectra& frames);
  Name bins_of(const features::detail::PartPlan& part, int power);  // S, [batch, frame, bin]
  Name centroid(const features::detail::PartPlan& part, const features::detail::BinWeights& weights);
  Name scaled_windows(const features::detail::PartPlan& part, float scale, bool remove_dc);
  void refuse(const std::string& what);

  Graph& g_;
  const features::detail::ExtractionPlan& plan_;
  std::vector<Spectra>& spectra_;
  Problems& problems_;
  std::string name_;
  std::vector<Name> banks_;
};

}  // namespace serval::deploy::onnx
