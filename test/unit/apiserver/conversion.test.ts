// Writes in a version other than the stored one: defaulted once, and validated in the request version.
import { expect, test } from "vitest";
import { horizontalPodAutoscalersV1 } from "../../../api/autoscaling/horizontalpodautoscalers-v1.ts";
import { horizontalPodAutoscalers } from "../../../api/autoscaling/horizontalpodautoscalers.ts";
import { namespaces } from "../../../api/core/namespaces.ts";
import { events } from "../../../api/core/events.ts";
import { eventsV1 } from "../../../api/events/events.ts";
import type { ResourceDefinition } from "../../../api/kinds.ts";
import { type ApiObject, type Draft, key } from "../../../api/meta.ts";
import { clusterRegistry } from "../../../apiserver/cluster-registry.ts";
import { objectOf } from "../../../apiserver/registry/codec.ts";
import { memoryStorage } from "../../../apiserver/storage/log.ts";
import { kindRegistry } from "../../../machinery/kind-registry.ts";
import { realWorld } from "../../../machinery/real-world.ts";

/** A registry of a kind in two versions, and the versions that were defaulted. */
async function twoVersions(stored: ResourceDefinition, sent: ResourceDefinition) {
  const defaulted: string[] = [];
  const counting = (r: ResourceDefinition): ResourceDefinition => ({
    ...r,
    defaults(draft, old) {
      defaulted.push(r.version);
      return r.defaults(draft, old);
    },
  });
  const of = counting(stored);
  const r = counting({ ...sent, form: { ...sent.form!, of } });
  const kinds = kindRegistry([namespaces as unknown as ResourceDefinition, of, r]);
  const ranges = { serviceCidr: "10.96.0.0/16", nodePorts: { from: 1, to: 2 } };
  const verbs = clusterRegistry(
    memoryStorage(),
    realWorld(() => {}),
    { ...ranges, kinds },
  );
  await verbs.create(
    namespaces as unknown as ResourceDefinition,
    { metadata: { name: "default" } } as Draft<ApiObject>,
  );
  return { verbs, r, of, defaulted };
}

const scaleTargetRef = { kind: "Deployment", name: "web" };
const autoscaler = (spec: object, name = "a") =>
  ({ metadata: { name, namespace: "default" }, spec }) as unknown as Draft<ApiObject>;
const autoscalers = () =>
  twoVersions(
    horizontalPodAutoscalers as unknown as ResourceDefinition,
    horizontalPodAutoscalersV1 as unknown as ResourceDefinition,
  );

test("a create and an update are defaulted once each, in the stored version", async () => {
  const { verbs, r, of, defaulted } = await autoscalers();
  const draft = autoscaler({ maxReplicas: 3, scaleTargetRef });
  const made = objectOf(await verbs.create(r, draft, { manager: "me" }));
  expect(defaulted).toEqual(["v2"]);
  expect(made).toMatchObject({ spec: { minReplicas: 1, targetCPUUtilizationPercentage: 80 } });
  expect(made.metadata.managedFields).toMatchObject([{ apiVersion: "autoscaling/v1", manager: "me" }]);
  const target = { r, key: key("default", "a") };
  await verbs.change(target, (current) => ({ ...current, spec: { maxReplicas: 4, scaleTargetRef } }) as ApiObject);
  expect(defaulted).toEqual(["v2", "v2"]);
  const stored = objectOf(await verbs.get(of, target.key));
  expect(stored).toMatchObject({ spec: { minReplicas: 1, maxReplicas: 4, metrics: [{ type: "Resource" }] } });
});

test("events of either group are defaulted once", async () => {
  const { verbs, r, defaulted } = await twoVersions(
    events as unknown as ResourceDefinition,
    eventsV1 as unknown as ResourceDefinition,
  );
  const event = {
    metadata: { name: "e", namespace: "default" },
    eventTime: "2026-01-01T00:00:00.000000Z",
    ...{ action: "Act", reason: "Because", type: "Normal", reportingController: "x/y", reportingInstance: "i" },
    regarding: { namespace: "default", name: "n" },
  };
  const made = objectOf(await verbs.create(r, event as unknown as Draft<ApiObject>));
  expect(made).toMatchObject({ apiVersion: "events.k8s.io/v1", regarding: { name: "n" } });
  expect(defaulted).toHaveLength(1);
});

const refused = [
  [autoscaler({ maxReplicas: 0, scaleTargetRef }), "spec.maxReplicas: Invalid value: 0: must be greater than 0"],
  [
    autoscaler({ maxReplicas: 1, scaleTargetRef, targetCPUUtilizationPercentage: 0 }),
    "spec.metrics[0].resource.target.averageUtilization: Invalid value: 0: must be greater than 0",
  ],
  [{ metadata: { name: "a", namespace: "default" } } as Draft<ApiObject>, "spec.maxReplicas"],
  [autoscaler({ maxReplicas: 1, scaleTargetRef }, "Upper_Case"), "metadata.name: Invalid value"],
] as const;
for (const [draft, message] of refused)
  test(`of ${JSON.stringify(draft)} ${message} is reported`, async () => {
    const { verbs, r } = await autoscalers();
    await expect(verbs.create(r, draft)).rejects.toMatchObject({
      reason: "Invalid",
      message: expect.stringContaining(message),
    });
  });
