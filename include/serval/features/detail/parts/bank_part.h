// Columns from mel bands: the bands themselves, or their cosine transform. Both devices have a body of their own
// for it, since nearly all experiments spend their time here.
#pragma once

namespace serval::features::detail {

struct BankPart {
  static constexpr bool kFrame = false;
  static constexpr bool kClip = false;
  bool cosine = false;  // tables: [n_static, n_mels], the cosine transform times the lifter
};

}  // namespace serval::features::detail
