-- PUT /cart/items/{id}: another quantity each time, so that no write finds its value there already.
package.path = debug.getinfo(1, "S").source:match("@(.*/)") .. "?.lua;" .. package.path
require("common")

local requests = {}

function init(arguments)
  read_pool(arguments)
  for quantity = 1, 9 do
    for _, customer in ipairs(mine) do
      requests[#requests + 1] = wrk.format(
        "PUT", "/cart/items/" .. customer.item, customer.headers, '{"quantity": ' .. quantity .. '}')
    end
  end
end

function request()
  turn = turn % #requests + 1
  served = served + 1
  return requests[turn]
end
