// The name of a storage driver, wherever an object speaks of one.
import type { Problem } from "./errors.ts";
import { validateSubdomainName } from "./names.ts";
import { detailOf, invalid, required, together, tooLong } from "./problems.ts";

const longestDriverName = 63;

/** A domain name in any case, short enough for a label. */
export function validateDriverName(name: string | undefined, path: string): readonly Problem[] {
  if (!name) return [required(path)];
  return together(
    name.length > longestDriverName && tooLong(path, longestDriverName),
    validateSubdomainName(name.toLowerCase(), path).map((p) => invalid(path, name, detailOf(p))),
  );
}
