// Which pods leave tainted devices, and when.
import { expect, test } from "vitest";
import type {
  DeviceTaint,
  DeviceToleration,
  Pod,
  ResourceSlice,
  ResourceV1ResourceClaim as ResourceClaim,
} from "../../../api/generated/types.ts";
import { decide, type Observed } from "../../../controllers/devicetaints/decide.ts";
import { instant } from "../../../api/meta.ts";
import { storedMeta } from "../stored-meta.ts";

const at = "2026-01-01T00:00:00Z";
const now = instant(Date.parse(at) + 10_000);
const driver = "gpu.example.com";
const pod = (status: object = {}, metadata: object = {}): Pod =>
  ({
    ...{ apiVersion: "v1", kind: "Pod", metadata: storedMeta("p", { namespace: "default", ...metadata }) },
    ...{ spec: { nodeName: "n1", containers: [] }, status: { phase: "Running", ...status } },
  }) as unknown as Pod;
const claim = (...tolerations: readonly DeviceToleration[]): ResourceClaim =>
  ({
    metadata: storedMeta("c", { namespace: "default" }),
    spec: {},
    status: {
      allocation: { devices: { results: [{ request: "r", driver, pool: "n1", device: "d", tolerations }] } },
    },
  }) as unknown as ResourceClaim;
const noExecute: DeviceTaint = { key: "broken", effect: "NoExecute", timeAdded: at };
const slice = (taints: readonly DeviceTaint[], generation = 1, device = "d"): ResourceSlice =>
  ({
    metadata: storedMeta(`s${generation}`),
    spec: { driver, pool: { name: "n1", generation, resourceSliceCount: 1 }, devices: [{ name: device, taints }] },
  }) as unknown as ResourceSlice;
const exists = (more: object = {}): DeviceToleration => ({ operator: "Exists", effect: "NoExecute", ...more });

const marked = {
  conditions: [
    {
      ...{ type: "DisruptionTarget", status: "True", reason: "DeletionByDeviceTaintManager" },
      message: "Device Taint manager: deleting due to NoExecute taint",
    },
  ],
};
const leaves = { actions: [{ do: "status", status: marked }] };
const stays = { actions: [] };
const table: Readonly<Record<string, readonly [Partial<Observed>, object]>> = {
  "leaves a tainted device": [{}, leaves],
  "is deleted once it is marked": [
    { pod: pod(marked) },
    {
      actions: [
        { do: "event", type: "Normal", reason: "DeviceTaintManagerEviction", message: "Marking for deletion" },
        { do: "delete" },
      ],
    },
  ],
  "is deleted without a mark when it has ended": [
    { pod: pod({ phase: "Failed" }) },
    { actions: [{ do: "event" }, { do: "delete" }] },
  ],
  "that another one disrupts is marked anew": [
    { pod: pod({ conditions: [{ type: "DisruptionTarget", status: "True", reason: "Other" }] }) },
    leaves,
  ],
  "that is being deleted": [{ pod: pod({}, { deletionTimestamp: at }) }, stays],
  "stays with another effect": [{ slices: [slice([{ ...noExecute, effect: "NoSchedule" }])] }, stays],
  "stays when the taint is on another device": [{ slices: [slice([noExecute], 1, "e")] }, stays],
  "stays when the taint is gone": [{ slices: [slice([noExecute], 1), slice([], 2)] }, stays],
  "leaves when the newest generation is tainted": [{ slices: [slice([], 1), slice([noExecute], 2)] }, leaves],
  "stays when it tolerates the taint": [{ claims: [claim(exists())] }, stays],
  "does not tolerate another key": [{ claims: [claim(exists({ key: "other" }))] }, leaves],
  "does not tolerate it for scheduling alone": [
    { claims: [claim({ operator: "Exists", effect: "NoSchedule" })] },
    leaves,
  ],
  "nor without an effect": [{ claims: [claim({ operator: "Exists" })] }, leaves],
  "leaves later": [
    { claims: [claim(exists({ tolerationSeconds: 30 }), exists({ tolerationSeconds: 60 }))] },
    { actions: [], requeueAfter: 20_000 },
  ],
  "leaves now when the time is over": [{ claims: [claim(exists({ tolerationSeconds: 10 }))] }, leaves],
  "stays when one toleration has no limit": [{ claims: [claim(exists({ tolerationSeconds: 5 }), exists())] }, stays],
  "leaves by the first of two taints": [
    {
      claims: [claim(exists({ key: "broken" }), exists({ key: "slow", tolerationSeconds: 15 }))],
      slices: [slice([noExecute, { ...noExecute, key: "slow" }])],
    },
    { actions: [], requeueAfter: 5_000 },
  ],
};
test.each(Object.entries(table))("a pod %s", (_, [observed, expected]) =>
  expect(decide({ pod: pod(), claims: [claim()], slices: [slice([noExecute])], ...observed }, now)).toMatchObject(
    expected,
  ),
);
