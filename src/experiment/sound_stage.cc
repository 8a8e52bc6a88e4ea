#include "sound_stage.h"

#include <filesystem>
#include <optional>

#include "serval/audio/quantise.h"
#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/interrupt.h"
#include "serval/core/json.h"
#include "serval/core/log.h"
#include "serval/core/parallel.h"

#include "stage_log.h"

namespace serval::experiment {

namespace {

// Raised whenever other pairs would be found than before.
constexpr std::int64_t kSoundVersion = 1;

std::vector<audit::NearDuplicate> compare(const store::Store& audio, int threads) {
  std::vector<audio::SoundPrint> prints(static_cast<std::size_t>(audio.items()));
  {
    Progress progress("listening for copies", audio.items());
    parallel_for(prints.size(), threads, [&](std::size_t i) {
      check_interrupted();
      const std::vector<float> samples = audio::samples(audio.read_audio(static_cast<std::int64_t>(i)));
      prints[i] = audio::sound_print(samples, audio.info().sample_rate_hz);
      progress.advance();
    });
  }
  return audit::find_near_duplicates(prints, threads);
}

JsonValue to_json(const store::Store& audio, const std::vector<audit::NearDuplicate>& pairs) {
  JsonValue out = JsonValue::object();
  out.set("version", JsonValue::of(kSoundVersion));
  out.set("audio", JsonValue::of(audio.info().key.hash));
  out.set("recordings", JsonValue::of(audio.items()));
  JsonValue list = JsonValue::list();
  for (const audit::NearDuplicate& pair : pairs) {
    JsonValue item = JsonValue::object();
    item.set("first", JsonValue::of(pair.first));
    item.set("second", JsonValue::of(pair.second));
    item.set("correlation", JsonValue::of(pair.correlation));
    list.items.push_back(std::move(item));
  }
  out.set("pairs", std::move(list));
  return out;
}

// None where there is no such file, or one of another version.
std::optional<std::vector<audit::NearDuplicate>> read_pairs(const std::string& path,
                                                            const store::Store& audio) {
  if (!std::filesystem::exists(path)) return std::nullopt;
  try {
    const JsonValue json = parse_json_file(path);
    if (need_member(json, "version").integer != kSoundVersion ||
        need_member(json, "audio").text != audio.info().key.hash ||
        need_member(json, "recordings").integer != audio.items())
      return std::nullopt;
    std::vector<audit::NearDuplicate> pairs;
    for (const JsonValue& item : need_member(json, "pairs").items) {
      pairs.push_back({need_member(item, "first").integer, need_member(item, "second").integer,
                       need_member(item, "correlation").real});
      const audit::NearDuplicate& pair = pairs.back();
      if (pair.first < 0 || pair.second <= pair.first || pair.second >= audio.items())
        throw DataError(cat(path, ": names the recordings ", pair.first, " and ", pair.second));
    }
    return pairs;
  } catch (const Error& error) {
    log_warning(cat(error.what(), "; it is made again"));
    return std::nullopt;
  }
}

}  // namespace

std::vector<audit::NearDuplicate> sound_stage(const store::Store& audio, const std::string& folder,
                                              int threads) {
  const double started_s = monotonic_s();
  const std::string path = cat(folder, "/alike-", audio.info().key.hash, ".json");
  if (auto pairs = read_pairs(path, audio)) {
    log_info(with_seconds(cat("sounds: ", pairs->size(), " pairs that are nearly the same, read from ", path),
                          started_s));
    return std::move(*pairs);
  }
  std::vector<audit::NearDuplicate> pairs = compare(audio, threads);
  write_atomically(path, write_json(to_json(audio, pairs)));
  log_info(with_seconds(
      cat("sounds: ", audio.items(), " recordings compared, ", pairs.size(), " pairs are nearly the same"),
      started_s));
  return pairs;
}

}  // namespace serval::experiment
