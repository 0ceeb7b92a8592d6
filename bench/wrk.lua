-- Posts BENCH_BODY with each token of BENCH_TOKENS in turn (both from the environment, so that no
-- token stands in a process list) and ends with one line of JSON that `load.py` reads.

local prepared, turn = {}, 0

function init(args)
    for token in os.getenv("BENCH_TOKENS"):gmatch("[^,]+") do
        prepared[#prepared + 1] = wrk.format("POST", nil, {
            ["Host"] = wrk.headers["Host"],
            ["Content-Type"] = "application/json",
            ["Authorization"] = "Bearer " .. token,
        }, os.getenv("BENCH_BODY"))
    end
end

function request()
    turn = turn % #prepared + 1
    return prepared[turn]
end

function done(summary, latency, requests)
    local errors = summary.errors
    print(string.format(
        '{"requests":%d,"seconds":%.6f,"bytes":%d,"p50_ms":%.3f,"p95_ms":%.3f,"p99_ms":%.3f,'
            .. '"max_ms":%.3f,'
            .. '"errors":{"connect":%d,"read":%d,"write":%d,"timeout":%d,"status":%d}}',
        summary.requests, summary.duration / 1e6, summary.bytes,
        latency:percentile(50) / 1e3, latency:percentile(95) / 1e3, latency:percentile(99) / 1e3,
        latency.max / 1e3,
        errors.connect, errors.read, errors.write, errors.timeout, errors.status))
end
