// Tables that people write: a manifest.
#include "serval/core/csv.h"
#include "serval/corpus/manifest_csv.h"

#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace serval;
  const std::string text = fuzz::text_of(data, size);
  fuzz::survives([&] {
    const CsvTable table = parse_csv(text, "fuzz.csv");
    for (const CsvRow& row : table.rows)
      fuzz::need(row.fields.size() == table.columns.size(), "rows are as long as the header");
  });
  const std::string path = fuzz::file_of("manifest.csv", text);
  fuzz::survives([&] { (void)corpus::read_manifest_csv(path); });
  return 0;
}
