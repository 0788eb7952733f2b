// Field validation over HTTP: unknown fields, duplicate fields and wrong types, with the messages of each verb and
// content type.
import { expect, test } from "vitest";
import { sharedJsonClient } from "./json-client.ts";

const send = sharedJsonClient();

const path = "/apis/apps/v1/namespaces/default/deployments";
const json = (name: string): string =>
  `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"${name}","labels":{"app":"nginx"}},` +
  `"spec":{"unknown1":"val1","unknownDupe":"valDupe","unknownDupe":"valDupe2","paused":true,"paused":false,` +
  `"selector":{"matchLabels":{"app":"nginx"}},"template":{"metadata":{"labels":{"app":"nginx"}},"spec":{"containers":[` +
  `{"name":"nginx","image":"nginx:latest","unknownNested":"val1","imagePullPolicy":"Always","imagePullPolicy":"Never"}]}}}}`;
const yaml = (name: string): string => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  labels:
    app: nginx
spec:
  unknown1: val1
  unknownDupe: valDupe
  unknownDupe: valDupe2
  paused: true
  paused: false
  selector:
    matchLabels:
      app: nginx
  template:
    metadata:
      labels:
        app: nginx
    spec:
      containers:
      - name: nginx
        image: nginx:latest
        unknownNested: val1
        imagePullPolicy: Always
        imagePullPolicy: Never
`;
const valid = (name: string): object => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name },
  spec: {
    selector: { matchLabels: { app: "nginx" } },
    template: {
      metadata: { labels: { app: "nginx" } },
      spec: { containers: [{ name: "nginx", image: "nginx:latest" }] },
    },
  },
});
const inJson = [
  'unknown field "spec.unknown1"',
  'unknown field "spec.unknownDupe"',
  'duplicate field "spec.paused"',
  'unknown field "spec.template.spec.containers[0].unknownNested"',
  'duplicate field "spec.template.spec.containers[0].imagePullPolicy"',
];
const lines = [
  'line 10: key "unknownDupe" already set in map',
  'line 12: key "paused" already set in map',
  'line 26: key "imagePullPolicy" already set in map',
];
const unknown = [
  'unknown field "spec.template.spec.containers[0].unknownNested"',
  'unknown field "spec.unknown1"',
  'unknown field "spec.unknownDupe"',
];
const handled = 'Deployment in version "v1" cannot be handled as a Deployment: ';
const inYaml = { "content-type": "application/yaml" };

test("create: Strict refuses, Warn is the default, Ignore accepts without warnings", async () => {
  const strict = await send("POST", `${path}?fieldValidation=Strict`, json("a"));
  expect([strict.status, strict.json.reason, strict.json.message]).toEqual([
    400,
    "BadRequest",
    `${handled}strict decoding error: ${inJson.join(", ")}`,
  ]);
  const warned = await send("POST", path, json("a"));
  expect([warned.status, warned.warnings]).toEqual([201, inJson]);
  const silent = await send("POST", `${path}?fieldValidation=Ignore`, json("b"));
  expect([silent.status, silent.warnings]).toEqual([201, []]);
  expect(silent.json.spec.unknown1).toBeUndefined();
});

test("YAML: duplicate fields by line, then unknown fields in order", async () => {
  const strict = await send("POST", `${path}?fieldValidation=Strict`, yaml("duplicates"), inYaml);
  const errors = ["yaml: unmarshal errors:", ...lines.map((line) => `  ${line}`)].join("\n");
  expect(strict.json.message).toBe(`${handled}strict decoding error: ${[errors, ...unknown].join(", ")}`);
  const warned = await send("POST", `${path}?fieldValidation=Warn`, yaml("duplicates"), inYaml);
  expect([warned.status, warned.warnings]).toEqual([201, [...lines, ...unknown]]);
});

test("an update is validated like a create", async () => {
  await send("POST", path, valid("put"));
  const strict = await send("PUT", `${path}/put?fieldValidation=Strict`, json("put"));
  expect([strict.status, strict.json.message]).toEqual([400, `${handled}strict decoding error: ${inJson.join(", ")}`]);
  expect((await send("PUT", `${path}/put`, json("put"))).warnings).toEqual(inJson);
});

const patched = ["merge-patch", "strategic-merge-patch"] as const;
for (const type of patched)
  test(`a ${type}: duplicate fields of the patch, then unknown fields of the result`, async () => {
    const headers = { "content-type": `application/${type}+json` };
    const name = `of-${type}`;
    await send("POST", path, valid(name));
    const errors = [
      'duplicate field "spec.unknownDupe"',
      'duplicate field "spec.paused"',
      'duplicate field "spec.template.spec.containers[0].imagePullPolicy"',
      ...unknown,
    ];
    const strict = await send("PATCH", `${path}/${name}?fieldValidation=Strict`, json(name), headers);
    expect([strict.status, strict.json.reason]).toEqual([422, "Invalid"]);
    expect(strict.json.message).toMatch(/^ "" is invalid: patch: Invalid value: "/);
    expect(strict.json.message).toContain(`: strict decoding error: ${errors.join(", ")}`);
    expect(strict.json.details.causes).toEqual([
      { reason: "FieldValueInvalid", message: expect.any(String), field: "patch" },
    ]);
    expect((await send("PATCH", `${path}/${name}`, json(name), headers)).warnings).toEqual(errors);
    expect((await send("PATCH", `${path}/${name}?fieldValidation=Ignore`, json(name), headers)).warnings).toEqual([]);
  });

test("a JSON patch: operations are decoded strictly", async () => {
  const headers = { "content-type": "application/json-patch+json" };
  await send("POST", path, valid("steps"));
  const steps = `[{"op":"add","path":"/spec/unknown1","value":"v","foo":"bar"},
    {"op":"add","path":"/spec/unknown2","path":"/spec/unknown3","value":"v"},
    {"op":"add","path":"/spec/template/spec/containers/0/unknownNested","value":"v"}]`;
  const errors = [
    'json patch unknown field "[0].foo"',
    'json patch duplicate field "[1].path"',
    'unknown field "spec.template.spec.containers[0].unknownNested"',
    'unknown field "spec.unknown1"',
    'unknown field "spec.unknown3"',
  ];
  const strict = await send("PATCH", `${path}/steps?fieldValidation=Strict`, steps, headers);
  expect(strict.json.message).toContain(`strict decoding error: ${errors.join(", ")}`);
  expect((await send("PATCH", `${path}/steps`, steps, headers)).warnings).toEqual(errors);
});

test("an apply with duplicate fields is refused", async () => {
  const headers = { "content-type": "application/apply-patch+yaml" };
  const text = yaml("applied").replaceAll(/^ +unknown.*\n/gm, "");
  const at = `${path}/applied?fieldManager=m`;
  const duplicates = ['line 9: key "paused" already set in map', 'line 22: key "imagePullPolicy" already set in map'];
  const strict = await send("PATCH", `${at}&fieldValidation=Strict`, text, headers);
  expect([strict.status, strict.json.message]).toEqual([
    400,
    `error strict decoding patch: error converting YAML to JSON: yaml: unmarshal errors:\n${duplicates.map((l) => `  ${l}`).join("\n")}`,
  ]);
  const warned = await send("PATCH", at, text, headers);
  expect([warned.status, warned.warnings]).toEqual([201, duplicates]);
});

const refused: readonly (readonly [string, string, string])[] = [
  [
    "a string for a number",
    '{"spec":{"replicas":"x"}}',
    "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
  ],
  [
    "a fraction for an integer",
    '{"spec":{"replicas":1.5}}',
    "json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32",
  ],
  [
    "a number for a string, in an item",
    '{"spec":{"template":{"spec":{"containers":[{"image":1}]}}}}',
    "json: cannot unmarshal number into Go struct field Container.spec.template.spec.containers.image of type string",
  ],
  [
    "a number in a map of strings",
    '{"metadata":{"labels":{"a":1}}}',
    "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string",
  ],
  [
    "a string for an object",
    '{"spec":{"template":"x"}}',
    "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.template of type v1.PodTemplateSpec",
  ],
  [
    "an object for a list",
    '{"spec":{"template":{"spec":{"containers":{}}}}}',
    "json: cannot unmarshal object into Go struct field PodSpec.spec.template.spec.containers of type []v1.Container",
  ],
  [
    "a string for a boolean",
    '{"spec":{"paused":"yes"}}',
    "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.paused of type bool",
  ],
];
for (const [what, body, because] of refused)
  test(`wrong type: ${what}`, async () => {
    const { status, json: error } = await send("POST", path, body);
    expect([status, error.reason, error.message]).toEqual([400, "BadRequest", `${handled}${because}`]);
  });
test("wrong type: in a patch", async () => {
  await send("POST", path, valid("types"));
  const body = '{"spec":{"replicas":"x"}}';
  const merge = await send("PATCH", `${path}/types`, body, { "content-type": "application/merge-patch+json" });
  expect([merge.status, merge.json.message]).toEqual([
    422,
    expect.stringMatching(
      /: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32$/,
    ),
  ]);
  const strategic = await send("PATCH", `${path}/types`, body, {
    "content-type": "application/strategic-merge-patch+json",
  });
  expect(strategic.json.message).toBe(
    ' "" is invalid: patch: Invalid value: "map[spec:map[replicas:x]]": unrecognized type: int32',
  );
});

const unreadable: readonly (readonly [string, string, string])[] = [
  [
    "nothing",
    "",
    "the object provided is unrecognized (must be of type Deployment): couldn't get version/kind; json parse error: unexpected end of JSON input (<empty>)",
  ],
  [
    "no JSON",
    "{a:1}",
    "the object provided is unrecognized (must be of type Deployment): couldn't get version/kind; json parse error: invalid character 'a' looking for beginning of object key string ({a:1})",
  ],
  [
    "another kind",
    '{"kind":"Pod","apiVersion":"v1"}',
    'Pod in version "v1" cannot be handled as a Deployment: converting (v1.Pod) to (apps.Deployment): unknown conversion',
  ],
  [
    "an unknown kind",
    '{"kind":"Foo","apiVersion":"v1"}',
    'Foo in version "v1" cannot be handled as a Deployment: no kind "Foo" is registered for version "v1" in scheme "pkg/api/legacyscheme/scheme.go:30"',
  ],
];
for (const [what, body, message] of unreadable)
  test(`a body that is ${what}`, async () => {
    const response = await send("POST", path, body);
    expect([response.status, response.json.message]).toEqual([400, message]);
  });

const options: readonly (readonly [string, string, string, string])[] = [
  [
    "POST",
    path,
    "fieldValidation=Foo",
    'CreateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "Foo": supported values: "", "Ignore", "Strict", "Warn"',
  ],
  [
    "PUT",
    `${path}/x`,
    "dryRun=Some",
    'UpdateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Some"]: supported values: "All"',
  ],
  [
    "POST",
    path,
    `fieldManager=${"x".repeat(129)}`,
    'CreateOptions.meta.k8s.io "" is invalid: fieldManager: Too long: may not be more than 128 bytes',
  ],
  [
    "POST",
    path,
    "fieldManager=a%0Ab",
    'CreateOptions.meta.k8s.io "" is invalid: fieldManager: Invalid value: "a\\nb": invalid character U+000A (at position 1)',
  ],
  [
    "PATCH",
    `${path}/x`,
    "force=true",
    'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch',
  ],
  [
    "DELETE",
    `${path}/x`,
    "propagationPolicy=Never",
    'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "Never": supported values: "Foreground", "Background", "Orphan", "nil"',
  ],
];
for (const [method, at, query, message] of options)
  test(`an invalid option: ${method} ?${query.slice(0, 30)}`, async () => {
    const headers: Record<string, string> =
      method === "PATCH" ? { "content-type": "application/merge-patch+json" } : {};
    const body = method === "DELETE" ? undefined : "{}";
    const { status, json: error } = await send(method, `${at}?${query}`, body, headers);
    expect([status, error.reason, error.message]).toEqual([422, "Invalid", message]);
  });

test("warnings: duplicates are dropped, and long lists truncated", async () => {
  const many = (length: number): string =>
    `{"metadata":{"name":"long${length}"},"data":{},${Array.from({ length }, (_, i) => `"${"x".repeat(300)}${i}":1`).join(",")}}`;
  const { warnings } = await send("POST", "/api/v1/namespaces/default/configmaps", many(20));
  expect(warnings.length).toBe(16);
  expect(new Set(warnings.map((w) => w.length))).toEqual(new Set([256]));
});
