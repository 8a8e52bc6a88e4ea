// Whom weights have heard, in the file that holds them: so that whoever starts from them later can be held to it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "serval/store/hdf5.h"
#include "serval/train/task.h"

namespace serval::train {

// Adds the recordings of a plan to those that are noted; a copy's number stands for origins[number].
void note_recordings(std::vector<std::int64_t>& noted, const std::vector<std::int64_t>& recordings,
                     std::span<const std::int64_t> origins);

// As datasets under "lineage", with the actors of the task's training and validation sides, each with those of the weights
// before them, and the protocol's leaks.
void write_lineage(store::Hdf5File& file, const Task& task, const Lineage& lineage);
Lineage read_lineage(const store::Hdf5File& file);

struct HeardActors {
  std::vector<std::string> trained, chosen;
};
// The actors that the weights of a file have heard, a checkpoint or a bundle's; none where it does not tell, as files of
// other programs.
std::optional<HeardActors> actors_heard_by(const std::string& path);

}  // namespace serval::train
