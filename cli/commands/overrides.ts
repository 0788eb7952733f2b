// The flags `--overrides` and `--override-type`: a patch of the generated object.
import type { Command } from "commander";
import type { ApiObject } from "../../api/meta.ts";
import { ApiError } from "../../api/errors.ts";
import { CliError } from "../cli-error.ts";
import type { GeneratedObject } from "../generators/generated-object.ts";

export interface OverrideFlags {
  readonly overrides?: string;
  readonly overrideType: string;
}

/** Adds the options. */
export const withOverrides = (command: Command): Command =>
  command
    .option("--overrides <json>", "a patch of the generated object")
    .option("--override-type <type>", "how it is patched: json, merge or strategic", "merge");

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new CliError("Invalid JSON Patch");
  }
}

/** The object after the patch of the flags. Throws CliError in kubectl's words. */
export async function overridden(object: GeneratedObject, flags: OverrideFlags): Promise<GeneratedObject> {
  if (!flags.overrides) return object;
  if (!["json", "merge", "strategic"].includes(flags.overrideType))
    throw new CliError(`invalid override type: ${flags.overrideType}`);
  const patch = parsed(flags.overrides);
  const { patchedLocally } = await import("../client/local-patch.ts");
  // Fields without a value must not become operands of the patch.
  const plain = JSON.parse(JSON.stringify(object)) as ApiObject;
  try {
    return patchedLocally(plain, flags.overrideType as "json" | "merge" | "strategic", patch) as GeneratedObject;
  } catch (error) {
    throw error instanceof ApiError ? new CliError(error.message) : error;
  }
}
