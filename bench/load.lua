-- Sends the bodies of a file in turn, and prints what came of it as one line of JSON.
-- Arguments: the file with one body per line, then name and value of each header.

local requests = {}
local at = 0
local started = 0

function setup(thread)
    -- Each thread starts at another place of the file.
    thread:set("offset", started)
    started = started + 1
end

function init(args)
    wrk.method = "POST"
    for i = 2, #args, 2 do
        wrk.headers[args[i]] = args[i + 1]
    end
    for line in io.lines(args[1]) do
        requests[#requests + 1] = wrk.format(nil, nil, nil, line)
    end
    at = math.floor(offset * #requests / 2) -- Two threads; see THREADS in load.py.
end

function request()
    at = at % #requests + 1
    return requests[at]
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format(
        '{"requests":%d,"microseconds":%d,"p99":%d,"refused":%d,"broken":%d}\n',
        summary.requests, summary.duration, latency:percentile(99), errors.status,
        errors.connect + errors.read + errors.write + errors.timeout))
end
