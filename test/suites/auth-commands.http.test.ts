// `orrery auth` against a server that decides by roles: what kubectl v1.36.3 prints for the same server.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { commandOutcome } from "./command-outcome.ts";
import { jsonClientOf } from "./json-client.ts";
import { listeningServer, type TestServer } from "./listening.ts";

const folder = mkdtempSync(join(tmpdir(), "orrery-auth-"));
let server: TestServer;
const group = "rbac.authorization.k8s.io";
const bound = (name: string, role: string, user: string): object => ({
  metadata: { name },
  roleRef: { apiGroup: group, kind: "ClusterRole", name: role },
  subjects: [{ kind: "User", name: user }],
});
beforeAll(async () => {
  server = await listeningServer({ authorizationMode: "RBAC" });
  const admin = jsonClientOf(server);
  const rules = [
    { apiGroups: ["", "apps"], resources: ["pods", "deployments", "deployments/scale"], verbs: ["get", "list"] },
    { apiGroups: ["apps"], resources: ["deployments"], verbs: ["list", "delete"] },
    { apiGroups: [""], resources: ["secrets"], resourceNames: ["a", "b"], verbs: ["get"] },
    { apiGroups: ["*"], resources: ["*/scale"], verbs: ["*"] },
    { nonResourceURLs: ["/metrics", "/logs/*"], verbs: ["get", "post"] },
  ];
  await admin("POST", `/apis/${group}/v1/clusterroles`, { metadata: { name: "mixed" }, rules });
  for (const binding of [bound("mixed", "mixed", "jane"), bound("lost", "no-such", "lost")])
    await admin("POST", `/apis/${group}/v1/clusterrolebindings`, binding);
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});
const run = (line: string) => commandOutcome([...line.split(" "), "--cache-dir", folder], server.kubeconfig);

const asNode = "--as=system:node:n1 --as-group=system:nodes";
const table: readonly (readonly [line: string, code: number, out: string, err?: string])[] = [
  ["can-i get pods --as=jane", 0, "yes\n"],
  ["can-i get secrets/a --as=jane", 0, "yes\n"],
  ["can-i get secrets/c --as=jane", 1, "no\n"],
  ["can-i delete pods --as=jane", 1, "no\n"],
  ["can-i delete pods --as=jane -q", 1, ""],
  ["can-i get nodes --as=jane", 1, "no\n", "Warning: resource 'nodes' is not namespace scoped\n\n"],
  [
    "can-i get storageclasses --as=jane",
    1,
    "no\n",
    "Warning: resource 'storageclasses' is not namespace scoped in group 'storage.k8s.io'\n\n",
  ],
  ["can-i get nodes --as=jane -A", 1, "no\n"],
  ["can-i frob pods --as=jane", 1, "no\n", "Warning: verb 'frob' is not a known verb\n\n"],
  ["can-i impersonate users --as=jane", 1, "no\n"],
  [
    "can-i get toasters.example.com --as=jane",
    1,
    "no\n",
    "Warning: the server doesn't have a resource type 'toasters' in group 'example.com'\n\n",
  ],
  ["can-i get /metrics --as=jane", 0, "yes\n"],
  ["can-i frob /metrics --as=jane", 1, "no\n", "Warning: verb 'frob' is not a known verb\n\n"],
  [`can-i list pods ${asNode}`, 1, "no - can only list/watch pods with spec.nodeName field selector\n"],
  ["can-i get pods --as=lost", 1, 'no - RBAC: clusterrole.rbac.authorization.k8s.io "no-such" not found\n'],
  [
    "can-i --list -q",
    1,
    "",
    "error: list option can't be specified with neither quiet, all-namespaces nor subresource options\n",
  ],
  ["can-i get pods --no-headers", 1, "", "error: --no-headers cannot be set without --list specified\n"],
  [
    "whoami --as=jane --as-uid=u1 --as-group=g1 --as-group=g2 --as-user-extra=k=v --as-user-extra=k=w",
    0,
    `ATTRIBUTE   VALUE
Username    jane
UID         u1
Groups      [g1 g2 system:authenticated]
Extra: k    [v w]
`,
  ],
  ["whoami -o jsonpath={.status.userInfo.username} --as=jane", 0, "jane"],
];
test.each(table)("auth %s", async (line, code, out, err = "") => {
  await expect.poll(async () => (await run("auth can-i get pods --as=jane")).code).toBe(0);
  expect(await run(`auth ${line}`)).toEqual({ code, out, err });
});

test("the list of rules joins those of one resource, and is ordered as kubectl orders it", async () => {
  const { out } = await run("auth can-i --list --as=jane");
  const own = /^Resources|scale|deployments|pods|secrets|logs|metrics/;
  // The columns are as wide as the longest path of the default roles.
  const columns = (line: string): readonly string[] => line.split(/ {2,}/);
  const rows = out.split("\n").filter((line) => own.test(line));
  expect(rows.map(columns)).toEqual(
    `
Resources                                       Non-Resource URLs   Resource Names   Verbs
*.*/scale                                       []                  []               [*]
deployments.apps                                []                  []               [get list delete]
deployments/scale                               []                  []               [get list]
deployments                                     []                  []               [get list]
pods                                            []                  []               [get list]
deployments.apps/scale                          []                  []               [get list]
pods.apps                                       []                  []               [get list]
                                                [/logs/*]           []               [get]
                                                [/metrics]          []               [get]
secrets                                         []                  [a]              [get]
secrets                                         []                  [b]              [get]
                                                [/logs/*]           []               [post]
                                                [/metrics]          []               [post]`
      .trim()
      .split("\n")
      .map(columns),
  );
});

test("a list that cannot be complete says so", async () => {
  const { err } = await run(`auth can-i --list ${asNode}`);
  expect(err).toBe("Warning: the list may be incomplete: node authorizer does not support user rule resolution\n");
});
