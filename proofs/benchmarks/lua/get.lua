-- GET /cart, one customer of the pool after the other.
package.path = debug.getinfo(1, "S").source:match("@(.*/)") .. "?.lua;" .. package.path
require("common")

local requests = {}

function init(arguments)
  read_pool(arguments)
  for place, customer in ipairs(mine) do
    requests[place] = wrk.format("GET", "/cart", customer.headers)
  end
end

function request()
  turn = turn % #requests + 1
  served = served + 1
  return requests[turn]
end
