// The hash of all facts of a life: what shows that two lives were the same.
import { createHash } from "node:crypto";
import { type Scenario, simulate } from "./cluster.ts";

/** Facts hashed at a time: each call of the hash has a price. */
const pieceFacts = 400;

/** Runs a life and hashes its history, byte for byte. Not done for every life: it takes three percent of its time. */
export async function hashedLife(scenario: Scenario) {
  const hash = createHash("sha256");
  let pieces: Uint8Array[] = [];
  const hashPieces = (): void => {
    hash.update(Buffer.concat(pieces));
    pieces = [];
  };
  const life = await simulate({
    ...scenario,
    fact({ at, revision, key, value }) {
      pieces.push(Buffer.from(`${at} ${revision} ${key} `), value ?? Buffer.from("-"));
      if (pieces.length >= 2 * pieceFacts) hashPieces();
    },
  });
  hashPieces();
  return { ...life, hash: hash.digest("hex") };
}
