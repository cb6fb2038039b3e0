// What the programs need that play clients against a running shop: node PROGRAM.js BASE_URL
// They throw, and so end with a status other than 0, at the first answer that is not as it should be.

declare const process: { argv: string[] };
export const base = process.argv[2]!;
export const PASSWORD = "correct horse battery";
export const fresh = () => `${crypto.randomUUID()}@example.com`;

export function equal(found: unknown, wanted: unknown): void {
  if (JSON.stringify(found) !== JSON.stringify(wanted)) {
    throw new Error(`${JSON.stringify(found)} is not ${JSON.stringify(wanted)}`);
  }
}
