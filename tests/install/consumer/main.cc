#include <cstdio>

#include "serval/core/context.h"
#include "serval/core/hash.h"
#include "serval/evaluate/scores.h"

// Uses a room that is arithmetic alone, one that needs another library, and the table of operations.
int main() {
  const serval::evaluate::Scores scores = serval::evaluate::score({0, 0, 1, 1}, {0, 1, 1, 1}, 2);
  std::printf("uar %.2f, %zu ops, hash %s\n", scores.uar, serval::op_registry().support().size(),
              serval::Hasher().text("serval").hex().c_str());
  return scores.uar == 0.75 ? 0 : 1;
}
