#include "tests/cli/programs.h"

namespace serval {

const char* const kProgram = SERVAL_PROGRAM;
const char* const kServeLoadProgram = SERVAL_SERVE_LOAD;

}  // namespace serval
