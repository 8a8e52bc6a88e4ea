// Where this build's programs lie. One source file knows, so that the tests themselves compile to the same objects in
// every build tree, which a compiler cache then shares.
#pragma once

namespace serval {

extern const char* const kProgram;           // serval
extern const char* const kServeLoadProgram;  // the load that tools/bench/serve puts on serval serve

}  // namespace serval
