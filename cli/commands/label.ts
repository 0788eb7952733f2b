// orrery label: sets and removes labels of objects.
import type { Command } from "commander";
import { addPairCommand } from "./metadata-pairs.ts";

/** Adds `label` to the program. */
export const register = (program: Command): void =>
  addPairCommand(program, {
    verb: "label",
    what: "label",
    field: "labels",
    example: "orrery label pod web-1 tier=front env-",
  });
