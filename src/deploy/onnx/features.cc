#include "features.h"

#include <map>

#include "serval/core/error.h"

#include "parts.h"
#include "statistics.h"

namespace serval::deploy::onnx {

using features::detail::DeltaPlan;
using features::detail::ExtractionPlan;
using features::detail::PartPlan;
using features::detail::SheetPlan;

namespace {

// Columns of a sheet as they come, by the column that they start at.
using Pieces = std::map<int, std::pair<Name, int>>;  // name and width

Name columns_between(Graph& g, const Pieces& pieces, int first, int count) {
  std::vector<Name> parts;
  for (const auto& [at, piece] : pieces) {
    if (at < first || at >= first + count) continue;
    SERVAL_CHECK(at + piece.second <= first + count, "columns ", first, " to ", first + count,
                 " do not end with a part");
    parts.push_back(piece.first);
  }
  return join(g, parts, 2);
}

}  // namespace

Sheet write_features(Graph& g, const std::string& name, const features::FeatureSettings& settings,
                     int sample_rate_hz, const Sound& sound, Problems& problems) {
  const ExtractionPlan plan(settings, sample_rate_hz);
  std::vector<Spectra> spectra;
  spectra.reserve(plan.framings.size());
  for (const features::detail::FramePlan& framing : plan.framings) spectra.emplace_back(g, framing, sound);
  PartWriter parts(g, plan, spectra, problems, name);
  std::vector<Pieces> pieces(plan.sheets.size());
  bool whole = true;
  for (const PartPlan& part : plan.parts) {
    if (part.n_static == 0) continue;  // what others build on
    const Name columns = parts.write(part);
    whole = whole && !columns.empty();
    if (!columns.empty())
      pieces[static_cast<std::size_t>(part.sheet)][part.column] = {columns, part.n_static};
  }
  Sheet out;
  out.columns = plan.dimension;
  if (!whole) return out;
  std::vector<Name> rows;
  for (std::size_t s = 0; s < plan.sheets.size(); ++s) {
    const SheetPlan& sheet = plan.sheets[s];
    Spectra& frames = spectra[static_cast<std::size_t>(sheet.framing)];
    for (const DeltaPlan& deltas : sheet.deltas) {
      for (int order = 1; order <= deltas.orders; ++order) {
        const int from = deltas.first_column + deltas.source_order(order) * deltas.n_static;
        const Name source = columns_between(g, pieces[s], from, deltas.n_static);
        pieces[s][deltas.first_column + order * deltas.n_static] = {
            write_delta(g, deltas, order, source, frames), deltas.n_static};
      }
    }
    const Name columns = columns_between(g, pieces[s], 0, sheet.dimension);
    if (!plan.has_statistics) {
      out.values = columns;
      out.frames = frames.frames();
      out.time = frames.time();
      out.hop = frames.plan().hop;
      return out;
    }
    for (const features::Statistic& statistic : sheet.statistics)
      rows.push_back(write_statistic(g, statistic, columns, sheet.dimension, frames));
  }
  out.values = unsqueeze(g, join(g, rows, 1), {1});
  out.time = g.integers({1});
  out.frames = g.op("Expand", {out.time, g.op("Shape", {sound.lengths})});
  return out;
}

}  // namespace serval::deploy::onnx
