// Field ownership over HTTP: managedFields after every kind of write.
import { expect, test } from "vitest";
import { type JsonResponse, sharedJsonClient } from "./json-client.ts";

const send = sharedJsonClient();

const deployments = "/apis/apps/v1/namespaces/default/deployments";
const maps = "/api/v1/namespaces/default/configmaps";
const pods = "/api/v1/namespaces/default/pods";
const web = (name: string, spec: object = {}): object => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name, labels: { app: "web" } },
  spec: {
    ...spec,
    selector: { matchLabels: { app: "web" } },
    template: {
      metadata: { labels: { app: "web" } },
      spec: { containers: [{ name: "nginx", image: "nginx:1", ports: [{ containerPort: 80 }] }] },
    },
  },
});
const map = (name: string, data?: object, metadata: object = {}): object => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, ...metadata },
  ...(data && { data }),
});
/** Entries without their times. */
const entries = ({ json }: JsonResponse): object[] =>
  (json.metadata.managedFields ?? []).map(({ time, ...entry }: { time?: string }) => entry);
const inMerge = { "content-type": "application/merge-patch+json" };
const inStrategic = { "content-type": "application/strategic-merge-patch+json" };
const inSteps = { "content-type": "application/json-patch+json" };
const inApply = { "content-type": "application/apply-patch+yaml" };
const apply = (path: string, manager: string, body: object, query = ""): Promise<JsonResponse> =>
  send("PATCH", `${path}?fieldManager=${manager}${query}`, body, inApply);

test("create: the manager owns the fields of the request and the defaulted ones", async () => {
  const made = await send("POST", deployments, web("made"));
  const container = {
    ".": {},
    "f:image": {},
    "f:imagePullPolicy": {},
    "f:name": {},
    "f:ports": {
      ".": {},
      'k:{"containerPort":80,"protocol":"TCP"}': { ".": {}, "f:containerPort": {}, "f:protocol": {} },
    },
    "f:resources": {},
    "f:terminationMessagePath": {},
    "f:terminationMessagePolicy": {},
  };
  expect(entries(made)).toEqual([
    {
      manager: "tester",
      operation: "Update",
      apiVersion: "apps/v1",
      fieldsType: "FieldsV1",
      fieldsV1: {
        "f:metadata": { "f:labels": { ".": {}, "f:app": {} } },
        "f:spec": {
          "f:progressDeadlineSeconds": {},
          "f:replicas": {},
          "f:revisionHistoryLimit": {},
          "f:selector": {},
          "f:strategy": { "f:rollingUpdate": { ".": {}, "f:maxSurge": {}, "f:maxUnavailable": {} }, "f:type": {} },
          "f:template": {
            "f:metadata": { "f:labels": { ".": {}, "f:app": {} } },
            "f:spec": {
              "f:containers": { 'k:{"name":"nginx"}': container },
              "f:dnsPolicy": {},
              "f:restartPolicy": {},
              "f:schedulerName": {},
              "f:securityContext": {},
              "f:terminationGracePeriodSeconds": {},
            },
          },
        },
      },
    },
  ]);
  expect(made.json.metadata.managedFields[0].time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
});

test("a pod: fields set by admission have no manager", async () => {
  const made = await send("POST", pods, {
    metadata: { generateName: "p-", ownerReferences: [{ apiVersion: "v1", kind: "X", name: "x", uid: "u" }] },
    spec: { containers: [{ name: "c", image: "i" }] },
  });
  expect(entries(made)).toMatchObject([
    {
      fieldsV1: {
        "f:metadata": { "f:generateName": {}, "f:ownerReferences": { ".": {}, 'k:{"uid":"u"}': {} } },
        "f:spec": {
          "f:containers": { 'k:{"name":"c"}': { ".": {} } },
          "f:dnsPolicy": {},
          "f:enableServiceLinks": {},
          "f:restartPolicy": {},
          "f:schedulerName": {},
          "f:securityContext": {},
          "f:terminationGracePeriodSeconds": {},
        },
      },
    },
  ]);
  const [{ fieldsV1 }] = made.json.metadata.managedFields;
  expect(Object.keys(fieldsV1)).toEqual(["f:metadata", "f:spec"]);
  expect(Object.keys(fieldsV1["f:spec"])).toHaveLength(7);
});

test("a changed field moves to its writer; managers without fields and writes without changes have no entry", async () => {
  await send("POST", `${maps}?fieldManager=one`, map("moved", { a: "1" }));
  const patched = await send("PATCH", `${maps}/moved?fieldManager=two`, { data: { a: "2" } }, inMerge);
  expect(entries(patched)).toEqual([
    { manager: "one", operation: "Update", apiVersion: "v1", fieldsType: "FieldsV1", fieldsV1: { "f:data": {} } },
    {
      manager: "two",
      operation: "Update",
      apiVersion: "v1",
      fieldsType: "FieldsV1",
      fieldsV1: { "f:data": { "f:a": {} } },
    },
  ]);
  const again = await send("PATCH", `${maps}/moved?fieldManager=three`, { data: { a: "2" } }, inMerge);
  expect(again.json).toEqual(patched.json);
  const removed = await send("PATCH", `${maps}/moved?fieldManager=three`, { data: null }, inMerge);
  expect(removed.json.metadata.managedFields).toBeUndefined();
});

test("a status write has a separate entry of the same manager", async () => {
  await send("POST", pods, { metadata: { name: "part" }, spec: { containers: [{ name: "c", image: "i" }] } });
  const patch = { metadata: { annotations: { a: "b" } }, status: { message: "m" } };
  const response = await send("PATCH", `${pods}/part/status`, patch, inStrategic);
  expect(response.json.metadata.annotations).toEqual({ a: "b" });
  expect(entries(response)[1]).toEqual({
    manager: "tester",
    operation: "Update",
    apiVersion: "v1",
    fieldsType: "FieldsV1",
    fieldsV1: { "f:metadata": { "f:annotations": { ".": {}, "f:a": {} } }, "f:status": { "f:message": {} } },
    subresource: "status",
  });
});

test("a scale write owns replicas, and a later apply conflicts", async () => {
  await apply(`${deployments}/scaled`, "applier", web("scaled", { replicas: 1 }));
  const scale = { metadata: { name: "scaled" }, spec: { replicas: 5 } };
  expect((await send("PUT", `${deployments}/scaled/scale?fieldManager=scaler`, scale)).status).toBe(200);
  const stands = await send("GET", `${deployments}/scaled`);
  expect(stands.json.metadata.managedFields[1]).toEqual({
    manager: "scaler",
    operation: "Update",
    apiVersion: "apps/v1",
    fieldsType: "FieldsV1",
    fieldsV1: { "f:spec": { "f:replicas": {} } },
    subresource: "scale",
  });
  const refused = await apply(`${deployments}/scaled`, "applier", web("scaled", { replicas: 1 }));
  expect([refused.status, refused.json.message, refused.json.details.causes]).toEqual([
    409,
    'Apply failed with 1 conflict: conflict with "scaler" with subresource "scale" using apps/v1: .spec.replicas',
    [
      {
        reason: "FieldManagerConflict",
        message: 'conflict with "scaler" with subresource "scale" using apps/v1',
        field: ".spec.replicas",
      },
    ],
  ]);
  const left = await apply(`${deployments}/scaled`, "applier", web("scaled"));
  expect([left.status, left.json.spec.replicas]).toEqual([200, 5]);
});

test("a scale can be applied", async () => {
  await send("POST", deployments, web("applied-scale"));
  const scale = {
    apiVersion: "autoscaling/v1",
    kind: "Scale",
    metadata: { name: "applied-scale" },
    spec: { replicas: 3 },
  };
  const response = await apply(`${deployments}/applied-scale/scale`, "hpa", scale, "&force=true");
  expect([response.status, response.json.kind, response.json.spec]).toEqual([200, "Scale", { replicas: 3 }]);
  const { json } = await send("GET", `${deployments}/applied-scale`);
  expect(json.metadata.managedFields[0]).toMatchObject({ manager: "hpa", operation: "Apply", subresource: "scale" });
});

test("apply creates, changes, shares, takes over by force and releases fields", async () => {
  const at = `${maps}/applied`;
  const made = await apply(at, "one", map("applied", { a: "1", b: "1" }));
  expect([made.status, entries(made)]).toEqual([
    201,
    [
      {
        manager: "one",
        operation: "Apply",
        apiVersion: "v1",
        fieldsType: "FieldsV1",
        fieldsV1: { "f:data": { "f:a": {}, "f:b": {} } },
      },
    ],
  ]);
  const again = await apply(at, "one", map("applied", { a: "1", b: "1" }));
  expect([again.status, again.json]).toEqual([200, made.json]);
  const refused = await apply(at, "two", map("applied", { a: "2", b: "2" }));
  expect(refused.json.message).toBe('Apply failed with 2 conflicts: conflicts with "one":\n- .data.a\n- .data.b');
  const shared = await apply(at, "two", map("applied", { a: "1" }));
  expect(entries(shared)).toHaveLength(2);
  const forced = await apply(at, "two", map("applied", { a: "2" }), "&force=true");
  expect(forced.json.data).toEqual({ a: "2", b: "1" });
  const left = await apply(at, "two", map("applied"));
  expect(left.json.data).toEqual({ b: "1" });
});

test("fields of an object without managedFields belong to before-first-apply", async () => {
  await send("POST", maps, map("old", { a: "1" }));
  await send("PATCH", `${maps}/old`, { metadata: { managedFields: [] } }, inMerge);
  const refused = await apply(`${maps}/old`, "one", map("old", { a: "2" }));
  expect(refused.json.message).toBe(
    'Apply failed with 1 conflict: conflict with "before-first-apply" using v1: .data.a',
  );
});

test("kubectl's server-side apply takes over fields of its client-side apply", async () => {
  const annotation = "kubectl.kubernetes.io/last-applied-configuration";
  const config = map("migrated", { a: "1", b: "1" });
  const annotations = { [annotation]: JSON.stringify(config) };
  await send(
    "POST",
    `${maps}?fieldManager=kubectl-client-side-apply`,
    map("migrated", { a: "1", b: "1" }, { annotations }),
  );
  await send("PATCH", `${maps}/migrated?fieldManager=editor`, { data: { b: "2" } }, inMerge);
  const other = await apply(`${maps}/migrated`, "else", map("migrated", { a: "2" }));
  expect(other.json.message).toMatch(/conflict with "kubectl-client-side-apply" using v1: \.data\.a$/);
  const refused = await apply(`${maps}/migrated`, "kubectl", map("migrated", { a: "2", b: "3" }));
  expect(refused.json.message).toBe('Apply failed with 1 conflict: conflict with "editor" using v1: .data.b');
  const taken = await apply(`${maps}/migrated`, "kubectl", map("migrated", { a: "2" }));
  expect([taken.status, taken.json.data]).toEqual([200, { a: "2", b: "2" }]);
  expect(JSON.parse(taken.json.metadata.annotations[annotation])).toEqual(map("migrated", { a: "2" }));
});

test("managedFields can be cleared and replaced; an invalid value is ignored", async () => {
  await send("POST", maps, map("hand", { a: "1" }));
  for (const managedFields of [[], [{}]]) {
    const { json } = await send("PATCH", `${maps}/hand`, { metadata: { managedFields } }, inMerge);
    expect(json.metadata.managedFields).toBeUndefined();
  }
  const written = [
    {
      manager: "m",
      operation: "Apply",
      apiVersion: "v1",
      fieldsType: "FieldsV1",
      fieldsV1: { "f:data": { "f:a": {} } },
    },
  ];
  const by = await send("PATCH", `${maps}/hand`, { metadata: { managedFields: written } }, inMerge);
  expect(by.json.metadata.managedFields).toEqual(written);
  const wrong = [{ ...written[0], operation: "Wish" }];
  const passed = await send("PATCH", `${maps}/hand`, { metadata: { managedFields: wrong } }, inMerge);
  expect([passed.status, passed.json.metadata.managedFields]).toEqual([200, written]);
  // kubectl migrates its fields this way, with the resource version it has read.
  const at = (value: string): object => ({ op: "replace", path: "/metadata/resourceVersion", value });
  const step = { op: "replace", path: "/metadata/managedFields/0/manager", value: "n" };
  const late = await send("PATCH", `${maps}/hand`, [step, at("1")], inSteps);
  expect([late.status, late.json.reason]).toEqual([409, "Conflict"]);
  const steps = [step, at(passed.json.metadata.resourceVersion)];
  const moved = await send("PATCH", `${maps}/hand`, steps, inSteps);
  expect(moved.json.metadata.managedFields).toEqual([{ ...written[0], manager: "n" }]);
});

const wrongs: readonly (readonly [string, object, number, string])[] = [
  [
    "an unknown field",
    { ...map("x"), dat: {} },
    500,
    "failed to create typed patch object (/x; /v1, Kind=ConfigMap): .dat: field not declared in schema",
  ],
  [
    "a number for a string",
    map("x", { a: 1 }),
    500,
    "failed to create typed patch object (/x; /v1, Kind=ConfigMap): .data.a: expected string, got &value.valueUnstructured{Value:1}",
  ],
  ["another kind", { ...map("x"), kind: "Secret" }, 400, "invalid object type: /v1, Kind=Secret"],
  ["another name", map("y"), 400, "the name of the object (y) does not match the name on the URL (x)"],
  ["managedFields", map("x", {}, { managedFields: [{}] }), 400, "metadata.managedFields must be nil"],
];
for (const [what, body, status, message] of wrongs)
  test(`an apply with ${what} is refused`, async () => {
    const response = await apply(`${maps}/x`, "m", body);
    expect([response.status, response.json.message]).toEqual([status, message]);
  });
test("an apply requires a field manager, and list items without duplicates", async () => {
  const nameless = await send("PATCH", `${maps}/x`, map("x"), inApply);
  expect([nameless.status, nameless.json.message]).toEqual([
    422,
    'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
  ]);
  const twice = { name: "c", image: "i" };
  const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "p" }, spec: { containers: [twice, twice, {}] } };
  const response = await apply(`${pods}/p`, "m", pod);
  expect(response.json.message).toBe(
    [
      "failed to create typed patch object (/p; /v1, Kind=Pod): errors:",
      '  .spec.containers: duplicate entries for key [name="c"]',
      '  .spec.containers: element 2: associative list with keys has an element that omits key field "name" (and doesn\'t have default value)',
    ].join("\n"),
  );
});

test("a write in another version has an entry in that version", async () => {
  const old = "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers";
  const spec = {
    maxReplicas: 3,
    scaleTargetRef: { kind: "Deployment", name: "web" },
    targetCPUUtilizationPercentage: 50,
  };
  const made = await send("POST", `${old}?fieldManager=maker`, { metadata: { name: "a" }, spec });
  expect(entries(made)).toMatchObject([
    {
      manager: "maker",
      operation: "Update",
      apiVersion: "autoscaling/v1",
      fieldsV1: { "f:spec": { "f:maxReplicas": {}, "f:targetCPUUtilizationPercentage": {} } },
    },
  ]);
  const changed = await send("PATCH", `${old}/a?fieldManager=changer`, { spec: { maxReplicas: 4 } }, inMerge);
  expect(changed.json.metadata.managedFields.map((e: any) => [e.manager, e.apiVersion])).toEqual([
    ["changer", "autoscaling/v1"],
    ["maker", "autoscaling/v1"],
  ]);
  const current = await send("GET", `${old.replace("v1", "v2")}/a`);
  expect(current.json.spec.maxReplicas).toBe(4);
  expect(current.json.metadata.managedFields).toEqual(changed.json.metadata.managedFields);
});
