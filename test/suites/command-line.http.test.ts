// Commands against a server: what they ask it, and what they print and refuse.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { request as httpsRequest } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connection } from "../../cli/client/connection.ts";
import { servedResources } from "../../cli/client/served-resources.ts";
import { commandOutcome } from "./command-outcome.ts";
import { listeningServer, type TestServer } from "./listening.ts";
import { json, rawClientOf } from "./raw-client.ts";

const folder = mkdtempSync(join(tmpdir(), "orrery-command-line-"));
let server: TestServer;
const deployment = {
  metadata: { name: "web" },
  spec: {
    selector: { matchLabels: { app: "web" } },
    template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "a", image: "a" }] } },
  },
};
const files: Readonly<Record<string, object>> = {
  "unnamed.json": { apiVersion: "v1", kind: "ConfigMap", metadata: { generateName: "x-" } },
  "unknown-field.json": { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" }, foo: "bar" },
  "typo-field.json": { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a", lables: {} } },
  "typo-kind.json": { apiVersion: "v1", kind: "ConfigMpa", metadata: { name: "a" } },
  "other-version.json": { apiVersion: "v1", kind: "Deployment", metadata: { name: "a" } },
  "role.json": {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "Role",
    metadata: { name: "r", namespace: "made" },
    rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }],
  },
  "policy.json": {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "p" },
    spec: { podSelector: {} },
  },
};
beforeAll(async () => {
  server = await listeningServer();
  const { send } = rawClientOf(server);
  const post = (path: string, object: object) =>
    send(path, { method: "POST", headers: json, body: JSON.stringify(object) });
  await post("/apis/apps/v1/namespaces/default/deployments", deployment);
  await post("/api/v1/namespaces/default/configmaps", { metadata: { name: "kept" } });
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), JSON.stringify(content));
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

/** What a command prints, and its exit code. */
async function outcome(line: string): Promise<readonly [out: string, err: string, code: number]> {
  const args = line.split(" ").map((word) => word.replace("FOLDER", folder));
  const { out, err, code } = await commandOutcome([...args, "--cache-dir", folder], server.kubeconfig);
  return [out, err, code];
}

const created = `\treconciliation required create
\tmissing rules added:
\t\t{Verbs:[get] APIGroups:[] Resources:[pods] ResourceNames:[] NonResourceURLs:[]}
`;
const noConfiguration =
  "error: no last-applied-configuration annotation found on resources, to create the annotation, use command `orrery apply set-last-applied --create-annotation`\n";
const notEnforced = "Warning: nothing here enforces NetworkPolicies yet\n";
const noSuchType = (word: string, meant: string): string =>
  `error: the server doesn't have a resource type "${word}"\nDid you mean: ${meant}?\n`;
const explainedPod = "KIND:       Pod\nVERSION:    v1\n\n";
const noSuchField = 'error: field "containres" does not exist\nDid you mean: containers?\n';
const noType = 'error: the server doesn\'t have a resource type "web"\nDid you mean: deploy/web?\n';
test.each<[line: string, out: string, err: string, code: number]>([
  // A name without a type.
  ["scale web --replicas=3", "", noType, 1],
  ["delete web", "", noType, 1],
  ["get web", "", noType, 1],
  ["describe web", "", noType, 1],
  ["rollout restart web", "", noType, 1],
  ["logs web", "", 'Error from server (NotFound): pods "web" not found\nDid you mean: deploy/web?\n', 1],
  ["delete ingressclass", "", "error: resource(s) were provided, but no name was specified\n", 1],
  // An object without a name is not all objects.
  ["delete -f FOLDER/unnamed.json", "", "error: resource name may not be empty\n", 1],
  ["get cm kept -o name", "configmap/kept\n", "", 0],
  ["get -f FOLDER/unnamed.json", "", "error: resource name may not be empty\n", 1],
  ["diff -f FOLDER/unnamed.json", "", "error: resource name may not be empty\n", 2],
  // What was probably meant.
  [
    "apply -f FOLDER/typo-field.json",
    "",
    'error: FOLDER/typo-field.json:1: unknown field "metadata.lables", did you mean "metadata.labels"?\n',
    1,
  ],
  [
    "apply -f FOLDER/typo-kind.json",
    "",
    'error: FOLDER/typo-kind.json:1: no matches for kind "ConfigMpa" in version "v1", did you mean "ConfigMap"?\n',
    1,
  ],
  [
    "apply -f FOLDER/other-version.json",
    "",
    'error: FOLDER/other-version.json:1: no matches for kind "Deployment" in version "v1", did you mean "apps/v1"?\n',
    1,
  ],
  ["get deploymnets", "", noSuchType("deploymnets", "deployments, deployment"), 1],
  ["explain pods.spec.containres", explainedPod, noSuchField, 1],
  // The server's answers.
  [
    "apply --server-side --validate=false -f FOLDER/unknown-field.json",
    "",
    "error: FOLDER/unknown-field.json:1: failed to create typed patch object (default/a; /v1, Kind=ConfigMap): .foo: field not declared in schema\n",
    1,
  ],
  ["get --raw /apis/nope", "", "Error from server (NotFound): the server could not find the requested resource\n", 1],
  ["get ns kube-system -o name --match-server-version", "namespace/kube-system\n", "", 0],
  ["auth reconcile -f FOLDER/role.json", `role.rbac.authorization.k8s.io/r reconciled\n`, created, 0],
  ["auth reconcile -f FOLDER/role.json", "role.rbac.authorization.k8s.io/r reconciled\n", "", 0],
  ["get role r -n made -o name", "role.rbac.authorization.k8s.io/r\n", "", 0],
  ["apply edit-last-applied cm/kept", "", noConfiguration, 1],
  // Kinds that nothing carries out.
  ["create -f FOLDER/policy.json", "networkpolicy.networking.k8s.io/p created\n", notEnforced, 0],
  ["replace -f FOLDER/policy.json", "networkpolicy.networking.k8s.io/p replaced\n", notEnforced, 0],
  ["create -f FOLDER/unnamed.json --dry-run=client", "configmap/<unknown> created (dry run)\n", "", 0],
])("orrery %s", async (line, out, err, code) => {
  expect(await outcome(line)).toEqual([out, err.replaceAll("FOLDER", folder), code]);
});

/** Forwards requests without what they accept, as a server without aggregated discovery understands them. */
async function olderServer(): Promise<Server> {
  const forward = (incoming: IncomingMessage): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const options = { ca: server.ca, ...server.admin, agent: false };
      httpsRequest(`${server.url}${incoming.url}`, options, resolve).on("error", reject).end();
    });
  const older = createServer((incoming, response) => {
    void forward(incoming).then((answer) => {
      response.writeHead(answer.statusCode!, { "content-type": "application/json" });
      answer.pipe(response);
    });
  });
  await new Promise<void>((resolve) => older.listen(0, "127.0.0.1", resolve));
  return older;
}

test("a server without aggregated discovery serves the same resources", async () => {
  const older = await olderServer();
  try {
    const { port } = older.address() as AddressInfo;
    const resources = await servedResources(connection({ server: `http://127.0.0.1:${port}` }));
    const current = await servedResources(connection({ server: server.url, ca: server.ca, ...server.admin }));
    expect(resources).toEqual(current);
  } finally {
    older.close();
  }
});
