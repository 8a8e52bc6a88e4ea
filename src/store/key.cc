#include "serval/core/error.h"
#include "serval/core/hash.h"
#include "serval/store/store.h"

namespace serval::store {

const char* to_string(StoreKind kind) { return kind == StoreKind::kAudio ? "audio" : "features"; }

AudioKeyMaker::AudioKeyMaker(int stage_version, const std::string& settings, std::size_t sources) {
  hasher_.text("audio").integer(stage_version).text(settings).integer(static_cast<std::int64_t>(sources));
}

void AudioKeyMaker::add(const std::string& id, const std::string& content_hash) {
  SERVAL_CHECK(!content_hash.empty(), id, " has no content hash");
  hasher_.text(id).text(content_hash);
}

StoreKey audio_key(int stage_version, const std::string& settings, std::span<const Source> sources) {
  AudioKeyMaker maker(stage_version, settings, sources.size());
  for (const Source& source : sources) maker.add(source.id, source.content_hash);
  return maker.key();
}

StoreKey features_key(int stage_version, const std::string& settings, const StoreKey& audio,
                      const std::string& computed_on) {
  SERVAL_CHECK(audio.kind == StoreKind::kAudio, "features of ", to_string(audio.kind));
  Hasher hasher;
  hasher.text("features").integer(stage_version).text(settings).text(audio.hash).text(computed_on);
  return {StoreKind::kFeatures, hasher.hex()};
}

std::filesystem::path store_path(const std::filesystem::path& folder, const StoreKey& key) {
  return folder / cat(to_string(key.kind), "-", key.hash, ".h5");
}

}  // namespace serval::store
