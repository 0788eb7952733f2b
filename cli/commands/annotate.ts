// orrery annotate: sets and removes annotations of objects.
import type { Command } from "commander";
import { addPairCommand } from "./metadata-pairs.ts";

/** Adds `annotate` to the program. */
export const register = (program: Command): void =>
  addPairCommand(program, {
    verb: "annotate",
    what: "annotation",
    field: "annotations",
    example: "orrery annotate deploy web note='the shop' old-",
  });
