# report.html's style and scripts, as texts inside the library.
find_file(SERVAL_CHART_JS chart.min.js PATHS /usr/share/javascript/chart.js NO_DEFAULT_PATH REQUIRED)
set(page_folder ${CMAKE_CURRENT_SOURCE_DIR}/src/report/page)
file(READ ${page_folder}/page.css SERVAL_PAGE_CSS)
file(READ ${page_folder}/page.js SERVAL_PAGE_JS)
file(READ ${SERVAL_CHART_JS} SERVAL_CHART_JS_TEXT)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${page_folder}/page.css ${page_folder}/page.js
  ${SERVAL_CHART_JS})
configure_file(${page_folder}/page_assets.cc.in ${PROJECT_BINARY_DIR}/page_assets.cc @ONLY)
target_sources(serval_report PRIVATE ${PROJECT_BINARY_DIR}/page_assets.cc)
