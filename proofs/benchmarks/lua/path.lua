-- One path, again and again, without a token.
package.path = debug.getinfo(1, "S").source:match("@(.*/)") .. "?.lua;" .. package.path
require("common")

function request()
  served = served + 1
  return wrk.format("GET")
end
