-- POST /orders/checkout: each customer once, whose cart was filled before. Enough of them for the whole run.
package.path = debug.getinfo(1, "S").source:match("@(.*/)") .. "?.lua;" .. package.path
require("common")

function init(arguments)
  read_pool(arguments)
end

function request()
  served = served + 1
  local customer = next_customer()
  return wrk.format("POST", "/orders/checkout", customer.headers, "{}")
end
