// The resize and ephemeralcontainers subresources.
import { expect, test } from "vitest";
import type { Container, Pod, PodSpec, ResourceRequirements } from "../../../../api/generated/types.ts";
import { podDefaults } from "../../../../api/core/pod/defaults.ts";
import { resized, validateResize } from "../../../../api/core/pod/resize.ts";
import { podMemoryLimit, qosClass } from "../../../../api/core/pod/status.ts";

const amounts = (cpu: string, memory = "64Mi", limit = "1"): ResourceRequirements => ({
  requests: { cpu, memory },
  limits: { cpu: limit },
});
const container = (name: string, resources: ResourceRequirements = amounts("100m"), more: Partial<Container> = {}) =>
  ({ name, image: "i", resources, ...more }) as Container;
function pod(spec: Partial<PodSpec> = {}, more: object = {}): Pod {
  const full = podDefaults({ containers: [container("c"), container("d")], ...spec } as PodSpec);
  return { metadata: { name: "p" }, spec: full, status: { qosClass: qosClass(full) }, ...more } as unknown as Pod;
}
const running = (resources?: ResourceRequirements) => ({
  status: { qosClass: "Burstable", containerStatuses: [{ name: "c", state: { running: {} }, resources }] },
});
const mirror = { metadata: { name: "p", annotations: { "kubernetes.io/config.mirror": "x" } } };
const restarting = { resizePolicy: [{ resourceName: "cpu", restartPolicy: "RestartContainer" }] };

const table: readonly (readonly [what: string, old: Pod, change: Partial<PodSpec>, expected: readonly string[]])[] = [
  ["more cpu and memory", pod(), { containers: [container("c", amounts("200m", "1Gi", "2")), container("d")] }, []],
  [
    "a limit is added",
    pod(),
    { containers: [container("c", { ...amounts("1"), limits: { cpu: "1", memory: "1Gi" } }), container("d")] },
    [],
  ],
  [
    "a request above its limit",
    pod(),
    { containers: [container("c", amounts("2")), container("d")] },
    ['spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1'],
  ],
  [
    "requests and limits are removed",
    pod(),
    { containers: [container("c", { requests: { cpu: "100m" } }), container("d")] },
    [
      "spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed",
      "spec.containers[0].resources.limits: Forbidden: resource limits cannot be removed",
    ],
  ],
  [
    "another resource",
    pod(),
    {
      containers: [
        container("c", { ...amounts("100m"), limits: { cpu: "1", "ephemeral-storage": "1Gi" } }),
        container("d"),
      ],
    },
    ["spec: Forbidden: only cpu and memory resources are mutable"],
  ],
  [
    "another policy",
    pod(),
    { containers: [container("c", amounts("100m"), restarting as Partial<Container>), container("d")] },
    ["spec: Forbidden: only cpu and memory resources are mutable"],
  ],
  [
    "another QoS class",
    pod({
      containers: [container("c", { requests: { cpu: "1", memory: "1Gi" }, limits: { cpu: "2", memory: "1Gi" } })],
    }),
    { containers: [container("c", { requests: { cpu: "1", memory: "1Gi" }, limits: { cpu: "1", memory: "1Gi" } })] },
    ['spec: Invalid value: "Burstable": Pod QOS Class may not change as a result of resizing'],
  ],
  [
    "a container is added",
    pod(),
    { containers: [container("c"), container("d"), container("e")] },
    ["spec.containers: Forbidden: containers may not be added or removed on resize"],
  ],
  [
    "another order",
    pod(),
    { containers: [container("d"), container("c")] },
    [
      "spec.containers[0].name: Forbidden: containers may not be renamed or reordered on resize",
      "spec.containers[1].name: Forbidden: containers may not be renamed or reordered on resize",
    ],
  ],
  [
    "restartable init containers",
    pod({ initContainers: [container("i")] }),
    { initContainers: [container("i", amounts("1"))] },
    [],
  ],
  [
    "an init container with a resize policy of RestartContainer",
    pod({ initContainers: [container("i", amounts("100m"), restarting as Partial<Container>)] }),
    { initContainers: [container("i", amounts("1"), restarting as Partial<Container>)] },
    [
      "spec.initContainers[0]: Forbidden: non-sidecar init containers with a resize policy of RestartContainer cannot be resized",
    ],
  ],
  [
    "a pod without allocated resources in its status",
    pod({}, running()),
    {},
    ["spec: Forbidden: Pod running on node without support for resize"],
  ],
  ["a pod with resources in its status", pod({}, running(amounts("100m"))), {}, []],
  ["a static pod", pod({}, mirror), {}, ["[]: Forbidden: static pods cannot be resized"]],
];
for (const [what, old, change, expected] of table)
  test(`resize: ${what}`, () => {
    const requested = { ...old, spec: { ...old.spec, ...podDefaults({ ...old.spec, ...change }) } };
    expect(validateResize(resized(old, requested), old).map((p) => `${p.path}: ${p.message}`)).toEqual(expected);
  });

test("resize: only resources are taken from the request", () => {
  const old = pod();
  const containers = old.spec.containers.map((c) => ({ ...c, image: "other:1", resources: amounts("200m") }));
  const { spec, metadata } = resized(old, {
    ...old,
    metadata: { ...old.metadata, labels: { a: "b" } },
    spec: { ...old.spec, nodeName: "elsewhere", containers },
  });
  expect([metadata.labels, spec.nodeName, spec.containers.map((c) => c.image)]).toEqual([
    undefined,
    undefined,
    ["i", "i"],
  ]);
  expect(spec.containers[0]!.resources).toEqual(amounts("200m"));
});

const memory = (limit: string | undefined) => (limit === undefined ? {} : { resources: { limits: { memory: limit } } });
const limitRows: readonly (readonly [what: string, spec: object, bytes: number | undefined])[] = [
  ["the sum", { containers: [memory("1Ki"), memory("2Ki")] }, 3_072],
  ["none without a limit of each", { containers: [memory("1Ki"), memory(undefined)] }, undefined],
  ["that of the pod", { containers: [memory(undefined)], ...memory("4Ki") }, 4_096],
  ["the peak of init containers", { containers: [memory("1Ki")], initContainers: [memory("5Ki")] }, 5_120],
  ["with overhead", { containers: [memory("1Ki")], overhead: { memory: "1Ki" } }, 2_048],
];
test.each(limitRows)("the memory limit of a pod: %s", (_, spec, bytes) => {
  expect(podMemoryLimit(spec as PodSpec)).toBe(bytes);
});
