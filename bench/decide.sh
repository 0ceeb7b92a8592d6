# What bench/decide.sql measures with pgbench: sh bench/decide.sh LABEL
set -eu
log=$(mktemp -d)
trap 'rm -r "$log"' EXIT
pgbench -n -t 400 -l --log-prefix="$log/batch" -f bench/decide.pgbench "$(onevault dsn)" >"$log/summary"
sort -n -k 3,3 "$log"/batch.* | awk -v label="$1" '{ ms[NR] = $3 / 1000 }
    END { printf "%s, a batch of 50 decisions: median %.2f ms, tenth percentile %.2f ms\n", label, ms[int(NR / 2)], ms[int(NR / 10)] }'
