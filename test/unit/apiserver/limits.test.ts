// LimitRange: defaults and violations.
import { bootstrappedClient } from "./bootstrapped-client.ts";
import { expect, test } from "vitest";
import type { Container, LimitRange, LimitRangeItem, Pod, ResourceRequirements } from "../../../api/generated/types.ts";
import { limitRanges } from "../../../api/core/limitranges.ts";
import { pods } from "../../../api/core/pods.ts";
import type { Draft } from "../../../api/meta.ts";
import { podAmounts } from "../../../api/core/pod/pod-resources.ts";
import { brokenByClaim, brokenByPod, withLimits } from "../../../apiserver/admission/namespaces.ts";

const range = (type: string, item: Partial<LimitRangeItem>): LimitRange =>
  limitRanges.defaults({
    kind: "LimitRange",
    metadata: { name: "limits" },
    spec: { limits: [{ type, ...item }] },
  }) as unknown as LimitRange;
const container = (name: string, resources: ResourceRequirements = {}, more: Partial<Container> = {}): Container => ({
  name,
  image: "i",
  resources,
  ...more,
});
const pod = (containers: readonly Container[], initContainers?: readonly Container[]): Pod =>
  ({ metadata: { name: "p" }, spec: { containers, ...(initContainers && { initContainers }) } }) as unknown as Pod;
const cpu = (requests?: string, limits?: string): ResourceRequirements => ({
  ...(requests && { requests: { cpu: requests } }),
  ...(limits && { limits: { cpu: limits } }),
});

const defaults: readonly (readonly [
  what: string,
  of: LimitRange,
  own: Pod,
  added: string | undefined,
  expected: object[],
])[] = [
  [
    "a container without resources gets requests and limits",
    range("Container", { default: { cpu: "2", memory: "1Gi" }, defaultRequest: { cpu: "1", memory: "1Gi" } }),
    pod([container("c")]),
    "cpu, memory request for container c; cpu, memory limit for container c",
    [{ requests: { cpu: "1", memory: "1Gi" }, limits: { cpu: "2", memory: "1Gi" } }],
  ],
  [
    "explicit requests are kept",
    range("Container", { default: { cpu: "2" }, defaultRequest: { cpu: "1" } }),
    pod([container("c", cpu("500m"))]),
    "cpu limit for container c",
    [{ requests: { cpu: "500m" }, limits: { cpu: "2" } }],
  ],
  [
    "init containers",
    range("Container", { defaultRequest: { cpu: "1" } }),
    pod([container("c", cpu("1"))], [container("i")]),
    "cpu request for init container i",
    [{ requests: { cpu: "1" } }],
  ],
  [
    "the maximum is the default limit",
    range("Container", { max: { cpu: "4" } }),
    pod([container("c")]),
    "cpu request for container c; cpu limit for container c",
    [{ requests: { cpu: "4" }, limits: { cpu: "4" } }],
  ],
  [
    "a LimitRange of type Pod has no defaults",
    range("Pod", { max: { cpu: "4" } }),
    pod([container("c")]),
    undefined,
    [{}],
  ],
];
for (const [what, of, own, added, expected] of defaults)
  test(`limit defaults: ${what}`, () => {
    const { metadata, spec } = withLimits(own, of);
    const annotation = metadata.annotations?.["kubernetes.io/limit-ranger"];
    expect(annotation).toBe(added && `LimitRanger plugin set: ${added}`);
    expect(spec.containers.map((c) => c.resources)).toEqual(expected);
    expect(withLimits(withLimits(own, of), of).spec).toEqual(spec);
  });

const broken: readonly (readonly [of: LimitRange, own: Pod, expected: readonly string[]])[] = [
  [range("Container", { min: { cpu: "50m" }, max: { cpu: "1" } }), pod([container("c", cpu("50m", "1"))]), []],
  [
    range("Container", { min: { cpu: "50m" } }),
    pod([container("c", cpu("10m"))]),
    ["minimum cpu usage per Container is 50m, but request is 10m"],
  ],
  [
    range("Container", { min: { cpu: "50m" } }),
    pod([container("c")], [container("i", cpu("1"))]),
    ["minimum cpu usage per Container is 50m.  No request is specified"],
  ],
  [
    range("Container", { max: { cpu: "500m" } }),
    pod([container("c", cpu("1", "1")), container("d", cpu("1"))]),
    [
      "maximum cpu usage per Container is 500m, but limit is 1",
      "maximum cpu usage per Container is 500m.  No limit is specified",
    ],
  ],
  [
    range("Container", { max: { cpu: "500m" } }),
    pod([container("c", cpu("1", "500m"))]),
    ["maximum cpu usage per Container is 500m, but request is 1"],
  ],
  [
    range("Container", { maxLimitRequestRatio: { cpu: "2" } }),
    pod([container("c", cpu("1", "2")), container("d", cpu("1", "3")), container("e", cpu(undefined, "1"))]),
    [
      "cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000",
      "cpu max limit to request ratio per Container is 2, but no request is specified or request is 0",
    ],
  ],
  [
    range("Pod", { max: { cpu: "1500m" } }),
    pod([container("c", cpu("1", "1")), container("d", cpu("1", "1"))]),
    ["maximum cpu usage per Pod is 1500m, but limit is 2"],
  ],
];
for (const [of, own, expected] of broken)
  test(`limit violations: ${expected.join(", ") || "none"}`, () => expect(brokenByPod(of, own.spec)).toEqual(expected));

test("limit violations: the storage request of a claim", () => {
  const claims = range("PersistentVolumeClaim", { min: { storage: "1Gi" }, max: { storage: "10Gi" } });
  expect(brokenByClaim(claims, { requests: { storage: "2Gi" } })).toEqual([]);
  expect(brokenByClaim(claims, { requests: { storage: "500Mi" } })).toEqual([
    "minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 500Mi",
  ]);
  expect(brokenByClaim(claims, { requests: { storage: "1Ti" } })).toEqual([
    "maximum storage usage per PersistentVolumeClaim is 10Gi, but request is 1Ti",
  ]);
});

const sidecar = { restartPolicy: "Always" } as const;
const sums: readonly (readonly [what: string, of: Pod, expected: object])[] = [
  ["containers are summed", pod([container("c", cpu("1")), container("d", cpu("500m"))]), { cpu: "1500m" }],
  ["the largest init container counts", pod([container("c", cpu("1"))], [container("i", cpu("3"))]), { cpu: "3" }],
  [
    "sidecars stay",
    pod([container("c", cpu("1"))], [container("s", cpu("1"), sidecar), container("i", cpu("3"))]),
    { cpu: "4" },
  ],
  [
    "pod-level resources override those of containers",
    { spec: { ...pod([container("c", cpu("1"))]).spec, resources: cpu("2") } } as unknown as Pod,
    { cpu: "2" },
  ],
];
for (const [what, of, expected] of sums)
  test(`amounts of a pod: ${what}`, () => expect(podAmounts(of.spec, "requests")).toEqual(expected));

test("limit defaults: a resize is defaulted without an annotation", async () => {
  const _ranges = { serviceCidr: "10.96.0.0/16", nodePorts: { from: 30_000, to: 32_767 } };
  const client = await bootstrappedClient();
  const metadata = { name: "p", namespace: "default" };
  const made = await client.create(pods, { ...pod([container("c", cpu("1"))]), metadata } as Draft<Pod>);
  const usual = range("Container", { default: { memory: "2Gi" }, defaultRequest: { memory: "1Gi" } });
  const limits = await client.create(limitRanges, { ...usual, metadata: { name: "limits", namespace: "default" } });
  const requested = (of: Pod, amounts: ResourceRequirements): Pod => ({
    ...of,
    spec: { ...of.spec, containers: [{ ...of.spec.containers[0]!, resources: amounts }] },
  });
  const after = await client.update(pods, requested(made, cpu("2")), "resize");
  expect(after.spec.containers[0]?.resources).toEqual({
    requests: { cpu: "2", memory: "1Gi" },
    limits: { memory: "2Gi" },
  });
  expect(after.metadata.annotations).toBeUndefined();
  const more = { requests: { cpu: "4", memory: "1Gi" }, limits: { cpu: "4", memory: "2Gi" } };
  await client.update(limitRanges, {
    ...limits,
    ...range("Container", { max: { cpu: "3" } }),
    metadata: limits.metadata,
  });
  await expect(client.update(pods, requested(after, more), "resize")).rejects.toThrow(
    'pods "p" is forbidden: maximum cpu usage per Container is 3, but limit is 4',
  );
});
