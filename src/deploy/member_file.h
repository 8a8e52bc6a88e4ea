// A member of a bundle as a safetensors file.
//   float32   as trained
//   float16   what has two axes or more is rounded to the nearest half
//   int8      of what has two axes or more, each row of the first axis is q * scale, q in [-127, 127], scale = the row's
//             largest magnitude / 127: "<block>" is I8, "<block>:scale" has the rows' scales
// Vectors (biases, norms, normalisers) stay float32, as do classical models.
#pragma once

#include <string>

#include "serval/deploy/bundle.h"

namespace serval::deploy {

std::string member_bytes(const BundleMember& member, WeightForm form);

// The file's arrays, as float32 whatever they were kept as, state and lineage into `member`. Throws DataError.
void read_member_file(const SafetensorsFile& file, BundleMember& member);

}  // namespace serval::deploy
