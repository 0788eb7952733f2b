// What a scenario is played with: a kubectl, a namespace of its own, and a note of every command that was tried.
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, vi } from "vitest";
import { parse, stringify } from "yaml";
import { namespaces } from "../../api/core/namespaces.ts";
import { serviceAccounts } from "../../api/core/serviceaccounts.ts";
import { ensure } from "../../apiserver/bootstrap/objects.ts";
import type { TestServer } from "../suites/listening.ts";
import { atTerminal, type Desk, type Kubectl, type Running, runner, type Said, started } from "./kubectl.ts";

type Words = string | readonly string[];

/** The means of a scenario. Words are split at spaces, or taken as they are. */
export interface Stage {
  readonly server: TestServer;
  /** The scenario's own namespace, which kubectl works in unless told otherwise. */
  readonly namespace: string;
  /** The kubectl's minor version: what it says, and what it knows, has changed over time. */
  readonly minor: number;
  run(words: Words, stdin?: string): Promise<Said>;
  /** The command succeeds, and says something like this. */
  says(words: Words, expected: RegExp | string, stdin?: string): Promise<string>;
  /** The same, but it may have to be asked some times before it does. */
  comesToSay(words: Words, expected: RegExp): Promise<void>;
  /** The command fails, and says why. */
  fails(words: Words, expected: RegExp, stdin?: string): Promise<void>;
  /** The command succeeds at a terminal, where this is typed, and says something like that. */
  types(words: string, typed: string, expected: RegExp): Promise<void>;
  /** Begins a command that goes on. */
  start(words: string): Running;
  /** A file to hand to a command; a program, when it begins as one. */
  file(name: string, text: string): string;
}
/** Something a user does with kubectl. */
export type Scenario = (stage: Stage) => Promise<void>;

const newest = 99;
const quiet = (text: string): string => text.replaceAll(/WARNING: version difference.*\n/g, "");
const lineOf = (words: Words): string => (typeof words === "string" ? words : words.join(" "));

/** A kubeconfig of the scenario's own, beside which its files are, in a namespace of its own. */
async function newDesk(server: TestServer, namespace: string): Promise<Desk> {
  const metadata = { name: namespace };
  await server.inProcess.create(namespaces, { kind: "Namespace", metadata, spec: {}, status: {} });
  // Where no controllers run, nobody else makes it.
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
export async function newStage(
  kubectl: Kubectl,
  server: TestServer,
  namespace: string,
  tried: (line: string) => void,
): Promise<Stage> {
  const desk = await newDesk(server, namespace);
  const run = runner(kubectl, desk);
  const terminal = atTerminal(kubectl, desk);
  const matches = (out: string, label: string, expected: RegExp | string): void => {
    if (typeof expected === "string") expect(out.trim(), label).toBe(expected);
    else expect(out, label).toMatch(expected);
  };
  return {
    server,
    namespace,
    minor: Number(kubectl.name.split(".").at(-1)) || newest,
    run,
    async says(words, expected, stdin) {
      const label = lineOf(words);
      tried(label);
      const { code, out, err } = await run(words, stdin);
      expect({ line: label, code, err: code === 0 ? "" : quiet(err) }).toEqual({ line: label, code: 0, err: "" });
      matches(out, label, expected);
      return out;
    },
    async comesToSay(words, expected) {
      tried(lineOf(words));
      await vi.waitFor(
        async () => {
          const { code, out, err } = await run(words);
          expect({ code, said: out + err }).toEqual({ code: 0, said: expect.stringMatching(expected) });
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
      return started(kubectl, desk, words);
    },
    file(name, text) {
      const path = join(dirname(desk.kubeconfig), name);
      writeFileSync(path, text);
      if (text.startsWith("#!")) chmodSync(path, 0o755);
      return path;
    },
  };
}
