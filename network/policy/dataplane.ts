// Applies tables of policies to the kernel: the complete table first, which replaces what an earlier process left, then
// only changes, and after a refused change the complete table again.
import { serial } from "../../machinery/serial.ts";
import type { Log } from "../../machinery/world.ts";
import type { Run } from "../command.ts";
import type { Family } from "./addresses.ts";
import { type PolicyTable, tableName } from "./table.ts";

export interface PolicyDataplane {
  /** Resolves when packets follow the tables as they were at the time of the call, or later. */
  apply(): Promise<void>;
}

/** Whether the table isolates no pod. */
const isEmpty = ({ selves }: PolicyTable): boolean => selves.entries.size === 0;

export function policyDataplane(tables: readonly PolicyTable[], run: Run, log: Log): PolicyDataplane {
  /** What the kernel has of a table. Unknown at the start, and after a refused transaction. */
  const present = new Map<Family, "nothing" | "as written">();
  const write = async (table: PolicyTable): Promise<void> => {
    const { family } = table;
    if (!present.has(family) && isEmpty(table)) {
      const tables = (await run("nft", ["list", "tables"])).split("\n");
      if (!tables.includes(`table ${family} ${tableName}`)) present.set(family, "nothing");
    }
    // A kernel without the family has no pods with addresses of it either.
    if (present.get(family) === "nothing" && isEmpty(table)) return;
    const isWritten = present.get(family) === "as written";
    const text = table.transaction(isWritten);
    // What changes from now on belongs to the next transaction.
    table.settle();
    if (text === "") return;
    present.delete(family);
    try {
      await run("nft", ["-f", "-"], text);
      present.set(family, "as written");
    } catch (e) {
      if (!isWritten) throw e;
      log("changing the rules of policies failed, writing all of them", { error: (e as Error).message });
      await write(table);
    }
  };
  const oneAtATime = serial();
  return {
    apply: () =>
      oneAtATime("", async () => {
        for (const table of tables) await write(table);
      }),
  };
}
