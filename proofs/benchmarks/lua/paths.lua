-- The paths of a file, one after the other, without a token. Each connection begins elsewhere in it.
package.path = debug.getinfo(1, "S").source:match("@(.*/)") .. "?.lua;" .. package.path
require("common")

local requests = {}

function init(arguments)
  for path in io.lines(arguments[1]) do
    requests[#requests + 1] = wrk.format("GET", path)
  end
  turn = math.floor(#requests * number / tonumber(arguments[2]))
end

function request()
  turn = turn % #requests + 1
  served = served + 1
  return requests[turn]
end
