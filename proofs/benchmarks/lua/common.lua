-- What every load has in common. wrk runs one Lua state for each thread, and each thread here has one connection:
-- so `mine`, the thread's own share of the customers, is the connection's own, and no two write to one cart.
local threads_made = 0

function setup(thread)
  threads_made = threads_made + 1
  thread:set("number", threads_made)
  all_threads = all_threads or {}
  table.insert(all_threads, thread)
end

served, left_over = 0, 0
mine = {}
turn = 0

function read_pool(arguments)
  local threads = tonumber(arguments[2])
  local place = 0
  for row in io.lines(arguments[1]) do
    place = place + 1
    if place % threads == number % threads then
      local token, item, book = row:match("(%S+) (%S+) (%S+)")
      mine[#mine + 1] = {
        headers = { ["Authorization"] = "Bearer " .. token, ["Content-Type"] = "application/json" },
        item = item, book = book,
      }
    end
  end
end

function next_customer()
  turn = turn % #mine + 1
  return mine[turn]
end

function done(summary, latency, requests)
  local slowest, sum, leftovers = nil, 0, 0
  for _, thread in ipairs(all_threads) do
    local count = thread:get("served")
    sum, leftovers = sum + count, leftovers + thread:get("left_over")
    if slowest == nil or count < slowest then slowest = count end
  end
  local e = summary.errors
  io.write(string.format(
    'RESULT {"requests": %d, "microseconds": %d, "p50": %d, "p99": %d, "max": %d, "failed": %d, "slowest": %.4f}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), latency.max,
    e.connect + e.read + e.write + e.status + e.timeout - leftovers, sum > 0 and slowest * #all_threads / sum or 0))
end
