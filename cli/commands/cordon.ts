// orrery cordon: marks nodes as unschedulable.
import type { Command } from "commander";
import { addScheduling } from "./node-scheduling.ts";

/** Adds `cordon` to the program. */
export const register = (program: Command): void => addScheduling(program, "cordon");
