// A cluster for the tests of one file, created before and removed after them, and used through its command line.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { pods } from "../../api/core/pods.ts";
import type { Pod } from "../../api/generated/types.ts";
import { key } from "../../api/meta.ts";
import { readAccess } from "../../cli/client/access.ts";
import { kubeconfigPath } from "../../cli/paths.ts";
import { run } from "../../cli/cluster/subprocess.ts";
import type { Client } from "../../machinery/client.ts";
import { httpClient } from "../../machinery/http-client.ts";
import { realWorld } from "../../machinery/real-world.ts";
import { kubectls } from "../kubectl/kubectl.ts";

const root = join(import.meta.dirname, "../..");
const launcher = join(root, "orrery");
const world = realWorld(() => {});
const { clock } = world;

/** The output and exit code of a program. */
export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}
export interface TestCluster {
  readonly name: string;
  /** A client for assertions. Actions of users go through `ctl`. */
  readonly client: Client;
  /** Runs the newest kubectl of this machine with the arguments, or Orrery's commands without one. */
  ctl(words: string | readonly string[], input?: string): Promise<Ended>;
  /** The output of a command that must succeed. */
  output(words: string | readonly string[], input?: string): Promise<string>;
  /** The complete command line of `ctl`. */
  command(words: readonly string[]): readonly string[];
  orrery(...args: readonly string[]): Promise<string>;
  inNode(node: string, ...command: readonly string[]): Promise<string>;
  /** The address of a node's container, reachable from this machine. */
  addressOf(node: string): Promise<string>;
  pod(name: string): Promise<Pod>;
}

/** Runs a program until it exits. Without input, its standard input stays open and empty. */
export const ended = (command: readonly string[], input: string | undefined, timeoutMs = 60_000): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const [program, ...args] = command;
    const child = spawn(program!, args, { cwd: root, timeout: timeoutMs });
    let [out, err] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      err += text;
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? -1, out, err }));
    // A program that does not read its input breaks the pipe, which is no error.
    child.stdin.on("error", () => {});
    if (input !== undefined) child.stdin.end(input);
  });

/** Polls until the function returns a value. Throws with the description after the time limit. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false>,
  withinMs = 60_000,
): Promise<T> {
  const deadline = clock.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (clock.now() > deadline) throw new Error(`${what}: not within ${withinMs / 1000} s`);
    await clock.sleep(100);
  }
}

/** The duration and result of the work. */
export async function timed<T>(work: () => Promise<T>): Promise<readonly [ms: number, result: T]> {
  const began = clock.now();
  const result = await work();
  return [clock.now() - began, result];
}

/** A cluster with this name that runs during the tests of the calling file. */
export function testCluster(name: string, ...options: readonly string[]): TestCluster {
  const closed = new AbortController();
  let client: Client | undefined;
  const kubectl = kubectls().at(-1)?.path;
  const orrery = (...args: readonly string[]): Promise<string> => run([launcher, ...args, "--name", name]);
  const command = (words: readonly string[]): readonly string[] => {
    if (kubectl !== undefined) return [kubectl, "--kubeconfig", kubeconfigPath(name), ...words];
    // Arguments after `--` belong to the command in the container.
    const dash = words.indexOf("--");
    const [own, rest] = dash < 0 ? [words, []] : [words.slice(0, dash), words.slice(dash)];
    return [launcher, ...own, "--name", name, ...rest];
  };
  const listOf = (words: string | readonly string[]): readonly string[] =>
    typeof words === "string" ? words.split(" ") : words;
  const ctl = (words: string | readonly string[], input?: string): Promise<Ended> =>
    ended(command(listOf(words)), input ?? "");

  beforeAll(async () => {
    await orrery("down");
    await orrery("up", ...options);
    const { server: url, ca, cert, key: own } = await readAccess(name);
    client = httpClient({ url, ca, cert, key: own, userAgent: "orrery-e2e" }, world, closed.signal);
  });
  afterAll(async () => {
    closed.abort();
    await orrery("down");
  });
  return {
    name,
    get client() {
      if (client === undefined) throw new Error("the cluster is not up yet");
      return client;
    },
    ctl,
    async output(words, input) {
      const { code, out, err } = await ctl(words, input);
      if (code !== 0) throw new Error(`${listOf(words).join(" ")} ended with ${code}: ${err || out}`);
      return out;
    },
    command,
    orrery,
    inNode: (node, ...words) => run(["docker", "exec", `${name}-${node}`, ...words]),
    async addressOf(node) {
      const format = `{{(index .NetworkSettings.Networks "${name}").IPAddress}}`;
      return (await run(["docker", "inspect", "-f", format, `${name}-${node}`])).trim();
    },
    pod: (podName) => client!.get(pods, key("default", podName)),
  };
}
