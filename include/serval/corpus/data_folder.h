// Where the files live that Serval brings along: corpus descriptions, fact tables.
#pragma once

#include <string>

namespace serval::corpus {

// The first of these that holds a folder `corpora`:
//   $SERVAL_DATA (which must, if it is set; otherwise ConfigError),
//   share/serval or data in a folder above the program's own,
//   data beside the sources that the program was built from.
// Throws ConfigError when there is none.
std::string data_folder();

}  // namespace serval::corpus
