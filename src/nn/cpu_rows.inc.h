// Softmax of a row, and gelu, on vectors. Part of cpu_kernels.inc.h.

// e^y for y up to 87; from -87 down it is that of -87, which is next to nothing.
inline Vec exp_of(Vec y) {
  const Vec least = broadcast(-87.0f);
  y = y < least ? least : y;
  const ScaledExp e = scaled_exp(y);
  return fused(e.scale, e.rest, e.scale);
}

// Sums run in as many places at every level, so that AVX2 and AVX-512 round alike: element i belongs to sum i mod kSums.
constexpr int kSums = 16;
constexpr int kSumVecs = kSums / kLanes;

inline float total(const Vec* sums) {
  float parts[kSums];
  for (int i = 0; i < kSumVecs; ++i) store(parts + i * kLanes, sums[i]);
  for (int step = kSums / 2; step > 0; step /= 2) {
    for (int i = 0; i < step; ++i) parts[i] += parts[i + step];
  }
  return parts[0];
}

inline float largest_of(std::int64_t count, const float* values) {
  float largest = values[0];
  std::int64_t i = 0;
  if (count >= kLanes) {
    Vec best = load(values);
    for (i = kLanes; i + kLanes <= count; i += kLanes) {
      const Vec value = load(values + i);
      best = value > best ? value : best;
    }
    float parts[kLanes];
    store(parts, best);
    for (int lane = 0; lane < kLanes; ++lane) largest = parts[lane] > largest ? parts[lane] : largest;
  }
  for (; i < count; ++i) largest = values[i] > largest ? values[i] : largest;
  return largest;
}

void softmax_row(std::int64_t count, float* values) {
  if (count < 1) return;
  const Vec largest = broadcast(largest_of(count, values));
  Vec sums[kSumVecs];
  for (int v = 0; v < kSumVecs; ++v) sums[v] = broadcast(0.0f);
  std::int64_t i = 0;
  for (; i + kSums <= count; i += kSums) {
    for (int v = 0; v < kSumVecs; ++v) {
      float* at = values + i + v * kLanes;
      const Vec power = exp_of(load(at) - largest);
      store(at, power);
      sums[v] = sums[v] + power;
    }
  }
  float rest[kSums] = {};
  const std::int64_t left = count - i;
  for (std::int64_t j = 0; j < left; ++j) rest[j] = values[i + j];
  for (int v = 0; v < kSumVecs; ++v) store(rest + v * kLanes, exp_of(load(rest + v * kLanes) - largest));
  for (std::int64_t j = 0; j < left; ++j) values[i + j] = rest[j];
  for (std::int64_t j = left; j < kSums; ++j) rest[j] = 0;
  for (int v = 0; v < kSumVecs; ++v) sums[v] = sums[v] + load(rest + v * kLanes);
  const Vec scale = broadcast(1.0f / total(sums));
  for (i = 0; i + kLanes <= count; i += kLanes) store(values + i, load(values + i) * scale);
  if (i < count) store_some(values + i, load_some(values + i, count - i) * scale, count - i);
}

void softmax_gradient_row(std::int64_t count, const float* weights, float* gradient) {
  Vec sums[kSumVecs];
  for (int v = 0; v < kSumVecs; ++v) sums[v] = broadcast(0.0f);
  std::int64_t i = 0;
  for (; i + kSums <= count; i += kSums) {
    for (int v = 0; v < kSumVecs; ++v) {
      const std::int64_t at = i + v * kLanes;
      sums[v] = fused(load(weights + at), load(gradient + at), sums[v]);
    }
  }
  float rest_weights[kSums] = {};
  float rest_gradient[kSums] = {};
  for (std::int64_t j = 0; i + j < count; ++j) {
    rest_weights[j] = weights[i + j];
    rest_gradient[j] = gradient[i + j];
  }
  for (int v = 0; v < kSumVecs; ++v)
    sums[v] = fused(load(rest_weights + v * kLanes), load(rest_gradient + v * kLanes), sums[v]);
  const Vec sum = broadcast(total(sums));
  for (i = 0; i + kLanes <= count; i += kLanes)
    store(gradient + i, load(weights + i) * (load(gradient + i) - sum));
  if (i < count) {
    const std::int64_t left = count - i;
    store_some(gradient + i, load_some(weights + i, left) * (load_some(gradient + i, left) - sum), left);
  }
}

// Of the normal distribution at x: the share below it, and e^(-x^2 / 2).
struct NormalAt {
  Vec below;
  Vec power;
};
// The share beyond |x| is e^(-x^2 / 2) t P(t) / 2 with t = 1 / (1 + 0.46 |x| / sqrt 2). P was fitted to
// erfc(z) e^(z^2) / t, z = |x| / sqrt 2: the largest error of the share is 1.4e-8.
inline NormalAt normal_at(Vec x) {
  const Vec size = reinterpret_cast<Vec>(reinterpret_cast<VecInt>(x) & broadcast_int(INT32_MAX));
  const Vec one = broadcast(1.0f);
  const Vec t = one / fused(size, broadcast(0.46f * 0.70710678f), one);
  Vec p = broadcast(0.0896491281f);
  p = fused(p, t, broadcast(-0.452736603f));
  p = fused(p, t, broadcast(0.719746378f));
  p = fused(p, t, broadcast(-0.234676148f));
  p = fused(p, t, broadcast(0.388056442f));
  p = fused(p, t, broadcast(0.227714074f));
  p = fused(p, t, broadcast(0.262246700f));
  const Vec power = exp_of(broadcast(-0.5f) * x * x);
  const Vec beyond = broadcast(0.5f) * power * (p * t);
  return {x < broadcast(0.0f) ? beyond : one - beyond, power};
}
inline Vec gelu_at(Vec x) { return x * normal_at(x).below; }
inline Vec gelu_slope_at(Vec x) {
  const NormalAt n = normal_at(x);
  return fused(x * broadcast(0.39894228f), n.power, n.below);
}

void gelu(std::int64_t count, const float* x, float* y) {
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store(y + i, gelu_at(load(x + i)));
  if (i < count) store_some(y + i, gelu_at(load_some(x + i, count - i)), count - i);
}
void gelu_gradient(std::int64_t count, const float* x, const float* dy, float* dx) {
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store(dx + i, load(dy + i) * gelu_slope_at(load(x + i)));
  if (i >= count) return;
  const std::int64_t left = count - i;
  store_some(dx + i, load_some(dy + i, left) * gelu_slope_at(load_some(x + i, left)), left);
}
