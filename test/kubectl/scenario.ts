// The context of a scenario: a kubectl, its own namespace, and a record of the commands that were run.
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, vi } from "vitest";
import { parse, stringify } from "yaml";
import { namespaces } from "../../api/core/namespaces.ts";
import { serviceAccounts } from "../../api/core/serviceaccounts.ts";
import { ensure } from "../../apiserver/bootstrap/objects.ts";
import type { TestServer } from "../suites/listening.ts";
import {
  atTerminal,
  type KubectlConfig,
  type Kubectl,
  type Running,
  runner,
  type CommandResult,
  started,
} from "./kubectl.ts";

type Words = string | readonly string[];

/** The functions of a scenario. A command line is split at spaces; a list of words is taken as it is. */
export interface ScenarioContext {
  readonly server: TestServer;
  /** The scenario's own namespace, which is kubectl's default. */
  readonly namespace: string;
  /** The kubectl's minor version, on which its output and its commands depend. */
  readonly minor: number;
  run(words: Words, stdin?: string): Promise<CommandResult>;
  /** The command succeeds, and its output matches. */
  prints(words: Words, expected: RegExp | string, stdin?: string): Promise<string>;
  /** The same, after repetitions. */
  eventuallyPrints(words: Words, expected: RegExp): Promise<void>;
  /** The command fails, and its error matches. */
  fails(words: Words, expected: RegExp, stdin?: string): Promise<void>;
  /** The command succeeds at a terminal with this input, and its output matches. */
  types(words: string, typed: string, expected: RegExp): Promise<void>;
  /** Starts a command that keeps running. */
  start(words: string): Running;
  /** A file to hand to a command; a program, when it begins as one. */
  file(name: string, text: string): string;
}
/** What a user does with kubectl. */
export type Scenario = (context: ScenarioContext) => Promise<void>;

const newest = 99;
const quiet = (text: string): string => text.replaceAll(/WARNING: version difference.*\n/g, "");
const lineOf = (words: Words): string => (typeof words === "string" ? words : words.join(" "));

/** A kubeconfig of the scenario's own, beside which its files are, in a namespace of its own. */
async function newConfig(server: TestServer, namespace: string): Promise<KubectlConfig> {
  const metadata = { name: namespace };
  await server.inProcess.create(namespaces, { kind: "Namespace", metadata, spec: {}, status: {} });
  // Without controllers the account is not created otherwise.
  await ensure(server.inProcess, serviceAccounts as never, { metadata: { name: "default", namespace } } as never);
  const home = dirname(server.kubeconfig);
  const kubeconfig = join(home, namespace, "kubeconfig");
  mkdirSync(dirname(kubeconfig));
  const config = parse(readFileSync(server.kubeconfig, "utf8"));
  config.contexts[0].context.namespace = namespace;
  writeFileSync(kubeconfig, stringify(config), { mode: 0o600 });
  return { kubeconfig, home };
}

/** Everything of a stage; `tried` hears of each command line. */
export async function newContext(
  kubectl: Kubectl,
  server: TestServer,
  namespace: string,
  tried: (line: string) => void,
): Promise<ScenarioContext> {
  const config = await newConfig(server, namespace);
  const run = runner(kubectl, config);
  const terminal = atTerminal(kubectl, config);
  const matches = (out: string, label: string, expected: RegExp | string): void => {
    if (typeof expected === "string") expect(out.trim(), label).toBe(expected);
    else expect(out, label).toMatch(expected);
  };
  return {
    server,
    namespace,
    minor: Number(kubectl.name.split(".").at(-1)) || newest,
    run,
    async prints(words, expected, stdin) {
      const label = lineOf(words);
      tried(label);
      const { code, out, err } = await run(words, stdin);
      expect({ line: label, code, err: code === 0 ? "" : quiet(err) }).toEqual({ line: label, code: 0, err: "" });
      matches(out, label, expected);
      return out;
    },
    async eventuallyPrints(words, expected) {
      tried(lineOf(words));
      await vi.waitFor(
        async () => {
          const { code, out, err } = await run(words);
          expect({ code, result: out + err }).toEqual({ code: 0, result: expect.stringMatching(expected) });
        },
        { timeout: 60_000, interval: 500 },
      );
    },
    async fails(words, expected, stdin) {
      const label = lineOf(words);
      const { code, out, err } = await run(words, stdin);
      expect([label, code === 0 ? `succeeded: ${out}` : "failed"]).toEqual([label, "failed"]);
      expect(err, label).toMatch(expected);
    },
    async types(words, typed, expected) {
      tried(words);
      const { code, out } = await terminal(words, typed);
      expect([words, code, out]).toEqual([words, 0, expect.stringMatching(expected)]);
    },
    start(words) {
      tried(words);
      return started(kubectl, config, words);
    },
    file(name, text) {
      const path = join(dirname(config.kubeconfig), name);
      writeFileSync(path, text);
      if (text.startsWith("#!")) chmodSync(path, 0o755);
      return path;
    },
  };
}
