// From recordings to a store of what is made of each: computed on several threads while one writes.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "serval/core/log.h"
#include "serval/core/pipeline.h"
#include "serval/experiment/settings.h"
#include "serval/store/writer.h"

namespace serval::experiment {

// Consecutive sources that are computed together.
struct SourceBlock {
  std::int64_t begin = 0, end = 0;
  std::int64_t bytes = 0;  // that it holds from its start until it is written: input, output, and on the way
};

// Blocks under way, finished or not, hold this many bytes together, or one of them is alone.
inline constexpr std::int64_t kBytesUnderWay = std::int64_t{96} << 20;

// What is made of one source.
template <class Content>
struct Made {
  std::optional<Content> content;    // none: it could not be used
  std::string why;                   // then
  std::int64_t made_from_bytes = 0;  // see StoreWriter::append
};

template <class Content>
struct StoreWork {
  std::string what;  // for the progress bar: "decoding"
  int threads = 1;
  // The first block of the sources [begin, end); called in order, one thread at a time.
  std::function<SourceBlock(std::int64_t begin, std::int64_t end)> first_block;
  // One entry a source of the block. Called on several threads, `worker` is in [0, threads).
  std::function<std::vector<Made<Content>>(const SourceBlock&, int worker)> make;
};

inline store::StoreLimits store_limits(const ExperimentSettings& settings) {
  return {std::int64_t{settings.store_shard_mib} << 20};
}

inline void append(store::StoreWriter& writer, std::int64_t source, const Made<audio::QuantisedAudio>& made) {
  writer.append(source, *made.content);
}
inline void append(store::StoreWriter& writer, std::int64_t source,
                   const Made<features::FeatureMatrix>& made) {
  writer.append(source, *made.content, made.made_from_bytes);
}

// Computes what the writer lacks, writes it in order, and publishes the store. Memory is kBytesUnderWay or one
// block, whichever is more, and what StoreWriter states; neither grows with the number of recordings.
// What cannot be used is named in a warning. Throws what `make` and the writer throw, the first error in the
// recordings' order, and InterruptedError; finished shards stay, and the same call continues.
template <class Content>
void fill_store(store::StoreWriter& writer, std::int64_t sources, const StoreWork<Content>& work) {
  Progress progress(work.what, sources, writer.sources_kept());
  if (writer.sources_kept() > 0)
    log_info(
        cat(work.what, ": ", writer.sources_kept(), " of ", sources, " recordings are in the store already"));
  while (const auto gap = writer.next_gap()) {
    using Block = std::vector<Made<Content>>;
    std::int64_t at = gap->begin;
    typename Pipeline<SourceBlock, Block>::Steps steps;
    steps.next = [&]() -> std::optional<SourceBlock> {
      if (at == gap->end) return std::nullopt;
      const SourceBlock block = work.first_block(at, gap->end);
      at = block.end;
      return block;
    };
    steps.bytes_of = [](const SourceBlock& block) { return block.bytes; };
    steps.make = work.make;
    steps.take = [&](const SourceBlock& block, Block made) {
      for (std::int64_t source = block.begin; source < block.end; ++source) {
        const Made<Content>& one = made[static_cast<std::size_t>(source - block.begin)];
        if (one.content) {
          append(writer, source, one);
        } else {
          log_warning(cat("left out: ", one.why));
        }
      }
      progress.advance(block.end - block.begin);
    };
    Pipeline<SourceBlock, Block>::run({work.threads, kBytesUnderWay}, steps);
  }
  writer.finish();
}

}  // namespace serval::experiment
