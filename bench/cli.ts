// The command line beside kubectl on the same server: help, a mistyped command, a list, an apply. Medians of many runs that
// alternate, so that both meet the same load of the machine.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { kubeconfig } from "../cli/cluster/credentials.ts";
import { realWorld } from "../machinery/real-world.ts";
import { newTrust, startServer, type Trust } from "./api/process.ts";
import { median, report, timed } from "./report.ts";

const runs = Number(process.argv[2] ?? 31);
const root = join(import.meta.dirname, "..");

/** kubectl: KUBECTL, that of the conformance suite, or the one on PATH. */
function findKubectl(): string | undefined {
  const candidates = [process.env["KUBECTL"], join(homedir(), ".cache/orrery-official/kubectl")];
  const file = candidates.find((path) => path !== undefined && existsSync(path));
  if (file) return file;
  const found = spawnSync("sh", ["-c", "command -v kubectl"], { encoding: "utf8" }).stdout.trim();
  return found === "" ? undefined : found;
}

const folder = mkdtempSync(join(tmpdir(), "orrery-bench-cli-"));
const config = join(folder, "kubeconfig");
const manifest = join(folder, "pod.yaml");
// The compile cache of the launcher, which a user's runs also have.
const cache = join(homedir(), ".orrery", "cache", "compiled");
const env = { ...process.env, HOME: folder, KUBECONFIG: config, NODE_COMPILE_CACHE: cache };

/** Runs a program to its end, whatever its exit code: a mistyped command has one of its own. */
async function run(program: string, args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<void> {
  const child = spawn(program, [...args], { env: { ...env, ...more }, stdio: "ignore" });
  await once(child, "exit");
}

/** The largest resident memory of a run in MB; undefined without GNU time. */
function memoryOf(program: string, args: readonly string[]): number | undefined {
  const { stderr } = spawnSync("/usr/bin/time", ["-f", "kilobytes:%M", program, ...args], { env, encoding: "utf8" });
  const [, kilobytes] = /kilobytes:(\d+)/.exec(stderr ?? "") ?? [];
  return kilobytes === undefined ? undefined : Number(kilobytes) / 1024;
}

/** A program that only sends the request of `get pods`: what Node.js itself takes for it. */
const bareRequest = (url: string): string =>
  `const { ca, cert, key } = JSON.parse(process.env.BENCH_TRUST);
   require("node:https").get("${url}/api/v1/namespaces/default/pods?limit=500", { ca, cert, key }, (response) =>
     response.pipe(process.stdout));`;

/** How much of the time of `get pods` is Node.js: its start, its TLS, one request. */
async function compareWithBare(url: string, trust: Trust): Promise<void> {
  const secrets = { BENCH_TRUST: JSON.stringify({ ca: trust.ca, ...trust.admin }) };
  const own: number[] = [];
  const bare: number[] = [];
  for (let i = 0; i < runs + 3; i++) {
    own.push(await timed(() => run(join(root, "orrery"), ["get", "pods"])));
    bare.push(await timed(() => run(process.execPath, ["-e", bareRequest(url)], secrets)));
  }
  const beside = { what: "Node.js with one request", value: median(bare.slice(3)), unit: "ms" } as const;
  report({
    what: "get pods, beside the least that Node.js takes",
    value: median(own.slice(3)) / beside.value,
    unit: "x",
    beside,
    budget: { atMost: 1.5 },
  });
}

const commands: readonly (readonly [what: string, args: readonly string[]])[] = [
  ["--help", ["--help"]],
  ["a mistyped command", ["gett"]],
  ["get pods", ["get", "pods"]],
  ["apply, unchanged", ["apply", "-f", manifest]],
];

async function compare(kubectl: string | undefined, what: string, args: readonly string[]): Promise<void> {
  const orrery = join(root, "orrery");
  const own: number[] = [];
  const other: number[] = [];
  for (let i = 0; i < runs + 3; i++) {
    own.push(await timed(() => run(orrery, args)));
    if (kubectl) other.push(await timed(() => run(kubectl, args)));
  }
  // The first runs fill caches.
  const ms = median(own.slice(3));
  if (kubectl) {
    const beside = { what: "kubectl", value: median(other.slice(3)), unit: "ms" } as const;
    process.stdout.write(`       ${what}: ${ms.toFixed(0)} ms\n`);
    report({ what: `${what}, beside kubectl`, value: ms / beside.value, unit: "x", beside, budget: { atMost: 1.3 } });
  } else report({ what, value: ms, unit: "ms", budget: { atMost: 250 } });
  const megabytes = memoryOf(orrery, args);
  if (megabytes !== undefined)
    report({ what: `${what}, resident memory`, value: megabytes, unit: "MB", budget: { atMost: 60 } });
}

const kubectl = findKubectl();
if (kubectl === undefined)
  process.stdout.write("kubectl is missing: nothing to compare with. Put it on PATH, or name it with KUBECTL.\n");
const trust = await newTrust(realWorld(() => {}).clock.now());
const server = await startServer({ serve: "memory", ...trust });
try {
  writeFileSync(config, kubeconfig("bench", server.url, trust.ca, trust.admin));
  writeFileSync(manifest, "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  mode: fast\n");
  for (const [what, args] of commands) await compare(kubectl, what, args);
  await compareWithBare(server.url, trust);
} finally {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
}
