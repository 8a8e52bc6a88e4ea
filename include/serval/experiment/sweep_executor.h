// Where a sweep's workers run. A worker is `serval sweep work DIR` wherever it is: an executor only starts some.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "serval/core/settings.h"
#include "serval/experiment/sweep.h"

namespace serval::experiment {

class Executor {
 public:
  virtual ~Executor() = default;
  // Starts workers on the sweep in this folder.
  virtual void launch(const std::string& folder) = 0;
};

struct LocalOptions {
  std::string device = "auto";
  int threads = 1;  // of all workers together
  int workers = 0;  // 0: one a GPU; on the CPU one a thread, as far as memory goes
};
// Processes of this machine; launch() returns when they have ended, and with them all that could be run. A worker that
// dies is started again. On GPUs each worker sees one of those that CUDA_VISIBLE_DEVICES shows. Throws InterruptedError,
// DiskError and DeviceError as workers do.
std::unique_ptr<Executor> local_executor(const LocalOptions& options);

// How a cluster wants its jobs: the site file.
struct SiteSettings {
  std::string partition, account, gres, time, memory;  // as sbatch takes them; "": not said
  std::int64_t cpus = 1;
  std::int64_t elements = 100;  // of an array at most; each works on trials until none is left
  std::int64_t at_once = 0;     // elements that run side by side; 0: as many as the cluster lets
  std::int64_t warning_s =
      120;  // before the time limit a worker is told, leaves its trial and is queued again
  std::string device = "auto";     // as --device has it
  std::string program;             // serval as the nodes find it; "": the one that submits
  std::string launcher;            // words before it, as in "srun apptainer exec --nv serval.sif"
  std::vector<std::string> setup;  // lines of shell before it, as in "module load cuda"
  std::vector<std::string> extra;  // options of sbatch, as in "--constraint=a100"
};
void describe(SettingsVisitor& v, SiteSettings& settings);
SiteSettings load_site(const std::string& path);  // throws ConfigError with every mistake
JsonValue site_schema();

// Jobs of Slurm: an array of workers and, after it, one job that looks for trials whose worker was lost and collects.
// launch() returns as soon as they are queued. Nothing stays behind where it was called. Scripts, the numbers of jobs and what
// they print are in the folder's `slurm`. Throws ConfigError where sbatch is missing or refuses.
std::unique_ptr<Executor> slurm_executor(const SiteSettings& site);

// Tells Slurm to end the jobs that were queued for this sweep, as far as scancel is there. How many.
int cancel_jobs(const std::string& folder);

}  // namespace serval::experiment
