// A real cluster for one file of stories: brought up before them, taken down after them, spoken to as users do.
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

/** What a program said until it ended, and how it ended. */
export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}
export interface TestCluster {
  readonly name: string;
  /** The API, for looking. What users do goes through `ctl`. */
  readonly client: Client;
  /** The newest kubectl of this machine with these words; Orrery's own commands where there is none. */
  ctl(words: string | readonly string[], input?: string): Promise<Ended>;
  /** The same, for commands that must succeed: what they printed. */
  says(words: string | readonly string[], input?: string): Promise<string>;
  /** The command line behind `ctl`, for those who run it in their own way. */
  command(words: readonly string[]): readonly string[];
  orrery(...args: readonly string[]): Promise<string>;
  inNode(node: string, ...command: readonly string[]): Promise<string>;
  /** The address of a node's container, which this machine reaches. */
  addressOf(node: string): Promise<string>;
  pod(name: string): Promise<Pod>;
}

/** Runs a program to its end, whatever that is. Without input, what it reads stays open and says nothing. */
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
    // Who does not read its input is not to blame for a broken pipe.
    child.stdin.on("error", () => {});
    if (input !== undefined) child.stdin.end(input);
  });

/** Looks until a look finds something, and hands that over; says what was waited for when it never comes. */
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

/** How long something took. */
export async function timed<T>(work: () => Promise<T>): Promise<readonly [ms: number, result: T]> {
  const began = clock.now();
  const result = await work();
  return [clock.now() - began, result];
}

/** A cluster of this name, up while the tests of the calling file run. */
export function testCluster(name: string, ...options: readonly string[]): TestCluster {
  const closed = new AbortController();
  let client: Client | undefined;
  const kubectl = kubectls().at(-1)?.path;
  const orrery = (...args: readonly string[]): Promise<string> => run([launcher, ...args, "--name", name]);
  const command = (words: readonly string[]): readonly string[] => {
    if (kubectl !== undefined) return [kubectl, "--kubeconfig", kubeconfigPath(name), ...words];
    // What follows `--` belongs to somebody else.
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
    async says(words, input) {
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
