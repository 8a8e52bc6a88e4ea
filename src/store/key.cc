#include "serval/core/error.h"
#include "serval/core/hash.h"
#include "serval/store/store.h"

namespace serval::store {

const char* to_string(StoreKind kind) { return kind == StoreKind::kAudio ? "audio" : "features"; }

StoreKey audio_key(int stage_version, const std::string& settings, std::span<const Source> sources) {
  Hasher hasher;
  hasher.text("audio")
      .integer(stage_version)
      .text(settings)
      .integer(static_cast<std::int64_t>(sources.size()));
  for (const Source& source : sources) {
    SERVAL_CHECK(!source.content_hash.empty(), source.id, " has no content hash");
    hasher.text(source.id).text(source.content_hash);
  }
  return {StoreKind::kAudio, hasher.hex()};
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
