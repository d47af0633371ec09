#!/bin/bash
# Runs the recipe for Slurm on this machine: starts slurmctld and slurmd of its own on loopback (no
# system service, nothing outside FOLDER), submits a study, cancels it on the way, submits it again,
# and compares the merged results with those of one run. The daemons are gone afterwards.
#
#   S2FLUSH=PROGRAM try_slurm.sh FOLDER
set -eu
PATH=$PATH:/usr/sbin
for tool in slurmctld slurmd sbatch; do
    command -v "$tool" >/dev/null ||
        { echo "make batch-slurm: no $tool here: make deps-batch" >&2; exit 2; }
done
here=$(dirname "$0")
# shellcheck source=bench/batch/try.sh
. "$here/try.sh"
folder=$(mkdir -p "$1" && cd "$1" && pwd)
slurm=$folder/slurm

daemons=()
finish()
{
    local pid
    if [ ${#daemons[@]} -gt 0 ] && scancel --user="$(id -un)" 2>/dev/null; then
        within 15 is_empty || true
    fi
    for pid in ${daemons[@]+"${daemons[@]}"}; do
        kill "$pid" 2>/dev/null || true
    done
    for pid in ${daemons[@]+"${daemons[@]}"}; do
        wait "$pid" 2>/dev/null || true
    done
}
trap finish EXIT
trap 'exit 130' INT TERM

# give_up WHY: with the end of what the daemons and the jobs said.
give_up()
{
    echo "make batch-slurm: $*" >&2
    tail -n 5 "$slurm"/*.log "$folder"/sharded/log/*.txt >&2 2>/dev/null || true
    exit 1
}

free_port()
{
    local port
    for port in $(shuf -i 20000-29999 -n 50); do
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
    done
}

configure()
{
    local node user
    node=$(hostname -s)
    user=$(id -un)
    mkdir -p "$slurm/state" "$slurm/spool"
    cat >"$slurm/slurm.conf" <<END
ClusterName=s2flush
SlurmctldHost=$node(127.0.0.1)
SlurmctldPort=$(free_port)
SlurmdPort=$(free_port)
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/none
CredType=cred/none
StateSaveLocation=$slurm/state
SlurmdSpoolDir=$slurm/spool
SlurmctldPidFile=$slurm/slurmctld.pid
SlurmdPidFile=$slurm/slurmd.pid
SlurmctldLogFile=$slurm/slurmctld.log
SlurmdLogFile=$slurm/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=0,sched_interval=1
MpiDefault=none
ReturnToService=2
KillWait=5
NodeName=$node NodeAddr=127.0.0.1 CPUs=$(nproc)
PartitionName=all Nodes=ALL Default=YES State=UP
END
    export SLURM_CONF=$slurm/slurm.conf
}

is_idle() { sinfo -h -o %T 2>/dev/null | grep -q '^idle'; }
is_over() { [ -z "$(squeue -h -j "${1// /,}" 2>/dev/null)" ]; }
is_empty() { [ -z "$(squeue -h 2>/dev/null)" ]; }
start_daemons()
{
    slurmctld -D -f "$SLURM_CONF" >"$slurm/slurmctld.out" 2>&1 &
    daemons+=($!)
    slurmd -D -f "$SLURM_CONF" >"$slurm/slurmd.out" 2>&1 &
    daemons+=($!)
    within 30 is_idle || give_up "the node does not come up"
    echo "$(slurmctld -V): $(sinfo -h -o '%D node, %c processors, %T')"
}

start "$folder"
configure
start_daemons

jobs=$("$here/submit.sh" "$study" "$folder/sharded" "$shards" "${options[@]}")
echo "submitted: array ${jobs% *}, merge ${jobs#* }"
within 120 has_both || give_up "no shard comes to its end"
# shellcheck disable=SC2086 # two numbers
scancel $jobs
within 60 is_over "$jobs" || give_up "cancelled jobs do not end"
echo "cancelled, with $(cd "$folder/sharded" && ls -d shard-* | tr '\n' ' ')"

jobs=$("$here/submit.sh" "$study" "$folder/sharded" "$shards" "${options[@]}")
echo "submitted again: array ${jobs% *}, merge ${jobs#* }"
within 300 is_over "$jobs" || give_up "the jobs do not end"
[ -e "$folder/sharded/rows.csv" ] || give_up "the merge left no rows"
cat "$folder/sharded/log/${jobs% *}"_*.txt "$folder/sharded/log/${jobs#* }.txt" |
    grep -E 'resuming|is there already|shards'
compare "$folder/whole" "$folder/sharded"
