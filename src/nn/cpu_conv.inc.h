// Products one side of which is not packed but read where it lies. Part of cpu_kernels.inc.h.

// Element p of row r of the left side is a[r * row_step + a_offsets[p]]. Packed in blocks of kGemmDepth, each as tiles of
// kRows rows, [tile][depth][kRows].
void pack_rows(const OffsetProduct& args, float* packed) {
  for (std::int64_t p0 = 0; p0 < args.depth; p0 += kGemmDepth) {
    const std::int64_t depth = smaller(kGemmDepth, args.depth - p0);
    for (std::int64_t i = 0; i < args.rows; i += kRows) {
      const std::int64_t rows = smaller(kRows, args.rows - i);
      for (std::int64_t r = 0; r < rows; ++r) {
        const float* from = args.a + (i + r) * args.a_row_step;
        for (std::int64_t p = 0; p < depth; ++p) packed[p * kRows + r] = from[args.a_offsets[p0 + p]];
      }
      packed += depth * kRows;
    }
  }
}

template <int R>
void offset_tile(std::int64_t depth, const float* a, const float* b, const std::int32_t* offsets, float* c,
                 std::int64_t ldc, bool add) {
  Vec low[R];
  Vec high[R];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) low[r] = high[r] = broadcast(0.0f);
  for (std::int64_t p = 0; p < depth; ++p) {
    const float* from = b + offsets[p];
    const Vec b_low = load(from);
    const Vec b_high = load(from + kLanes);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      const Vec value = broadcast(a[r]);
      low[r] = fused(value, b_low, low[r]);
      high[r] = fused(value, b_high, high[r]);
    }
    a += kRows;
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
    float* to = c + r * ldc;
    store(to, add ? load(to) + low[r] : low[r]);
    store(to + kLanes, add ? load(to + kLanes) + high[r] : high[r]);
  }
}
template <int R = kRows>
inline void offset_tile_of(std::int64_t rows, std::int64_t depth, const float* a, const float* b,
                           const std::int32_t* offsets, float* c, std::int64_t ldc, bool add) {
  if (rows == R) {
    offset_tile<R>(depth, a, b, offsets, c, ldc, add);
  } else if constexpr (R > 1) {
    offset_tile_of<R - 1>(rows, depth, a, b, offsets, c, ldc, add);
  }
}

void offset_product(const OffsetProduct& args, const float* packed) {
  for (std::int64_t p0 = 0; p0 < args.depth; p0 += kGemmDepth) {
    const std::int64_t depth = smaller(kGemmDepth, args.depth - p0);
    for (std::int64_t i0 = 0; i0 < args.rows; i0 += kGemmRowBlock) {
      const std::int64_t end = smaller(args.rows, i0 + kGemmRowBlock);
      for (std::int64_t j = 0; j < args.columns; j += kColumns) {
        for (std::int64_t i = i0; i < end; i += kRows) {
          offset_tile_of(smaller(kRows, end - i), depth, packed + i * depth, args.b + j, args.offsets + p0,
                         args.c + i * args.ldc + j, args.ldc, p0 > 0);
        }
      }
    }
    packed += depth * round_up(args.rows, kRows);
  }
}

template <int R>
void rows_tile(std::int64_t depth, const float* a, const std::int32_t* offsets, const float* panel,
               const Target& target) {
  Vec low[R];
  Vec high[R];
  const float* rows[R];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
    low[r] = high[r] = broadcast(0.0f);
    rows[r] = a + offsets[r];
  }
  for (std::int64_t p = 0; p < depth; ++p) {
    const Vec b_low = load(panel);
    const Vec b_high = load(panel + kLanes);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      const Vec value = broadcast(rows[r][p]);
      low[r] = fused(value, b_low, low[r]);
      high[r] = fused(value, b_high, high[r]);
    }
    panel += kColumns;
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) finish_row(target, r, low[r], high[r]);
}
template <int R = kRows>
inline void rows_tile_of(std::int64_t rows, std::int64_t depth, const float* a, const std::int32_t* offsets,
                         const float* panel, const Target& target) {
  if (rows == R) {
    rows_tile<R>(depth, a, offsets, panel, target);
  } else if constexpr (R > 1) {
    rows_tile_of<R - 1>(rows, depth, a, offsets, panel, target);
  }
}

void rows_product(const RowsProduct& args, const float* packed) {
  for (std::int64_t j = 0; j < args.columns; j += kColumns) {
    for (std::int64_t i = 0; i < args.rows; i += kRows) {
      const Target target{args.c + i * args.ldc + j, args.ldc, smaller(kColumns, args.columns - j), 1, 1};
      rows_tile_of(smaller(kRows, args.rows - i), args.depth, args.a, args.offsets + i,
                   packed + j * args.depth, target);
    }
  }
}
