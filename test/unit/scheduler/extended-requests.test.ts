// The requests for devices that stand for requests of extended resources, and the containers that use them.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Container, Pod } from "../../../api/generated/types.ts";
import { podRequests } from "../../../api/core/pod/status.ts";
import { type ExtendedRequests, extendedRequests } from "../../../scheduler/devices/extended-requests.ts";

const [gpu, nic] = ["example.com/gpu", "example.com/nic"];
const classes = new Map([
  [gpu, "gpus"],
  [nic, "nics"],
]);
const container = (name: string, requests: object, restartPolicy?: string): Container =>
  ({ name, image: "a:1", resources: { requests }, ...(restartPolicy && { restartPolicy }) }) as unknown as Container;
const podWith = (containers: readonly Container[], initContainers?: readonly Container[]): Pod =>
  ({ metadata: { name: "p" }, spec: { containers, ...(initContainers && { initContainers }) } }) as unknown as Pod;

const lines = ({ requests, mappings }: ExtendedRequests): readonly string[] => [
  ...requests.map(({ name, exactly }) => `${name}: ${exactly?.count} of ${exactly?.deviceClassName}`),
  ...mappings.map((m) => `${m.containerName} ${m.resourceName} ${m.requestName}`),
];

const table: readonly (readonly [what: string, pod: Pod, expected: readonly string[]])[] = [
  [
    "one container",
    podWith([container("c", { cpu: "1", [gpu]: "2" })]),
    ["container-0-request-1: 2 of gpus", `c ${gpu} container-0-request-1`],
  ],
  [
    "each container and resource has its own",
    podWith([container("a", { [nic]: "1", [gpu]: "1" }), container("b", { [gpu]: "3" })]),
    [
      ...["container-0-request-0: 1 of gpus", "container-0-request-1: 1 of nics", "container-1-request-0: 3 of gpus"],
      ...[`a ${gpu} container-0-request-0`, `b ${gpu} container-1-request-0`, `a ${nic} container-0-request-1`],
    ],
  ],
  [
    "an init container uses the devices of later containers",
    podWith([container("a", { [gpu]: "1" }), container("b", { [gpu]: "1" })], [container("i", { [gpu]: "2" })]),
    [
      ...["container-1-request-0: 1 of gpus", "container-2-request-0: 1 of gpus"],
      ...[`a ${gpu} container-1-request-0`, `b ${gpu} container-2-request-0`],
      ...[`i ${gpu} container-1-request-0`, `i ${gpu} container-2-request-0`],
    ],
  ],
  [
    "init containers share what they need beyond that",
    podWith(
      [container("a", { [gpu]: "1" })],
      [container("i", { [gpu]: "2" }), container("j", { [gpu]: "4" }), container("k", { [gpu]: "3" })],
    ),
    [
      ...["container-1-request-0: 3 of gpus", "container-3-request-0: 1 of gpus", `a ${gpu} container-3-request-0`],
      ...["i", "j", "k"].flatMap((name) => [
        `${name} ${gpu} container-3-request-0`,
        `${name} ${gpu} container-1-request-0`,
      ]),
    ],
  ],
  [
    "a sidecar keeps its devices from later init containers, not from earlier ones",
    podWith(
      [container("a", { cpu: "1" })],
      [container("i", { [gpu]: "1" }), container("s", { [gpu]: "1" }, "Always"), container("j", { [gpu]: "1" })],
    ),
    [
      ...["container-1-request-0: 1 of gpus", "container-2-request-0: 1 of gpus"],
      ...[`s ${gpu} container-1-request-0`, `i ${gpu} container-1-request-0`, `j ${gpu} container-2-request-0`],
    ],
  ],
  ["nothing for other resources", podWith([container("c", { "example.com/other": "1", cpu: "1" })]), []],
  ["nothing for parts of devices", podWith([container("c", { [gpu]: "1500m" })]), []],
];
test.each(table)("%s", (_, pod, expected) => expect(lines(extendedRequests(pod, classes))).toEqual(expected));

const count = fc.integer({ min: 0, max: 3 });
const drawn = fc.record({
  init: fc.array(fc.record({ gpu: count, nic: count, isSidecar: fc.boolean() }), { maxLength: 4 }),
  main: fc.array(fc.record({ gpu: count, nic: count }), { minLength: 1, maxLength: 3 }),
});
const amounts = (c: { readonly gpu: number; readonly nic: number }): object => ({
  ...(c.gpu > 0 && { [gpu]: `${c.gpu}` }),
  ...(c.nic > 0 && { [nic]: `${c.nic}` }),
});

test("every container has its devices, none has those of another that runs beside it, and no device is too many", () => {
  const property = fc.property(drawn, ({ init, main }) => {
    const initContainers = init.map((c, i) => container(`i${i}`, amounts(c), c.isSidecar ? "Always" : undefined));
    const pod = podWith(
      main.map((c, i) => container(`c${i}`, amounts(c))),
      initContainers,
    );
    const { requests, mappings } = extendedRequests(pod, classes);
    const countOf = new Map(requests.map(({ name, exactly }) => [name, exactly!.count!]));
    const all = [...initContainers, ...pod.spec.containers];
    const isBrief = (c: Container): boolean => initContainers.includes(c) && c.restartPolicy !== "Always";
    for (const resource of [gpu, nic]) {
      const own = mappings.filter((m) => m.resourceName === resource);
      const names = new Set(own.map((m) => m.requestName));
      const total = [...names].reduce((sum, name) => sum + countOf.get(name)!, 0);
      expect(total).toBe(podRequests(pod.spec)[resource] ?? 0);
      const usedBy = (c: Container) => own.filter((m) => m.containerName === c.name).map((m) => m.requestName);
      for (const [i, c] of all.entries()) {
        const devices = usedBy(c).reduce((sum, name) => sum + countOf.get(name)!, 0);
        expect(devices).toBeGreaterThanOrEqual(Number(c.resources?.requests?.[resource] ?? 0));
        // Those that run beside it: what lasts from before an init container, and all that lasts for the others.
        const beside = all.filter((other, j) => other !== c && !isBrief(other) && (!isBrief(c) || j < i));
        for (const other of beside) expect(usedBy(other).filter((name) => usedBy(c).includes(name))).toEqual([]);
      }
    }
    expect(new Set(mappings.map((m) => m.requestName))).toEqual(new Set(countOf.keys()));
  });
  fc.assert(property, { numRuns: 500 });
});
