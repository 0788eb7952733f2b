// The keys that leave a session without ending its process, such as `ctrl-p,ctrl-q`. Pure.
import { CliError } from "../cli-error.ts";

/** The keys of Docker's command line, which kubectl has too. */
export const defaultDetachKeys = "ctrl-p,ctrl-q";

const controls = "@abcdefghijklmnopqrstuvwxyz[\\]^_";

function codeOf(key: string): number {
  if (Buffer.byteLength(key) === 1) return key.charCodeAt(0);
  if (key === "DEL") return 127;
  const code = key.length === 6 && key.startsWith("ctrl-") ? controls.indexOf(key[5]!) : -1;
  if (code >= 0) return code;
  throw new CliError(`could not bind detach keys: Unknown character: '${key}'`);
}

/** The bytes that a terminal sends for the keys; those of the default for an empty text. Throws CliError. */
export const detachBytes = (keys: string): Buffer => Buffer.from((keys || defaultDetachKeys).split(",").map(codeOf));

/** The input until the keys were typed, without them. A part of them is held back until the next key decides. */
export async function* untilDetached(input: AsyncIterable<Buffer>, keys: Buffer): AsyncIterable<Buffer> {
  let matched = 0;
  for await (const chunk of input) {
    const passed: number[] = [];
    for (const byte of chunk) {
      if (byte !== keys[matched]) {
        passed.push(...keys.subarray(0, matched));
        matched = 0;
      }
      if (byte === keys[matched]) matched++;
      else passed.push(byte);
      if (matched < keys.length) continue;
      if (passed.length > 0) yield Buffer.from(passed);
      return;
    }
    if (passed.length > 0) yield Buffer.from(passed);
  }
}
