// Brings the kernel to a ruleset: the whole table once, then only what changed; the whole again when a change is
// refused.
import type { Log } from "../../machinery/world.ts";
import type { Run } from "../command.ts";
import { changesBetween, strandedUdp, wholeTable, type Ranges } from "./nftables.ts";
import type { Ruleset } from "./rules.ts";

export interface Dataplane {
  /** One at a time, in order; resolves when packets follow the new rules. */
  apply(next: Ruleset): Promise<void>;
}

export function nftablesDataplane(ranges: Ranges, run: Run, log: Log): Dataplane {
  let present: Ruleset | undefined;
  const whole = (next: Ruleset): Promise<string> => run("nft", ["-f", "-"], wholeTable(next, ranges));
  return {
    async apply(next) {
      const before = present;
      present = undefined;
      if (before === undefined) await whole(next);
      else {
        const changes = changesBetween(before, next);
        if (changes !== "")
          await run("nft", ["-f", "-"], changes).catch(async (e: unknown) => {
            log("changing the rules failed, writing all of them", { error: (e as Error).message });
            await whole(next);
          });
        // It exits with 1 when there was nothing to forget.
        for (const address of strandedUdp(before, next))
          await run("conntrack", ["-D", "-p", "udp", "--dst-nat", address]).catch(() => {});
      }
      present = next;
    },
  };
}
