// Validation messages.
import { expect, test } from "vitest";
import type { Deployment, Pod } from "../../../api/generated/types.ts";
import { deployments } from "../../../api/apps/deployments.ts";
import { pods } from "../../../api/core/pods.ts";
import type { Draft } from "../../../api/meta.ts";

const container = { name: "main", image: "app:1" };
const pod = (spec: object, name = "web"): Draft<Pod> =>
  pods.defaults({ kind: "Pod", metadata: { name, namespace: "default" }, spec } as Draft<Pod>);
const messagesOf = (problems: readonly { readonly path: string; readonly message: string }[]): readonly string[] =>
  problems.map((p) => `${p.path}: ${p.message}`);

const wrongPods: readonly (readonly [what: string, spec: object, message: string])[] = [
  ["no containers", { containers: [] }, "spec.containers: Required value"],
  ["a container without a name", { containers: [{ image: "a" }] }, "spec.containers[0].name: Required value"],
  ["a container without an image", { containers: [{ name: "a" }] }, "spec.containers[0].image: Required value"],
  [
    "two containers with one name",
    { containers: [container, container] },
    'spec.containers[1].name: Duplicate value: "main"',
  ],
  [
    "a mount of an unknown volume",
    { containers: [{ ...container, volumeMounts: [{ name: "v", mountPath: "/v" }] }] },
    'spec.containers[0].volumeMounts[0].name: Not found: "v"',
  ],
  [
    "an unknown restart policy",
    { containers: [container], restartPolicy: "Maybe" },
    'spec.restartPolicy: Unsupported value: "Maybe": supported values: "Always", "OnFailure", "Never"',
  ],
  [
    "a port out of range",
    { containers: [{ ...container, ports: [{ containerPort: 70_000 }] }] },
    "spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
  ],
  [
    "a request above its limit",
    { containers: [{ ...container, resources: { requests: { cpu: "2" }, limits: { cpu: "1" } } }] },
    'spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1',
  ],
  [
    "a probe without a handler",
    { containers: [{ ...container, livenessProbe: {} }] },
    "spec.containers[0].livenessProbe: Required value: must specify a handler type",
  ],
];
for (const [what, spec, message] of wrongPods)
  test(`a pod with ${what} is refused`, () => expect(messagesOf(pods.validate(pod(spec)))).toContain(message));

test("a pod's name must be a DNS name", () =>
  expect(messagesOf(pods.validate(pod({ containers: [container] }, "Web_1")))[0]).toMatch(
    /^metadata.name: Invalid value: "Web_1": a lowercase RFC 1123 subdomain must consist of/,
  ));

test("most fields of a pod are immutable", () => {
  const old = pod({ containers: [container] }) as unknown as Pod;
  const image = pod({ containers: [{ ...container, image: "app:2" }] });
  const command = pod({ containers: [{ ...container, command: ["sh"] }] });
  expect(pods.validate(image, old)).toEqual([]);
  expect(messagesOf(pods.validate(command, old))[0]).toMatch(
    /^spec: Forbidden: pod updates may not change fields other than/,
  );
});

const deployment = (spec: object): Draft<Deployment> =>
  deployments.defaults({
    kind: "Deployment",
    metadata: { name: "web", namespace: "default" },
    spec: {
      selector: { matchLabels: { app: "web" } },
      template: { metadata: { labels: { app: "web" } }, spec: { containers: [container] } },
      ...spec,
    },
  } as Draft<Deployment>);

const wrongDeployments: readonly (readonly [what: string, spec: object, message: string | RegExp])[] = [
  [
    "a selector that does not match the template",
    { selector: { matchLabels: { app: "api" } } },
    /^spec.template.metadata.labels: Invalid value: .*`selector` does not match template `labels`$/,
  ],
  ["negative replicas", { replicas: -1 }, "spec.replicas: Invalid value: -1: must be greater than or equal to 0"],
  [
    "maxUnavailable and maxSurge of zero",
    { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } },
    "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0",
  ],
  [
    "rollingUpdate with Recreate",
    { strategy: { type: "Recreate", rollingUpdate: { maxSurge: 1 } } },
    "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'",
  ],
];
for (const [what, spec, message] of wrongDeployments)
  test(`a deployment with ${what} is refused`, () =>
    expect(messagesOf(deployments.validate(deployment(spec)))[0]).toMatch(message));

test("a deployment's selector is immutable", () => {
  const old = deployment({}) as unknown as Deployment;
  const both = {
    selector: { matchLabels: { a: "b" } },
    template: { metadata: { labels: { a: "b" } }, spec: { containers: [container] } },
  };
  expect(messagesOf(deployments.validate(deployment(both), old))).toContain(
    'spec.selector: Invalid value: {"matchLabels":{"a":"b"}}: field is immutable',
  );
});
