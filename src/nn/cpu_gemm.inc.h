// Matrix product on vectors. Part of cpu_kernels.inc.h.
//
// op(B) is packed into panels kColumns wide, so that the inner loop reads it in order; op(A) is packed too
// where its rows are not contiguous. A tile of kRows x kColumns sums stays in registers.

constexpr std::int64_t kColumns = 2 * kLanes;
static_assert(kRows <= 12, "tile() has pointers for twelve rows");
static_assert(kColumns <= kGemmPanel && kGemmPanel % kColumns == 0);
static_assert(kGemmRowBlock % kRows == 0 && kGemmColumnBlock % kGemmPanel == 0);

inline std::int64_t smaller(std::int64_t a, std::int64_t b) { return a < b ? a : b; }
inline std::int64_t round_up(std::int64_t value, std::int64_t step) {
  return (value + step - 1) / step * step;
}

// Where a tile's sums go.
struct Target {
  float* c;
  std::int64_t ldc;
  std::int64_t columns;  // at most kColumns
  float alpha;
  float beta;  // 0: C is not read
};

inline void finish_row(const Target& target, std::int64_t row, Vec low, Vec high) {
  float* c = target.c + row * target.ldc;
  const Vec alpha = broadcast(target.alpha);
  const Vec beta = broadcast(target.beta);
  low = alpha * low;
  high = alpha * high;
  if (target.columns == kColumns) {
    if (target.beta != 0) {
      low = low + beta * load(c);
      high = high + beta * load(c + kLanes);
    }
    store(c, low);
    store(c + kLanes, high);
    return;
  }
  float sums[kColumns];
  store(sums, low);
  store(sums + kLanes, high);
  for (std::int64_t j = 0; j < target.columns; ++j) {
    c[j] = target.beta != 0 ? sums[j] + target.beta * c[j] : sums[j];
  }
}

// R rows of op(A) times one panel. Element p of row r is a[r * row_step + p * depth_step], reached from one
// pointer for every four rows, so that the addresses stay in registers too.
template <int R>
void tile(std::int64_t depth, const float* a, std::int64_t row_step, std::int64_t depth_step,
          const float* panel, const Target& target) {
  Vec low[R];
  Vec high[R];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) low[r] = high[r] = broadcast(0.0f);
  const float* quad0 = a;
  const float* quad1 = a + 4 * row_step;
  const float* quad2 = a + 8 * row_step;
  for (std::int64_t p = 0; p < depth; ++p) {
    const Vec b_low = load(panel);
    const Vec b_high = load(panel + kLanes);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      const float* quad = r < 4 ? quad0 : r < 8 ? quad1 : quad2;
      const Vec value = broadcast(quad[(r % 4) * row_step]);
      low[r] = fused(value, b_low, low[r]);
      high[r] = fused(value, b_high, high[r]);
    }
    quad0 += depth_step;
    quad1 += depth_step;
    quad2 += depth_step;
    panel += kColumns;
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) finish_row(target, r, low[r], high[r]);
}

// The last tile of a block may have fewer rows.
template <int R = kRows>
inline void tile_of(std::int64_t rows, std::int64_t depth, const float* a, std::int64_t row_step,
                    std::int64_t depth_step, const float* panel, const Target& target) {
  if (rows == R) {
    tile<R>(depth, a, row_step, depth_step, panel, target);
  } else if constexpr (R > 1) {
    tile_of<R - 1>(rows, depth, a, row_step, depth_step, panel, target);
  }
}

// op(B)[p0 .. p0 + depth, j0 .. j0 + columns] into panels, the last one filled up with zeros.
void pack_columns(const GemmArgs& args, std::int64_t p0, std::int64_t depth, std::int64_t j0,
                  std::int64_t columns, float* packed) {
  const bool transposed = args.transpose_b == Transpose::kYes;
  const std::int64_t step_p = transposed ? 1 : args.ldb;
  const std::int64_t step_j = transposed ? args.ldb : 1;
  for (std::int64_t j = 0; j < columns; j += kColumns, packed += depth * kColumns) {
    const float* from = args.b + p0 * step_p + (j0 + j) * step_j;
    const std::int64_t width = smaller(kColumns, columns - j);
    if (!transposed && width == kColumns) {
      for (std::int64_t p = 0; p < depth; ++p) {
        store(packed + p * kColumns, load(from + p * step_p));
        store(packed + p * kColumns + kLanes, load(from + p * step_p + kLanes));
      }
      continue;
    }
    // A few rows at a time, which stay in the first cache.
    constexpr std::int64_t kFew = 16;
    for (std::int64_t few = 0; few < depth; few += kFew) {
      const std::int64_t end = smaller(few + kFew, depth);
      for (std::int64_t q = 0; q < width; ++q) {
        for (std::int64_t p = few; p < end; ++p) packed[p * kColumns + q] = from[p * step_p + q * step_j];
      }
    }
    for (std::int64_t q = width; q < kColumns; ++q) {
      for (std::int64_t p = 0; p < depth; ++p) packed[p * kColumns + q] = 0;
    }
  }
}

// Adds one depth block's share to the columns from j0 of C. A panel stays in the first cache for all rows.
void multiply_block(const GemmArgs& args, std::int64_t p0, std::int64_t depth, std::int64_t j0,
                    std::int64_t columns, const float* packed, float* a_scratch) {
  const bool transposed = args.transpose_a == Transpose::kYes;
  const float beta = p0 == 0 ? args.beta : 1.0f;
  for (std::int64_t i0 = 0; i0 < args.m; i0 += kGemmRowBlock) {
    const std::int64_t rows = smaller(kGemmRowBlock, args.m - i0);
    const float* a = args.a + i0 * args.lda + p0;
    std::int64_t row_step = args.lda;
    std::int64_t depth_step = 1;
    if (transposed) {  // op(A)[i, p] = a[p, i]: a block of it, as [depth, rows]
      for (std::int64_t p = 0; p < depth; ++p) {
        const float* from = args.a + (p0 + p) * args.lda + i0;
        for (std::int64_t i = 0; i < rows; ++i) a_scratch[p * kGemmRowBlock + i] = from[i];
      }
      a = a_scratch;
      row_step = 1;
      depth_step = kGemmRowBlock;
    }
    for (std::int64_t j = 0; j < columns; j += kColumns) {
      const float* panel = packed + j * depth;
      for (std::int64_t i = 0; i < rows; i += kRows) {
        const Target target{args.c + (i0 + i) * args.ldc + j0 + j, args.ldc, smaller(kColumns, columns - j),
                            args.alpha, beta};
        tile_of(smaller(kRows, rows - i), depth, a + i * row_step, row_step, depth_step, panel, target);
      }
    }
  }
}

void scale_only(const GemmArgs& args) {  // k = 0: there is nothing to add
  for (std::int64_t i = 0; i < args.m; ++i) {
    for (std::int64_t j = 0; j < args.n; ++j) {
      float& c = args.c[i * args.ldc + j];
      c = args.beta != 0 ? args.beta * c : 0;
    }
  }
}

void gemm(const GemmArgs& args, float* scratch) {
  if (args.k == 0) scale_only(args);
  float* b_scratch = scratch + kGemmDepth * kGemmRowBlock;
  for (std::int64_t p0 = 0; p0 < args.k; p0 += kGemmDepth) {
    const std::int64_t depth = smaller(kGemmDepth, args.k - p0);
    for (std::int64_t j0 = 0; j0 < args.n; j0 += kGemmColumnBlock) {
      const std::int64_t columns = smaller(kGemmColumnBlock, args.n - j0);
      pack_columns(args, p0, depth, j0, columns, b_scratch);
      multiply_block(args, p0, depth, j0, columns, b_scratch, scratch);
    }
  }
}

void pack_b(const GemmArgs& args, float* packed) {
  for (std::int64_t p0 = 0; p0 < args.k; p0 += kGemmDepth) {
    const std::int64_t depth = smaller(kGemmDepth, args.k - p0);
    pack_columns(args, p0, depth, 0, args.n, packed);
    packed += depth * round_up(args.n, kColumns);
  }
}

void gemm_packed(const GemmArgs& args, const float* packed, float* scratch) {
  if (args.k == 0) scale_only(args);
  for (std::int64_t p0 = 0; p0 < args.k; p0 += kGemmDepth) {
    const std::int64_t depth = smaller(kGemmDepth, args.k - p0);
    multiply_block(args, p0, depth, 0, args.n, packed, scratch);
    packed += depth * round_up(args.n, kColumns);
  }
}
