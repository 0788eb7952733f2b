// The values of --cascade: what becomes of the dependents of a deleted object.
import { CliError } from "../cli-error.ts";

const policies: Readonly<Record<string, string>> = {
  background: "Background",
  foreground: "Foreground",
  orphan: "Orphan",
  true: "Background",
  false: "Orphan",
};

/** The `propagationPolicy` of DeleteOptions. Throws CliError in kubectl's words. */
export function propagationPolicyOf(cascade: string): string {
  const policy = policies[cascade];
  if (policy === undefined)
    throw new CliError(`invalid cascade value (${cascade}). Must be "background", "foreground", or "orphan"`);
  return policy;
}
