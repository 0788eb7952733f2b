// Malformed requests, drawn from a seed: valid ones with one part broken.
import type { Random } from "../../machinery/world.ts";

/** A request before it is sent. */
export interface Request {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

/** Seeded random choices. */
export interface Dice {
  below(n: number): number;
  oneOf<T>(choices: readonly T[]): T;
  chance(probability: number): boolean;
}
export const diceOf = (random: Random): Dice => ({
  below: (n) => Math.floor(random.next() * n),
  oneOf: (choices) => choices[Math.floor(random.next() * choices.length)]!,
  chance: (probability) => random.next() < probability,
});

const nested = (depth: number, open: string, close: string): string => open.repeat(depth) + close.repeat(depth);
/** Values that are valid only for some fields. */
const values: readonly string[] = [
  ...[
    "null",
    "true",
    "0",
    "-1",
    "1e999",
    "1.5",
    "9007199254740993",
    "-0",
    '""',
    '"a"',
    '"\\u0000"',
    '"\\ud800"',
    "[]",
    "{}",
    "[null]",
  ],
  ...[
    '{"a":1,"a":2}',
    '{"__proto__":{"x":1}}',
    '{"constructor":{"prototype":{"x":1}}}',
    '"💥"',
    '"100m"',
    '"1Ei999"',
    '"%s%n"',
  ],
  ...[
    nested(50, "[", "]"),
    nested(3_000, '{"a":', "}").replace("}", "1}"),
    nested(20_000, "[", "]"),
    `"${"x".repeat(5_000)}"`,
  ],
];
const names: readonly string[] = [
  ...[
    "a",
    "web",
    "A",
    "-a",
    "a.b",
    "a_b",
    "a/b",
    "..",
    ".",
    "%00",
    "%zz",
    "%2e%2e",
    "%2F",
    "ü",
    "名前",
    "x".repeat(300),
    "kubernetes",
  ],
];
const plurals = [
  "pods",
  "configmaps",
  "deployments",
  "services",
  "nodes",
  "namespaces",
  "secrets",
  "leases",
  "events",
  "nothings",
];
const groups = [
  "/api/v1",
  "/apis/apps/v1",
  "/apis/coordination.k8s.io/v1",
  "/apis/nowhere/v9",
  "/api",
  "/apis",
  "//api//v1",
  "/api/v2",
];
const parts = [
  "",
  "",
  "",
  "",
  "/status",
  "/scale",
  "/log",
  "/exec",
  "/eviction",
  "/binding",
  "/finalize",
  "/proxy",
  "/proxy/x",
  "/nothing",
  "/a/b/c",
];
const elsewhere = [
  "/",
  "/openapi/v2",
  "/openapi/v3/api/v1",
  "/openapi/v3/x",
  "/metrics",
  "/livez/ping",
  "/readyz?verbose",
  "/version",
  "/%",
  "/api/v1/watch/pods?timeoutSeconds=1",
];

const queries: readonly (readonly [string, readonly string[]])[] = [
  [
    "labelSelector",
    ["a=b", "a in (b,c)", "a in (", "!", "a,,b", "a=b=c", "(", ")", "a notin (", "💥=1", "a==b,!c", "x".repeat(2_000)],
  ],
  [
    "fieldSelector",
    [
      "metadata.name=a",
      "spec.nodeName!=",
      "nothing=1",
      "=",
      "a=b\\",
      "metadata.name=a,metadata.name!=a",
      ",,,",
      "a\\=b=c",
    ],
  ],
  ["limit", ["0", "1", "-1", "1e3", "99999999999999999999", "x", ""]],
  ["continue", ["x", "eyJ2IjoxfQ", "e30", "bnVsbA", "=", "%00", "W10"]],
  ["resourceVersion", ["0", "1", "-1", "x", "99999999", "1.5", "9".repeat(40)]],
  ["resourceVersionMatch", ["Exact", "NotOlderThan", "x", ""]],
  ["fieldValidation", ["Strict", "Warn", "Ignore", "Perhaps"]],
  ["dryRun", ["All", "Some", "", "All&dryRun=All"]],
  ["fieldManager", ["me", "x".repeat(200), "%07", ""]],
  ["propagationPolicy", ["Orphan", "Foreground", "x"]],
  ["gracePeriodSeconds", ["0", "-1", "x", "99999999999"]],
  ["timeoutSeconds", ["0", "1", "-1", "x"]],
  ["force", ["true", "x", ""]],
  ["pretty", ["true", "x"]],
  ["includeObject", ["None", "Object", "x"]],
  ["container", ["a", "%00"]],
  ["tailLines", ["-1", "x", "1"]],
];
const accepts = [
  "application/json",
  "*/*",
  "application/yaml",
  "text/plain",
  "application/vnd.kubernetes.protobuf",
  "x",
  ",;q=",
  "application/json;as=Table;v=v1;g=meta.k8s.io",
  "application/json;as=x",
  "application/json;q=0",
  ";;;",
  "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
];
const bodyTypes = ["application/json", "application/json", "application/yaml"];
const patchTypes = [
  ...["application/merge-patch+json", "application/strategic-merge-patch+json", "application/json-patch+json"],
  "application/apply-patch+yaml",
];
const strangeTypes = [
  ...bodyTypes,
  ...patchTypes,
  ...["application/vnd.kubernetes.protobuf", "application/json; charset=latin1", "text/html", "", ";"],
  "application/cbor",
];
const agents = ["kubectl/v1.33.0 (linux/amd64)", "x".repeat(500), "\u00ff\u00fe", "/", ""];

const pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "a", namespace: "default", labels: { app: "a" } },
  spec: {
    containers: [
      {
        name: "c",
        image: "i",
        env: [{ name: "A", value: "b" }],
        ports: [{ containerPort: 80 }],
        resources: { requests: { cpu: "1" } },
      },
    ],
    volumes: [{ name: "v", emptyDir: {} }],
  },
};
const deployment = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "a" },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: "a" } },
    template: { metadata: { labels: { app: "a" } }, spec: pod.spec },
  },
};
/** Paths and valid documents for them. */
interface Place {
  readonly root: string;
  readonly plural: string;
  readonly document: string;
}
const place = (root: string, plural: string, document: object): Place => ({
  root,
  plural,
  document: JSON.stringify(document),
});
const meta = { name: "a", generateName: "a-" };
const others: readonly Place[] = [
  place("/api/v1", "configmaps", { apiVersion: "v1", kind: "ConfigMap", metadata: meta, data: { a: "b" } }),
  place("/api/v1", "configmaps", { apiVersion: "v1", kind: "ConfigMap", metadata: { generateName: "a-" }, data: {} }),
  place("/api/v1", "services", { apiVersion: "v1", kind: "Service", metadata: meta, spec: { ports: [{ port: 80 }] } }),
  place("/api/v1", "secrets", { kind: "DeleteOptions", preconditions: { uid: "x" } }),
  place("/apis/batch/v1", "jobs", { kind: "Job", metadata: meta, spec: { template: { spec: pod.spec } } }),
];
const places: readonly Place[] = [
  place("/api/v1", "pods", pod),
  place("/apis/apps/v1", "deployments", deployment),
  ...others,
];

const operations = ["add", "remove", "replace", "move", "copy", "test", "nothing"];
const pointers = [
  "",
  "/",
  "/metadata/labels/x",
  "/spec/containers/0",
  "/spec/containers/-",
  "/spec/containers/99999",
  "/~2",
  "/__proto__/x",
  "/metadata/name",
  "/spec/containers/-1",
];
const directives = [
  '{"$patch":"delete"}',
  '{"$patch":"replace","a":1}',
  '{"$patch":"x"}',
  '{"$retainKeys":["a"]}',
  '{"$setElementOrder/containers":[{"name":"z"}]}',
  '{"$deleteFromPrimitiveList/finalizers":["a"]}',
  '{"$setElementOrder/containers":1}',
  '{"spec":{"containers":[{"$patch":"delete","name":"c"},{"$patch":"replace"}]}}',
];

/** A JSON text with a replaced value, a removed part or a repeated part. */
function broken(dice: Dice, text: string): string {
  const at = dice.below(text.length);
  switch (dice.below(5)) {
    case 0: {
      const spots = [...text.matchAll(/:("[^"]*"|\d+|\{|\[)/g)];
      const spot = spots[dice.below(spots.length)];
      if (!spot) return text;
      return text.slice(0, spot.index + 1) + dice.oneOf(values) + text.slice(spot.index + spot[0].length);
    }
    case 1:
      return text.slice(0, at);
    case 2:
      return text.slice(0, at) + text.slice(at + 1 + dice.below(8));
    case 3:
      return text.slice(0, at) + text.slice(at, at + 30) + text.slice(at);
    default:
      return text;
  }
}

const aliases = (levels: number): string =>
  [
    "a0: &a0 [x, x, x, x, x, x, x, x, x]",
    ...Array.from({ length: levels }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i}, `.repeat(9)}]`),
  ].join("\n");

function bodyOf(dice: Dice, type: string, fitting: string): Buffer | undefined {
  if (dice.chance(0.05)) return Buffer.from(dice.oneOf(values));
  if (dice.chance(0.03)) return Buffer.from(Array.from({ length: dice.below(200) }, () => dice.below(256)));
  if (dice.chance(0.02)) return Buffer.from(aliases(8));
  if (type.includes("json-patch")) {
    const one = (): string =>
      `{"op":"${dice.oneOf(operations)}","path":"${dice.oneOf(pointers)}","from":"${dice.oneOf(pointers)}","value":${dice.oneOf(values)}}`;
    return Buffer.from(`[${Array.from({ length: dice.below(4) }, one).join(",")}]`);
  }
  if (type.includes("strategic") && dice.chance(0.6)) return Buffer.from(broken(dice, dice.oneOf(directives)));
  if (type.includes("protobuf")) {
    const inside = Array.from({ length: dice.below(100) }, () => dice.below(256));
    return Buffer.from([0x6b, 0x38, 0x73, 0x00, ...inside]);
  }
  if (dice.chance(0.05)) return undefined;
  return Buffer.from(broken(dice, dice.chance(0.8) ? fitting : dice.oneOf(places).document));
}

/** The path of a place, or an unknown one. */
function pathOf(dice: Dice, { root, plural }: Place, method: string): string {
  if (dice.chance(0.04)) return dice.oneOf(elsewhere);
  const isLost = dice.chance(0.2);
  const inside = dice.chance(0.9) ? `/namespaces/${dice.chance(0.9) ? "default" : dice.oneOf(names)}` : "";
  const name = dice.chance(0.7) ? "a" : dice.oneOf(names);
  const part = dice.chance(0.7) ? "" : dice.oneOf(parts);
  const named = (method === "POST" ? dice.chance(0.15) : dice.chance(0.9)) ? `/${name}${part}` : "";
  return `${isLost ? dice.oneOf(groups) : root}${inside}/${isLost ? dice.oneOf(plurals) : plural}${named}`;
}

function queryOf(dice: Dice): string {
  const chosen = Array.from({ length: dice.below(3) }, () => dice.oneOf(queries));
  const parameters = chosen.map(([name, all]) => `${name}=${dice.oneOf(all).replaceAll(" ", "%20")}`);
  // Watches last until they are closed: only short ones.
  if (dice.chance(0.005)) return "?watch=1&timeoutSeconds=1";
  return parameters.length === 0 ? "" : `?${parameters.join("&")}`;
}

/** One malformed request. */
export function malformedRequest(dice: Dice): Request {
  const method = dice.oneOf(["GET", "GET", "POST", "POST", "PUT", "PATCH", "PATCH", "DELETE", "HEAD", "OPTIONS"]);
  const to = dice.oneOf(places);
  const types = method === "PATCH" ? patchTypes : bodyTypes;
  const type = dice.chance(0.85) ? dice.oneOf(types) : dice.oneOf(strangeTypes);
  const sends = !["GET", "HEAD", "OPTIONS"].includes(method);
  const body = sends ? bodyOf(dice, type, to.document) : undefined;
  const path = Buffer.from(pathOf(dice, to, method) + queryOf(dice)).toString("latin1");
  const headers = {
    ...(dice.chance(0.3) && { accept: dice.oneOf(accepts) }),
    ...(sends && type !== "" && { "content-type": type }),
    ...(body && { "content-length": String(body.length) }),
    ...(dice.chance(0.2) && { "user-agent": dice.oneOf(agents) }),
    ...(dice.chance(0.1) && { "accept-encoding": dice.oneOf(["gzip", "br", "x;q=", "gzip;q=0"]) }),
    ...(dice.chance(0.05) && { "if-none-match": dice.oneOf(["*", "x", '"a"']) }),
  };
  return { method, path, headers, ...(body && { body }) };
}
