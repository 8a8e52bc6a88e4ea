// Loops over rows of numbers: what a convolution writes, batch norm, the slope of an activation. Part of cpu_kernels.inc.h.

inline Vec positive(Vec x) { return x < broadcast(0.0f) ? broadcast(0.0f) : x; }  // a NaN stays one

struct NormVecs {
  Vec center, scale, shift;
};
template <bool kRelu>
inline Vec normed(const NormVecs& of, Vec x) {
  const Vec value = (x - of.center) * of.scale + of.shift;
  return kRelu ? positive(value) : value;
}

template <bool kNorm, bool kRelu>
inline Vec result_of(const NormVecs& of, Vec bias, Vec value) {
  value = value + bias;
  if (kNorm) return normed<kRelu>(of, value);
  return kRelu ? positive(value) : value;
}
template <bool kNorm, bool kRelu>
void write_rows(const ResultRows& args) {
  NormVecs of = {broadcast(0.0f), broadcast(1.0f), broadcast(0.0f)};
  for (std::int64_t r = 0; r < args.rows; ++r) {
    const Vec bias = broadcast(args.bias == nullptr ? 0.0f : args.bias[r]);
    if (kNorm) of = {broadcast(args.center[r]), broadcast(args.scale[r]), broadcast(args.shift[r])};
    for (std::int64_t i = 0; i < args.run_count; ++i) {
      const ResultRun& run = args.runs[i];
      const float* from = args.c + r * args.ldc + run.from;
      float* to = args.y + r * args.row_step + run.to;
      std::int64_t k = 0;
      for (; k < run.count && k + kLanes <= run.room; k += kLanes)
        store(to + k, result_of<kNorm, kRelu>(of, bias, load(from + k)));
      if (k < run.count) store_some(to + k, result_of<kNorm, kRelu>(of, bias, load(from + k)), run.count - k);
    }
  }
}
void write_results(const ResultRows& args) {
  if (args.center != nullptr) {
    if (args.relu) {
      write_rows<true, true>(args);
    } else {
      write_rows<true, false>(args);
    }
  } else if (args.relu) {
    write_rows<false, true>(args);
  } else {
    write_rows<false, false>(args);
  }
}

template <bool kRelu>
inline void norm_row_of(const NormRow& row) {
  const NormVecs of = {broadcast(row.center), broadcast(row.scale), broadcast(row.shift)};
  std::int64_t i = 0;
  for (; i + kLanes <= row.count; i += kLanes) store(row.y + i, normed<kRelu>(of, load(row.x + i)));
  const std::int64_t left = row.count - i;
  if (left > 0) store_some(row.y + i, normed<kRelu>(of, load_some(row.x + i, left)), left);
}
void norm_row(const NormRow& row) {
  if (row.relu) {
    norm_row_of<true>(row);
  } else {
    norm_row_of<false>(row);
  }
}

constexpr int kWideLanes = kLanes / 2;
constexpr int kWides = 8 / kWideLanes;  // for eight numbers
typedef double Wide __attribute__((vector_size(8 * kWideLanes)));
typedef double LooseWide __attribute__((vector_size(8 * kWideLanes), aligned(8), may_alias));
typedef float LooseHalf __attribute__((vector_size(4 * kWideLanes), aligned(4), may_alias));
inline Wide load_wide(const float* from) {
  return __builtin_convertvector(*reinterpret_cast<const LooseHalf*>(from), Wide);
}

void add_product_sums(std::int64_t count, const float* u, const float* v, ProductSums* sums) {
  Wide plain[kWides];
  Wide product[kWides];
  for (int w = 0; w < kWides; ++w) {
    plain[w] = *reinterpret_cast<LooseWide*>(sums->plain + w * kWideLanes);
    product[w] = *reinterpret_cast<LooseWide*>(sums->product + w * kWideLanes);
  }
  std::int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    for (int w = 0; w < kWides; ++w) {
      const Wide value = load_wide(u + i + w * kWideLanes);
      plain[w] = plain[w] + value;
      product[w] = product[w] + value * load_wide(v + i + w * kWideLanes);
    }
  }
  for (int w = 0; w < kWides; ++w) {
    *reinterpret_cast<LooseWide*>(sums->plain + w * kWideLanes) = plain[w];
    *reinterpret_cast<LooseWide*>(sums->product + w * kWideLanes) = product[w];
  }
  for (; i < count; ++i) {
    const auto value = static_cast<double>(u[i]);
    sums->plain[8] += value;
    sums->product[8] += value * static_cast<double>(v[i]);
  }
}

struct NormGradientVecs {
  Vec center, scale, mean_dz, mean_dz_x;
};
inline Vec norm_gradient(const NormGradientVecs& of, Vec dz, Vec x) {
  return of.scale * (dz - of.mean_dz - (x - of.center) * of.mean_dz_x);
}
void norm_gradient_row(const NormGradientRow& row) {
  const NormGradientVecs of = {broadcast(row.center), broadcast(row.scale), broadcast(row.mean_dz),
                               broadcast(row.mean_dz_x)};
  std::int64_t i = 0;
  for (; i + kLanes <= row.count; i += kLanes)
    store(row.dx + i, norm_gradient(of, load(row.dz + i), load(row.x + i)));
  const std::int64_t left = row.count - i;
  if (left > 0)
    store_some(row.dx + i, norm_gradient(of, load_some(row.dz + i, left), load_some(row.x + i, left)), left);
}

inline Vec relu_slope(Vec y) { return y > broadcast(0.0f) ? broadcast(1.0f) : broadcast(0.0f); }
void relu_gradient(std::int64_t count, const float* y, float* dy) {
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store(dy + i, load(dy + i) * relu_slope(load(y + i)));
  const std::int64_t left = count - i;
  if (left > 0) store_some(dy + i, load_some(dy + i, left) * relu_slope(load_some(y + i, left)), left);
}
