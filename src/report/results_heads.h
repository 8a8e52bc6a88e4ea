// What the files and pages of a run say of heads besides that of the classes.
#pragma once

#include <string>

#include "serval/core/json.h"
#include "serval/report/run_report.h"

namespace serval::report {

JsonValue heads_json(const ModelReport& model);
std::string heads_text(const ModelReport& model);  // "" for a model without such heads

}  // namespace serval::report
