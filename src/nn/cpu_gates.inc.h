// Sigmoid, tanh and the LSTM cell on vectors. Part of cpu_kernels.inc.h.

// exp(y) = scale * (1 + rest), for |y| <= 87. A NaN stays one.
struct ScaledExp {
  Vec scale;
  Vec rest;
};
inline ScaledExp scaled_exp(Vec y) {
  // y = n ln 2 + r with |r| <= ln(2)/2. Adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits.
  const Vec shift = broadcast(12582912.0f);
  const Vec shifted = fused(y, broadcast(1.44269504088896341f), shift);
  const Vec n = shifted - shift;
  Vec r = fused(n, broadcast(-0.693359375f), y);
  r = fused(n, broadcast(2.12194440054690583e-4f), r);
  // exp(r) - 1 by its series; the first term left out is below 5e-9.
  Vec p = broadcast(1.0f / 5040);
  p = fused(p, r, broadcast(1.0f / 720));
  p = fused(p, r, broadcast(1.0f / 120));
  p = fused(p, r, broadcast(1.0f / 24));
  p = fused(p, r, broadcast(1.0f / 6));
  p = fused(p, r, broadcast(0.5f));
  p = fused(p * r, r, r);
  const VecInt exponent = reinterpret_cast<VecInt>(shifted) - reinterpret_cast<VecInt>(shift);
  const VecInt bits = (exponent + broadcast_int(127)) << broadcast_int(23);
  return {reinterpret_cast<Vec>(bits), p};
}

inline Vec sigmoid(Vec x) {
  const Vec limit = broadcast(87.0f);
  Vec y = -x;
  y = y > limit ? limit : y;
  y = y < -limit ? -limit : y;
  const ScaledExp e = scaled_exp(y);
  const Vec one = broadcast(1.0f);
  return one / (one + fused(e.scale, e.rest, e.scale));
}

// tanh |x| = -m / (2 + m) with m = exp(-2|x|) - 1, which keeps the relative error small near 0.
inline Vec tanh(Vec x) {
  const VecInt sign = reinterpret_cast<VecInt>(x) & broadcast_int(INT32_MIN);
  Vec y = reinterpret_cast<Vec>(reinterpret_cast<VecInt>(x) & broadcast_int(INT32_MAX)) * broadcast(-2.0f);
  y = y < broadcast(-40.0f) ? broadcast(-40.0f) : y;
  const ScaledExp e = scaled_exp(y);
  const Vec m = fused(e.scale, e.rest, e.scale - broadcast(1.0f));
  const Vec size = -m / (broadcast(2.0f) + m);
  return reinterpret_cast<Vec>((reinterpret_cast<VecInt>(size) & broadcast_int(INT32_MAX)) | sign);
}

template <Vec (*function)(Vec)>
inline void apply(std::int64_t count, float* values) {
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store(values + i, function(load(values + i)));
  if (i < count) store_some(values + i, function(load_some(values + i, count - i)), count - i);
}
void apply_sigmoid(std::int64_t count, float* values) { apply<sigmoid>(count, values); }
void apply_tanh(std::int64_t count, float* values) { apply<tanh>(count, values); }

// How a piece of a row is read and written: whole vectors, then what is left.
struct Whole {
  Vec read(const float* from) const { return load(from); }
  void write(float* to, Vec value) const { store(to, value); }
};
struct Rest {
  std::int64_t count;
  Vec read(const float* from) const { return load_some(from, count); }
  void write(float* to, Vec value) const { store_some(to, value, count); }
};

template <class Piece>
inline void cell_forward_at(const LstmCellForward& a, std::int64_t j, Piece piece) {
  const std::int64_t hidden = a.hidden;
  float* gates = a.gates + j;
  const float* bias = a.bias + j;
  const Vec i = sigmoid(piece.read(gates) + piece.read(bias));
  const Vec f = sigmoid(piece.read(gates + hidden) + piece.read(bias + hidden));
  const Vec g = tanh(piece.read(gates + 2 * hidden) + piece.read(bias + 2 * hidden));
  const Vec o = sigmoid(piece.read(gates + 3 * hidden) + piece.read(bias + 3 * hidden));
  Vec c = i * g;
  if (a.c_before != nullptr) c = fused(f, piece.read(a.c_before + j), c);
  const Vec h = o * tanh(c);
  piece.write(gates, i);
  piece.write(gates + hidden, f);
  piece.write(gates + 2 * hidden, g);
  piece.write(gates + 3 * hidden, o);
  piece.write(a.c + j, c);
  piece.write(a.h + j, h);
  if (a.h_copy != nullptr) piece.write(a.h_copy + j, h);
}

void lstm_cell_forward(const LstmCellForward& a) {
  std::int64_t j = 0;
  for (; j + kLanes <= a.hidden; j += kLanes) cell_forward_at(a, j, Whole{});
  if (j < a.hidden) cell_forward_at(a, j, Rest{a.hidden - j});
}

template <class Piece>
inline void cell_backward_at(const LstmCellBackward& a, std::int64_t j, Piece piece) {
  const std::int64_t hidden = a.hidden;
  float* gates = a.gates + j;
  const Vec one = broadcast(1.0f);
  const Vec i = piece.read(gates);
  const Vec f = piece.read(gates + hidden);
  const Vec g = piece.read(gates + 2 * hidden);
  const Vec o = piece.read(gates + 3 * hidden);
  const Vec tanh_c = tanh(piece.read(a.c + j));
  const Vec dh = piece.read(a.dy + j) + piece.read(a.dh + j);
  const Vec dc = fused(dh * o, one - tanh_c * tanh_c, piece.read(a.dc + j));
  Vec df = broadcast(0.0f);
  if (a.c_before != nullptr) df = dc * piece.read(a.c_before + j) * (f * (one - f));
  piece.write(gates, dc * g * (i * (one - i)));
  piece.write(gates + hidden, df);
  piece.write(gates + 2 * hidden, dc * i * (one - g * g));
  piece.write(gates + 3 * hidden, dh * tanh_c * (o * (one - o)));
  piece.write(a.dc + j, dc * f);
}

void lstm_cell_backward(const LstmCellBackward& a) {
  std::int64_t j = 0;
  for (; j + kLanes <= a.hidden; j += kLanes) cell_backward_at(a, j, Whole{});
  if (j < a.hidden) cell_backward_at(a, j, Rest{a.hidden - j});
}
