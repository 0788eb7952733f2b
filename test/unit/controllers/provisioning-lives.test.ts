// Claims and volumes under contradicting requests of a user, and a process that is killed again and again: no volume that
// is bound or retained is deleted, none is lost, and none is left.
import fc from "fast-check";
import { expect, test } from "vitest";
import { persistentVolumeClaims } from "../../../api/core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../../../api/core/persistentvolumes.ts";
import type { PersistentVolume } from "../../../api/generated/types.ts";
import { key, keyOf } from "../../../api/meta.ts";
import { type Cluster, cluster } from "./provisioning.ts";

const index = fc.nat(2);
const step = fc.oneof(
  fc.record({ do: fc.constant("create" as const), index }),
  fc.record({ do: fc.constant("delete" as const), index }),
  fc.record({ do: fc.constant("deleteVolume" as const), index }),
  fc.record({ do: fc.constant("retain" as const), index, policy: fc.constantFrom("Retain", "Delete") }),
  fc.record({ do: fc.constant("kill" as const), at: fc.integer({ min: 1, max: 12 }), isAfter: fc.boolean() }),
  fc.record({ do: fc.constant("run" as const), ms: fc.integer({ min: 1, max: 400 }) }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const handleOf = ({ spec }: PersistentVolume): string => spec.csi?.volumeHandle ?? "";
const ignoringErrors = (write: Promise<unknown>): Promise<unknown> => write.catch(() => {});

/** What the user does; requests that are refused change nothing. */
async function carryOut(c: Cluster, s: Step): Promise<void> {
  if (s.do === "run") return c.run(s.ms / 1000);
  if (s.do === "kill") return c.process.killAt(s.at, s.isAfter ? "after" : "before");
  const name = `data-${s.index}`;
  if (s.do === "create") await ignoringErrors(c.create(name));
  if (s.do === "delete") await ignoringErrors(c.client.delete(persistentVolumeClaims, key("default", name)));
  const volume = (await c.volumes())[s.index];
  if (volume === undefined) return;
  if (s.do === "deleteVolume") await ignoringErrors(c.client.delete(persistentVolumes, keyOf(volume)));
  if (s.do !== "retain") return;
  const patch = { spec: { persistentVolumeReclaimPolicy: s.policy } };
  await ignoringErrors(c.client.patch(persistentVolumes, keyOf(volume), { type: "merge", patch }));
}

test("volumes of a driver, claims, and a process that is killed", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const wrong: string[] = [];
      const retained = new Set<string>();
      const called = async (method: string, { volumeId = "" }): Promise<void> => {
        const volume = (await c.volumes()).find((v) => handleOf(v) === volumeId);
        if (method !== "DeleteVolume" || volume === undefined) return;
        const { deletionTimestamp } = volume.metadata;
        if (volume.status?.phase === "Bound") wrong.push(`${volumeId} is bound`);
        const isRetained = volume.spec.persistentVolumeReclaimPolicy === "Retain";
        if (isRetained && deletionTimestamp === undefined) wrong.push(`${volumeId} is retained`);
      };
      const c: Cluster = await cluster([], {}, { called });
      for (const s of [...steps, { do: "run", ms: 5000 } as const, { do: "run", ms: 35_000 } as const]) {
        await carryOut(c, s);
        for (const volume of await c.volumes())
          if (volume.spec.persistentVolumeReclaimPolicy === "Retain") retained.add(handleOf(volume));
      }
      const made = new Set(c.drivers["cluster"]!.volumes.keys());
      const objects = (await c.volumes()).map(handleOf);
      expect(wrong).toEqual([]);
      expect(objects.filter((handle) => !made.has(handle))).toEqual([]);
      expect([...made].filter((handle) => !objects.includes(handle) && !retained.has(handle))).toEqual([]);
      const { items } = await c.client.list(persistentVolumeClaims);
      expect(items.filter(({ status }) => status?.phase === "Pending")).toEqual([]);
      await c.stop();
    }),
    { numRuns: 300, seed: 12 },
  );
});
