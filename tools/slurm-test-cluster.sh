#!/usr/bin/env bash
# A real Slurm on this machine alone, for tests: a controller, munge and two nodes on the loopback address.
#
#   tools/slurm-test-cluster.sh start DIR         starts it; all its files are in DIR
#   tools/slurm-test-cluster.sh stop DIR          ends every process of it
#   tools/slurm-test-cluster.sh kill-node DIR N   node N (1 or 2) dies at once, with its jobs' managers
#   tools/slurm-test-cluster.sh start-node DIR N  and comes back
#   tools/slurm-test-cluster.sh why-not           prints why it cannot run here; nothing where it can
#
# Then SLURM_CONF=DIR/slurm.conf lets sbatch, squeue and the others find it. Needs root, and Debian's packages slurm-wlm
# and munge. A Slurm that is installed on this machine is left alone: ports, keys and sockets are the test cluster's own.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

PATH="$PATH:/usr/sbin:/sbin"
nodes=2

why_not() {
  local program
  for program in slurmctld slurmd sbatch scontrol munged runuser; do
    if ! command -v "$program" >/dev/null; then
      echo "$program is not installed (packages slurm-wlm and munge)"
      return
    fi
  done
  if ((EUID != 0)); then echo "a Slurm node needs root"; fi
}

# Ports that nobody listens on, from a start that depends on the folder.
free_ports() {
  local wanted="$1" port found=0
  port=$((20000 + $(cksum <<<"$folder" | cut -d ' ' -f 1) % 20000))
  while ((found < wanted)); do
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      echo "$port"
      found=$((found + 1))
    fi
    port=$((port + 1))
  done
}

write_config() {
  local ports node
  mapfile -t ports < <(free_ports $((nodes + 1)))
  cat >"$folder/slurm.conf" <<EOF
ClusterName=serval-test
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmctldPort=${ports[0]}
AuthType=auth/munge
AuthInfo=socket=$folder/munge/socket
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool-%n
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd-%n.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd-%n.log
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,batch_sched_delay=1
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
ReturnToService=2
SlurmdTimeout=10
KillWait=5
MinJobAge=600
MaxArraySize=2001
EOF
  for ((node = 1; node <= nodes; ++node)); do
    echo "NodeName=node$node NodeHostname=$(hostname -s) NodeAddr=127.0.0.1 Port=${ports[node]} CPUs=1 RealMemory=1024 State=UNKNOWN" \
      >>"$folder/slurm.conf"
  done
  echo "PartitionName=main Nodes=node[1-$nodes] Default=YES MaxTime=INFINITE State=UP" >>"$folder/slurm.conf"
}

start_munge() {
  local key="$folder/munge/key"
  mkdir -p "$folder/munge"
  head -c 128 /dev/urandom >"$key"
  chmod 600 "$key"
  chown -R munge:munge "$folder/munge"
  chmod 755 "$folder/munge"
  runuser -u munge -- munged --socket="$folder/munge/socket" --key-file="$key" --pid-file="$folder/munge/pid" \
    --log-file="$folder/munge/log" --seed-file="$folder/munge/seed"
}

start_node() { slurmd -f "$folder/slurm.conf" -N "node$1"; }

idle_nodes() { sinfo -h -N -o %T 2>/dev/null | grep -c '^idle' || true; }

start() {
  local problem second
  problem="$(why_not)"
  if [[ -n "$problem" ]]; then die "$problem" 2; fi
  # munge insists that only its user may write on the way to its files.
  mkdir -p "$folder" "$folder/state"
  chmod 755 "$folder"
  write_config
  start_munge
  slurmctld -f "$folder/slurm.conf"
  local node
  for ((node = 1; node <= nodes; ++node)); do start_node "$node"; done
  export SLURM_CONF="$folder/slurm.conf"
  for ((second = 0; second < 60; ++second)); do
    if (($(idle_nodes) == nodes)); then return; fi
    sleep 1
  done
  tail -n 20 "$folder"/*.log >&2
  stop
  die "the nodes did not come up within a minute; their logs are above"
}

# By process numbers that the daemons wrote down, and their jobs' managers by the folder in their command line.
pids_of() {
  local file="$1"
  if [[ -s "$file" ]]; then cat "$file"; fi
}
end_pid() {
  local pid="$1" signal="$2" tenth
  kill "-$signal" "$pid" 2>/dev/null || return 0
  for ((tenth = 0; tenth < 100; ++tenth)); do
    kill -0 "$pid" 2>/dev/null || return 0
    sleep 0.1
  done
  kill -KILL "$pid" 2>/dev/null || true
}

stop() {
  local file pid
  SLURM_CONF="$folder/slurm.conf" timeout 20 scancel --full --signal=KILL --state=RUNNING -u root 2>/dev/null || true
  for file in "$folder"/slurmctld.pid "$folder"/slurmd-*.pid "$folder"/munge/pid; do
    for pid in $(pids_of "$file"); do end_pid "$pid" TERM; done
  done
}

kill_node() {
  local pid
  for pid in $(pids_of "$folder/slurmd-node$1.pid"); do end_pid "$pid" KILL; done
  rm -f "$folder/slurmd-node$1.pid"
}

case "${1:-}" in
  start | stop | kill-node | start-node)
    [[ -n "${2:-}" ]] || die "which folder? see --help" 2
    folder="$(realpath -m "$2")"
    ;;
esac
case "${1:-}" in
  start) start ;;
  stop) stop ;;
  kill-node) kill_node "${3:?which node?}" ;;
  start-node) start_node "${3:?which node?}" ;;
  why-not) why_not ;;
  *) print_help ;;
esac
