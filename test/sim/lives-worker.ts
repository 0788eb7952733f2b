// One thread of lives.ts: runs the lives of the seeds it is sent, one after the other.
import { parentPort } from "node:worker_threads";
import { simulate } from "./cluster.ts";
import type { LifeOrder, LifeResult } from "./lives.ts";

parentPort?.on("message", async ({ seed, scenario }: LifeOrder) => {
  const { violations, unsettled, commits } = await simulate({ ...scenario, seed });
  const result: LifeResult = { seed, violations, unsettled, commits };
  parentPort?.postMessage(result);
});
