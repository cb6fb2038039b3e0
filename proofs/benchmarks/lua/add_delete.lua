-- POST /cart/items, then DELETE of the line that it made.
package.path = debug.getinfo(1, "S").source:match("@(.*/)") .. "?.lua;" .. package.path
require("common")

local customer, added

function init(arguments)
  read_pool(arguments)
end

function request()
  served = served + 1
  if added then
    return wrk.format("DELETE", "/cart/items/" .. added, customer.headers)
  end
  customer = next_customer()
  return wrk.format("POST", "/cart/items", customer.headers, '{"book_id": ' .. customer.book .. ', "quantity": 2}')
end

function response(status, headers, body)
  -- wrk ends in mid-pair. The line that its last run left is named in the 409; that is the first answer here, or none.
  if status == 409 and served <= #mine then left_over = left_over + 1 end
  added = status ~= 204 and (body:match('"item_id": ?(%d+)') or body:match('"id": ?(%d+)')) or nil
end
