// Claims, volumes, quotas and limit ranges.
import { expect, test } from "vitest";
import { limitRanges } from "../../../../api/core/limitranges.ts";
import { type PersistentVolumeClaim, persistentVolumeClaims } from "../../../../api/core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../../../../api/core/persistentvolumes.ts";
import { resourceQuotas } from "../../../../api/core/resourcequotas.ts";
import { stored, changes, refuses, messagesOf } from "./validation-cases.ts";

const requests = (storage: string): object => ({ resources: { requests: { storage } } });
const claim = (spec: object): object => ({ spec: { accessModes: ["ReadWriteOnce"], ...requests("1Gi"), ...spec } });
refuses(persistentVolumeClaims, [
  [
    "no access mode",
    claim({ accessModes: [] }),
    "spec.accessModes: Required value: at least 1 access mode is required",
  ],
  [
    "an unknown access mode",
    claim({ accessModes: ["WriteOnly"] }),
    'spec.accessModes: Unsupported value: "WriteOnly": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"',
  ],
  [
    "ReadWriteOncePod and another access mode",
    claim({ accessModes: ["ReadWriteOncePod", "ReadWriteMany"] }),
    "spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes",
  ],
  ["no size", claim({ resources: {} }), "spec.resources[storage]: Required value"],
  ["a size of zero", claim(requests("0")), 'spec.resources[storage]: Invalid value: "0": must be greater than zero'],
  [
    "a data source of an unsupported kind",
    claim({ dataSource: { kind: "Pod", name: "a" } }),
    "spec.dataSource: Invalid value: \"Pod\": must be 'PersistentVolumeClaim' when referencing the default apiGroup",
    "spec.dataSourceRef: Invalid value: \"Pod\": must be 'PersistentVolumeClaim' when referencing the default apiGroup",
  ],
  [
    "an unknown volume mode",
    claim({ volumeMode: "Tape" }),
    'spec.volumeMode: Unsupported value: "Tape": supported values: "Block", "Filesystem"',
  ],
]);

const immutable =
  "spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
changes(persistentVolumeClaims, [
  ["volumeName can be set", claim({}), claim({ volumeName: "a" })],
  ["volumeName cannot change", claim({ volumeName: "a" }), claim({ volumeName: "b" }), immutable],
  ["storageClassName can be set later", claim({}), claim({ storageClassName: "fast" })],
  [
    "storageClassName cannot change",
    claim({ storageClassName: "fast" }),
    claim({ storageClassName: "slow" }),
    immutable,
  ],
  ["an unbound claim cannot grow", claim({}), claim(requests("2Gi")), immutable],
]);
test("PersistentVolumeClaim: a bound claim can grow, but not shrink below its capacity", () => {
  const status = { phase: "Bound", capacity: { storage: "2Gi" } };
  const of = (size: string): PersistentVolumeClaim =>
    ({
      ...stored(persistentVolumeClaims, claim({ ...requests(size), volumeName: "a" })),
      status,
    }) as PersistentVolumeClaim;
  expect(persistentVolumeClaims.validate(of("3Gi"), of("2Gi"))).toEqual([]);
  expect(messagesOf(persistentVolumeClaims.validate(of("1Gi"), of("2Gi")))).toEqual([
    "spec.resources.requests.storage: Forbidden: field can not be less than status.capacity",
  ]);
});
test("PersistentVolumeClaim: both data source fields are set", () => {
  const dataSource = { kind: "PersistentVolumeClaim", name: "b" };
  expect(stored(persistentVolumeClaims, claim({ dataSource })).spec).toMatchObject({
    dataSource,
    dataSourceRef: dataSource,
  });
});

const volume = (spec: object): object => ({
  spec: { accessModes: ["ReadWriteOnce"], capacity: { storage: "1Gi" }, hostPath: { path: "/a" }, ...spec },
});
refuses(persistentVolumes, [
  [
    "bytes nowhere",
    { spec: { accessModes: ["ReadWriteOnce"], capacity: { storage: "1Gi" } } },
    "spec: Required value: must specify a volume type",
  ],
  [
    "two volume sources",
    volume({ nfs: { server: "s", path: "/a" } }),
    "spec.nfs: Forbidden: may not specify more than 1 volume type",
  ],
  [
    "a capacity of another resource",
    volume({ capacity: { cpu: "1" } }),
    'spec.capacity: Unsupported value: {"cpu":"1"}: supported values: "storage"',
  ],
  [
    "a local volume without node affinity",
    { spec: { accessModes: ["ReadWriteOnce"], capacity: { storage: "1Gi" }, local: { path: "/a" } } },
    "spec.nodeAffinity: Required value: Local volume requires node affinity",
  ],
  [
    "an unknown reclaim policy",
    volume({ persistentVolumeReclaimPolicy: "Sell" }),
    'spec.persistentVolumeReclaimPolicy: Unsupported value: "Sell": supported values: "Delete", "Recycle", "Retain"',
  ],
  [
    "a CSI secret without a namespace",
    {
      spec: {
        accessModes: ["ReadWriteOnce"],
        capacity: { storage: "1Gi" },
        csi: { driver: "d", volumeHandle: "h", nodePublishSecretRef: { name: "s" } },
      },
    },
    "spec.csi.nodePublishSecretRef.namespace: Required value",
  ],
]);
changes(persistentVolumes, [
  ["claimRef can be set", volume({}), volume({ claimRef: { namespace: "default", name: "b" } })],
  ["the reclaim policy can change", volume({}), volume({ persistentVolumeReclaimPolicy: "Delete" })],
  [
    "the volume source cannot change",
    volume({}),
    volume({ hostPath: { path: "/b" } }),
    "spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation",
  ],
  [
    "the volume mode cannot change",
    volume({}),
    volume({ volumeMode: "Block" }),
    'volumeMode: Invalid value: "Block": field is immutable',
  ],
]);

const range = (item: object): object => ({ spec: { limits: [{ type: "Container", ...item }] } });
refuses(limitRanges, [
  [
    "a minimum above the maximum",
    range({ type: "Pod", min: { cpu: "2" }, max: { cpu: "1" } }),
    'spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1',
  ],
  [
    "a default above the maximum",
    range({ max: { cpu: "1" }, default: { cpu: "2" }, defaultRequest: { cpu: "1" } }),
    'spec.limits[0].default[cpu]: Invalid value: "1": default value 2 is greater than max value 1',
  ],
  [
    "defaults for type Pod",
    range({ type: "Pod", default: { cpu: "1" } }),
    "spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'",
  ],
  [
    "a claim without bounds",
    range({ type: "PersistentVolumeClaim", max: { cpu: "1" } }),
    "spec.limits[0].limits: Required value: either minimum or maximum storage value is required, but neither was provided",
  ],
  [
    "a ratio of less than one",
    range({ type: "Pod", maxLimitRequestRatio: { cpu: "500m" } }),
    'spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "500m": ratio 500m is less than 1',
  ],
  [
    "a duplicate type",
    {
      spec: {
        limits: [
          { type: "Pod", max: { cpu: "1" } },
          { type: "Pod", max: { memory: "1Gi" } },
        ],
      },
    },
    'spec.limits[1].type: Duplicate value: "Pod"',
  ],
]);
test("LimitRange: missing defaults of a container follow from its bounds", () => {
  const [item] = stored(limitRanges, range({ max: { cpu: "2" }, min: { memory: "1Mi" } })).spec!.limits;
  expect(item).toMatchObject({ default: { cpu: "2" }, defaultRequest: { cpu: "2", memory: "1Mi" } });
});

const quota = (spec: object): object => ({ spec: { hard: { pods: "5" }, ...spec } });
refuses(resourceQuotas, [
  [
    "an unknown resource",
    quota({ hard: { storage: "1Gi" } }),
    'spec.hard[storage]: Invalid value: "storage": must be a standard resource for quota',
  ],
  [
    "a fraction of a pod",
    quota({ hard: { pods: "500m" } }),
    'spec.hard[pods]: Invalid value: "500m": must be an integer',
  ],
  [
    "mutually exclusive scopes",
    quota({ scopes: ["Terminating", "NotTerminating"] }),
    'spec.scopes: Invalid value: ["Terminating","NotTerminating"]: conflicting scopes',
  ],
  [
    "a resource outside the scope",
    quota({ hard: { configmaps: "1" }, scopes: ["BestEffort"] }),
    'spec.scopes: Invalid value: ["BestEffort"]: unsupported scope applied to resource',
  ],
  [
    "a PriorityClass scope without values",
    quota({ scopeSelector: { matchExpressions: [{ scopeName: "PriorityClass", operator: "In", values: [] }] } }),
    "spec.scopeSelector.matchExpressions.values: Required value: must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
  ],
]);
changes(resourceQuotas, [
  ["hard limits can change", quota({}), quota({ hard: { pods: "6" } })],
  [
    "scopes cannot change",
    quota({}),
    quota({ scopes: ["BestEffort"] }),
    'spec.scopes: Invalid value: ["BestEffort"]: field is immutable',
  ],
]);
