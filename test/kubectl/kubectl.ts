// Finds the kubectls of this machine and runs them as a user would.
import { execFile, execFileSync, spawn } from "node:child_process";
import { existsSync, readdirSync, realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { programs } from "../official/specs.ts";

/** A kubectl, and what to call it in a test's name. */
export interface Kubectl {
  readonly name: string;
  readonly path: string;
}
/** The output and the exit code of a command. */
export interface CommandResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** The version that a kubectl reports: `1.36.3`. */
export function versionOf(path: string): string {
  const version = JSON.parse(execFileSync(path, ["version", "--client", "-o", "json"], { encoding: "utf8" }));
  return version.clientVersion.gitVersion.replace(/^v/, "");
}

/** What a kubectl of a version is called: `kubectl.1.36`. */
const nameOf = (path: string): string => `kubectl.${/^\d+\.\d+/.exec(versionOf(path))}`;

/** The minor versions that are kept beside each other as `kubectl.1.NN`; else the one on the PATH; else none. */
export function kubectls(oldest = 30): readonly Kubectl[] {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const found = folders.map((folder) => join(folder, "kubectl")).find(existsSync);
  if (found === undefined) return [];
  const home = dirname(realpathSync(found));
  const minor = (name: string): number => Number(/^kubectl\.1\.(\d+)$/.exec(name)?.[1] ?? 0);
  const versioned = readdirSync(home).filter((name) => minor(name) >= oldest);
  if (versioned.length === 0) return [{ name: nameOf(found), path: found }];
  return versioned.toSorted().map((name) => ({ name, path: join(home, name) }));
}

/** The kubectl of a minor version: one of {@link kubectls}, or that which `test/official/build` builds. */
export function kubectlOf(minor: number): Kubectl | undefined {
  const name = `kubectl.1.${minor}`;
  const built = join(programs, "kubectl");
  const others = existsSync(built) ? [{ name: nameOf(built), path: built }] : [];
  return [...kubectls(), ...others].find((kubectl) => kubectl.name === name);
}

/** The kubeconfig of a kubectl, and its home directory with the discovery cache. */
export interface KubectlConfig {
  /** Plugins are found beside it. */
  readonly kubeconfig: string;
  /** Configurations with one home share the discovery cache. */
  readonly home: string;
}

/** A configuration whose home is the folder of the kubeconfig. */
export const configOf = (kubeconfig: string): KubectlConfig => ({ kubeconfig, home: dirname(kubeconfig) });

const environment = ({ kubeconfig, home }: KubectlConfig): NodeJS.ProcessEnv => {
  const path = [dirname(kubeconfig), process.env["PATH"]].join(delimiter);
  return { ...process.env, PATH: path, KUBECONFIG: kubeconfig, HOME: home, KUBE_EDITOR: "sed -i s/old/new/" };
};

/** Limit for a command, also on a loaded machine. */
const defaultSeconds = 60;

/** Runs a command line (words split at spaces), or words as they are. */
export function runner({ path }: Kubectl, config: KubectlConfig) {
  return (words: string | readonly string[], stdin = "", seconds = defaultSeconds): Promise<CommandResult> =>
    new Promise((resolve) => {
      const args = typeof words === "string" ? words.split(" ") : words;
      const options = { env: environment(config), timeout: seconds * 1000, maxBuffer: 64 * 1024 * 1024 };
      const child = execFile(path, args, options, (error, out, err) => {
        resolve({ code: error ? Number(error.code ?? 1) : 0, out, err });
      });
      // A command may end without having read its input.
      child.stdin?.on("error", () => {});
      child.stdin?.end(stdin);
    });
}

/** Runs a command line at a terminal with this input; standard output and error are one. */
export function atTerminal({ path }: Kubectl, config: KubectlConfig) {
  return (words: string, typed = "", seconds = defaultSeconds): Promise<CommandResult> =>
    new Promise((resolve) => {
      const options = { env: environment(config), timeout: seconds * 1000 };
      const child = execFile("script", ["-qec", `${path} ${words}`, "/dev/null"], options, (error, out, err) => {
        resolve({ code: error ? Number(error.code ?? 1) : 0, out, err });
      });
      child.stdin?.write(typed);
      // A terminal that is hung up ends what runs at it: it stays until the command has ended by itself.
      child.on("exit", () => child.stdin?.end());
    });
}

/** A command that keeps running. */
export interface Running {
  /** Waits for output that matches. */
  waitsFor(pattern: RegExp): Promise<RegExpExecArray>;
  /** Its exit code. */
  readonly ended: Promise<number | null>;
  stop(): Promise<void>;
}

/** Runs a command line until it ends or is stopped. */
export function started({ path }: Kubectl, config: KubectlConfig, words: string): Running {
  const child = spawn(path, words.split(" "), { env: environment(config), stdio: ["ignore", "pipe", "ignore"] });
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  let text = "";
  return {
    ended,
    async waitsFor(pattern) {
      const before = pattern.exec(text);
      if (before) return before;
      for await (const data of child.stdout.iterator({ destroyOnReturn: false })) {
        text += data;
        const found = pattern.exec(text);
        if (found) return found;
      }
      throw new Error(`${words} ended without saying ${pattern}: ${text}`);
    },
    async stop() {
      child.kill();
      await ended;
    },
  };
}
