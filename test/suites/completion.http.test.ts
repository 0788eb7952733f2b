// Completion against a server: what is offered where. Where kubectl 1.36 offers something, the same is expected, except
// for the rows that say more.
import { execFile, execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { commandTable } from "../../cli/command-table.ts";
import { complete } from "../../cli/completion/complete.ts";
import { scripts } from "../../cli/completion/scripts.ts";
import { listeningServer, type TestServer } from "./listening.ts";
import { json, rawClientOf } from "./raw-client.ts";

const folder = mkdtempSync(join(tmpdir(), "orrery-completion-"));
let server: TestServer;
const meta = (name: string) => ({ metadata: { name } });
const podSpec = {
  initContainers: [{ name: "init", image: "a" }],
  containers: [
    { name: "app", image: "a" },
    { name: "side", image: "b" },
  ],
};
const template = { metadata: { labels: { app: "web" } }, spec: podSpec };
const objects: readonly (readonly [path: string, object: object])[] = [
  ["/api/v1/namespaces", meta("ux")],
  ["/api/v1/namespaces", meta("uy")],
  ["/api/v1/nodes", meta("n1")],
  ["/api/v1/nodes", meta("n2")],
  ["/api/v1/namespaces/default/serviceaccounts", meta("default")],
  ["/api/v1/namespaces/default/pods", { ...meta("web-1"), spec: podSpec }],
  ["/api/v1/namespaces/default/pods", { ...meta("web-2"), spec: podSpec }],
  [
    "/apis/apps/v1/namespaces/default/deployments",
    { ...meta("web"), spec: { selector: { matchLabels: { app: "web" } }, template } },
  ],
  ["/api/v1/namespaces/ux/configmaps", meta("settings")],
];
beforeAll(async () => {
  server = await listeningServer();
  const { send } = rawClientOf(server);
  for (const [path, object] of objects) {
    const { status } = await send(path, { method: "POST", headers: json, body: JSON.stringify(object) });
    if (status >= 300 && status !== 409) throw new Error(`${path}: ${status}`);
  }
  const launcher = join(folder, "orrery");
  const main = join(import.meta.dirname, "../../cli/main.ts");
  writeFileSync(launcher, `#!/bin/sh\nexec "${process.execPath}" "${main}" "$@"\n`);
  chmodSync(launcher, 0o755);
  writeFileSync(join(folder, "app.yaml"), "");
  writeFileSync(join(folder, "apple.txt"), "");
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

const allNamespaces = "default kube-node-lease kube-public kube-system ux uy";
const podTypes = "daemonsets/ deployments/ pods/ jobs/ replicasets/ replicationcontrollers/ services/ statefulsets/";
const scalable = "deployment replicaset replicationcontroller statefulset";
const printed = "custom-columns custom-columns-file json jsonpath jsonpath-as-json jsonpath-file kyaml name wide yaml";

/** What is typed, what is offered, and the directive. */
const rows: readonly (readonly [line: string, offered: string, directive: number])[] = [
  // Commands.
  ["get", "get", 4],
  ["ge", "get", 4],
  ["-n ux ge", "get", 4],
  ["rollout ", "status history undo restart pause resume", 4],
  ["create s", "service secret serviceaccount", 4],
  ["create secret ", "generic tls docker-registry", 4],
  ["help roll", "rollout", 4],
  ["help rollout re", "restart resume", 4],
  ["bogus ", "", 4],
  // Types and names.
  ["get po", "pods podtemplates poddisruptionbudgets.policy podgroups.scheduling.k8s.io pods.metrics.k8s.io", 4],
  ["get dep", "deployments.apps", 4],
  ["get pods,se", "pods,secrets pods,serviceaccounts pods,services pods,servicecidrs.networking.k8s.io", 4],
  ["get pods ", "web-1 web-2", 4],
  ["get pods web-1 ", "web-2", 4],
  ["get pod/", "pod/web-1 pod/web-2", 4],
  ["get pod/web-1 pod/", "pod/web-2", 4],
  ["get pods,deploy web", "web-1 web-2 web", 4],
  ["get cm -n ux ", "settings", 4],
  ["get -n ux cm ", "settings", 4],
  ["get cm -A s", "settings", 4],
  ["describe nodes ", "n1 n2", 4],
  ["delete deployments.v1.apps ", "web", 4],
  ["label nodes n1 ", "n2", 4],
  ["scale deployments ", "--replicas web", 4],
  ["scale deployments --replicas=2 ", "web", 4],
  ["scale ", `--replicas ${scalable}`, 4],
  ["autoscale --max 3 ", scalable, 4],
  ["expose --port 80 ", "pod service replicationcontroller deployment replicaset", 4],
  ["rollout pause ", "deployment", 4],
  ["rollout undo deploy/", "deploy/web", 4],
  ["logs ", `web-1 web-2 ${podTypes}`, 4],
  ["logs dep", "deployments/", 6],
  ["logs web-1 ", "init app side", 4],
  ["logs deploy/web -c ", "init app side", 4],
  ["exec web-1 -it -c ", "init app side", 4],
  ["exec web-1 -c s", "side", 4],
  ["exec web-1 -- ", "", 4],
  ["drain ", "n1 n2", 4],
  ["cordon n1 ", "n2", 4],
  ["taint ", "node", 4],
  ["taint node ", "n1 n2", 4],
  ["top pod ", "web-1 web-2", 4],
  ["top node ", "n1 n2", 4],
  ["set image deploy/web ", "app= init= side=", 6],
  ["set image deploy web si", "side=", 6],
  ["explain pods.spec.sch", "pods.spec.schedulerName pods.spec.schedulingGates pods.spec.schedulingGroup", 4],
  ["explain pods.nope.", "", 4],
  ["wait deploy/", "deploy/web", 4],
  ["auth can-i ge", "get", 4],
  ["auth can-i get configm", "configmaps", 4],
  // Flags.
  ["rebalance --strategy Low", "LowNodeUtilization", 4],
  ["rebalance --strategy PodLifeTime,Hi", "PodLifeTime,HighNodeUtilization", 4],
  ["get pods --na", "--name --namespace", 4],
  ["get pods --namespace ux --na", "--name", 4],
  ["get -f a --file", "--filename", 4],
  ["get pods --nope x ", "", 4],
  ["logs --pref", "--prefix", 4],
  ["run web ", "--image", 4],
  ["run web --image=a ", "", 4],
  // Values of flags.
  ["get -n ", allNamespaces, 4],
  ["get -n=u", "ux uy", 4],
  ["apply -f - -n u", "ux uy", 4],
  ["apply -f /nope -v 9 -n u", "ux uy", 4],
  ["--namespace u", "ux uy", 4],
  ["get pods -o ", printed, 4],
  ["get pods --output=js", "json jsonpath jsonpath-as-json jsonpath-file", 4],
  ["version -o ", "json yaml", 4],
  ["--context ", "orrery-test", 4],
  ["get --cluster ", "orrery-test", 4],
  ["get --user ", "orrery-test", 4],
  ["config use-context ", "orrery-test", 4],
  ["config use-context orrery-test ", "", 4],
  ["apply --dry-run=", "none server client", 4],
  ["apply --dry-run ", "view-last-applied set-last-applied edit-last-applied", 4],
  ["delete pods --cascade=o", "orphan", 4],
  ["apply -f ", "json yaml yml", 8],
  ["apply -k ", "", 16],
  ["get --kubeconfig ", "", 0],
  ["get --subresource ", "status scale resize", 4],
  ["patch --type ", "strategic merge json", 4],
  ["run --restart ", "Always OnFailure Never", 4],
  ["expose --type N", "NodePort", 4],
  ["create role r --verb get,l", "get,list", 4],
  ["create role r --resource pods,configm", "pods,configmaps", 4],
  ["create rolebinding b --clusterrole system:public", "system:public-info-viewer", 4],
  ["wait --for ", "create delete condition= jsonpath=", 4],
  ["completion ", "bash zsh fish", 4],
  ["component-logs sch", "scheduler", 4],
  // What cannot be answered offers nothing.
  ["get --server http://127.0.0.1:1 pods ", "", 4],
  ["get --context nope pods ", "", 4],
  ["get bogus ", "", 4],
];

const sorted = (text: string): readonly string[] =>
  text
    .split(/\s/)
    .filter((word) => word !== "")
    .toSorted();

test.each(rows)("%s", async (line, offered, directive) => {
  const words = line.split(" ");
  const isGlobal = commandTable[words[0]!]?.global !== false;
  const typedWords = [...(isGlobal ? ["--cache-dir", folder] : []), ...words];
  const lines = (await complete(typedWords, commandTable, { KUBECONFIG: server.kubeconfig })).trimEnd().split("\n");
  const values = lines.slice(0, -1).map((candidate) => candidate.split("\t")[0]!);
  expect([values.toSorted(), lines.at(-1)]).toEqual([sorted(offered), `:${directive}`]);
});

test("without a cluster, commands, flags and their values are offered", async () => {
  const environment = { KUBECONFIG: join(folder, "none") };
  expect(await complete(["get", ""], commandTable, environment)).toBe(":4\n");
  expect(await complete(["get", "--watch-o"], commandTable, environment)).toBe(
    "--watch-only\tprint changes without listing first\n:4\n",
  );
});

/** The words of a line as bash splits them. */
const bashWords = (line: string): readonly string[] =>
  line.split(" ").flatMap((word) => (word === "" ? [""] : word.split(/(=|:)/).filter((part) => part !== "")));

/** Runs the function of the script as bash does after a tab: its second argument is what is replaced. */
function bashLines(line: string): string {
  const words = bashWords(line);
  const last = words.at(-1)!;
  const current = last === "=" || last === ":" ? "" : last;
  const quoted = words.map((word) => JSON.stringify(word)).join(" ");
  return `COMP_LINE=${JSON.stringify(line)} COMP_POINT=${line.length} COMP_WORDS=(${quoted}) COMP_CWORD=${words.length - 1}
_orrery orrery ${JSON.stringify(current)}; (IFS='|'; printf '%s\\n' "\${COMPREPLY[*]}")`;
}

const typed: readonly (readonly [line: string, completed: string])[] = [
  ["orrery ge", "get"],
  ["orrery get pods --output=y", "yaml"],
  [
    "orrery get pods --output=",
    "custom-columns|custom-columns-file|json|jsonpath|jsonpath-as-json|jsonpath-file|kyaml|name|wide|yaml",
  ],
  ["orrery get pod/web-", "pod/web-1|pod/web-2"],
  ["orrery create rolebinding b --clusterrole system:public", "public-info-viewer"],
  [
    "orrery rollout re",
    "restart  (replace every pod, a few at a time)|resume   (roll out the changes since the pause)",
  ],
  ["orrery apply -f app", "app.yaml"],
  ["orrery apply --filename=app", "app.yaml"],
  ["orrery exec web-1 -- a", ""],
];

const environment = () => ({
  ...process.env,
  HOME: folder,
  KUBECONFIG: server.kubeconfig,
  PATH: `${folder}:${process.env["PATH"]}`,
});

test("bash completes with the script", async () => {
  const script = [scripts["bash"]!, "compopt() { :; }", ...typed.map(([line]) => bashLines(line))].join("\n");
  const options = { cwd: folder, env: environment() };
  const { stdout, stderr } = await promisify(execFile)("bash", ["--norc", "-c", script], options);
  expect([stdout.split("\n").slice(0, -1), stderr]).toEqual([typed.map(([, completed]) => completed), ""]);
});

const installed = (shell: string): boolean => {
  try {
    execFileSync(shell, ["--version"]);
    return true;
  } catch {
    return false;
  }
};

if (installed("fish"))
  test("fish completes with the script", async () => {
    const line = 'complete -C "orrery get pods --output=y"; complete -C "orrery get pod/web-1"';
    const options = { cwd: folder, env: environment() };
    const { stdout } = await promisify(execFile)("fish", ["--no-config", "-c", `${scripts["fish"]}\n${line}`], options);
    expect(stdout).toBe("--output=yaml\npod/web-1\n");
  });

if (installed("zsh"))
  test("zsh accepts the script", async () => {
    const script = `compdef() { :; }\n${scripts["zsh"]}\nfunctions _orrery >/dev/null && echo defined`;
    expect((await promisify(execFile)("zsh", ["-f", "-c", script])).stdout).toBe("defined\n");
  });
