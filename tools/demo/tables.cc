#include "tools/demo/tables.h"

#include <array>
#include <cstdio>

#include "serval/core/error.h"

#include "tools/demo/style.h"

namespace serval::demo {

std::string delivery_csv() {
  std::string out = "file,pitch_semitones,level_db,words_per_minute\n";
  for (const Take& take : all_takes()) {
    const Delivery delivery = delivery_of(take);
    std::array<char, 96> line{};
    std::snprintf(line.data(), line.size(), "%s.wav,%.3f,%.2f,%.1f\n", take_name(take).c_str(),
                  delivery.pitch_semitones, delivery.level_db, delivery.words_per_minute);
    out += line.data();
  }
  return out;
}

std::string votes_csv() {
  std::string out = "file,neutral,calm,happy,sad,angry,fear,disgust,surprise\n";
  for (const Take& take : all_takes()) {
    out += take_name(take) + ".wav";
    for (const int votes : votes_of(take)) out += cat(",", votes);
    out += "\n";
  }
  return out;
}

}  // namespace serval::demo
