// What a request carries is data and nothing more: no address the server should not reach, no line of its log, no
// property of every object.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isProxyable } from "../../apiserver/proxy/target.ts";
import type { World } from "../../machinery/world.ts";
import { realWorld } from "../../machinery/real-world.ts";
import { grant, type Target, target } from "./attacker.ts";

const inDefault = "/api/v1/namespaces/default";
const lines: string[] = [];
const world: World = {
  ...realWorld(() => {}),
  log: (message, fields) => void lines.push(JSON.stringify({ message, ...fields })),
};
let t: Target;
let token: string;
beforeAll(async () => {
  t = await target({ world });
  token = await t.tokenOf("writer");
  const verbs = ["get", "list", "create", "update", "patch", "delete"];
  await grant(
    t,
    "system:serviceaccount:default:writer",
    { apiGroups: [""], resources: ["pods", "pods/status", "services", "endpoints", "configmaps"], verbs },
    { apiGroups: [""], resources: ["pods/proxy", "services/proxy"], verbs },
    { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs },
  );
});
afterAll(() => t.close());

describe("addresses that no proxy connects to", () => {
  test.each([
    ...["127.0.0.1", "127.1.2.3", "0.0.0.0", "169.254.169.254", "224.0.0.1", "255.255.255.255", "240.0.0.1"],
    ...["::1", "::", "0:0:0:0:0:0:0:1", "0::1", "fe80::1", "febf::1", "ff02::1"],
    ...["::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:169.254.169.254", "::ffff:0.0.0.0", "0:0:0:0:0:ffff:7f00:0001"],
    ...["127.1", "2130706433", "0x7f000001", "0177.0.0.1", "localhost", "", "::1%lo", "127.0.0.1 "],
  ])("%s", (address) => expect(isProxyable(address)).toBe(false));
  test.each(["10.244.1.2", "172.18.0.3", "192.168.1.1", "8.8.8.8", "2001:db8::1", "fd00::1", "::ffff:10.0.0.1"])(
    "but %s",
    (address) => expect(isProxyable(address)).toBe(true),
  );
});

test("a pod whose status names an address of the server is not proxied to", async () => {
  const path = `${inDefault}/pods`;
  await t.attempt({
    ...{ method: "POST", path, token },
    body: { metadata: { name: "liar" }, spec: { containers: [{ name: "c", image: "i" }] } },
  });
  for (const ip of ["127.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1"]) {
    const { json: pod } = await t.admin("GET", `${path}/liar`);
    const status = { ...pod.status, podIP: ip, podIPs: [{ ip }] };
    await t.attempt({ method: "PUT", path: `${path}/liar/status`, body: { ...pod, status }, token });
    const port = new URL(t.server.url).port;
    const outcome = await t.attempt({ path: `${path}/https:liar:${port}/proxy/api/v1/secrets`, token });
    expect([400, 403], `${ip} ${outcome.text.slice(0, 300)}`).toContain(outcome.status);
  }
});

test("a service whose endpoints name addresses of the server is not proxied to", async () => {
  const metadata = { name: "mirror", labels: { "kubernetes.io/service-name": "mirror" } };
  const port = Number(new URL(t.server.url).port);
  await t.attempt({
    ...{ method: "POST", path: `${inDefault}/services`, token },
    body: { metadata: { name: "mirror" }, spec: { ports: [{ port }] } },
  });
  for (const address of ["127.0.0.1", "10.96.0.1"]) {
    await t.attempt({
      ...{ method: "POST", path: "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", token },
      body: {
        metadata: { ...metadata, name: `mirror-${address.replaceAll(".", "-")}` },
        addressType: "IPv4",
        ports: [{ port }],
        endpoints: [{ addresses: [address] }],
      },
    });
    const outcome = await t.attempt({ path: `${inDefault}/services/https:mirror:${port}/proxy/api`, token });
    expect(outcome.status, outcome.text.slice(0, 300)).toBe(503);
  }
});

test("a request writes one line of the log, whatever it contains", async () => {
  const before = lines.length;
  const evil = '"}\\n{"level":60,"msg":"forged"}';
  const paths = [
    `/api/v1/pods?x=${encodeURIComponent('\n{"forged":true}')}`,
    "/api/v1/namespaces/%0A%7B%22forged%22%3Atrue%7D/pods",
    "/%1b%5b2J",
  ];
  for (const path of paths) await t.attempt({ path, token, headers: { "user-agent": evil, "audit-id": evil } });
  const written = lines.slice(before).filter((line) => JSON.parse(line).message === "request");
  expect(written).toHaveLength(paths.length);
  for (const line of written) {
    expect([...line].every((character) => character >= " ")).toBe(true);
    expect(JSON.parse(line)).not.toHaveProperty("forged");
  }
});

test("a header of a response is not split by what a request contains", async () => {
  for (const path of [
    `${inDefault}/pods?continue=a%0d%0aset-cookie:%20a=b`,
    `${inDefault}/configmaps/x%0d%0aset-cookie:%20a=b`,
    `${inDefault}/configmaps?fieldManager=%0d%0aset-cookie:%20a=b`,
    "/api/v1/namespaces/default/pods/x/%0d%0aset-cookie:%20a=b",
  ]) {
    const { text } = await t.attempt({ path, token });
    expect(text.split("\r\n\r\n")[0]).not.toMatch(/^set-cookie/im);
  }
});

const polluted = { polluted: "yes" };
const bodies: readonly (readonly [what: string, type: string, body: string])[] = [
  ["JSON", "application/json", `{"metadata":{"name":"NAME"},"__proto__":{"polluted":"yes"}}`],
  ["JSON, in labels", "application/json", `{"metadata":{"name":"NAME","labels":{"__proto__":{"polluted":"yes"}}}}`],
  ["JSON, in data", "application/json", `{"metadata":{"name":"NAME"},"data":{"__proto__":"yes","constructor":"x"}}`],
  [
    "JSON, by constructor",
    "application/json",
    `{"metadata":{"name":"NAME"},"constructor":{"prototype":{"polluted":"yes"}}}`,
  ],
  [
    "YAML",
    "application/yaml",
    `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: NAME\n__proto__:\n  polluted: "yes"\n`,
  ],
  [
    "YAML, merged",
    "application/yaml",
    `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: NAME\ndata:\n  __proto__: {polluted: "yes"}\n`,
  ],
];
test.each(bodies)("no property of every object: %s", async (_, type, text) => {
  const body = text.replace("NAME", `made-${bodies.findIndex((row) => row[2] === text)}`);
  const headers = { "content-type": type, "content-length": String(body.length) };
  const outcome = await t.attempt({ method: "POST", path: `${inDefault}/configmaps`, body, headers, token });
  expect(outcome.status).toBeLessThan(500);
  expect(({} as typeof polluted).polluted).toBeUndefined();
  expect(Object.prototype).not.toHaveProperty("polluted");
});

const patches: readonly (readonly [type: string, body: string])[] = [
  ["application/merge-patch+json", `{"__proto__":{"polluted":"yes"}}`],
  ["application/merge-patch+json", `{"metadata":{"annotations":{"__proto__":{"polluted":"yes"}}}}`],
  ["application/merge-patch+json", `{"data":{"__proto__":{"polluted":"yes"}}}`],
  ["application/merge-patch+json", `{"constructor":{"prototype":{"polluted":"yes"}}}`],
  ["application/strategic-merge-patch+json", `{"__proto__":{"polluted":"yes"}}`],
  ["application/strategic-merge-patch+json", `{"metadata":{"labels":{"__proto__":{"polluted":"yes"}}}}`],
  ["application/strategic-merge-patch+json", `{"constructor":{"prototype":{"polluted":"yes"}}}`],
  ["application/json-patch+json", `[{"op":"add","path":"/__proto__/polluted","value":"yes"}]`],
  ["application/json-patch+json", `[{"op":"add","path":"/metadata/__proto__/polluted","value":"yes"}]`],
  ["application/json-patch+json", `[{"op":"add","path":"/constructor/prototype/polluted","value":"yes"}]`],
  ["application/json-patch+json", `[{"op":"add","path":"/data","value":{"__proto__":{"polluted":"yes"}}}]`],
  ["application/json-patch+json", `[{"op":"copy","from":"/metadata","path":"/__proto__"}]`],
  ["application/json-patch+json", `[{"op":"move","from":"/data","path":"/__proto__/polluted"}]`],
  [
    "application/apply-patch+yaml",
    `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"kept"},"data":{"__proto__":"yes"}}`,
  ],
  [
    "application/apply-patch+yaml",
    `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kept}\n__proto__: {polluted: "yes"}\n`,
  ],
];
test.each(patches)("no property of every object: %s %s", async (type, body) => {
  const path = `${inDefault}/configmaps`;
  await t.admin("POST", path, { metadata: { name: "kept" }, data: { a: "b" } });
  const headers = { "content-type": type, "content-length": String(body.length) };
  const target = `${path}/kept?fieldManager=x&force=true`;
  const outcome = await t.attempt({ method: "PATCH", path: target, body, headers, token });
  // As Kubernetes does, the server calls a field that no schema has an internal error of an apply.
  const isUnknownField = outcome.text.includes("field not declared in schema");
  expect(outcome.status < 500 || isUnknownField, outcome.text.slice(0, 300)).toBe(true);
  expect(({} as typeof polluted).polluted).toBeUndefined();
  expect((await t.admin("GET", `${path}/kept`)).json.metadata.name).toBe("kept");
  expect((await t.admin("GET", `${path}/kept`)).json).not.toHaveProperty("polluted");
});

test("names of parameters, labels and kinds that every object has", async () => {
  for (const path of [
    "/api/v1/constructor",
    "/api/v1/__proto__",
    "/apis/__proto__/v1/pods",
    "/apis/constructor/prototype/pods",
    `${inDefault}/__proto__/x`,
    `${inDefault}/configmaps/__proto__`,
    `${inDefault}/configmaps/x/constructor`,
    `${inDefault}/configmaps?labelSelector=__proto__`,
    `${inDefault}/configmaps?fieldSelector=__proto__%3Dx`,
    `${inDefault}/configmaps?__proto__=x&constructor=y&hasOwnProperty=z`,
  ]) {
    const outcome = await t.attempt({ path, token });
    expect(outcome.status, `${path} ${outcome.text.slice(0, 300)}`).toBeLessThan(500);
    expect(outcome.status).toBeGreaterThanOrEqual(200);
  }
  const { status } = await t.attempt({ path: "/api", token, headers: { __proto__: "x", constructor: "y" } });
  expect(status).toBe(200);
});
