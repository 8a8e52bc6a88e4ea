// The names inside a store's file, shared by its writer and its reader.
#pragma once

namespace serval::store::layout {

inline constexpr int kFormat = 2;

inline constexpr const char* kData = "data";
inline constexpr const char* kOffsets = "offsets";
inline constexpr const char* kIds = "ids";
inline constexpr const char* kScale = "scale";
inline constexpr const char* kHash = "hash";
inline constexpr const char* kShards = "shards";  // of an index

inline constexpr const char* kFormatAttribute = "format";
inline constexpr const char* kKind = "kind";
inline constexpr const char* kKey = "key";
inline constexpr const char* kStageVersion = "stage_version";
inline constexpr const char* kSettings = "settings";
inline constexpr const char* kDimension = "dimension";
inline constexpr const char* kSampleRate = "sample_rate_hz";
inline constexpr const char* kComputedOn = "computed_on";
inline constexpr const char* kCreator = "creator";
inline constexpr const char* kSources = "sources";
inline constexpr const char* kSourceBegin = "source_begin";
inline constexpr const char* kSourceEnd = "source_end";

}  // namespace serval::store::layout
