// What report.html carries within itself.
#pragma once

namespace serval::report {

extern const char* const kPageCss;
extern const char* const kPageJs;   // src/report/page/page.js
extern const char* const kChartJs;  // Chart.js 3, MIT licence; its notice stands at its top

}  // namespace serval::report
