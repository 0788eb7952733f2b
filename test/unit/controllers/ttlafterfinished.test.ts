import { expect, test } from "vitest";
import type { Job } from "../../../api/generated/types.ts";
import { decide } from "../../../controllers/ttlafterfinished/controller.ts";
import { ago, asStored, now } from "./world.ts";

const job = (ttlSecondsAfterFinished: number | undefined, type?: string, more: object = {}): Job =>
  asStored<Job>({
    kind: "Job",
    metadata: { name: "web", namespace: "default", ...more },
    spec: { ttlSecondsAfterFinished, template: {} },
    status: { conditions: type ? [{ type, status: "True", lastTransitionTime: ago(10) }] : [] },
  });

const table: readonly (readonly [what: string, job: Job, deleted: boolean, requeueAfter?: number])[] = [
  ["complete and expired", job(10, "Complete"), true],
  ["failed and expired", job(0, "Failed"), true],
  ["not expired", job(15, "Complete"), false, 5_000],
  ["without a time to live", job(undefined, "Complete"), false],
  ["not over", job(0), false],
  ["only decided", job(0, "SuccessCriteriaMet"), false],
  ["being deleted", job(0, "Complete", { deletionTimestamp: ago(1) }), false],
];
for (const [what, object, deleted, requeueAfter] of table)
  test(`job with a time to live: ${what}`, () => {
    const decision = decide(object, now);
    expect(decision.requeueAfter).toBe(requeueAfter);
    const options = { propagationPolicy: "Foreground", resourceVersion: "1" };
    expect(decision.actions).toMatchObject(deleted ? [{ do: "delete", options }] : []);
  });
