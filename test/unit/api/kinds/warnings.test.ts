// Warnings about valid objects.
import { expect, test } from "vitest";
import { deployments } from "../../../../api/apps/deployments.ts";
import { pods } from "../../../../api/core/pods.ts";
import type { Draft } from "../../../../api/meta.ts";
import type { Deployment, Pod } from "../../../../api/generated/types.ts";

const main = { name: "main", image: "app:1" };
const one = (container: object): object => ({ containers: [{ ...main, ...container }] });

const table: readonly (readonly [what: string, spec: object, ...messages: string[]])[] = [
  ["nothing odd", one({})],
  [
    "a duplicate variable",
    one({
      env: [
        { name: "A", value: "1" },
        { name: "A", value: "2" },
      ],
    }),
    'spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply',
  ],
  [
    "a variable that references its own name",
    one({
      env: [
        { name: "A", value: "1" },
        { name: "A", value: "$(A)2" },
      ],
    }),
  ],
  [
    "a duplicate port",
    one({ ports: [{ containerPort: 80 }, { containerPort: 80, protocol: "TCP" }] }),
    "spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]",
  ],
  [
    "a port repeated with a host port",
    one({ ports: [{ containerPort: 80 }, { containerPort: 80, hostPort: 80 }] }),
    "spec.containers[0].ports[1]: overlapping port definition with spec.containers[0].ports[0]",
  ],
  [
    "one name for two ports",
    {
      containers: [
        { ...main, ports: [{ containerPort: 80, name: "web" }] },
        { name: "more", image: "a", ports: [{ containerPort: 81, name: "web" }] },
      ],
    },
    'spec.containers[1].ports[0]: duplicate port name "web" with spec.containers[0].ports[0], services and probes that select ports by name will use spec.containers[0].ports[0]',
  ],
  [
    "a deprecated node label",
    { ...one({}), nodeSelector: { "beta.kubernetes.io/os": "linux" } },
    'spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead',
  ],
  [
    "a fractional byte",
    one({ resources: { limits: { memory: "100m" } } }),
    'spec.containers[0].resources.limits[memory]: fractional byte value "100m" is invalid, must be an integer',
  ],
  [
    "overlapping paths",
    {
      ...one({}),
      volumes: [
        {
          name: "v",
          configMap: {
            name: "c",
            items: [
              { key: "a", path: "x" },
              { key: "b", path: "x/y" },
            ],
          },
        },
      ],
    },
    'volume "v" (ConfigMap "c"): overlapping paths: "x/y" with "x"',
  ],
  [
    "a spread constraint without a selector",
    {
      ...one({}),
      topologySpreadConstraints: [{ maxSkew: 1, topologyKey: "zone", whenUnsatisfiable: "DoNotSchedule" }],
    },
    "spec.topologySpreadConstraints[0].labelSelector: a null labelSelector results in matching no pod",
  ],
];
for (const [what, spec, ...expected] of table)
  test(`${what} has ${expected.length === 0 ? "no warning" : "a warning"}`, () =>
    expect(pods.warnings({ kind: "Pod", metadata: { name: "a" }, spec } as unknown as Draft<Pod>)).toEqual(expected));

test("a pod name that is not a valid host name has a warning", () =>
  expect(pods.warnings({ metadata: { name: "a.b" }, spec: one({}) } as unknown as Draft<Pod>)[0]).toMatch(
    /^metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: \[a lowercase RFC 1123 label must/,
  ));

test("warnings of a template have its path", () => {
  const template = { spec: { ...one({}), nodeSelector: { "beta.kubernetes.io/os": "linux" } } };
  expect(deployments.warnings({ metadata: { name: "a" }, spec: { template } } as unknown as Draft<Deployment>)).toEqual(
    ['spec.template.spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead'],
  );
});
