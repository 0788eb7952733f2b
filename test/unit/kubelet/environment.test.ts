// Environment variables, name resolution files and volume contents of containers.
import { describe, expect, test } from "vitest";
import type { ConfigMap, Container, Secret, Service } from "../../../api/generated/types.ts";
import { environment, expand, serviceEnvironment } from "../../../kubelet/podspec/environment.ts";
import { fieldValue, resourceValue } from "../../../kubelet/podspec/fields.ts";
import { hostnameOf, hostsFile, resolvConf } from "../../../kubelet/podspec/names-and-dns.ts";
import { referencesOf } from "../../../kubelet/podspec/references.ts";
import { limitsOf } from "../../../kubelet/podspec/resources.ts";
import { securityOf } from "../../../kubelet/podspec/security.ts";
import { contentOf } from "../../../kubelet/volumes/content.ts";
import { container, pod } from "./samples.ts";

const facts = { hostIp: "172.30.0.11", podIp: "10.244.1.5", allocatable: { cpu: "2", memory: "4Gi" } };
const lookup = {
  configMap: (name: string) => (name === "cm" ? ({ data: { a: "1", b: "2" } } as unknown as ConfigMap) : undefined),
  secret: (name: string) =>
    name === "se" ? ({ data: { s: Buffer.from("hush").toString("base64") } } as unknown as Secret) : undefined,
};
const env = (c: Partial<Container>): Readonly<Record<string, string>> =>
  Object.fromEntries(environment(pod(), container("c", c), { lookup, facts, services: [["SVC", "x"]] }));

describe("expansion", () => {
  const known = new Map([["A", "1"]]);
  const rows = [
    ["$(A)", "1"],
    ["x$(A)y", "x1y"],
    ["$$(A)", "$(A)"],
    ["$(B)", "$(B)"],
    ["$A ${A} $", "$A ${A} $"],
    ["$$$(A)", "$1"],
  ] as const;
  for (const [text, expected] of rows) test(`${text} is ${expected}`, () => expect(expand(text, known)).toBe(expected));
});

describe("environment", () => {
  test("later sources override, and references expand earlier variables", () => {
    const from = {
      envFrom: [{ prefix: "P_", configMapRef: { name: "cm" } }],
      env: [
        { name: "X", value: "$(P_a)$(SVC)" },
        { name: "SVC", value: "mine" },
      ],
    };
    expect(env(from)).toEqual({ SVC: "mine", P_a: "1", P_b: "2", X: "1x" });
  });
  test("secrets are decoded", () =>
    expect(env({ env: [{ name: "S", valueFrom: { secretKeyRef: { name: "se", key: "s" } } }] })["S"]).toBe("hush"));
  test("a missing reference is an error with its name", () => {
    const missing = (ref: object) => () => env({ env: [{ name: "M", valueFrom: ref }] });
    expect(missing({ configMapKeyRef: { name: "no", key: "a" } })).toThrow('configmap "no" not found');
    expect(missing({ configMapKeyRef: { name: "cm", key: "z" } })).toThrow(
      "couldn't find key z in ConfigMap default/cm",
    );
    expect(missing({ secretKeyRef: { name: "se", key: "z" } })).toThrow("couldn't find key z in Secret default/se");
  });
  test("a missing optional reference is omitted", () => {
    const ref = { name: "M", valueFrom: { configMapKeyRef: { name: "no", key: "a", optional: true } } };
    expect(env({ env: [ref], envFrom: [{ secretRef: { name: "no", optional: true } }] })).toEqual({ SVC: "x" });
  });
  test("downward API fields", () => {
    const field = (fieldPath: string) =>
      fieldValue({ ...pod(), metadata: { ...pod().metadata, labels: { b: "2", a: "1" } } }, fieldPath, facts);
    expect(field("status.podIP")).toBe("10.244.1.5");
    expect(field("metadata.labels['a']")).toBe("1");
    expect(field("metadata.labels")).toBe('a="1"\nb="2"');
  });
  test("unset limits default to allocatable, and divisors round up", () => {
    const c = container("c", { resources: { limits: { memory: "100M" } } });
    const value = (resource: string, divisor?: string) => resourceValue(pod(), c, { resource, divisor }, facts);
    expect(value("limits.cpu")).toBe("2");
    expect(value("limits.cpu", "1m")).toBe("2000");
    expect(value("limits.memory", "1Mi")).toBe("96");
    expect(value("requests.cpu")).toBe("0");
  });
  test("services of the namespace, and the kubernetes service", () => {
    const service = (namespace: string, name: string): Service =>
      ({
        metadata: { name, namespace },
        spec: { clusterIP: "10.96.0.7", ports: [{ port: 80, name: "http" }] },
      }) as unknown as Service;
    const all = [service("default", "my-web"), service("other", "away"), service("default", "kubernetes")];
    const names = serviceEnvironment(all, "default", true).map(([n]) => n);
    expect(names).toContain("MY_WEB_SERVICE_PORT_HTTP");
    expect(names.some((n) => n.startsWith("AWAY"))).toBe(false);
    expect(Object.fromEntries(serviceEnvironment(all, "default", false))).toMatchObject({
      KUBERNETES_PORT_80_TCP: "tcp://10.96.0.7:80",
    });
    expect(serviceEnvironment(all, "default", false).some(([n]) => n.startsWith("MY_WEB"))).toBe(false);
  });
});

describe("name resolution", () => {
  const settings = {
    clusterDns: "10.96.0.10",
    clusterDomain: "cluster.local",
    nodeResolvConf: "nameserver 9.9.9.9\nsearch corp",
    nodeHosts: "1.2.3.4 node\n",
  };
  test("cluster domains are searched first", () =>
    expect(resolvConf(pod(), settings)).toBe(
      "nameserver 10.96.0.10\nsearch default.svc.cluster.local svc.cluster.local cluster.local corp\noptions ndots:5\n",
    ));
  test("dnsPolicy Default uses the resolver of the node", () =>
    expect(resolvConf(pod({ spec: { dnsPolicy: "Default" } }), settings)).toBe("nameserver 9.9.9.9\nsearch corp\n"));
  test("dnsPolicy None uses only dnsConfig", () => {
    const dnsConfig = { nameservers: ["8.8.4.4"], options: [{ name: "ndots", value: "1" }] };
    expect(resolvConf(pod({ spec: { dnsPolicy: "None", dnsConfig } }), settings)).toBe(
      "nameserver 8.8.4.4\noptions ndots:1\n",
    );
  });
  test("a repeated option replaces the default", () =>
    expect(resolvConf(pod({ spec: { dnsConfig: { options: [{ name: "ndots", value: "2" }] } } }), settings)).toContain(
      "options ndots:2\n",
    ));
  test("a pod with a subdomain has its full name in the hosts file", () =>
    expect(hostsFile(pod({ spec: { subdomain: "db" } }), "10.244.1.5", settings)).toContain(
      "10.244.1.5\tweb-0.db.default.svc.cluster.local\tweb-0",
    ));
  test("long host names are truncated", () => {
    const long = pod({ spec: { hostname: `${"a".repeat(62)}-bbb` } });
    expect(hostnameOf(long)).toBe("a".repeat(62));
  });
});

describe("volumes", () => {
  const sources = { pod: pod(), lookup, facts, tokens: new Map() };
  const texts = (files: ReturnType<typeof contentOf>) =>
    Object.fromEntries(
      Object.entries(files ?? {}).map(([k, f]) => [k, `${Buffer.from(f.data)} ${f.mode.toString(8)}`]),
    );
  test("all keys of a ConfigMap", () =>
    expect(texts(contentOf({ name: "v", configMap: { name: "cm" } }, sources))).toEqual({ a: "1 644", b: "2 644" }));
  test("selected keys at custom paths", () => {
    const items = [{ key: "a", path: "x/y", mode: 0o400 }];
    expect(texts(contentOf({ name: "v", configMap: { name: "cm", items } }, sources))).toEqual({ "x/y": "1 400" });
  });
  test("projected sources", () => {
    const downwardAPI = { items: [{ path: "ip", fieldRef: { fieldPath: "status.podIP" } }] };
    const projected = { sources: [{ configMap: { name: "cm" } }, { secret: { name: "se" } }, { downwardAPI }] };
    expect(Object.keys(texts(contentOf({ name: "v", projected }, sources)))).toEqual(["a", "b", "s", "ip"]);
  });
  test("a missing reference is an error with its name", () => {
    expect(() => contentOf({ name: "v", secret: { secretName: "no" } }, sources)).toThrow('secret "no" not found');
    expect(() =>
      contentOf({ name: "v", configMap: { name: "cm", items: [{ key: "z", path: "z" }] } }, sources),
    ).toThrow("configmap default/cm references non-existent config key: z");
  });
  test("references are distinct", () => {
    const p = pod({
      spec: {
        volumes: [{ name: "v", configMap: { name: "cm" } }],
        containers: [container("c", { envFrom: [{ configMapRef: { name: "cm" } }, { secretRef: { name: "se" } }] })],
      },
    });
    expect(referencesOf(p)).toEqual([
      { kind: "ConfigMap", name: "cm" },
      { kind: "Secret", name: "se" },
    ]);
  });
});

describe("resources and security", () => {
  test("1024 shares per core, two without a request", () => {
    expect(limitsOf(container("c"))).toEqual({ cpuShares: 2 });
    const resources = { requests: { cpu: "500m" }, limits: { cpu: "1500m", memory: "64Mi" } };
    expect(limitsOf(container("c", { resources }))).toEqual({
      cpuShares: 512,
      cpuMillis: 1_500,
      memoryBytes: 67_108_864,
    });
  });
  test("runAsNonRoot refuses root", () => {
    const p = pod({ spec: { securityContext: { runAsNonRoot: true } } });
    expect(() => securityOf(p, container("c"), "")).toThrow("container has runAsNonRoot and image will run as root");
    expect(() => securityOf(p, container("c"), "nobody")).toThrow("non-numeric user (nobody)");
    expect(securityOf(p, container("c", { securityContext: { runAsUser: 1000, runAsGroup: 7 } }), "").user).toBe(
      "1000:7",
    );
  });
});
