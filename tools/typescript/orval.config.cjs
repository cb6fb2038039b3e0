// A client with fetch, and zod's schemas of every body, of the OpenAPI schema that tools/check_types.py writes.
const input = "../../build/schema.json";

module.exports = {
  shop: { input, output: { target: "generated/orval.ts", client: "fetch" } },
  shopZod: { input, output: { target: "generated/zod.ts", client: "zod" } },
};
