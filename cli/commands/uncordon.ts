// orrery uncordon: marks nodes as schedulable.
import type { Command } from "commander";
import { addScheduling } from "./node-scheduling.ts";

/** Adds `uncordon` to the program. */
export const register = (program: Command): void => addScheduling(program, "uncordon");
